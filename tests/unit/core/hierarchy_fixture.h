/* Streams of labelsets, and what a partition is judged by. */
#ifndef HOMER_TESTS_HIERARCHY_FIXTURE_H
#define HOMER_TESTS_HIERARCHY_FIXTURE_H

#include "written_fixture.h"
#include "core/labels/hierarchy.h"

enum { FIXTURE_LABELS = 1024 };

struct labelset {
    uint32_t y[FIXTURE_LABELS];
    uint32_t n;
};

static inline void labelset_add(struct labelset *s, uint32_t label) {
    for (uint32_t k = 0; k < s->n; k++)
        if (s->y[k] == label) return;
    s->y[s->n++] = label;
}

static inline void labelset_sort(struct labelset *s) {
    qsort(s->y, s->n, sizeof *s->y, fixture_by_id);
}

static inline void hierarchy_start(struct homer_hierarchy *h, struct homer_mem *mem) {
    struct homer_hierarchy_config c;
    homer_hierarchy_config_default(&c);
    *mem = (struct homer_mem){0};
    assert_int_equal(homer_hierarchy_init(h, mem, &c), 0);
}

static inline void hierarchy_stop(struct homer_hierarchy *h) {
    struct homer_mem *mem = h->mem;
    homer_hierarchy_deinit(h);
    assert_int_equal(mem->used_bytes, 0);
}

/* Labels in planted groups: an instance has one group; its members come with their own frequencies, others as
 * noise. */
struct planted {
    struct dice dice;
    uint32_t labels, groups;
    uint32_t group[FIXTURE_LABELS];
    double frequency[FIXTURE_LABELS];
    double noise; /* expected labels of other groups in an instance */
};

static inline void planted_init(struct planted *p, uint64_t seed, uint32_t groups, uint32_t size) {
    *p = (struct planted){.dice = {seed}, .labels = groups * size, .groups = groups, .noise = 0.2};
    for (uint32_t l = 0; l < p->labels; l++) {
        p->group[l] = l % groups;
        p->frequency[l] = 0.25 + 0.3 * dice_unit(&p->dice);
    }
}

static inline void planted_next(struct planted *p, struct labelset *s) {
    uint32_t g = dice_below(&p->dice, p->groups);
    s->n = 0;
    for (uint32_t l = 0; l < p->labels; l++)
        if (p->group[l] == g && dice_chance(&p->dice, p->frequency[l])) labelset_add(s, l);
    if (dice_chance(&p->dice, p->noise)) labelset_add(s, dice_below(&p->dice, p->labels));
    labelset_sort(s);
}

/* Which labels belong together changes altogether: groups are dealt anew. */
static inline void planted_permute(struct planted *p) {
    for (uint32_t l = p->labels - 1; l; l--) {
        uint32_t other = dice_below(&p->dice, l + 1), kept = p->group[l];
        p->group[l] = p->group[other];
        p->group[other] = kept;
    }
}

static inline double choose_two(double n) {
    return n * (n - 1) / 2;
}

/* Adjusted Rand index (Hubert, Arabie 1985) of the clusters and given groups. */
static inline double adjusted_rand(const struct homer_hierarchy *h, const uint32_t *group) {
    double both = 0, in_cluster = 0, in_group = 0, all = choose_two(h->labels);
    for (uint32_t i = 0; i < h->labels; i++)
        for (uint32_t j = 0; j < i; j++) {
            bool a = homer_hierarchy_cluster_of(h, i) == homer_hierarchy_cluster_of(h, j),
                 b = group[i] == group[j];
            both += a && b;
            in_cluster += a;
            in_group += b;
        }
    double expected = in_cluster * in_group / all, most = (in_cluster + in_group) / 2;
    return most > expected ? (both - expected) / (most - expected) : 1;
}

/* What must hold between calls, see hierarchy.h. */
static inline void assert_invariants(const struct homer_hierarchy *h) {
    static uint8_t seen[FIXTURE_LABELS];
    uint32_t leaves = 0, placed = 0, nodes = 0;
    memset(seen, 0, sizeof seen);
    for (uint32_t s = 0; s != HOMER_NO_NODE; s = homer_hierarchy_next(h, s), nodes++) {
        const struct homer_hierarchy_node *n = homer_hierarchy_node(h, s);
        const uint32_t *label = homer_hierarchy_labels(h, s);
        assert_true(n->id > 0 && n->id < h->next_id);
        for (uint32_t o = homer_hierarchy_next(h, s); o != HOMER_NO_NODE; o = homer_hierarchy_next(h, o))
            assert_true(h->node[o].id != n->id);
        assert_int_equal(n->hits, 0);
        assert_false(n->drifted);
        if (n->parent == HOMER_NO_NODE) {
            assert_int_equal(s, 0);
            assert_int_equal(n->depth, 0);
            assert_int_equal(n->labels, h->labels);
        } else {
            assert_int_equal(n->depth, h->node[n->parent].depth + 1);
        }
        if (!homer_hierarchy_is_leaf(h, s)) {
            const struct homer_hierarchy_node *a = homer_hierarchy_node(h, n->child[0]);
            const struct homer_hierarchy_node *b = homer_hierarchy_node(h, n->child[1]);
            assert_int_equal(a->parent, s);
            assert_int_equal(b->parent, s);
            assert_int_equal(a->first, n->first);
            assert_int_equal(b->first, a->first + a->labels);
            assert_int_equal(a->labels + b->labels, n->labels);
            assert_true(n->cut <= n->pairs * (1 + 1e-9));
            continue;
        }
        leaves++;
        placed += n->labels;
        assert_true(n->labels > 0 || h->labels == 0);
        assert_true(n->labels <= 2 * h->config.max_leaf);
        assert_same(n->cut, 0);
        assert_int_equal(n->watch, HOMER_NO_NODE);
        for (uint32_t k = 0; k < n->labels; k++) {
            assert_true(k == 0 || label[k] > label[k - 1]);
            assert_int_equal(seen[label[k]]++, 0);
            assert_int_equal(homer_hierarchy_cluster_of(h, label[k]), s);
            assert_int_equal(h->place[label[k]], n->first + k);
        }
    }
    assert_int_equal(placed, h->labels);
    assert_int_equal(leaves, h->leaves);
    assert_int_equal(nodes, 2 * leaves - 1);
    assert_int_equal(nodes, h->slots);
    uint32_t depth_most = 2;
    while ((uint64_t)1 << (depth_most - 2) < leaves) depth_most++;
    for (uint32_t s = 0; s != HOMER_NO_NODE; s = homer_hierarchy_next(h, s))
        assert_true(h->node[s].depth <= depth_most);
}

static inline void hierarchy_step(struct homer_hierarchy *h, const struct labelset *s, uint32_t labels,
                                  uint64_t seq) {
    assert_int_equal(homer_hierarchy_reserve(h, s->n, labels), 0);
    uint64_t allocated = h->mem->used_bytes, failed = h->mem->failed, fail_in = h->mem->fail_in;
    h->mem->fail_in = 1; /* learning asks for nothing */
    homer_hierarchy_learn(h, s->y, s->n, labels, seq);
    assert_int_equal(h->mem->failed, failed);
    assert_int_equal(h->mem->used_bytes, allocated);
    h->mem->fail_in = fail_in;
    assert_true(h->events_n <= h->events_cap);
}

static inline struct written hierarchy_written(const struct homer_hierarchy *h) {
    struct written w = {0};
    struct homer_codec c = {.sink = collect_bytes, .ctx = &w, .bare = true};
    homer_hierarchy_encode(h, &c);
    return w;
}

#endif
