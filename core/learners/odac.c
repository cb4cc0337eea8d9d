#include "core/learners/odac.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

#define NONE ((uint32_t)HOMER_ODAC_NONE)

void homer_odac_config_default(struct homer_odac_config *c) {
    *c = (struct homer_odac_config){.n_min = 1500, .confidence = 0.9, .tau = 0.1};
}

static size_t pairs_of(uint32_t labels) {
    return labels ? (size_t)labels * (labels - 1) / 2 : 0;
}

static size_t at(uint32_t a, uint32_t b) {
    return a < b ? pairs_of(b) + a : pairs_of(a) + b;
}

static void become_leaf(struct homer_odac *o, uint32_t slot) {
    struct homer_odac_node *n = &o->node[slot];
    n->child[0] = n->child[1] = NONE;
    n->n = 0;
    n->tested = false;
}

int homer_odac_init(struct homer_odac *o, struct homer_mem *mem, const struct homer_odac_config *config) {
    *o = (struct homer_odac){.mem = mem, .config = *config, .timer = config->n_min, .leaves = 1, .ids = 1};
    int rc = homer_odac_reserve(o, 1);
    if (rc) return rc;
    o->node[0] = (struct homer_odac_node){.id = 1, .parent = NONE, .used = true};
    become_leaf(o, 0);
    return 0;
}

void homer_odac_deinit(struct homer_odac *o) {
    homer_mem_free(o->mem, o->node, o->cap ? (size_t)2 * o->cap - 1 : 0, sizeof *o->node);
    homer_mem_free(o->mem, o->leaf_of, o->cap, sizeof *o->leaf_of);
    homer_mem_free(o->mem, o->count, o->cap, sizeof *o->count);
    homer_mem_free(o->mem, o->member, o->cap, sizeof *o->member);
    homer_mem_free(o->mem, o->change, o->cap, sizeof *o->change);
    homer_mem_free(o->mem, o->pair, pairs_of(o->cap) + 1, sizeof *o->pair);
    *o = (struct homer_odac){.mem = o->mem};
}

/* Frees what has room for cap labels. */
static void drop(struct homer_odac *o, struct homer_odac *wide) {
    wide->mem = o->mem;
    homer_odac_deinit(wide);
}

static int widen(struct homer_odac *o, uint32_t cap) {
    struct homer_odac wide = {.mem = o->mem, .cap = cap};
    wide.node = homer_mem_alloc(o->mem, (size_t)2 * cap - 1, sizeof *wide.node);
    wide.leaf_of = homer_mem_alloc(o->mem, cap, sizeof *wide.leaf_of);
    wide.count = homer_mem_alloc(o->mem, cap, sizeof *wide.count);
    wide.member = homer_mem_alloc(o->mem, cap, sizeof *wide.member);
    wide.change = homer_mem_alloc(o->mem, cap, sizeof *wide.change);
    wide.pair = homer_mem_alloc(o->mem, pairs_of(cap) + 1, sizeof *wide.pair);
    if (!wide.node || !wide.leaf_of || !wide.count || !wide.member || !wide.change || !wide.pair) {
        drop(o, &wide);
        return -ENOMEM;
    }
    struct homer_odac old = *o;
    if (o->cap) {
        memcpy(wide.node, o->node, ((size_t)2 * o->cap - 1) * sizeof *o->node);
        memcpy(wide.leaf_of, o->leaf_of, o->cap * sizeof *o->leaf_of);
        memcpy(wide.count, o->count, o->cap * sizeof *o->count);
        memcpy(wide.pair, o->pair, pairs_of(o->cap) * sizeof *o->pair);
    }
    o->node = wide.node;
    o->leaf_of = wide.leaf_of;
    o->count = wide.count;
    o->member = wide.member;
    o->change = wide.change;
    o->pair = wide.pair;
    o->cap = cap;
    drop(o, &old);
    return 0;
}

int homer_odac_reserve(struct homer_odac *o, uint32_t labels) {
    return labels <= o->cap ? 0 : widen(o, labels + labels / 4);
}

