/* The written-out functions against libm in double. */
#include "core_fixture.h"
#include "core/base/num.h"

enum { STRIDE = 1499 }; /* of the floats, a prime: every exponent, mantissas without a pattern */

static float above(float x) {
    return nextafterf(x, INFINITY);
}

static void exp_is_near(void **state) {
    (void)state;
    for (uint32_t u = 0; u < 0x42b00000u; u += STRIDE) { /* 0 to 88 */
        float x = homer_bits_to_float(u);
        assert_true(fabs((double)homer_exp(x) / exp((double)x) - 1) < 3e-7);
        if (x <= 87) assert_true(fabs((double)homer_exp(-x) / exp(-(double)x) - 1) < 3e-7);
    }
    assert_same(homer_exp(0), 1);
}

static void log_is_near(void **state) {
    (void)state;
    for (uint32_t u = 0x00800000u; u < 0x7f800000u; u += STRIDE) { /* normal numbers */
        float x = homer_bits_to_float(u);
        double exact = log((double)x);
        assert_close(homer_log(x), exact, 1.2e-7);
    }
    for (float x = 0.9f; x < 1.1f; x += 1e-5f) {
        double exact = log((double)x);
        assert_true(fabs((double)homer_log(x) - exact) <= 2e-7 * fabs(exact));
    }
    assert_same(homer_log(1), 0);
}

static void log_double_is_near(void **state) {
    (void)state;
    struct dice d = {11};
    for (int i = 0; i < 2000000; i++) {
        /* any exponent in a third of them, then a narrow range, then about 1, where both summands vanish */
        uint64_t any = 0x0010000000000000u + (dice_next(&d) >> 1) % 0x7fe0000000000000u;
        double x = i % 3 == 1 ? 1e6 * dice_unit(&d) + 1e-9 : 1 + (dice_unit(&d) - 0.5) * 0.9;
        if (i % 3 == 0) memcpy(&x, &any, sizeof x);
        long double exact = logl((long double)x);
        if (fabsl((long double)homer_log_double(x) - exact) > 5e-16L * fabsl(exact))
            fail_msg("log of %.17g is %.17g", x, homer_log_double(x));
    }
    assert_same(homer_log_double(1), 0);
    assert_true(isfinite(homer_log_double(0x1p-1022)) && isfinite(homer_log_double(0x1.fffffffffffffp1023)));
}

static void sigmoid_and_logit_are_near(void **state) {
    (void)state;
    for (double x = -60; x < 60; x += 0.00037) {
        float f = (float)x;
        double exact = 1 / (1 + exp(-(double)f));
        assert_true(fabs((double)homer_sigmoid(f) / exact - 1) < 4e-7);
    }
    for (double p = 1e-6; p < 1; p = p < 0.001 ? p * 1.001 : p + 0.000013) {
        float f = (float)p;
        if (f > 0.999999f) break;
        assert_close(homer_logit(f), log((double)f / (1 - (double)f)), 2.5e-7);
    }
    assert_same(homer_sigmoid(0), 0.5);
    assert_same(homer_logit(0.5f), 0);
    assert_same(homer_logit(0), homer_logit(1e-6f));
    assert_same(homer_logit(1), homer_logit(0.999999f));
}

/* Neighbouring floats may step back by a unit in the last place, never by more. */
static void nearly_monotone(void **state) {
    (void)state;
    struct dice d = {3};
    for (int i = 0; i < 300000; i++) {
        float x = (float)(dice_unit(&d) * 174 - 87), p = (float)dice_unit(&d);
        assert_true(homer_exp(above(x)) >= homer_exp(x) * (1 - 1.3e-7f));
        assert_true(homer_sigmoid(above(x)) >= homer_sigmoid(x) * (1 - 2.5e-7f));
        float y = p * 1e3f + 1e-6f;
        assert_true(homer_log(above(y)) >= homer_log(y) - 1e-6f);
        assert_true(homer_logit(above(p)) >= homer_logit(p) - 1e-6f);
    }
    /* and over steps that show at all it never does */
    float e = 0, s = 0, l = -1e9f, g = -1e9f;
    for (double x = -87; x < 88; x += 0.00005) {
        assert_true(homer_exp((float)x) >= e);
        e = homer_exp((float)x);
        if (x > 0) assert_true(homer_log((float)x) >= l);
        if (x > 0) l = homer_log((float)x);
        assert_true(homer_sigmoid((float)x) >= s - 6e-8f);
        s = homer_sigmoid((float)x);
        assert_true(homer_logit((float)(x / 175 + 0.5)) >= g - 1e-6f);
        g = homer_logit((float)(x / 175 + 0.5));
    }
}

static void stays_finite(void **state) {
    (void)state;
    assert_same(homer_exp(NAN), homer_exp(-87));
    const float extreme[] = {0,   -0.0f,  1e-45f, -1e-45f, 1e-38f,  87,       -87,      88,
                             -88, 88.73f, 1e9f,   -1e9f,   3.4e38f, -3.4e38f, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof extreme / sizeof *extreme; i++) {
        float x = extreme[i], e = homer_exp(x), s = homer_sigmoid(x), l = homer_logit(x);
        assert_true(isfinite(e) && e > 0);
        assert_true(s >= 0 && s <= 1);
        assert_true(l >= -13.9f && l <= 13.9f);
    }
    assert_true(homer_exp(-1e9f) == homer_exp(-87));
    assert_true(homer_exp(1e9f) == homer_exp(88));
    assert_true(isfinite(homer_log(1.17549435e-38f)) && isfinite(homer_log(3.4028235e38f)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_near),        cmocka_unit_test(log_is_near),
        cmocka_unit_test(log_double_is_near), cmocka_unit_test(sigmoid_and_logit_are_near),
        cmocka_unit_test(nearly_monotone),    cmocka_unit_test(stays_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
