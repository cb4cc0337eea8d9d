/* Observers of MLHAT's leaves: moments against a recount, and the split that follows from them. */
#include <errno.h>
#include "query_fixture.h"
#include "core/learners/observe.h"

enum { LABELS = 4, FEATURES = 6, LENGTH = 400 };

static struct homer_mem mem;
static struct homer_query q;
static struct homer_observers o;
static struct asked a;

static int start(void **state) {
    (void)state;
    mem = (struct homer_mem){0};
    homer_query_init(&q, &mem);
    homer_observers_init(&o, &mem);
    return 0;
}

static int stop(void **state) {
    (void)state;
    homer_observers_deinit(&o);
    homer_query_deinit(&q);
    assert_int_equal(mem.used_bytes, 0);
    return 0;
}

static void add(const uint32_t *on, uint32_t n, double weight) {
    static const uint32_t none = HOMER_NO_LABEL;
    if (!n) on = &none, n = 1;
    assert_int_equal(homer_observers_reserve(&o, &q, n), 0);
    homer_observers_add(&o, &q, on, n, weight);
}

static void entropy_is_summed_over_labels(void **state) {
    (void)state;
    assert_close(homer_bernoulli_entropy((const double[]){2, 4, 0, 1}, 4, 4), 1 + 0 + 0 + 0.8112781, 1e-6);
    assert_same(homer_bernoulli_entropy((const double[]){1}, 1, 0), 0);
}

static void moments_are_those_of_the_values(void **state) {
    (void)state;
    static double value[LENGTH][FEATURES], weight[LENGTH];
    static bool has[LENGTH][LABELS];
    struct dice d = {21};
    for (int t = 0; t < LENGTH; t++) {
        float v[FEATURES];
        uint32_t on[LABELS], n = 0;
        for (uint32_t f = 0; f < FEATURES; f++) {
            v[f] = dice_chance(&d, 0.4) ? (float)(dice_normal(&d) * 3 + f) : 0;
            value[t][f] = (double)v[f];
        }
        for (uint32_t l = 0; l < LABELS; l++) {
            has[t][l] = dice_chance(&d, 0.3);
            if (has[t][l]) on[n++] = l;
        }
        weight[t] = 1 + dice_below(&d, 3);
        ask_values(&q, &a, FEATURES, v);
        add(on, n, weight[t]);
    }
    for (uint32_t f = 0; f < FEATURES; f++) {
        const struct homer_observer *seen = o.observer[f];
        for (uint32_t i = 0; i <= seen->spread_n; i++) {
            const struct homer_spread *s = i < seen->spread_n ? &seen->spread[i] : &seen->all;
            double n = 0, sum = 0, squares = 0;
            if (i && i < seen->spread_n) assert_true(s->column > seen->spread[i - 1].column);
            for (int t = 0; t < LENGTH; t++) {
                bool none = !has[t][0] && !has[t][1] && !has[t][2] && !has[t][3];
                bool counts = s == &seen->all || (s->column == HOMER_NO_LABEL ? none : has[t][s->column]);
                if (!counts || value[t][f] == 0) continue;
                n += weight[t];
                sum += weight[t] * value[t][f];
                squares += weight[t] * value[t][f] * value[t][f];
            }
            assert_close(s->n, n, 1e-12);
            assert_close(s->mean, sum / n, 1e-9);
            assert_close(s->m2, squares - sum * sum / n, 1e-6);
        }
    }
}

/* Two labels that a feature tells apart, and noise: the gain is nearly their entropy, the threshold between
 * them. */
static void the_telling_feature_is_found(void **state) {
    (void)state;
    struct dice d = {22};
    double count[2] = {0}, scratch[9];
    struct homer_best_split best;
    for (int t = 0; t < LENGTH; t++) {
        uint32_t side = (uint32_t)t % 2;
        float v[3] = {(float)dice_normal(&d), (float)(side * 10 + dice_normal(&d) * 0.5),
                      (float)dice_normal(&d)};
        ask_values(&q, &a, 3, v);
        add(&side, 1, 1);
        count[side]++;
    }
    homer_observers_split(&o, LENGTH, count, 2, 0, scratch, &best);
    assert_true(best.found);
    assert_int_equal(best.feature, 1);
    assert_true(best.threshold > 2 && best.threshold < 8);
    assert_true(best.gain > 1.7 && best.gain <= 2); /* two labels, one bit each, by a Gaussian of two humps */
    assert_true(best.second < 0.1 && best.second >= 0);
}

