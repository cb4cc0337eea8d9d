/* libhomer against a socket that this test holds the other end of: addresses, framing, back-pressure, ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "clients/c/address.h"
#include "clients/c/homer.h"

struct pair {
    char path[64];
    int listener, peer;
    struct homer_client *client;
};

static int setup(void **state) {
    static struct pair p;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    p = (struct pair){.peer = -1};
    strcpy(p.path, "/tmp/test-client-XXXXXX");
    if (!mkdtemp(p.path)) return -1;
    strcat(p.path, "/socket");
    strcpy(a.sun_path, p.path);
    p.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (p.listener < 0 || bind(p.listener, (struct sockaddr *)&a, sizeof(a)) || listen(p.listener, 8))
        return -1;
    if (homer_client_new(&p.client, p.path, 1000, NULL)) return -1;
    p.peer = accept4(p.listener, NULL, NULL, SOCK_NONBLOCK);
    *state = &p;
    return p.peer < 0 ? -1 : 0;
}

static int teardown(void **state) {
    struct pair *p = *state;
    homer_client_free(p->client);
    if (p->peer >= 0) close(p->peer);
    close(p->listener);
    unlink(p->path);
    *strrchr(p->path, '/') = '\0';
    return rmdir(p->path);
}

static void say(struct pair *p, const char *text) {
    assert_int_equal(write(p->peer, text, strlen(text)), strlen(text));
}

static void expect_reply(struct pair *p, const char *wanted) {
    const char *reply;
    size_t n;
    assert_int_equal(homer_client_reply(p->client, &reply, &n, NULL), 1);
    assert_int_equal(n, strlen(wanted));
    assert_memory_equal(reply, wanted, n);
}

static void expect_none(struct pair *p) {
    const char *reply;
    size_t n;
    assert_int_equal(homer_client_reply(p->client, &reply, &n, NULL), 0);
}

static void test_lines(void **state) {
    struct pair *p = *state;
    char got[64];
    assert_int_equal(homer_client_send(p->client, "ping", 4, NULL), 0);
    assert_int_equal(homer_client_send(p->client, "{}", 2, NULL), 0);
    assert_int_equal(homer_client_unsent(p->client), 8);
    assert_int_equal(homer_client_step(p->client, 0, NULL), 0);
    assert_int_equal(homer_client_unsent(p->client), 0);
    assert_int_equal(read(p->peer, got, sizeof(got)), 8);
    assert_memory_equal(got, "ping\n{}\n", 8);
    expect_none(p);
    say(p, "on");
    assert_int_equal(homer_client_step(p->client, 0, NULL), 0);
    expect_none(p);
    say(p, "e\r\ntwo\nthr");
    assert_int_equal(homer_client_step(p->client, -1, NULL), 0);
    expect_reply(p, "one");
    expect_reply(p, "two");
    expect_none(p);
    say(p, "ee\n");
    assert_int_equal(homer_client_step(p->client, -1, NULL), 0);
    expect_reply(p, "three");
}

static void test_call(void **state) {
    struct pair *p = *state;
    const char *reply;
    size_t n;
    say(p, "pong\n"); /* waits in the socket */
    assert_int_equal(homer_client_call(p->client, "ping", 4, &reply, &n, NULL), 0);
    assert_int_equal(n, 4);
    assert_memory_equal(reply, "pong", 4);
}

static void test_push_and_pull(void **state) {
    struct pair *p = *state;
    char got[64];
    size_t taken, all = 0, read_n = 0;
    ssize_t n;
    assert_int_equal(homer_client_push(p->client, "pi", 2, &taken, NULL), 0);
    assert_int_equal(taken, 2);
    assert_int_equal(homer_client_push(p->client, "ng\n", 3, &taken, NULL), 0);
    assert_int_equal(read(p->peer, got, sizeof(got)), 5);
    assert_memory_equal(got, "ping\n", 5);
    assert_int_equal(homer_client_pull(p->client, NULL), 0); /* nothing there: does not wait */
    expect_none(p);
    say(p, "one\ntw");
    assert_int_equal(homer_client_pull(p->client, NULL), 0);
    expect_reply(p, "one");
    expect_none(p);
    say(p, "o\n");
    assert_int_equal(homer_client_pull(p->client, NULL), 0);
    expect_reply(p, "two");

    static const char block[1 << 16] = {'\n'};
    do { /* until the socket is full */
        assert_int_equal(homer_client_push(p->client, block, sizeof(block), &taken, NULL), 0);
        all += taken;
        assert_true(all < (size_t)1 << 30);
    } while (taken);
    while ((n = read(p->peer, got, sizeof(got))) > 0) read_n += (size_t)n;
    assert_int_equal(read_n, all);
    assert_int_equal(homer_client_send(p->client, "{}", 2, NULL), 0);
    assert_int_equal(homer_client_push(p->client, "{}\n", 3, &taken, NULL), -EBUSY);
}

