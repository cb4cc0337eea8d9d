#include "daemon/conn_impl.h"

#include <string.h>
#include "daemon/log.h"

enum {
    RECORD_BYTES = 16384,             /* what one record of TLS carries at most */
    ENCRYPT_BYTES = 4 * RECORD_BYTES, /* at one time, so that a long reply is not held twice */
};

/* ---- input ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    struct homer_conn *c = handle->data;
    struct homer_conn_group *g = c->group;
    (void)suggested;
    /* With complete lines waiting there is no room: libuv then reports ENOBUFS and reads nothing, which costs
     * less than stopping and starting for every request of a client that sends them one by one. */
    bool full = c->state != CONN_LINGERING && c->has_lines;
    size_t most = g->limits.read_bytes < sizeof g->input ? g->limits.read_bytes : sizeof g->input;
    *buf = uv_buf_init(full ? NULL : g->input, full ? 0 : (unsigned)most);
}

/* What came becomes lines of the connection. False: no memory. */
static bool take(struct homer_conn *c, const char *data, size_t n) {
    size_t room;
    char *to = homer_line_room(&c->line, n, &room);
    if (!to) return false;
    memcpy(to, data, n);
    homer_line_feed(&c->line, n);
    return true;
}

/* TLS did not work out: what it has to say (an alert) is sent if the socket takes it, then it is over. */
static void break_off(struct homer_conn *c) {
    static struct homer_log_site site;
    homer_log_limited(&site, 5, HOMER_LOG_INFO, "conn", "tls_failed", "reason=%s",
                      homer_tls_session_error(c->tls));
    c->group->stats.tls_failed++;
    uv_buf_t alert = uv_buf_init(c->wire.data, (unsigned)c->wire.n);
    if (c->wire.n && !c->is_sending) (void)uv_try_write(&c->uv.stream, &alert, 1);
    homer_conn_cut(c);
}

/* What came becomes lines. False: the connection is lost. */
static bool receive(struct homer_conn *c, const char *data, size_t n) {
    enum homer_tls_result result = HOMER_TLS_DATA;
    char plain[RECORD_BYTES];
    bool fits = true;
    if (!c->tls) {
        fits = take(c, data, n);
    } else {
        homer_tls_session_feed(c->tls, data, n);
        while (fits && result == HOMER_TLS_DATA) {
            size_t got;
            result = homer_tls_session_read(c->tls, plain, sizeof plain, &got);
            if (result == HOMER_TLS_DATA) fits = take(c, plain, got);
        }
    }
    if (!fits) {
        homer_conn_fail(c, "read", UV_ENOMEM);
        return false;
    }
    if (result == HOMER_TLS_FAILED) {
        break_off(c);
        return false;
    }
    if (result == HOMER_TLS_END) c->is_eof = true;
    return true;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct homer_conn *c = stream->data;
    if (c->state == CONN_LINGERING) {
        if (n < 0) homer_conn_cut(c);
        return;
    }
    if (n == 0 || n == UV_ENOBUFS) return;
    if (n == UV_EOF) {
        c->is_truncated = c->tls && !c->is_eof;
        c->is_eof = true;
    } else if (n < 0) {
        homer_conn_fail(c, "read", (int)n);
        return;
    } else {
        c->group->stats.bytes_in += (uint64_t)n;
        if (!receive(c, buf->base, (size_t)n)) return;
    }
    c->has_lines = c->is_eof || homer_line_pending(&c->line);
    if (c->has_lines)
        homer_conn_ready(c);
    else if (c->wire.n) /* of a handshake */
        homer_conn_advance(c);
}

void homer_conn_read_stop(struct homer_conn *c) {
    if (c->is_reading) uv_read_stop(&c->uv.stream);
    c->is_reading = false;
}

void homer_conn_read(struct homer_conn *c) {
    if (c->is_reading) return;
    int err = uv_read_start(&c->uv.stream, on_alloc, on_read);
    c->is_reading = err == 0;
    if (err) homer_conn_fail(c, "read", err);
}

/* ---- output ---- */

size_t homer_conn_unsent(const struct homer_conn *c) {
    size_t queued = c->is_sending ? uv_stream_get_write_queue_size(&c->uv.stream) : 0;
    return c->out.n + c->wire.n + queued;
}

