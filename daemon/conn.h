/* Client connections: bytes in, lines to a handler, replies out in order, back-pressure both ways.
 *
 * Loop thread only. A connection owns its line splitter, its output buffer and its libuv handle, and frees
 * itself in that handle's close callback. Whatever goes wrong with one ends that one only. Rules:
 *   - at most `turn_lines` lines are handled per loop turn, then the other connections have theirs;
 *   - above `high_water` unsent bytes no further line is handled and nothing more is read, so that TCP
 *     back-pressure reaches the client; it goes on below `low_water`;
 *   - a peer that leaves replies unread for `drain_timeout_ms` is closed; a merely idle one stays;
 *   - end of input: what was read is answered, a last line without newline included, then it closes;
 *   - closing: replies flushed, FIN sent, then input is read and dropped for a moment so that no reset can
 *     destroy replies on their way. */
#ifndef HOMER_DAEMON_CONN_H
#define HOMER_DAEMON_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "core/base/buf.h"

/* All connections that share a handler: fairness, counting, shutdown. */
struct homer_conn_group;

/* Handles one line (no line end, never blank) of a connection: appends the whole reply, line end included, to
 * `out`, or nothing. `too_large`: the line was over max_line and skipped; text is NULL. Return false to close
 * once replies are flushed (quit). */
typedef bool (*homer_line_fn)(void *ctx, const char *text, size_t n, bool too_large, struct homer_buf *out);

struct homer_conn_limits {
    size_t max_line;   /* bytes */
    size_t read_bytes; /* of one read; 64 KiB */
    size_t high_water; /* unsent output bytes */
    size_t low_water;
    unsigned turn_lines; /* lines of one connection a loop turn */
    unsigned max_connections;
    uint64_t drain_timeout_ms; /* idle_timeout of the protocol */
    uint64_t linger_ms;        /* how long input is still dropped after FIN */
};

/* Since the group was made; bytes_out is what the system has taken, lines excludes blank ones. */
struct homer_conn_stats {
    uint64_t accepted, refused, closed, timed_out, bytes_in, bytes_out, lines, too_large;
    unsigned open;
};

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
const struct homer_conn_stats *homer_conn_group_stats(const struct homer_conn_group *g);
/* After on_done only, and after uv_run() returned (handles of the group are closed by then). Accepts NULL,
 * returns NULL. */
struct homer_conn_group *homer_conn_group_free(struct homer_conn_group *g);

#endif
