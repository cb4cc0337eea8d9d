/* What conn.c (one connection), conn_turn.c (its lines), conn_io.c (its bytes), conn_hold.c (replies that
 * wait) and conn_group.c (all of them) share, and their tests look at.
 *
 * Life of a connection: OPEN (reads, answers) -> FLUSHING (no further line; replies go out) -> LINGERING (FIN
 * sent, input dropped) -> CLOSED (uv_close under way; freed in its callback). Any failure jumps to CLOSED. */
#ifndef HOMER_DAEMON_CONN_IMPL_H
#define HOMER_DAEMON_CONN_IMPL_H

#include "core/base/mem.h"
#include "daemon/ahead.h"
#include "daemon/conn.h"
#include "daemon/tls.h"
#include "proto/line.h"

/* Output from out.data[at] on waits until `batch` is durable. */
struct homer_hold {
    uint64_t batch;
    size_t at;
    uint64_t lines; /* handled before it: those are answered when the bytes before `at` have left */
};
enum { HOMER_HOLDS = 4 }; /* the open batch, the one on its way, and some; beyond that they are joined */

enum conn_state { CONN_OPEN = 0, CONN_FLUSHING, CONN_LINGERING, CONN_CLOSED };

struct homer_conn {
    struct homer_conn_group *group;
    struct homer_conn *prev, *next;             /* all connections of the group */
    struct homer_conn *ready_prev, *ready_next; /* those with work, while is_ready */
    struct homer_conn *held_prev, *held_next;   /* those with holds, while hold_n */
    struct homer_session session;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    uv_write_t write_req;
    uv_shutdown_t shutdown_req;
    struct homer_mem mem;
    struct homer_line line;
    struct homer_buf out;                /* replies not yet handed to libuv, or not yet encrypted */
    struct homer_tls_session *tls;       /* NULL = plain text */
    struct homer_buf wire;               /* encrypted, not yet handed to libuv */
    struct homer_buf sending;            /* in uv_write's hands while is_sending; empty otherwise */
    struct homer_hold hold[HOMER_HOLDS]; /* [hold_n], batch and at growing */
    unsigned hold_n;
    uint64_t handled, answered; /* lines; the difference is what max_unanswered bounds */
    enum conn_state state;
    bool is_refusal; /* over max_connections: gets one error line, counts for nothing */
    bool is_ready;
    bool is_reading;
    bool is_sending;
    bool is_blocked;      /* passed high_water, not yet below low_water */
    bool is_handling;     /* inside the line handler: `out` belongs to it */
    bool is_waiting;      /* for homer_conn_group_resume, or _again: */
    bool is_again;        /* the next line was handed out once, and returned */
    bool is_unfinished;   /* a line's handler wants to go on with it; what it has written begins at: */
    size_t unfinished_at; /* out.data[unfinished_at], while is_unfinished */
    bool is_gone; /* the handle is closed, and only a line that is unfinished, or being parsed, keeps it */
    struct homer_long *long_line; /* to be parsed, or parsed and to be handled next; NULL = none */
    bool has_lines;               /* the splitter may hold something to handle */
    bool is_eof;                  /* the peer sent FIN: a last line without newline counts */
    bool is_truncated;            /* ... but TLS did not say so */
    bool is_shut;                 /* uv_shutdown was called */
    bool is_ending;               /* the group closes: nothing more is read */
    uint64_t since_ms;            /* last progress of output, or when lingering began */
    size_t unsent_seen;           /* libuv's write queue when the timer looked last */
    uint64_t quiet_ms; /* since when the timer has seen the same incomplete line, or nothing at all */
    uint64_t handled_seen;
    bool was_partial;
};

