/* ODAC by hand-made counts, its tests for splitting and aggregating, and its bookkeeping on random streams.
 */
#include <errno.h>
#include "core_fixture.h"
#include "core/learners/odac.h"

#define NONE ((uint32_t)HOMER_ODAC_NONE)

static struct homer_mem mem;

static struct homer_odac start(uint32_t n_min, uint32_t labels) {
    struct homer_odac o;
    struct homer_odac_config c;
    mem = (struct homer_mem){0};
    homer_odac_config_default(&c);
    assert_int_equal(c.n_min, 1500);
    assert_same(c.confidence, 0.9);
    assert_same(c.tau, 0.1);
    c.n_min = n_min;
    assert_int_equal(homer_odac_init(&o, &mem, &c), 0);
    assert_int_equal(homer_odac_reserve(&o, labels), 0);
    homer_odac_arrive(&o, labels);
    return o;
}

static void stop(struct homer_odac *o) {
    homer_odac_deinit(o);
    assert_int_equal(mem.used_bytes, 0);
}

static bool learn(struct homer_odac *o, const char *labels) {
    uint32_t on[16], n = 0;
    for (; *labels; labels++) on[n++] = (uint32_t)(*labels - '0');
    return homer_odac_learn(o, on, n);
}

static void dissimilarity_is_jaccards(void **state) {
    (void)state;
    struct homer_odac o = start(1000, 4);
    learn(&o, "01");
    learn(&o, "01");
    learn(&o, "012");
    learn(&o, "2");
    learn(&o, "");
    assert_close(homer_odac_dissimilarity(&o, 0, 1), 0, 1e-15);
    assert_close(homer_odac_dissimilarity(&o, 2, 0), 1 - 1.0 / 4, 1e-15);
    assert_same(homer_odac_dissimilarity(&o, 0, 3), 1); /* 3 never came */
    stop(&o);
}

/* Two groups that never meet: the leaf's diameter is theirs, and they part. */
static void groups_part_when_it_is_time(void **state) {
    (void)state;
    struct homer_odac o = start(50, 6);
    for (int t = 1; t < 50; t++) assert_false(learn(&o, t % 2 ? "012" : "345"));
    assert_int_equal(o.leaves, 1);
    assert_true(learn(&o, "345"));
    assert_int_equal(o.leaves, 2);
    for (uint32_t l = 0; l < 6; l++) assert_int_equal(o.leaf_of[l], o.leaf_of[l < 3 ? 0 : 3]);
    assert_true(o.leaf_of[0] != o.leaf_of[3]);
    assert_int_equal(o.changes, 1);
    assert_true(o.change[0].split);
    assert_int_equal(o.change[0].node, 1);
    assert_int_equal(o.change[0].labels, 6);
    assert_same(o.change[0].before, 1);
    assert_same(o.change[0].after, 0);
    for (int t = 0; t < 50; t++) learn(&o, t % 2 ? "012" : "345"); /* nothing is left to part: d1 = d0 */
    assert_int_equal(o.leaves, 2);
    assert_int_equal(o.node[o.leaf_of[0]].n, 50);
    stop(&o);
}

/* With few instances the bound is wide: e = sqrt(ln(1/.9)/(2n)) > tau for n < 6, and then d1 must lead d2. */
static void ties_need_a_narrow_bound(void **state) {
    (void)state;
    struct homer_odac o = start(4, 4);
    for (int t = 0; t < 4; t++) learn(&o, t % 2 ? "01" : "23"); /* four pairs tie at 1 */
    assert_int_equal(o.leaves, 1);
    stop(&o);
    o = start(6, 4);
    for (int t = 0; t < 6; t++) learn(&o, t % 2 ? "01" : "23");
    assert_int_equal(o.leaves, 2);
    stop(&o);
}

/* A label that is no nearer to one pivot goes to the second, as in the published program. */
static void ties_go_to_the_second_pivot(void **state) {
    (void)state;
    struct homer_odac o = start(60, 5);
    for (int t = 0; t < 60; t++) learn(&o, t % 3 == 0 ? "01" : t % 3 == 1 ? "2" : "34");
    assert_int_equal(o.leaves, 2); /* pivots 0 and 2: the first pair at distance 1 */
    assert_int_equal(o.leaf_of[1], o.leaf_of[0]);
    assert_int_equal(o.leaf_of[3], o.leaf_of[2]);
    assert_int_equal(o.leaf_of[4], o.leaf_of[2]);
    stop(&o);
}

/* A part that is wider than its parent was takes it back. */
static void parts_that_outgrow_their_parent_are_joined(void **state) {
    (void)state;
    struct homer_odac o = start(100, 4);
    for (int t = 0; t < 100; t++) learn(&o, t % 4 == 0 ? "0123" : t % 2 ? "01" : "23");
    assert_int_equal(o.leaves, 2);
    assert_int_equal(o.leaf_of[0], o.leaf_of[1]);
    double before = o.node[0].diameter;
    assert_true(before > 0.5 && before < 0.9);
    uint64_t left = o.node[o.leaf_of[0]].id;
    for (int t = 0; t < 100; t++) learn(&o, t % 2 ? "0" : "1"); /* 0 and 1 never meet any more */
    assert_int_equal(o.leaves, 1);
    assert_int_equal(o.leaf_of[3], 0);
    assert_int_equal(o.changes, 1);
    assert_false(o.change[0].split);
    assert_int_equal(o.change[0].node, 1);
    assert_same(o.change[0].before, 1);
    assert_same(o.change[0].after, before);
    assert_int_equal(o.node[0].n, 0); /* and begins to count anew */
    assert_same(homer_odac_dissimilarity(&o, 2, 3), 1);
    for (int t = 0; t < 100; t++) learn(&o, t % 2 ? "01" : "23");
    assert_int_equal(o.leaves, 2);
    assert_true(o.node[o.leaf_of[0]].id > left);
    stop(&o);
}

