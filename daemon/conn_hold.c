#include "daemon/conn_impl.h"

#include "daemon/log.h"

void homer_conn_hold(struct homer_conn *c, size_t at, uint64_t lines) {
    struct homer_conn_group *g = c->group;
    if (c->hold_n && c->hold[c->hold_n - 1].batch == g->batch) return;
    if (c->hold_n == HOMER_HOLDS) { /* keeps the last one's bytes longer than need be, never shorter */
        c->hold[c->hold_n - 1].batch = g->batch;
        return;
    }
    if (c->hold_n == 0) {
        c->held_prev = NULL;
        c->held_next = g->held;
        if (g->held) g->held->held_prev = c;
        g->held = c;
    }
    c->hold[c->hold_n++] = (struct homer_hold){g->batch, at, lines};
}

void homer_conn_unhold(struct homer_conn *c, uint64_t batch) {
    struct homer_conn_group *g = c->group;
    unsigned gone = 0;
    while (gone < c->hold_n && c->hold[gone].batch <= batch) gone++;
    if (gone == 0) return;
    c->hold_n -= gone;
    for (unsigned i = 0; i < c->hold_n; i++) c->hold[i] = c->hold[i + gone];
    if (c->hold_n) return;
    if (c->held_prev)
        c->held_prev->held_next = c->held_next;
    else
        g->held = c->held_next;
    if (c->held_next) c->held_next->held_prev = c->held_prev;
}

void homer_conn_group_after_turns(struct homer_conn_group *g, void (*fn)(void *ctx), void *ctx) {
    g->after_turns = fn;
    g->after_ctx = ctx;
}

void homer_conn_group_batch(struct homer_conn_group *g, uint64_t open_batch) {
    g->batch = open_batch;
}

void homer_conn_group_durable(struct homer_conn_group *g, uint64_t batch) {
    for (struct homer_conn *c = g->held, *next; c; c = next) {
        next = c->held_next;
        unsigned before = c->hold_n;
        homer_conn_unhold(c, batch);
        /* In the middle of a line its output is not ours; its turn sends. */
        if (c->hold_n != before && !c->is_handling) homer_conn_advance(c);
    }
    homer_conn_group_wake(g);
}

void homer_conn_group_abandon(struct homer_conn_group *g) {
    uint64_t before = g->stats.abandoned;
    for (struct homer_conn *c = g->held, *next; c; c = next) {
        next = c->held_next;
        g->stats.abandoned++;
        homer_conn_cut(c);
    }
    if (g->stats.abandoned != before)
        homer_log(HOMER_LOG_WARN, "conn", "abandoned", "connections=%llu",
                  (unsigned long long)(g->stats.abandoned - before));
}

void homer_conn_postpone(struct homer_conn *c) {
    c->group->again_n++;
    c->is_again = c->is_waiting = true;
}

void homer_conn_group_again(struct homer_conn_group *g) {
    if (!g->again_n) return;
    for (struct homer_conn *c = g->all; c; c = c->next) {
        if (!c->is_again) continue;
        c->is_again = c->is_waiting = false;
        g->again_n--;
        if (c->state == CONN_OPEN) homer_conn_advance(c);
    }
    homer_conn_group_wake(g);
}

bool homer_conn_group_resume(struct homer_conn_group *g, uint64_t id, const char *reply, size_t n) {
    struct homer_conn *c = g->all;
    while (c && c->session.id != id) c = c->next;
    if (!c || !c->is_waiting || c->is_again || c->state == CONN_CLOSED) return false;
    c->is_waiting = false;
    homer_buf_append(&c->out, reply, n);
    if (c->out.failed)
        homer_conn_fail(c, "reply", UV_ENOMEM);
    else
        homer_conn_advance(c);
    homer_conn_group_wake(g);
    return true;
}
