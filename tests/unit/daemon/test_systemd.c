/* What is told to a service manager, and when sockets are taken from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/systemd.h"

/* A manager's end; an abstract socket, of which no file stays. */
static int manager(void) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char name[64];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0),
        n = snprintf(name, sizeof name, "@homer-test-%ld", (long)getpid());
    memcpy(a.sun_path, name, (size_t)n);
    a.sun_path[0] = '\0';
    assert_int_equal(
        bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void expect(int fd, const char *want) {
    char got[2048] = "";
    ssize_t n = recv(fd, got, sizeof got - 1, 0);
    assert_int_equal(n, strlen(want));
    assert_string_equal(got, want);
}

static void test_news_are_told(void **state) {
    char got[8];
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    homer_systemd_notify("READY=1"); /* nobody listens */
    int fd = manager();
    homer_systemd_notify("READY=1\nSTATUS=%d records", 7);
    expect(fd, "READY=1\nSTATUS=7 records");
    setenv("NOTIFY_SOCKET", "relative", 1);
    homer_systemd_notify("READY=1");
    setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
    homer_systemd_notify("READY=1");
    assert_int_equal(recv(fd, got, sizeof got, 0), -1);
    close(fd);
}

static void test_a_watchdog_is_told_that_the_loop_turns(void **state) {
    uv_loop_t loop;
    uv_timer_t timer;
    char got[32] = "", pid[32];
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    unsetenv("WATCHDOG_USEC");
    assert_false(homer_systemd_watch(&loop, &timer));
    setenv("WATCHDOG_USEC", "4000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    assert_false(homer_systemd_watch(&loop, &timer));
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    int fd = manager();
    assert_true(homer_systemd_watch(&loop, &timer));
    for (int i = 0; i < 10000 && recv(fd, got, sizeof got - 1, 0) < 0; i++) {
        usleep(1000);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_string_equal(got, "WATCHDOG=1");
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    close(fd);
}

static void test_sockets_for_others_are_not_ours(void **state) {
    int first;
    (void)state;
    assert_int_equal(homer_systemd_sockets(&first), 0);
    static const char *const wrong[][2] = {{"1", "1"},  {"1", ""},       {"-1", NULL},
                                           {"x", NULL}, {"99999", NULL}, {"0", NULL}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char pid[32];
        snprintf(pid, sizeof pid, "%ld", (long)getpid());
        setenv("LISTEN_FDS", wrong[i][0], 1);
        setenv("LISTEN_PID", wrong[i][1] ? wrong[i][1] : pid, 1);
        assert_int_equal(homer_systemd_sockets(&first), 0);
        assert_null(getenv("LISTEN_FDS"));
        assert_null(getenv("LISTEN_PID"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_news_are_told),
        cmocka_unit_test(test_a_watchdog_is_told_that_the_loop_turns),
        cmocka_unit_test(test_sockets_for_others_are_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