static void late_labels_join_the_smallest_leaf(void **state) {
    (void)state;
    struct homer_odac o = start(50, 5);
    for (int t = 0; t < 50; t++) learn(&o, t % 2 ? "012" : "34");
    assert_int_equal(o.leaves, 2);
    assert_int_equal(homer_odac_target(&o), o.leaf_of[3]);
    assert_int_equal(homer_odac_reserve(&o, 7), 0);
    homer_odac_arrive(&o, 7);
    assert_int_equal(o.leaf_of[5], o.leaf_of[3]);
    assert_int_equal(o.leaf_of[6], o.leaf_of[3]);
    assert_int_equal(o.node[0].labels, 7);
    assert_int_equal(homer_odac_target(&o), o.leaf_of[0]);
    homer_odac_restart(&o);
    assert_int_equal(o.leaves, 1);
    for (uint32_t l = 0; l < 7; l++) assert_int_equal(o.leaf_of[l], 0);
    stop(&o);
}

static void assert_whole(const struct homer_odac *o) {
    uint32_t leaves = 0, nodes = 0, used = 0, seen = 0;
    for (uint32_t s = 0; s != NONE; s = homer_odac_next(o, s)) {
        const struct homer_odac_node *n = &o->node[s];
        uint32_t labels = 0;
        assert_true(n->used);
        nodes++;
        if (!homer_odac_is_leaf(o, s)) {
            for (int k = 0; k < 2; k++) {
                assert_int_equal(o->node[n->child[k]].parent, s);
                assert_int_equal(o->node[n->child[k]].depth, n->depth + 1);
            }
            assert_int_equal(n->labels, o->node[n->child[0]].labels + o->node[n->child[1]].labels);
            continue;
        }
        leaves++;
        for (uint32_t l = 0; l < o->labels; l++) labels += o->leaf_of[l] == s;
        assert_int_equal(n->labels, labels);
        assert_true(labels > 0);
        seen += labels;
    }
    for (uint32_t s = 0; s < 2 * o->cap - 1; s++) used += o->node[s].used;
    assert_int_equal(seen, o->labels);
    assert_int_equal(leaves, o->leaves);
    assert_int_equal(nodes, 2 * leaves - 1);
    assert_int_equal(used, nodes);
}

/* Counts of a leaf's pairs against a recount of the instances since it became one. */
static void bookkeeping_holds(void **state) {
    (void)state;
    enum { LABELS = 20, LENGTH = 3000 };
    static uint8_t past[LENGTH][LABELS];
    unsigned splits = 0, aggregates = 0;
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct dice d = {700 + seed};
        struct homer_odac o = start(20 + dice_below(&d, 100), 3);
        uint32_t labels = 3, shift = 0;
        for (uint32_t t = 0; t < LENGTH; t++) {
            uint32_t on[LABELS], n = 0, group = dice_below(&d, 4);
            if (labels < LABELS && dice_chance(&d, 0.02)) labels++;
            assert_int_equal(homer_odac_reserve(&o, labels), 0);
            homer_odac_arrive(&o, labels);
            if (t % 500 == 499) shift++;
            for (uint32_t l = 0; l < labels; l++) {
                past[t][l] = dice_chance(&d, (l + shift * (l % 3)) % 4 == group ? 0.6 : 0.03);
                if (past[t][l]) on[n++] = l;
            }
            homer_odac_learn(&o, on, n);
            for (uint32_t i = 0; i < o.changes; i++)
                splits += o.change[i].split, aggregates += !o.change[i].split;
            if (t % 37) continue;
            assert_whole(&o);
            for (uint32_t b = 1; b < labels; b++)
                for (uint32_t a = 0; a < b; a++) {
                    if (o.leaf_of[a] != o.leaf_of[b]) continue;
                    uint64_t since = o.node[o.leaf_of[a]].n;
                    double both = 0, either = 0;
                    for (uint64_t k = t + 1 - since; k <= t; k++) {
                        both += past[k][a] && past[k][b];
                        either += past[k][a] || past[k][b];
                    }
                    assert_close(homer_odac_dissimilarity(&o, a, b), either > 0 ? 1 - both / either : 1,
                                 1e-12);
                }
        }
        memset(past, 0, sizeof past);
        stop(&o);
    }
    assert_true(splits > 20 && aggregates > 2);
}

static void refused_memory_changes_nothing(void **state) {
    (void)state;
    struct homer_odac o = start(50, 3);
    for (int t = 0; t < 20; t++) learn(&o, t % 2 ? "01" : "12");
    for (uint64_t k = 1; k <= 6; k++) {
        size_t used = mem.used_bytes;
        mem.fail_in = k;
        assert_int_equal(homer_odac_reserve(&o, 40), -ENOMEM);
        assert_int_equal(mem.used_bytes, used);
        assert_close(homer_odac_dissimilarity(&o, 0, 1), 1 - 10.0 / 20, 1e-15);
    }
    mem.fail_in = 0;
    assert_int_equal(homer_odac_reserve(&o, 40), 0);
    assert_close(homer_odac_dissimilarity(&o, 0, 1), 1 - 10.0 / 20, 1e-15);
    stop(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dissimilarity_is_jaccards),
        cmocka_unit_test(groups_part_when_it_is_time),
        cmocka_unit_test(ties_need_a_narrow_bound),
        cmocka_unit_test(ties_go_to_the_second_pivot),
        cmocka_unit_test(parts_that_outgrow_their_parent_are_joined),
        cmocka_unit_test(late_labels_join_the_smallest_leaf),
        cmocka_unit_test(bookkeeping_holds),
        cmocka_unit_test(refused_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