/* A feature that is there or not, as words are: absent ones are zeros, and none of them was ever listed. */
static void implicit_zeros_count(void **state) {
    (void)state;
    double count[2] = {0}, scratch[9];
    struct homer_best_split best;
    for (int t = 0; t < LENGTH; t++) {
        uint32_t side = (uint32_t)t % 2;
        ask_values(&q, &a, 2, (const float[]){1, side ? 1 : 0});
        add(&side, 1, 1);
        count[side]++;
    }
    homer_observers_split(&o, LENGTH, count, 2, 0, scratch, &best);
    assert_true(best.found);
    assert_int_equal(best.feature, 1); /* feature 0 never varies */
    assert_true(best.threshold > 0 && best.threshold < 1);
    assert_true(best.gain > 1.7 && best.gain <= 2);
    assert_same(best.second, 0);
}

/* The same below zero. */
static void zeros_are_the_largest_value(void **state) {
    (void)state;
    double count[2] = {0}, scratch[9];
    struct homer_best_split best;
    for (int t = 0; t < LENGTH; t++) {
        uint32_t side = (uint32_t)t % 2;
        ask_values(&q, &a, 1, (const float[]){side ? -1 : 0});
        add(&side, 1, 1);
        count[side]++;
    }
    homer_observers_split(&o, LENGTH, count, 2, 0, scratch, &best);
    assert_true(best.found && best.threshold > -1 && best.threshold < 0);
}

/* Three outliers of their own label: the threshold that would cut off them alone leaves a side too light. */
static void each_side_has_a_hundredth(void **state) {
    (void)state;
    double count[2] = {0}, scratch[9];
    struct homer_best_split best;
    for (int t = 0; t < LENGTH; t++) {
        uint32_t outlier = t % 150 == 7;
        ask_values(&q, &a, 1, (const float[]){outlier ? 100 : (float)(t % 10) / 10});
        add(&outlier, 1, 1);
        count[outlier]++;
    }
    homer_observers_split(&o, LENGTH, count, 2, 0, scratch, &best);
    assert_true(best.found && best.threshold > 5 && best.threshold < 20); /* of 9, 18, 27, ... */
}

/* "No label" is told apart like a label. */
static void no_label_is_a_class(void **state) {
    (void)state;
    double count[1] = {0}, scratch[6], none = 0;
    uint32_t zero = 0;
    struct homer_best_split best;
    for (int t = 0; t < LENGTH; t++) {
        ask_values(&q, &a, 2, (const float[]){t % 2 ? 1 : 2, 1});
        add(&zero, (uint32_t)t % 2, 1);
        count[0] += t % 2;
        none += !(t % 2);
    }
    homer_observers_split(&o, LENGTH, count, 1, none, scratch, &best);
    assert_int_equal(best.feature, 0);
    assert_true(best.gain > 1.7 && best.gain <= 2);
    assert_same(best.second, 0);
}

static void a_refused_reserve_is_taken_back(void **state) {
    (void)state;
    uint32_t on[2] = {0, 1};
    ask_values(&q, &a, 2, (const float[]){1, 2});
    add(on, 2, 1);
    ask_values(&q, &a, 4, (const float[]){1, 2, 3, 4});
    bool refused = true;
    for (uint64_t k = 1; refused; k++) {
        mem.fail_in = k;
        refused = homer_observers_reserve(&o, &q, 2) == -ENOMEM;
        mem.fail_in = 0;
        homer_observers_cancel(&o, &q);
        for (uint32_t f = 0; f < o.cap; f++) assert_int_equal(o.observer[f] != NULL, f < 2);
        assert_int_equal(o.observer[1]->spread_n, 2);
        assert_same(o.observer[1]->spread[1].mean, 2);
        assert_true(k < 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entropy_is_summed_over_labels),
        cmocka_unit_test_setup_teardown(moments_are_those_of_the_values, start, stop),
        cmocka_unit_test_setup_teardown(the_telling_feature_is_found, start, stop),
        cmocka_unit_test_setup_teardown(implicit_zeros_count, start, stop),
        cmocka_unit_test_setup_teardown(zeros_are_the_largest_value, start, stop),
        cmocka_unit_test_setup_teardown(each_side_has_a_hundredth, start, stop),
        cmocka_unit_test_setup_teardown(no_label_is_a_class, start, stop),
        cmocka_unit_test_setup_teardown(a_refused_reserve_is_taken_back, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
