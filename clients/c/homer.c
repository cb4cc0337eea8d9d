#include "clients/c/homer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "clients/c/address.h"
#include "clients/c/tls.h"
#include "clients/c/token.h"
#include "proto/line.h"

/* A reply of `labels` on a large model has megabytes; beyond this something else than homerd is talking. */
static const size_t MAX_REPLY = (size_t)1 << 30;
static const size_t READ_BYTES = (size_t)256 << 10;

struct homer_client {
    struct homer_mem mem;
    int fd;
    struct homer_client_tls *tls; /* NULL = plain text */
    bool eof;                     /* the daemon will send nothing more */
    bool deaf;                    /* the daemon reads nothing more; its last replies may still come */
    struct homer_buf out;         /* out.data[written..out.n) is not yet written */
    size_t written;
    struct homer_line in;
    char *address;
};

/* Trust in both directions: the daemon's certificate, then our token. */
static int establish(struct homer_client *c, const struct homer_address *a,
                     const struct homer_client_trust *trust, int timeout_ms, struct homer_error *err) {
    int rc = 0;
    if (a->tls || (trust->tls && !a->path[0]))
        rc = homer_client_tls_new(&c->tls, c->fd, a->host, trust->ca_file, timeout_ms, c->address, err);
    if (rc == 0 && trust->token_file) rc = homer_client_show_token(c, trust->token_file, timeout_ms, err);
    return rc;
}

int homer_client_open(struct homer_client **out, const char *address, const struct homer_client_trust *trust,
                      int timeout_ms, struct homer_error *err) {
    static const struct homer_client_trust plain = {0};
    struct homer_address a;
    int rc = homer_address_parse(&a, address, err);
    if (rc) return rc;
    struct homer_client *c = calloc(1, sizeof(*c));
    char *name = strdup(address);
    if (!c || !name) {
        free(c);
        free(name);
        return homer_err_set(err, -ENOMEM, "out of memory");
    }
    c->fd = -1;
    c->address = name;
    homer_buf_init(&c->out, &c->mem);
    homer_line_init(&c->in, &c->mem, MAX_REPLY);
    rc = homer_address_connect(&a, address, timeout_ms, &c->fd, err);
    if (rc == 0) rc = establish(c, &a, trust ? trust : &plain, timeout_ms, err);
    if (rc) {
        homer_client_free(c);
        return rc;
    }
    *out = c;
    return 0;
}

int homer_client_new(struct homer_client **out, const char *address, int timeout_ms,
                     struct homer_error *err) {
    return homer_client_open(out, address, NULL, timeout_ms, err);
}

struct homer_client *homer_client_free(struct homer_client *c) {
    if (!c) return NULL;
    homer_client_tls_free(c->tls);
    if (c->fd >= 0) close(c->fd);
    homer_buf_deinit(&c->out);
    homer_line_deinit(&c->in);
    free(c->address);
    free(c);
    return NULL;
}

const char *homer_client_address(const struct homer_client *c) {
    return c->address;
}

size_t homer_client_unsent(const struct homer_client *c) {
    return c->out.n - c->written;
}

int homer_client_fd(const struct homer_client *c) {
    return c->fd;
}

short homer_client_events(const struct homer_client *c) {
    return homer_client_unsent(c) ? POLLIN | POLLOUT : POLLIN;
}

int homer_client_send(struct homer_client *c, const char *request, size_t n, struct homer_error *err) {
    size_t blank = 0;
    while (blank < n && strchr(" \t\r", request[blank]) && request[blank]) blank++;
    if (blank == n || memchr(request, '\n', n))
        return homer_err_set(err, -EINVAL, "a request is one line that is not blank");
    if (c->written > c->out.n / 2) { /* moved at most as often as it doubles: linear in the bytes sent */
        homer_buf_consume(&c->out, c->written);
        c->written = 0;
    }
    if (homer_buf_reserve(&c->out, n + 1)) {
        c->out.failed = false; /* nothing was appended: the connection is as it was */
        return homer_err_set(err, -ENOMEM, "out of memory for a request of %zu bytes", n);
    }
    homer_buf_append(&c->out, request, n);
    homer_buf_putc(&c->out, '\n');
    return 0;
}

