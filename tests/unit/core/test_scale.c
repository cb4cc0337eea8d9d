/* Scaling against statistics that are recomputed from all past instances. */
#include "core_fixture.h"
#include "core/base/codec.h"
#include "core/scale.h"

enum { FEATURES = 36, WORDS = 8, INSTANCES = 2100 };

/* One instance, remembered; kind[j] says how feature j came. */
enum kind { ABSENT = 0, GIVEN, NULLED };

struct past {
    double weight;
    uint8_t kind[FEATURES + WORDS];
    float value[FEATURES + WORDS];
};

struct naive {
    struct past past[INSTANCES + 1];
    uint32_t n;
    bool dense[FEATURES + WORDS];
    bool missing_mode;
};

struct sample {
    struct homer_instance x;
    uint32_t feature[FEATURES + WORDS], missing[FEATURES];
    float value[FEATURES + WORDS];
};

/* Scales x; with commit the statistics learn it. */
static uint32_t scaled_by(struct homer_scale *s, const struct homer_instance *x, bool commit) {
    uint32_t n = homer_scale_apply(s, x);
    if (commit) homer_scale_commit(s, x);
    return n;
}

/* Column j of a stream: how often it comes, around which mean, how far it spreads. */
static float draw(struct dice *d, uint32_t j) {
    switch (j % 6) {
    case 0:
        return (float)(dice_normal(d) * 3 + 1);
    case 1:
        return (float)(1e4 + dice_normal(d));
    case 2:
        return 1;
    case 3:
        return dice_chance(d, 0.05) ? 500.0f : (float)dice_normal(d) * 0.01f;
    case 4:
        return (float)(-dice_unit(d) * 1e-3);
    default:
        return (float)(7 + dice_normal(d) * 1e-6); /* as good as constant */
    }
}

static double often(uint32_t j, uint32_t t) {
    static const double share[] = {1, 0.9, 0.5, 0.28, 0.05, 0.32, 0.01};
    return j == 30 && t > 700 ? 1 : share[j % 7]; /* one turns from sparse to dense */
}

/* `known` features in random order, then words. */
static void fill(struct sample *s, struct dice *d, uint32_t known, uint32_t t, bool weighted) {
    uint32_t n = 0, missing = 0, order[FEATURES];
    for (uint32_t j = 0; j < FEATURES; j++) order[j] = j;
    for (uint32_t j = FEATURES; j-- > 1;) {
        uint32_t k = dice_below(d, j + 1), swap = order[k];
        order[k] = order[j];
        order[j] = swap;
    }
    if (!dice_chance(d, 0.05)) /* else an empty x */
        for (uint32_t i = 0; i < FEATURES; i++) {
            uint32_t j = order[i];
            if (j >= known || !dice_chance(d, often(j, t))) continue;
            if (dice_chance(d, 0.04)) {
                s->missing[missing++] = j;
                continue;
            }
            s->feature[n] = j;
            s->value[n++] = dice_chance(d, 0.05) ? 0.0f : draw(d, j);
        }
    uint32_t words = 0;
    for (uint32_t j = FEATURES; j < FEATURES + WORDS; j++)
        if (dice_chance(d, 0.2)) {
            s->feature[n] = j;
            s->value[n++] = 1 + (float)dice_below(d, 3) * 0.6f;
            words++;
        }
    s->x = (struct homer_instance){
        .feature = s->feature,
        .value = s->value,
        .feature_n = n,
        .text_n = words,
        .missing = s->missing,
        .missing_n = missing,
        .weight = weighted ? 0.1 + 3 * dice_unit(d) : 1,
    };
}

static void remember(struct naive *v, const struct homer_instance *x) {
    struct past *p = &v->past[v->n++];
    memset(p, 0, sizeof *p);
    p->weight = x->weight;
    for (uint32_t i = 0; i < x->missing_n; i++) p->kind[x->missing[i]] = NULLED;
    for (uint32_t i = 0; i < x->feature_n; i++) {
        if (x->value[i] == 0 && !v->missing_mode) continue;
        p->kind[x->feature[i]] = GIVEN;
        p->value[x->feature[i]] = x->value[i];
    }
}

/* Of feature j over everything remembered: weight of what it counts, mean, variance around it, mean square.
 */
static void moments(const struct naive *v, uint32_t j, bool absent_counts, double *mean, double *var,
                    double *square) {
    double n = 0, sum = 0, squares = 0, spread = 0;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < v->n; i++) {
            const struct past *p = &v->past[i];
            if (p->kind[j] == NULLED || (p->kind[j] == ABSENT && !absent_counts)) continue;
            double x = p->kind[j] == GIVEN ? (double)p->value[j] : 0;
            if (pass == 0) {
                n += p->weight;
                sum += p->weight * x;
                squares += p->weight * x * x;
            } else {
                spread += p->weight * (x - sum / n) * (x - sum / n);
            }
        }
    *mean = sum / n;
    *var = spread / n;
    *square = squares / n;
}

static double clipped(double x) {
    return x > 4 ? 4 : x < -4 ? -4 : x;
}

