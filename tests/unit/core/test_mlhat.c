/* MLHAT: which classifier of a leaf answers, when a leaf splits, how alternates come and go. */
#include <errno.h>
#include "mlhat_fixture.h"

static struct grove g;

static void the_parameters_are_those_published(void **state) {
    (void)state;
    struct homer_mlhat_config c;
    homer_mlhat_config_default(&c);
    assert_true(c.grace == 200 && c.delta == 1e-5 && c.tau == 0.05 && c.cardinality == 750 &&
                c.entropy == 0.3 && c.drift_window == 50 && c.significance == 0.05 && c.drift_delta == 0.002);
    assert_true(HOMER_MLHAT_K == 4 && HOMER_MLHAT_WINDOW == 170 && HOMER_BAG_MODELS == 10);
}

static void nothing_then_the_one_labelset_then_neighbours(void **state) {
    (void)state;
    grove_start(&g, 3);
    grove_ask(&g, 2, (const float[]){1, 1});
    for (int l = 0; l < 3; l++) assert_same(g.p[l], 0);
    grove_learn(&g, 5);
    grove_ask(&g, 2, (const float[]){-9, 4});
    for (int l = 0; l < 3; l++) assert_same(g.p[l], l != 1); /* one labelset so far: wherever x is */

    grove_ask(&g, 2, (const float[]){3, 1});
    grove_learn(&g, 2);
    grove_ask(&g, 2, (const float[]){3, 4});
    grove_learn(&g, 6);
    grove_ask(&g, 2, (const float[]){2, 1}); /* at distances 1, 1, sqrt(10): votes 1, 1, .3162 */
    double sum = 2 + 1 / sqrt(10);
    assert_close(g.p[0], 1 / sum, 1e-6);
    assert_close(g.p[1], (1 + 1 / sqrt(10)) / sum, 1e-6);
    assert_close(g.p[2], (1 + 1 / sqrt(10)) / sum, 1e-6);
    grove_ask(&g, 2, (const float[]){3, 4}); /* met before */
    for (int l = 0; l < 3; l++) assert_same(g.p[l], l > 0);
    grove_stop(&g);
}

static void only_the_nearest_four_of_the_window_vote(void **state) {
    (void)state;
    grove_start(&g, 2);
    g.config.grace = 1e9;
    for (int t = 0; t < 300; t++) { /* the old ones were nearest, but are forgotten */
        grove_ask(&g, 1, (const float[]){t < 130 ? 0.5f : 10 + (float)t});
        grove_learn(&g, t < 130 ? 1 : 2);
    }
    g.config.cardinality = 1e9;
    grove_ask(&g, 1, (const float[]){0.25f});
    assert_same(g.p[0], 0);
    assert_close(g.p[1], 1, 1e-6);
    grove_stop(&g);
}

/* Heavy and mixed: the regressions; heavy and nearly pure: the neighbours. */
static void weight_and_entropy_choose(void **state) {
    (void)state;
    for (int pure = 0; pure < 2; pure++) {
        struct dice d = {31};
        grove_start(&g, 2);
        g.config.grace = 1e9;
        for (int t = 0; t < 900; t++) {
            float v[2] = {(float)dice_normal(&d), (float)dice_normal(&d)};
            bool right = v[0] > 0;
            grove_ask(&g, 2, v);
            grove_learn(&g, pure ? (t % 100 ? 1 : 2) : right ? 1 : 2);
        }
        assert_true(g.tree->root.leaf->weight > 900);
        grove_ask(&g, 2, (const float[]){0.3f, 7});
        /* far out: neighbours give shares of four votes; the regressions a smooth function */
        float far = g.p[0];
        if (pure) g.config.entropy = 0;
        if (!pure) g.config.entropy = 1e9;
        grove_ask(&g, 2, (const float[]){0.3f, 7});
        assert_true(far != g.p[0]);
        g.config.cardinality = 1e9;
        float other = g.p[0];
        grove_ask(&g, 2, (const float[]){0.3f, 7});
        assert_true(pure ? far == g.p[0] : other == g.p[0]); /* neighbours, in both */
        grove_stop(&g);
    }
}

/* Label 0 where feature 0 is above 0 (learnable only by a split, or linearly), for a while upside down. */
static unsigned run(struct dice *d, int n, bool upside_down, unsigned *wrong) {
    unsigned splits = 0;
    for (int t = 0; t < n; t++) {
        float v[3] = {(float)dice_normal(d), (float)dice_normal(d), (float)dice_normal(d)};
        bool right = (v[0] > 0) != upside_down;
        grove_ask(&g, 3, v);
        *wrong += (g.p[0] > 0.5f) != right;
        splits += grove_learn(&g, right ? 1 : 2);
    }
    return splits;
}

