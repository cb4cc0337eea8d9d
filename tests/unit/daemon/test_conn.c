/* What one client sees of a connection, and what its connection costs the daemon. */
#include "tests/unit/daemon/conn_fixture.h"

static void test_answers_a_line_sent_byte_by_byte(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f);
    for (const char *s = "hello\r\nworld\n"; *s; s++) {
        say_n(&f, fd, s, 1);
        idle_turns(&f);
    }
    expect(&f, fd, "hello\nworld\n");
    close(fd);
    PUMP(&f, f.g->stats.open == 0);
    assert_int_equal(f.g->stats.lines, 2);
    assert_int_equal(f.g->stats.bytes_in, 13);
    assert_int_equal(f.g->stats.bytes_out, 12);
    fixture_close(&f);
}

static void test_answers_many_lines_of_one_packet_in_order(void **state) {
    enum { N = 10000 };
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f);
    char *sent = malloc(N * 8), *got = malloc(N * 8);
    size_t n = 0;
    bool eof;
    for (int i = 0; i < N; i++) n += (size_t)sprintf(sent + n, "%d\n", i);
    say_n(&f, fd, sent, n);
    assert_int_equal(hear(&f, fd, got, n, &eof), n);
    assert_memory_equal(sent, got, n);
    assert_int_equal(f.g->stats.lines, N);
    free(sent);
    free(got);
    close(fd);
    fixture_close(&f);
}

static void test_ignores_blank_lines_and_replies_of_nothing(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f);
    say(&f, fd, "\n\r\n  \nsilent\nend\n");
    expect(&f, fd, "end\n");
    assert_int_equal(f.g->stats.lines, 2);
    close(fd);
    fixture_close(&f);
}

static void test_a_slow_reader_is_held_back(void **state) {
    enum { N = 20000, REPLY = 1000 };
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f), small = 131072;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    size_t n = 0, heard = 0;
    char *sent = malloc(N * 16), line[REPLY + 1];
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(sent + n, i % 2 ? "big %d\n" : "%d\n", i % 2 ? REPLY : i);
    /* Sends what the sockets take while nobody reads replies: it must come to a stop long before the end. */
    size_t at = 0;
    for (int still = 0; still < 200 && at < n;) {
        ssize_t k = send(fd, sent + at, n - at, MSG_NOSIGNAL);
        if (k > 0) at += (size_t)k;
        still = k > 0 ? 0 : still + 1;
        uv_run(&f.loop, UV_RUN_NOWAIT);
    }
    /* The kernel's buffers fill up a moment later. */
    uint64_t lines = 0;
    for (int still = 0; still < 100; still++) {
        uv_run(&f.loop, UV_RUN_NOWAIT);
        if (f.g->stats.lines != lines) still = 0;
        lines = f.g->stats.lines;
        usleep(500);
    }
    assert_true(lines < N);
    struct homer_conn *c = f.g->all;
    assert_true(c->is_blocked);
    assert_false(c->is_reading);
    assert_true(c->out.n + c->sending.n < f.limits.high_water + REPLY + 2);
    /* input: one read and a growth step; output: two buffers of high_water, doubled by growth */
    assert_true(c->mem.peak_bytes < 8 * 65536 + 65536);
    /* Then it reads: every reply, in order. */
    static char got[REPLY + 2];
    bool eof;
    for (int i = 0; i < N; i++) {
        for (size_t k = at < n ? 1 : 0; k;) { /* goes on sending meanwhile */
            ssize_t more = send(fd, sent + at, n - at, MSG_NOSIGNAL);
            if (more > 0) at += (size_t)more;
            k = 0;
        }
        size_t want = (size_t)snprintf(line, sizeof line, "%d\n", i);
        if (i % 2) want = REPLY + 1;
        assert_int_equal(hear(&f, fd, got, want, &eof), want);
        if (i % 2)
            assert_int_equal(got[0] == 'x' && got[REPLY] == '\n', 1);
        else
            assert_memory_equal(got, line, want);
        heard += want;
    }
    assert_int_equal(f.g->stats.bytes_out, heard);
    free(sent);
    close(fd);
    fixture_close(&f);
}

