#include "daemon/conn_impl.h"

#include "daemon/log.h"

static void advance(struct homer_conn *c);

static size_t unsent(const struct homer_conn *c) {
    return c->out.n + (c->is_sending ? uv_stream_get_write_queue_size(&c->uv.stream) : 0);
}

static uint64_t now_ms(const struct homer_conn *c) {
    return uv_now(c->group->loop);
}

/* One large line or reply must not be paid for by a connection that idles afterwards. */
static void give_back(struct homer_buf *b, size_t keep_bytes) {
    if (b->n == 0 && b->cap > keep_bytes) homer_buf_deinit(b);
}

static void on_close(uv_handle_t *handle) {
    struct homer_conn *c = handle->data;
    homer_line_deinit(&c->line);
    homer_buf_deinit(&c->out);
    homer_buf_deinit(&c->sending);
    homer_conn_forget(c);
}

void homer_conn_cut(struct homer_conn *c) {
    if (c->state == CONN_CLOSED) return;
    c->state = CONN_CLOSED;
    homer_conn_unready(c);
    uv_close(&c->uv.handle, on_close);
}

/* Reset by the peer is everyday life; anything else is worth a line. */
static void fail(struct homer_conn *c, const char *where, int err) {
    static struct homer_log_site site;
    bool usual = err == UV_ECONNRESET || err == UV_EPIPE || err == UV_ENOTCONN || err == UV_ECONNABORTED;
    homer_log_limited(&site, 5, usual ? HOMER_LOG_DEBUG : HOMER_LOG_WARN, "conn", "lost",
                      "during=%s error=%s", where, uv_strerror(err));
    homer_conn_cut(c);
}

/* ---- input ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    struct homer_conn *c = handle->data;
    size_t room = 0;
    char *p = NULL;
    (void)suggested;
    if (c->state == CONN_LINGERING) {
        p = c->group->drop;
        room = sizeof c->group->drop;
    } else if (!c->has_lines) {
        p = homer_line_room(&c->line, c->group->limits.read_bytes, &room);
        if (room > c->group->limits.read_bytes) room = c->group->limits.read_bytes;
    }
    /* With complete lines waiting there is no room: libuv then reports ENOBUFS and reads nothing, which costs
     * less than stopping and starting for every request of a client that sends them one by one. */
    *buf = uv_buf_init(p, p ? (unsigned)room : 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct homer_conn *c = stream->data;
    (void)buf;
    if (c->state == CONN_LINGERING) {
        if (n < 0) homer_conn_cut(c);
        return;
    }
    if (n == 0 || (n == UV_ENOBUFS && c->has_lines)) return;
    if (n == UV_EOF) {
        c->is_eof = c->has_lines = true;
    } else if (n < 0) {
        fail(c, "read", n == UV_ENOBUFS ? UV_ENOMEM : (int)n);
        return;
    } else {
        c->group->stats.bytes_in += (uint64_t)n;
        homer_line_feed(&c->line, (size_t)n);
        c->has_lines = homer_line_pending(&c->line);
    }
    if (c->has_lines) homer_conn_ready(c);
}

static void stop_reading(struct homer_conn *c) {
    if (c->is_reading) uv_read_stop(&c->uv.stream);
    c->is_reading = false;
}

static void start_reading(struct homer_conn *c) {
    if (c->is_reading) return;
    int err = uv_read_start(&c->uv.stream, on_alloc, on_read);
    c->is_reading = err == 0;
    if (err) fail(c, "read", err);
}

/* ---- output ---- */

static void on_shutdown(uv_shutdown_t *req, int status) {
    struct homer_conn *c = req->handle->data;
    if (c->state == CONN_CLOSED) return;
    if (status < 0 || c->is_eof) {
        homer_conn_cut(c);
        return;
    }
    /* Closing now would answer input still under way with a reset, which can overtake the last replies. */
    c->state = CONN_LINGERING;
    c->since_ms = now_ms(c);
    start_reading(c);
}

static void on_write(uv_write_t *req, int status) {
    struct homer_conn *c = req->handle->data;
    c->is_sending = false;
    if (c->state == CONN_CLOSED) return;
    if (status < 0) {
        fail(c, "write", status);
        return;
    }
    c->group->stats.bytes_out += c->sending.n;
    homer_buf_truncate(&c->sending, 0);
    give_back(&c->sending, c->group->limits.read_bytes);
    c->since_ms = now_ms(c);
    advance(c);
}

/* Sends what is in c->out: as much as the socket takes now, the rest is handed over to libuv whole. False:
 * connection lost. */
