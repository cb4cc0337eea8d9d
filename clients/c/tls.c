#include "clients/c/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "clients/c/address.h"

struct homer_client_tls {
    int fd;
    SSL_CTX *ctx;
    BIO_METHOD *method;
    SSL *ssl;
};

/* ---- a BIO over the socket; OpenSSL's own would raise SIGPIPE ---- */

static int moved(BIO *bio, ssize_t n, size_t *done, int retry) {
    BIO_clear_retry_flags(bio);
    *done = n > 0 ? (size_t)n : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    return n > 0;
}

static int on_bio_read(BIO *bio, char *to, size_t n, size_t *got) {
    const struct homer_client_tls *t = BIO_get_data(bio);
    return moved(bio, recv(t->fd, to, n, 0), got, BIO_FLAGS_READ);
}

static int on_bio_write(BIO *bio, const char *data, size_t n, size_t *written) {
    const struct homer_client_tls *t = BIO_get_data(bio);
    return moved(bio, send(t->fd, data, n, MSG_NOSIGNAL), written, BIO_FLAGS_WRITE);
}

static long on_bio_ctrl(BIO *bio, int command, long number, void *more) {
    (void)bio, (void)number, (void)more;
    return command == BIO_CTRL_FLUSH;
}

/* ---- making one ---- */

static const char *reason(void) {
    unsigned long code = ERR_get_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return text ? text : "the connection was closed";
}

static bool make(struct homer_client_tls *t) {
    t->ctx = SSL_CTX_new(TLS_client_method());
    t->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "homer socket");
    if (!t->ctx || !t->method || !BIO_meth_set_read_ex(t->method, on_bio_read) ||
        !BIO_meth_set_write_ex(t->method, on_bio_write) || !BIO_meth_set_ctrl(t->method, on_bio_ctrl) ||
        SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1)
        return false;
    SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    BIO *bio = BIO_new(t->method);
    t->ssl = bio ? SSL_new(t->ctx) : NULL;
    if (!t->ssl) {
        BIO_free(bio);
        return false;
    }
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    return true;
}

/* Whose certificate it has to be. */
static bool expect_host(SSL *ssl, const char *host) {
    struct in6_addr any;
    if (inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    char name[HOMER_HOST_BYTES]; /* OpenSSL's macro takes no const one */
    snprintf(name, sizeof name, "%s", host);
    return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, host) == 1;
}

static long long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0, or a negative errno. */
static int shake_hands(struct homer_client_tls *t, int timeout_ms) {
    long long give_up = now_ms() + timeout_ms;
    for (;;) {
        ERR_clear_error();
        int rc = SSL_connect(t->ssl);
        if (rc == 1) return 0;
        int why = SSL_get_error(t->ssl, rc);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            return SSL_get_verify_result(t->ssl) != X509_V_OK ? -EACCES : -EPROTO;
        struct pollfd p = {.fd = t->fd, .events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
        long long left = give_up - now_ms();
        int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (ready < 0 && errno != EINTR) return -errno;
        if (ready == 0) return -ETIMEDOUT;
    }
}

static int failed(int code, const struct homer_client_tls *t, const char *text, struct homer_error *err) {
    if (code == -EACCES)
        return homer_err_set(
            err, code, "the certificate of %.100s cannot be trusted: %s; --ca FILE names who vouches for it",
            text, X509_verify_cert_error_string(SSL_get_verify_result(t->ssl)));
    if (code == -EPROTO) return homer_err_set(err, code, "cannot speak TLS with %.100s: %s", text, reason());
    return homer_err_set(err, code, "cannot speak TLS with %.100s: %s", text, strerror(-code));
}

int homer_client_tls_new(struct homer_client_tls **out, int fd, const char *host, const char *ca_file,
                         int timeout_ms, const char *text, struct homer_error *err) {
    struct homer_client_tls *t = calloc(1, sizeof(*t));
    int code = 0;
    if (t) t->fd = fd;
    ERR_clear_error();
    if (!t || !make(t) || !expect_host(t->ssl, host)) {
        code = homer_err_set(err, -ENOMEM, "out of memory");
    } else if (ca_file ? SSL_CTX_load_verify_file(t->ctx, ca_file) != 1
                       : SSL_CTX_set_default_verify_paths(t->ctx) != 1) {
        code = homer_err_set(err, -EINVAL, "no certificates can be read from %.150s: %s",
                             ca_file ? ca_file : "the system", reason());
    } else {
        code = shake_hands(t, timeout_ms);
        if (code) failed(code, t, text, err);
    }
    if (code)
        homer_client_tls_free(t);
    else
        *out = t;
    return code;
}

struct homer_client_tls *homer_client_tls_free(struct homer_client_tls *t) {
    if (!t) return NULL;
    if (t->ssl && SSL_is_init_finished(t->ssl)) SSL_shutdown(t->ssl);
    SSL_free(t->ssl);
    BIO_meth_free(t->method);
    SSL_CTX_free(t->ctx);
    ERR_clear_error();
    free(t);
    return NULL;
}

/* ---- bytes ---- */

/* What a call that moved nothing means. */
static ssize_t nothing(struct homer_client_tls *t) {
    int why = SSL_get_error(t->ssl, 0), e = errno;
    ERR_clear_error();
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN
            : why == SSL_ERROR_SYSCALL && e && e != EAGAIN            ? e
                                                                      : ECONNRESET;
    return -1;
}

ssize_t homer_client_tls_send(struct homer_client_tls *t, const void *data, size_t n) {
    size_t done;
    ERR_clear_error();
    errno = 0;
    return SSL_write_ex(t->ssl, data, n, &done) == 1 ? (ssize_t)done : nothing(t);
}

ssize_t homer_client_tls_recv(struct homer_client_tls *t, void *to, size_t n) {
    size_t done;
    ERR_clear_error();
    errno = 0;
    return SSL_read_ex(t->ssl, to, n, &done) == 1 ? (ssize_t)done : nothing(t);
}

bool homer_client_tls_pending(const struct homer_client_tls *t) {
    return SSL_pending(t->ssl) > 0;
}
