/* replay: recorded streams through a daemon, test-then-train, with metrics at the end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "clients/cli/ask.h"
#include "clients/cli/cli.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/private_daemon.h"
#include "clients/cli/pump.h"
#include "clients/cli/report.h"
#include "clients/cli/request_line.h"

enum {
    WINDOW = 512,
    MOST_IN_FLIGHT = 1 << 20,
    NAME_CAP = 160,
    ROWS = 100,
    LEAST_EVERY = 100,
    EVERY_UNKNOWN = 1000
};

struct replay {
    struct homer_cli *cli;
    struct homer_private own; /* the private daemon */
    struct homer_client *client;
    struct homer_source *source;
    struct homer_curve *curve;
    struct homer_progress progress;
    struct homer_list learners, set;
    const char *objective, *model, *shuffle, *csv, *delay, *report;
    uint64_t seed, limit, every, window;
    double rate;
    struct homer_result result[HOMER_COMPARED]; /* [result_n] of several learners, told together */
    size_t result_n;
};

static bool read_seed(const char *text, uint64_t *seed) {
    char *end;
    const char *digits = text + (*text == '-'); /* Python seeds with |seed| */
    errno = 0;
    *seed = strtoull(digits, &end, 10);
    return *digits >= '0' && *digits <= '9' && *end == '\0' && errno == 0;
}

/* Combinations that make no sense: 0, or an exit code, told. */
static int check(struct replay *r, const struct homer_command *cmd, int argc) {
    bool remote = r->cli->to || r->cli->unix_path;
    if (r->delay || r->report)
        return homer_cli_misused(cmd, "--%s is not in this version", r->delay ? "delay" : "report");
    if (argc == 0) return homer_cli_misused(cmd, "no file given; - is standard input");
    if (r->shuffle && !read_seed(r->shuffle, &r->seed))
        return homer_cli_misused(cmd, "--shuffle takes a whole number, not '%.60s'", r->shuffle);
    if (r->window > MOST_IN_FLIGHT) return homer_cli_misused(cmd, "--window is at most %d", MOST_IN_FLIGHT);
    if (r->every && !r->csv)
        return homer_cli_misused(cmd, "--every sets how often --csv gets a row; give both");
    if (r->learners.n > HOMER_COMPARED)
        return homer_cli_misused(cmd, "--learner may be given %d times at most", HOMER_COMPARED);
    for (size_t i = 0; i < r->learners.n; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(r->learners.item[i], r->learners.item[j]) == 0)
                return homer_cli_misused(cmd, "--learner %.60s is given twice", r->learners.item[i]);
    if (remote && r->set.n)
        return homer_cli_misused(cmd, "--set configures the private daemon, --to names another one");
    if (remote && r->objective && !r->model && !r->learners.n)
        return homer_cli_misused(cmd, "--objective needs a model of its own there: add --model NAME");
    return HOMER_EXIT_OK;
}

/* Creates a model with the learner (NULL: the configured one) and the objective. */
static int create_model(struct replay *r, const char *name, const char *learner, struct homer_error *err) {
    struct homer_mem mem = {0};
    struct homer_buf b;
    homer_buf_init(&b, &mem);
    homer_buf_puts(&b, "{\"op\":\"model.create\"");
    int rc = homer_request_member(&b, "name", name, err);
    homer_buf_puts(&b, ",\"config\":{");
    if (rc == 0 && learner) rc = homer_request_member(&b, "learner", learner, err);
    if (rc == 0 && r->objective) rc = homer_request_member(&b, "objective", r->objective, err);
    homer_buf_puts(&b, "}}");
    if (rc == 0 && b.failed) rc = homer_err_set(err, -ENOMEM, "out of memory");
    json_t *reply = rc ? NULL : homer_ask(r->client, b.data, b.n, err);
    json_decref(reply);
    homer_buf_deinit(&b);
    return reply ? 0 : -EREMOTEIO;
}

