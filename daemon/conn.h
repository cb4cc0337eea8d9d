/* Client connections: bytes in, lines to a handler, replies out in order, back-pressure both ways.
 *
 * Loop thread only. A connection owns its line splitter, its output buffer and its libuv handle, and frees
 * itself in that handle's close callback. Whatever goes wrong with one ends that one only. Rules:
 *   - at most `turn_lines` lines are handled in a turn, then the other connections have theirs; a round of
 * turns should take `round_us`, of which each connection has its part, and at least one line;
 *   - a long line is parsed on libuv's pool, if requests are parsed ahead at all, while the others go on;
 *   - above `high_water` unsent bytes no further line is handled and nothing more is read, so that TCP
 *     back-pressure reaches the client; it goes on below `low_water`;
 *   - more than `max_unanswered` requests whose replies have not left hold back the next ones likewise;
 *   - a peer that leaves replies unread for `drain_timeout_ms` is closed, and so is one whose line is not
 *     complete `line_timeout_ms` after it began; a merely idle one stays, unless max_idle_ms says otherwise;
 *   - end of input: what was read is answered, a last line without newline included, then it closes;
 *   - TLS: a peer that ends the stream without saying so in TLS may have been cut off by somebody else: its
 * last line without newline does not count;
 *   - closing: replies flushed, FIN sent, then input is read and dropped for a moment so that no reset can
 *     destroy replies on their way. */
#ifndef HOMER_DAEMON_CONN_H
#define HOMER_DAEMON_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "core/base/buf.h"
#include "daemon/session.h"

/* All connections that share a handler: fairness, counting, shutdown. */
struct homer_conn_group;

/* What a line handler tells of the line it was given; 0 or several of them. */
enum {
    HOMER_LINE_QUIT = 1, /* close once replies are flushed */
    /* What stands in the output from before this line's reply on, and all behind it, is sent only when the
     * batch of the log that is open as the handler returns is durable; also when the line wrote no reply. */
    HOMER_LINE_HOLD = 2,
    /* The reply comes later, through homer_conn_group_resume: until then no further line of this connection
     * is handled. */
    HOMER_LINE_WAIT = 4,
    /* It cannot be handled now and left no trace: it, and all behind it on this connection, waits for
     * homer_conn_group_again. */
    HOMER_LINE_AGAIN = 8,
    /* The turn is over and the line is not: the handler is called for it again in the connection's next turn,
     * with text NULL and not too_large, until it no longer says so; also when the connection is lost. Until
     * then no further line is handled; what was written stays in the output and is not sent. */
    HOMER_LINE_MORE = 16,
};

/* Handles one line (no line end, never blank) of a connection: appends the whole reply, line end included, to
 * `out`, or nothing; touches no connection. `too_large`: the line was over max_line and skipped; text is
 * NULL. The turn should end at session->until_ns. Returns HOMER_LINE_*. */
typedef unsigned (*homer_line_fn)(void *ctx, struct homer_session *session, const char *text, size_t n,
                                  bool too_large, struct homer_buf *out);

struct homer_conn_limits {
    size_t max_line;   /* bytes */
    size_t read_bytes; /* of one read; 64 KiB */
    size_t high_water; /* unsent output bytes, held ones included */
    size_t low_water;
    unsigned
        max_unanswered;  /* handled lines whose replies (if any) are not yet with the system, or are held */
    unsigned turn_lines; /* lines of one connection a turn */
    uint64_t round_us;   /* a round of turns, one of each connection that has lines */
    unsigned max_connections;
    uint64_t drain_timeout_ms; /* idle_timeout of the protocol */
    uint64_t line_timeout_ms;  /* from the first byte of a line to its end */
    uint64_t max_idle_ms;      /* without a line, owing nothing; 0 = for ever */
    uint64_t linger_ms;        /* how long input is still dropped after FIN */
    bool needs_token;          /* new sessions are not trusted */
};

/* Since the group was made; bytes_out is what the system has taken, lines excludes blank ones. */
struct homer_conn_stats {
    uint64_t accepted, refused, closed, timed_out, abandoned, tls_failed, bytes_in, bytes_out, lines,
        too_large;
    unsigned open;
};

struct homer_ahead;
/* Lines that are to be handled soon are announced to `ahead` (borrowed), from which the handler may then have
 * them parsed. NULL: nobody. */
void homer_conn_group_ahead(struct homer_conn_group *g, struct homer_ahead *ahead);

struct homer_tls;
/* TCP connections accepted from now on speak TLS with this certificate, and lines are what it carries.
 * Borrowed; homer_tls_load may replace what is in it. */
void homer_conn_group_tls(struct homer_conn_group *g, const struct homer_tls *tls);

/* `limits` are copied, ctx is on_line's. 0 or -ENOMEM. */
int homer_conn_group_new(struct homer_conn_group **out, uv_loop_t *loop,
                         const struct homer_conn_limits *limits, homer_line_fn on_line, void *ctx);
/* Accepts the pending connection of a listening TCP or pipe handle into the group. Over max_connections the
 * peer gets one too_many error line and is closed. When it cannot be taken now, it is tried again later:
 * the listener has to stay open until homer_conn_group_close. */
void homer_conn_group_accept(struct homer_conn_group *g, uv_stream_t *listener);
/* Answers what was read, flushes and closes every connection; calls on_done(ctx) once none is left (maybe at
 * once). Connections that have not drained after deadline_ms are cut. */
void homer_conn_group_close(struct homer_conn_group *g, uint64_t deadline_ms, void (*on_done)(void *ctx),
                            void *ctx);

/* ---- replies that wait for the log ----
 *
 * The log is written in batches, numbered 1, 2, ... One is open (lines add to it), earlier ones may be on
 * their way to the disk. A reply whose handler returned HOMER_LINE_HOLD stays here until its batch is
 * durable; lines behind it are handled meanwhile, up to high_water and max_unanswered, and their replies stay
 * behind it. A client is not to blame for a reply that is held: it runs into no time-out. At the end of a
 * group, and of a connection that the client half-closed, held replies are waited for. */

/* Calls fn(ctx) after each round of turns, when no further line is handled before the loop polls: the place
 * to hand a batch over. fn NULL: nobody. */
void homer_conn_group_after_turns(struct homer_conn_group *g, void (*fn)(void *ctx), void *ctx);
/* Tells the number of the open batch; never falls. 0 at first. */
void homer_conn_group_batch(struct homer_conn_group *g, uint64_t open_batch);
/* All batches up to this one are durable: sends what was held for them, before it returns. */
void homer_conn_group_durable(struct homer_conn_group *g, uint64_t batch);
/* Lines that were to be handled again are. */
void homer_conn_group_again(struct homer_conn_group *g);
/* The log cannot be written: closes the connections that wait for it, without the replies that it held; what
 * became of those requests is unknown. */
void homer_conn_group_abandon(struct homer_conn_group *g);
/* The reply (whole lines; maybe none) to the line of session `id` that was answered with HOMER_LINE_WAIT; the
 * connection goes on. False and nothing else when it is gone by now. */
bool homer_conn_group_resume(struct homer_conn_group *g, uint64_t id, const char *reply, size_t n);

const struct homer_conn_stats *homer_conn_group_stats(const struct homer_conn_group *g);
/* After on_done only, and after uv_run() returned (handles of the group are closed by then). Accepts NULL,
 * returns NULL. */
struct homer_conn_group *homer_conn_group_free(struct homer_conn_group *g);

#endif
