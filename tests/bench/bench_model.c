/* In-process prequential run of one model over a stream of JSON lines, under every objective: accuracy and
 * speed.
 *
 *   bench_model [--set key=value]... [--without PART]... [--objective O] [--every N] [--record OUT]
 *               [--bins OUT] FILE...          FILE: plain JSON lines, "-" = standard input
 *
 * Lines are decoded first; what is timed is names to ids + test + train, on one thread. One tab-separated row
 * per file and predictor (the objective, NO-CHANGE, MAJORITY). Without --objective one pass serves all of
 * them: before an instance is learned its scores are decided about by every rule, which is not timed. A line
 * without y is predicted only, for the record.
 * --without: leaves a part of the learner out (see `parts` below), to measure what it is worth.
 * --every: before them a row per N instances, `instances` telling how many have passed, of the metrics over
 * these N (those that no window has: nan). Drifts are counted by what saw them: a cluster's loss, the loss of
 * all labels, the hierarchy.
 * --record: what was predicted for every line, under every objective (see bench_rules.h).
 * --bins: how probable the scores are: a row per file and calibration bin: pairs, sum of scores, positives.
 */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench_lib.h"
#include "bench_rules.h"
#include "core/flat.h"
#include "daemon/config.h"
#include "daemon/resolve.h"

static const uint8_t hash_key[16] = "bench_model";

static const struct part {
    const char *word;
    uint32_t rows; /* of evidence, held at 0 */
    bool groups;
} parts[] = {
    {"prior", 1u << HOMER_X_PRIOR, false},
    {"linear", 1u << HOMER_X_LINEAR, false},
    {"tracking", 1u << HOMER_X_TRACKING, false},
    {"recent", 1u << HOMER_X_RECENT_FAST | 1u << HOMER_X_RECENT_SLOW, false},
    {"markov", 1u << HOMER_X_MARKOV, false},
    {"tree-counts", 1u << HOMER_X_TREE_COUNTS, false},
    {"tree-bayes", 1u << HOMER_X_TREE_BAYES, false},
    {"tree-better", 1u << HOMER_X_TREE_BETTER, false},
    {"residual", 1u << HOMER_X_RESIDUAL, false},
    {"neighbours", 1u << HOMER_X_NEIGHBOURS | 1u << HOMER_X_SHARP, false},
    {"least-squares", 1u << HOMER_X_RLS, false},
    {"extra-trees", 1u << HOMER_X_EXTRA_TREES, false},
    {"spread", 1u << HOMER_X_STIFF | 1u << HOMER_X_STIFFEST, false}, /* of prior variances */
    {"products", 1u << HOMER_X_PRODUCTS | 1u << HOMER_X_PRODUCTS_STIFF, false},
    {"offsets", HOMER_WITHOUT_OFFSETS, false}, /* per label, of the stack */
    {"stack", HOMER_WITHOUT_STACK, false},     /* its weights stay as they start */
    {"groups", 0, true},                       /* labels are grouped at random */
};

/* What to run, from the command line. */
struct plan {
    struct homer_config config;
    struct homer_model_config model;
    struct homer_resolver resolver;
    bool all; /* every objective */
    size_t every;
    FILE *record, *bins; /* NULL: not asked for */
};

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

#define COLUMNS                                                                                              \
    "stream\tby\tinstances\tfeatures\tlabels\tsubset\thamming\texample_f1\tmicro_f1\tmacro_f1\tp@1\tp@3\tp@" \
    "5\tndcg@1\tndcg@3\tndcg@5\t"                                                                            \
    "psp@1\tpsp@3\tpsp@5\tlog_loss\tcalibration_error\tper_second\tpeak_bytes\tcluster_drifts\tglobal_"      \
    "drifts\t"                                                                                               \
    "structure_drifts"

