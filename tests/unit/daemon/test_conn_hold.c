/* Replies that wait: for the batch of the log that they are in, or for an answer that comes later. */
#include "tests/unit/daemon/conn_fixture.h"

static void test_a_held_reply_waits_for_its_batch(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    homer_conn_group_batch(f.g, 1);
    int fd = client(&f), other = client(&f);
    say(&f, fd, "before\nhold 1\nbehind\n");
    expect(&f, fd, "before\n");
    assert_quiet(&f, fd);
    assert_int_equal(f.g->stats.lines, 3);
    say(&f, other, "fine\n");
    expect(&f, other, "fine\n");
    homer_conn_group_durable(f.g, 0);
    assert_quiet(&f, fd);
    homer_conn_group_durable(f.g, 1);
    expect(&f, fd, "hold 1\nbehind\n");
    assert_null(f.g->held);
    say(&f, fd, "free\n");
    expect(&f, fd, "free\n");
    close(fd);
    close(other);
    fixture_close(&f);
}

static void test_batches_are_released_one_by_one(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    homer_conn_group_batch(f.g, 1);
    int fd = client(&f);
    say(&f, fd, "hold a\nhold b\n");
    PUMP(&f, f.g->stats.lines == 2);
    homer_conn_group_batch(f.g, 2);
    say(&f, fd, "free\nhold c\n");
    PUMP(&f, f.g->stats.lines == 4);
    homer_conn_group_durable(f.g, 1);
    expect(&f, fd, "hold a\nhold b\nfree\n");
    assert_quiet(&f, fd);
    homer_conn_group_durable(f.g, 2);
    expect(&f, fd, "hold c\n");
    close(fd);
    fixture_close(&f);
}

static void test_a_line_without_reply_holds_what_comes_behind(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    homer_conn_group_batch(f.g, 7);
    int fd = client(&f);
    say(&f, fd, "mute\nping\n");
    PUMP(&f, f.g->stats.lines == 2);
    assert_quiet(&f, fd);
    homer_conn_group_durable(f.g, 9);
    expect(&f, fd, "ping\n");
    close(fd);
    fixture_close(&f);
}

static void test_many_batches_are_joined_and_nothing_is_early(void **state) {
    enum { N = 3 * HOMER_HOLDS };
    struct fixture f;
    char line[16];
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f);
    for (int i = 1; i <= N; i++) {
        homer_conn_group_batch(f.g, (uint64_t)i);
        snprintf(line, sizeof line, "hold %d\n", i);
        say(&f, fd, line);
        PUMP(&f, f.g->stats.lines == (uint64_t)i);
    }
    for (int i = 1; i < N; i++) {
        homer_conn_group_durable(f.g, (uint64_t)i);
        if (i >= HOMER_HOLDS) continue;
        snprintf(line, sizeof line, "hold %d\n", i);
        expect(&f, fd, line);
    }
    assert_quiet(&f, fd);
    homer_conn_group_durable(f.g, N);
    for (int i = HOMER_HOLDS; i <= N; i++) {
        snprintf(line, sizeof line, "hold %d\n", i);
        expect(&f, fd, line);
    }
    close(fd);
    fixture_close(&f);
}

static void test_held_replies_count_as_unsent_and_do_not_time_out(void **state) {
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    (void)state;
    limits.drain_timeout_ms = 20;
    fixture_open(&f, limits);
    homer_conn_group_batch(f.g, 1);
    int fd = client(&f);
    say(&f, fd, "hold\nbig 65536\nlast\n");
    PUMP(&f, f.g->stats.lines == 2);
    idle_turns(&f);
    assert_true(f.g->all->is_blocked); /* the high-water mark */
    uint64_t until = uv_now(&f.loop) + 100;
    PUMP(&f, uv_now(&f.loop) > until);
    assert_int_equal(f.g->stats.timed_out, 0);
    assert_int_equal(f.g->stats.lines, 2);
    homer_conn_group_durable(f.g, 1);
    expect(&f, fd, "hold\n");
    static char got[65537];
    bool eof;
    assert_int_equal(hear(&f, fd, got, sizeof got, &eof), sizeof got);
    expect(&f, fd, "last\n");
    close(fd);
    fixture_close(&f);
}

