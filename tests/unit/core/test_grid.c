/* Rows that grow together keep what they hold. */
#include <errno.h>
#include "core_fixture.h"
#include "core/base/grid.h"

static void growth_keeps_the_elements(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_grid g;
    homer_grid_init(&g, &mem, 3, sizeof(double));
    assert_null(homer_grid_row(&g, 0));
    uint32_t filled = 0;
    for (uint32_t columns = 1; columns < 700; columns += 1 + columns / 5) {
        uint32_t before = g.cap;
        mem.fail_in = 1;
        int rc = homer_grid_reserve(&g, columns);
        if (columns > before) {
            assert_int_equal(rc, -ENOMEM);
            assert_int_equal(g.cap, before);
        }
        mem.fail_in = 0;
        assert_int_equal(homer_grid_reserve(&g, columns), 0);
        assert_true(g.cap >= columns);
        assert_int_equal(g.cap % 16, 0);
        assert_int_equal(mem.used_bytes, 3 * g.cap * sizeof(double));
        for (uint32_t r = 0; r < 3; r++)
            for (uint32_t l = 0; l < g.cap; l++) {
                double *cell = &homer_grid_f64(&g, r)[l];
                assert_same(*cell, l < filled ? r * 1000.0 + l + 1 : 0.0);
                *cell = r * 1000.0 + l + 1;
            }
        filled = g.cap;
    }
    homer_grid_deinit(&g);
    assert_int_equal(mem.used_bytes, 0);
}

static void copies_one_column(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_grid g;
    homer_grid_init(&g, &mem, 4, sizeof(float));
    assert_int_equal(homer_grid_reserve(&g, 20), 0);
    for (uint32_t r = 0; r < 4; r++)
        for (uint32_t l = 0; l < 20; l++) homer_grid_f32(&g, r)[l] = (float)(r * 100 + l);
    homer_grid_copy_column(&g, 3, 17);
    for (uint32_t r = 0; r < 4; r++)
        for (uint32_t l = 0; l < 20; l++) assert_same(homer_grid_f32(&g, r)[l], r * 100 + (l == 17 ? 3 : l));
    homer_grid_deinit(&g);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_keeps_the_elements),
        cmocka_unit_test(copies_one_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