static void test_reports_a_huge_line_once_and_goes_on(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f);
    size_t n = 5u << 20;
    char *huge = malloc(n);
    memset(huge, 'a', n);
    say(&f, fd, "before\n");
    say_n(&f, fd, huge, n);
    say(&f, fd, "\nafter\n");
    expect(&f, fd, "before\nTOO LARGE\nafter\n");
    assert_int_equal(f.g->stats.too_large, 1);
    assert_true(f.g->all->mem.peak_bytes < 16 * 65536);
    free(huge);
    close(fd);
    fixture_close(&f);
}

static void test_gives_back_the_memory_of_a_large_line(void **state) {
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    (void)state;
    limits.max_line = limits.high_water = 4u << 20;
    fixture_open(&f, limits);
    int fd = client(&f);
    size_t n = 2u << 20;
    bool eof;
    char *huge = malloc(n + 1), *got = malloc(n + 1);
    memset(huge, 'a', n);
    huge[n] = '\n';
    say_n(&f, fd, huge, n + 1);
    assert_int_equal(hear(&f, fd, got, n + 1, &eof), n + 1);
    assert_memory_equal(got, huge, n + 1);
    PUMP(&f, f.g->all->mem.used_bytes == 0);
    free(huge);
    free(got);
    close(fd);
    fixture_close(&f);
}

static void test_half_close_answers_everything_even_without_newline(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f);
    for (int i = 0; i < 100; i++) say_n(&f, fd, "a\n", 2);
    say(&f, fd, "last");
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 100; i++) expect(&f, fd, "a\n");
    expect(&f, fd, "last\n");
    expect_end(&f, fd);
    PUMP(&f, f.g->stats.open == 0);
    fixture_close(&f);
}

static void test_quit_answers_and_ends_without_reset(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f);
    say(&f, fd, "a\nquit\nnever answered\n");
    expect(&f, fd, "a\nquit\n");
    PUMP(&f, f.g->all && f.g->all->state == CONN_LINGERING);
    assert_int_equal(send(fd, "more\n", 5, MSG_NOSIGNAL),
                     5); /* input after the end is dropped, not answered with a reset */
    idle_turns(&f);
    expect_end(&f, fd);
    assert_int_equal(f.g->stats.lines, 2);
    PUMP(&f, f.g->stats.open == 0);
    fixture_close(&f);
}

static void test_stops_lingering_after_a_while(void **state) {
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    (void)state;
    limits.linger_ms = 20;
    fixture_open(&f, limits);
    int fd = client(&f);
    say(&f, fd, "quit\n");
    PUMP(&f, f.g->stats.closed == 1); /* although the client keeps its end open */
    expect(&f, fd, "quit\n");
    close(fd);
    fixture_close(&f);
}

static void test_closes_who_does_not_drain_and_keeps_who_is_idle(void **state) {
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    (void)state;
    limits.drain_timeout_ms = 40;
    fixture_open(&f, limits);
    int idle = client(&f), slow = client(&f);
    for (int i = 0; i < 20; i++) say(&f, slow, "big 1000000\n");
    PUMP(&f, f.g->stats.timed_out == 1);
    PUMP(&f, f.g->stats.open == 1);
    say(&f, idle, "still here\n");
    expect(&f, idle, "still here\n");
    close(idle);
    close(slow);
    fixture_close(&f);
}

/* The last line says which limit ended it. */
static void expect_told(struct fixture *f, int fd, const char *limit) {
    char line[512] = "";
    bool eof;
    size_t n = hear(f, fd, line, sizeof line - 1, &eof);
    assert_true(eof && n > 0 && n < sizeof line && line[n - 1] == '\n');
    assert_non_null(strstr(line, limit));
    close(fd);
}

