/* Bagged logistic regressions against a plain version in double, label by label and model by model; queries
 * and memos. */
#include <errno.h>
#include "query_fixture.h"
#include "core/learners/bagged.h"

enum { LABELS = 9, FEATURES = 12, COLUMNS = LABELS + 1 };

static struct homer_mem mem;

static void distances_are_euclidean(void **state) {
    (void)state;
    struct homer_query q;
    struct homer_memo *memo, *same;
    struct asked a;
    const uint32_t label[] = {3, 5};
    mem = (struct homer_mem){0};
    homer_query_init(&q, &mem);
    ask_values(&q, &a, 4, (const float[]){1.5f, 0, -2, 0.1f});
    assert_int_equal(q.n, 3);
    assert_int_equal(homer_memo_new(&memo, &q, label, 2), 0);
    assert_same(homer_memo_distance(memo, &q), 0);
    ask_values(&q, &a, 4, (const float[]){0, 3, -1, 0.1f});
    assert_close(homer_memo_distance(memo, &q), 1.5 * 1.5 + 9 + 1, 1e-6);
    assert_int_equal(homer_memo_new(&same, &q, NULL, 0), 0);
    a.feature[0] = UINT32_MAX; /* without an id: far from all that is known */
    a.value[0] = 2;
    ask(&q, &a, 4, 4);
    assert_close(homer_memo_distance(same, &q), 4, 1e-6);
    assert_true(homer_memo_distance(same, &q) > 0);
    a.value[1] = 3e38f; /* clipped */
    ask(&q, &a, 4, 4);
    assert_close(homer_memo_distance(memo, &q), 1e12, 1e-3);
    assert_null(homer_memo_drop(memo, &mem));
    assert_null(homer_memo_drop(same, &mem));
    homer_query_deinit(&q);
    assert_int_equal(mem.used_bytes, 0);
}

static void poisson_has_mean_and_variance_one(void **state) {
    (void)state;
    struct homer_rng rng;
    double sum = 0, squares = 0, zero = 0, n = 40000;
    homer_rng_seed(&rng, 5);
    for (int i = 0; i < n; i++) {
        double k = homer_poisson(&rng);
        sum += k;
        squares += k * k;
        zero += k == 0;
    }
    assert_close(sum / n, 1, 0.02);
    assert_close(squares / n - 1, 1, 0.04);
    assert_close(zero / n, 0.36788, 0.01);
}

struct plain {
    double w[COLUMNS][HOMER_BAG_MODELS][FEATURES + 1];
};

static double plain_p(const struct plain *m, uint32_t c, uint32_t j, const struct asked *a) {
    double s = m->w[c][j][FEATURES];
    for (uint32_t i = 0; i < a->x.feature_n; i++) s += m->w[c][j][a->feature[i]] * (double)a->value[i];
    return 1 / (1 + exp(-s));
}

static void plain_learn(struct plain *m, const struct asked *a, const float *y, uint32_t columns,
                        struct homer_rng *rng) {
    for (uint32_t j = 0; j < HOMER_BAG_MODELS; j++)
        for (uint32_t k = homer_poisson(rng); k > 0; k--)
            for (uint32_t c = 0; c < columns; c++) {
                if (isnan(y[c])) continue;
                double g = plain_p(m, c, j, a) - (double)y[c];
                for (uint32_t i = 0; i < a->x.feature_n; i++)
                    m->w[c][j][a->feature[i]] -= 0.3 * g * (double)a->value[i];
                m->w[c][j][FEATURES] -= 0.01 * g;
            }
}

