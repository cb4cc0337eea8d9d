/* Accounting, the cap and injected failures of accounted memory. */
#include "core_fixture.h"

static void charges_and_returns(void **state) {
    (void)state;
    struct homer_mem m = {0};
    struct dice d = {1};
    struct {
        unsigned char *p;
        size_t n, size;
        unsigned char mark;
    } block[50] = {0};
    size_t expected = 0, peak = 0;
    for (int step = 0; step < 5000; step++) {
        size_t i = dice_below(&d, 50);
        if (!block[i].p) {
            block[i].n = 1 + dice_below(&d, 200);
            block[i].size = 1 + dice_below(&d, 24);
            block[i].p = homer_mem_alloc(&m, block[i].n, block[i].size);
            assert_non_null(block[i].p);
            assert_int_equal((uintptr_t)block[i].p % 64, 0);
            for (size_t k = 0; k < block[i].n * block[i].size; k++) assert_int_equal(block[i].p[k], 0);
            block[i].mark = (unsigned char)(1 + dice_below(&d, 255));
            memset(block[i].p, block[i].mark, block[i].n * block[i].size);
            expected += block[i].n * block[i].size;
        } else if (dice_chance(&d, 0.5)) {
            size_t n = block[i].n + dice_below(&d, 100), size = block[i].size;
            unsigned char *p = homer_mem_grow(&m, block[i].p, block[i].n, n, size);
            assert_non_null(p);
            for (size_t k = 0; k < n * size; k++)
                assert_int_equal(p[k], k < block[i].n * size ? block[i].mark : 0);
            memset(p, block[i].mark, n * size);
            peak = expected + n * size > peak ? expected + n * size : peak; /* both live for a moment */
            expected += (n - block[i].n) * size;
            block[i].p = p;
            block[i].n = n;
        } else {
            assert_null(homer_mem_free(&m, block[i].p, block[i].n, block[i].size));
            expected -= block[i].n * block[i].size;
            block[i].p = NULL;
        }
        if (expected > peak) peak = expected;
        assert_int_equal(m.used_bytes, expected);
        assert_int_equal(m.peak_bytes, peak);
    }
    for (size_t i = 0; i < 50; i++) homer_mem_free(&m, block[i].p, block[i].n, block[i].size);
    assert_int_equal(m.used_bytes, 0);
    assert_int_equal(m.failed, 0);
}

static void refuses_above_the_cap(void **state) {
    (void)state;
    struct homer_mem m = {.max_bytes = 1000};
    char *a = homer_mem_alloc(&m, 600, 1);
    assert_non_null(a);
    a[599] = 'x';
    assert_false(homer_mem_would_pass(&m, 400));
    assert_true(homer_mem_would_pass(&m, 401));
    assert_true(homer_mem_would_pass(&m, SIZE_MAX));
    assert_null(homer_mem_alloc(&m, 401, 1));
    assert_null(homer_mem_grow(&m, a, 600, 700, 1)); /* the new block beside the old one */
    assert_int_equal(a[599], 'x');
    assert_int_equal(m.used_bytes, 600);
    assert_int_equal(m.peak_bytes, 600);
    assert_int_equal(m.failed, 2);
    char *b = homer_mem_alloc(&m, 400, 1);
    assert_non_null(b);
    assert_null(homer_mem_alloc(&m, 1, 1));
    homer_mem_free(&m, a, 600, 1);
    homer_mem_free(&m, b, 400, 1);
    assert_int_equal(m.used_bytes, 0);
}

static void refuses_impossible_sizes(void **state) {
    (void)state;
    struct homer_mem m = {0};
    assert_null(homer_mem_alloc(&m, 0, 8));
    assert_null(homer_mem_alloc(&m, 8, 0));
    assert_null(homer_mem_alloc(&m, SIZE_MAX / 2, 3));
    assert_null(homer_mem_alloc(&m, SIZE_MAX, 1));
    assert_int_equal(m.failed, 4);
    assert_int_equal(m.used_bytes, 0);
    assert_null(homer_mem_free(&m, NULL, 10, 10));
    assert_int_equal(m.used_bytes, 0);
}

static void fails_the_asked_one_once(void **state) {
    (void)state;
    for (uint64_t k = 1; k <= 5; k++) {
        struct homer_mem m = {.fail_in = k};
        void *p[6];
        for (uint64_t i = 1; i <= 6; i++) {
            p[i - 1] = homer_mem_alloc(&m, 16, 1);
            assert_int_equal(p[i - 1] == NULL, i == k);
        }
        assert_int_equal(m.failed, 1);
        assert_int_equal(m.used_bytes, 5 * 16);
        for (int i = 0; i < 6; i++) homer_mem_free(&m, p[i], 16, 1);
        assert_int_equal(m.used_bytes, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charges_and_returns),
        cmocka_unit_test(refuses_above_the_cap),
        cmocka_unit_test(refuses_impossible_sizes),
        cmocka_unit_test(fails_the_asked_one_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
