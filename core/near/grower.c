#include "core/near/grower.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

enum {
    WINDOW = HOMER_WINDOW_SLOTS,
    MAX_DEPTH = 40,
    LEAST = 2 /* instances of a leaf */,
    LEAST_SPLIT = 6,
    SIZE = HOMER_SAMPLE_SIZE,
    WORDS = HOMER_SAMPLE_WORDS
};

#define KEEP 0.8f
#define LEAST_DRAWS 4
#define MOST_DRAWS 60

void homer_grower_init(struct homer_grower *g, struct homer_mem *mem, const struct homer_window *w,
                       uint64_t seed) {
    *g = (struct homer_grower){.mem = mem, .window = w};
    homer_rng_seed(&g->rng, seed);
    homer_sample_init(&g->sample, mem, w);
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

int homer_grower_prepare(struct homer_grower *g, struct homer_extra_tree *t, const struct homer_frame *f) {
    uint32_t positives = f->positive_n;
    for (uint32_t age = 0; age < g->window->n; age++)
        positives += g->window->slot[homer_window_slot(g->window, age)].positive_n;
    if (homer_sample_reserve(&g->sample, f)) return -ENOMEM;
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

/* What is left to be split: its instances, and those of the sample among them. Where these are all, `slot` is
 * not kept in order any more. */
struct part {
    uint32_t *slot;
    uint8_t *id;
    uint32_t n, size, take; /* take: of the sample that the ids are of */
};

/* A node's instances of the sample. */
struct sight {
    uint64_t set[WORDS];
    uint32_t entries; /* sparse ones */
    uint32_t labels;  /* that have a count */
    double squares;   /* sum of squared counts of positives */
    bool pure;
};

struct split {
    uint32_t feature;
    float threshold;
    bool dense;
    double score;
    uint64_t right[WORDS];
};

static void take(struct homer_grower *g, struct part *p) {
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

static struct sight look(struct homer_grower *g, const struct part *p) {
    const struct homer_sample *s = &g->sample;
    struct sight v = {.pure = true};
    for (uint32_t k = 0; k < p->size; k++) {
        uint32_t i = p->id[k];
        const struct homer_window_slot *w = &g->window->slot[s->slot[i]];
        v.set[i / 64] |= (uint64_t)1 << (i % 64);
        g->upto[k] = v.entries += w->feature_n - w->sparse;
        for (uint32_t j = s->first_label[i]; j < s->first_label[i + 1]; j++)
            if (g->all[s->label[j]]++ == 0) g->label[v.labels++] = s->label[j];
    }
    for (uint32_t k = 0; k < v.labels; k++) {
        double c = (double)g->all[g->label[k]];
        v.squares += c * c;
        v.pure = v.pure && c == p->size;
    }
    return v;
}

static inline uint32_t count(const uint64_t *set) {
    uint32_t n = 0;
    for (int w = 0; w < WORDS; w++) n += (uint32_t)__builtin_popcountll(set[w]);
    return n;
}

/* Offers the split with this right side. The counts of the smaller side tell those of the other. */
HOMER_WIDE static void offer(struct homer_grower *g, const struct part *p, const struct sight *v,
                             struct split *best, struct split *s) {
    const struct homer_sample *sample = &g->sample;
    uint32_t few = count(s->right), m = 0;
    bool left = 2 * few > p->size;
    if (left) few = p->size - few;
    if (few < LEAST) return;
    double own = 0, cross = 0;
    for (uint32_t w = 0; w < WORDS; w++)
        for (uint64_t set = left ? v->set[w] & ~s->right[w] : s->right[w]; set; set &= set - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(set);
            for (uint32_t j = sample->first_label[i]; j < sample->first_label[i + 1]; j++)
                if (g->side[sample->label[j]]++ == 0) g->few[m++] = sample->label[j];
        }
    for (uint32_t k = 0; k < m; k++) {
        double c = (double)g->side[g->few[k]];
        own += c * c;
        cross += c * (double)g->all[g->few[k]];
        g->side[g->few[k]] = 0;
    }
    s->score = own / few + (v->squares - 2 * cross + own) / (p->size - few);
    if (s->score > best->score) *best = *s;
}

static void try_dense(struct homer_grower *g, const struct part *p, const struct sight *v,
                      struct split *best) {
    struct split s = {.dense = true, .feature = g->dense[below(&g->rng, g->dense_n)]};
    const float *column = g->window->dense.column[s.feature];
    const uint32_t *slot = g->sample.slot;
    float a = column[slot[p->id[below(&g->rng, p->size)]]], b = column[slot[p->id[below(&g->rng, p->size)]]];
    s.threshold = a + unit(&g->rng) * (b - a);
    for (uint32_t k = 0; k < p->size; k++) {
        uint32_t i = p->id[k];
        s.right[i / 64] |= (uint64_t)(column[slot[i]] > s.threshold) << (i % 64);
    }
    offer(g, p, v, best, &s);
}

static void try_sparse(struct homer_grower *g, const struct part *p, const struct sight *v, uint32_t entry,
                       struct split *best) {
    uint32_t low = 0;
    for (uint32_t high = p->size - 1; low < high;) { /* whose entry it is */
        uint32_t middle = (low + high) / 2;
        if (g->upto[middle] > entry)
            high = middle;
        else
            low = middle + 1;
    }
    const struct homer_window_slot *w = &g->window->slot[g->sample.slot[p->id[low]]];
    uint32_t at = w->feature_n - (g->upto[low] - entry);
    struct split s = {.feature = w->feature[at], .threshold = unit(&g->rng) * w->x[at]};
    if (!(s.threshold < 0) && !(s.threshold > 0))
        return; /* would not part what is absent from what is negative */
    homer_sample_beyond(&g->sample, s.feature, s.threshold, v->set, s.right);
    for (int k = 0; k < WORDS && s.threshold < 0; k++) s.right[k] = v->set[k] & ~s.right[k];
    offer(g, p, v, best, &s);
}

/* Marks who goes right. */
static void mark(struct homer_grower *g, const struct part *p, const struct split *s) {
    if (s->dense) {
        const float *column = g->window->dense.column[s->feature];
        for (uint32_t k = 0; k < p->n; k++) g->right[p->slot[k]] = column[p->slot[k]] > s->threshold;
        return;
    }
    const struct homer_posting_list *l = &g->window->sparse.list[s->feature];
    for (uint32_t k = 0; k < p->n; k++) g->right[p->slot[k]] = 0 > s->threshold;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct homer_posting *e = &l->ring[(l->head + i) & (l->cap - 1)];
        g->right[e->slot] = e->x > s->threshold;
    }
}

/* Parts p into left, which is returned, and what is left of it: the right. */
static struct part part_off(struct homer_grower *g, struct part *p, const struct split *s) {
    struct part left = *p;
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
        mark(g, p, s);
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

/* Counts the positives of all of a node's instances where the sample has a part of them only. */
static uint32_t count_all(struct homer_grower *g, const struct part *p) {
    uint32_t m = 0;
    for (uint32_t k = 0; k < p->n; k++) {
        const struct homer_window_slot *s = &g->window->slot[p->slot[k]];
        for (uint32_t j = 0; j < s->positive_n; j++)
            if (g->all[s->label[j]]++ == 0) g->label[m++] = s->label[j];
    }
    return m;
}

static void clear(struct homer_grower *g, uint32_t labels) {
    for (uint32_t k = 0; k < labels; k++) g->all[g->label[k]] = 0;
}

/* Leaves no counts. */
static void make_leaf(struct homer_grower *g, struct homer_extra_tree *t, uint32_t node, const struct part *p,
                      uint32_t labels) {
    if (p->size < p->n) {
        clear(g, labels);
        labels = count_all(g, p);
    }
    t->node[node] = (struct homer_extra_node){.share = t->shares, .shares = labels};
    for (uint32_t k = 0; k < labels; k++)
        t->share[t->shares++] = (struct homer_extra_share){g->label[k], g->all[g->label[k]] / (float)p->n};
    clear(g, labels);
}

static void grow_node(struct homer_grower *g, struct homer_extra_tree *t, uint32_t node, struct part p,
                      uint32_t draws, int depth) {
    if (p.take != g->takes || (p.size < p.n && p.size < SIZE / 4)) take(g, &p);
    struct sight v = look(g, &p);
    bool all = p.size == p.n; /* else any split is better than none */
    struct split best = {.score = all ? v.squares / p.n + 1e-9 : -1, .feature = UINT32_MAX};
    if (draws > p.size) draws = p.size;
    if (!(v.pure && all) && p.n >= LEAST_SPLIT && depth < MAX_DEPTH && t->nodes + 2 <= HOMER_TREE_NODES)
        for (uint32_t k = 0; k < draws; k++) {
            uint32_t widths = g->dense_n * p.size + v.entries, at = widths ? below(&g->rng, widths) : 0;
            if (at < v.entries)
                try_sparse(g, &p, &v, at, &best);
            else if (widths)
                try_dense(g, &p, &v, &best);
        }
    if (best.feature == UINT32_MAX) {
        make_leaf(g, t, node, &p, v.labels);
        return;
    }
    clear(g, v.labels);
    uint32_t child = t->nodes;
    t->nodes += 2;
    t->node[node] =
        (struct homer_extra_node){.feature = best.feature, .threshold = best.threshold, .child = child};
    struct part left = part_off(g, &p, &best);
    grow_node(g, t, child, left, draws, depth + 1);
    grow_node(g, t, child + 1, p, draws, depth + 1);
}

void homer_grower_grow(struct homer_grower *g, struct homer_extra_tree *t, const struct homer_frame *f) {
    struct part root = {.slot = g->slot};
    for (uint32_t age = 0; age < g->window->n; age++) {
        uint32_t s = homer_window_slot(g->window, age);
        if (g->window->slot[s].partial || !(unit(&g->rng) < KEEP)) continue;
        root.slot[root.n++] = s;
    }
    g->dense_n = 0;
    for (uint32_t i = 0; i < f->dense_n; i++)
        if (g->window->dense.column[f->dense[i]]) g->dense[g->dense_n++] = f->dense[i];
    g->takes = 0;
    root.take = UINT32_MAX; /* of none yet */
    float most = homer_clip(2 * sqrtf((float)f->features), LEAST_DRAWS, MOST_DRAWS);
    t->nodes = 1;
    t->shares = 0;
    if (root.n)
        grow_node(g, t, 0, root, (uint32_t)most, 0);
    else
        t->node[0] = (struct homer_extra_node){0};
}
