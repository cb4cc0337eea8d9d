/* libhomer: talks to homerd from C. One connection, one thread, no threads of its own, no globals.
 *
 * Two ways to use a connection:
 *   - homer_client_call: one request line, waits for its reply line;
 *   - pipelining: homer_client_send queues request lines, homer_client_step moves bytes in both directions,
 * and homer_client_reply hands out the reply lines, in request order. Bytes are written when the socket is
 * writable and read when it is readable, so that the daemon's back-pressure can never dead-lock a client that
 * has requests and replies under way at once.
 *
 * Lines are JSON text without their line end (see proto/PROTOCOL.md); this library looks into none of them.
 * Every error here is a negative errno, and `err` (may be NULL) says it in words; an error that the daemon
 * replies is a reply. After a failed step or reply the connection is of no use any more: free it. SIGPIPE is
 * never raised. */
#ifndef HOMER_CLIENT_H
#define HOMER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include "core/base/err.h"

#define HOMER_DEFAULT_HOST "127.0.0.1"
#define HOMER_DEFAULT_PORT "7707"
#define HOMER_DEFAULT_ADDRESS HOMER_DEFAULT_HOST ":" HOMER_DEFAULT_PORT

struct homer_client;

/* How the two ends come to trust each other. */
struct homer_client_trust {
    const char *token_file; /* the daemon's token, shown first; NULL = none */
    bool tls;               /* encrypt, and check the daemon's certificate; the address may say so, too */
    const char *ca_file;    /* PEM: who vouches for that certificate; NULL = whom the system trusts */
};

/* Connects to `address`: "HOST:PORT", "HOST" (port 7707), "[IPv6]:PORT", any of them behind "tcp://" or
 * "tls://", or a Unix socket as "unix:PATH" or any path with a '/'. Each address the name resolves to is
 * tried for at most timeout_ms. `trust` may be NULL. 0 and *out (the caller frees it); -EINVAL for an address
 * or a file that cannot be read; -EACCES when one end does not trust the other; the errno of the last
 * attempt. */
int homer_client_open(struct homer_client **out, const char *address, const struct homer_client_trust *trust,
                      int timeout_ms, struct homer_error *err);
/* The same with trust NULL. */
int homer_client_new(struct homer_client **out, const char *address, int timeout_ms, struct homer_error *err);
/* Closes; what was not yet written is lost. Accepts NULL, returns NULL. */
struct homer_client *homer_client_free(struct homer_client *c);
/* The address as given. Borrowed. */
const char *homer_client_address(const struct homer_client *c);

/* Sends one request of n bytes and waits for one reply: *reply, *reply_n, borrowed until the next call on c.
 * For requests that are answered, with nothing else under way. */
int homer_client_call(struct homer_client *c, const char *request, size_t n, const char **reply,
                      size_t *reply_n, struct homer_error *err);

/* Queues one request of n bytes (no line end in it; the line end is added). Copies; writes nothing yet.
 * -EINVAL when the text is blank or holds a line end, -ENOMEM. */
int homer_client_send(struct homer_client *c, const char *request, size_t n, struct homer_error *err);
/* Bytes queued and not yet written: the caller stops queueing above a bound of its own. */
size_t homer_client_unsent(const struct homer_client *c);
/* Waits at most timeout_ms (-1: for ever) until bytes can move, moves them, returns; at once when a reply
 * waits or a signal came. Take all replies before the next step: it invalidates them. 0, or a negative errno.
 */
int homer_client_step(struct homer_client *c, int timeout_ms, struct homer_error *err);
/* The next reply: 1 and *reply, *n (borrowed until the next step or call); 0 when none is complete yet;
 * -ECONNRESET when the daemon has closed the connection and all whole replies were handed out. */
int homer_client_reply(struct homer_client *c, const char **reply, size_t *n, struct homer_error *err);

/* For a caller that has many requests ready in memory and a poll loop of its own, two calls that never wait:
 * push writes as many of the n bytes as the socket takes now (lines with their ends; a call may end within
 * one and the next go on there), without a copy: *taken, at least 0. Not while homer_client_send has
 * something queued (-EBUSY). pull reads what there is, which homer_client_reply then hands out. Both as a
 * step: what was handed out before is invalid, errors end the connection. */
int homer_client_push(struct homer_client *c, const char *bytes, size_t n, size_t *taken,
                      struct homer_error *err);
int homer_client_pull(struct homer_client *c, struct homer_error *err);

/* For a caller with a poll loop of its own: the socket, and the events (of poll.h) to wait for on it before
 * the next step with timeout_ms 0. */
int homer_client_fd(const struct homer_client *c);
short homer_client_events(const struct homer_client *c);

#endif
