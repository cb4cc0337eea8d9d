/* What reading a line costs: jansson's path, the hot path, and, where it was built in, simdjson.
 *
 *   bench_decode [--reps N] [--only NAME] FILE...
 *
 * Every repetition reads the whole file once with each reader, one after another, so that what disturbs the
 * machine disturbs all alike. Printed for each: microseconds a line, the least and the median of the
 * repetitions, and the median against jansson's. "resolve" is the hot path and names to ids behind it. For
 * instructions: perf stat -e instructions:u, with --only. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench_decode.h"
#include "bench_lib.h"
#include "daemon/resolve.h"
#include "proto/request_parse.h"

struct line {
    char *text;
    size_t n;
};

static struct {
    struct homer_request_limits limits;
    struct homer_mem mem;
    struct homer_request any, hot;
    struct homer_model *model;
    struct homer_resolver resolver;
    struct bench_simdjson *simdjson;
    struct line *line; /* [line_n] */
    size_t line_n;
} bench = {.limits = {.max_line = 1 << 20,
                      .max_depth = 8,
                      .max_name = 256,
                      .max_items = 1000,
                      .max_x = 100000,
                      .max_y = 10000}};

static bool jansson(const struct line *l) {
    homer_request_parse_any(&bench.any, l->text, l->n, &bench.limits);
    return bench.any.error.code == 0;
}

static bool hot(const struct line *l) {
    return homer_request_parse_hot(&bench.hot, l->text, l->n, &bench.limits);
}

static bool resolve(const struct line *l) {
    struct homer_instance x;
    struct homer_error err;
    homer_request_parse(&bench.hot, l->text, l->n, &bench.limits);
    if (bench.hot.error.code) return false;
    homer_model_begin(bench.model);
    return homer_resolve_x(&bench.resolver, bench.model, &bench.hot, &bench.limits, true, &x, &err) == 0 &&
           homer_resolve_y(&bench.resolver, bench.model, &bench.hot, &x, &err) == 0;
}

static bool simdjson(const struct line *l) {
    return bench_simdjson_read(bench.simdjson, l->text, l->n);
}

static struct reader {
    const char *name;
    bool (*read)(const struct line *l);
    double *seconds; /* [reps] */
} readers[] = {
    {"jansson", jansson, NULL}, {"simdjson", simdjson, NULL}, {"hot", hot, NULL}, {"resolve", resolve, NULL}};
enum { READERS = sizeof readers / sizeof *readers };

static void load(const char *path) {
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t cap = 0, lines_cap = 0;
    ssize_t n;
    if (!f) bench_die(path, strerror(errno));
    while ((n = getline(&text, &cap, f)) > 0) {
        if (text[n - 1] == '\n') n--;
        if (bench.line_n == lines_cap) {
            lines_cap = lines_cap ? lines_cap * 2 : 1024;
            bench.line = bench_more(bench.line, lines_cap, sizeof *bench.line);
        }
        bench.line[bench.line_n++] = (struct line){text, (size_t)n};
        text = NULL;
        cap = 0;
    }
    free(text);
    fclose(f);
    if (!bench.line_n) bench_die(path, "no lines");
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *path, int reps, const char *only) {
    double jansson_median = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < bench.line_n; i++) bytes += bench.line[i].n;
    printf("%s: %zu lines, %.0f bytes a line\n", path, bench.line_n, (double)bytes / (double)bench.line_n);
    for (int rep = 0; rep < reps; rep++) {
        for (struct reader *r = readers; r < readers + READERS; r++) {
            if ((only && strcmp(only, r->name) != 0) || (r->read == simdjson && !bench.simdjson)) continue;
            double begin = bench_seconds();
            for (size_t i = 0; i < bench.line_n; i++)
                if (!r->read(&bench.line[i])) bench_die(r->name, bench.line[i].text);
            r->seconds[rep] = bench_seconds() - begin;
        }
    }
    for (struct reader *r = readers; r < readers + READERS; r++) {
        if ((only && strcmp(only, r->name) != 0) || (r->read == simdjson && !bench.simdjson)) continue;
        qsort(r->seconds, (size_t)reps, sizeof *r->seconds, by_size);
        double us = 1e6 / (double)bench.line_n, median = r->seconds[reps / 2] * us;
        if (r->read == jansson) jansson_median = median;
        printf("  %-9s min %8.3f us  median %8.3f us", r->name, r->seconds[0] * us, median);
        if (jansson_median > 0) printf("  %6.1f times as fast as jansson", jansson_median / median);
        putchar('\n');
    }
}

int main(int argc, char **argv) {
    const uint8_t key[16] = {1};
    const char *only = NULL;
    int reps = 11, arg = 1;
    for (; arg + 1 < argc && argv[arg][0] == '-'; arg += 2) {
        if (strcmp(argv[arg], "--reps") == 0)
            reps = atoi(argv[arg + 1]);
        else if (strcmp(argv[arg], "--only") == 0)
            only = argv[arg + 1];
        else
            reps = 0;
    }
    if (arg >= argc || reps < 1) {
        fputs("usage: bench_decode [--reps N] [--only jansson|simdjson|hot|resolve] FILE...\n", stderr);
        return 2;
    }
    for (struct reader *r = readers; r < readers + READERS; r++)
        r->seconds = bench_more(NULL, (size_t)reps, sizeof *r->seconds);
    bench.simdjson = bench_simdjson_new();
    for (; arg < argc; arg++) {
        struct homer_model_config config;
        homer_model_config_default(&config);
        homer_request_init(&bench.any, &bench.mem);
        homer_request_init(&bench.hot, &bench.mem);
        if (homer_resolver_init(&bench.resolver, &bench.mem, key) ||
            homer_model_new(&bench.model, &config, key))
            bench_die("start", "no memory");
        load(argv[arg]);
        measure(argv[arg], reps, only);
        for (size_t i = 0; i < bench.line_n; i++) free(bench.line[i].text);
        free(bench.line);
        bench.line = NULL;
        bench.line_n = 0;
        homer_model_free(bench.model);
        homer_resolver_deinit(&bench.resolver);
        homer_request_deinit(&bench.hot);
        homer_request_deinit(&bench.any);
    }
    for (struct reader *r = readers; r < readers + READERS; r++) free(r->seconds);
    bench_simdjson_free(bench.simdjson);
    return 0;
}
