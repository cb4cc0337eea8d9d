/* The meter of instances per second. */
#include "tests/unit/daemon/engine_fixture.h"

static void starts_at_zero(void **state) {
    (void)state;
    struct homer_rate r;
    homer_rate_init(&r, 5000);
    assert_true(homer_rate_overall(&r, 5000) == 0);
    assert_true(homer_rate_recent(&r, 5000) == 0);
    homer_rate_add(&r, 5000);
    assert_true(homer_rate_overall(&r, 5000) == 0); /* no time has passed */
    assert_true(homer_rate_recent(&r, 5500) == 2);
}

static void forgets_what_is_older_than_ten_seconds(void **state) {
    (void)state;
    struct homer_rate r;
    homer_rate_init(&r, 100000);
    for (uint64_t ms = 100000; ms < 140000; ms += 10) homer_rate_add(&r, ms); /* 100 a second */
    assert_true(homer_rate_recent(&r, 140000) == 100);
    assert_true(homer_rate_overall(&r, 140000) == 100);
    assert_true(homer_rate_recent(&r, 145000) == 50);
    assert_true(homer_rate_recent(&r, 151000) == 0);
    assert_true(homer_rate_overall(&r, 180000) == 50);
    homer_rate_add(&r, 132000 + 4 * HOMER_RATE_SLOTS * 1000); /* the slot of second 132, which held 100 */
    assert_true(homer_rate_recent(&r, 133000 + 4 * HOMER_RATE_SLOTS * 1000) == .1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_at_zero),
        cmocka_unit_test(forgets_what_is_older_than_ten_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