static bool again(int e) {
    return e == EAGAIN || e == EWOULDBLOCK || e == EINTR;
}

/* Bytes that the socket took. */
static size_t write_bytes(struct homer_client *c, const char *data, size_t n) {
    ssize_t k = c->tls ? homer_client_tls_send(c->tls, data, n) : send(c->fd, data, n, MSG_NOSIGNAL);
    if (k >= 0) return (size_t)k;
    /* what it had to say before it closed is still read; then comes end of file */
    if (!again(errno)) c->deaf = true;
    return 0;
}

static void write_some(struct homer_client *c) {
    size_t n = homer_client_unsent(c);
    if (n == 0 || c->deaf) return;
    c->written += write_bytes(c, c->out.data + c->written, n);
    if (c->deaf || c->written == c->out.n) {
        homer_buf_truncate(&c->out, 0);
        c->written = 0;
    }
}

static int read_some(struct homer_client *c, struct homer_error *err) {
    size_t room;
    homer_line_trim(&c->in, 4 * READ_BYTES);
    char *to = homer_line_room(&c->in, READ_BYTES, &room);
    if (!to) return homer_err_set(err, -ENOMEM, "out of memory for a reply of %s", c->address);
    ssize_t k = c->tls ? homer_client_tls_recv(c->tls, to, room) : recv(c->fd, to, room, 0);
    if (k > 0) {
        homer_line_feed(&c->in, (size_t)k);
    } else if (k == 0 || errno == ECONNRESET || errno == EPIPE) {
        c->eof = true;
    } else if (!again(errno)) {
        int e = errno;
        return homer_err_set(err, -e, "cannot read from %.150s: %s", c->address, strerror(e));
    }
    return 0;
}

int homer_client_step(struct homer_client *c, int timeout_ms, struct homer_error *err) {
    if (c->eof) return 0;
    write_some(c); /* most often there is room: saves a poll */
    struct pollfd p = {.fd = c->fd, .events = homer_client_events(c)};
    bool decrypted = c->tls && homer_client_tls_pending(c->tls);
    if (homer_line_pending(&c->in) || decrypted) timeout_ms = 0;
    int ready = poll(&p, 1, timeout_ms);
    if (ready < 0 && errno != EINTR) {
        int e = errno;
        return homer_err_set(err, -e, "cannot wait for %.150s: %s", c->address, strerror(e));
    }
    if (ready > 0 && p.revents & POLLOUT) write_some(c);
    return decrypted || (ready > 0 && p.revents & ~POLLOUT) ? read_some(c, err) : 0;
}

int homer_client_push(struct homer_client *c, const char *bytes, size_t n, size_t *taken,
                      struct homer_error *err) {
    if (homer_client_unsent(c))
        return homer_err_set(err, -EBUSY, "requests are queued; step until they are sent");
    *taken = n && !c->deaf ? write_bytes(c, bytes, n) : 0;
    return 0;
}

int homer_client_pull(struct homer_client *c, struct homer_error *err) {
    int rc;
    do {
        rc = c->eof ? 0 : read_some(c, err);
    } while (rc == 0 && !c->eof && c->tls && homer_client_tls_pending(c->tls));
    return rc;
}

int homer_client_reply(struct homer_client *c, const char **reply, size_t *n, struct homer_error *err) {
    int rc = homer_line_next(&c->in, reply, n);
    if (rc == 1) return 1;
    if (rc)
        return homer_err_set(err, -EPROTO, "%.150s sent a line of more than %zu bytes; it is no homerd",
                             c->address, MAX_REPLY);
    if (c->eof) /* half a reply behind the last newline is worth nothing */
        return homer_err_set(err, -ECONNRESET, "the daemon at %.150s closed the connection", c->address);
    return 0;
}

int homer_client_call(struct homer_client *c, const char *request, size_t n, const char **reply,
                      size_t *reply_n, struct homer_error *err) {
    int rc = homer_client_send(c, request, n, err);
    while (rc == 0) {
        rc = homer_client_step(c, -1, err);
        if (rc == 0) rc = homer_client_reply(c, reply, reply_n, err);
    }
    return rc == 1 ? 0 : rc;
}