static void on_write(uv_write_t *req, int status) {
    struct homer_conn *c = req->handle->data;
    c->is_sending = false;
    if (c->state == CONN_CLOSED) return;
    if (status < 0) {
        homer_conn_fail(c, "write", status);
        return;
    }
    c->group->stats.bytes_out += c->sending.n;
    homer_buf_truncate(&c->sending, 0);
    c->since_ms = uv_now(c->group->loop);
    homer_conn_advance(c);
}

static size_t sendable(const struct homer_conn *c) {
    size_t n = c->hold_n ? c->hold[0].at : c->out.n;
    return c->is_unfinished && c->unfinished_at < n ? c->unfinished_at : n;
}

/* Hands the first n bytes of `from` over to libuv. 0 or a libuv error. */
static int send_later(struct homer_conn *c, struct homer_buf *from, size_t n) {
    if (n == from->n) {
        struct homer_buf spare = c->sending;
        c->sending = *from;
        *from = spare;
    } else { /* held bytes stay */
        homer_buf_append(&c->sending, from->data, n);
        if (c->sending.failed) return UV_ENOMEM;
        homer_buf_consume(from, n);
    }
    c->since_ms = uv_now(c->group->loop);
    c->unsent_seen = n;
    uv_buf_t rest = uv_buf_init(c->sending.data, (unsigned)n);
    int err = uv_write(&c->write_req, &c->uv.stream, &rest, 1, on_write);
    c->is_sending = err == 0;
    return err;
}

/* Sends the first n bytes of `from`: as much as the socket takes now, the rest through libuv. They are gone
 * from it then. 0 or a libuv error. */
static int send_some(struct homer_conn *c, struct homer_buf *from, size_t n) {
    uv_buf_t whole = uv_buf_init(from->data, (unsigned)n);
    int sent = uv_try_write(&c->uv.stream, &whole, 1);
    if (sent == UV_EAGAIN) sent = 0;
    if (sent < 0) return sent;
    c->group->stats.bytes_out += (uint64_t)sent;
    homer_buf_consume(from, (size_t)sent);
    return (size_t)sent < n ? send_later(c, from, n - (size_t)sent) : 0;
}

/* Moves what may be sent of `out` one step on: to the socket, or (a piece of it) to `wire`. 0 or a libuv
 * error.
 */
static int send_out(struct homer_conn *c) {
    size_t n = sendable(c);
    int err = 0;
    if (!c->tls) {
        err = send_some(c, &c->out, n);
    } else {
        if (n > ENCRYPT_BYTES) n = ENCRYPT_BYTES;
        if (!homer_tls_session_write(c->tls, c->out.data, n)) return c->wire.failed ? UV_ENOMEM : UV_EPROTO;
        homer_buf_consume(&c->out, n);
    }
    for (unsigned i = 0; i < c->hold_n; i++) c->hold[i].at -= n;
    if (c->is_unfinished) c->unfinished_at -= n;
    return err;
}

bool homer_conn_flush(struct homer_conn *c) {
    int err = 0;
    while (!err && !c->is_sending && (c->wire.n || sendable(c)))
        err = c->wire.n ? send_some(c, &c->wire, c->wire.n) : send_out(c);
    if (err) {
        homer_conn_fail(c, "write", err);
        return false;
    }
    if (!c->is_sending) c->answered = c->hold_n ? c->hold[0].lines : c->handled;
    return true;
}

static void give_back(struct homer_buf *b) {
    if (b->n == 0) homer_buf_deinit(b);
}

void homer_conn_give_back(struct homer_conn *c) {
    homer_line_trim(&c->line, 0);
    give_back(&c->out);
    give_back(&c->wire);
    if (!c->is_sending) give_back(&c->sending);
}

/* ---- the end ---- */

static void on_shutdown(uv_shutdown_t *req, int status) {
    struct homer_conn *c = req->handle->data;
    if (c->state == CONN_CLOSED) return;
    if (status < 0 || c->is_eof) {
        homer_conn_cut(c);
        return;
    }
    /* Closing now would answer input still under way with a reset, which can overtake the last replies. */
    c->state = CONN_LINGERING;
    c->since_ms = uv_now(c->group->loop);
    homer_conn_read(c);
}

void homer_conn_shut(struct homer_conn *c) {
    c->is_shut = true;
    if (c->tls) {
        homer_tls_session_end(c->tls);
        if (!homer_conn_flush(c)) return;
    }
    int err = uv_shutdown(&c->shutdown_req, &c->uv.stream, on_shutdown);
    if (err) homer_conn_fail(c, "shutdown", err);
}
