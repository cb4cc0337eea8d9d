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

static int listen_tcp(struct homer_server *s, const char *where, struct homer_error *err) {
    union homer_address address;
    int code = homer_address_parse(&address, where, err);
    if (code) return code;
    uv_tcp_t *tcp = &s->tcp[s->tcp_n];
    code = uv_tcp_init(s->loop, tcp);
    if (code) return refuse_address(err, code, where);
    s->tcp_n++;
    tcp->data = s;
    code = uv_tcp_bind(tcp, &address.sa, 0);
    if (!code) code = uv_listen((uv_stream_t *)tcp, BACKLOG, on_connection);
    return code ? refuse_address(err, code, where) : 0;
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

static int listen_unix(struct homer_server *s, const char *path, struct homer_error *err) {
    int code = clear_path(path, err);
    if (code) return code;
    code = uv_pipe_init(s->loop, &s->pipe, 0);
    if (code) return refuse_address(err, code, path);
    s->has_pipe = true;
    s->pipe.data = s;
    mode_t before = umask(0177); /* never open to others, not even between bind and chmod */
    code = uv_pipe_bind(&s->pipe, path);
    umask(before);
    if (!code) code = uv_listen((uv_stream_t *)&s->pipe, BACKLOG, on_connection);
    return code ? refuse_address(err, code, path) : 0;
}

int homer_server_listen(struct homer_server *s, struct homer_error *err) {
    const struct homer_config *c = s->config;
    int code = 0;
    for (unsigned i = 0; i < c->listen_n && !code; i++) code = listen_tcp(s, c->listen[i], err);
    if (!code && c->unix_path) code = listen_unix(s, c->unix_path, err);
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
    if (s->has_pipe) homer_buf_printf(out, "%sunix:%s", s->tcp_n ? ", " : "", s->config->unix_path);
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
    free(s);
    return NULL;
}

struct homer_conn_group *homer_server_group(struct homer_server *s) {
    return s->group;
}

const struct homer_conn_stats *homer_server_stats(const struct homer_server *s) {
    return homer_conn_group_stats(s->group);
}