struct homer_conn_group {
    uv_loop_t *loop;
    struct homer_conn_limits limits;
    homer_line_fn on_line;
    void *ctx;
    struct homer_conn_stats stats;
    struct homer_ahead *ahead;    /* NULL = nothing is told */
    uint64_t line_ns;             /* what a line took lately */
    struct homer_long *long_head; /* lines that wait for the pool */
    unsigned long_n;              /* those that it is at, or was, and that are not handled yet */
    unsigned again_n;             /* connections that are is_again */
    struct homer_mem mem;         /* connections */
    struct homer_conn *all;       /* newest first */
    struct homer_conn *ready_head, *ready_tail;
    unsigned ready_n, refusal_n;
    struct homer_conn *held;     /* in no order */
    uint64_t batch;              /* the open one */
    uint64_t last_id;            /* of a session */
    const struct homer_tls *tls; /* for TCP; NULL = plain text */
    void (*after_turns)(void *ctx);
    void *after_ctx;
    uv_check_t check; /* serves the ready list after each poll */
    uv_idle_t idle;   /* active while somebody is ready: poll does not block */
    uv_timer_t tick;  /* coarse, active while needed: time-outs, the deadline, stalled listeners */
    uint64_t tick_ms;
    uv_stream_t *stalled[32]; /* listeners whose pending connection could not be taken; libuv waits for us */
    unsigned stalled_n;
    bool is_closing, is_done;
    uint64_t deadline_ms; /* loop time, while is_closing */
    void (*on_done)(void *ctx);
    void *done_ctx;
    char input[65536]; /* where all connections read to: an idle one owns no buffer */
};

/* conn.c: init fills everything but the libuv handle, which is initialised and accepted by the group. */
void homer_conn_init(struct homer_conn *c, struct homer_conn_group *g);
void homer_conn_start(struct homer_conn *c);
/* Brings reading, the ready list and the state in line with what the connection holds; sends what may be
 * sent.
 */
void homer_conn_advance(struct homer_conn *c);
/* Nothing more is read: what was read is answered, then the connection closes. */
void homer_conn_end(struct homer_conn *c);
/* Sends c->out and closes once it is gone. */
void homer_conn_finish(struct homer_conn *c);
/* The same with an error as the last line. */
void homer_conn_tell_and_finish(struct homer_conn *c, const struct homer_error *e);
/* Closes at once, unsent replies are lost. May be called repeatedly. A line that is unfinished is carried out
 * nevertheless. */
void homer_conn_cut(struct homer_conn *c);
/* Cuts it because of a libuv error, and logs that. */
void homer_conn_fail(struct homer_conn *c, const char *where, int err);
/* Time-outs, seen at every tick. */
void homer_conn_tick(struct homer_conn *c, uint64_t now_ms);

/* Frees what it holds and itself; its handle is closed. */
void homer_conn_release(struct homer_conn *c);
/* As many requests are unanswered as may be. */
static inline bool homer_conn_is_crowded(const struct homer_conn *c) {
    return c->handled - c->answered >= c->group->limits.max_unanswered;
}

/* The next line is handed out again after homer_conn_group_again. */
void homer_conn_postpone(struct homer_conn *c);

/* conn_long.c: whether a line of HOMER_AHEAD_LONG bytes or more may be handled now. If not, it is when it has
 * been parsed. */
bool homer_conn_long(struct homer_conn *c, const struct homer_piece *line);
/* While the pool is at its line. */
bool homer_conn_long_is_busy(const struct homer_conn *c);
void homer_conn_long_drop(struct homer_conn *c);

/* conn_turn.c: one turn of the ready list, which should end at until_ns (of uv_hrtime): handles up to
 * turn_lines lines, at least one, and sends the replies. */
void homer_conn_turn(struct homer_conn *c, uint64_t until_ns);

/* conn_io.c */
void homer_conn_read(struct homer_conn *c);
void homer_conn_read_stop(struct homer_conn *c);
/* Sends what may be sent: as much as the socket takes now, the rest is handed over to libuv. False:
 * connection lost. */
bool homer_conn_flush(struct homer_conn *c);
/* Reply bytes that are not yet with the system, held ones included. */
size_t homer_conn_unsent(const struct homer_conn *c);
/* Frees buffers that are empty: an idle connection pays for none. While it is busy they are kept. */
void homer_conn_give_back(struct homer_conn *c);
/* Sends FIN; the connection ends when the peer's has come or linger_ms later. */
void homer_conn_shut(struct homer_conn *c);

/* conn_hold.c: out.data[at..], the reply of a line that `lines` went before, waits for the open batch. */
void homer_conn_hold(struct homer_conn *c, size_t at, uint64_t lines);
void homer_conn_unhold(struct homer_conn *c, uint64_t batch); /* drops the holds for it and those before it */

/* conn_group.c */
void homer_conn_ready(struct homer_conn *c);
void homer_conn_unready(struct homer_conn *c);
/* Makes the loop look at the ready list before it sleeps; needed where no poll came before. */
void homer_conn_group_wake(struct homer_conn_group *g);
void homer_conn_forget(struct homer_conn *c); /* frees it: the last thing a close callback does */

#endif
