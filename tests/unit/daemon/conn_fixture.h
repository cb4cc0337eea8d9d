/* A connection group on a real loop and loopback sockets; the clients are plain descriptors of the test
 * itself, which turns the loop by hand. Time limits only decide when a test gives up. */
#ifndef TESTS_CONN_FIXTURE_H
#define TESTS_CONN_FIXTURE_H

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
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/conn_impl.h"

struct fixture {
    uv_loop_t loop;
    uv_tcp_t listener;
    struct sockaddr_in addr;
    struct homer_conn_group *g;
    struct homer_conn_limits limits;
    bool done;
    struct homer_session last; /* of the line handled last */
    unsigned refusals;         /* how often "again" is not handled yet */
    unsigned unfinished;       /* how often a "more" is not done yet */
    bool is_wordy;             /* then it says 'm' each time, and only once otherwise */
    char more[32];             /* that line */
    unsigned echo_n;           /* lines handled that were not "ping" */
    unsigned echo_n_at_ping;   /* echo_n when a "ping" was last handled */
};

/* A line that is not done in one go. */
static inline unsigned go_on(struct fixture *f, struct homer_buf *out) {
    if (f->unfinished == 0) {
        homer_buf_puts(out, f->is_wordy ? f->more : f->more + 1);
        homer_buf_putc(out, '\n');
        return strstr(f->more, "hold") ? HOMER_LINE_HOLD : 0u;
    }
    if (f->is_wordy || f->more[0] == '+') homer_buf_putc(out, 'm');
    if (f->more[0] == '+') f->more[0] = 'm';
    f->unfinished--;
    return HOMER_LINE_MORE;
}

/* Replies with the line; some words do more: "hold...", "wait...", "mute" (held, no reply), "again...",
 * "more..." (in several goes), "quit". */
static unsigned on_line(void *ctx, struct homer_session *session, const char *text, size_t n, bool too_large,
                        struct homer_buf *out) {
    struct fixture *f = ctx;
    f->last = *session;
    if (!text && !too_large) return go_on(f, out);
    if (too_large) {
        assert_null(text);
        homer_buf_puts(out, "TOO LARGE\n");
        return 0;
    }
    char word[32] = "";
    memcpy(word, text, n < sizeof word - 1 ? n : sizeof word - 1);
    if (!strcmp(word, "ping"))
        f->echo_n_at_ping = f->echo_n;
    else
        f->echo_n++;
    if (!strcmp(word, "silent")) return 0;
    if (!strncmp(word, "more", 4)) {
        strcpy(f->more, word);
        if (!f->is_wordy) f->more[0] = '+'; /* its first letter is said at once */
        return go_on(f, out);
    }
    if (!strncmp(word, "again", 5) && f->refusals) {
        f->refusals--;
        return HOMER_LINE_AGAIN;
    }
    if (!strcmp(word, "mute")) return HOMER_LINE_HOLD;
    if (!strncmp(word, "wait", 4)) return HOMER_LINE_WAIT;
    if (!strcmp(word, "fail")) {
        out->mem->fail_in = 1;
        homer_buf_reserve(out, out->cap + 1);
        return 0;
    }
    if (!strncmp(word, "big ", 4)) {
        size_t size = (size_t)atoi(word + 4);
        if (homer_buf_reserve(out, size + 1)) return 0;
        memset(out->data + out->n, 'x', size);
        out->n += size;
    } else {
        homer_buf_append(out, text, n);
    }
    homer_buf_putc(out, '\n');
    return (!strcmp(word, "quit") ? HOMER_LINE_QUIT : 0u) |
           (!strncmp(word, "hold", 4) ? HOMER_LINE_HOLD : 0u);
}

static inline void on_connection(uv_stream_t *listener, int status) {
    struct fixture *f = listener->data;
    assert_int_equal(status, 0);
    homer_conn_group_accept(f->g, listener);
}

static inline void on_done(void *ctx) {
    struct fixture *f = ctx;
    f->done = true;
}

static inline struct homer_conn_limits small_limits(void) {
    return (struct homer_conn_limits){.max_line = 65536,
                                      .read_bytes = 65536,
                                      .high_water = 65536,
                                      .low_water = 16384,
                                      .max_unanswered = 10000,
                                      .turn_lines = 16,
                                      .round_us = 1000000,
                                      .max_connections = 100,
                                      .drain_timeout_ms = 60000,
                                      .line_timeout_ms = 60000,
                                      .linger_ms = 1000};
}