static void warn_if_used(struct replay *r) {
    json_t *stats = homer_ask_op(r->client, "stats", NULL, NULL);
    json_int_t seq = json_integer_value(json_object_get(stats, "seq"));
    json_decref(stats);
    if (seq > 0)
        fprintf(stderr,
                "homer: model 'default' has already learned %" JSON_INTEGER_FORMAT
                " instances; the metrics include them (--model NAME makes a fresh model)\n",
                seq);
}

static int show(struct replay *r, const struct homer_pump *pump, const char *learner) {
    struct homer_error err;
    json_t *stats = homer_ask_op(r->client, "stats", pump->model, &err);
    if (!stats) return homer_cli_failed(&err);
    int rc = 0;
    if (r->curve)
        rc = homer_curve_row(r->curve, pump->model ? pump->model : "default", pump->seconds, stats, &err);
    if (rc) (void)homer_cli_failed(&err);
    if (r->cli->json) {
        if (homer_report_json(pump, stats, stdout)) rc = -ENOMEM;
    } else if (r->learners.n > 1) {
        r->result[r->result_n++] =
            (struct homer_result){learner, json_incref(stats), pump->done, pump->seconds};
    } else {
        if (homer_report_print(pump, stats, stdout)) rc = -ENOMEM;
    }
    json_decref(stats);
    return rc ? HOMER_EXIT_FAILURE : HOMER_EXIT_OK;
}

/* One pass of the source through one model; NULL: the default one. */
static int run_model(struct replay *r, const char *model, const char *learner) {
    struct homer_error err;
    struct homer_pump pump = {.client = r->client,
                              .source = r->source,
                              .op = "test",
                              .model = model,
                              .window = r->window,
                              .rate = r->rate,
                              .curve = r->curve,
                              .progress = &r->progress};
    if (model && create_model(r, model, learner, &err)) return homer_cli_failed(&err);
    if (!model && !r->own.pid) warn_if_used(r);
    int rc = homer_pump_run(&pump, &err), code = HOMER_EXIT_OK;
    if (rc) code = homer_cli_failed(&err);
    if (pump.lost) {
        (void)homer_private_died(&r->own, stderr);
        fprintf(stderr, "homer: %llu of %llu instances sent were acknowledged\n",
                (unsigned long long)pump.done, (unsigned long long)pump.sent);
    } else {
        if (pump.interrupted)
            fprintf(stderr, "homer: interrupted after %llu instances\n", (unsigned long long)pump.done);
        int shown = show(r, &pump, learner);
        if (shown) code = shown;
    }
    if (pump.refused) {
        fprintf(stderr, "homer: %llu lines were refused\n", (unsigned long long)pump.refused);
        code = HOMER_EXIT_FAILURE;
    }
    return pump.interrupted ? HOMER_EXIT_SIGNAL + pump.interrupted : code;
}

static int run_learners(struct replay *r) {
    if (r->learners.n == 0) return run_model(r, r->model, NULL);
    int code = HOMER_EXIT_OK;
    for (size_t i = 0; i < r->learners.n && code == HOMER_EXIT_OK; i++) {
        char name[NAME_CAP];
        const char *learner = r->learners.item[i];
        bool several = r->learners.n > 1;
        if (!r->model)
            snprintf(name, sizeof(name), "%.100s", learner);
        else
            snprintf(name, sizeof(name), "%.80s%s%.70s", r->model, several ? "-" : "",
                     several ? learner : "");
        if (i) homer_source_rewind(r->source);
        code = run_model(r, name, learner);
    }
    if (r->result_n && homer_report_compare(r->result, r->result_n, stdout) && code == HOMER_EXIT_OK)
        code = HOMER_EXIT_FAILURE;
    for (size_t i = 0; i < r->result_n; i++) json_decref(r->result[i].stats);
    return code;
}

static int open_curve(struct replay *r, struct homer_error *err) {
    uint64_t total = homer_source_total(r->source), every = r->every;
    if (!r->csv) return 0;
    if (!every) every = total ? total / ROWS : EVERY_UNKNOWN;
    if (!r->every && every < LEAST_EVERY) every = LEAST_EVERY;
    return homer_curve_open(&r->curve, r->csv, every, err);
}