static void test_what_is_no_request(void **state) {
    struct pair *p = *state;
    assert_int_equal(homer_client_send(p->client, "a\nb", 3, NULL), -EINVAL);
    assert_int_equal(homer_client_send(p->client, "", 0, NULL), -EINVAL);
    assert_int_equal(homer_client_send(p->client, " \t\r", 3, NULL), -EINVAL);
    assert_int_equal(homer_client_unsent(p->client), 0);
}

/* The peer reads nothing until it has written everything: whoever only writes, or only reads, would wait for
 * ever. */
static void test_back_pressure(void **state) {
    enum { LINES = 40000, BYTES = 100 };
    struct pair *p = *state;
    char request[BYTES], sink[65536];
    const char *reply;
    size_t n, replies = 0, to_write = (size_t)LINES * BYTES, to_read = to_write;
    memset(request, 'q', sizeof(request));
    for (size_t i = 0; i < LINES; i++)
        assert_int_equal(homer_client_send(p->client, request, BYTES - 1, NULL), 0);
    memset(sink, 'r', sizeof(sink));
    for (size_t i = BYTES - 1; i < sizeof(sink); i += BYTES) sink[i] = '\n';
    assert_int_equal(homer_client_step(p->client, 0, NULL), 0);
    assert_true(homer_client_unsent(p->client) > 0);
    while (replies < LINES) {
        size_t chunk = to_write < 65500 ? to_write : 65500; /* whole lines */
        ssize_t k = chunk ? write(p->peer, sink, chunk / BYTES * BYTES) : 0;
        if (k > 0) {
            to_write -= (size_t)k;
            assert_int_equal(k % BYTES, 0);
        }
        assert_int_equal(homer_client_step(p->client, 0, NULL), 0);
        while (homer_client_reply(p->client, &reply, &n, NULL) == 1) {
            assert_int_equal(n, BYTES - 1);
            replies++;
        }
    }
    while (to_read) {
        ssize_t k = read(p->peer, sink, sizeof(sink));
        if (k > 0) to_read -= (size_t)k;
        assert_int_equal(homer_client_step(p->client, 0, NULL), 0);
    }
    assert_int_equal(homer_client_unsent(p->client), 0);
}

/* Whole replies that were sent before the end are handed out; half a reply is not. */
static void test_the_peer_closes(void **state) {
    struct pair *p = *state;
    const char *reply;
    size_t n;
    struct homer_error err;
    say(p, "last\nhal");
    close(p->peer);
    p->peer = -1;
    assert_int_equal(homer_client_send(p->client, "late", 4, NULL), 0);
    for (int i = 0; i < 3; i++) assert_int_equal(homer_client_step(p->client, 0, NULL), 0);
    expect_reply(p, "last");
    assert_int_equal(homer_client_reply(p->client, &reply, &n, &err), -ECONNRESET);
    assert_non_null(strstr(err.message, "closed the connection"));
    assert_int_equal(homer_client_call(p->client, "ping", 4, &reply, &n, &err), -ECONNRESET);
}

static void test_addresses(void **state) {
    static const struct {
        const char *text, *host, *port, *path;
    } good[] = {
        {"localhost:7000", "localhost", "7000", ""},
        {"10.0.0.1", "10.0.0.1", "7707", ""},
        {"[::1]:80", "::1", "80", ""},
        {"[::1]", "::1", "7707", ""},
        {"tcp://h:1", "h", "1", ""},
        {"unix:s", "", "", "s"},
        {"./s", "", "", "./s"},
        {"/run/homerd", "", "", "/run/homerd"},
        {"h:65535", "h", "65535", ""},
    };
    static const char *const bad[] = {"",     ":1",   "h:",  "h:0",   "h:65536", "h:x",  "h:1x",
                                      "[::1", "[]:1", "::1", "unix:", "tcp://",  "h:-1", "[::1]x"};
    struct homer_address a;
    struct homer_error err;
    char text[300];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(homer_address_parse(&a, good[i].text, &err), 0);
        assert_string_equal(a.host, good[i].host);
        assert_string_equal(a.port, good[i].port);
        assert_string_equal(a.path, good[i].path);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(homer_address_parse(&a, bad[i], &err), -EINVAL);
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(homer_address_parse(&a, text, &err), -EINVAL);
    text[0] = '/';
    assert_int_equal(homer_address_parse(&a, text, &err), -EINVAL);
}

static void test_nobody_there(void **state) {
    struct homer_client *c;
    struct homer_error err;
    (void)state;
    assert_int_equal(homer_client_new(&c, "/nonexistent/socket", 1000, &err), -ENOENT);
    assert_string_equal(
        err.message,
        "cannot connect to /nonexistent/socket: No such file or directory; is homerd running there?");
    assert_int_equal(homer_client_new(&c, "127.0.0.1:1", 1000, &err), -ECONNREFUSED);
    assert_non_null(strstr(err.message, "127.0.0.1:1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_push_and_pull, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_back_pressure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_peer_closes, setup, teardown),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_nobody_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