static bool flush(struct homer_conn *c) {
    if (c->is_sending || c->out.n == 0) return true;
    uv_buf_t whole = uv_buf_init(c->out.data, (unsigned)c->out.n);
    int sent = uv_try_write(&c->uv.stream, &whole, 1);
    if (sent == UV_EAGAIN) sent = 0;
    if (sent < 0) {
        fail(c, "write", sent);
        return false;
    }
    c->group->stats.bytes_out += (uint64_t)sent;
    if ((size_t)sent == c->out.n) {
        homer_buf_truncate(&c->out, 0);
        give_back(&c->out, c->group->limits.read_bytes);
        return true;
    }
    homer_buf_consume(&c->out, (size_t)sent);
    struct homer_buf spare = c->sending;
    c->sending = c->out;
    c->out = spare;
    c->since_ms = now_ms(c);
    c->unsent_seen = c->sending.n;
    uv_buf_t rest = uv_buf_init(c->sending.data, (unsigned)c->sending.n);
    int err = uv_write(&c->write_req, &c->uv.stream, &rest, 1, on_write);
    if (err) {
        fail(c, "write", err);
        return false;
    }
    c->is_sending = true;
    return true;
}

/* ---- what to do next ---- */

/* Brings reading, the ready list and the state in line with what the connection holds. */
static void advance(struct homer_conn *c) {
    const struct homer_conn_limits *limits = &c->group->limits;
    if (c->state == CONN_CLOSED || c->state == CONN_LINGERING || !flush(c)) return;
    if (c->state == CONN_FLUSHING) {
        if (c->is_sending) return;
        int err = uv_shutdown(&c->shutdown_req, &c->uv.stream, on_shutdown);
        if (err) fail(c, "shutdown", err);
        return;
    }
    size_t waiting = unsent(c);
    c->is_blocked = c->is_blocked ? waiting > limits->low_water : waiting >= limits->high_water;
    bool may_handle = c->has_lines && !c->is_blocked;
    if (may_handle)
        homer_conn_ready(c);
    else
        homer_conn_unready(c);
    if (!c->has_lines && (c->is_eof || c->is_ending))
        homer_conn_finish(c);
    else if (c->has_lines || c->is_blocked)
        stop_reading(c);
    else
        start_reading(c);
}

void homer_conn_finish(struct homer_conn *c) {
    if (c->state != CONN_OPEN) return;
    c->state = CONN_FLUSHING;
    homer_conn_unready(c);
    stop_reading(c);
    advance(c);
}

void homer_conn_end(struct homer_conn *c) {
    c->is_ending = true;
    if (c->state == CONN_OPEN) advance(c);
}

void homer_conn_turn(struct homer_conn *c) {
    struct homer_conn_group *g = c->group;
    for (unsigned i = 0; i < g->limits.turn_lines && unsent(c) < g->limits.high_water; i++) {
        const char *text = NULL;
        size_t n = 0;
        int got = c->is_eof ? homer_line_last(&c->line, &text, &n) : homer_line_next(&c->line, &text, &n);
        if (got == 0) {
            c->has_lines = false;
            break;
        }
        bool too_large = got == HOMER_E_TOO_LARGE;
        g->stats.lines++;
        g->stats.too_large += too_large;
        bool stays = g->on_line(g->ctx, too_large ? NULL : text, too_large ? 0 : n, too_large, &c->out);
        if (c->out.failed) {
            fail(c, "reply", UV_ENOMEM);
            return;
        }
        if (!stays) {
            homer_conn_finish(c);
            return;
        }
    }
    if (!c->has_lines) {
        size_t room; /* asking for it makes the splitter give back what a long line took, before the
                        connection idles */
        homer_line_room(&c->line, g->limits.read_bytes, &room);
    }
    advance(c);
}

void homer_conn_tick(struct homer_conn *c, uint64_t now) {
    const struct homer_conn_limits *limits = &c->group->limits;
    if (c->state == CONN_CLOSED) return;
    if (c->state == CONN_LINGERING) {
        if (now - c->since_ms >= limits->linger_ms) homer_conn_cut(c);
        return;
    }
    size_t left = c->is_sending ? uv_stream_get_write_queue_size(&c->uv.stream) : 0;
    if (left == 0 || left != c->unsent_seen) {
        c->since_ms = now;
        c->unsent_seen = left;
        return;
    }
    if (now - c->since_ms < limits->drain_timeout_ms) return;
    static struct homer_log_site site;
    homer_log_limited(&site, 5, HOMER_LOG_INFO, "conn", "timeout", "unsent=%zu", unsent(c));
    c->group->stats.timed_out++;
    homer_conn_cut(c);
}

void homer_conn_init(struct homer_conn *c, struct homer_conn_group *g) {
    c->group = g;
    homer_line_init(&c->line, &c->mem, g->limits.max_line);
    homer_buf_init(&c->out, &c->mem);
    homer_buf_init(&c->sending, &c->mem);
}

void homer_conn_start(struct homer_conn *c) {
    c->since_ms = now_ms(c);
    advance(c);
}
