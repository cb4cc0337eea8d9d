/* Lines that cannot be handled yet. */
#include "tests/unit/daemon/conn_fixture.h"

/* A line that cannot be handled yet keeps its place, and those behind it theirs; nobody else waits. */
static void test_a_line_is_handed_out_again(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f), other = client(&f);
    f.refusals = 2;
    say(&f, fd, "before\nagain 1\nbehind\n");
    expect(&f, fd, "before\n");
    assert_quiet(&f, fd);
    assert_int_equal(f.refusals, 1);
    assert_int_equal(f.g->stats.lines, 1);
    say(&f, other, "fine\n");
    expect(&f, other, "fine\n");
    homer_conn_group_again(f.g);
    assert_quiet(&f, fd);
    assert_int_equal(f.refusals, 0);
    assert_int_equal(f.g->again_n, 1);
    homer_conn_group_again(f.g);
    expect(&f, fd, "again 1\nbehind\n");
    assert_int_equal(f.g->stats.lines, 4);
    assert_int_equal(f.g->again_n, 0);

    f.refusals = 1; /* a last line without newline, behind which the peer has closed */
    say(&f, fd, "again 2");
    shutdown(fd, SHUT_WR);
    PUMP(&f, f.refusals == 0);
    assert_quiet(&f, fd);
    homer_conn_group_again(f.g);
    expect(&f, fd, "again 2\n");

    f.refusals = 1; /* a peer that goes away meanwhile */
    say(&f, other, "again 3\n");
    PUMP(&f, f.refusals == 0);
    hang_up(other);
    close(fd);
    homer_conn_group_again(f.g);
    PUMP(&f, f.g->stats.open == 0);
    assert_int_equal(f.g->again_n, 0);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_is_handed_out_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
