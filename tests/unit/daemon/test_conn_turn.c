/* Turns: short ones, lines that take several, long lines that are parsed elsewhere. */
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

/* A line that is not done keeps its place; nothing of its reply is sent before its end; others go on. */
static void test_an_unfinished_line_lets_others_pass(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f), other = client(&f);
    f.unfinished = 1000000;
    say(&f, fd, "before\nmore\nbehind\n");
    expect(&f, fd, "before\n");
    for (int i = 0; i < 3; i++) {
        say(&f, other, "ping\n");
        expect(&f, other, "ping\n");
        assert_true(f.unfinished > 1000);
    }
    assert_quiet(&f, fd);
    assert_int_equal(f.g->all->next->is_unfinished, true);
    f.unfinished = 2;
    expect(&f, fd, "more\nbehind\n");
    assert_int_equal(f.g->stats.lines, 6);
    close(fd);
    close(other);
    fixture_close(&f);
}

/* Its reply may be longer than what a client may leave unread, and it may be the last line of all. */
static void test_an_unfinished_line_is_not_held_back(void **state) {
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    enum { N = 20 };
    char got[N + 10];
    bool eof;
    (void)state;
    limits.high_water = N / 4;
    limits.low_water = 1;
    fixture_open(&f, limits);
    int fd = client(&f);
    f.unfinished = N;
    f.is_wordy = true;
    say(&f, fd, "more");
    shutdown(fd, SHUT_WR);
    assert_int_equal(hear(&f, fd, got, sizeof got, &eof), N + 5);
    assert_true(eof);
    assert_memory_equal(got + N, "more\n", 5);
    close(fd);
    fixture_close(&f);
}

/* Held replies before it leave; its own is held when it is done. */
static void test_an_unfinished_line_is_held_at_its_end(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f);
    homer_conn_group_batch(f.g, 1);
    f.unfinished = 1000000;
    say(&f, fd, "hold 1\nmore hold\n");
    PUMP(&f, f.unfinished < 999990);
    assert_quiet(&f, fd);
    homer_conn_group_batch(f.g, 2);
    homer_conn_group_durable(f.g, 1);
    expect(&f, fd, "hold 1\n");
    f.unfinished = 1;
    PUMP(&f, f.unfinished == 0);
    assert_quiet(&f, fd);
    homer_conn_group_durable(f.g, 2);
    expect(&f, fd, "more hold\n");
    close(fd);
    fixture_close(&f);
}

/* Whoever goes away meanwhile: the line is carried out. So it is when the group closes, and at its deadline.
 */
static void test_an_unfinished_line_outlives_its_connection(void **state) {
    (void)state;
    for (int closing = 0; closing < 3; closing++) {
        struct fixture f;
        fixture_open(&f, small_limits());
        int fd = client(&f);
        f.unfinished = 100000000;
        say(&f, fd, "more\nbehind\n");
        PUMP(&f, f.unfinished < 99999000);
        if (closing) {
            homer_conn_group_close(f.g, closing == 1 ? 60000 : 0, on_done, &f);
            assert_false(f.done);
        } else {
            homer_conn_cut(f.g->all); /* as when writing fails; nothing is read meanwhile */
            PUMP(&f, f.g->all->is_gone);
        }
        assert_true(f.unfinished > 10);
        f.unfinished = 10;
        PUMP(&f, closing ? f.done : f.g->stats.open == 0);
        assert_int_equal(f.unfinished, 0);
        if (closing == 1) expect(&f, fd, "more\nbehind\n");
        close(fd);
        fixture_close(&f);
    }
}

/* ---- long lines ---- */

static const struct homer_request_limits any_line = {.max_line = 1 << 20, .max_depth = 8};

static char *long_line(void) {
    char *line = malloc(HOMER_AHEAD_LONG + 1);
    assert_non_null(line);
    memset(line, 'l', HOMER_AHEAD_LONG);
    line[HOMER_AHEAD_LONG] = '\n';
    return line;
}

static void test_long_lines_keep_their_place(void **state) {
    enum { CLIENTS = 5, ALL = 2 + HOMER_AHEAD_LONG + 1 + 2 };
    struct fixture f;
    struct homer_ahead *ahead;
    char *line = long_line(), *got = malloc(ALL);
    int fd[CLIENTS];
    (void)state;
    fixture_open(&f, small_limits());
    assert_int_equal(homer_ahead_new(&ahead, &any_line), 0);
    assert_int_equal(homer_ahead_start(ahead), 0);
    homer_conn_group_ahead(f.g, ahead);
    for (int i = 0; i < CLIENTS; i++) {
        fd[i] = client(&f);
        say(&f, fd[i], "a\n");
        say_n(&f, fd[i], line, HOMER_AHEAD_LONG + 1);
        say(&f, fd[i], "b\n");
        assert_true(f.g->long_n <= 2);
    }
    shutdown(fd[0], SHUT_WR);
    for (int i = 0; i < CLIENTS; i++) {
        bool eof;
        assert_int_equal(hear(&f, fd[i], got, ALL, &eof), ALL);
        assert_memory_equal(got, "a\n", 2);
        assert_memory_equal(got + 2, line, HOMER_AHEAD_LONG + 1);
        assert_memory_equal(got + ALL - 2, "b\n", 2);
        close(fd[i]);
    }
    assert_int_equal(f.g->long_n, 0);
    assert_null(f.g->long_head);
    fixture_close(&f);
    homer_ahead_free(ahead);
    free(line);
    free(got);
}

/* Whether the pool is at its line or it is still in the queue. */
static void test_a_long_line_of_a_lost_connection_is_let_go(void **state) {
    enum { CLIENTS = 5 };
    char *line = long_line();
    (void)state;
    for (int lost = 0; lost <= CLIENTS; lost++) { /* then the group closes, with a deadline that has passed */
        struct fixture f;
        struct homer_ahead *ahead;
        int fd[CLIENTS];
        fixture_open(&f, small_limits());
        assert_int_equal(homer_ahead_new(&ahead, &any_line), 0);
        assert_int_equal(homer_ahead_start(ahead), 0);
        homer_conn_group_ahead(f.g, ahead);
        for (int i = 0; i < CLIENTS; i++) {
            fd[i] = client(&f);
            PUMP(&f, f.g->stats.open == (unsigned)i + 1);
        }
        for (int i = 0; i < CLIENTS; i++) say_n(&f, fd[i], line, HOMER_AHEAD_LONG + 1);
        for (struct homer_conn *c = f.g->all; c; c = c->next)
            if ((int)c->session.id <= lost) homer_conn_cut(c);
        PUMP(&f, f.g->stats.open == (unsigned)(CLIENTS - lost));
        fixture_close(&f);
        homer_ahead_free(ahead);
        for (int i = 0; i < CLIENTS; i++) close(fd[i]);
    }
    free(line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_turns_alternate),
        cmocka_unit_test(test_an_unfinished_line_lets_others_pass),
        cmocka_unit_test(test_an_unfinished_line_is_not_held_back),
        cmocka_unit_test(test_an_unfinished_line_is_held_at_its_end),
        cmocka_unit_test(test_an_unfinished_line_outlives_its_connection),
        cmocka_unit_test(test_long_lines_keep_their_place),
        cmocka_unit_test(test_a_long_line_of_a_lost_connection_is_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