/* The daemon: a private one unless an address was given. 0, or an exit code, told. */
static int reach_daemon(struct replay *r) {
    struct homer_error err;
    char objective[64];
    const char *set[HOMER_LIST_CAP];
    size_t n = r->set.n;
    if (r->cli->to || r->cli->unix_path)
        return homer_cli_connect(r->cli, homer_cli_address(r->cli), &r->client);
    memcpy(set, r->set.item, n * sizeof(*set));
    if (r->objective && n < HOMER_LIST_CAP) {
        snprintf(objective, sizeof(objective), "model.objective=%.40s", r->objective);
        set[n++] = objective;
    }
    int rc = homer_private_start(&r->own, set, n, &err);
    if (rc == -EINTR) return HOMER_EXIT_SIGNAL + homer_interrupted();
    if (rc) {
        (void)homer_cli_failed(&err);
        return rc == -EINVAL ? HOMER_EXIT_USAGE : HOMER_EXIT_FAILURE;
    }
    return homer_cli_connect(NULL, r->own.address, &r->client);
}

static int replay(struct replay *r, char **path, int path_n) {
    struct homer_error err;
    homer_progress_init(&r->progress, stderr, 0);
    const struct homer_source_options options = {.path = (const char *const *)path,
                                                 .path_n = (size_t)path_n,
                                                 .shuffle = r->shuffle != NULL,
                                                 .seed = r->seed,
                                                 .limit = r->limit,
                                                 .again = r->learners.n > 1,
                                                 .count = r->progress.to || (r->csv && !r->every)};
    homer_interrupt_watch();
    int rc = homer_source_open(&r->source, &options, &err);
    if (rc == 0) rc = open_curve(r, &err);
    if (rc == -EINTR && homer_interrupted()) return HOMER_EXIT_SIGNAL + homer_interrupted();
    if (rc) return homer_cli_failed(&err);
    r->progress.total = homer_source_total(r->source);
    int code = reach_daemon(r);
    return code ? code : run_learners(r);
}

int homer_cmd_replay(struct homer_cli *cli, const struct homer_command *cmd, int argc, char **argv) {
    struct replay r = {.cli = cli, .own = {.log_fd = -1}, .window = WINDOW};
    const struct homer_opt own[] = {
        {"shuffle", "SEED", "in the order of Python's random.Random(SEED).shuffle(lines)", HOMER_OPT_STRING,
         &r.shuffle},
        {"limit", "N", "only the first N instances (after the shuffle)", HOMER_OPT_COUNT, &r.limit},
        {"rate", "R", "R instances a second (default: as fast as it goes)", HOMER_OPT_RATE, &r.rate},
        {"csv", "OUT", "write the learning curve to the file OUT", HOMER_OPT_STRING, &r.csv},
        {"every", "N", "a row of it every N instances (default: 100 rows)", HOMER_OPT_COUNT, &r.every},
        {"objective", "NAME", "example_f1, micro_f1, macro_f1, subset or hamming", HOMER_OPT_STRING,
         &r.objective},
        {"learner", "NAME", "a fresh model with this learner; several are compared", HOMER_OPT_LIST,
         &r.learners},
        {"model", "NAME", "create a fresh model NAME and use it", HOMER_OPT_STRING, &r.model},
        {"set", "KEY=VALUE", "a setting of the private daemon, as homerd --set", HOMER_OPT_LIST, &r.set},
        {"window", "N", "at most N requests under way (default 512)", HOMER_OPT_COUNT, &r.window},
        {"delay", "N", NULL, HOMER_OPT_STRING, &r.delay},
        {"report", "OUT", NULL, HOMER_OPT_STRING, &r.report},
        {0},
    };
    int code;
    struct homer_error err;
    if (!homer_cli_options(cli, cmd, own, &argc, argv, &code)) return code;
    code = check(&r, cmd, argc);
    if (code == HOMER_EXIT_OK) code = replay(&r, argv, argc);
    homer_client_free(r.client);
    homer_private_stop(&r.own);
    homer_source_free(r.source);
    if (homer_curve_close(r.curve, &err)) code = homer_cli_failed(&err);
    return homer_cli_finish(code);
}