static inline void fixture_open(struct fixture *f, struct homer_conn_limits limits) {
    *f = (struct fixture){.limits = limits};
    signal(SIGPIPE, SIG_IGN); /* as main.c does: a lost peer is an error code, not a signal */
    int len = sizeof f->addr;
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(homer_conn_group_new(&f->g, &f->loop, &f->limits, on_line, f), 0);
    assert_int_equal(uv_tcp_init(&f->loop, &f->listener), 0);
    assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &f->addr), 0);
    assert_int_equal(uv_tcp_bind(&f->listener, (struct sockaddr *)&f->addr, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&f->listener, 128, on_connection), 0);
    assert_int_equal(uv_tcp_getsockname(&f->listener, (struct sockaddr *)&f->addr, &len), 0);
    f->listener.data = f;
}

/* Everything that was opened is closed again: the loop is empty and the memory is back. */
static inline void fixture_close(struct fixture *f) {
    uv_close((uv_handle_t *)&f->listener, NULL);
    if (!f->g->is_closing) homer_conn_group_close(f->g, 0, on_done, f);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_true(f->done);
    const struct homer_conn_stats *s = homer_conn_group_stats(f->g);
    assert_int_equal(s->open, 0);
    assert_int_equal(s->accepted, s->closed);
    assert_int_equal(f->g->refusal_n, 0);
    assert_int_equal(f->g->ready_n, 0);
    assert_int_equal(f->g->mem.used_bytes, sizeof *f->g);
    f->g = homer_conn_group_free(f->g);
    assert_int_equal(uv_loop_close(&f->loop), 0);
}

static inline double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Turns the loop until `condition` holds; a test that waits too long has failed. */
#define PUMP(f, condition)                                                                                   \
    do {                                                                                                     \
        double give_up = seconds() + 20;                                                                     \
        while (!(condition)) {                                                                               \
            uv_run(&(f)->loop, UV_RUN_NOWAIT);                                                               \
            if (seconds() > give_up) fail_msg("still not so: %s", #condition);                               \
        }                                                                                                    \
    } while (0)

/* A few turns in which nothing is expected to happen. */
static inline void idle_turns(struct fixture *f) {
    for (int i = 0; i < 50; i++) uv_run(&f->loop, UV_RUN_NOWAIT);
}

static inline int client(struct fixture *f) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&f->addr, sizeof f->addr), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* Sends all of it, turning the loop while the socket is full. */
static inline void say_n(struct fixture *f, int fd, const char *s, size_t n) {
    double give_up = seconds() + 20;
    while (n > 0) {
        ssize_t sent = send(fd, s, n, MSG_NOSIGNAL);
        if (sent > 0) {
            s += sent;
            n -= (size_t)sent;
        } else {
            assert_int_equal(errno, EAGAIN);
        }
        uv_run(&f->loop, UV_RUN_NOWAIT);
        if (seconds() > give_up) fail_msg("cannot send");
    }
}

static inline void say(struct fixture *f, int fd, const char *s) {
    say_n(f, fd, s, strlen(s));
}

/* Receives exactly n bytes, or fewer when the stream ends (then *eof) or is reset (returned as (size_t)-1).
 */
static inline size_t hear(struct fixture *f, int fd, char *buf, size_t n, bool *eof) {
    size_t have = 0;
    double give_up = seconds() + 20;
    *eof = false;
    while (have < n) {
        ssize_t got = recv(fd, buf + have, n - have, 0);
        if (got == 0) {
            *eof = true;
            break;
        }
        if (got > 0)
            have += (size_t)got;
        else if (errno != EAGAIN)
            return (size_t)-1;
        uv_run(&f->loop, UV_RUN_NOWAIT);
        if (seconds() > give_up) fail_msg("heard only %zu of %zu bytes", have, n);
    }
    return have;
}

static inline void expect(struct fixture *f, int fd, const char *want) {
    char buf[4096] = "";
    bool eof;
    size_t n = strlen(want);
    assert_true(n < sizeof buf);
    assert_int_equal(hear(f, fd, buf, n, &eof), n);
    assert_string_equal(buf, want);
}

static inline void expect_end(struct fixture *f, int fd) {
    char c;
    bool eof;
    assert_int_equal(hear(f, fd, &c, 1, &eof), 0);
    assert_true(eof);
    close(fd);
}

static inline void assert_quiet(struct fixture *f, int fd) {
    char c;
    idle_turns(f);
    assert_int_equal(recv(fd, &c, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
}

static inline void hang_up(int fd) {
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

#endif
