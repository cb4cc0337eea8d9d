/* The client's side of TLS over a connected socket. Private to libhomer. One thread. */
#ifndef HOMER_CLIENT_TLS_H
#define HOMER_CLIENT_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "core/base/err.h"

struct homer_client_tls;

/* Shakes hands on the non-blocking socket `fd`, which stays the caller's: the peer has to show a certificate
 * for `host` (a name or an address) that one of the certificates in ca_file (PEM; NULL: those the system
 * trusts) vouches for. `text`: the address, for messages. 0, or a negative errno: -EACCES for a certificate
 * that cannot be trusted, -ETIMEDOUT, -EPROTO when the peer speaks no TLS. */
int homer_client_tls_new(struct homer_client_tls **out, int fd, const char *host, const char *ca_file,
                         int timeout_ms, const char *text, struct homer_error *err);
/* Says good-bye, if the socket takes it. Accepts NULL, returns NULL. */
struct homer_client_tls *homer_client_tls_free(struct homer_client_tls *t);

/* As send and recv: bytes moved, 0 at the end of the stream (of recv), or -1 with errno; EAGAIN: later. */
ssize_t homer_client_tls_send(struct homer_client_tls *t, const void *data, size_t n);
ssize_t homer_client_tls_recv(struct homer_client_tls *t, void *to, size_t n);
/* Bytes can be received although the socket is not readable. */
bool homer_client_tls_pending(const struct homer_client_tls *t);

#endif
