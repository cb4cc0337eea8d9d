/* Long lines are parsed on libuv's pool: meanwhile the connection waits, and the others do not.
 *
 * Some at one time only, since a parsed line may hold many times its own bytes, and the log is written on the
 * same pool; further ones queue. A connection that is closed meanwhile stays until the pool is done with its
 * line. */
#include "daemon/conn_impl.h"

enum { MAX_LONG = 2 };

struct homer_long {
    uv_work_t work;
    struct homer_conn *c;
    struct homer_parsed *parsed;
    struct homer_piece line; /* in the connection's splitter, which takes in nothing meanwhile */
    struct homer_long *next; /* behind it, while it is in the queue */
    enum { QUEUED, BUSY, DONE } state;
};

static void on_work(uv_work_t *work) {
    const struct homer_long *l = work->data;
    homer_ahead_parse(l->c->group->ahead, l->parsed, l->line.text, l->line.n);
}

static void on_worked(uv_work_t *work, int status) {
    struct homer_long *l = work->data;
    struct homer_conn *c = l->c;
    struct homer_conn_group *g = c->group;
    (void)status; /* never cancelled */
    l->state = DONE;
    c->is_waiting = false;
    if (c->is_gone)
        homer_conn_release(c);
    else if (c->state != CONN_CLOSED)
        homer_conn_advance(c);
    homer_conn_group_wake(g);
}

static void start(struct homer_conn_group *g) {
    while (g->long_n < MAX_LONG && g->long_head) {
        struct homer_long *l = g->long_head;
        g->long_head = l->next;
        g->long_n++;
        l->state = BUSY;
        uv_queue_work(g->loop, &l->work, on_work, on_worked); /* fails without a function only */
    }
}

bool homer_conn_long_is_busy(const struct homer_conn *c) {
    return c->long_line && c->long_line->state == BUSY;
}

void homer_conn_long_drop(struct homer_conn *c) {
    struct homer_conn_group *g = c->group;
    struct homer_long *l = c->long_line;
    if (!l) return;
    if (l->state == QUEUED) {
        struct homer_long **at = &g->long_head;
        while (*at != l) at = &(*at)->next;
        *at = l->next;
    } else {
        g->long_n--;
    }
    homer_parsed_free(l->parsed);
    c->long_line = homer_mem_free(&g->mem, l, 1, sizeof *l);
    start(g);
}

bool homer_conn_long(struct homer_conn *c, const struct homer_piece *line) {
    struct homer_conn_group *g = c->group;
    struct homer_long *l = c->long_line;
    if (l) {
        homer_ahead_put(g->ahead, line->text, l->parsed);
        l->parsed = NULL;
        homer_conn_long_drop(c);
        return true;
    }
    l = homer_mem_alloc(&g->mem, 1, sizeof *l);
    struct homer_parsed *parsed = homer_parsed_new();
    if (!l || !parsed) { /* then it is parsed here */
        homer_parsed_free(parsed);
        homer_mem_free(&g->mem, l, 1, sizeof *l);
        return true;
    }
    *l = (struct homer_long){.work.data = l, .c = c, .parsed = parsed, .line = *line};
    struct homer_long **at = &g->long_head;
    while (*at) at = &(*at)->next;
    *at = c->long_line = l;
    c->is_waiting = true;
    start(g);
    return false;
}