static void a_sure_lead_splits(void **state) {
    (void)state;
    struct dice d = {32};
    unsigned wrong = 0;
    grove_start(&g, 2);
    unsigned splits = run(&d, 100, false, &wrong);
    assert_int_equal(splits, 0); /* within the grace period */
    splits = run(&d, 300, false, &wrong);
    assert_true(splits >= 1);
    assert_int_equal(g.tree->root.branch->feature, 0);
    assert_true(fabsf(g.tree->root.branch->threshold) < 1);
    struct homer_mlhat_size size = homer_mlhat_size(g.tree);
    assert_int_equal(size.nodes, 2 * size.leaves - 1);
    assert_true(size.depth >= 1);
    wrong = 0;
    run(&d, 500, false, &wrong);
    assert_true(wrong < 60);
    grove_stop(&g);
}

/* Many labelsets make the range, and with it the bound, too large: the published tree that does not split. */
static void many_labelsets_keep_it_a_leaf(void **state) {
    (void)state;
    struct dice d = {33};
    grove_start(&g, 8);
    for (int t = 0; t < 1200; t++) {
        float v[2] = {(float)dice_normal(&d), (float)dice_normal(&d)};
        grove_ask(&g, 2, v);
        grove_learn(&g, dice_below(&d, 128) << 1 | dice_chance(&d, v[0] > 0 ? 0.75 : 0.25));
    }
    assert_non_null(g.tree->root.leaf);
    grove_stop(&g);
}

static void an_alternate_takes_over_after_a_drift(void **state) {
    (void)state;
    struct dice d = {34};
    unsigned wrong = 0, before, taken = 0;
    grove_start(&g, 2);
    g.config.cardinality = 1e9; /* neighbours: what they forget takes 170 instances a leaf */
    run(&d, 1500, false, &wrong);
    assert_non_null(g.tree->root.branch);
    before = wrong;
    const struct homer_mlhat_branch *old = g.tree->root.branch;
    for (int t = 0; t < 3000 && !taken; t++) {
        run(&d, 1, true, &wrong);
        taken = g.tree->root.branch != old;
    }
    assert_true(old->watch.width == 0 || taken || old->alternate.leaf || old->alternate.branch ||
                wrong > before);
    wrong = 0;
    run(&d, 300, true, &wrong);
    assert_true(wrong < 60);
    grove_stop(&g);
}

/* A rise of the loss makes one, a lead of the old tree gives it up. */
static void alternates_are_judged_by_their_loss(void **state) {
    (void)state;
    struct dice d = {35};
    unsigned wrong = 0;
    grove_start(&g, 2);
    run(&d, 600, false, &wrong);
    struct homer_mlhat_branch *b = g.tree->root.branch;
    assert_non_null(b);
    b->wanted = true;
    run(&d, 1, false, &wrong);
    assert_true(b->alternate.leaf && !b->wanted && !b->staged);
    b->alternate_weight = 60;
    b->alternate_loss = 45; /* .75 */
    run(&d, 1, false, &wrong);
    assert_ptr_equal(g.tree->root.branch, b);
    assert_null(b->alternate.leaf);
    b->wanted = true;
    run(&d, 1, false, &wrong);
    struct homer_mlhat_leaf *fresh = b->alternate.leaf;
    b->alternate_weight = 60;
    b->alternate_loss = 0;
    b->weight = 100;
    b->loss = 60;
    run(&d, 1, false, &wrong);
    assert_ptr_equal(g.tree->root.leaf, fresh); /* in its place */
    grove_stop(&g);
}

/* Leaf and alternate answer together, weighted by 1/loss^2, once the alternate has weight. */
static void alternates_have_their_say(void **state) {
    (void)state;
    struct dice d = {38};
    unsigned wrong = 0;
    grove_start(&g, 2);
    g.config.max_depth = 1;
    run(&d, 600, false, &wrong);
    struct homer_mlhat_branch *b = g.tree->root.branch;
    b->wanted = true;
    run(&d, 1, false, &wrong);
    run(&d, 30, true, &wrong);
    assert_non_null(b->alternate.leaf);
    const float x[3] = {0.7f, 0.1f, -0.2f};
    float alone[2], other[2];
    b->alternate_weight = 50; /* not yet */
    grove_ask(&g, 3, x);
    memcpy(alone, g.p, sizeof alone);
    homer_mlhat_leaf_predict(b->alternate.leaf, &g.config, &g.query, &g.columns, 2, other, &g.scratch);
    assert_true(alone[0] > 0.5f && other[0] < 0.5f);
    b->alternate_weight = 60;
    b->alternate_loss = 12; /* .2 */
    b->weight = 100;
    b->loss = 40; /* .4: weights 25 and 6.25 */
    grove_ask(&g, 3, x);
    for (int l = 0; l < 2; l++) assert_close(g.p[l], (6.25f * alone[l] + 25 * other[l]) / 31.25f, 1e-5);
    grove_stop(&g);
}

/* A split that was prepared for an instance that does not come is forgotten; the digest holds the generator.
 */
