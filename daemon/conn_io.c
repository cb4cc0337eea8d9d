#include "daemon/conn_impl.h"

#include <string.h>

enum {
    KEEP_BYTES = 1024
}; /* of an emptied buffer that its connection keeps: enough for small requests and replies */

/* One large reply must not be paid for by a connection that idles afterwards. */
static void give_back(struct homer_buf *b) {
    if (b->n == 0 && b->cap > KEEP_BYTES) homer_buf_deinit(b);
}

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

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct homer_conn *c = stream->data;
    if (c->state == CONN_LINGERING) {
        if (n < 0) homer_conn_cut(c);
        return;
    }
    if (n == 0 || n == UV_ENOBUFS) return;
    if (n == UV_EOF) {
        c->is_eof = c->has_lines = true;
    } else if (n < 0) {
        homer_conn_fail(c, "read", (int)n);
        return;
    } else {
        c->group->stats.bytes_in += (uint64_t)n;
        if (!take(c, buf->base, (size_t)n)) {
            homer_conn_fail(c, "read", UV_ENOMEM);
            return;
        }
        c->has_lines = homer_line_pending(&c->line);
    }
    if (c->has_lines) homer_conn_ready(c);
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
    return c->out.n + (c->is_sending ? uv_stream_get_write_queue_size(&c->uv.stream) : 0);
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
    give_back(&c->sending);
    c->since_ms = uv_now(c->group->loop);
    homer_conn_advance(c);
}

static size_t sendable(const struct homer_conn *c) {
    return c->hold_n ? c->hold[0].at : c->out.n;
}

/* The first n bytes of `out` are gone. */
static void consumed(struct homer_conn *c, size_t n) {
    homer_buf_consume(&c->out, n);
    for (unsigned i = 0; i < c->hold_n; i++) c->hold[i].at -= n;
    give_back(&c->out);
}

/* Nothing that may be sent is left. */
static void settle(struct homer_conn *c) {
    c->answered = c->hold_n ? c->hold[0].lines : c->handled;
}

/* Moves what may be sent from `out` to `sending`, which is empty. */
static bool hand_over(struct homer_conn *c) {
    size_t n = sendable(c);
    if (n == c->out.n) {
        struct homer_buf spare = c->sending;
        c->sending = c->out;
        c->out = spare;
    } else {
        homer_buf_append(&c->sending, c->out.data, n);
        if (c->sending.failed) return false;
        homer_buf_consume(&c->out, n);
    }
    for (unsigned i = 0; i < c->hold_n; i++) c->hold[i].at -= n;
    return true;
}

bool homer_conn_flush(struct homer_conn *c) {
    size_t n = sendable(c);
    if (c->is_sending) return true;
    if (n == 0) {
        settle(c);
        return true;
    }
    uv_buf_t whole = uv_buf_init(c->out.data, (unsigned)n);
    int sent = uv_try_write(&c->uv.stream, &whole, 1);
    if (sent == UV_EAGAIN) sent = 0;
    if (sent < 0) {
        homer_conn_fail(c, "write", sent);
        return false;
    }
    c->group->stats.bytes_out += (uint64_t)sent;
    consumed(c, (size_t)sent);
    if ((size_t)sent == n) {
        settle(c);
        return true;
    }
    if (!hand_over(c)) {
        homer_conn_fail(c, "write", UV_ENOMEM);
        return false;
    }
    c->since_ms = uv_now(c->group->loop);
    c->unsent_seen = c->sending.n;
    uv_buf_t rest = uv_buf_init(c->sending.data, (unsigned)c->sending.n);
    int err = uv_write(&c->write_req, &c->uv.stream, &rest, 1, on_write);
    if (err) {
        homer_conn_fail(c, "write", err);
        return false;
    }
    c->is_sending = true;
    return true;
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
    int err = uv_shutdown(&c->shutdown_req, &c->uv.stream, on_shutdown);
    if (err) homer_conn_fail(c, "shutdown", err);
}
