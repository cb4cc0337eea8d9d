/* What the measuring programs share: loading a stream of JSON lines, time, and how they give up. */
#ifndef HOMER_TESTS_BENCH_LIB_H
#define HOMER_TESTS_BENCH_LIB_H

#include <stddef.h>
#include "proto/request.h"

/* A stream, decoded: one request a line. */
struct bench_stream {
    struct homer_request *request; /* [n] of cap */
    size_t n, cap;
};

/* Says "PROGRAM: WHAT: WHY" on standard error and exits with 1. */
_Noreturn void bench_die(const char *what, const char *why);

/* Seconds of a clock that never goes back. */
double bench_seconds(void);

/* realloc of n elements, which does not fail. */
void *bench_more(void *p, size_t n, size_t size);

/* Reads each of n files of JSON lines in turn, "-" = standard input, for run; a line that is no request ends
 * the program. mem is charged. */
void bench_each(char **file, int n, const struct homer_request_limits *limits, struct homer_mem *mem,
                void (*run)(const char *file, const struct bench_stream *s, void *ctx), void *ctx);

#endif
