/* The shuffle is Python's: expected orders were printed by random.Random(seed).shuffle(list(range(n))). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "clients/cli/shuffle.h"

static void test_small_lists(void **state) {
    static const struct {
        uint64_t seed;
        uint32_t order[10];
    } cases[] = {
        {0u, {7, 8, 1, 5, 3, 4, 2, 0, 9, 6}},
        {1u, {6, 8, 9, 7, 5, 3, 0, 4, 1, 2}},
        {42u, {7, 3, 2, 8, 5, 6, 9, 4, 0, 1}},
        {0xffffffffu, {0, 7, 1, 5, 2, 6, 4, 8, 3, 9}},
        {0x100000000u, {8, 9, 3, 2, 4, 7, 0, 6, 5, 1}},
        {0x100000005u, {5, 3, 6, 1, 9, 0, 8, 4, 7, 2}},
        {0xffffffffffffffffu, {2, 6, 7, 9, 8, 1, 4, 5, 3, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t order[10];
        homer_shuffle(cases[i].seed, order, 10);
        assert_memory_equal(order, cases[i].order, sizeof(order));
    }
}

/* FNV-1a over 100,000 indices: many words of the generator, and redraws. */
static void test_long_list(void **state) {
    enum { N = 100000 };
    uint32_t *order = malloc(N * sizeof(*order));
    uint64_t hash = 0xcbf29ce484222325u;
    (void)state;
    assert_non_null(order);
    homer_shuffle(1, order, N);
    for (size_t i = 0; i < N; i++) hash = (hash ^ order[i]) * 0x100000001b3u;
    free(order);
    assert_int_equal(hash, 0x8b9104174ce9384bu);
}

static void test_shortest_lists(void **state) {
    uint32_t order[3] = {9, 9, 9};
    (void)state;
    homer_shuffle(7, order, 0);
    assert_int_equal(order[0], 9);
    homer_shuffle(7, order, 1);
    assert_int_equal(order[0], 0);
    homer_shuffle(7, order, 3);
    assert_memory_equal(order, ((const uint32_t[]){2, 0, 1}), sizeof(order));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_lists),
        cmocka_unit_test(test_long_list),
        cmocka_unit_test(test_shortest_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