uint32_t homer_odac_next(const struct homer_odac *o, uint32_t slot) {
    if (!homer_odac_is_leaf(o, slot)) return o->node[slot].child[0];
    while (o->node[slot].parent != NONE) {
        const struct homer_odac_node *up = &o->node[o->node[slot].parent];
        if (up->child[0] == slot) return up->child[1];
        slot = o->node[slot].parent;
    }
    return NONE;
}

uint32_t homer_odac_target(const struct homer_odac *o) {
    uint32_t best = 0, least = NONE;
    for (uint32_t s = 0; s != NONE; s = homer_odac_next(o, s)) {
        if (!homer_odac_is_leaf(o, s) || o->node[s].labels >= least) continue;
        least = o->node[s].labels;
        best = s;
    }
    return best;
}

void homer_odac_arrive(struct homer_odac *o, uint32_t labels) {
    if (labels == o->labels) return;
    uint32_t target = homer_odac_target(o), more = labels - o->labels;
    for (uint32_t l = o->labels; l < labels; l++) {
        o->leaf_of[l] = target;
        o->count[l] = 0;
        memset(o->pair + pairs_of(l), 0, l * sizeof *o->pair);
    }
    for (uint32_t s = target; s != NONE; s = o->node[s].parent) o->node[s].labels += more;
    o->labels = labels;
}

double homer_odac_dissimilarity(const struct homer_odac *o, uint32_t a, uint32_t b) {
    double both = o->pair[at(a, b)], either = (double)o->count[a] + o->count[b] - both;
    return either > 0 ? 1 - both / either : 1;
}

/* The labels of a leaf: member[return], ascending. */
static uint32_t members(const struct homer_odac *o, uint32_t slot) {
    uint32_t n = 0;
    for (uint32_t l = 0; l < o->labels; l++)
        if (o->leaf_of[l] == slot) o->member[n++] = l;
    return n;
}

static void clear_counts(struct homer_odac *o, uint32_t m) {
    for (uint32_t i = 0; i < m; i++) {
        o->count[o->member[i]] = 0;
        for (uint32_t j = 0; j < i; j++) o->pair[at(o->member[i], o->member[j])] = 0;
    }
}

static void note(struct homer_odac *o, uint32_t slot, bool split, double before, double after) {
    if (o->changes < o->cap)
        o->change[o->changes++] = (struct homer_odac_change){.node = o->node[slot].id,
                                                             .split = split,
                                                             .labels = o->node[slot].labels,
                                                             .before = before,
                                                             .after = after};
    o->generation++;
}

/* Makes an inner node a leaf, and forgets what was below. */
static void collapse(struct homer_odac *o, uint32_t slot) {
    for (uint32_t s = slot;;) { /* all slots below become free */
        s = homer_odac_next(o, s);
        if (s == NONE || o->node[s].depth <= o->node[slot].depth) break;
        o->leaves -= homer_odac_is_leaf(o, s);
        o->node[s].used = false;
    }
    for (uint32_t l = 0; l < o->labels; l++)
        if (!o->node[o->leaf_of[l]].used) o->leaf_of[l] = slot;
    o->leaves += !homer_odac_is_leaf(o, slot);
    become_leaf(o, slot);
    clear_counts(o, members(o, slot));
}

static uint32_t free_slot(const struct homer_odac *o) {
    uint32_t s = 1;
    while (o->node[s].used) s++;
    return s;
}

struct diameters {
    double d0, d1, d2, mean;
    uint32_t a, b; /* pivots */
};

static struct diameters measure(const struct homer_odac *o, uint32_t m) {
    struct diameters d = {.d0 = 2, .d1 = -1, .d2 = -1};
    double sum = 0;
    for (uint32_t j = 1; j < m; j++)
        for (uint32_t i = 0; i < j; i++) {
            double x = homer_odac_dissimilarity(o, o->member[i], o->member[j]);
            sum += x;
            if (x < d.d0) d.d0 = x;
            if (x > d.d1) {
                d.d2 = d.d1;
                d.d1 = x;
                d.a = o->member[i];
                d.b = o->member[j];
            } else if (x > d.d2) {
                d.d2 = x;
            }
        }
    d.mean = m > 1 ? sum / (double)pairs_of(m) : 0;
    return d;
}

