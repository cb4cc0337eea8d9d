/* What is left out of the flat learner to measure its worth is held at 0, and costs nothing where it can. */
#include "flat_fixture.h"
#include "core/flat.h"

static const struct drawing mixed = {
    .partial = 0.2, .weighted = 0.3, .empty = 0.1, .null = 0.03, .noise = 0.5};

static void learn(struct homer_flat *f, const struct drawn *x, uint32_t features, uint32_t labels) {
    assert_int_equal(homer_flat_reserve(f, features, labels), 0);
    homer_flat_predict(f, &x->x);
    assert_int_equal(homer_flat_prepare(f, &x->x, features, labels, 1), 0);
    homer_flat_learn(f, &x->x, features, labels);
}

static bool all_zero(const float *row, uint32_t n) {
    for (uint32_t l = 0; l < n; l++)
        if (row[l] != 0) return false;
    return true;
}

/* Nothing but what is left out is 0; an expert of which nothing is left takes no memory; weights that do not
 * learn stay where they start. */
static void left_out(enum homer_profile profile, int rows, uint32_t parts) {
    struct homer_mem mem = {0};
    struct homer_flat f;
    struct homer_clusters_config clusters;
    struct dice d = {77};
    struct drawn x;
    homer_clusters_config_default(&clusters);
    homer_flat_init(&f, &mem, false, profile, &clusters);
    homer_flat_leave_out(&f, parts | HOMER_WITHOUT_OFFSETS);
    double start = f.stack.w[HOMER_X_MARKOV], other = f.stack.w[HOMER_X_RECENT_SLOW];
    for (int i = 0; i < 300; i++) {
        draw_x(&x, &d, &mixed, 12);
        draw_y(&x, &d, &mixed, 6, 6);
        learn(&f, &x, 12, 6);
    }
    homer_flat_predict(&f, &x.x);
    for (int e = 0; e < HOMER_FLAT_ONLY; e++)
        assert_int_equal(all_zero(f.frame.evidence[e], 6), parts >> e & 1);
    for (int e = 0; e < rows; e++) {
        if (parts >> e & 1) assert_true(all_zero(f.frame.evidence[e], 6));
        assert_true(all_zero(homer_grid_f32(&f.stack.offset, (uint32_t)e), 6));
    }
    assert_int_equal(f.markov.count.cap, 0);
    assert_true(f.stack.w[HOMER_X_MARKOV] == start && f.stack.w[HOMER_X_RECENT_SLOW] != other);
    homer_flat_deinit(&f);
    assert_int_equal(mem.used_bytes, 0);
}

static void what_is_left_out_is_held_at_0(void **state) {
    (void)state;
    const uint32_t markov = 1u << HOMER_X_MARKOV, tracking = 1u << HOMER_X_TRACKING;
    const uint32_t linear = tracking | 1u << HOMER_X_LINEAR;
    const uint32_t near = 1u << HOMER_X_NEIGHBOURS | 1u << HOMER_X_SHARP;
    const uint32_t products = 1u << HOMER_X_PRODUCTS | 1u << HOMER_X_PRODUCTS_STIFF;
    left_out(HOMER_LINEAR_ONLY, HOMER_FLAT_ONLY, markov | tracking);
    left_out(HOMER_FAST, HOMER_FAST_ONLY, markov | linear);
    left_out(HOMER_ACCURATE, HOMER_EXPERTS,
             markov | linear); /* products still look at the linear expert's weights */
    left_out(HOMER_ACCURATE, HOMER_EXPERTS, markov | linear | products | near);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_left_out_is_held_at_0)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
