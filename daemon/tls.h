/* TLS for TCP connections: the certificate and key in force, and one session each. Bytes only, no sockets:
 * what the peer sent is fed in, what is to be sent comes out in a buffer.
 *
 * TLS 1.2 and newer, no renegotiation, no compression, no sessions or tickets that would be kept. What
 * OpenSSL allocates for a session (about 20 KiB while it talks) is not charged to any homer_mem. Loop thread
 * only. */
#ifndef HOMER_DAEMON_TLS_H
#define HOMER_DAEMON_TLS_H

#include <sys/types.h>
#include "core/base/buf.h"
#include "core/base/err.h"

struct homer_tls; /* certificate and key */
struct homer_tls_session;

/* Reads the certificate (PEM, its chain behind it) and its private key (PEM; the file as homer_secret_read
 * wants it, `user` being the other one). *t (NULL at first) is replaced on success, and unchanged on failure,
 * of which err says the file and the reason; sessions that exist keep what they began with. */
int homer_tls_load(struct homer_tls **t, const char *cert, const char *key, uid_t user,
                   struct homer_error *err);
struct homer_tls *homer_tls_free(struct homer_tls *t); /* accepts NULL, returns NULL */

/* A session of a peer that has just connected. Bytes for it are appended to `wire`, which is borrowed. NULL:
 * no memory. */
struct homer_tls_session *homer_tls_session_new(const struct homer_tls *t, struct homer_buf *wire);
struct homer_tls_session *homer_tls_session_free(struct homer_tls_session *s);

enum homer_tls_result {
    HOMER_TLS_DATA,   /* *n bytes were written */
    HOMER_TLS_MORE,   /* nothing further in what was fed */
    HOMER_TLS_END,    /* the peer has said that it sends nothing more */
    HOMER_TLS_FAILED, /* homer_tls_session_error says why; the session is over, but `wire` may hold an alert
                       */
};

/* Takes n bytes from the peer: homer_tls_session_read has to follow until it returns something else than
 * HOMER_TLS_DATA; until then `data` is borrowed. */
void homer_tls_session_feed(struct homer_tls_session *s, const char *data, size_t n);
/* Decrypts into out[0..cap); runs the handshake. */
enum homer_tls_result homer_tls_session_read(struct homer_tls_session *s, char *out, size_t cap, size_t *n);
/* Encrypts all of it to `wire`. False: failed, or no memory. */
bool homer_tls_session_write(struct homer_tls_session *s, const char *data, size_t n);
/* Tells the peer that nothing more comes. */
void homer_tls_session_end(struct homer_tls_session *s);
bool homer_tls_session_is_ready(const struct homer_tls_session *s); /* the handshake is done */
const char *homer_tls_session_error(const struct homer_tls_session *s);

#endif
