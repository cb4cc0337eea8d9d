/* How fast jansson alone parses the lines of a stream: a yardstick.
 *
 *   bench_jansson SECONDS FILE       FILE: plain JSON lines, parsed again and again, each freed at once
 *
 * Prints lines a second. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench_lib.h"

int main(int argc, char **argv) {
    char *line = NULL, *all = NULL;
    size_t cap = 0, n = 0;
    ssize_t got;
    if (argc != 3) bench_die("usage", "bench_jansson SECONDS FILE");
    FILE *f = fopen(argv[2], "r");
    if (!f) bench_die(argv[2], "cannot be opened");
    while ((got = getline(&line, &cap, f)) > 0) {
        all = bench_more(all, n + (size_t)got, 1);
        memcpy(all + n, line, (size_t)got);
        n += (size_t)got;
    }
    fclose(f);
    free(line);
    if (n == 0) bench_die(argv[2], "is empty");
    double limit = atof(argv[1]), begin = bench_seconds(), spent;
    size_t lines = 0;
    do {
        for (size_t at = 0; at < n;) {
            const char *end = memchr(all + at, '\n', n - at);
            size_t line_n = (end ? (size_t)(end - all) : n) - at;
            json_t *j = json_loadb(all + at, line_n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
            if (!j) bench_die(argv[2], "is not JSON");
            json_decref(j);
            at += line_n + 1;
            lines++;
        }
        spent = bench_seconds() - begin;
    } while (spent < limit);
    printf("%.0f\n", (double)lines / spent);
    free(all);
    return 0;
}
