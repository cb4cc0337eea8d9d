/* In-process prequential run of one model over a stream of JSON lines, under every objective: accuracy and
 * speed.
 *
 *   bench_model [--set key=value]... [--objective O] [--every N] FILE...      FILE: plain JSON lines, "-" =
 * standard input
 *
 * Lines are decoded first; what is timed is names to ids + test + train, on one thread. One tab-separated row
 * per file and predictor (the objective, NO-CHANGE, MAJORITY). Without --objective one pass serves all of
 * them: before an instance is learned its scores are decided about by every rule, which is not timed.
 * --every: before them a row per N instances, `instances` telling how many have passed, of the metrics over
 * these N (those that no window has: nan). Drifts are counted by what saw them: a cluster's loss, the loss of
 * all labels, the hierarchy. */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "daemon/config.h"
#include "daemon/resolve.h"

static const uint8_t hash_key[16] = "bench_model";

struct stream {
    struct homer_request *request;
    size_t n, cap;
};

static void die(const char *what, const char *why) {
    fprintf(stderr, "bench_model: %s: %s\n", what, why);
    exit(1);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void load(struct stream *s, const char *path, const struct homer_request_limits *limits,
                 struct homer_mem *mem) {
    FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    if (!f) die(path, strerror(errno));
    while ((n = getline(&line, &cap, f)) > 0) {
        if (line[n - 1] == '\n') n--;
        if (s->n == s->cap) {
            s->cap = s->cap ? s->cap * 2 : 1024;
            s->request = realloc(s->request, s->cap * sizeof *s->request);
            if (!s->request) die(path, "out of memory");
        }
        struct homer_request *r = &s->request[s->n++];
        homer_request_init(r, mem);
        homer_request_parse(r, line, (size_t)n, limits);
        if (r->error.code) die(path, r->error.message);
    }
    free(line);
    if (f != stdin) fclose(f);
}

/* What the total so far was at the row before. */
struct mark {
    double pairs, log_loss;
    uint64_t events;
    unsigned cluster, global, structure; /* drifts */
};

static void count_drifts(const struct homer_model *model, struct mark *k) {
    uint64_t total;
    (void)homer_model_events(model, &total);
    for (; k->events < total; k->events++) {
        const struct homer_event *e = homer_model_event(model, k->events);
        if (!e) continue; /* more at one instance than are kept */
        k->cluster += e->kind == HOMER_EVENT_CLUSTER_DRIFT;
        k->global += e->kind == HOMER_EVENT_GLOBAL_DRIFT;
        k->structure += e->kind == HOMER_EVENT_STRUCTURE && e->change == HOMER_HIERARCHY_DRIFT;
    }
}

static void report(const char *path, const char *by, const struct homer_metrics *m, struct homer_model *model,
                   double rate, const struct mark *k) {
    const struct homer_schema *s = homer_model_schema(model);
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    printf("%.*s\t%s\t%.0f\t%u\t%u\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%"
           ".5f\t%.0f\t%zu\t%u\t%u\t%u\n",
           (int)strcspn(name, "."), name, by, m->n, s->features.n, s->labels.n, m->subset, m->hamming,
           m->example_f1, m->micro_f1, m->macro_f1, m->precision_at[0], m->precision_at[1],
           m->precision_at[2], m->ndcg_at[2], m->psp_at[0], m->psp_at[2], m->log_loss, m->calibration_error,
           rate, homer_model_mem(model)->peak_bytes, k->cluster, k->global, k->structure);
}

/* The row of the N instances that end here. */
static void report_window(const char *path, const char *by, struct homer_model *model, struct mark *row,
                          const struct mark *now) {
    const struct homer_eval *eval = homer_model_eval(model);
    struct homer_metrics m;
    struct mark k = {.pairs = eval->score[HOMER_TOTAL].pairs,
                     .log_loss = eval->score[HOMER_TOTAL].log_loss,
                     .cluster = now->cluster - row->cluster,
                     .global = now->global - row->global,
                     .structure = now->structure - row->structure};
    homer_eval_metrics(eval, HOMER_BY_MODEL, HOMER_WINDOW, &m);
    m.n = (double)homer_model_seq(model);
    m.log_loss = (k.log_loss - row->log_loss) / (k.pairs - row->pairs);
    report(path, by, &m, model, (double)NAN, &k);
    *row = *now;
    row->pairs = k.pairs;
    row->log_loss = k.log_loss;
}

/* The labelset metrics of the rules that the model is not configured to use. */
struct others {
    struct homer_mem mem;
    struct homer_eval eval[HOMER_OBJECTIVE_COUNT];
    uint32_t *label[HOMER_OBJECTIVE_COUNT], n[HOMER_OBJECTIVE_COUNT], cap;
};

static void others_init(struct others *o, uint32_t window) {
    *o = (struct others){0};
    for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++) homer_eval_init(&o->eval[k], &o->mem, window);
}

static void others_deinit(struct others *o) {
    for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++) {
        homer_eval_deinit(&o->eval[k]);
        free(o->label[k]);
    }
}

