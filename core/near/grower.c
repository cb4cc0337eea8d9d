#include "core/near/split.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

enum { WINDOW = HOMER_WINDOW_SLOTS, SIZE = HOMER_SAMPLE_SIZE, MAX_DEPTH = 40, LEAST_SPLIT = 6 };

#define KEEP 0.8
#define LEAST_DRAWS 4
#define MOST_DRAWS 60

void homer_grower_init(struct homer_grower *g, struct homer_mem *mem, const struct homer_window *w,
                       uint64_t seed) {
    *g = (struct homer_grower){.mem = mem, .window = w};
    homer_rng_seed(&g->rng, seed);
    homer_sample_init(&g->sample, mem, w);
    homer_told_init(&g->told, mem);
}

static void free_labels(struct homer_grower *g) {
    homer_mem_free(g->mem, g->all, g->label_cap, sizeof *g->all);
    homer_mem_free(g->mem, g->side, g->label_cap, sizeof *g->side);
    homer_mem_free(g->mem, g->label, g->label_cap, sizeof *g->label);
    homer_mem_free(g->mem, g->few, g->label_cap, sizeof *g->few);
}

void homer_grower_deinit(struct homer_grower *g) {
    free_labels(g);
    homer_sample_deinit(&g->sample);
    homer_told_deinit(&g->told);
    homer_mem_free(g->mem, g->slot, WINDOW, sizeof *g->slot);
    homer_mem_free(g->mem, g->right, WINDOW, sizeof *g->right);
    homer_mem_free(g->mem, g->dense, g->dense_cap, sizeof *g->dense);
}

int homer_grower_reserve(struct homer_grower *g, uint32_t labels) {
    if (!g->slot) g->slot = homer_mem_alloc(g->mem, WINDOW, sizeof *g->slot);
    if (!g->right) g->right = homer_mem_alloc(g->mem, WINDOW, sizeof *g->right);
    if (!g->slot || !g->right) return -ENOMEM;
    if (homer_told_reserve(&g->told, labels)) return -ENOMEM;
    if (labels <= g->label_cap) return 0;
    struct homer_grower n = {.mem = g->mem, .label_cap = labels + labels / 2 + 8};
    n.all = homer_mem_alloc(g->mem, n.label_cap, sizeof *n.all);
    n.side = homer_mem_alloc(g->mem, n.label_cap, sizeof *n.side);
    n.label = homer_mem_alloc(g->mem, n.label_cap, sizeof *n.label);
    n.few = homer_mem_alloc(g->mem, n.label_cap, sizeof *n.few);
    if (!n.all || !n.side || !n.label || !n.few || homer_sample_widen(&g->sample, n.label_cap)) {
        free_labels(&n);
        return -ENOMEM;
    }
    free_labels(g);
    g->all = n.all;
    g->side = n.side;
    g->label = n.label;
    g->few = n.few;
    g->label_cap = n.label_cap;
    return 0;
}

int homer_grower_prepare(struct homer_grower *g, struct homer_extra_tree *t, const struct homer_frame *f) {
    uint32_t shares = f->positive_n;
    bool partial = !f->complete;
    for (uint32_t age = 0; age < g->window->n; age++) {
        const struct homer_window_slot *s = &g->window->slot[homer_window_slot(g->window, age)];
        shares += s->positive_n;
        partial = partial || s->partial;
    }
    if (partial) shares += HOMER_UNTOLD;
    if (homer_sample_reserve(&g->sample, f)) return -ENOMEM;
    if (f->dense_n > g->dense_cap) {
        uint32_t cap = f->dense_n + f->dense_n / 2;
        uint32_t *dense = homer_mem_alloc(g->mem, cap, sizeof *dense);
        if (!dense) return -ENOMEM;
        homer_mem_free(g->mem, g->dense, g->dense_cap, sizeof *dense);
        g->dense = dense;
        g->dense_cap = cap;
    }
    /* leaves share no instance, so that they hold no more labelsets than there will be instances */
    return homer_extra_tree_reserve(t, g->mem, shares, g->window->n + 1);
}

static void take(struct homer_grower *g, struct homer_part *p) {
    uint32_t slot[SIZE];
    p->size = p->n < SIZE ? p->n : SIZE;
    p->take = ++g->takes;
    p->id = g->id;
    for (uint32_t k = 0; k < p->size; k++) {
        slot[k] = p->slot[(uint64_t)k * p->n / p->size];
        p->id[k] = (uint8_t)k;
    }
    homer_sample_take(&g->sample, slot, p->size);
}

/* Parts p into left, which is returned, and what is left of it: the right. */
static struct homer_part part_off(struct homer_grower *g, struct homer_part *p, const struct homer_split *s) {
    struct homer_part left = *p;
    uint32_t n = 0, size = 0, aside = 0;
    for (uint32_t k = 0; k < p->size; k++) {
        uint8_t i = p->id[k];
        bool right = s->right[i / 64] >> (i % 64) & 1;
        p->id[size] = i;
        g->aside[aside] = i;
        size += !right;
        aside += right;
    }
    memcpy(p->id + size, g->aside, aside);
    if (p->size < p->n) {
        homer_split_mark(g, p, s);
        for (uint32_t k = 0; k < p->n; k++) {
            uint32_t at = p->slot[k];
            if (g->right[at]) continue;
            p->slot[k] = p->slot[n];
            p->slot[n++] = at;
        }
    } else {
        n = size;
    }
    left.n = n;
    left.size = size;
    p->slot += n;
    p->n -= n;
    p->id += size;
    p->size -= size;
    return left;
}

