#include "bench_lib.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void bench_die(const char *what, const char *why) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    exit(1);
}

double bench_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void *bench_more(void *p, size_t n, size_t size) {
    p = realloc(p, n * size);
    if (!p) bench_die("start", "out of memory");
    return p;
}

static void load(struct bench_stream *s, const char *path, const struct homer_request_limits *limits,
                 struct homer_mem *mem) {
    FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    if (!f) bench_die(path, strerror(errno));
    while ((n = getline(&line, &cap, f)) > 0) {
        if (line[n - 1] == '\n') n--;
        if (s->n == s->cap) {
            s->cap = s->cap ? s->cap * 2 : 1024;
            s->request = bench_more(s->request, s->cap, sizeof *s->request);
        }
        struct homer_request *r = &s->request[s->n++];
        homer_request_init(r, mem);
        homer_request_parse(r, line, (size_t)n, limits);
        if (r->error.code) bench_die(path, r->error.message);
    }
    free(line);
    if (f != stdin) fclose(f);
}

static void unload(struct bench_stream *s) {
    for (size_t i = 0; i < s->n; i++) homer_request_deinit(&s->request[i]);
    free(s->request);
    *s = (struct bench_stream){0};
}

void bench_each(char **file, int n, const struct homer_request_limits *limits, struct homer_mem *mem,
                void (*run)(const char *file, const struct bench_stream *s, void *ctx), void *ctx) {
    for (int i = 0; i < n; i++) {
        struct bench_stream s = {0};
        load(&s, file[i], limits, mem);
        run(file[i], &s, ctx);
        fflush(stdout);
        unload(&s);
    }
}
