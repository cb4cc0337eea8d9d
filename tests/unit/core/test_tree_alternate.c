/* Alternate subtrees: where they begin, when they take the place, and that nobody notices them otherwise. */
#include <errno.h>
#include "tree_fixture.h"

enum { LABELS = 4, CALM = 4000, AFTER = 6000 };

/* Feature 0 divides the stream; on its upper side feature 1 decides all labels but the first, the other way
 * round once `flipped`. */
static void divided_next(struct dice *d, struct sample *s, bool flipped) {
    *s = (struct sample){.w = 1, .is_dense = {true, true, true}};
    for (uint32_t j = 0; j < 3; j++) sample_set(s, j, dice_normal(d));
    s->y[0] = s->given[0] > 0.7f;
    for (uint32_t l = 1; l < LABELS; l++)
        s->y[l] = s->y[0] ? (s->given[1] > 0) != flipped : dice_chance(d, 0.05);
}

static void start(struct plant *p, bool alternate) {
    memset(p, 0, sizeof *p);
    homer_tree_config_default(&p->config);
    assert_false(p->config.alternate);
    p->config.alternate = alternate;
    assert_int_equal(homer_tree_new(&p->tree, &p->mem, &p->config, LABELS), 0);
    for (uint32_t l = 0; l < LABELS; l++) p->prior[l] = 0.3f;
}

/* The node is below the root on the upper side. */
static bool is_on_upper_side(const struct homer_tree *t, uint32_t node) {
    struct view v;
    struct sample s = {.w = 1, .is_dense = {true, true, true}};
    for (int step = 0; step < 40; step++) {
        sample_set(&s, 0, 1.5);
        sample_set(&s, 1, step / 10.0 - 2);
        sample_set(&s, 2, 0);
        view_of(&v, &s);
        uint32_t i = homer_tree_step(t, 0, &v.f);
        while (i != node && !t->node[i].stats) i = homer_tree_step(t, i, &v.f);
        if (i == node) return true;
    }
    return false;
}

/* Every node is reached once from the root, and knows its depth. */
static uint32_t check_below(const struct homer_tree *t, uint32_t node, uint16_t depth) {
    const struct homer_tree_node *n = &t->node[node];
    assert_int_equal(n->depth, depth);
    if (n->stats) return 1;
    assert_true(n->child[0] > node && n->child[1] == n->child[0] + 1 && n->child[1] < t->node_n);
    return 1 + check_below(t, n->child[0], (uint16_t)(depth + 1)) +
           check_below(t, n->child[1], (uint16_t)(depth + 1));
}

static void a_flipped_branch_gets_a_subtree_that_takes_its_place(void **state) {
    (void)state;
    unsigned below = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct plant with, without;
        struct sample s;
        struct dice d = {seed};
        double loss[2] = {0, 0};
        int begun = -1, taken = -1;
        start(&with, true);
        start(&without, false);
        const struct homer_alternate *a = with.tree->alternate;
        for (int i = 0; i < CALM + AFTER; i++) {
            divided_next(&d, &s, i >= CALM);
            bool split = plant_learn(&with, &s), as_well = plant_learn(&without, &s);
            if (i < CALM) { /* what learns is the same while nothing alternates */
                assert_int_equal(split, as_well);
                assert_int_equal(a->begun, 0);
                assert_int_equal(homer_tree_leaf(with.tree, &with.v.f),
                                 homer_tree_leaf(without.tree, &without.v.f));
                assert_memory_equal(with.logits, without.logits, sizeof with.logits);
            }
            assert_int_equal(check_below(with.tree, 0, 0), with.tree->node_n);
            if (begun < 0 && a->begun) {
                begun = i;
                assert_true(a->node == 0 || is_on_upper_side(with.tree, a->node));
                below += a->node != 0;
                assert_int_equal(a->tree->node[0].depth, with.tree->node[a->node].depth);
            }
            if (taken < 0 && a->taken) taken = i;
            if (i < CALM + AFTER / 2) continue;
            loss[0] += homer_tree_loss(with.tree, with.v.on, with.v.on_n, with.logits);
            loss[1] += homer_tree_loss(without.tree, without.v.on, without.v.on_n, without.logits);
        }
        assert_true(begun >= CALM && begun < CALM + 500);
        assert_true(taken > begun && taken < CALM + 2500);
        assert_true(loss[0] < 0.95 * loss[1]);
        plant_stop(&with);
        plant_stop(&without);
    }
    assert_true(below >= 3); /* elsewhere the root noticed at the same instance: the topmost wins */
}