static void test_unanswered_lines_are_bounded_even_without_replies(void **state) {
    struct fixture f;
    struct homer_conn_limits limits = small_limits();
    (void)state;
    limits.max_unanswered = 5;
    fixture_open(&f, limits);
    homer_conn_group_batch(f.g, 1);
    int fd = client(&f);
    for (int i = 0; i < 12; i++) say(&f, fd, "mute\n");
    say(&f, fd, "end\n");
    idle_turns(&f);
    assert_int_equal(f.g->stats.lines, 5);
    homer_conn_group_batch(f.g, 2);
    homer_conn_group_durable(f.g, 1);
    idle_turns(&f);
    assert_int_equal(f.g->stats.lines, 10);
    assert_quiet(&f, fd);
    homer_conn_group_batch(f.g, 3);
    homer_conn_group_durable(f.g, 2);
    idle_turns(&f);
    assert_int_equal(f.g->stats.lines, 13);
    homer_conn_group_durable(f.g, 3);
    expect(&f, fd, "end\n");
    close(fd);
    fixture_close(&f);
}

static void test_the_end_of_a_connection_waits_for_holds(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    homer_conn_group_batch(f.g, 1);
    int half = client(&f), quits = client(&f), mute = client(&f);
    say(&f, half, "hold");
    shutdown(half, SHUT_WR);
    say(&f, quits, "hold\nquit\n");
    say(&f, mute, "mute\n");
    shutdown(mute, SHUT_WR);
    PUMP(&f, f.g->stats.lines == 4);
    assert_quiet(&f, half);
    assert_quiet(&f, quits);
    assert_quiet(&f, mute);
    homer_conn_group_durable(f.g, 1);
    expect(&f, half, "hold\n");
    expect_end(&f, half);
    expect(&f, quits, "hold\nquit\n");
    expect_end(&f, quits);
    expect_end(&f, mute);
    fixture_close(&f);
}

static void test_the_end_of_the_group_waits_for_holds_up_to_its_deadline(void **state) {
    for (int durable = 0; durable < 2; durable++) {
        struct fixture f;
        (void)state;
        fixture_open(&f, small_limits());
        homer_conn_group_batch(f.g, 1);
        int fd = client(&f);
        say(&f, fd, "hold\n");
        PUMP(&f, f.g->stats.lines == 1);
        homer_conn_group_close(f.g, durable ? 20000 : 30, on_done, &f);
        if (durable) {
            assert_quiet(&f, fd);
            assert_false(f.done);
            homer_conn_group_durable(f.g, 1);
            expect(&f, fd, "hold\n");
            expect_end(&f, fd);
        }
        PUMP(&f, f.done);
        if (!durable) close(fd);
        fixture_close(&f);
    }
}

static void test_a_dead_client_holds_up_nothing(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    homer_conn_group_batch(f.g, 1);
    int other = client(&f);
    for (unsigned i = 1; i <= 2; i++) {
        int fd = client(&f);
        say(&f, fd, "hold\nwait\n");
        PUMP(&f, f.g->stats.lines == 2 * i);
        hang_up(fd);
    }
    say(&f, other, "hold\n");
    idle_turns(&f);
    homer_conn_group_durable(f.g, 1);
    expect(&f, other, "hold\n");
    for (uint64_t id = 0; id < 6; id++) homer_conn_group_resume(f.g, id, "late\n", 5);
    PUMP(&f, f.g->stats.open == 1);
    close(other);
    fixture_close(&f);
}

static void test_abandoning_closes_who_waits_for_the_log(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    homer_conn_group_batch(f.g, 1);
    int held = client(&f), other = client(&f), mute = client(&f);
    say(&f, held, "first\nhold\n");
    say(&f, mute, "mute\n");
    expect(&f, held, "first\n");
    PUMP(&f, f.g->stats.lines == 3);
    homer_conn_group_abandon(f.g);
    PUMP(&f, f.g->stats.open == 1);
    expect_end(&f, held);
    expect_end(&f, mute);
    assert_int_equal(f.g->stats.abandoned, 2);
    say(&f, other, "fine\n");
    expect(&f, other, "fine\n");
    close(other);
    fixture_close(&f);
}

