/* Splits a byte stream into lines: any packet boundaries, one byte at a time, many lines a packet.
 *
 * The splitter owns the bytes received and not yet consumed, never more than one read beyond max_line + 2. A
 * line over max_line is reported once as HOMER_E_TOO_LARGE and skipped up to its newline; the stream goes on
 * behind it.
 * '\n' ends a line, one '\r' before it is dropped; lines of nothing but spaces and tabs are not handed out.
 * One thread. */
#ifndef HOMER_PROTO_LINE_H
#define HOMER_PROTO_LINE_H

#include "core/base/buf.h"
#include "core/base/err.h"

struct homer_line {
    struct homer_buf in; /* received, not consumed */
    size_t next;         /* bytes of `in` already handed out as lines */
    size_t scanned;      /* bytes behind `next` known to hold no newline */
    size_t max_line;     /* bytes, without the line end */
    bool discarding;     /* inside a line that was too long */
};

void homer_line_init(struct homer_line *l, struct homer_mem *mem, size_t max_line);
void homer_line_deinit(struct homer_line *l);

/* Room for the next read: *room bytes at the returned address (`want`), or NULL (no memory; may be tried
 * again). Ask only when homer_line_next has returned 0, else the bytes held grow by one read. */
char *homer_line_room(struct homer_line *l, size_t want, size_t *room);
/* Gives the buffer back when it is empty and has more than `keep` bytes: one long line, or any, need not stay
 * charged for ever. */
void homer_line_trim(struct homer_line *l, size_t keep);
/* Tells that n bytes were written to that room. */
void homer_line_feed(struct homer_line *l, size_t n);

/* The next complete line, borrowed until the next homer_line_room: 1 and *text, *n; 0 when there is none yet;
 * HOMER_E_TOO_LARGE once per line over max_line (homer_line_next may be called again at once). */
int homer_line_next(struct homer_line *l, const char **text, size_t *n);
/* As homer_line_next at end of stream: a last line without newline counts. */
int homer_line_last(struct homer_line *l, const char **text, size_t *n);
/* A place in the lines, to go back to: what was handed out behind it comes again. Valid until the next
 * homer_line_room. */
struct homer_line_mark {
    size_t next, scanned;
    bool discarding;
};
static inline struct homer_line_mark homer_line_mark(const struct homer_line *l) {
    return (struct homer_line_mark){l->next, l->scanned, l->discarding};
}
void homer_line_rewind(struct homer_line *l, const struct homer_line_mark *mark);
/* True when a line has begun and, once homer_line_next has returned 0, is not complete. */
bool homer_line_partial(const struct homer_line *l);
/* True when a complete line (or a discard to report) may be waiting. */
bool homer_line_pending(const struct homer_line *l);

#endif
