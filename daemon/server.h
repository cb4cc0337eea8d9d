/* Everything clients can reach: TCP and Unix listeners, their connections, the port file.
 *
 * Loop thread only. A server goes new -> listen -> (uv_run) -> stop -> (uv_run returns) -> free; its handles
 * close asynchronously, so that free may only follow the end of the loop. */
#ifndef HOMER_DAEMON_SERVER_H
#define HOMER_DAEMON_SERVER_H

#include "daemon/auth.h"
#include "daemon/config.h"
#include "daemon/conn.h"

struct homer_server;

/* `config` is borrowed. 0 or -ENOMEM. */
int homer_server_new(struct homer_server **out, uv_loop_t *loop, const struct homer_config *config,
                     homer_line_fn on_line, void *ctx);
/* Reads the secrets that the configuration names, then binds everything that it lists, or, when a service
 * manager has passed sockets (LISTEN_FDS), takes those and nothing else. On failure err says which address
 * and what to do, negative errno is returned, and homer_server_stop has to follow as after success. A Unix
 * socket that nobody answers on any more is replaced; any other file stays. */
int homer_server_listen(struct homer_server *s, struct homer_error *err);
/* Writes {"tcp":PORT,"http":null,"pid":PID}, atomically; tcp is the first TCP listener's port, null without
 * one. 0 or negative errno. The path is borrowed: homer_server_free removes the file. */
int homer_server_write_port_file(struct homer_server *s, const char *path, struct homer_error *err);

/* Accepts no more (the Unix socket's file is removed), answers what was read, closes within
 * config->shutdown_ms; then on_stopped(ctx) is called, maybe at once. Calls after the first do nothing. */
void homer_server_stop(struct homer_server *s, void (*on_stopped)(void *ctx), void *ctx);
/* Only after homer_server_stop and the end of uv_run. Accepts NULL, returns NULL. */
struct homer_server *homer_server_free(struct homer_server *s);

/* Reads token, certificate and key again, for connections from now on; what cannot be taken is logged, and
 * the old ones stay. */
void homer_server_reload(struct homer_server *s);
/* The token that clients have to show; borrowed, changes with homer_server_reload. */
const struct homer_auth *homer_server_auth(const struct homer_server *s);
/* The connections, for replies that wait; borrowed. */
struct homer_conn_group *homer_server_group(struct homer_server *s);
const struct homer_conn_stats *homer_server_stats(const struct homer_server *s);
/* "127.0.0.1:7707, unix:/run/homer": where it listens, port 0 resolved. */
void homer_server_describe(const struct homer_server *s, struct homer_buf *out);

#endif
