/* Gains of tests against entropies in double, and whether a split is sure. */
#include "tree_fixture.h"

enum { INSTANCES = 1000, M = 9 };

static struct sample kept[INSTANCES];

static const struct homer_split_config config = {
    .level = 1e-3f, .delta = 1e-5f, .range = 0.3f, .min_share = 0.01f, .min_weight = 5};

static struct homer_split find_masked(const struct homer_stats *s, uint64_t mask) {
    static float scratch[HOMER_SPLIT_SCRATCH * TREE_STRIDE];
    struct homer_split b;
    homer_split_find(s, &config, mask, scratch, &b);
    return b;
}

static struct homer_split find(const struct homer_stats *s) {
    return find_masked(s, 0);
}

static double entropy(double p, double q) {
    double n = p + q;
    return (p > 0 ? -p * log(p / n) : 0) + (q > 0 ? -q * log(q / n) : 0);
}

/* Drop of the summed entropies by a test on the first n kept instances. */
static double gain_of(uint32_t n, uint32_t m, bool (*goes_right)(const struct sample *s, const void *test),
                      const void *test) {
    double gain = 0;
    for (uint32_t l = 0; l < m; l++) {
        double w[2][2] = {{0}};
        for (uint32_t i = 0; i < n; i++) w[goes_right(&kept[i], test)][kept[i].y[l]] += kept[i].w;
        gain += entropy(w[0][0] + w[1][0], w[0][1] + w[1][1]);
        for (int side = 0; side < 2; side++) gain -= entropy(w[side][0], w[side][1]);
    }
    return gain;
}

static bool has(const struct sample *s, const void *test) {
    uint32_t feature = *(const uint32_t *)test;
    return sample_gives(s, feature) && fabsf(s->given[feature]) > 0;
}

static bool is_above(const struct sample *s, const void *test) {
    const struct homer_split *b = test;
    return (sample_gives(s, b->feature) ? s->given[b->feature] : 0) > b->threshold;
}

static void presence_gains_are_exact(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct homer_mem mem;
        struct homer_stats *s = stats_start(&mem, M);
        struct drawn_from from = {.dice = {seed}, .m = M, .sparse = 25, .null = 0.02, .weighted = seed % 2};
        for (uint32_t i = 0; i < 500; i++) {
            sample_next(&from, &kept[i]);
            stats_take(s, &kept[i]);
        }
        double best = 0, second = 0;
        uint32_t feature = UINT32_MAX;
        for (uint32_t j = 0; j < 25; j++) {
            double gain = gain_of(500, M, has, &j);
            second = gain > best ? best : fmax(second, gain);
            if (gain <= best) continue;
            best = gain;
            feature = j;
        }
        struct homer_split b = find(s);
        assert_int_equal(b.feature, feature);
        assert_true(b.presence);
        assert_close(b.gain, best, 1e-3);
        assert_close(b.second, second, 1e-3);
        assert_int_equal(b.tests, 25);
        assert_int_equal(b.active, M);
        stats_stop(s);
    }
}

/* Weight of a Gaussian left of a cut. */
static double left_of(double weight, double mean, double sd, double cut) {
    return weight * 0.5 * erfc((mean - cut) / sd / sqrt(2));
}

/* One dense feature whose values are normal given the label: the gain is what two normal distributions say
 * that have the instances' moments (but for the shrinkage), and near what the instances say; the cut lies
 * where it tells most. */