static void a_prepared_split_can_be_taken_back(void **state) {
    (void)state;
    struct dice d = {39};
    char before[33], after[33];
    bool staged = false;
    grove_start(&g, 2);
    for (int t = 0; t < 600 && !staged; t++) {
        uint32_t on[GROVE_Y];
        float v[2] = {(float)dice_normal(&d), (float)dice_normal(&d)};
        uint32_t labels = v[0] > 0 ? 1 : 2;
        grove_ask(&g, 2, v);
        struct homer_mlhat_truth truth = grove_truth(&g, labels, UINT32_MAX, on);
        grove_digest(&g, before);
        assert_int_equal(homer_mlhat_prepare(g.tree, &g.query, &truth, &g.scratch), 0);
        staged = g.tree->root.staged != NULL;
        homer_mlhat_cancel(g.tree, &g.query);
        assert_true(!g.tree->root.staged && !g.tree->root.tried);
        grove_digest(&g, after);
        assert_string_equal(before, after);
        grove_learn(&g, labels);
    }
    assert_true(staged && g.tree->root.branch);
    grove_digest(&g, before);
    (void)homer_rng_next(&g.tree->rng);
    grove_digest(&g, after);
    assert_string_not_equal(before, after);
    grove_stop(&g);
}

/* Unknown labels are not learned, by anything; a leaf waits for instances that tell of all. */
static void partial_truth_teaches_what_it_tells(void **state) {
    (void)state;
    struct dice d = {36};
    bool split;
    grove_start(&g, 2);
    g.config.cardinality = 0;
    g.config.entropy = 0;
    for (int t = 0; t < 60; t++) {
        float v[2] = {(float)dice_normal(&d), 1};
        grove_ask(&g, 2, v);
        if (t < 3)
            grove_learn(&g, t % 3);
        else
            assert_int_equal(grove_try(&g, 1, 1, &split), 0); /* 0 is true, 1 is not told */
    }
    assert_int_equal(g.tree->root.leaf->memo_n, 3);
    float one = g.p[1];
    grove_ask(&g, 2, (const float[]){0, 1});
    assert_true(g.p[0] > 0.8f);
    one = g.p[1];
    for (int t = 0; t < 60; t++) {
        grove_ask(&g, 2, (const float[]){0, 1});
        assert_int_equal(grove_try(&g, 0, 1, &split), 0);
    }
    grove_ask(&g, 2, (const float[]){0, 1});
    assert_true(g.p[0] < 0.2f);
    assert_same(g.p[1], one);
    grove_stop(&g);
}

static void refused_memory_leaves_no_trace(void **state) {
    (void)state;
    struct dice d = {37};
    unsigned refused = 0, splits = 0;
    char before[33], after[33];
    grove_start(&g, 3);
    g.config.grace = 30;
    for (int t = 0; t < 400; t++) {
        float v[GROVE_X];
        uint32_t n = 2 + (uint32_t)t / 30;
        for (uint32_t f = 0; f < n; f++) v[f] = dice_chance(&d, 0.6) ? (float)dice_normal(&d) : 0;
        bool right = (v[0] > 0) != (t > 250), split = false;
        uint32_t labels = (right ? 1 : 2) | dice_below(&d, 2) << 2;
        if (g.tree->root.branch && t % 20 == 0 && !g.tree->root.branch->alternate.leaf)
            g.tree->root.branch->wanted = true;
        grove_ask(&g, n, v);
        for (uint64_t k = 1;; k++) {
            uint64_t failures = g.mem.failed;
            grove_digest(&g, before);
            g.mem.fail_in = k;
            int rc = grove_try(&g, labels, t % 7 ? UINT32_MAX : 3, &split);
            g.mem.fail_in = 0;
            if (g.mem.failed == failures) {
                assert_int_equal(rc, 0);
                break;
            }
            assert_int_equal(rc, -ENOMEM);
            grove_digest(&g, after);
            assert_string_equal(before, after);
            refused++;
        }
        splits += split;
    }
    assert_true(refused > 200 && splits > 1);
    grove_stop(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parameters_are_those_published),
        cmocka_unit_test(nothing_then_the_one_labelset_then_neighbours),
        cmocka_unit_test(only_the_nearest_four_of_the_window_vote),
        cmocka_unit_test(weight_and_entropy_choose),
        cmocka_unit_test(a_sure_lead_splits),
        cmocka_unit_test(many_labelsets_keep_it_a_leaf),
        cmocka_unit_test(an_alternate_takes_over_after_a_drift),
        cmocka_unit_test(alternates_are_judged_by_their_loss),
        cmocka_unit_test(alternates_have_their_say),
        cmocka_unit_test(a_prepared_split_can_be_taken_back),
        cmocka_unit_test(partial_truth_teaches_what_it_tells),
        cmocka_unit_test(refused_memory_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
