/* Turns and their length. */
#include "tests/unit/daemon/conn_fixture.h"

/* With no time at all a turn is one line, and everybody has theirs. */
static void test_short_turns_alternate(void **state) {
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    (void)state;
    limits.round_us = 0;
    fixture_open(&f, limits);
    int a = client(&f), b = client(&f);
    PUMP(&f, f.g->stats.open == 2);
    assert_int_equal(send(a, "1\n2\n3\n4\n5\n", 10, MSG_NOSIGNAL), 10);
    PUMP(&f, f.echo_n == 1);
    assert_int_equal(send(b, "ping\n", 5, MSG_NOSIGNAL), 5);
    PUMP(&f, f.echo_n == 5);
    assert_true(f.echo_n_at_ping >= 1 && f.echo_n_at_ping < 5);
    expect(&f, a, "1\n2\n3\n4\n5\n");
    expect(&f, b, "ping\n");
    close(a);
    close(b);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_turns_alternate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
