#include "daemon/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/address.h"
#include "daemon/log.h"
#include "daemon/privileges.h"
#include "daemon/systemd.h"
#include "daemon/tls.h"

enum { BACKLOG = 511 };

struct homer_server {
    const struct homer_config *config;
    struct homer_conn_group *group;
    uv_loop_t *loop;
    uv_tcp_t tcp[HOMER_MAX_LISTEN]; /* [tcp_n] initialised */
    unsigned tcp_n;
    uv_pipe_t pipe;
    bool has_pipe; /* pipe is initialised */
    bool is_stopped;
    const char *port_file; /* written, to be removed */
    uid_t uid;             /* whom we are going to run as */
    gid_t gid;
    struct homer_auth auth;
    struct homer_tls *tls; /* NULL = plain text */
};

int homer_server_new(struct homer_server **out, uv_loop_t *loop, const struct homer_config *config,
                     homer_line_fn on_line, void *ctx) {
    struct homer_server *s = calloc(1, sizeof *s);
    if (!s) return -ENOMEM;
    s->config = config;
    s->loop = loop;
    int err = homer_conn_group_new(&s->group, loop, &config->conn, on_line, ctx);
    if (err) {
        free(s);
        return err;
    }
    *out = s;
    return 0;
}

static void on_connection(uv_stream_t *listener, int status) {
    struct homer_server *s = listener->data;
    static struct homer_log_site site;
    /* Out of descriptors: libuv keeps one in reserve, with which it has closed who was waiting. */
    if (status < 0)
        homer_log_limited(&site, 1, HOMER_LOG_ERROR, "server", "accept_failed", "error=%s",
                          uv_strerror(status));
    else
        homer_conn_group_accept(s->group, listener);
}

/* ---- TCP ---- */

static int refuse_address(struct homer_error *err, int code, const char *where) {
    if (code == -EADDRINUSE)
        return homer_err_set(
            err, code,
            "cannot listen on %.100s: address already in use; stop what listens there, or choose another "
            "port (0 picks a free one)",
            where);
    return homer_err_set(err, code, "cannot listen on %.150s: %s", where, uv_strerror(code));
}

/* Takes connections on a socket: bound here to `address`, or passed to us (fd). */
static int listen_tcp(struct homer_server *s, const union homer_address *address, int fd, const char *where,
                      struct homer_error *err) {
    uv_tcp_t *tcp = &s->tcp[s->tcp_n];
    int code = uv_tcp_init(s->loop, tcp);
    if (code) return refuse_address(err, code, where);
    s->tcp_n++;
    tcp->data = s;
    code = fd < 0 ? uv_tcp_bind(tcp, &address->sa, 0) : uv_tcp_open(tcp, fd);
    if (!code) code = uv_listen((uv_stream_t *)tcp, BACKLOG, on_connection);
    if (code) return refuse_address(err, code, where);
    if (!homer_address_is_loopback(address) && !s->tls)
        homer_log(HOMER_LOG_WARN, "server", "token_in_clear", "listen=%s advice=%s", where,
                  "set tls.cert and tls.key");
    return 0;
}

static int listen_configured(struct homer_server *s, const char *where, struct homer_error *err) {
    union homer_address address;
    int code = homer_address_parse(&address, where, err);
    return code ? code : listen_tcp(s, &address, -1, where, err);
}

/* ---- Unix socket ---- */

/* Makes way for a new socket at `path`: nothing is there, or a socket that nobody answers on, which is
 * removed. */