/* The largest dissimilarity of two members that side[] says are on that side. */
static double side_diameter(const struct homer_odac *o, uint32_t m, uint32_t slot) {
    double most = 0;
    for (uint32_t j = 1; j < m; j++)
        for (uint32_t i = 0; i < j && o->leaf_of[o->member[j]] == slot; i++) {
            if (o->leaf_of[o->member[i]] != slot) continue;
            double x = homer_odac_dissimilarity(o, o->member[i], o->member[j]);
            if (x > most) most = x;
        }
    return most;
}

static void split(struct homer_odac *o, uint32_t slot, uint32_t m, const struct diameters *d) {
    uint32_t child[2];
    for (int k = 0; k < 2; k++) {
        child[k] = free_slot(o);
        o->node[child[k]] = (struct homer_odac_node){
            .id = ++o->ids, .parent = slot, .depth = o->node[slot].depth + 1, .used = true};
        become_leaf(o, child[k]);
    }
    for (uint32_t i = 0; i < m; i++) {
        uint32_t l = o->member[i], k;
        if (l == d->a || l == d->b)
            k = l == d->b;
        else
            k = homer_odac_dissimilarity(o, l, d->a) >= homer_odac_dissimilarity(o, l, d->b);
        o->leaf_of[l] = child[k];
        o->node[child[k]].labels++;
    }
    o->node[slot].child[0] = child[0];
    o->node[slot].child[1] = child[1];
    o->leaves++;
    double first = side_diameter(o, m, child[0]), second = side_diameter(o, m, child[1]);
    note(o, slot, true, d->d1, first > second ? first : second);
    clear_counts(o, m);
}

static void test(struct homer_odac *o, uint32_t slot) {
    struct homer_odac_node *n = &o->node[slot];
    uint32_t m = n->n ? members(o, slot) : 0;
    if (m < 2) return;
    struct diameters d = measure(o, m);
    n->diameter = d.d1;
    n->e = sqrt(-homer_log_double(o->config.confidence) / (2 * (double)n->n));
    n->tested = true;
    const struct homer_odac_node *up = n->parent == NONE ? NULL : &o->node[n->parent];
    if (up && d.d1 - up->diameter > (up->e > n->e ? up->e : n->e)) {
        uint32_t parent = n->parent;
        note(o, parent, false, d.d1, up->diameter);
        collapse(o, parent);
        return;
    }
    bool sure = m > 2 && (d.d1 - d.d2 > n->e || n->e < o->config.tau);
    if (sure && (d.d1 - d.d0) * fabs(d.d1 + d.d0 - 2 * d.mean) > n->e) split(o, slot, m, &d);
}

bool homer_odac_learn(struct homer_odac *o, const uint32_t *on, uint32_t n) {
    uint64_t before = o->generation;
    o->changes = 0;
    for (uint32_t j = 0; j < n; j++) {
        o->count[on[j]]++;
        for (uint32_t i = 0; i < j; i++)
            if (o->leaf_of[on[i]] == o->leaf_of[on[j]]) o->pair[at(on[i], on[j])]++;
    }
    for (uint32_t s = 0; s != NONE; s = homer_odac_next(o, s)) o->node[s].n += homer_odac_is_leaf(o, s);
    if (--o->timer) return false;
    o->timer = o->config.n_min;
    uint32_t last = 2 * o->cap - 1; /* slots of new leaves have n = 0 and are passed over */
    for (uint32_t s = 0; s < last; s++)
        if (o->node[s].used && homer_odac_is_leaf(o, s)) test(o, s);
    return o->generation != before;
}

void homer_odac_restart(struct homer_odac *o) {
    o->changes = 0;
    o->timer = o->config.n_min;
    o->generation++;
    collapse(o, 0);
}