static void none_begins_while_nothing_changes(void **state) {
    (void)state;
    for (uint64_t seed = 11; seed <= 14; seed++) {
        struct plant p;
        struct sample s;
        struct dice d = {seed};
        start(&p, true);
        for (int i = 0; i < 10000; i++) {
            divided_next(&d, &s, false);
            plant_learn(&p, &s);
        }
        assert_true(p.tree->node_n > 3);
        assert_int_equal(p.tree->alternate->begun, 0);
        plant_stop(&p);
    }
}

/* An alternate of noise is dropped in the end, and the tree is watched again. */
static void an_undecided_one_is_dropped(void **state) {
    (void)state;
    struct plant p;
    struct sample s;
    struct dice d = {21};
    start(&p, true);
    const struct homer_alternate *a = p.tree->alternate;
    uint64_t dropped = 0;
    for (int i = 0; i < CALM + 8000; i++) {
        divided_next(&d, &s, false);
        for (uint32_t l = 0; l < LABELS && i >= CALM; l++) s.y[l] = dice_chance(&d, 0.5);
        bool on_trial = a->tree != NULL;
        uint64_t taken = a->taken;
        plant_learn(&p, &s);
        dropped += on_trial && !a->tree && a->taken == taken;
        if (a->tree) assert_true(a->weight < 10 * p.config.grace);
    }
    assert_true(a->begun > 0 && a->begun == a->taken + dropped + (a->tree != NULL));
    plant_stop(&p);
}

/* Through splits, the beginning of an alternate, its learning and its taking the place: each allocation of
 * each prepare refused in turn, and cancelled, as if nobody had asked. */
static void a_refused_or_cancelled_prepare_leaves_no_trace(void **state) {
    (void)state;
    struct plant p, calm;
    struct sample s;
    struct dice d = {1};
    unsigned refused = 0, on_trial = 0;
    start(&p, true);
    start(&calm, true);
    for (int i = 0; i < CALM + AFTER && !calm.tree->alternate->taken; i++) {
        divided_next(&d, &s, i >= CALM);
        if (i % 10 == 0) sample_set(&s, 12 + (uint32_t)i / 10 % (TREE_X - 12), 1);
        plant_predict(&p, &s);
        struct written before = tree_written(p.tree);
        size_t bytes = homer_tree_bytes(p.tree);
        for (uint64_t k = 1, rc = 1; rc; k++) {
            p.mem.fail_in = k;
            rc = (uint64_t)-plant_prepare(&p, s.w);
            p.mem.fail_in = 0;
            homer_tree_cancel(p.tree, p.leaf);
            struct written after = tree_written(p.tree);
            assert_int_equal(after.n, before.n);
            assert_memory_equal(after.bytes, before.bytes, after.n);
            free(after.bytes);
            assert_int_equal(homer_tree_bytes(p.tree), bytes);
            assert_true(rc == 0 || rc == ENOMEM);
            refused += rc > 0;
            on_trial += rc > 0 && p.tree->alternate->tree;
        }
        free(before.bytes);
        assert_int_equal(plant_learn(&p, &s), plant_learn(&calm, &s));
    }
    assert_true(same_bytes(tree_written(p.tree), tree_written(calm.tree)));
    assert_true(p.tree->alternate->taken > 0 && refused > 50 && on_trial > 3);
    plant_stop(&p);
    plant_stop(&calm);
}

/* Whatever room there is: no error, and what is on trial is within it. */
static void the_cap_refuses_it_without_error(void **state) {
    (void)state;
    unsigned none = 0, some = 0;
    for (size_t spare = 0; spare <= 40000; spare += 4000) {
        struct plant p;
        struct sample s;
        struct dice d = {3};
        start(&p, true);
        for (int i = 0; i < CALM + AFTER; i++) {
            if (i == CALM) p.mem.max_bytes = p.mem.used_bytes + spare;
            divided_next(&d, &s, i >= CALM);
            plant_learn(&p, &s);
            assert_true(!p.mem.max_bytes || p.mem.used_bytes <= p.mem.max_bytes);
        }
        none += p.tree->alternate->begun == 0 && p.mem.capped > 0;
        some += p.tree->alternate->taken > 0;
        plant_stop(&p);
    }
    assert_true(none > 0 && some > 0);
}

