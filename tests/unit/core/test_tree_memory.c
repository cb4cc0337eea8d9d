/* A tree and its memory: refused by the system, by the cap, given up and taken back. */
#include <errno.h>
#include "tree_fixture.h"

enum { CONCEPTS = 4 };

/* Every allocation of every prepare refused in turn, and a prepare that is not followed by learning: as if
 * nobody had asked. */
static void a_refused_or_cancelled_prepare_leaves_no_trace(void **state) {
    (void)state;
    struct plant p, calm;
    struct sample s;
    struct dice d = {1};
    unsigned refused = 0, refused_splits = 0;
    for (uint64_t k = 1;; k++) {
        memset(&p, 0, sizeof p);
        homer_tree_config_default(&p.config);
        p.mem.fail_in = k;
        int rc = homer_tree_new(&p.tree, &p.mem, &p.config, CONCEPTS);
        p.mem.fail_in = 0;
        if (rc == 0) break;
        assert_int_equal(rc, -ENOMEM);
        assert_int_equal(p.mem.used_bytes, 0);
    }
    plant_stop(&p);
    plant_start(&p, CONCEPTS);
    plant_start(&calm, CONCEPTS);
    for (int i = 0; i < 3000; i++) {
        concept_next(&d, &s);
        if (i % 100 == 0 && 12 + i / 100 < TREE_X) sample_set(&s, 12 + (uint32_t)i / 100, 1);
        plant_predict(&p, &s);
        struct written before = tree_written(p.tree);
        unsigned refusals = 0;
        for (uint64_t k = 1;; k++) {
            p.mem.fail_in = k;
            int rc = plant_prepare(&p, s.w);
            p.mem.fail_in = 0;
            struct written after = tree_written(p.tree);
            assert_int_equal(after.n, before.n);
            assert_memory_equal(after.bytes, before.bytes, after.n);
            free(after.bytes);
            bool due = p.tree->node[p.leaf].staged[0] != NULL;
            homer_tree_cancel(p.tree, p.leaf);
            assert_null(p.tree->node[p.leaf].staged[0]);
            assert_null(p.tree->node[p.leaf].staged[1]);
            if (rc == 0) {
                refused_splits += due && refusals > 0;
                break;
            }
            assert_int_equal(rc, -ENOMEM);
            assert_false(due);
            refusals++;
        }
        free(before.bytes);
        refused += refusals;
        assert_int_equal(plant_learn(&p, &s), plant_learn(&calm, &s));
        if (i % 50 == 0) assert_true(same_bytes(tree_written(p.tree), tree_written(calm.tree)));
    }
    assert_true(same_bytes(tree_written(p.tree), tree_written(calm.tree)));
    assert_true(refused > 50 && refused_splits > 5);
    plant_stop(&p);
    plant_stop(&calm);
}

static void a_refused_clone_leaves_no_trace(void **state) {
    (void)state;
    struct plant p;
    struct sample s;
    struct dice d = {2};
    const uint32_t source[] = {0, 2, UINT32_MAX};
    const float share[] = {0, 0, 0.5f};
    struct homer_tree *copy = NULL;
    plant_start(&p, CONCEPTS);
    for (int i = 0; i < 3000; i++) {
        concept_next(&d, &s);
        plant_learn(&p, &s);
    }
    for (uint64_t k = 1;; k++) {
        size_t used = p.mem.used_bytes;
        p.mem.fail_in = k;
        int rc = homer_tree_clone(&copy, p.tree, source, 3, share);
        p.mem.fail_in = 0;
        if (rc == 0) break;
        assert_int_equal(rc, -ENOMEM);
        assert_int_equal(p.mem.used_bytes, used);
    }
    assert_int_equal(copy->node_n, p.tree->node_n);
    homer_tree_free(copy);
    plant_stop(&p);
}

/* Under the cap nothing fails: class counts go on, what does not fit is not observed, and no split happens
 * that does not fit. With room again the tree grows. */
static void the_cap_makes_it_grow_less(void **state) {
    (void)state;
    for (size_t spare = 0; spare <= 40000; spare += 1000) {
        struct plant p;
        struct sample s;
        struct dice d = {3};
        double learned = 0;
        plant_start(&p, CONCEPTS);
        for (int i = 0; i < 40; i++) {
            concept_next(&d, &s);
            plant_learn(&p, &s);
        }
        p.mem.max_bytes = p.mem.used_bytes + spare;
        for (int i = 0; i < 1500; i++) {
            concept_next(&d, &s);
            for (uint32_t j = 20; j < TREE_X; j++)
                if (dice_chance(&d, 0.05)) sample_set(&s, j, 1);
            double before = plant_weight(&p);
            if (!plant_learn(&p, &s)) assert_close(plant_weight(&p) - before, 1, 1e-9);
            assert_true(p.mem.used_bytes <= p.mem.max_bytes);
            learned = plant_weight(&p);
        }
        if (spare == 0) {
            assert_true(p.mem.capped > 0);
            assert_int_equal(p.tree->node_n, 1);
            assert_close(learned, 1540, 0);
        }
        uint32_t nodes = p.tree->node_n;
        p.mem.max_bytes = 0;
        for (int i = 0; i < 3000; i++) {
            concept_next(&d, &s);
            plant_learn(&p, &s);
        }
        assert_true(p.tree->node_n > nodes);
        plant_stop(&p);
    }
}