static void gaussian_gains_are_those_of_normal_distributions(void **state) {
    (void)state;
    const double apart[] = {0.5, 1, 2, 3}, spread[] = {1, 0.5, 2}, share[] = {0.5, 0.2};
    for (int k = 0; k < 24; k++) {
        double d = apart[k % 4], sd = spread[k / 4 % 3];
        struct homer_mem mem;
        struct homer_stats *s = stats_start(&mem, 1);
        struct dice dice = {(uint64_t)k + 1};
        for (uint32_t i = 0; i < INSTANCES; i++) {
            kept[i] = (struct sample){.w = 1, .is_dense = {true}, .y = {dice_chance(&dice, share[k / 12])}};
            sample_set(&kept[i], 0, 50 + dice_normal(&dice) * (kept[i].y[0] ? sd : 1) + d * kept[i].y[0]);
            stats_take(s, &kept[i]);
        }
        struct homer_split b = find(s);
        assert_int_equal(b.feature, 0);
        assert_false(b.presence);
        assert_same(b.second, 0); /* there is no other feature */
        double n[2] = {0}, mean[2] = {0}, m2[2] = {0}, p[2], cut = (double)b.threshold;
        for (uint32_t i = 0; i < INSTANCES; i++) {
            bool y = kept[i].y[0];
            double x = (double)kept[i].given[0], off = x - mean[y];
            mean[y] += off / ++n[y];
            m2[y] += off * (x - mean[y]);
        }
        for (int y = 0; y < 2; y++) p[y] = left_of(n[y], mean[y], sqrt(m2[y] / n[y]), cut);
        double theory = entropy(n[1], n[0]) - entropy(p[1], p[0]) - entropy(n[1] - p[1], n[0] - p[0]);
        double counted = gain_of(INSTANCES, 1, is_above, &b);
        if (!(fabs((double)b.gain - theory) <= 0.05 * theory + 1) ||
            !(fabs((double)b.gain - counted) <= 0.15 * counted + 6))
            fail_msg("case %d: gain %g, in theory %g, counted %g", k, (double)b.gain, theory, counted);
        double most = 0;
        for (struct homer_split at = b; at.threshold < 56; at.threshold += 0.125f)
            most = fmax(most, gain_of(INSTANCES, 1, is_above, &at));
        assert_true(counted >= 0.8 * most - 6);
        stats_stop(s);
    }
}

/* Positives on either side as the split promises, against those that a cut of the instances has. */
static void masses_add_up(void **state) {
    (void)state;
    for (uint32_t dense = 0; dense < 2; dense++) {
        struct homer_mem mem;
        struct homer_stats *s = stats_start(&mem, M);
        struct drawn_from from = {.dice = {4}, .m = M, .dense = 5 * dense, .sparse = 5 * (1 - dense)};
        float left[TREE_STRIDE], right[TREE_STRIDE], n_left, n_right;
        for (uint32_t i = 0; i < 800; i++) {
            sample_next(&from, &kept[i]);
            stats_take(s, &kept[i]);
        }
        struct homer_split b = find(s);
        homer_split_masses(s, &b, left, right, &n_left, &n_right);
        assert_close(n_left + n_right, s->n, 1e-5);
        for (uint32_t l = 0; l < M; l++) {
            double above = 0;
            for (uint32_t i = 0; i < 800; i++)
                above += kept[i].y[l] && (dense ? is_above(&kept[i], &b) : has(&kept[i], &b.feature));
            assert_true(left[l] >= 0 && right[l] >= 0);
            assert_close(left[l] + right[l], s->c[l], 1e-5);
            assert_true(fabs((double)right[l] - above) <= (dense ? 0.1 * above + 6 : 1e-3));
        }
        stats_stop(s);
    }
}

/* Several cuts of one feature are one feature: what the best is compared with is another one. */
static void the_second_best_is_of_another_feature(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_start(&mem, 1);
    struct dice d = {2};
    for (uint32_t i = 0; i < 500; i++) {
        struct sample x = {.w = 1, .is_dense = {true, true}, .y = {dice_chance(&d, 0.5)}};
        sample_set(&x, 0, dice_normal(&d) + 3 * x.y[0]);
        sample_set(&x, 1, dice_normal(&d) + 0.7 * x.y[0]);
        stats_take(s, &x);
    }
    struct homer_split both = find(s);
    assert_int_equal(both.feature, 0);
    assert_true(both.second > 5 && both.second < 0.5f * both.gain);
    struct homer_stats *other = NULL;
    assert_int_equal(homer_stats_seed(&other, s, 0), 0);
    other->n = s->n;
    other->c[0] = s->c[0];
    homer_stats_rescale(other);
    struct homer_split alone = find(other);
    assert_int_equal(alone.feature, 1);
    assert_close(alone.gain, both.second, 1e-4);
    assert_same(alone.second, 0);
    homer_stats_free(other);
    stats_stop(s);
}