static const char *name_of(const char *path) {
    return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

static int name_n(const char *path) {
    return (int)strcspn(name_of(path), ".");
}

static void report(const char *path, const char *by, const struct homer_metrics *m, struct homer_model *model,
                   double rate, const struct mark *k) {
    const struct homer_schema *s = homer_model_schema(model);
    printf("%.*s\t%s\t%.0f\t%u\t%u\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%.5f\t%"
           ".5f\t%.5f\t%"
           ".5f\t%"
           ".5f\t%.0f\t%zu\t%u\t%u\t%u\n",
           name_n(path), name_of(path), by, m->n, s->features.n, s->labels.n, m->subset, m->hamming,
           m->example_f1, m->micro_f1, m->macro_f1, m->precision_at[0], m->precision_at[1],
           m->precision_at[2], m->ndcg_at[0], m->ndcg_at[1], m->ndcg_at[2], m->psp_at[0], m->psp_at[1],
           m->psp_at[2], m->log_loss, m->calibration_error, rate, homer_model_mem(model)->peak_bytes,
           k->cluster, k->global, k->structure);
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

static void report_bins(FILE *out, const char *path, struct homer_model *m) {
    const struct homer_eval *e = homer_model_eval(m);
    for (int b = 0; b < HOMER_CALIBRATION_BINS; b++)
        fprintf(out, "%.*s\t%d\t%.0f\t%.6f\t%.0f\n", name_n(path), name_of(path), b, e->bin_n[b], e->bin_p[b],
                e->bin_y[b]);
}

static void report_all(const char *path, const struct plan *plan, const struct bench_rules *rules,
                       struct homer_model *m, double rate, const struct mark *now) {
    struct homer_metrics metrics;
    homer_eval_metrics(homer_model_eval(m), HOMER_BY_MODEL, HOMER_TOTAL, &metrics);
    for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++) {
        if (!plan->all && o != (int)plan->model.objective) continue;
        struct homer_metrics own = metrics; /* the scores' metrics are the same under every rule */
        if (plan->all) homer_eval_metrics(&rules->eval[o], HOMER_BY_MODEL, HOMER_TOTAL, &own);
        memcpy(&own.precision_at, &metrics.precision_at,
               sizeof own - offsetof(struct homer_metrics, precision_at));
        report(path, homer_objective_word((enum homer_objective)o), &own, m, rate, now);
    }
    for (int by = HOMER_BY_NO_CHANGE; by <= HOMER_BY_MAJORITY; by++) {
        homer_eval_metrics(homer_model_eval(m), (enum homer_predictor)by, HOMER_TOTAL, &metrics);
        report(path, by == HOMER_BY_NO_CHANGE ? "NO-CHANGE" : "MAJORITY", &metrics, m, rate, now);
    }
}

static void run(const char *path, const struct bench_stream *s, void *ctx) {
    struct plan *plan = ctx;
    struct homer_model *m;
    struct homer_error err = {0};
    struct homer_instance x;
    struct mark row = {0}, now = {0};
    struct bench_rules rules;
    const struct homer_request_limits *limits = &plan->config.request;
    double spent = 0;
    if (homer_model_new(&m, &plan->model, hash_key)) bench_die(path, "out of memory");
    bench_rules_init(&rules, plan->model.window);
    for (size_t i = 0; i < s->n; i++) {
        const struct homer_request *r = &s->request[i];
        if (plan->all) {
            if (homer_resolve_x(&plan->resolver, m, r, limits, false, &x, &err)) bench_die(path, err.message);
            bench_rules_predict(&rules, m, &x);
            if (plan->record) bench_rules_record(&rules, plan->record);
        }
        if (!r->has_y) continue;
        double begin = bench_seconds();
        homer_model_begin(m);
        if (homer_resolve_x(&plan->resolver, m, r, limits, true, &x, &err) ||
            homer_resolve_y(&plan->resolver, m, r, &x, &err) || homer_model_learn(m, &x, NULL, NULL, &err))
            bench_die(path, err.message);
        spent += bench_seconds() - begin;
        if (plan->all) bench_rules_count(&rules, &x, homer_model_schema(m)->labels.n);
        count_drifts(m, &now);
        if (plan->every && homer_model_seq(m) % plan->every == 0)
            report_window(path, homer_objective_word(plan->model.objective), m, &row, &now);
    }
    report_all(path, plan, &rules, m, (double)homer_model_seq(m) / spent, &now);
    if (plan->record) bench_rules_record_end(plan->record, m);
    if (plan->bins) report_bins(plan->bins, path, m);
    bench_rules_deinit(&rules);
    homer_model_free(m);
}

static FILE *create(const char *path) {
    FILE *f = fopen(path, "w");
    if (!f) bench_die(path, strerror(errno));
    return f;
}

static void leave_out(struct homer_model_config *c, const char *word) {
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].word, word) != 0) continue;
        c->left_out |= parts[i].rows;
        c->clusters.random_groups |= parts[i].groups;
        return;
    }
    bench_die(word, "there is no such part; see the table in bench_model.c");
}

/* Fills the plan; returns the place of the first file. */
static int arguments(struct plan *plan, int argc, char **argv) {
    struct homer_error err = {0};
    struct homer_model_config without = {0};
    int objective = -1, i = 1;
    for (; i + 1 < argc && argv[i][0] == '-' && argv[i][1] == '-'; i += 2) {
        const char *option = argv[i], *value = argv[i + 1];
        if (strcmp(option, "--objective") == 0) {
            objective = homer_objective_parse(value, strlen(value));
            if (objective < 0) bench_die(value, "there is no such objective");
        } else if (strcmp(option, "--every") == 0) {
            plan->every = strtoul(value, NULL, 10);
        } else if (strcmp(option, "--record") == 0) {
            plan->record = create(value);
        } else if (strcmp(option, "--bins") == 0) {
            plan->bins = create(value);
        } else if (strcmp(option, "--without") == 0) {
            leave_out(&without, value);
        } else if (strcmp(option, "--set") != 0) {
            bench_die(option, "unknown option; see the comment on top of bench_model.c");
        } else if (homer_config_set(&plan->config, value, &err)) {
            bench_die(value, err.message);
        }
    }
    if (i >= argc)
        bench_die("usage", "bench_model [OPTION VALUE]... FILE..., see the comment on top of bench_model.c");
    plan->model = plan->config.model;
    plan->model.left_out = without.left_out;
    plan->model.clusters.random_groups = without.clusters.random_groups;
    plan->all = objective < 0;
    if (!plan->all) plan->model.objective = (enum homer_objective)objective;
    if (plan->every) plan->model.window = (uint32_t)plan->every;
    if (plan->record && !plan->all) bench_die("--record", "needs all objectives");
    return i;
}

int main(int argc, char **argv) {
    struct plan plan = {0};
    struct homer_mem mem = {0};
    homer_config_init(&plan.config);
    int i = arguments(&plan, argc, argv);
    if (homer_resolver_init(&plan.resolver, &mem, hash_key)) bench_die("start", "out of memory");
    puts(COLUMNS);
    if (plan.bins) fputs("stream\tbin\tpairs\tscores\tpositives\n", plan.bins);
    bench_each(argv + i, argc - i, &plan.config.request, &mem, run, &plan);
    if ((plan.record && fclose(plan.record)) || (plan.bins && fclose(plan.bins)) || fflush(stdout))
        bench_die("output", strerror(errno));
    homer_resolver_deinit(&plan.resolver);
    homer_config_deinit(&plan.config);
    return 0;
}
