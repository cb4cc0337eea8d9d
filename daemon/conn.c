#include "daemon/conn_impl.h"

#include "daemon/log.h"
#include "proto/reply.h"

static void on_close(uv_handle_t *handle) {
    struct homer_conn *c = handle->data;
    c->is_gone = true;
    if (!c->is_unfinished && !homer_conn_long_is_busy(c)) homer_conn_release(c);
}

void homer_conn_release(struct homer_conn *c) {
    homer_line_deinit(&c->line);
    homer_buf_deinit(&c->out);
    homer_buf_deinit(&c->sending);
    homer_buf_deinit(&c->wire);
    homer_tls_session_free(c->tls);
    homer_conn_long_drop(c);
    homer_conn_forget(c);
}

void homer_conn_cut(struct homer_conn *c) {
    if (c->state == CONN_CLOSED) return;
    c->state = CONN_CLOSED;
    homer_conn_unready(c);
    homer_conn_unhold(c, UINT64_MAX);
    uv_close(&c->uv.handle, on_close);
    if (c->is_unfinished) homer_conn_ready(c); /* its line is carried out all the same */
}

/* Reset by the peer is everyday life; anything else is worth a line. */
void homer_conn_fail(struct homer_conn *c, const char *where, int err) {
    static struct homer_log_site site;
    bool usual = err == UV_ECONNRESET || err == UV_EPIPE || err == UV_ENOTCONN || err == UV_ECONNABORTED;
    homer_log_limited(&site, 5, usual ? HOMER_LOG_DEBUG : HOMER_LOG_WARN, "conn", "lost",
                      "during=%s error=%s", where, uv_strerror(err));
    homer_conn_cut(c);
}

void homer_conn_advance(struct homer_conn *c) {
    const struct homer_conn_limits *limits = &c->group->limits;
    if (c->state == CONN_CLOSED || c->state == CONN_LINGERING || !homer_conn_flush(c)) return;
    if (c->state == CONN_FLUSHING) {
        if (!c->is_sending && !c->hold_n && !c->is_shut) homer_conn_shut(c);
        return;
    }
    size_t waiting = homer_conn_unsent(c);
    c->is_blocked = c->is_blocked ? waiting > limits->low_water : waiting >= limits->high_water;
    bool has_work = c->has_lines || c->is_unfinished;
    bool may_work = c->is_unfinished || (!c->is_blocked && !c->is_waiting && !homer_conn_is_crowded(c));
    if (has_work && may_work)
        homer_conn_ready(c);
    else
        homer_conn_unready(c);
    if (!has_work && !c->is_waiting && (c->is_eof || c->is_ending))
        homer_conn_finish(c);
    else if (has_work || !may_work)
        homer_conn_read_stop(c);
    else
        homer_conn_read(c);
}

void homer_conn_finish(struct homer_conn *c) {
    if (c->state != CONN_OPEN) return;
    c->state = CONN_FLUSHING;
    homer_conn_unready(c);
    homer_conn_read_stop(c);
    homer_conn_advance(c);
}

void homer_conn_tell_and_finish(struct homer_conn *c, const struct homer_error *e) {
    struct homer_reply r;
    homer_reply_init(&r, &c->out);
    homer_reply_error(&r, e, NULL);
    if (c->out.failed)
        homer_conn_cut(c);
    else
        homer_conn_finish(c);
}

void homer_conn_end(struct homer_conn *c) {
    c->is_ending = true;
    if (c->state == CONN_OPEN) homer_conn_advance(c);
}

/* ---- time ---- */

/* Unread replies: true when that was too long, and the connection is cut. */
static bool drained_too_late(struct homer_conn *c, uint64_t now) {
    static struct homer_log_site site;
    size_t left = c->is_sending ? uv_stream_get_write_queue_size(&c->uv.stream) : 0;
    if (left == 0 || left != c->unsent_seen) {
        c->since_ms = now;
        c->unsent_seen = left;
    }
    if (now - c->since_ms < c->group->limits.drain_timeout_ms) return false;
    homer_log_limited(&site, 5, HOMER_LOG_INFO, "conn", "timeout", "unsent=%zu", homer_conn_unsent(c));
    c->group->stats.timed_out++;
    homer_conn_cut(c);
    return true;
}

static void tell_quiet(struct homer_conn *c, bool partial, uint64_t ms) {
    struct homer_error e = {0};
    if (partial)
        homer_err_limit(&e, HOMER_E_BAD_REQUEST, "line_timeout_ms",
                        "the line was not complete %llu ms after it began; send whole lines, each with its "
                        "newline",
                        (unsigned long long)ms);
    else
        homer_err_limit(&e, HOMER_E_BAD_REQUEST, "max_idle_ms",
                        "no request for %llu ms; connect again when there is one", (unsigned long long)ms);
    homer_conn_tell_and_finish(c, &e);
}

/* A line or a handshake that does not end, or nothing at all: counted while the next move is the peer's. */
static void end_if_quiet_too_long(struct homer_conn *c, uint64_t now) {
    static struct homer_log_site site;
    const struct homer_conn_limits *limits = &c->group->limits;
    bool greeting = c->tls && !homer_tls_session_is_ready(c->tls);
    bool partial = greeting || homer_line_partial(&c->line);
    uint64_t limit = partial ? limits->line_timeout_ms : limits->max_idle_ms;
    bool ours = !c->is_reading || c->has_lines || c->hold_n || homer_conn_unsent(c);
    if ((ours && !greeting) || c->handled != c->handled_seen || partial != c->was_partial) {
        c->quiet_ms = now;
        c->handled_seen = c->handled;
        c->was_partial = partial;
    } else {
        homer_conn_give_back(c);
    }
    if (limit == 0 || now - c->quiet_ms < limit) return;
    homer_log_limited(&site, 5, HOMER_LOG_INFO, "conn", "timeout", "waited_for=%s",
                      greeting  ? "handshake"
                      : partial ? "line"
                                : "request");
    c->group->stats.timed_out++;
    if (greeting)
        homer_conn_cut(c);
    else
        tell_quiet(c, partial, limit);
}

void homer_conn_tick(struct homer_conn *c, uint64_t now) {
    if (c->state == CONN_LINGERING && now - c->since_ms >= c->group->limits.linger_ms) homer_conn_cut(c);
    if (c->state == CONN_CLOSED || c->state == CONN_LINGERING || drained_too_late(c, now)) return;
    if (c->state == CONN_OPEN) end_if_quiet_too_long(c, now);
}

void homer_conn_init(struct homer_conn *c, struct homer_conn_group *g) {
    c->group = g;
    c->session = (struct homer_session){.id = ++g->last_id, .trusted = !g->limits.needs_token};
    homer_line_init(&c->line, &c->mem, g->limits.max_line);
    homer_buf_init(&c->out, &c->mem);
    homer_buf_init(&c->sending, &c->mem);
    homer_buf_init(&c->wire, &c->mem);
}

void homer_conn_start(struct homer_conn *c) {
    c->since_ms = c->quiet_ms = uv_now(c->group->loop);
    homer_conn_advance(c);
}
