/* Whether a loss comes back after a drift. */
#include "core_fixture.h"
#include "core/drift/recovery.h"

/* Feeds n losses; how many times the answer should be given again. */
static uint32_t feed(struct homer_recovery *r, double loss, uint32_t n) {
    uint32_t again = 0;
    for (uint32_t i = 0; i < n; i++) again += homer_recovery_add(r, loss);
    return again;
}

static void without_a_drift_it_is_silent(void **state) {
    (void)state;
    struct homer_recovery r = {0};
    assert_int_equal(feed(&r, 1, 10000), 0);
}

static void a_loss_that_came_back_is_left_alone(void **state) {
    (void)state;
    struct homer_recovery r = {0};
    homer_recovery_begin(&r, 0.1);
    assert_int_equal(feed(&r, 0.115, HOMER_RECOVERY_STRETCH), 0);
    assert_int_equal(r.left, 0);
    assert_int_equal(feed(&r, 0.9, 10000), 0); /* another drift is the detector's to see */
}

static void one_that_does_not_is_answered_again(void **state) {
    (void)state;
    struct homer_recovery r = {0};
    homer_recovery_begin(&r, 0.1);
    assert_int_equal(feed(&r, 0.5, HOMER_RECOVERY_STRETCH - 1), 0);
    assert_true(homer_recovery_add(&r, 0.5));
    assert_int_equal(feed(&r, 0.125, 2 * HOMER_RECOVERY_STRETCH), 2);
    homer_recovery_begin(&r, 0.4); /* drifted on: back to where it was, not to where it had got */
    assert_int_equal(feed(&r, 0.3, 100 * HOMER_RECOVERY_STRETCH), HOMER_RECOVERY_TIMES);
    homer_recovery_begin(&r, 0.4); /* and given up: this is where it is now */
    assert_int_equal(feed(&r, 0.45, 100 * HOMER_RECOVERY_STRETCH), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_drift_it_is_silent),
        cmocka_unit_test(a_loss_that_came_back_is_left_alone),
        cmocka_unit_test(one_that_does_not_is_answered_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
