#include "daemon/conn_impl.h"

#include <errno.h>
#include "daemon/log.h"

enum { MAX_REFUSALS = 64 }; /* peers over max_connections that are being told so at one time */

/* ---- the ready list: first in, first served, a turn each ---- */

void homer_conn_ready(struct homer_conn *c) {
    struct homer_conn_group *g = c->group;
    if (c->is_ready) return;
    c->is_ready = true;
    c->ready_next = NULL;
    c->ready_prev = g->ready_tail;
    if (g->ready_tail)
        g->ready_tail->ready_next = c;
    else
        g->ready_head = c;
    g->ready_tail = c;
    g->ready_n++;
}

void homer_conn_unready(struct homer_conn *c) {
    struct homer_conn_group *g = c->group;
    if (!c->is_ready) return;
    c->is_ready = false;
    if (c->ready_prev)
        c->ready_prev->ready_next = c->ready_next;
    else
        g->ready_head = c->ready_next;
    if (c->ready_next)
        c->ready_next->ready_prev = c->ready_prev;
    else
        g->ready_tail = c->ready_prev;
    g->ready_n--;
}

static void on_idle(uv_idle_t *idle) {
    (void)idle; /* its being active is what matters: poll returns at once */
}

void homer_conn_group_wake(struct homer_conn_group *g) {
    if (g->ready_n && !g->is_done) uv_idle_start(&g->idle, on_idle);
}

static void on_check(uv_check_t *check) {
    struct homer_conn_group *g = check->data;
    uint64_t now = g->ready_n ? uv_hrtime() : 0, end = now + g->limits.round_us * 1000;
    for (unsigned turns = g->ready_n; turns > 0 && g->ready_head; turns--) {
        struct homer_conn *c = g->ready_head;
        homer_conn_unready(c); /* homer_conn_turn puts it back at the end if there is more */
        /* What is left of the round, in equal parts for those who are left. */
        homer_conn_turn(c, now < end ? now + (end - now) / turns : now);
        if (turns > 1) now = uv_hrtime();
    }
    if (g->after_turns) g->after_turns(g->after_ctx);
    /* Replies sent outside of a turn may have made others ready: those are seen here too, before the next
     * poll. */
    uv_idle_stop(&g->idle);
    homer_conn_group_wake(g);
}

/* ---- the end of a group ---- */

static void finish_if_empty(struct homer_conn_group *g) {
    if (!g->is_closing || g->is_done || g->all) return;
    g->is_done = true;
    uv_close((uv_handle_t *)&g->check, NULL);
    uv_close((uv_handle_t *)&g->idle, NULL);
    uv_close((uv_handle_t *)&g->tick, NULL);
    if (g->on_done) g->on_done(g->done_ctx);
}

static void list_remove(struct homer_conn *c) {
    if (c->prev)
        c->prev->next = c->next;
    else
        c->group->all = c->next;
    if (c->next) c->next->prev = c->prev;
}

void homer_conn_forget(struct homer_conn *c) {
    struct homer_conn_group *g = c->group;
    list_remove(c);
    g->again_n -= c->is_again;
    if (c->is_refusal) {
        g->refusal_n--;
    } else {
        g->stats.open--;
        g->stats.closed++;
    }
    homer_mem_free(&g->mem, c, 1, sizeof *c);
    finish_if_empty(g);
}

static void on_tick(uv_timer_t *tick) {
    struct homer_conn_group *g = tick->data;
    uint64_t now = uv_now(g->loop);
    bool late = g->is_closing && now >= g->deadline_ms;
    unsigned stalled_n = g->stalled_n;
    for (struct homer_conn *c = g->all; c; c = c->next) {
        if (late)
            homer_conn_cut(c);
        else
            homer_conn_tick(c, now);
    }
    g->stalled_n = 0;
    for (unsigned i = 0; i < stalled_n; i++) homer_conn_group_accept(g, g->stalled[i]);
    if (!g->all && !g->stalled_n) uv_timer_stop(&g->tick);
}

static void need_tick(struct homer_conn_group *g) {
    if (!uv_is_active((uv_handle_t *)&g->tick)) uv_timer_start(&g->tick, on_tick, g->tick_ms, g->tick_ms);
}

void homer_conn_group_close(struct homer_conn_group *g, uint64_t deadline_ms, void (*on_done)(void *ctx),
                            void *ctx) {
    if (g->is_closing) return;
    g->is_closing = true;
    g->deadline_ms = uv_now(g->loop) + deadline_ms;
    g->on_done = on_done;
    g->done_ctx = ctx;
    g->stalled_n = 0;
    for (struct homer_conn *c = g->all; c; c = c->next) homer_conn_end(c);
    homer_conn_group_wake(g);
    finish_if_empty(g);
}