static int clear_path(const char *path, struct homer_error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    if (lstat(path, &st)) return errno == ENOENT ? 0 : refuse_address(err, -errno, path);
    if (!S_ISSOCK(st.st_mode))
        return homer_err_set(err, -EEXIST, "cannot listen on %.150s: a file that is no socket is there",
                             path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return refuse_address(err, -errno, path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int code = connect(fd, (struct sockaddr *)&address, sizeof address) ? errno : 0;
    close(fd);
    if (code == 0 || code == EAGAIN || code == EINPROGRESS)
        return homer_err_set(
            err, -EADDRINUSE,
            "cannot listen on %.100s: already in use; stop what listens there, or choose another path", path);
    if (code != ECONNREFUSED) return refuse_address(err, -code, path);
    homer_log(HOMER_LOG_INFO, "server", "stale_socket", "path=%s", path);
    return unlink(path) ? refuse_address(err, -errno, path) : 0;
}

/* Takes connections on a Unix socket: bound here, or passed to us (fd). */
static int listen_unix(struct homer_server *s, const char *path, int fd, struct homer_error *err) {
    int code = fd < 0 ? clear_path(path, err) : 0;
    if (code) return code;
    code = uv_pipe_init(s->loop, &s->pipe, 0);
    if (code) return refuse_address(err, code, path);
    s->has_pipe = true;
    s->pipe.data = s;
    mode_t before = umask(0177); /* never open to others, not even between bind and chmod */
    code = fd < 0 ? uv_pipe_bind(&s->pipe, path) : uv_pipe_open(&s->pipe, fd);
    umask(before);
    if (!code && fd < 0 && s->uid != geteuid() && lchown(path, s->uid, s->gid)) code = -errno;
    if (!code) code = uv_listen((uv_stream_t *)&s->pipe, BACKLOG, on_connection);
    return code ? refuse_address(err, code, path) : 0;
}

/* ---- sockets that a service manager has opened ---- */

static int adopt(struct homer_server *s, int fd, struct homer_error *err) {
    union {
        union homer_address tcp;
        struct sockaddr sa;
        struct sockaddr_un un;
        struct sockaddr_storage room;
    } address = {0};
    socklen_t n = sizeof address;
    int listens = 0;
    socklen_t listens_n = sizeof listens;
    char where[HOMER_ADDRESS_TEXT];
    if (getsockname(fd, &address.sa, &n) || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_n) ||
        !listens)
        return homer_err_set(err, HOMER_E_BAD_REQUEST,
                             "descriptor %d, passed by the service manager, is no listening stream socket",
                             fd);
    if (address.sa.sa_family == AF_UNIX && !s->has_pipe) return listen_unix(s, "(passed)", fd, err);
    if ((address.sa.sa_family != AF_INET && address.sa.sa_family != AF_INET6) || s->tcp_n == HOMER_MAX_LISTEN)
        return homer_err_set(
            err, HOMER_E_BAD_REQUEST,
            "descriptor %d, passed by the service manager: at most %d TCP sockets and one Unix "
            "socket can be served",
            fd, HOMER_MAX_LISTEN);
    homer_address_print(&address.tcp, where);
    if (!s->auth.needed && !homer_address_is_loopback(&address.tcp))
        return homer_err_set(err, HOMER_E_BAD_REQUEST,
                             "%s, passed by the service manager, can be reached from other machines: set "
                             "auth_token_file, or let it listen on 127.0.0.1, [::1] or a Unix socket",
                             where);
    return listen_tcp(s, &address.tcp, fd, where, err);
}

/* ---- secrets ---- */

static int load_tls(struct homer_server *s, struct homer_error *err) {
    const struct homer_config *c = s->config;
    int code = c->tls_cert ? homer_tls_load(&s->tls, c->tls_cert, c->tls_key, s->uid, err) : 0;
    homer_conn_group_tls(s->group, s->tls);
    return code;
}

static void tell_reload(const char *what, int code, const struct homer_error *err) {
    if (code)
        homer_log(HOMER_LOG_ERROR, "server", "reload_failed", "what=%s error=%s", what, err->message);
    else
        homer_log(HOMER_LOG_INFO, "server", "reloaded", "what=%s", what);
}

void homer_server_reload(struct homer_server *s) {
    struct homer_error err = {0};
    if (s->config->token_file)
        tell_reload("token", homer_auth_load(&s->auth, s->config->token_file, s->uid, &err), &err);
    if (s->config->tls_cert) tell_reload("certificate", load_tls(s, &err), &err);
}

const struct homer_auth *homer_server_auth(const struct homer_server *s) {
    return &s->auth;
}

int homer_server_listen(struct homer_server *s, struct homer_error *err) {
    const struct homer_config *c = s->config;
    int first, code = homer_user_find(c->user, &s->uid, &s->gid, err);
    if (!code) code = homer_auth_load(&s->auth, c->token_file, s->uid, err);
    if (!code) code = load_tls(s, err);
    if (code) return code;
    unsigned passed = homer_systemd_sockets(&first);
    for (unsigned i = 0; i < passed && !code; i++) code = adopt(s, first + (int)i, err);
    if (passed) return code;
    for (unsigned i = 0; i < c->listen_n && !code; i++) code = listen_configured(s, c->listen[i], err);
    if (!code && c->unix_path) code = listen_unix(s, c->unix_path, -1, err);
    return code;
}

static int address_of(const uv_tcp_t *tcp, union homer_address *out) {
    int n = sizeof *out;
    return uv_tcp_getsockname(tcp, &out->sa, &n);
}

void homer_server_describe(const struct homer_server *s, struct homer_buf *out) {
    union homer_address address;
    char text[HOMER_ADDRESS_TEXT];
    for (unsigned i = 0; i < s->tcp_n; i++) {
        if (address_of(&s->tcp[i], &address)) continue;
        homer_address_print(&address, text);
        homer_buf_printf(out, "%s%s", i ? ", " : "", text);
    }
    char path[sizeof((struct sockaddr_un *)0)->sun_path + 1] = "";
    size_t n = sizeof path - 1;
    if (s->has_pipe && uv_pipe_getsockname(&s->pipe, path, &n) == 0)
        homer_buf_printf(out, "%sunix:%s", s->tcp_n ? ", " : "", path);
}

/* ---- port file ---- */

int homer_server_write_port_file(struct homer_server *s, const char *path, struct homer_error *err) {
    union homer_address address;
    char port[16] = "null", temp[4096];
    if (s->tcp_n && address_of(&s->tcp[0], &address) == 0)
        snprintf(port, sizeof port, "%u", homer_address_port(&address));
    int n = snprintf(temp, sizeof temp, "%s.%ld", path, (long)getpid());
    if (n >= (int)sizeof temp)
        return homer_err_set(err, -ENAMETOOLONG, "cannot write the port file: path too long");
    FILE *out = fopen(temp, "we");
    int code = out ? 0 : errno;
    if (out && fprintf(out, "{\"tcp\":%s,\"http\":null,\"pid\":%ld}\n", port, (long)getpid()) < 0) code = EIO;
    if (out && fclose(out) && !code) code = errno;
    if (!code && rename(temp, path)) code = errno;
    if (code) {
        unlink(temp);
        return homer_err_set(err, -code, "cannot write the port file %.150s: %s", path, strerror(code));
    }
    s->port_file = path;
    return 0;
}

/* ---- the end ---- */

void homer_server_stop(struct homer_server *s, void (*on_stopped)(void *ctx), void *ctx) {
    if (s->is_stopped) return;
    s->is_stopped = true;
    for (unsigned i = 0; i < s->tcp_n; i++) uv_close((uv_handle_t *)&s->tcp[i], NULL);
    if (s->has_pipe)
        uv_close((uv_handle_t *)&s->pipe, NULL); /* also removes the file, if it was this one that bound it */
    homer_conn_group_close(s->group, s->config->shutdown_ms, on_stopped, ctx);
}

struct homer_server *homer_server_free(struct homer_server *s) {
    if (!s) return NULL;
    if (s->port_file) unlink(s->port_file);
    homer_conn_group_free(s->group);
    homer_tls_free(s->tls);
    homer_auth_wipe(&s->auth);
    free(s);
    return NULL;
}

struct homer_conn_group *homer_server_group(struct homer_server *s) {
    return s->group;
}

const struct homer_conn_stats *homer_server_stats(const struct homer_server *s) {
    return homer_conn_group_stats(s->group);
}