static struct homer_split presence_of(uint32_t n, uint32_t with) {
    struct homer_mem mem;
    struct homer_stats *s = stats_start(&mem, 1);
    for (uint32_t i = 0; i < n; i++) {
        struct sample x = {.w = 1, .y = {i < with}};
        if (i < with) sample_set(&x, 3, 1);
        stats_take(s, &x);
    }
    struct homer_split b = find(s);
    stats_stop(s);
    return b;
}

static void either_side_needs_weight(void **state) {
    (void)state;
    const struct {
        uint32_t n, with;
        bool possible;
    } cases[] = {{100, 4, false},   {100, 5, true},   {100, 95, true},    {100, 96, false},
                 {2000, 19, false}, {2000, 21, true}, {2000, 1985, false}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct homer_split b = presence_of(cases[k].n, cases[k].with);
        assert_int_equal(b.feature, cases[k].possible ? 3 : UINT32_MAX);
        assert_int_equal(b.tests, cases[k].possible);
        if (!cases[k].possible) assert_false(homer_split_is_sure(&b, cases[k].n, &config));
    }
}

static void nothing_to_tell_apart_is_no_split(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_start(&mem, 2);
    struct dice d = {5};
    struct homer_split b = find(s); /* empty */
    assert_int_equal(b.feature, UINT32_MAX);
    for (uint32_t i = 0; i < 300; i++) {
        struct sample x = {.w = 1, .is_dense = {true, true}, .y = {true, false}};
        sample_set(&x, 0, dice_normal(&d));
        sample_set(&x, 1, 7); /* a constant */
        if (i % 2) sample_set(&x, 2, 1);
        stats_take(s, &x);
    }
    b = find(s);
    assert_int_equal(b.feature, UINT32_MAX);
    assert_int_equal(b.active, 0);
    assert_false(homer_split_is_sure(&b, 300, &config));
    stats_stop(s);
}

/* A number that most instances here lacked is no test, however much it tells where it is given. */
static void what_is_hardly_seen_is_no_split(void **state) {
    (void)state;
    for (int seen = 0; seen < 2; seen++) {
        struct homer_mem mem;
        struct homer_stats *s = stats_start(&mem, 1);
        for (uint32_t i = 0; i < 400; i++) {
            struct sample x = {.w = 1, .is_dense = {true}, .y = {i % 2}};
            sample_set(&x, 0, i % 2 * 5 + i % 7);
            if (i % 100 >= (seen ? 52 : 48)) x.state[0] = HOMER_NULL;
            stats_take(s, &x);
        }
        struct homer_split b = find(s);
        assert_int_equal(b.feature, seen ? 0 : UINT32_MAX);
        stats_stop(s);
    }
}

/* The two conditions, to the digit. */
static void is_sure_beyond_the_bounds_only(void **state) {
    (void)state;
    const double n = 1000;
    for (uint32_t active = 1; active <= 100; active += 11)
        for (uint32_t tests = 1; tests <= 1000; tests *= 10) {
            double tail = log(tests / 1e-3);
            double chi = (active + 2 * sqrt(active * tail) + 2 * tail) / 2;
            double bound = n * 0.3 * sqrt(log(1e5) / (2 * n)); /* on G - G2 */
            for (int above = 0; above < 2; above++) {
                double factor = above ? 1.001 : 0.999;
                struct homer_split b = {.tests = tests, .active = active, .gain = (float)(chi * factor)};
                b.second = b.gain;
                assert_int_equal(homer_split_is_sure(&b, n, &config), above);
                if (chi < bound) continue;
                b.gain = (float)(bound * factor);
                b.second = 0;
                assert_int_equal(homer_split_is_sure(&b, n, &config), above);
                b.gain += 5;
                b.second += 5;
                if ((double)b.gain < 0.999 * chi)
                    assert_int_equal(homer_split_is_sure(&b, n, &config), above);
            }
        }
}

