/* bench: load for a daemon, and how fast it answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "clients/cli/ask.h"
#include "clients/cli/bench_report.h"
#include "clients/cli/cli.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/private_daemon.h"

enum { SECONDS = 5, MOST_CONNECTIONS = 100000, MOST_PIPELINE = 1 << 20, MOST_FEATURES = 100000 };

struct bench {
    struct homer_cli *cli;
    struct homer_private own; /* the private daemon */
    struct homer_load_options options;
    struct homer_load load;
    struct homer_drive drive;
    struct homer_progress progress;
    struct homer_list set;
    const char *mix, *model;
    uint64_t connections;
    bool remote, quiet;
    bool drop; /* the model is ours, and goes at the end */
};

/* Combinations that make no sense, and the mix: 0, or an exit code, told. */
static int check(struct bench *b, const struct homer_command *cmd, int argc) {
    struct homer_error err;
    struct homer_drive *d = &b->drive;
    struct homer_synthetic *made = &b->options.made;
    b->remote = b->cli->to || b->cli->unix_path;
    if (homer_mix_parse(&b->options.mix, b->mix, &err))
        return homer_cli_misused(cmd, "--mix: %s", err.message);
    if (b->remote && b->set.n)
        return homer_cli_misused(cmd, "--set configures the private daemon, --to names another one");
    if (d->requests && d->seconds > 0)
        return homer_cli_misused(cmd, "--requests and --seconds both say when to end; give one");
    if (b->connections > MOST_CONNECTIONS)
        return homer_cli_misused(cmd, "--connections is at most %d", MOST_CONNECTIONS);
    if (d->pipeline > MOST_PIPELINE) return homer_cli_misused(cmd, "--pipeline is at most %d", MOST_PIPELINE);
    if (argc && (made->features || made->labels || made->nonzero))
        return homer_cli_misused(
            cmd, "--features, --labels and --nonzero are for instances made up, not for FILE");
    if (made->features > MOST_FEATURES)
        return homer_cli_misused(cmd, "--features is at most %d", MOST_FEATURES);
    if (b->options.fresh && b->connections > 1)
        return homer_cli_misused(
            cmd, "--fresh is for one connection: the others would find no model for a moment");
    if (b->options.fresh && b->remote && !b->model)
        return homer_cli_misused(cmd, "--fresh drops a model: say which with --model NAME");
    if (!made->features) made->features = 50;
    if (!made->labels) made->labels = 10;
    if (!made->nonzero || made->nonzero > made->features) made->nonzero = made->features;
    if (!d->requests && d->seconds <= 0) d->seconds = SECONDS;
    return HOMER_EXIT_OK;
}

/* The model: in a private daemon the default one; in another one a model of our own, so that nothing is
 * taught to one that is in use, unless --model names one. 0, or an exit code, told. */
static int ready_model(struct bench *b) {
    struct homer_error err;
    if (b->remote && !b->model) b->options.model = "bench";
    if (!b->options.model) return HOMER_EXIT_OK;
    json_t *reply = homer_ask_with(b->drive.client[0], "model.create", "name", b->options.model, &err);
    bool there = !reply && strncmp(err.message, "model_exists", strlen("model_exists")) == 0;
    b->drop = reply && !b->model;
    json_decref(reply);
    if (reply || (there && b->model)) return HOMER_EXIT_OK;
    if (there)
        fputs("homer: there is a model \"bench\" already, perhaps of an earlier run: --model bench uses it, "
              "model.drop removes it\n",
              stderr);
    return homer_cli_failed(&err);
}

static void drop_model(struct bench *b) {
    struct homer_error err;
    struct homer_client *client;
    if (b->drop && b->drive.lost) {
        fputs("homer: the model \"bench\" may be left there; model.drop removes it\n", stderr);
        return; /* a daemon that does not answer would not answer this */
    }
    /* the connections may have requests under way */
    if (!b->drop || homer_cli_connect(b->cli, homer_cli_address(b->cli), &client)) return;
    json_t *reply = homer_ask_with(client, "model.drop", "name", b->options.model, &err);
    if (!reply) (void)homer_cli_failed(&err);
    json_decref(reply);
    homer_client_free(client);
}

static const char *address(struct bench *b) {
    return b->remote ? homer_cli_address(b->cli) : b->own.address;
}

/* The daemon and the connections. 0, or an exit code, told. */
static int connect_all(struct bench *b) {
    struct homer_error err;
    char most[64];
    const char *set[HOMER_LIST_CAP + 1] = {most}; /* what --set says comes later, and counts */
    snprintf(most, sizeof most, "limits.max_connections=%llu", (unsigned long long)b->connections + 8);
    memcpy(set + 1, b->set.item, b->set.n * sizeof *set);
    if (!b->remote) {
        int rc = homer_private_start(&b->own, b->connections > 1000 ? set : set + 1,
                                     b->set.n + (b->connections > 1000), &err);
        if (rc == -EINTR) return HOMER_EXIT_SIGNAL + homer_interrupted();
        if (rc) (void)homer_cli_failed(&err);
        if (rc) return rc == -EINVAL ? HOMER_EXIT_USAGE : HOMER_EXIT_FAILURE;
    }
    b->drive.client = calloc(b->connections, sizeof(struct homer_client *));
    if (!b->drive.client) {
        homer_err_set(&err, -ENOMEM, "out of memory");
        return homer_cli_failed(&err);
    }
    while (b->drive.client_n < b->connections) {
        int code =
            homer_cli_connect(b->remote ? b->cli : NULL, address(b), &b->drive.client[b->drive.client_n]);
        if (code) return code;
        b->drive.client_n++;
        if (homer_interrupted()) return HOMER_EXIT_SIGNAL + homer_interrupted();
    }
    return ready_model(b);
}

