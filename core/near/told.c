#include "core/near/told.h"

#include <errno.h>
#include <string.h>

void homer_told_init(struct homer_told *t, struct homer_mem *mem) {
    *t = (struct homer_told){.mem = mem};
}

void homer_told_deinit(struct homer_told *t) {
    homer_mem_free(t->mem, t->node, t->cap, sizeof *t->node);
    homer_mem_free(t->mem, t->side, t->cap, sizeof *t->side);
    homer_mem_free(t->mem, t->root, t->cap, sizeof *t->root);
    homer_told_init(t, t->mem);
}

int homer_told_reserve(struct homer_told *t, uint32_t labels) {
    if (labels <= t->cap) return 0;
    struct homer_told n = {.mem = t->mem, .cap = labels + labels / 2 + 8};
    n.node = homer_mem_alloc(t->mem, n.cap, sizeof *n.node);
    n.side = homer_mem_alloc(t->mem, n.cap, sizeof *n.side);
    n.root = homer_mem_alloc(t->mem, n.cap, sizeof *n.root);
    if (!n.node || !n.side || !n.root) {
        homer_told_deinit(&n);
        return -ENOMEM;
    }
    homer_told_deinit(t);
    *t = n;
    return 0;
}

void homer_told_enter(struct homer_told *t, const struct homer_window_slot *s) {
    t->complete += !s->partial;
    for (uint32_t j = 0; j < s->positive_n + s->negative_n && s->partial; j++) t->node[s->label[j]]++;
}

void homer_told_forget(struct homer_told *t) {
    memset(t->node, 0, t->labels * sizeof *t->node);
    t->complete = 0;
}

void homer_told_beside(struct homer_told *t, const struct homer_window_slot *s) {
    t->beside += !s->partial;
    for (uint32_t j = 0; j < s->positive_n + s->negative_n && s->partial; j++) t->side[s->label[j]]++;
}

double homer_told_worth(struct homer_told *t, const uint32_t *label, uint32_t n, const float *all,
                        const float *side) {
    double worth = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t l = label[k];
        double a = (double)side[l], b = (double)all[l] - a;
        double own = (double)t->beside + (double)t->side[l], rest = (double)homer_told_by(t, l) - own;
        worth += (own > 0 ? a * a / own : 0) + (rest > 0 ? b * b / rest : 0);
    }
    memset(t->side, 0, t->labels * sizeof *t->side);
    t->beside = 0;
    return worth;
}

/* Shares of the whole tree: node and side serve as counts. */
static void fill_root(struct homer_told *t, const struct homer_window *w, const uint32_t *slot, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) {
        const struct homer_window_slot *s = &w->slot[slot[k]];
        homer_told_enter(t, s);
        for (uint32_t j = 0; j < s->positive_n; j++) t->side[s->label[j]]++;
    }
    for (uint32_t l = 0; l < t->labels; l++) {
        float by = homer_told_by(t, l);
        t->root[l] = by > 0 ? t->side[l] / by : 0;
        t->side[l] = 0;
    }
    homer_told_forget(t);
}

uint32_t homer_told_begin(struct homer_told *t, const struct homer_window *w, const uint32_t *slot,
                          uint32_t n, uint32_t labels, uint32_t least) {
    double told = 0, all = (double)n * labels;
    t->partial = false;
    t->labels = labels;
    for (uint32_t k = 0; k < n; k++) {
        const struct homer_window_slot *s = &w->slot[slot[k]];
        t->partial = t->partial || s->partial;
        told += s->partial ? s->positive_n + s->negative_n : labels;
    }
    if (!t->partial) return least;
    fill_root(t, w, slot, n);
    double most = told * n > all * least ? least * all / told : n, room = all / HOMER_UNTOLD;
    most = most > room ? most : room;
    return most < n ? (uint32_t)most + ((uint32_t)most < most) : n;
}

void homer_told_put_room(const struct homer_told *t, struct homer_codec *c) {
    homer_put_room(c, t->cap);
}

void homer_told_get_room(struct homer_told *t, struct homer_decoder *d) {
    t->cap = homer_get_room(d, 0);
    t->node = homer_get_block(d, t->mem, t->cap, sizeof *t->node);
    t->side = homer_get_block(d, t->mem, t->cap, sizeof *t->side);
    t->root = homer_get_block(d, t->mem, t->cap, sizeof *t->root);
}