static void test_a_later_answer_comes_in_its_place(void **state) {
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f), other = client(&f);
    say(&f, fd, "a\nwait\nb\n");
    expect(&f, fd, "a\n");
    uint64_t id = f.last.id;
    assert_true(id > 0);
    say(&f, other, "fine\n");
    expect(&f, other, "fine\n");
    assert_int_not_equal(f.last.id, id);
    assert_quiet(&f, fd);
    assert_int_equal(f.g->stats.lines, 3);
    assert_false(homer_conn_group_resume(f.g, f.last.id, "no\n", 3)); /* waits for nothing */
    assert_false(homer_conn_group_resume(f.g, 99, "no\n", 3));
    assert_true(homer_conn_group_resume(f.g, id, "answer\n", 7));
    expect(&f, fd, "answer\nb\n");
    assert_false(homer_conn_group_resume(f.g, id, "twice\n", 6));
    say(&f, fd, "wait\nc\n");
    PUMP(&f, f.g->stats.lines == 5);
    assert_true(homer_conn_group_resume(f.g, id, NULL, 0));
    expect(&f, fd, "c\n");
    say(&f, fd, "wait");
    shutdown(fd, SHUT_WR);
    PUMP(&f, f.g->stats.lines == 7);
    assert_quiet(&f, fd);
    assert_true(homer_conn_group_resume(f.g, id, "end\n", 4));
    expect(&f, fd, "end\n");
    expect_end(&f, fd);
    close(other);
    fixture_close(&f);
}

static void wake(uv_timer_t *timer) {
    struct fixture *f = timer->data;
    homer_conn_group_resume(f->g, f->last.id, "answer\n", 7);
}

static void stop(uv_timer_t *timer) {
    uv_stop(timer->loop);
}

static void test_an_answer_from_a_timer_does_not_let_the_loop_sleep(void **state) {
    struct fixture f;
    uv_timer_t soon, late;
    (void)state;
    fixture_open(&f, small_limits());
    int fd = client(&f);
    say(&f, fd, "wait\nnext\n");
    PUMP(&f, f.g->stats.lines == 1);
    uv_timer_stop(&f.g->tick); /* nothing else wakes it */
    uv_timer_init(&f.loop, &soon);
    uv_timer_init(&f.loop, &late);
    soon.data = &f;
    uv_timer_start(&soon, wake, 1, 0);
    uv_timer_start(&late, stop, 30000, 0);
    for (int i = 0; i < 20 && f.g->stats.lines == 1; i++) uv_run(&f.loop, UV_RUN_ONCE);
    assert_int_equal(f.g->stats.lines, 2);
    assert_true(uv_timer_get_due_in(&late) > 1000);
    expect(&f, fd, "answer\nnext\n");
    uv_close((uv_handle_t *)&soon, NULL);
    uv_close((uv_handle_t *)&late, NULL);
    close(fd);
    fixture_close(&f);
}

static void after(void *ctx) {
    struct fixture *f = ctx;
    if (!f->g->held) return;
    homer_conn_group_durable(f->g, f->g->batch);
    homer_conn_group_batch(f->g, f->g->batch + 1);
}

static void test_a_batch_can_be_handed_over_after_each_round(void **state) {
    enum { N = 2000 };
    struct fixture f;
    (void)state;
    fixture_open(&f, small_limits());
    homer_conn_group_batch(f.g, 1);
    homer_conn_group_after_turns(f.g, after, &f);
    int a = client(&f), b = client(&f);
    static char flood[5 * N], got[5 * N];
    bool eof;
    for (int i = 0; i < N; i++) memcpy(flood + 5 * i, "hold\n", 5);
    assert_int_equal(send(a, flood, sizeof flood, MSG_NOSIGNAL), sizeof flood);
    assert_int_equal(send(b, flood, sizeof flood, MSG_NOSIGNAL), sizeof flood);
    assert_int_equal(hear(&f, a, got, sizeof got, &eof), sizeof got);
    assert_memory_equal(got, flood, sizeof got);
    assert_int_equal(hear(&f, b, got, sizeof got, &eof), sizeof got);
    assert_true(f.g->batch >= N / f.limits.turn_lines);
    close(a);
    close(b);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_held_reply_waits_for_its_batch),
        cmocka_unit_test(test_batches_are_released_one_by_one),
        cmocka_unit_test(test_a_line_without_reply_holds_what_comes_behind),
        cmocka_unit_test(test_many_batches_are_joined_and_nothing_is_early),
        cmocka_unit_test(test_held_replies_count_as_unsent_and_do_not_time_out),
        cmocka_unit_test(test_unanswered_lines_are_bounded_even_without_replies),
        cmocka_unit_test(test_the_end_of_a_connection_waits_for_holds),
        cmocka_unit_test(test_the_end_of_the_group_waits_for_holds_up_to_its_deadline),
        cmocka_unit_test(test_a_dead_client_holds_up_nothing),
        cmocka_unit_test(test_abandoning_closes_who_waits_for_the_log),
        cmocka_unit_test(test_a_later_answer_comes_in_its_place),
        cmocka_unit_test(test_an_answer_from_a_timer_does_not_let_the_loop_sleep),
        cmocka_unit_test(test_a_batch_can_be_handed_over_after_each_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