/* Counts all of a node's instances where the sample has a part of them only. */
static uint32_t count_all(struct homer_grower *g, const struct homer_part *p) {
    uint32_t m = 0;
    for (uint32_t k = 0; k < p->n; k++) {
        const struct homer_window_slot *s = &g->window->slot[p->slot[k]];
        if (g->told.partial) homer_told_enter(&g->told, s);
        for (uint32_t j = 0; j < s->positive_n; j++)
            if (g->all[s->label[j]]++ == 0) g->label[m++] = s->label[j];
    }
    return m;
}

static void clear(struct homer_grower *g, uint32_t labels) {
    for (uint32_t k = 0; k < labels; k++) g->all[g->label[k]] = 0;
    if (g->told.partial) homer_told_forget(&g->told);
}

/* Leaves no counts. */
static void make_leaf(struct homer_grower *g, struct homer_extra_tree *t, uint32_t node,
                      const struct homer_part *p, uint32_t labels) {
    bool all = p->size == p->n;
    if (!all) {
        clear(g, labels);
        labels = count_all(g, p);
    }
    homer_extra_tree_leaf(t, node);
    for (uint32_t k = 0; k < labels; k++) {
        uint32_t l = g->label[k];
        homer_extra_tree_add_share(t, node, l, g->all[l] / homer_split_told_by(g, l, p->n));
    }
    for (uint32_t l = 0; g->told.partial && l < g->told.labels; l++)
        if (homer_told_by(&g->told, l) == 0 && g->told.root[l] > 0)
            homer_extra_tree_add_share(t, node, l, g->told.root[l]);
    for (uint32_t k = 0; k < p->n; k++) {
        uint32_t set = g->window->slot[all ? g->sample.slot[p->id[k]] : p->slot[k]].set;
        if (set != HOMER_NO_NUMBER) homer_extra_tree_add_set(t, node, set, 1 / (float)p->n);
    }
    clear(g, labels);
}

static void grow_node(struct homer_grower *g, struct homer_extra_tree *t, uint32_t node, struct homer_part p,
                      uint32_t draws, int depth) {
    if (p.take != g->takes || (p.size < p.n && p.size < SIZE / 4)) take(g, &p);
    struct homer_sight v = homer_split_look(g, &p);
    bool all = p.size == p.n; /* else any split is better than none */
    struct homer_split best = {.score = all ? v.worth + 1e-9 : -1, .feature = UINT32_MAX};
    if (draws > p.size && !g->told.partial) draws = p.size;
    bool may_split = p.n >= LEAST_SPLIT && p.n >= 2 * g->least && !(v.pure && all);
    if (may_split && depth < MAX_DEPTH && t->nodes + 2 <= HOMER_TREE_NODES)
        for (uint32_t k = 0; k < draws; k++) homer_split_draw(g, &p, &v, &best);
    if (best.feature == UINT32_MAX) {
        make_leaf(g, t, node, &p, v.labels);
        return;
    }
    clear(g, v.labels);
    uint32_t child = t->nodes;
    t->nodes += 2;
    t->node[node] =
        (struct homer_extra_node){.feature = best.feature, .threshold = best.threshold, .child = child};
    struct homer_part left = part_off(g, &p, &best);
    grow_node(g, t, child, left, draws, depth + 1);
    grow_node(g, t, child + 1, p, draws, depth + 1);
}

void homer_grower_grow(struct homer_grower *g, struct homer_extra_tree *t, const struct homer_frame *f) {
    struct homer_part root = {.slot = g->slot};
    for (uint32_t age = 0; age < g->window->n; age++) {
        uint32_t s = homer_window_slot(g->window, age);
        if (homer_rng_unit(&g->rng) < KEEP) root.slot[root.n++] = s;
    }
    g->dense_n = 0;
    for (uint32_t i = 0; i < f->dense_n; i++)
        if (g->window->dense.column[f->dense[i]]) g->dense[g->dense_n++] = f->dense[i];
    g->takes = 0;
    root.take = UINT32_MAX; /* of none yet */
    float most = homer_clip(2 * sqrtf((float)f->features), LEAST_DRAWS, MOST_DRAWS);
    g->least = homer_told_begin(&g->told, g->window, root.slot, root.n, f->labels, HOMER_LEAST);
    t->nodes = 1;
    t->shares = t->sets = 0;
    if (root.n)
        grow_node(g, t, 0, root, (uint32_t)most, 0);
    else
        homer_extra_tree_leaf(t, 0);
}

void homer_grower_put_room(const struct homer_grower *g, struct homer_codec *c) {
    homer_put_room(c, g->slot != NULL);
    homer_put_room(c, g->right != NULL);
    homer_put_room(c, g->label_cap);
    homer_put_room(c, g->dense_cap);
    homer_sample_put_room(&g->sample, c);
    homer_told_put_room(&g->told, c);
}

void homer_grower_get_room(struct homer_grower *g, struct homer_decoder *d) {
    if (homer_get_room(d, 0)) g->slot = homer_get_block(d, g->mem, WINDOW, sizeof *g->slot);
    if (homer_get_room(d, 0)) g->right = homer_get_block(d, g->mem, WINDOW, sizeof *g->right);
    g->label_cap = homer_get_room(d, 0);
    g->all = homer_get_block(d, g->mem, g->label_cap, sizeof *g->all);
    g->side = homer_get_block(d, g->mem, g->label_cap, sizeof *g->side);
    g->label = homer_get_block(d, g->mem, g->label_cap, sizeof *g->label);
    g->few = homer_get_block(d, g->mem, g->label_cap, sizeof *g->few);
    g->dense_cap = homer_get_room(d, 0);
    g->dense = homer_get_block(d, g->mem, g->dense_cap, sizeof *g->dense);
    homer_sample_get_room(&g->sample, g->label_cap, d);
    homer_told_get_room(&g->told, d);
}