static uint32_t inactive(const struct homer_tree *t) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->node_n; i++) n += t->node[i].inactive;
    return n;
}

/* Leaf by leaf, the least promising first; an inactive leaf counts on and does not split. */
static void leaves_give_up_and_come_back(void **state) {
    (void)state;
    struct plant p;
    struct sample s;
    struct dice d = {4};
    plant_start(&p, CONCEPTS);
    for (int i = 0; i < 3000; i++) {
        concept_next(&d, &s);
        plant_learn(&p, &s);
    }
    uint32_t leaves = (p.tree->node_n + 1) / 2, nodes = p.tree->node_n;
    double last = 0;
    assert_true(leaves > 3);
    for (uint32_t k = 1; k <= leaves; k++) {
        size_t bytes = homer_tree_bytes(p.tree);
        static bool was[1000];
        for (uint32_t i = 0; i < nodes; i++) was[i] = p.tree->node[i].inactive;
        assert_true(homer_tree_deactivate(p.tree));
        assert_true(homer_tree_bytes(p.tree) < bytes);
        assert_int_equal(inactive(p.tree), k);
        for (uint32_t i = 0; i < nodes; i++) {
            const struct homer_tree_node *n = &p.tree->node[i];
            if (!n->inactive || was[i]) continue;
            double promise = 0;
            for (uint32_t l = 0; l < CONCEPTS; l++) promise += (double)n->stats->loss[l];
            assert_true(n->stats->n * promise >= last);
            last = n->stats->n * promise;
            assert_int_equal(n->stats->gauss_n + n->stats->presence_n, 0);
        }
    }
    assert_false(homer_tree_deactivate(p.tree));
    double before = plant_weight(&p);
    size_t bytes = homer_tree_bytes(p.tree), used = p.mem.used_bytes;
    for (int i = 0; i < 1000; i++) {
        concept_next(&d, &s);
        assert_false(plant_learn(&p, &s));
        for (uint32_t l = 0; l < CONCEPTS; l++)
            assert_same(p.logits[l], p.logits[p.tree->stride + l]); /* naive Bayes has nothing to add */
    }
    assert_close(plant_weight(&p), before + 1000, 1e-9);
    assert_int_equal(homer_tree_bytes(p.tree), bytes);
    assert_int_equal(p.mem.used_bytes, used);
    homer_tree_activate(p.tree);
    assert_int_equal(inactive(p.tree), 0);
    for (int i = 0; i < 6000; i++) {
        concept_next(&d, &s);
        plant_learn(&p, &s);
    }
    assert_true(p.tree->node_n > nodes);
    plant_stop(&p);
}

/* Room taken in vain shows in the memory, never in the state. */
static void same_history_same_bytes(void **state) {
    (void)state;
    struct plant p[2];
    struct sample s, other;
    struct dice d = {5};
    for (int k = 0; k < 2; k++) plant_start(&p[k], CONCEPTS);
    for (int i = 0; i < 3000; i++) {
        concept_next(&d, &s);
        concept_next(&d, &other);
        sample_set(&other, 20 + dice_below(&d, 40), 1);
        plant_predict(&p[0], &other);
        assert_int_equal(plant_prepare(&p[0], 1), 0);
        homer_tree_cancel(p[0].tree, p[0].leaf);
        for (int k = 0; k < 2; k++) plant_learn(&p[k], &s);
        assert_int_equal(homer_tree_bytes(p[0].tree), homer_tree_bytes(p[1].tree));
    }
    assert_true(same_bytes(tree_written(p[0].tree), tree_written(p[1].tree)));
    assert_true(p[0].mem.used_bytes > p[1].mem.used_bytes);
    for (int k = 0; k < 2; k++) plant_stop(&p[k]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_or_cancelled_prepare_leaves_no_trace),
        cmocka_unit_test(a_refused_clone_leaves_no_trace),
        cmocka_unit_test(the_cap_makes_it_grow_less),
        cmocka_unit_test(leaves_give_up_and_come_back),
        cmocka_unit_test(same_history_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