void homer_odac_encode(const struct homer_odac *o, struct homer_codec *c) {
    homer_put_u32(c, o->labels);
    homer_put_u32(c, o->timer);
    homer_put_u64(c, o->ids);
    homer_put_u64(c, o->generation);
    homer_put_room(c, o->cap);
    homer_put_room(c, 2 * o->leaves - 1);
    for (uint32_t s = 0; s != NONE; s = homer_odac_next(o, s)) {
        const struct homer_odac_node *n = &o->node[s];
        homer_put_u32(c, s);
        homer_put_u64(c, n->id);
        homer_put_u32(c, n->depth);
        homer_put_u64(c, n->n);
        homer_put_f64(c, n->diameter);
        homer_put_f64(c, n->e);
    }
    homer_put_u32s(c, o->leaf_of, o->labels);
    homer_put_u32s(c, o->count, o->labels);
    homer_put_u32s(c, o->pair, pairs_of(o->labels));
}

/* Hangs the node of a slot into the tree, which comes in preorder; `last` is the one before. */
static void hang(struct homer_odac *o, uint32_t slot, uint32_t last, struct homer_decoder *d) {
    struct homer_odac_node *n = &o->node[slot];
    if (!homer_get_holds(d, n->depth > 0 && n->depth <= o->node[last].depth + 1)) return;
    while (o->node[last].depth >= n->depth) last = o->node[last].parent;
    int side = o->node[last].child[0] != NONE;
    homer_get_holds(d, o->node[last].child[side] == NONE);
    n->parent = last;
    o->node[last].child[side] = slot;
}

static void decode_nodes(struct homer_odac *o, uint32_t nodes, struct homer_decoder *d) {
    uint32_t slots = 2 * o->cap - 1, last = 0;
    for (uint32_t i = 0; i < nodes && !d->error; i++) {
        uint32_t s = homer_get_u32(d);
        if (!homer_get_holds(d, s < slots && !o->node[s].used && (i > 0 || s == 0))) return;
        o->node[s] = (struct homer_odac_node){.id = homer_get_u64(d), .parent = NONE, .used = true};
        become_leaf(o, s);
        o->node[s].depth = homer_get_most(d, i ? o->labels : 0);
        if (i) hang(o, s, last, d);
        o->node[s].n = homer_get_u64(d);
        o->node[s].diameter = homer_get_f64(d);
        o->node[s].e = homer_get_f64(d);
        last = s;
    }
}

/* Every label is in a leaf, and a leaf has labels unless there are none. */
static void check_leaves(struct homer_odac *o, struct homer_decoder *d) {
    for (uint32_t l = 0; l < o->labels && !d->error; l++) {
        uint32_t s = o->leaf_of[l];
        if (!homer_get_holds(d, o->node[s].used && homer_odac_is_leaf(o, s))) return;
        for (; s != NONE; s = o->node[s].parent) o->node[s].labels++;
    }
    o->leaves = 0;
    for (uint32_t s = 0; s != NONE && !d->error; s = homer_odac_next(o, s)) {
        bool leaf = homer_odac_is_leaf(o, s);
        o->leaves += leaf;
        homer_get_holds(d, leaf ? o->node[s].labels || !o->labels : o->node[s].child[1] != NONE);
    }
}

void homer_odac_decode(struct homer_odac *o, uint32_t labels, struct homer_decoder *d) {
    struct homer_odac_config config = o->config;
    homer_odac_deinit(o); /* the room it began with */
    o->config = config;
    o->labels = homer_get_u32(d);
    homer_get_holds(d, o->labels == labels);
    o->timer = homer_get_most(d, config.n_min);
    o->ids = homer_get_u64(d);
    o->generation = homer_get_u64(d);
    uint32_t cap = homer_get_room(d, labels ? labels : 1), nodes = homer_get_room(d, 1);
    if (!homer_get_holds(d, o->timer > 0 && nodes <= 2 * cap - 1)) return;
    if (widen(o, cap)) homer_get_fail(d, -ENOMEM);
    if (d->error) return;
    decode_nodes(o, nodes, d);
    homer_get_ids(d, o->leaf_of, labels, 2 * cap - 1);
    homer_get_u32s(d, o->count, labels);
    homer_get_u32s(d, o->pair, pairs_of(labels));
    check_leaves(o, d);
}