/* What the last remembered instance looks like, given x in the order that it came in. */
static uint32_t naive_scale(const struct naive *v, const struct homer_instance *x, uint32_t *feature,
                            double *out) {
    const struct past *now = &v->past[v->n - 1];
    double t = 0, mean, var, square, norm = 0;
    uint32_t n = 0, dense = 0;
    for (uint32_t i = 0; i < v->n; i++) t += v->past[i].weight;
    for (uint32_t j = 0; j < FEATURES + WORDS; j++) dense += v->dense[j];
    for (uint32_t j = 0; j < FEATURES + WORDS; j++) {
        if (!v->dense[j] || now->kind[j] == NULLED || (now->kind[j] == ABSENT && v->missing_mode)) continue;
        moments(v, j, !v->missing_mode, &mean, &var, &square);
        if (var <= 1e-10 * mean * mean) continue;
        if (t < 10) var *= 2;
        feature[n] = j;
        out[n++] = clipped(((double)now->value[j] - mean) / sqrt(var)) / sqrt(dense);
    }
    uint32_t first = n;
    for (uint32_t i = 0; i < x->feature_n; i++) {
        uint32_t j = x->feature[i];
        if (v->dense[j] || x->value[i] == 0) continue;
        moments(v, j, false, &mean, &var, &square);
        feature[n] = j;
        out[n] =
            i < x->feature_n - x->text_n ? clipped((double)x->value[i] / sqrt(square)) : (double)x->value[i];
        norm += out[n] * out[n];
        n++;
    }
    for (uint32_t i = first; i < n; i++) out[i] /= sqrt(norm);
    return n;
}

static void redecide(struct naive *v) {
    bool due = v->n % 1000 == 0;
    for (uint32_t power = 1; power <= v->n; power *= 2) due = due || power == v->n;
    for (uint32_t j = 0; due && j < FEATURES + WORDS; j++) {
        double has = 0, could = 0, missing = 0;
        for (uint32_t i = 0; i < v->n; i++) {
            has += v->past[i].kind[j] == GIVEN ? v->past[i].weight : 0;
            missing += v->past[i].kind[j] == NULLED ? v->past[i].weight : 0;
            could += v->past[i].weight;
        }
        v->dense[j] = has > 0.3 * (could - missing);
    }
}

static void assert_scaled(const struct homer_scale *s, uint32_t n, const struct naive *v,
                          const struct homer_instance *x) {
    uint32_t feature[FEATURES + WORDS];
    double expected[FEATURES + WORDS];
    assert_int_equal(n, naive_scale(v, x, feature, expected));
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(s->out_feature[i], feature[i]);
        assert_close(s->out_x[i], expected[i], 1e-5);
    }
}

static void run(bool missing_mode, bool weighted, uint64_t seed) {
    static struct naive v;
    struct homer_mem mem = {0};
    struct homer_scale s;
    struct dice d = {seed};
    uint32_t turned = 0;
    memset(&v, 0, sizeof v);
    v.missing_mode = missing_mode;
    homer_scale_init(&s, &mem, missing_mode);
    for (uint32_t t = 0; t < INSTANCES; t++) {
        struct sample x, other;
        uint32_t known = t / 20 + 8 < FEATURES ? t / 20 + 8 : FEATURES; /* features come late */
        float before[FEATURES + WORDS];
        fill(&x, &d, known, t, weighted);
        fill(&other, &d, known, t, weighted);
        assert_int_equal(homer_scale_reserve(&s, FEATURES + WORDS), 0);

        scaled_by(&s, &other.x, false); /* a prediction of something else leaves no trace */
        uint32_t n = scaled_by(&s, &x.x, false);
        if (n) memcpy(before, s.out_x, n * sizeof *before);
        assert_int_equal(scaled_by(&s, &x.x, true), n);
        for (uint32_t i = 0; i < n; i++) assert_same(s.out_x[i], before[i]);

        remember(&v, &x.x);
        if (t < 200 || t % 23 == 0 || ((t + 1) & t) == 0) assert_scaled(&s, n, &v, &x.x);
        s.features = FEATURES + WORDS;
        homer_scale_redecide(&s);
        redecide(&v);
        for (uint32_t j = 0, k = 0; j < FEATURES + WORDS; j++) {
            assert_int_equal(s.is_dense[j], v.dense[j]);
            if (v.dense[j]) assert_int_equal(s.dense[k++], j);
            assert_true(k <= s.dense_n);
        }
        turned += t > 700 && s.is_dense[30];
    }
    if (!missing_mode && !weighted) assert_true(turned > 0);
    homer_scale_deinit(&s);
    assert_int_equal(mem.used_bytes, 0);
}

static void absent_is_zero(void **state) {
    (void)state;
    run(false, false, 11);
}

static void absent_is_missing(void **state) {
    (void)state;
    run(true, false, 12);
}

static void weights_count(void **state) {
    (void)state;
    run(false, true, 13);
    run(true, true, 14);
}