static void announce(struct bench *b) {
    uint64_t bytes = b->load.bytes.n / b->load.n;
    if (b->cli->json || b->quiet) return;
    printf("%s: %llu connection%s, up to %llu requests under way on each; %zu requests of %llu bytes\n\n",
           address(b), (unsigned long long)b->connections, b->connections > 1 ? "s" : "",
           (unsigned long long)b->drive.pipeline, b->load.n, (unsigned long long)bytes);
    fflush(stdout);
}

static int run(struct bench *b) {
    struct homer_error err;
    struct homer_drive *d = &b->drive;
    int rc = homer_load_init(&b->load, &b->options, &err);
    if (rc == -EINTR && homer_interrupted()) return HOMER_EXIT_SIGNAL + homer_interrupted();
    if (rc) return homer_cli_failed(&err);
    announce(b);
    if (!b->quiet) homer_progress_init(&b->progress, stderr, d->requests);
    b->progress.unit = "requests";
    d->load = &b->load;
    d->progress = &b->progress;
    rc = homer_drive_run(d, &err);
    int code = rc ? homer_cli_failed(&err) : HOMER_EXIT_OK;
    if (d->lost) (void)homer_private_died(&b->own, stderr);
    if (d->interrupted) fputs("homer: interrupted; this is what was measured so far\n", stderr);
    rc = b->cli->json ? homer_bench_report_json(d, address(b), b->options.model, stdout)
                      : homer_bench_report_print(d, stdout);
    fflush(stdout); /* now: the rest may take its time */
    if (rc || d->error_n) code = HOMER_EXIT_FAILURE;
    return d->interrupted ? HOMER_EXIT_SIGNAL + d->interrupted : code;
}

static int bench(struct bench *b, const struct homer_command *cmd, int argc, char **argv) {
    const struct homer_opt own[] = {
        {"connections", "N", "connections at once (default 1)", HOMER_OPT_COUNT, &b->connections},
        {"pipeline", "N", "requests under way on each, at most (default 256; 1: one at a time)",
         HOMER_OPT_COUNT, &b->drive.pipeline},
        {"requests", "N", "ends after N requests", HOMER_OPT_COUNT, &b->drive.requests},
        {"seconds", "S", "ends after S seconds (default 5)", HOMER_OPT_RATE, &b->drive.seconds},
        {"warmup", "S", "S seconds before, of which nothing is counted", HOMER_OPT_RATE, &b->drive.warmup},
        {"rate", "R", "R requests a second, ready or not (default: as fast as answered)", HOMER_OPT_RATE,
         &b->drive.rate},
        {"mix", "MIX", "verbs and weights: learn, predict, test, ping (default learn=50,predict=50)",
         HOMER_OPT_STRING, &b->mix},
        {"scores", NULL, "ask for the scores of the labels too", HOMER_OPT_FLAG, &b->options.scores},
        {"limit", "N", "only the first N instances (of those made up: 10,000)", HOMER_OPT_COUNT,
         &b->options.limit},
        {"features", "N", "features of instances made up (default 50)", HOMER_OPT_COUNT,
         &b->options.made.features},
        {"labels", "N", "labels of instances made up (default 10)", HOMER_OPT_COUNT, &b->options.made.labels},
        {"nonzero", "N", "features that each of them has (default: all)", HOMER_OPT_COUNT,
         &b->options.made.nonzero},
        {"model", "NAME", "which model; created when it is not there, and kept", HOMER_OPT_STRING, &b->model},
        {"fresh", NULL, "drop the model and make it anew before each pass of the instances", HOMER_OPT_FLAG,
         &b->options.fresh},
        {"set", "KEY=VALUE", "a setting of the private daemon, as homerd --set", HOMER_OPT_LIST, &b->set},
        {"quiet", NULL, "nothing but the results", HOMER_OPT_FLAG, &b->quiet},
        {0},
    };
    int code;
    if (!homer_cli_options(b->cli, cmd, own, &argc, argv, &code)) return code;
    code = check(b, cmd, argc);
    if (code) return code;
    homer_rng_seed(&b->options.made.rng, 1);
    b->options.model = b->model;
    b->options.path = (const char *const *)argv;
    b->options.path_n = (size_t)argc;
    homer_interrupt_watch();
    code = connect_all(b);
    return code ? code : run(b);
}

int homer_cmd_bench(struct homer_cli *cli, const struct homer_command *cmd, int argc, char **argv) {
    struct bench *b = calloc(1, sizeof *b); /* its histograms are large */
    if (!b) return homer_cli_finish(HOMER_EXIT_FAILURE);
    *b = (struct bench){.cli = cli,
                        .own = {.log_fd = -1},
                        .drive = {.pipeline = 256},
                        .connections = 1,
                        .mix = "learn=50,predict=50"};
    int code = bench(b, cmd, argc, argv);
    drop_model(b);
    for (size_t i = 0; i < b->drive.client_n; i++) homer_client_free(b->drive.client[i]);
    free(b->drive.client);
    homer_private_stop(&b->own);
    homer_load_deinit(&b->load);
    free(b);
    return homer_cli_finish(code);
}