/* A copy has no alternate, its own watches and the same leaves; the alternate is the first to go. */
static void a_clone_has_none_and_memory_takes_it_first(void **state) {
    (void)state;
    struct plant p;
    struct sample s;
    struct dice d = {4};
    const uint32_t source[] = {0, 1, 2, 3};
    const float share[LABELS] = {0};
    struct homer_tree *copy = NULL;
    start(&p, true);
    for (int i = 0; !p.tree->alternate->tree || p.tree->alternate->weight < 50; i++) {
        assert_true(i < CALM + AFTER);
        divided_next(&d, &s, i >= CALM);
        plant_learn(&p, &s);
    }
    size_t used = p.mem.used_bytes;
    for (uint64_t k = 1;; k++) {
        p.mem.fail_in = k;
        int rc = homer_tree_clone(&copy, p.tree, source, LABELS, share);
        p.mem.fail_in = 0;
        if (rc == 0) break;
        assert_int_equal(rc, -ENOMEM);
        assert_int_equal(p.mem.used_bytes, used);
    }
    assert_null(copy->alternate->tree);
    assert_int_equal(copy->node_n, p.tree->node_n);
    for (uint32_t i = 0; i < copy->node_n; i++) {
        if (copy->node[i].stats) continue;
        assert_true(copy->node[i].watch && copy->node[i].watch != p.tree->node[i].watch);
        assert_int_equal(homer_adwin_width(copy->node[i].watch), 0);
    }
    size_t bytes = homer_tree_bytes(p.tree);
    assert_true(homer_tree_deactivate(p.tree));
    assert_null(p.tree->alternate->tree);
    assert_true(homer_tree_bytes(p.tree) < bytes);
    assert_int_equal(homer_tree_bytes(p.tree), homer_tree_bytes(copy));
    for (uint32_t i = 0; i < p.tree->node_n; i++) assert_false(p.tree->node[i].inactive);
    homer_tree_free(copy);
    plant_stop(&p);
}

/* Cancelling without a prepare, as after a failure elsewhere, for a leaf that is no more. */
static void a_stale_leaf_may_be_cancelled(void **state) {
    (void)state;
    struct plant p;
    start(&p, true);
    struct written before = tree_written(p.tree);
    homer_tree_cancel(p.tree, 1000000);
    assert_true(same_bytes(before, tree_written(p.tree)));
    plant_stop(&p);
}

/* The state with the option off has nothing of it; with it, what is watched shows. */
static void the_state_shows_it_only_with_the_option(void **state) {
    (void)state;
    struct plant with, without;
    struct sample s;
    struct dice d = {6};
    start(&with, true);
    start(&without, false);
    for (int i = 0; i < 1000; i++) {
        divided_next(&d, &s, false);
        plant_learn(&with, &s);
        plant_learn(&without, &s);
    }
    struct written on = tree_written(with.tree), off = tree_written(without.tree);
    assert_true(on.n > off.n);
    assert_memory_equal(on.bytes, off.bytes, off.n);
    assert_true(homer_tree_bytes(with.tree) > homer_tree_bytes(without.tree));
    free(on.bytes);
    free(off.bytes);
    plant_stop(&with);
    plant_stop(&without);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_branch_gets_a_subtree_that_takes_its_place),
        cmocka_unit_test(none_begins_while_nothing_changes),
        cmocka_unit_test(an_undecided_one_is_dropped),
        cmocka_unit_test(a_refused_or_cancelled_prepare_leaves_no_trace),
        cmocka_unit_test(the_cap_refuses_it_without_error),
        cmocka_unit_test(a_clone_has_none_and_memory_takes_it_first),
        cmocka_unit_test(a_stale_leaf_may_be_cancelled),
        cmocka_unit_test(the_state_shows_it_only_with_the_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
