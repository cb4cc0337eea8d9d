/* A server on the daemon's own connection layer without a learner: what the sockets, and then the JSON, cost
 * by themselves.
 *
 *   bench_server echo|decode      prints its port, serves until SIGTERM or SIGINT
 *
 * echo: the reply is the line, in {"ok":true,"echo":LINE}, so that homerd's clients take it for one. decode:
 * the line is parsed as a request, the reply is {"ok":true}, or the error. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>
#include "daemon/config.h"
#include "daemon/server.h"
#include "proto/reply.h"
#include "proto/request.h"

struct bench {
    struct homer_config config;
    struct homer_mem mem;
    struct homer_request request;
    struct homer_server *server;
    uv_signal_t term, interrupt;
};

static unsigned echo(void *ctx, struct homer_session *session, const char *text, size_t n, bool too_large,
                     struct homer_buf *out) {
    (void)ctx, (void)session, (void)too_large;
    homer_buf_puts(out, "{\"ok\":true,\"echo\":");
    homer_buf_append(out, text, n);
    homer_buf_puts(out, "}\n");
    return 0;
}

static unsigned decode(void *ctx, struct homer_session *session, const char *text, size_t n, bool too_large,
                       struct homer_buf *out) {
    struct bench *b = ctx;
    (void)session;
    struct homer_reply r;
    homer_reply_init(&r, out);
    if (too_large) {
        struct homer_error e = {.code = HOMER_E_TOO_LARGE};
        homer_reply_error(&r, &e, NULL);
        return 0;
    }
    homer_request_parse(&b->request, text, n, &b->config.request);
    if (b->request.error.code)
        homer_reply_error(&r, &b->request.error, &b->request.id);
    else
        homer_buf_puts(out, "{\"ok\":true}\n");
    return 0;
}

static void on_stopped(void *ctx) {
    struct bench *b = ctx;
    uv_close((uv_handle_t *)&b->term, NULL);
    uv_close((uv_handle_t *)&b->interrupt, NULL);
}

static void on_signal(uv_signal_t *s, int number) {
    struct bench *b = s->data;
    (void)number;
    homer_server_stop(b->server, on_stopped, b);
}

static int fail(const char *what) {
    fprintf(stderr, "bench_server: %s\n", what);
    return 1;
}

int main(int argc, char **argv) {
    static struct bench b;
    static const char *const any_port[] = {"127.0.0.1:0"};
    struct homer_error err = {0};
    struct homer_buf where;
    uv_loop_t loop;
    bool is_echo = argc == 2 && strcmp(argv[1], "echo") == 0;
    if (argc != 2 || (!is_echo && strcmp(argv[1], "decode") != 0)) {
        fputs("usage: bench_server echo|decode\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    homer_request_init(&b.request, &b.mem);
    homer_buf_init(&where, &b.mem);
    if (homer_config_init(&b.config) || homer_config_listen(&b.config, any_port, 1, NULL))
        return fail("no memory");
    if (uv_loop_init(&loop) || homer_server_new(&b.server, &loop, &b.config, is_echo ? echo : decode, &b))
        return fail("no memory");
    b.term.data = b.interrupt.data = &b;
    if (uv_signal_init(&loop, &b.term) || uv_signal_init(&loop, &b.interrupt)) return fail("no signals");
    if (uv_signal_start(&b.term, on_signal, SIGTERM) || uv_signal_start(&b.interrupt, on_signal, SIGINT))
        return fail("no signals");
    if (homer_server_listen(b.server, &err)) return fail(err.message);
    homer_server_describe(b.server, &where);
    homer_buf_putc(&where, '\0');
    if (where.failed) return fail("no memory");
    puts(strrchr(where.data, ':') + 1);
    fflush(stdout);
    uv_run(&loop, UV_RUN_DEFAULT);
    homer_server_free(b.server);
    homer_buf_deinit(&where);
    homer_request_deinit(&b.request);
    homer_config_deinit(&b.config);
    return uv_loop_close(&loop) ? fail("handles left") : 0;
}