/* A weight of 3 is the same as the instance thrice, for all that comes after. */
static void weight_is_repetition(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_scale once, thrice;
    struct dice d = {15};
    homer_scale_init(&once, &mem, false);
    homer_scale_init(&thrice, &mem, false);
    assert_int_equal(homer_scale_reserve(&once, FEATURES + WORDS), 0);
    assert_int_equal(homer_scale_reserve(&thrice, FEATURES + WORDS), 0);
    for (uint32_t t = 0; t < 200; t++) {
        struct sample x;
        fill(&x, &d, FEATURES, t, false);
        for (int i = 0; i < 3; i++) scaled_by(&thrice, &x.x, true);
        x.x.weight = 3;
        scaled_by(&once, &x.x, true);
    }
    assert_close(once.t, thrice.t, 1e-12);
    for (uint32_t j = 0; j < FEATURES + WORDS; j++) {
        assert_close(once.moments[j].n, thrice.moments[j].n, 1e-12);
        assert_close(once.moments[j].mean, thrice.moments[j].mean, 1e-9);
        assert_close(once.moments[j].m2, thrice.moments[j].m2, 1e-9);
        assert_close(once.moments[j].missing, thrice.moments[j].missing, 1e-12);
    }
    homer_scale_deinit(&once);
    homer_scale_deinit(&thrice);
    assert_int_equal(mem.used_bytes, 0);
}

/* Features without an id weigh in the norm exactly as they will when they are learned, words of a text too.
 */
static void unseen_features_count_in_the_norm(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_scale s;
    struct dice d = {16};
    enum { MOST = 8000 };
    static float expected[MOST];
    static uint32_t scaled[MOST];
    homer_scale_init(&s, &mem, false);
    for (uint32_t t = 0, known = 0; t < 2000; t++) {
        uint32_t feature[20], shown[20], n = 0, seen = 0, next = known;
        float value[20];
        uint32_t words = 5;
        for (uint32_t i = 0; i < 20; i++) {
            bool fresh = known == 0 || dice_chance(&d, 0.1), twice = false;
            uint32_t j = fresh ? next : dice_below(&d, known);
            for (uint32_t a = 0; a < n; a++) twice = twice || feature[a] == j;
            if (twice) continue;
            next += fresh;
            feature[n] = j;
            shown[n] = fresh ? UINT32_MAX : j;
            value[n] = (float)(dice_normal(&d) * 3) + 0.01f;
            n++;
        }
        words = n < words ? n : words;
        struct homer_instance whole = {
            .feature = feature, .value = value, .feature_n = n, .text_n = words, .weight = 1};
        struct homer_instance before = whole;
        before.feature = shown;
        assert_int_equal(homer_scale_reserve(&s, next), 0);
        uint32_t k = scaled_by(&s, &before, false);
        assert_true(k <= MOST);
        memcpy(expected, s.out_x, k * sizeof *expected);
        memcpy(scaled, s.out_feature, k * sizeof *scaled);
        uint32_t m = scaled_by(&s, &whole, true);
        for (uint32_t i = 0; i < m; i++) {
            if (s.out_feature[i] >= known) continue;
            assert_int_equal(s.out_feature[i], scaled[seen]);
            assert_same(s.out_x[i], expected[seen]);
            seen++;
        }
        assert_int_equal(seen, k);
        s.features = known = next;
        homer_scale_redecide(&s);
    }
    homer_scale_deinit(&s);
}

static void extreme_values_stay_finite(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_scale s;
    struct dice d = {17};
    const float extreme[] = {3.4028235e38f, -3.4028235e38f, 1e-45f, -1e-45f, 1e-38f, 1, -1, 0, 1e20f};
    for (int mode = 0; mode < 2; mode++) {
        homer_scale_init(&s, &mem, mode);
        assert_int_equal(homer_scale_reserve(&s, 10), 0);
        s.features = 10;
        for (int t = 0; t < 3000; t++) {
            uint32_t feature[10], n = 0;
            float value[10];
            for (uint32_t j = 0; j < 10; j++)
                if (dice_chance(&d, j < 5 ? 0.9 : 0.1)) {
                    feature[n] = j;
                    value[n++] = extreme[dice_below(&d, sizeof extreme / sizeof *extreme)];
                }
            struct homer_instance x = {.feature = feature, .value = value, .feature_n = n, .weight = 1};
            x.weight = dice_chance(&d, 0.1) ? 1e-6 : dice_chance(&d, 0.1) ? 1e6 : 1;
            uint32_t m = scaled_by(&s, &x, true);
            for (uint32_t i = 0; i < m; i++) assert_true(isfinite(s.out_x[i]) && fabsf(s.out_x[i]) <= 4);
            homer_scale_redecide(&s);
        }
        homer_scale_deinit(&s);
    }
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_is_zero),
        cmocka_unit_test(absent_is_missing),
        cmocka_unit_test(weights_count),
        cmocka_unit_test(weight_is_repetition),
        cmocka_unit_test(unseen_features_count_in_the_norm),
        cmocka_unit_test(extreme_values_stay_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