/* ---- accepting ---- */

/* libuv stops polling a listener until its pending connection is accepted, so that this pauses it without
 * spinning. */
static void stall(struct homer_conn_group *g, uv_stream_t *listener) {
    static struct homer_log_site site;
    homer_log_limited(&site, 1, HOMER_LOG_WARN, "conn", "accept_paused", "open=%u", g->stats.open);
    if (g->stalled_n == sizeof g->stalled / sizeof *g->stalled) return;
    g->stalled[g->stalled_n++] = listener;
    need_tick(g);
}

static void refuse(struct homer_conn *c) {
    struct homer_error e = {0};
    homer_err_limit(&e, HOMER_E_TOO_MANY, "max_connections", "%u connections are open; try again later",
                    c->group->stats.open);
    e.retry = true;
    homer_conn_tell_and_finish(c, &e);
}

void homer_conn_group_accept(struct homer_conn_group *g, uv_stream_t *listener) {
    bool full = g->stats.open >= g->limits.max_connections;
    if (g->is_closing) return;
    struct homer_conn *c =
        full && g->refusal_n >= MAX_REFUSALS ? NULL : homer_mem_alloc(&g->mem, 1, sizeof *c);
    if (!c) {
        stall(g, listener);
        return;
    }
    homer_conn_init(c, g);
    bool is_tcp = listener->type == UV_TCP;
    int err = is_tcp ? uv_tcp_init(g->loop, &c->uv.tcp) : uv_pipe_init(g->loop, &c->uv.pipe, 0);
    if (err) {
        homer_mem_free(&g->mem, c, 1, sizeof *c);
        stall(g, listener);
        return;
    }
    c->uv.handle.data = c;
    c->is_refusal = full;
    c->next = g->all;
    if (g->all) g->all->prev = c;
    g->all = c;
    if (full) {
        g->stats.refused++;
        g->refusal_n++;
    } else {
        g->stats.accepted++;
        g->stats.open++;
    }
    need_tick(g);
    err = uv_accept(listener, &c->uv.stream);
    if (!err && is_tcp && g->tls && !full) {
        c->tls = homer_tls_session_new(g->tls, &c->wire);
        if (!c->tls) err = UV_ENOMEM;
    }
    if (err || (full && is_tcp && g->tls)) { /* a refusal in plain text would say nothing to who speaks TLS */
        homer_conn_cut(c);
        return;
    }
    if (is_tcp) uv_tcp_nodelay(&c->uv.tcp, 1); /* replies are already coalesced; waiting only adds latency */
    if (full)
        refuse(c);
    else
        homer_conn_start(c);
}

/* ---- the group itself ---- */

void homer_conn_group_ahead(struct homer_conn_group *g, struct homer_ahead *ahead) {
    g->ahead = ahead;
}

void homer_conn_group_tls(struct homer_conn_group *g, const struct homer_tls *tls) {
    g->tls = tls;
}

const struct homer_conn_stats *homer_conn_group_stats(const struct homer_conn_group *g) {
    return &g->stats;
}

static uint64_t shorter(uint64_t a, uint64_t b) {
    return b && b < a ? b : a;
}

static uint64_t tick_for(const struct homer_conn_limits *l) {
    uint64_t shortest =
        shorter(shorter(l->drain_timeout_ms, l->linger_ms), shorter(l->line_timeout_ms, l->max_idle_ms));
    uint64_t tick = shortest / 4;
    return tick < 5 ? 5 : tick > 250 ? 250 : tick;
}

int homer_conn_group_new(struct homer_conn_group **out, uv_loop_t *loop,
                         const struct homer_conn_limits *limits, homer_line_fn on_line, void *ctx) {
    struct homer_mem mem = {0};
    struct homer_conn_group *g = homer_mem_alloc(&mem, 1, sizeof *g);
    if (!g) return -ENOMEM;
    *g = (struct homer_conn_group){
        .loop = loop, .limits = *limits, .on_line = on_line, .ctx = ctx, .mem = mem};
    g->tick_ms = tick_for(limits);
    /* These four only link the handle into the loop and cannot fail. */
    uv_check_init(loop, &g->check);
    uv_idle_init(loop, &g->idle);
    uv_timer_init(loop, &g->tick);
    g->check.data = g->idle.data = g->tick.data = g;
    uv_check_start(&g->check, on_check);
    *out = g;
    return 0;
}

struct homer_conn_group *homer_conn_group_free(struct homer_conn_group *g) {
    if (g) {
        struct homer_mem mem = g->mem;
        homer_mem_free(&mem, g, 1, sizeof *g);
    }
    return NULL;
}
