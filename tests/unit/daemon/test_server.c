/* Listeners, the Unix socket's file, the port file, the end. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/server.h"

struct fixture {
    char folder[32], path[64], port_file[64];
    struct homer_config config;
    uv_loop_t loop;
    struct homer_server *server;
    struct homer_error err;
    bool stopped;
};

static unsigned on_line(void *ctx, struct homer_session *session, const char *text, size_t n, bool too_large,
                        struct homer_buf *out) {
    (void)ctx, (void)session;
    (void)too_large;
    homer_buf_append(out, text, n);
    homer_buf_putc(out, '\n');
    return 0;
}

static void on_stopped(void *ctx) {
    struct fixture *f = ctx;
    f->stopped = true;
}

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    signal(SIGPIPE, SIG_IGN);
    strcpy(f->folder, "/tmp/homer-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/socket", f->folder);
    snprintf(f->port_file, sizeof f->port_file, "%s/port", f->folder);
    *state = f;
    return homer_config_init(&f->config);
}

static int teardown(void **state) {
    struct fixture *f = *state;
    homer_config_deinit(&f->config);
    int left = rmdir(f->folder); /* fails when a file was left behind */
    free(f);
    return left;
}

static int listen_on(struct fixture *f, const char *const *listen, unsigned n, const char *unix_path) {
    assert_int_equal(homer_config_listen(&f->config, listen, n, unix_path), 0);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(homer_server_new(&f->server, &f->loop, &f->config, on_line, NULL), 0);
    return homer_server_listen(f->server, &f->err);
}

static void stop(struct fixture *f) {
    homer_server_stop(f->server, on_stopped, f);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_true(f->stopped);
    f->server = homer_server_free(f->server);
    assert_int_equal(uv_loop_close(&f->loop), 0);
}

static void assert_described(struct fixture *f, const char *want) {
    struct homer_mem mem = {0};
    struct homer_buf where;
    homer_buf_init(&where, &mem);
    homer_server_describe(f->server, &where);
    homer_buf_putc(&where, '\0');
    assert_string_equal(where.data, want);
    homer_buf_deinit(&where);
}

/* The first port that the description names. */
static unsigned port(struct fixture *f) {
    struct homer_mem mem = {0};
    struct homer_buf where;
    unsigned p = 0;
    homer_buf_init(&where, &mem);
    homer_server_describe(f->server, &where);
    homer_buf_putc(&where, '\0');
    assert_int_equal(sscanf(where.data, "127.0.0.1:%u", &p), 1);
    homer_buf_deinit(&where);
    return p;
}

static void assert_echoes(struct fixture *f, int fd) {
    char got[8] = "";
    assert_int_equal(send(fd, "hi\n", 3, MSG_NOSIGNAL), 3);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (long turns = 0; recv(fd, got, sizeof got - 1, 0) < 0; turns++) {
        assert_int_equal(errno, EAGAIN);
        assert_true(turns < 10000000);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_string_equal(got, "hi\n");
    close(fd);
}

static int connect_tcp(unsigned to) {
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)to), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static int unix_socket(const char *path, bool listens) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (listens)
        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    else
        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void test_listens_on_several_addresses(void **state) {
    struct fixture *f = *state;
    static const char *const listen[] = {"127.0.0.1:0", "localhost:0"};
    assert_int_equal(listen_on(f, listen, 2, f->path), 0);
    assert_echoes(f, connect_tcp(port(f)));
    assert_echoes(f, unix_socket(f->path, false));
    assert_int_equal(homer_server_stats(f->server)->accepted, 2);
    stop(f);
}

static void test_listens_on_ipv6(void **state) {
    struct fixture *f = *state;
    static const char *const listen[] = {"[::1]:0"};
    if (listen_on(f, listen, 1, NULL)) {
        stop(f);
        skip(); /* no IPv6 here */
        return;
    }
    stop(f);
}

static void test_a_unix_socket_alone_is_private_and_leaves_nothing(void **state) {
    struct fixture *f = *state;
    struct stat st;
    char want[128];
    assert_int_equal(listen_on(f, NULL, 0, f->path), 0);
    snprintf(want, sizeof want, "unix:%s", f->path);
    assert_described(f, want);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(homer_server_write_port_file(f->server, f->port_file, &f->err), 0);
    char text[128] = "", expected[128];
    FILE *in = fopen(f->port_file, "r");
    assert_non_null(in);
    assert_non_null(fgets(text, sizeof text, in));
    fclose(in);
    snprintf(expected, sizeof expected, "{\"tcp\":null,\"http\":null,\"pid\":%ld}\n", (long)getpid());
    assert_string_equal(text, expected);
    stop(f);
    assert_int_equal(access(f->path, F_OK), -1);
    assert_int_equal(access(f->port_file, F_OK), -1);
}

static void test_the_port_file_names_the_port(void **state) {
    struct fixture *f = *state;
    static const char *const listen[] = {"127.0.0.1:0"};
    assert_int_equal(listen_on(f, listen, 1, NULL), 0);
    assert_int_equal(homer_server_write_port_file(f->server, "/nonexistent/port", &f->err), -ENOENT);
    assert_non_null(strstr(f->err.message, "/nonexistent/port"));
    assert_int_equal(homer_server_write_port_file(f->server, f->port_file, &f->err), 0);
    unsigned p = 0;
    FILE *in = fopen(f->port_file, "r");
    assert_non_null(in);
    assert_int_equal(fscanf(in, "{\"tcp\":%u,\"http\":null,", &p), 1);
    fclose(in);
    assert_int_equal(p, port(f));
    stop(f);
}

static void test_a_port_in_use_is_refused_by_name(void **state) {
    struct fixture *f = *state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    char where[32];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    snprintf(where, sizeof where, "127.0.0.1:%u", ntohs(a.sin_port));
    const char *const listen[] = {"127.0.0.1:0", where};
    assert_int_equal(listen_on(f, listen, 2, f->path), -EADDRINUSE);
    assert_non_null(strstr(f->err.message, where));
    assert_non_null(strstr(f->err.message, "in use"));
    stop(f);
    close(fd);
}

static void test_replaces_a_socket_that_nobody_answers_on(void **state) {
    struct fixture *f = *state;
    close(unix_socket(f->path, true));
    assert_int_equal(listen_on(f, NULL, 0, f->path), 0);
    assert_echoes(f, unix_socket(f->path, false));
    stop(f);
}

static void test_keeps_a_socket_in_use(void **state) {
    struct fixture *f = *state;
    int fd = unix_socket(f->path, true);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(listen_on(f, NULL, 0, f->path), -EADDRINUSE);
    assert_non_null(strstr(f->err.message, f->path));
    stop(f);
    assert_int_equal(unlink(f->path), 0); /* still there */
    close(fd);
}

static void test_keeps_a_file_that_is_no_socket(void **state) {
    struct fixture *f = *state;
    int fd = open(f->path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(listen_on(f, NULL, 0, f->path), -EEXIST);
    assert_non_null(strstr(f->err.message, f->path));
    stop(f);
    assert_int_equal(unlink(f->path), 0);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_listens_on_several_addresses),
        TEST(test_listens_on_ipv6),
        TEST(test_a_unix_socket_alone_is_private_and_leaves_nothing),
        TEST(test_the_port_file_names_the_port),
        TEST(test_a_port_in_use_is_refused_by_name),
        TEST(test_replaces_a_socket_that_nobody_answers_on),
        TEST(test_keeps_a_socket_in_use),
        TEST(test_keeps_a_file_that_is_no_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
