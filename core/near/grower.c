#include "core/near/grower.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

enum { WINDOW = HOMER_WINDOW_SLOTS, MAX_DEPTH = 40, LEAST = 2 /* instances of a leaf */, OUTSIDE = 2 };

#define KEEP 0.8f
#define LEAST_DRAWS 4
#define MOST_DRAWS 60

typedef struct homer_grower_entry entry;

void homer_grower_init(struct homer_grower *g, struct homer_mem *mem, const struct homer_window *w,
                       uint64_t seed) {
    *g = (struct homer_grower){.mem = mem, .window = w};
    homer_rng_seed(&g->rng, seed);
}

static void free_labels(struct homer_grower *g) {
    homer_mem_free(g->mem, g->all, g->label_cap, sizeof *g->all);
    homer_mem_free(g->mem, g->side, g->label_cap, sizeof *g->side);
    homer_mem_free(g->mem, g->label, g->label_cap, sizeof *g->label);
    homer_mem_free(g->mem, g->few, g->label_cap, sizeof *g->few);
}

static void free_entries(struct homer_grower *g) {
    homer_mem_free(g->mem, g->entry, g->entry_cap, sizeof *g->entry);
    homer_mem_free(g->mem, g->aside, g->entry_cap, sizeof *g->aside);
}

void homer_grower_deinit(struct homer_grower *g) {
    free_labels(g);
    free_entries(g);
    homer_mem_free(g->mem, g->slot, WINDOW, sizeof *g->slot);
    homer_mem_free(g->mem, g->right, WINDOW, sizeof *g->right);
    homer_mem_free(g->mem, g->dense, g->dense_cap, sizeof *g->dense);
}

