/* Load driver: sends a recorded stream as pipelined `test` requests over one TCP connection and counts the
 * replies.
 *
 *   bench_socket PORT REQUESTS IN_FLIGHT FILE [fresh]      FILE: plain JSON lines without "op"
 *
 * The stream is repeated until REQUESTS were answered; with `fresh` the model is dropped and made anew before
 * each pass, so that every pass learns the stream from its start. Requests are put together beforehand.
 * Prints: seconds, replies a second, bytes a request, replies that were not {"ok":true. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char restart[] =
    "{\"op\":\"model.drop\",\"name\":\"default\"}\n{\"op\":\"model.create\",\"name\":\"default\"}\n";
static const char request_start[] = "{\"op\":\"test\",\"scores\":false,";

struct pass {
    char *bytes; /* a whole pass of requests */
    size_t n, cap;
    size_t *end; /* [requests] where each ends in bytes */
    size_t requests, end_cap;
};

static void die(const char *what) {
    fprintf(stderr, "bench_socket: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static void *grown(void *p, size_t *cap, size_t need, size_t size) {
    while (*cap < need) *cap = *cap ? *cap * 2 : 4096;
    p = realloc(p, *cap * size);
    if (!p) die("memory");
    return p;
}

static void add(struct pass *s, const char *a, size_t a_n, const char *b, size_t b_n) {
    s->bytes = grown(s->bytes, &s->cap, s->n + a_n + b_n, 1);
    memcpy(s->bytes + s->n, a, a_n);
    memcpy(s->bytes + s->n + a_n, b, b_n);
    s->n += a_n + b_n;
    s->end = grown(s->end, &s->end_cap, s->requests + 1, sizeof *s->end);
    s->end[s->requests++] = s->n;
}

static struct pass load(const char *path, bool fresh) {
    struct pass s = {0};
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    if (!f) die(path);
    if (fresh) {
        const char *second = strchr(restart, '\n') + 1;
        add(&s, restart, (size_t)(second - restart), "", 0);
        add(&s, second, strlen(second), "", 0);
    }
    while ((n = getline(&line, &cap, f)) > 1)
        add(&s, request_start, sizeof request_start - 1, line + 1, (size_t)n - 1);
    free(line);
    fclose(f);
    return s;
}

static int dial(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a)) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Counts replies in p[n) and how many of them begin otherwise than {"ok":true; `at` is the place in the
 * current line. */
static size_t count(const char *p, size_t n, size_t *at, size_t *bad) {
    static const char good[] = "{\"ok\":true";
    size_t lines = 0;
    for (const char *end = p + n; p < end;) {
        if (*at < sizeof good - 1) {
            if (*p != good[*at]) {
                ++*bad;
                *at = sizeof good;
            }
            ++*at;
        }
        if (*p == '\n') {
            lines++;
            *at = 0;
            p++;
            continue;
        }
        if (*at >= sizeof good - 1) {
            const char *newline = memchr(p, '\n', (size_t)(end - p));
            p = newline ? newline : end;
        } else {
            p++;
        }
    }
    return lines;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fputs("usage: bench_socket PORT REQUESTS IN_FLIGHT FILE [fresh]\n", stderr);
        return 2;
    }
    struct pass s = load(argv[4], argc > 5);
    size_t total = (size_t)atoll(argv[2]), window = (size_t)atoll(argv[3]);
    size_t sent = 0, answered = 0, offset = 0, at = 0, bad = 0;
    static char in[1 << 18];
    int fd = dial(atoi(argv[1]));
    double begin = seconds();
    while (answered < total) {
        size_t last = answered + window < total ? answered + window : total; /* send no further */
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (sent < last) p.events |= POLLOUT;
        if (poll(&p, 1, 10000) <= 0) die("no reply within 10 s");
        if (p.revents & POLLOUT) {
            size_t in_pass = sent % s.requests, until = in_pass + (last - sent);
            if (until > s.requests) until = s.requests;
            size_t from = (in_pass ? s.end[in_pass - 1] : 0) + offset;
            ssize_t n = write(fd, s.bytes + from, s.end[until - 1] - from);
            if (n < 0 && errno != EAGAIN) die("write");
            for (size_t place = from + (n > 0 ? (size_t)n : 0); in_pass < until; in_pass++, sent++) {
                offset = place - (in_pass ? s.end[in_pass - 1] : 0);
                if (place < s.end[in_pass]) break;
                offset = 0;
            }
        }
        if (p.revents & (POLLIN | POLLHUP)) {
            ssize_t n = read(fd, in, sizeof in);
            if (n == 0 || (n < 0 && errno != EAGAIN)) die("read");
            if (n > 0) answered += count(in, (size_t)n, &at, &bad);
        }
    }
    double t = seconds() - begin;
    printf("%.3f\t%.0f\t%zu\t%zu\n", t, (double)answered / t, s.n / s.requests, bad);
    close(fd);
    free(s.bytes);
    free(s.end);
    return 0;
}
