/* Clusters when memory is refused, by the system, by the cap, by the bound on the trees. */
#include <errno.h>
#include "clusters_fixture.h"

/* Every allocation of every instance for which clusters are made anew refused in turn: as if it had not come.
 */
static void check_refusals(uint32_t trees) {
    struct homer_clusters_config config;
    homer_clusters_config_default(&config);
    config.tree.trees = trees;
    struct learner l, calm;
    struct garden g;
    struct one in;
    const struct homer_clusters *c = &l.flat.clusters;
    unsigned refused = 0, regrouped = 0, carried = 0;
    garden_init(&g, 1, 6, 6, true);
    learner_start(&l, &config);
    learner_start(&calm, &config);
    for (int t = 0; t < 2500; t++) {
        garden_next(&g, &in);
        bool due = c->generation != c->hierarchy.generation && l.seq + 1 >= c->stage_next;
        for (uint64_t k = 1; due; k++) {
            struct written before = learner_written(&l);
            l.mem.fail_in = k;
            int rc = learner_prepare(&l, &in, g.known);
            bool spent = l.mem.fail_in == 0;
            l.mem.fail_in = 0;
            if (rc == 0) {
                assert_false(spent);
                assert_non_null(c->staged);
                carried += c->n > 1;
                homer_flat_cancel(&l.flat);
            }
            assert_null(c->staged);
            assert_true(same_bytes(before, learner_written(&l)));
            if (rc == 0) break;
            assert_int_equal(rc, -ENOMEM);
            refused++;
        }
        regrouped += due;
        learner_learn(&l, &in, g.known);
        learner_learn(&calm, &in, g.known);
        if (due) assert_true(same_bytes(learner_written(&l), learner_written(&calm)));
    }
    assert_true(same_bytes(learner_written(&l), learner_written(&calm)));
    assert_true(regrouped > 15 && carried > 5 && refused > 500);
    learner_stop(&l);
    learner_stop(&calm);
}

static void a_refused_regrouping_leaves_no_trace(void **state) {
    (void)state;
    check_refusals(1);
    check_refusals(2);
}

/* The cap leaves no room for new clusters: the old ones go on learning and predicting, and the new ones come
 * a while after there is room. */
static void the_cap_puts_a_regrouping_off(void **state) {
    (void)state;
    struct learner l;
    struct garden g;
    struct one in;
    const struct homer_clusters *c = &l.flat.clusters;
    garden_init(&g, 2, 4, 6, false);
    learner_start(&l, NULL);
    for (int t = 0; t < 2000; t++) {
        garden_next(&g, &in);
        learner_learn(&l, &in, g.known);
    }
    assert_int_equal(c->generation, c->hierarchy.generation);
    for (uint32_t k = 0; k < g.labels; k++) g.group[k] = k / 6;
    uint64_t shown = c->generation, refused_at = 0;
    uint32_t n = c->n;
    while (!refused_at) {
        assert_true(l.seq < 6000);
        garden_next(&g, &in);
        if (c->generation != c->hierarchy.generation && l.seq + 1 >= c->stage_next) {
            assert_int_equal(homer_hierarchy_reserve(&l.flat.clusters.hierarchy, 200, g.labels), 0);
            l.mem.max_bytes = l.mem.used_bytes; /* all but trees and clusters have what they need */
            refused_at = l.seq + 1;
            shown = c->generation;
            n = c->n;
        }
        learner_learn(&l, &in, g.known);
    }
    assert_int_equal(c->stage_next, refused_at + 1000);
    double before = 0, after = 0;
    for (int t = 0; t < 999; t++) {
        garden_next(&g, &in);
        struct written trees = cluster_tree_written(&c->cluster[0]);
        learner_learn(&l, &in, g.known);
        before += l.log_loss;
        assert_false(same_bytes(trees, cluster_tree_written(&c->cluster[0]))); /* it learns */
        assert_int_equal(c->generation, shown);
        assert_int_equal(c->n, n);
        assert_true(l.mem.used_bytes <= l.mem.max_bytes);
    }
    assert_true(l.mem.capped > 0);
    l.mem.max_bytes = 0;
    for (int t = 0; t < 2000; t++) {
        garden_next(&g, &in);
        learner_learn(&l, &in, g.known);
        if (t == 1) assert_true(c->generation > shown);
        if (t >= 1000) after += l.log_loss;
    }
    assert_true(after < before);
    assert_int_equal(c->generation, c->hierarchy.generation);
    learner_stop(&l);
}

static size_t bytes_of_trees(const struct homer_clusters *c) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < c->n; i++) bytes += homer_forest_bytes(c->cluster[i].forest);
    return bytes;
}

static uint32_t inactive_leaves(const struct homer_clusters *c) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n; i++)
        for (uint32_t k = 0; k < c->cluster[i].forest->n; k++) {
            const struct homer_tree *t = c->cluster[i].forest->tree[k].tree;
            for (uint32_t j = 0; j < t->node_n; j++) n += t->node[j].inactive;
        }
    return n;
}

/* Trees above their bound give up leaves, of the largest tree first; with more room they come back. */
static void trees_keep_to_their_bound(void **state) {
    (void)state;
    struct learner l, free;
    struct garden g;
    struct one in;
    const struct homer_clusters *c = &l.flat.clusters;
    struct homer_clusters_config config;
    homer_clusters_config_default(&config);
    config.tree.grace = 50;
    config.tree.patience = 0;
    config.tree_bytes = 60000;
    garden_init(&g, 3, 4, 6, false);
    learner_start(&l, &config);
    config.tree_bytes = 0;
    learner_start(&free, &config);
    uint32_t pruned = 0;
    for (int t = 1; t <= 8000; t++) {
        garden_next(&g, &in);
        learner_learn(&l, &in, g.known);
        learner_learn(&free, &in, g.known);
        if (t % 1000) continue;
        assert_true(bytes_of_trees(c) <= 60000);
        pruned += inactive_leaves(c);
    }
    assert_true(pruned > 5);
    assert_int_equal(inactive_leaves(&free.flat.clusters), 0);
    assert_true(bytes_of_trees(&free.flat.clusters) > 100000);
    l.flat.clusters.config.tree_bytes = 1000000;
    for (int t = 1; t <= 1000; t++) {
        garden_next(&g, &in);
        learner_learn(&l, &in, g.known);
    }
    assert_int_equal(inactive_leaves(c), 0);
    learner_stop(&l);
    learner_stop(&free);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_regrouping_leaves_no_trace),
        cmocka_unit_test(the_cap_puts_a_regrouping_off),
        cmocka_unit_test(trees_keep_to_their_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
