/* Decoding ahead: while the loop thread carries out one request of a connection, a worker parses the next
 * ones.
 *
 * The worker is a prefetcher and nothing else: it touches lines and request objects, never a model, a
 * connection or the log. The loop thread goes through the lines in their order; one that the worker has not
 * begun it parses itself, one that the worker is at it waits for. So what is answered, and what is learned,
 * is the same with a worker and without.
 *
 * All functions but one are for the loop thread. Each request object has memory of its own, so that nothing
 * is accounted for by two threads. */
#ifndef HOMER_DAEMON_AHEAD_H
#define HOMER_DAEMON_AHEAD_H

#include "core/base/mem.h"
#include "proto/request.h"

enum {
    HOMER_AHEAD_LINES = 64,       /* most that are announced at one time */
    HOMER_AHEAD_LONG = 64 * 1024, /* bytes of a line that others should not wait for while it is parsed */
    /* Request objects keep their memory from line to line, each so many bytes, and more while all of them
     * together hold less than: */
    HOMER_AHEAD_KEEP_ONE = 128 * 1024,
    HOMER_AHEAD_KEEP = 8 << 20,
};

struct homer_ahead;

/* A request object and the memory that it is charged to. */
struct homer_parsed {
    struct homer_mem mem;
    struct homer_request request;
};
/* NULL when memory is refused. */
struct homer_parsed *homer_parsed_new(void);
struct homer_parsed *homer_parsed_free(struct homer_parsed *p);

/* Without a worker, until homer_ahead_start. `limits` is borrowed. 0 or -ENOMEM. */
int homer_ahead_new(struct homer_ahead **out, const struct homer_request_limits *limits);
/* Starts the worker; it sleeps while nothing is announced. 0, -ENOMEM or what the system says; nothing is
 * started then, and all goes on without. */
int homer_ahead_start(struct homer_ahead *a);
/* Ends the worker. Accepts NULL, returns NULL. */
struct homer_ahead *homer_ahead_free(struct homer_ahead *a);

struct homer_piece {
    const char *text;
    size_t n; /* bytes */
};
/* True from start on. */
bool homer_ahead_has_worker(const struct homer_ahead *a);
/* Lines that the worker has parsed so far. */
uint64_t homer_ahead_count(const struct homer_ahead *a);

/* Announces n <= HOMER_AHEAD_LINES lines, which must stay where they are until homer_ahead_end. Does nothing
 * where handing over costs more than it brings. */
void homer_ahead_begin(struct homer_ahead *a, const struct homer_piece *line, unsigned n);
/* The parsed request of a line, whether announced or not, until the next get or begin: the place that points
 * to it. Whoever wants it for longer takes what is there and leaves another one of homer_parsed_new.
 * Announced lines are asked for in their order. */
struct homer_parsed **homer_ahead_get(struct homer_ahead *a, const char *text, size_t n);
/* For any thread: parses a line into *p. */
void homer_ahead_parse(const struct homer_ahead *a, struct homer_parsed *p, const char *text, size_t n);
/* The line `text`, which is not announced, has been parsed that way: a homer_ahead_get for it before the next
 * homer_ahead_end finds it. Takes *p. */
void homer_ahead_put(struct homer_ahead *a, const char *text, struct homer_parsed *p);
/* No line is announced or put any more, and the worker looks at none. What was got last stays valid. */
void homer_ahead_end(struct homer_ahead *a);

#endif