/* Labels come by and by; a new one begins as the column of those that never came. */
static void learns_as_the_plain_version(void **state) {
    (void)state;
    struct dice d = {11};
    struct homer_query q;
    struct homer_bagged b;
    struct homer_rng rng, again;
    static struct plain plain;
    static float scratch[2 * COLUMNS * HOMER_BAG_MODELS], p[LABELS];
    struct asked a;
    uint32_t labels = 2;
    memset(&plain, 0, sizeof plain);
    mem = (struct homer_mem){0};
    homer_query_init(&q, &mem);
    homer_bagged_init(&b, &mem);
    homer_rng_seed(&rng, 3);
    homer_rng_seed(&again, 3);
    for (int t = 0; t < 600; t++) {
        uint32_t n = 0, known = labels;
        float y[COLUMNS];
        bool partial = dice_chance(&d, 0.2);
        for (uint32_t f = 0; f < FEATURES; f++)
            if (dice_chance(&d, 0.5)) {
                a.feature[n] = f;
                a.value[n++] = (float)dice_normal(&d);
            }
        ask(&q, &a, n, FEATURES);
        memset(p, 0, sizeof p);
        homer_bagged_predict(&b, &q, known, p, scratch);
        for (uint32_t l = 0; l < known; l++) {
            double expected = 0;
            for (uint32_t j = 0; j < HOMER_BAG_MODELS; j++) expected += plain_p(&plain, l + 1, j, &a) / 10;
            assert_close(p[l], expected, 2e-3);
        }
        if (labels < LABELS && dice_chance(&d, 0.05)) labels++;
        for (uint32_t c = known + 1; c <= labels; c++) memcpy(plain.w[c], plain.w[0], sizeof plain.w[0]);
        y[0] = partial ? (float)NAN : 0;
        for (uint32_t c = 1; c <= labels; c++)
            y[c] = partial && dice_chance(&d, 0.5) ? (float)NAN : dice_chance(&d, c % 2 ? 0.7 : 0.1);
        assert_int_equal(homer_bagged_reserve(&b, &q, labels), 0);
        homer_bagged_learn(&b, &q, labels, y, &rng, scratch);
        plain_learn(&plain, &a, y, labels + 1, &again);
    }
    assert_int_equal(labels, LABELS);
    homer_bagged_deinit(&b);
    homer_query_deinit(&q);
    assert_int_equal(mem.used_bytes, 0);
}

static void digest_of(const struct homer_bagged *b, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    homer_bagged_encode(b, 2, &c);
    homer_hasher_free(h, hex);
}

/* A reserve that is refused, or taken back, leaves nothing to see. */
static void cancelling_leaves_no_trace(void **state) {
    (void)state;
    struct homer_query q;
    struct homer_bagged b;
    struct homer_rng rng;
    static float scratch[2 * COLUMNS * HOMER_BAG_MODELS];
    struct asked a;
    char before[33], after[33];
    mem = (struct homer_mem){0};
    homer_query_init(&q, &mem);
    homer_bagged_init(&b, &mem);
    homer_rng_seed(&rng, 3);
    ask_values(&q, &a, 3, (const float[]){1, 2, 3});
    assert_int_equal(homer_bagged_reserve(&b, &q, 2), 0);
    homer_bagged_learn(&b, &q, 2, (const float[]){0, 1, 0}, &rng, scratch);
    digest_of(&b, before);
    ask_values(&q, &a, 6, (const float[]){1, 2, 3, 4, 5, 6});
    bool refused = true;
    for (uint64_t k = 1; refused; k++) {
        mem.fail_in = k;
        refused = homer_bagged_reserve(&b, &q, 8) == -ENOMEM;
        mem.fail_in = 0;
        homer_bagged_cancel(&b, &q);
        digest_of(&b, after);
        assert_string_equal(before, after);
        for (uint32_t f = 3; f < 6 && f < b.row_cap; f++) assert_null(b.row[f]);
        assert_true(k < 20);
    }
    homer_bagged_deinit(&b);
    homer_query_deinit(&q);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_euclidean),
        cmocka_unit_test(poisson_has_mean_and_variance_one),
        cmocka_unit_test(learns_as_the_plain_version),
        cmocka_unit_test(cancelling_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