/* A mask leaves about half of the tests, the same ones each time; the best of all is among them for half of
 * the masks, and then it is found with the same gain. */
static void masks_leave_half_aside(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_filled(&mem, M, 3, kept, 800);
    struct homer_split all = find(s);
    uint32_t same = 0, seen = 0;
    double tests = 0;
    for (uint64_t mask = 1; mask <= 400; mask++) {
        struct homer_split b = find_masked(s, mask), again = find_masked(s, mask);
        assert_memory_equal(&b, &again, sizeof b);
        assert_true(b.gain <= all.gain && b.tests <= all.tests + 60);
        if (b.feature == all.feature) assert_same(b.gain, all.gain);
        same += b.feature == all.feature;
        seen |= b.feature < 32 ? 1u << b.feature : 0;
        tests += b.tests;
    }
    assert_true(same > 150 && same < 250);
    assert_true(tests / 400 > 0.4 * all.tests && tests / 400 < 0.65 * all.tests);
    assert_true(__builtin_popcount(seen) > 5);
    stats_stop(s);
}

static bool splits_on_noise(uint64_t seed) {
    struct homer_mem mem;
    struct homer_stats *s = stats_start(&mem, 5);
    struct drawn_from from = {.dice = {seed}, .m = 5, .dense = 10, .sparse = 20, .noise = true};
    bool sure = false;
    for (int i = 1; i <= 2000; i++) {
        struct sample x;
        sample_next(&from, &x);
        stats_take(s, &x);
        if (i % 100) continue;
        struct homer_split b = find(s);
        sure = sure || homer_split_is_sure(&b, s->n, &config);
    }
    stats_stop(s);
    return sure;
}

/* Tried twenty times each. */
static void noise_is_not_split(void **state) {
    (void)state;
    int splits = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) splits += splits_on_noise(seed);
    print_message("noise was split in %d of 100 streams\n", splits);
    assert_true(splits <= 5);
}

static void what_decides_is_found_soon(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct homer_mem mem;
        struct homer_stats *s = stats_start(&mem, 5);
        struct drawn_from from = {.dice = {seed}, .m = 5, .dense = 10, .sparse = 20, .noise = true};
        uint32_t decides = seed % 2 ? 3 : 15;
        for (int i = 0; i < 200; i++) {
            struct sample x;
            sample_next(&from, &x);
            x.y[4] = decides < 10 ? x.given[decides] > 1 : has(&x, &decides);
            stats_take(s, &x);
        }
        struct homer_split b = find(s);
        assert_int_equal(b.feature, decides);
        assert_true(homer_split_is_sure(&b, s->n, &config));
        stats_stop(s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presence_gains_are_exact),
        cmocka_unit_test(gaussian_gains_are_those_of_normal_distributions),
        cmocka_unit_test(masses_add_up),
        cmocka_unit_test(the_second_best_is_of_another_feature),
        cmocka_unit_test(either_side_needs_weight),
        cmocka_unit_test(nothing_to_tell_apart_is_no_split),
        cmocka_unit_test(what_is_hardly_seen_is_no_split),
        cmocka_unit_test(is_sure_beyond_the_bounds_only),
        cmocka_unit_test(masks_leave_half_aside),
        cmocka_unit_test(noise_is_not_split),
        cmocka_unit_test(what_decides_is_found_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