static void others_predict(struct others *o, struct homer_model *m, const struct homer_instance *x) {
    struct homer_prediction p;
    struct homer_decide decide = homer_model_decide_default(m);
    homer_model_predict(m, x, &decide, &p);
    for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++) {
        decide.objective = (enum homer_objective)k;
        homer_model_redecide(m, &decide, &p);
        o->n[k] = p.label_n;
        if (p.score_n > o->cap && !(o->label[k] = realloc(o->label[k], p.score_n * sizeof *o->label[k])))
            die("start", "out of memory");
        if (p.label_n) memcpy(o->label[k], p.label, p.label_n * sizeof *p.label);
        if (k == HOMER_OBJECTIVE_COUNT - 1 && p.score_n > o->cap) o->cap = p.score_n;
    }
}

static void others_count(struct others *o, const struct homer_instance *x, uint32_t labels) {
    for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++) {
        struct homer_outcome out = {.truth = x, .predicted = o->label[k], .predicted_n = o->n[k]};
        if (homer_eval_reserve(&o->eval[k], &out, labels)) die("start", "out of memory");
        homer_eval_count(&o->eval[k], &out, labels);
    }
}

static void run(const char *path, const struct stream *s, const struct homer_config *config,
                const struct homer_model_config *mc, struct homer_resolver *resolver, bool all,
                size_t every) {
    struct homer_model *m;
    struct homer_error err = {0};
    struct homer_instance x;
    struct homer_metrics metrics;
    struct mark row = {0}, now = {0};
    struct others others;
    double spent = 0;
    if (homer_model_new(&m, mc, hash_key)) die(path, "out of memory");
    others_init(&others, mc->window);
    for (size_t i = 0; i < s->n; i++) {
        const struct homer_request *r = &s->request[i];
        if (all) {
            if (homer_resolve_x(resolver, m, r, &config->request, false, &x, &err)) die(path, err.message);
            others_predict(&others, m, &x);
        }
        double begin = seconds();
        homer_model_begin(m);
        if (homer_resolve_x(resolver, m, r, &config->request, true, &x, &err) ||
            homer_resolve_y(resolver, m, r, &x, &err) || homer_model_learn(m, &x, NULL, NULL, &err))
            die(path, err.message);
        spent += seconds() - begin;
        if (all) others_count(&others, &x, homer_model_schema(m)->labels.n);
        count_drifts(m, &now);
        if (every && (i + 1) % every == 0)
            report_window(path, homer_objective_word(mc->objective), m, &row, &now);
    }
    double rate = (double)s->n / spent;
    homer_eval_metrics(homer_model_eval(m), HOMER_BY_MODEL, HOMER_TOTAL, &metrics);
    for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++) {
        if (!all && o != (int)mc->objective) continue;
        struct homer_metrics own = metrics; /* the scores' metrics are the same under every rule */
        if (all) homer_eval_metrics(&others.eval[o], HOMER_BY_MODEL, HOMER_TOTAL, &own);
        memcpy(&own.precision_at, &metrics.precision_at,
               sizeof own - offsetof(struct homer_metrics, precision_at));
        report(path, homer_objective_word((enum homer_objective)o), &own, m, rate, &now);
    }
    for (int by = HOMER_BY_NO_CHANGE; by <= HOMER_BY_MAJORITY; by++) {
        homer_eval_metrics(homer_model_eval(m), (enum homer_predictor)by, HOMER_TOTAL, &metrics);
        report(path, by == HOMER_BY_NO_CHANGE ? "NO-CHANGE" : "MAJORITY", &metrics, m, rate, &now);
    }
    others_deinit(&others);
    homer_model_free(m);
}

int main(int argc, char **argv) {
    struct homer_config config;
    struct homer_error err = {0};
    struct homer_mem mem = {0};
    struct homer_resolver resolver;
    int only = -1, i = 1;
    size_t every = 0;
    homer_config_init(&config);
    for (; i + 1 < argc && argv[i][0] == '-' && argv[i][1] == '-'; i += 2) {
        if (strcmp(argv[i], "--objective") == 0 &&
            (only = homer_objective_parse(argv[i + 1], strlen(argv[i + 1]))) >= 0)
            continue;
        if (strcmp(argv[i], "--every") == 0 && (every = strtoul(argv[i + 1], NULL, 10)) > 0) continue;
        if (strcmp(argv[i], "--set") != 0)
            die(argv[i], "unknown option or objective; see the comment on top of bench_model.c");
        if (homer_config_set(&config, argv[i + 1], &err)) die(argv[i + 1], err.message);
    }
    if (i >= argc) die("usage", "bench_model [--set key=value]... [--objective O] [--every N] FILE...");
    if (homer_resolver_init(&resolver, &mem, hash_key)) die("start", "out of memory");
    printf("stream\tby\tinstances\tfeatures\tlabels\tsubset\thamming\texample_f1\tmicro_f1\tmacro_f1\tp@1\tp@"
           "3\tp@5\tndcg@5\tpsp@1\t"
           "psp@5\tlog_loss\tcalibration_error\tper_second\tpeak_bytes\tcluster_drifts\tglobal_"
           "drifts\tstructure_drifts\n");
    for (; i < argc; i++) {
        struct stream s = {0};
        load(&s, argv[i], &config.request, &mem);
        struct homer_model_config mc = config.model;
        if (only >= 0) mc.objective = (enum homer_objective)only;
        if (every) mc.window = (uint32_t)every;
        run(argv[i], &s, &config, &mc, &resolver, only < 0, every);
        fflush(stdout);
        for (size_t k = 0; k < s.n; k++) homer_request_deinit(&s.request[k]);
        free(s.request);
    }
    homer_resolver_deinit(&resolver);
    homer_config_deinit(&config);
    return 0;
}
