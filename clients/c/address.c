#include "clients/c/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "clients/c/homer.h"

/* Copies [from, to) and terminates; false when it does not fit or is empty. */
static bool copy(char *out, size_t cap, const char *from, const char *to) {
    size_t n = (size_t)(to - from);
    if (n == 0 || n >= cap) return false;
    memcpy(out, from, n);
    out[n] = '\0';
    return true;
}

static int malformed(const char *text, struct homer_error *err) {
    return homer_err_set(err, -EINVAL,
                         "'%.100s' is no address; expected HOST:PORT, such as " HOMER_DEFAULT_ADDRESS
                         ", or the path of a Unix socket",
                         text);
}

int homer_address_parse(struct homer_address *a, const char *text, struct homer_error *err) {
    *a = (struct homer_address){0};
    const char *s = text, *end = text + strlen(text);
    a->tls = strncmp(s, "tls://", 6) == 0;
    bool tcp = a->tls || strncmp(s, "tcp://", 6) == 0, local = !tcp && strncmp(s, "unix:", 5) == 0;
    if (tcp) s += 6;
    if (local) s += 5;
    if (local || (!tcp && strchr(s, '/'))) {
        if (end - s >= HOMER_PATH_BYTES)
            return homer_err_set(err, -EINVAL,
                                 "the path of a Unix socket has at most %d bytes, '%.100s...' is longer",
                                 HOMER_PATH_BYTES - 1, s);
        return copy(a->path, sizeof(a->path), s, end) ? 0 : malformed(text, err);
    }
    const char *host = s, *host_end, *port;
    if (*s == '[') {
        host = s + 1;
        host_end = strchr(host, ']');
        if (!host_end) return malformed(text, err);
        port = host_end + 1;
    } else {
        port = host_end = strchrnul(s, ':');
    }
    if (!copy(a->host, sizeof(a->host), host, host_end)) return malformed(text, err);
    if (*port == '\0') {
        strcpy(a->port, HOMER_DEFAULT_PORT);
        return 0;
    }
    unsigned long value = 0;
    if (*port++ != ':' || !copy(a->port, sizeof(a->port), port, end)) return malformed(text, err);
    for (const char *p = port; *p; p++) {
        if (*p < '0' || *p > '9' || value > 65535) return malformed(text, err);
        value = value * 10 + (unsigned long)(*p - '0');
    }
    return value >= 1 && value <= 65535 ? 0 : malformed(text, err);
}

/* Waits until a connect under way has ended. 0 or a negative errno. */
static int await_connect(int fd, int timeout_ms) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int ready = poll(&p, 1, timeout_ms);
    if (ready < 0) return -errno;
    if (ready == 0) return -ETIMEDOUT;
    int so_error = 0;
    socklen_t len = sizeof(so_error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &so_error, &len)) return -errno;
    return -so_error;
}

static int try_connect(int family, const struct sockaddr *to, socklen_t to_len, int timeout_ms, int *out) {
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc = 0;
    if (fd < 0) return -errno;
    if (connect(fd, to, to_len)) rc = errno == EINPROGRESS ? await_connect(fd, timeout_ms) : -errno;
    if (rc) {
        close(fd);
        return rc;
    }
    if (family != AF_UNIX) {
        int on = 1; /* a request is written whole; waiting for more would only delay it */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    *out = fd;
    return 0;
}

static int connect_tcp(const struct homer_address *a, const char *text, int timeout_ms, int *fd,
                       struct homer_error *err) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list = NULL;
    int rc = getaddrinfo(a->host, a->port, &hints, &list);
    if (rc) {
        int code = rc == EAI_SYSTEM && errno ? -errno : -EHOSTUNREACH;
        return homer_err_set(err, code,
                             "cannot connect to %.100s: the host name '%.60s' cannot be resolved: %s", text,
                             a->host, gai_strerror(rc));
    }
    rc = -EHOSTUNREACH;
    for (struct addrinfo *i = list; i; i = i->ai_next) {
        rc = try_connect(i->ai_family, i->ai_addr, i->ai_addrlen, timeout_ms, fd);
        if (rc == 0) break;
    }
    freeaddrinfo(list);
    return rc;
}

int homer_address_connect(const struct homer_address *a, const char *text, int timeout_ms, int *fd,
                          struct homer_error *err) {
    int rc;
    if (err) err->message[0] = '\0';
    if (a->path[0]) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        memcpy(to.sun_path, a->path, strlen(a->path));
        rc = try_connect(AF_UNIX, (struct sockaddr *)&to, sizeof(to), timeout_ms, fd);
    } else {
        rc = connect_tcp(a, text, timeout_ms, fd, err);
        if (rc && err && err->message[0]) return rc; /* already said: the name */
    }
    if (rc == 0) return 0;
    bool absent = rc == -ECONNREFUSED || rc == -ENOENT;
    return homer_err_set(err, rc, "cannot connect to %.150s: %s%s", text, strerror(-rc),
                         absent ? "; is homerd running there?" : "");
}