static void test_a_line_that_does_not_end_is_ended(void **state) {
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    (void)state;
    limits.line_timeout_ms = 60;
    fixture_open(&f, limits);
    int idle = client(&f), slow = client(&f), huge = client(&f);
    static char endless[100000];
    memset(endless, 'a', sizeof endless);
    say(&f, idle, "whole\n");
    expect(&f, idle, "whole\n");
    say_n(&f, huge, endless, sizeof endless);
    expect(&f, huge, "TOO LARGE\n");
    say(&f, slow, "ok\nb");
    expect(&f, slow, "ok\n");
    uint64_t begun = uv_now(&f.loop);
    while (f.g->stats.timed_out < 2) { /* more bytes do not make it younger */
        send(slow, "b", 1, MSG_NOSIGNAL);
        send(huge, "b", 1, MSG_NOSIGNAL);
        uv_run(&f.loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_true(uv_now(&f.loop) - begun >= limits.line_timeout_ms);
    expect_told(&f, slow, "line_timeout_ms");
    expect_told(&f, huge, "line_timeout_ms");
    say(&f, idle, "still here\n");
    expect(&f, idle, "still here\n");
    close(idle);
    fixture_close(&f);
}

static void test_idle_clients_may_be_ended(void **state) {
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    (void)state;
    limits.max_idle_ms = 60;
    fixture_open(&f, limits);
    homer_conn_group_batch(f.g, 1);
    int held = client(&f), waits = client(&f), idle = client(&f), never = client(&f);
    say(&f, held, "hold\n");
    say(&f, waits, "wait\n");
    PUMP(&f, f.g->stats.lines == 2);
    uint64_t id = f.last.id;
    say(&f, idle, "once\n");
    expect(&f, idle, "once\n");
    expect_told(&f, idle, "max_idle_ms");
    expect_told(&f, never, "max_idle_ms");
    PUMP(&f, f.g->stats.open == 2); /* the others wait for the daemon */
    homer_conn_group_durable(f.g, 1);
    homer_conn_group_resume(f.g, id, "late\n", 5);
    expect(&f, held, "hold\n");
    expect(&f, waits, "late\n");
    close(held);
    close(waits);
    fixture_close(&f);
}

static void test_a_reset_in_mid_reply_closes_one_connection(void **state) {
    struct fixture f;
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    (void)state;
    fixture_open(&f, small_limits());
    int other = client(&f);
    for (int i = 0; i < 20; i++) {
        int fd = client(&f);
        say(&f, fd, i % 2 ? "big 20000000\nand more\n" : "big 100\nbig 100");
        if (i % 2) PUMP(&f, f.g->all->is_sending);
        if (i % 3 == 0) shutdown(fd, SHUT_WR);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd);
        PUMP(&f, f.g->stats.open == 1);
    }
    say(&f, other, "fine\n");
    expect(&f, other, "fine\n");
    close(other);
    fixture_close(&f);
}

static void test_no_memory_for_a_reply_closes_one_connection(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int other = client(&f), fd = client(&f);
    say(&f, fd, "first\n");
    expect(&f, fd, "first\n");
    say(&f, fd, "fail\nx\n");
    PUMP(&f, f.g->stats.open == 1);
    say(&f, other, "fine\n");
    expect(&f, other, "fine\n");
    close(other);
    close(fd);
    fixture_close(&f);
}

static void test_no_memory_for_input_closes_one_connection(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int other = client(&f);
    PUMP(&f, f.g->stats.open == 1);
    int fd = client(&f);
    PUMP(&f, f.g->stats.open == 2);
    f.g->all->mem.max_bytes = 1; /* newest first: this is fd's */
    say(&f, fd, "x\n");
    PUMP(&f, f.g->stats.open == 1);
    say(&f, other, "fine\n");
    expect(&f, other, "fine\n");
    close(other);
    close(fd);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_a_line_sent_byte_by_byte),
        cmocka_unit_test(test_answers_many_lines_of_one_packet_in_order),
        cmocka_unit_test(test_ignores_blank_lines_and_replies_of_nothing),
        cmocka_unit_test(test_a_slow_reader_is_held_back),
        cmocka_unit_test(test_reports_a_huge_line_once_and_goes_on),
        cmocka_unit_test(test_gives_back_the_memory_of_a_large_line),
        cmocka_unit_test(test_half_close_answers_everything_even_without_newline),
        cmocka_unit_test(test_quit_answers_and_ends_without_reset),
        cmocka_unit_test(test_stops_lingering_after_a_while),
        cmocka_unit_test(test_closes_who_does_not_drain_and_keeps_who_is_idle),
        cmocka_unit_test(test_a_line_that_does_not_end_is_ended),
        cmocka_unit_test(test_idle_clients_may_be_ended),
        cmocka_unit_test(test_a_reset_in_mid_reply_closes_one_connection),
        cmocka_unit_test(test_no_memory_for_a_reply_closes_one_connection),
        cmocka_unit_test(test_no_memory_for_input_closes_one_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