int homer_grower_reserve(struct homer_grower *g, uint32_t labels) {
    if (!g->slot) g->slot = homer_mem_alloc(g->mem, WINDOW, sizeof *g->slot);
    if (!g->right) g->right = homer_mem_alloc(g->mem, WINDOW, sizeof *g->right);
    if (!g->slot || !g->right) return -ENOMEM;
    if (labels <= g->label_cap) return 0;
    struct homer_grower n = {.mem = g->mem, .label_cap = labels + labels / 2 + 8};
    n.all = homer_mem_alloc(g->mem, n.label_cap, sizeof *n.all);
    n.side = homer_mem_alloc(g->mem, n.label_cap, sizeof *n.side);
    n.label = homer_mem_alloc(g->mem, n.label_cap, sizeof *n.label);
    n.few = homer_mem_alloc(g->mem, n.label_cap, sizeof *n.few);
    if (!n.all || !n.side || !n.label || !n.few) {
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

static int reserve_entries(struct homer_grower *g, uint32_t need) {
    if (need <= g->entry_cap) return 0;
    uint32_t cap = need + need / 2;
    entry *a = homer_mem_alloc(g->mem, cap, sizeof *a), *b = homer_mem_alloc(g->mem, cap, sizeof *b);
    if (!a || !b) {
        homer_mem_free(g->mem, a, cap, sizeof *a);
        homer_mem_free(g->mem, b, cap, sizeof *b);
        return -ENOMEM;
    }
    free_entries(g);
    g->entry = a;
    g->aside = b;
    g->entry_cap = cap;
    return 0;
}

int homer_grower_prepare(struct homer_grower *g, struct homer_extra_tree *t, const struct homer_frame *f) {
    uint32_t positives = f->positive_n, entries = f->present_n;
    for (uint32_t age = 0; age < g->window->n; age++) {
        const struct homer_window_slot *s = &g->window->slot[homer_window_slot(g->window, age)];
        positives += s->positive_n;
        entries += s->feature_n - s->sparse;
    }
    if (reserve_entries(g, entries)) return -ENOMEM;
    if (f->dense_n > g->dense_cap) {
        uint32_t cap = f->dense_n + f->dense_n / 2;
        uint32_t *dense = homer_mem_alloc(g->mem, cap, sizeof *dense);
        if (!dense) return -ENOMEM;
        homer_mem_free(g->mem, g->dense, g->dense_cap, sizeof *dense);
        g->dense = dense;
        g->dense_cap = cap;
    }
    if (!t->node && !(t->node = homer_mem_alloc(g->mem, HOMER_TREE_NODES, sizeof *t->node))) return -ENOMEM;
    if (positives <= t->share_cap) return 0;
    uint32_t cap = positives + positives / 2;
    void *share = homer_mem_grow(g->mem, t->share, t->share_cap, cap, sizeof *t->share);
    if (!share) return -ENOMEM;
    t->share = share;
    t->share_cap = cap;
    return 0;
}

static uint32_t below(struct homer_rng *r, uint32_t n) {
    return (uint32_t)((homer_rng_next(r) >> 32) * n >> 32);
}

static float unit(struct homer_rng *r) {
    return (float)(homer_rng_next(r) >> 40) * 0x1p-24f;
}

/* What is left to be split: instances and sparse entries. */
struct part {
    uint32_t *slot;
    entry *entry;
    uint32_t n, entries;
    double squares; /* sum of squared counts of positives */
};

struct split {
    uint32_t feature;
    float threshold;
    bool dense;
    double score;
};

/* Counts the positives of an instance on the side at hand; m labels have a count so far. */
static inline uint32_t count_side(struct homer_grower *g, uint32_t slot, uint32_t m) {
    const struct homer_window_slot *s = &g->window->slot[slot];
    for (uint32_t j = 0; j < s->positive_n; j++)
        if (g->side[s->label[j]]++ == 0) g->few[m++] = s->label[j];
    return m;
}

/* Offers the split whose one side has `few` instances and m counted labels; clears the counts. */
static void offer(struct homer_grower *g, const struct part *p, uint32_t few, uint32_t m, struct split *best,
                  struct split s) {
    double own = 0, cross = 0, rest = (double)p->n - few;
    for (uint32_t k = 0; k < m; k++) {
        double c = (double)g->side[g->few[k]];
        own += c * c;
        cross += c * (double)g->all[g->few[k]];
        g->side[g->few[k]] = 0;
    }
    if (few < LEAST || rest < LEAST) return;
    s.score = own / few + (p->squares - 2 * cross + own) / rest;
    if (s.score > best->score) *best = s;
}

static void try_dense(struct homer_grower *g, const struct part *p, struct split *best) {
    uint32_t feature = g->dense[below(&g->rng, g->dense_n)], few = 0, m = 0;
    const float *column = g->window->dense.column[feature];
    float a = column[p->slot[below(&g->rng, p->n)]], b = column[p->slot[below(&g->rng, p->n)]];
    float threshold = a + unit(&g->rng) * (b - a);
    for (uint32_t k = 0; k < p->n; k++) {
        if (!(column[p->slot[k]] > threshold)) continue;
        few++;
        m = count_side(g, p->slot[k], m);
    }
    offer(g, p, few, m, best, (struct split){feature, threshold, true, 0});
}

static void try_sparse(struct homer_grower *g, const struct part *p, struct split *best) {
    uint32_t at = below(&g->rng, p->entries), few = 0, m = 0, feature = p->entry[at].feature;
    float x = p->entry[at].x, threshold = unit(&g->rng) * x;
    if (!(threshold < 0) && !(threshold > 0))
        return; /* would not part what is absent from what is negative */
    while (at > 0 && p->entry[at - 1].feature == feature) at--;
    for (; at < p->entries && p->entry[at].feature == feature; at++) {
        bool beyond = x > 0 ? p->entry[at].x > threshold : !(p->entry[at].x > threshold);
        if (!beyond) continue;
        few++;
        m = count_side(g, p->entry[at].slot, m);
    }
    offer(g, p, few, m, best, (struct split){feature, threshold, false, 0});
}

/* Marks who goes right. */
static void mark(struct homer_grower *g, const struct part *p, const struct split *s) {
    if (s->dense) {
        const float *column = g->window->dense.column[s->feature];
        for (uint32_t k = 0; k < p->n; k++) g->right[p->slot[k]] = column[p->slot[k]] > s->threshold;
        return;
    }
    for (uint32_t k = 0; k < p->n; k++) g->right[p->slot[k]] = 0 > s->threshold;
    for (uint32_t k = 0; k < p->entries; k++)
        if (p->entry[k].feature == s->feature) g->right[p->entry[k].slot] = p->entry[k].x > s->threshold;
}

/* Parts p into left, which is returned, and what is left of it: the right. */
static struct part part_off(struct homer_grower *g, struct part *p) {
    struct part left = *p;
    uint32_t n = 0, entries = 0, aside = 0;
    for (uint32_t k = 0; k < p->n; k++) {
        uint32_t s = p->slot[k];
        if (g->right[s]) continue;
        p->slot[k] = p->slot[n];
        p->slot[n++] = s;
    }
    for (uint32_t k = 0; k < p->entries; k++) {
        if (g->right[p->entry[k].slot])
            g->aside[aside++] = p->entry[k];
        else
            p->entry[entries++] = p->entry[k];
    }
    if (aside) memcpy(p->entry + entries, g->aside, aside * sizeof(entry));
    left.n = n;
    left.entries = entries;
    p->slot += n;
    p->n -= n;
    p->entry += entries;
    p->entries = aside;
    return left;
}

static void grow_node(struct homer_grower *g, struct homer_extra_tree *t, uint32_t node, struct part p,
                      uint32_t draws, int depth) {
    uint32_t m = 0;
    bool pure = true;
    p.squares = 0;
    for (uint32_t k = 0; k < p.n; k++) {
        const struct homer_window_slot *s = &g->window->slot[p.slot[k]];
        for (uint32_t j = 0; j < s->positive_n; j++)
            if (g->all[s->label[j]]++ == 0) g->label[m++] = s->label[j];
    }
    for (uint32_t k = 0; k < m; k++) {
        double c = (double)g->all[g->label[k]];
        p.squares += c * c;
        pure = pure && c == p.n;
    }
    struct split best = {.score = p.squares / p.n + 1e-9, .feature = UINT32_MAX};
    if (!pure && p.n >= 2 * LEAST && depth < MAX_DEPTH && t->nodes + 2 <= HOMER_TREE_NODES)
        for (uint32_t k = 0; k < draws; k++) {
            uint32_t widths = g->dense_n * p.n + p.entries;
            if (widths && below(&g->rng, widths) >= p.entries)
                try_dense(g, &p, &best);
            else if (p.entries)
                try_sparse(g, &p, &best);
        }
    if (best.feature == UINT32_MAX) {
        t->node[node] = (struct homer_extra_node){.share = t->shares, .shares = m};
        for (uint32_t k = 0; k < m; k++)
            t->share[t->shares++] = (struct homer_extra_share){g->label[k], g->all[g->label[k]] / (float)p.n};
    }
    for (uint32_t k = 0; k < m; k++) g->all[g->label[k]] = 0;
    if (best.feature == UINT32_MAX) return;
    uint32_t child = t->nodes;
    t->nodes += 2;
    t->node[node] =
        (struct homer_extra_node){.feature = best.feature, .threshold = best.threshold, .child = child};
    mark(g, &p, &best);
    struct part left = part_off(g, &p);
    grow_node(g, t, child, left, draws, depth + 1);
    grow_node(g, t, child + 1, p, draws, depth + 1);
}

/* The sparse entries of the tree's instances, by feature. */
static uint32_t collect(struct homer_grower *g, uint32_t features) {
    uint32_t n = 0;
    for (uint32_t j = 0; j < features; j++) {
        const struct homer_posting_list *l = &g->window->sparse.list[j];
        for (uint32_t i = 0; i < l->n; i++) {
            const struct homer_posting *p = &l->ring[(l->head + i) & (l->cap - 1)];
            if (g->right[p->slot] != OUTSIDE) g->entry[n++] = (entry){j, p->slot, p->x};
        }
    }
    return n;
}

void homer_grower_grow(struct homer_grower *g, struct homer_extra_tree *t, const struct homer_frame *f) {
    struct part root = {.slot = g->slot, .entry = g->entry};
    memset(g->right, OUTSIDE, WINDOW);
    for (uint32_t age = 0; age < g->window->n; age++) {
        uint32_t s = homer_window_slot(g->window, age);
        if (g->window->slot[s].partial || !(unit(&g->rng) < KEEP)) continue;
        g->right[s] = 0;
        root.slot[root.n++] = s;
    }
    g->dense_n = 0;
    for (uint32_t i = 0; i < f->dense_n; i++)
        if (g->window->dense.column[f->dense[i]]) g->dense[g->dense_n++] = f->dense[i];
    root.entries = collect(g, f->features);
    float most = homer_clip(2 * sqrtf((float)f->features), LEAST_DRAWS, MOST_DRAWS);
    t->nodes = 1;
    t->shares = 0;
    if (root.n)
        grow_node(g, t, 0, root, (uint32_t)most, 0);
    else
        t->node[0] = (struct homer_extra_node){0};
}

void homer_grower_put_room(const struct homer_grower *g, struct homer_codec *c) {
    homer_put_room(c, g->slot != NULL);
    homer_put_room(c, g->right != NULL);
    homer_put_room(c, g->label_cap);
    homer_put_room(c, g->entry_cap);
    homer_put_room(c, g->dense_cap);
}

void homer_grower_get_room(struct homer_grower *g, struct homer_decoder *d) {
    if (homer_get_room(d, 0)) g->slot = homer_get_block(d, g->mem, WINDOW, sizeof *g->slot);
    if (homer_get_room(d, 0)) g->right = homer_get_block(d, g->mem, WINDOW, sizeof *g->right);
    g->label_cap = homer_get_room(d, 0);
    g->all = homer_get_block(d, g->mem, g->label_cap, sizeof *g->all);
    g->side = homer_get_block(d, g->mem, g->label_cap, sizeof *g->side);
    g->label = homer_get_block(d, g->mem, g->label_cap, sizeof *g->label);
    g->few = homer_get_block(d, g->mem, g->label_cap, sizeof *g->few);
    g->entry_cap = homer_get_room(d, 0);
    g->entry = homer_get_block(d, g->mem, g->entry_cap, sizeof *g->entry);
    g->aside = homer_get_block(d, g->mem, g->entry_cap, sizeof *g->aside);
    g->dense_cap = homer_get_room(d, 0);
    g->dense = homer_get_block(d, g->mem, g->dense_cap, sizeof *g->dense);
}
