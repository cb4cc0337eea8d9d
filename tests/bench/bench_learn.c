/* How fast one model learns and predicts, nothing but the core: names are turned into ids before the clock
 * runs, no log, no socket, one thread.
 *
 *   bench_learn [--set key=value]... [--times N] [--only learn|predict] FILE...
 *               FILE: plain JSON lines, "-" = standard input
 *
 * One tab-separated row per file: instances learned and predicted a second (learned: predicted first, counted
 * in the metrics, then updated; predicted: by the model as it is at the end), how many blocks of memory the
 * learning of the second half of the stream took, the bytes the model holds, and its digest. Of N times, each
 * with a new model, the fastest counts. --only: the other is done once, and is 0 in the row; for profilers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench_lib.h"
#include "daemon/config.h"
#include "daemon/resolve.h"

static const uint8_t hash_key[16] = "bench_model";

struct plan {
    struct homer_config config;
    struct homer_resolver resolver;
    unsigned long times;
    bool learn, predict; /* are timed */
};

/* Seconds that learning the stream took; *taken: blocks of its second half. */
static double learn(struct homer_model *m, const struct bench_stream *s, struct plan *plan, const char *path,
                    uint64_t *taken) {
    struct homer_error err = {0};
    struct homer_instance x;
    double spent = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct homer_request *r = &s->request[i];
        if (i == s->n / 2) *taken = homer_model_mem(m)->taken;
        if (!r->has_y) continue;
        homer_model_begin(m);
        if (homer_resolve_x(&plan->resolver, m, r, &plan->config.request, true, &x, &err) ||
            homer_resolve_y(&plan->resolver, m, r, &x, &err))
            bench_die(path, err.message);
        double begin = bench_seconds();
        if (homer_model_learn(m, &x, NULL, NULL, &err)) bench_die(path, err.message);
        spent += bench_seconds() - begin;
    }
    *taken = homer_model_mem(m)->taken - *taken;
    return spent;
}

static double predict(struct homer_model *m, const struct bench_stream *s, struct plan *plan,
                      const char *path) {
    struct homer_decide decide = homer_model_decide_default(m);
    struct homer_prediction out;
    struct homer_error err = {0};
    struct homer_instance x;
    double spent = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (homer_resolve_x(&plan->resolver, m, &s->request[i], &plan->config.request, false, &x, &err))
            bench_die(path, err.message);
        double begin = bench_seconds();
        homer_model_predict(m, &x, &decide, &out);
        spent += bench_seconds() - begin;
    }
    return spent;
}

static void run(const char *path, const struct bench_stream *s, void *ctx) {
    struct plan *plan = ctx;
    struct homer_model *m = NULL;
    double learning = 0, predicting = 0;
    uint64_t taken = 0;
    char digest[33];
    for (unsigned long i = 0; i == 0 || (i < plan->times && plan->learn); i++) {
        homer_model_free(m);
        if (homer_model_new(&m, &plan->config.model, hash_key)) bench_die(path, "out of memory");
        double spent = learn(m, s, plan, path, &taken);
        if (i == 0 || spent < learning) learning = spent;
    }
    for (unsigned long i = 0; i < plan->times && plan->predict; i++) {
        double spent = predict(m, s, plan, path);
        if (i == 0 || spent < predicting) predicting = spent;
    }
    homer_model_digest(m, digest);
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    printf("%.*s\t%.0f\t%.0f\t%llu\t%zu\t%s\n", (int)strcspn(name, "."), name,
           plan->learn ? (double)homer_model_seq(m) / learning : 0,
           plan->predict ? (double)s->n / predicting : 0, (unsigned long long)taken,
           homer_model_mem(m)->used_bytes, digest);
    homer_model_free(m);
}

/* Fills the plan; returns the place of the first file. */
static int arguments(struct plan *plan, int argc, char **argv) {
    struct homer_error err = {0};
    int i = 1;
    plan->learn = plan->predict = true;
    plan->times = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        const char *option = argv[i], *value = argv[i + 1];
        if (strcmp(option, "--times") == 0) {
            plan->times = strtoul(value, NULL, 10);
        } else if (strcmp(option, "--only") == 0) {
            plan->learn = strcmp(value, "predict") != 0;
            plan->predict = strcmp(value, "learn") != 0;
        } else if (strcmp(option, "--set") != 0) {
            bench_die(option, "unknown option; see the comment on top of bench_learn.c");
        } else if (homer_config_set(&plan->config, value, &err)) {
            bench_die(value, err.message);
        }
    }
    if (i >= argc || !plan->times)
        bench_die("usage", "bench_learn [OPTION VALUE]... FILE..., see the comment on top of bench_learn.c");
    return i;
}

int main(int argc, char **argv) {
    struct plan plan = {0};
    struct homer_mem mem = {0};
    homer_config_init(&plan.config);
    int i = arguments(&plan, argc, argv);
    if (homer_resolver_init(&plan.resolver, &mem, hash_key)) bench_die("start", "out of memory");
    puts("stream\tlearned_per_second\tpredicted_per_second\tblocks_taken\tbytes\tdigest");
    bench_each(argv + i, argc - i, &plan.config.request, &mem, run, &plan);
    homer_resolver_deinit(&plan.resolver);
    homer_config_deinit(&plan.config);
    return 0;
}
