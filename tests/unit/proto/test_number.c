/* Numbers: the same double as strtod, bit for bit, for random and for the hardest cases; and settled here,
 * not left to others, as far as number.h says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "proto/number.h"

static uint64_t rng = 1;

static uint64_t next(void) { /* splitmix64 */
    uint64_t z = rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static const char *read(const char *text, struct homer_number *out) {
    static char padded[256];
    snprintf(padded, sizeof padded - HOMER_SCAN_PAD, "%s", text);
    const char *end = homer_number_read(padded, out);
    return end ? text + (end - padded) : NULL;
}

/* The text is a number, settled, and reads as strtod reads it. */
static void check(const char *text) {
    struct homer_number number;
    const char *end = read(text, &number);
    double want = strtod(text, NULL);
    if (!end || *end || memcmp(&want, &number.d, sizeof want) != 0)
        print_error("%s: %s, %a instead of %a\n", text, end ? end : "not settled", number.d, want);
    assert_non_null(end);
    assert_int_equal(*end, '\0');
    assert_memory_equal(&want, &number.d, sizeof want);
}

/* May be left open, but not be wrong. */
static void check_if_settled(const char *text) {
    struct homer_number number;
    double want = strtod(text, NULL);
    const char *end = read(text, &number);
    if (end) assert_memory_equal(&want, &number.d, sizeof want);
}

static void shortest_and_long_digits(void **state) {
    (void)state;
    char text[64];
    for (int i = 0; i < 100000; i++) {
        /* any double from 1e-140 to 1e60, in as many digits as it takes, or a few less or more */
        uint64_t bits = (uint64_t)(1023 - 465 + next() % 664) << 52 | (next() >> 12), sign = next() << 63;
        double d;
        bits |= sign;
        memcpy(&d, &bits, sizeof d);
        snprintf(text, sizeof text, "%.*g", (int)(15 + next() % 5), d);
        if (strpbrk(text, ".e")) check(text);
    }
}

static void digits_and_powers(void **state) {
    (void)state;
    char text[64];
    for (int i = 0; i < 100000; i++) {
        uint64_t w = next() % UINT64_C(10000000000000000000) >> next() % 64;
        snprintf(text, sizeof text, "%" PRIu64 "e%d", w, (int)(next() % 225) - 160);
        check(text);
        snprintf(text, sizeof text, "-%u.%0*" PRIu64, (unsigned)(next() % 1000), (int)(1 + next() % 16),
                 w % 10000000000000000);
        check_if_settled(text);
    }
}

/* w * 10^q that lies exactly half way between two doubles, or next to that. */
static void half_ways(void **state) {
    (void)state;
    char text[64];
    for (int i = 0; i < 100000; i++) {
        uint64_t half = (UINT64_C(1) << 53 | next() >> 11) * 2 + 1; /* of 55 bits: half way of 53 and 54 */
        half >>= next() % 2;
        half |= 1;
        for (int near = -1; near <= 1; near++) {
            snprintf(text, sizeof text, "%" PRIu64 "e0", half + (uint64_t)near);
            check(text);
            snprintf(text, sizeof text, "%" PRIu64 ".5", (half >> 2) + (uint64_t)near);
            check(text);
            snprintf(text, sizeof text, "%" PRIu64 "00e-2", (half >> 2) + (uint64_t)near);
            check(text);
        }
        uint64_t five = 1;
        int q = (int)(next() % 24);
        for (int k = 0; k < q; k++) five *= 5;
        if (q == 0 || (UINT64_C(1) << 54) / five < 2) continue;
        uint64_t w =
            ((UINT64_C(1) << 53) / five + next() % ((UINT64_C(1) << 53) / five)) | 1; /* w 5^q: 54 bits */
        snprintf(text, sizeof text, "%" PRIu64 "e%d", w, q);
        check(text);
    }
}

static void more_digits_than_a_register(void **state) {
    (void)state;
    char text[128];
    unsigned settled = 0;
    for (int i = 0; i < 100000; i++) {
        struct homer_number number;
        double d = (double)(next() >> 11) * 0x1p-53;
        snprintf(text, sizeof text, "%.*f", (int)(18 + next() % 40), d);
        check_if_settled(text);
        settled += read(text, &number) != NULL;
    }
    assert_true(settled > 90000);
    /* 1 + 2^-53, and a digit below and above it: three ways to round */
    check_if_settled("1.00000000000000011102230246251565404236316680908203125");
    check_if_settled("1.00000000000000011102230246251565404236316680908203124");
    check_if_settled("1.00000000000000011102230246251565404236316680908203126");
    check("0.000000000000000000000000000000000000000000000000000000000000000000000000000000");
    check("0.00000000000000000000000000000000012345678901234567");
}

static void integers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t i;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"7", 7},
                {"-12", -12},
                {"9007199254740993", 9007199254740993},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN},
                {"12345678", 12345678}};
    struct homer_number number;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_non_null(read(good[i].text, &number));
        assert_true(number.is_integer && number.i == good[i].i && number.d == (double)good[i].i);
        assert_true(!(number.d < 0 || number.d > 0) == (good[i].i == 0));
    }
    double zero = 0;
    assert_non_null(read("-0", &number));
    assert_memory_equal(&number.d, &zero, sizeof zero); /* of an integer, as jansson has it */
    assert_non_null(read("-0.0", &number));
    assert_memory_not_equal(&number.d, &zero, sizeof zero);
    assert_false(number.is_integer);
}

static void what_is_no_number_or_not_settled(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      "01",
                                      "-01",
                                      "00",
                                      "1.",
                                      ".5",
                                      "-.5",
                                      "1e",
                                      "1e+",
                                      "1E-",
                                      "1.e5",
                                      "x",
                                      "NaN",
                                      "Infinity",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "18446744073709551616",
                                      "100000000000000000000",
                                      "1e999",
                                      "1e309",
                                      "1e65",
                                      "1.5e-200",
                                      "4.9e-324",
                                      "1e10000000000",
                                      "1e-10000000000"};
    struct homer_number number;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (read(bad[i], &number)) print_error("%s is a number\n", bad[i]);
        assert_null(read(bad[i], &number));
    }
}

static void it_ends_where_the_number_ends(void **state) {
    (void)state;
    static const char *const text[] = {"1,2",  "1.5}",  "-3]",  "2e5 ",        "0\t",
                                       "0x10", "1.5.2", "1e5e", "12345678901 "};
    static const char behind[] = ",}] \tx.e ";
    struct homer_number number;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        const char *end = read(text[i], &number);
        assert_non_null(end);
        assert_int_equal(*end, behind[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shortest_and_long_digits),
        cmocka_unit_test(digits_and_powers),
        cmocka_unit_test(half_ways),
        cmocka_unit_test(more_digits_than_a_register),
        cmocka_unit_test(integers),
        cmocka_unit_test(what_is_no_number_or_not_settled),
        cmocka_unit_test(it_ends_where_the_number_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
