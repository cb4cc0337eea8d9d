#include "daemon/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/secret.h"

enum { KEY_BYTES = 65536, REASON_BYTES = 128 };

struct homer_tls {
    SSL_CTX *ctx;
    BIO_METHOD *wire; /* a BIO over the buffers of a session */
};

struct homer_tls_session {
    SSL *ssl;
    const char *in; /* [in_n] fed, not yet read */
    size_t in_n;
    struct homer_buf *wire;
    char error[REASON_BYTES];
};

/* ---- a BIO over the buffers of a session ---- */

static int on_bio_read(BIO *bio, char *out, size_t cap, size_t *n) {
    struct homer_tls_session *s = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *n = s->in_n < cap ? s->in_n : cap;
    if (*n == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(out, s->in, *n);
    s->in += *n;
    s->in_n -= *n;
    return 1;
}

static int on_bio_write(BIO *bio, const char *data, size_t n, size_t *written) {
    struct homer_tls_session *s = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    homer_buf_append(s->wire, data, n);
    *written = n;
    return !s->wire->failed;
}

static long on_bio_ctrl(BIO *bio, int command, long number, void *more) {
    (void)bio, (void)number, (void)more;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *wire_method(void) {
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "homer wire");
    if (m && BIO_meth_set_read_ex(m, on_bio_read) && BIO_meth_set_write_ex(m, on_bio_write) &&
        BIO_meth_set_ctrl(m, on_bio_ctrl))
        return m;
    BIO_meth_free(m);
    return NULL;
}

/* ---- certificate and key ---- */

/* The reason of the oldest error in OpenSSL's queue, which is emptied. */
static const char *reason(void) {
    unsigned long code = ERR_get_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return text ? text : "unknown reason";
}

/* Otherwise a key with a passphrase would ask for it on the terminal. */
static int no_passphrase(char *out, int cap, int writing, void *ctx) {
    (void)out, (void)cap, (void)writing, (void)ctx;
    return -1;
}

static int use_key_text(SSL_CTX *ctx, const char *text, size_t n, const char *path, struct homer_error *err) {
    BIO *bio = BIO_new_mem_buf(text, (int)n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    int code = 0;
    if (!key)
        code =
            homer_err_set(err, HOMER_E_BAD_REQUEST,
                          "tls.key: %.120s: no private key in PEM without a passphrase: %s", path, reason());
    else if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
        code = homer_err_set(err, HOMER_E_BAD_REQUEST, "tls.key: %.120s: does not fit the certificate: %s",
                             path, reason());
    EVP_PKEY_free(key);
    BIO_free(bio);
    return code;
}

static int use_key(SSL_CTX *ctx, const char *path, uid_t user, struct homer_error *err) {
    char text[KEY_BYTES];
    size_t n = 0;
    int code = homer_secret_read(path, "tls.key", user, text, sizeof text, &n, err);
    if (!code) code = use_key_text(ctx, text, n, path, err);
    homer_secret_wipe(text, sizeof text);
    return code;
}

static int configure(SSL_CTX *ctx, const char *cert, const char *key, uid_t user, struct homer_error *err) {
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
        return homer_err_set(err, HOMER_E_BAD_REQUEST, "tls: %s", reason());
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        return homer_err_set(err, HOMER_E_BAD_REQUEST,
                             "tls.cert: %.150s: no certificate in PEM can be read: %s", cert, reason());
    return use_key(ctx, key, user, err);
}

int homer_tls_load(struct homer_tls **t, const char *cert, const char *key, uid_t user,
                   struct homer_error *err) {
    struct homer_tls *fresh = calloc(1, sizeof *fresh);
    ERR_clear_error();
    if (fresh) {
        fresh->ctx = SSL_CTX_new(TLS_server_method());
        fresh->wire = wire_method();
    }
    int code = !fresh || !fresh->ctx || !fresh->wire ? homer_err_set(err, -ENOMEM, "tls: out of memory")
                                                     : configure(fresh->ctx, cert, key, user, err);
    if (code) {
        homer_tls_free(fresh);
        return code;
    }
    if (*t) { /* sessions refer to the method, which says the same for ever; the certificate is what changes
               */
        SSL_CTX *old = (*t)->ctx;
        (*t)->ctx = fresh->ctx;
        fresh->ctx = old;
        homer_tls_free(fresh);
    } else {
        *t = fresh;
    }
    return 0;
}

struct homer_tls *homer_tls_free(struct homer_tls *t) {
    if (!t) return NULL;
    SSL_CTX_free(t->ctx);
    BIO_meth_free(t->wire);
    free(t);
    return NULL;
}

/* ---- sessions ---- */

struct homer_tls_session *homer_tls_session_new(const struct homer_tls *t, struct homer_buf *wire) {
    struct homer_tls_session *s = calloc(1, sizeof *s);
    BIO *bio = s ? BIO_new(t->wire) : NULL;
    if (s) s->ssl = SSL_new(t->ctx);
    if (!bio || !s->ssl) {
        BIO_free(bio);
        ERR_clear_error();
        return homer_tls_session_free(s);
    }
    s->wire = wire;
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    SSL_set_bio(s->ssl, bio, bio); /* owns it */
    SSL_set_accept_state(s->ssl);
    return s;
}

struct homer_tls_session *homer_tls_session_free(struct homer_tls_session *s) {
    if (!s) return NULL;
    SSL_free(s->ssl);
    free(s);
    return NULL;
}

void homer_tls_session_feed(struct homer_tls_session *s, const char *data, size_t n) {
    s->in = data;
    s->in_n = n;
}

static enum homer_tls_result fail(struct homer_tls_session *s) {
    const char *text = s->wire->failed ? "out of memory" : reason();
    size_t n = strlen(text);
    if (n >= sizeof s->error) n = sizeof s->error - 1;
    memcpy(s->error, text, n);
    s->error[n] = '\0';
    return HOMER_TLS_FAILED;
}

enum homer_tls_result homer_tls_session_read(struct homer_tls_session *s, char *out, size_t cap, size_t *n) {
    ERR_clear_error();
    if (SSL_read_ex(s->ssl, out, cap, n) == 1) return HOMER_TLS_DATA;
    *n = 0;
    switch (SSL_get_error(s->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        return HOMER_TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return HOMER_TLS_END;
    default:
        return fail(s);
    }
}

bool homer_tls_session_write(struct homer_tls_session *s, const char *data, size_t n) {
    size_t written;
    ERR_clear_error();
    if (n == 0 || (SSL_write_ex(s->ssl, data, n, &written) == 1 && written == n)) return true;
    fail(s);
    return false;
}

void homer_tls_session_end(struct homer_tls_session *s) {
    ERR_clear_error();
    SSL_shutdown(s->ssl); /* says so; the peer's answer is not waited for */
    ERR_clear_error();
}

bool homer_tls_session_is_ready(const struct homer_tls_session *s) {
    return SSL_is_init_finished(s->ssl);
}

const char *homer_tls_session_error(const struct homer_tls_session *s) {
    return s->error;
}
