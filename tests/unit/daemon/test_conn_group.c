/* What connections owe each other, and how a group of them ends. */
#include "tests/unit/daemon/conn_fixture.h"

static char *repeat(const char *s, size_t times) {
    size_t n = strlen(s);
    char *all = malloc(n * times + 1);
    assert_non_null(all);
    for (size_t i = 0; i < times; i++) memcpy(all + i * n, s, n);
    all[n * times] = '\0';
    return all;
}

static void test_a_greedy_connection_does_not_starve_others(void **state) {
    enum { N = 5000 };
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int greedy = client(&f), other = client(&f);
    PUMP(&f, f.g->stats.open == 2);
    char *flood = repeat("g\n", N);
    assert_int_equal(send(greedy, flood, 2 * N, MSG_NOSIGNAL), 2 * N);
    PUMP(&f, f.echo_n > 0);
    assert_true(f.echo_n <= f.limits.turn_lines);
    unsigned before = f.echo_n;
    assert_int_equal(send(other, "ping\n", 5, MSG_NOSIGNAL), 5);
    PUMP(&f, f.echo_n_at_ping > 0);
    assert_true(f.echo_n_at_ping <= before + 4 * f.limits.turn_lines);
    expect(&f, other, "ping\n");
    assert_true(f.echo_n < N);
    free(flood);
    close(greedy);
    close(other);
    fixture_close(&f);
}

static void test_refuses_connections_over_the_cap(void **state) {
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    (void)state;
    limits.max_connections = 2;
    fixture_open(&f, limits);
    int a = client(&f), b = client(&f), c = client(&f);
    char line[512] = "";
    bool eof;
    size_t n = hear(&f, c, line, sizeof line - 1, &eof);
    assert_true(eof && n > 0 && n < sizeof line);
    assert_non_null(strstr(line, "\"code\":\"too_many\""));
    assert_non_null(strstr(line, "max_connections"));
    assert_int_equal(line[n - 1], '\n');
    assert_int_equal(f.g->stats.refused, 1);
    assert_int_equal(f.g->stats.open, 2);
    close(c);
    close(a);
    PUMP(&f, f.g->stats.open == 1);
    int d = client(&f);
    say(&f, b, "b\n");
    say(&f, d, "d\n");
    expect(&f, b, "b\n");
    expect(&f, d, "d\n");
    close(b);
    close(d);
    fixture_close(&f);
}

static void test_a_flood_of_refused_connections_is_bounded_and_passes(void **state) {
    enum { N = 150 }; /* fewer than the listen queue and the refusals together: connect must not block */
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    int fd[N];
    (void)state;
    limits.max_connections = 1;
    limits.linger_ms = 20;
    fixture_open(&f, limits);
    int one = client(&f);
    PUMP(&f, f.g->stats.open == 1);
    for (int i = 0; i < N; i++) { /* the listen queue is bounded too: turn the loop meanwhile */
        fd[i] = client(&f);
        uv_run(&f.loop, UV_RUN_NOWAIT);
        assert_true(f.g->refusal_n <= 64);
    }
    for (int i = 0; i < N; i++) {
        char line[512];
        bool eof;
        assert_true(hear(&f, fd[i], line, sizeof line, &eof) > 0 && eof);
        close(fd[i]);
    }
    assert_int_equal(f.g->stats.refused, N);
    say(&f, one, "fine\n");
    expect(&f, one, "fine\n");
    close(one);
    fixture_close(&f);
}

static void test_accepting_resumes_after_a_lack_of_memory(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    f.g->mem.fail_in = 1;
    int fd = client(&f);
    PUMP(&f, f.g->stalled_n == 1);
    say(&f, fd, "late\n");
    expect(&f, fd, "late\n");
    assert_int_equal(f.g->stalled_n, 0);
    close(fd);
    fixture_close(&f);
}

static void test_closing_answers_what_was_read(void **state) {
    enum { N = 3000 };
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f), idle = client(&f);
    PUMP(&f, f.g->stats.open == 2);
    char *flood = repeat("line\n", N), *got = malloc(5 * N + 1);
    bool eof;
    assert_int_equal(send(fd, flood, 5 * N, MSG_NOSIGNAL), 5 * N);
    PUMP(&f, f.g->stats.bytes_in == 5 * N);
    assert_true(f.echo_n < N);
    homer_conn_group_close(f.g, 10000, on_done, &f);
    assert_false(f.done);
    assert_int_equal(send(fd, "too late\n", 9, MSG_NOSIGNAL), 9);
    assert_int_equal(hear(&f, fd, got, 5 * N + 1, &eof), 5 * N);
    assert_true(eof);
    assert_memory_equal(got, flood, 5 * N);
    expect_end(&f, idle);
    close(fd);
    PUMP(&f, f.done);
    free(flood);
    free(got);
    fixture_close(&f);
}

static void test_closing_cuts_who_does_not_drain_in_time(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f);
    say(&f, fd, "big 20000000\n");
    PUMP(&f, f.g->all->is_sending);
    homer_conn_group_close(f.g, 30, on_done, &f);
    PUMP(&f, f.done);
    close(fd);
    fixture_close(&f);
}

static void test_an_empty_group_closes_at_once(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    homer_conn_group_close(f.g, 1000, on_done, &f);
    assert_true(f.done);
    fixture_close(&f);
}

static void test_serves_unix_sockets(void **state) {
    struct fixture f;
    uv_pipe_t listener;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    (void)state;
    fixture_open(&f, small_limits());
    snprintf(addr.sun_path, sizeof addr.sun_path, "/tmp/homer-test-conn-%ld.sock", (long)getpid());
    assert_int_equal(uv_pipe_init(&f.loop, &listener, 0), 0);
    listener.data = &f;
    assert_int_equal(uv_pipe_bind(&listener, addr.sun_path), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&listener, 16, on_connection), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    say(&f, fd, "a\nb");
    shutdown(fd, SHUT_WR);
    expect(&f, fd, "a\nb\n");
    expect_end(&f, fd);
    uv_close((uv_handle_t *)&listener, NULL);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_greedy_connection_does_not_starve_others),
        cmocka_unit_test(test_refuses_connections_over_the_cap),
        cmocka_unit_test(test_a_flood_of_refused_connections_is_bounded_and_passes),
        cmocka_unit_test(test_accepting_resumes_after_a_lack_of_memory),
        cmocka_unit_test(test_closing_answers_what_was_read),
        cmocka_unit_test(test_closing_cuts_who_does_not_drain_in_time),
        cmocka_unit_test(test_an_empty_group_closes_at_once),
        cmocka_unit_test(test_serves_unix_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
