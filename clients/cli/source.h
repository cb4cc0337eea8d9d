/* The lines of a replay: several files as one stream, in order or shuffled, limited, readable again from the
 * start.
 *
 * In order, files are read as they are sent; they are held in memory only when that is unavoidable: to
 * shuffle, or to send a pipe more than once. One thread. */
#ifndef HOMER_CLI_SOURCE_H
#define HOMER_CLI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

struct homer_source;

struct homer_source_options {
    const char *const *path; /* [path_n], borrowed; "-" is standard input */
    size_t path_n;
    bool shuffle;
    uint64_t seed;  /* of the shuffle, which is Python's: see shuffle.h */
    uint64_t limit; /* lines at most, counted after the shuffle; 0 = all */
    bool again;     /* homer_source_rewind will be called */
    bool count;     /* the caller wants to know the total: files are read twice rather than held */
};

/* Where a line stands, for messages. */
struct homer_place {
    const char *file; /* borrowed from the source */
    uint64_t line;    /* from 1 */
};

/* 0, or a negative errno with err naming the file (and line). */
int homer_source_open(struct homer_source **out, const struct homer_source_options *options,
                      struct homer_error *err);
struct homer_source *homer_source_free(struct homer_source *s);
/* The next line: 1 and *line, *n (borrowed until the next call) and *place; 0 at the end; negative errno. A
 * pipe that is read as it is sent never makes the caller wait: -EAGAIN (err untouched), and homer_source_fd
 * is what to wait for. */
int homer_source_next(struct homer_source *s, const char **line, size_t *n, struct homer_place *place,
                      struct homer_error *err);
int homer_source_fd(const struct homer_source *s);
/* Back to the first line, in the same order. Only with `again`. */
void homer_source_rewind(struct homer_source *s);
/* Lines that there will be; 0 = not known (a pipe in order, or not asked for). */
uint64_t homer_source_total(const struct homer_source *s);

#endif
