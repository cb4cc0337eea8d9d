/* Reads text lines from a file, compressed or not: plain, gzip and zstd are told apart by their first bytes.
 *
 * One thread. Memory: one line and two I/O blocks. A compressed file that ends in the middle or is damaged is
 * an error at that place, never a silent end; the lines before it were handed out. */
#ifndef HOMER_CLI_STREAM_H
#define HOMER_CLI_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

struct homer_stream;

/* Opens `path`; "-" is standard input (not closed). 0 or a negative errno, err naming the file. */
int homer_stream_open(struct homer_stream **out, const char *path, struct homer_error *err);
struct homer_stream *homer_stream_free(struct homer_stream *s);

/* The next line that is not blank, without line end (nor the '\r' or blanks before it, nor blanks in front):
 * 1, *line and *n, borrowed until the next call. 0 at the end of the file. A last line without newline
 * counts. Negative errno: unreadable, torn or damaged; -EINTR when the user asked to stop. */
int homer_stream_line(struct homer_stream *s, const char **line, size_t *n, struct homer_error *err);
/* For a pipe or terminal: from here on homer_stream_line returns -EAGAIN (err untouched) instead of waiting
 * for input. Returns the descriptor to wait for. */
int homer_stream_live(struct homer_stream *s);
/* Number of the line last handed out, from 1; blank lines count. */
uint64_t homer_stream_number(const struct homer_stream *s);
/* The path for people: "standard input" for "-". Borrowed. */
const char *homer_stream_name(const struct homer_stream *s);
/* 0 when there is such a file; clears *rereadable when it is a pipe or a terminal, which can be read only
 * once. */
int homer_stream_check(const char *path, bool *rereadable, struct homer_error *err);

#endif
