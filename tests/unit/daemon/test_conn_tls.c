/* Connections inside TLS: what holds of plain ones holds of them, too. The certificate is made here. */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include "tests/unit/daemon/conn_fixture.h"

static char cert_file[64], key_file[64];

static void write_pem(const char *path, EVP_PKEY *key, X509 *cert) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    if (cert)
        assert_int_equal(PEM_write_X509(out, cert), 1);
    else
        assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

/* A key and a certificate that vouches for itself. */
static int make_files(void **state) {
    (void)state;
    snprintf(cert_file, sizeof cert_file, "/tmp/homer-test-tls-%ld.pem", (long)getpid());
    snprintf(key_file, sizeof key_file, "/tmp/homer-test-tls-%ld.key", (long)getpid());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_non_null(key);
    assert_non_null(cert);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"test",
                               -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    write_pem(cert_file, key, cert);
    write_pem(key_file, key, NULL);
    X509_free(cert);
    EVP_PKEY_free(key);
    return 0;
}

static int remove_files(void **state) {
    (void)state;
    return unlink(cert_file) | unlink(key_file);
}

struct secure {
    struct fixture f;
    struct homer_tls *tls;
    SSL_CTX *ctx;
};

static void secure_open(struct secure *s, struct homer_conn_limits limits) {
    struct homer_error err = {0};
    fixture_open(&s->f, limits);
    s->tls = NULL;
    if (homer_tls_load(&s->tls, cert_file, key_file, geteuid(), &err)) fail_msg("%s", err.message);
    homer_conn_group_tls(s->f.g, s->tls);
    s->ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(s->ctx);
}

static void secure_close(struct secure *s) {
    SSL_CTX_free(s->ctx);
    fixture_close(&s->f);
    s->tls = homer_tls_free(s->tls);
}

/* A client after its handshake; the test turns the loop meanwhile. */
static SSL *secure_client(struct secure *s) {
    SSL *ssl = SSL_new(s->ctx);
    assert_non_null(ssl);
    SSL_set_fd(ssl, client(&s->f));
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    PUMP(&s->f, SSL_connect(ssl) == 1);
    return ssl;
}

static void tls_hang_up(SSL *ssl) {
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

static void secure_say(struct secure *s, SSL *ssl, const char *text) {
    PUMP(&s->f, SSL_write(ssl, text, (int)strlen(text)) == (int)strlen(text));
}

static void secure_expect(struct secure *s, SSL *ssl, const char *want) {
    char got[4096] = "";
    size_t n = 0;
    while (n < strlen(want)) {
        int k = 0;
        PUMP(&s->f, (k = SSL_read(ssl, got + n, (int)(strlen(want) - n))) > 0);
        n += (size_t)k;
    }
    assert_string_equal(got, want);
}

static void assert_tls_quiet(struct secure *s, SSL *ssl) {
    char c;
    idle_turns(&s->f);
    assert_int_equal(SSL_get_error(ssl, SSL_read(ssl, &c, 1)), SSL_ERROR_WANT_READ);
}

static void test_held_replies_wait_inside_tls(void **state) {
    struct secure s;
    (void)state;
    secure_open(&s, small_limits());
    homer_conn_group_batch(s.f.g, 1);
    SSL *a = secure_client(&s);
    secure_say(&s, a, "before\nhold 1\nbehind\n");
    secure_expect(&s, a, "before\n");
    assert_tls_quiet(&s, a);
    homer_conn_group_batch(s.f.g, 2);
    secure_say(&s, a, "hold 2\nwait\nlast\n");
    homer_conn_group_durable(s.f.g, 1);
    secure_expect(&s, a, "hold 1\nbehind\n");
    assert_tls_quiet(&s, a);
    PUMP(&s.f, s.f.g->stats.lines == 5);
    assert_true(homer_conn_group_resume(s.f.g, s.f.last.id, "answer\n", 7));
    assert_tls_quiet(&s, a);
    homer_conn_group_durable(s.f.g, 2);
    secure_expect(&s, a, "hold 2\nanswer\nlast\n");
    tls_hang_up(a);
    secure_close(&s);
}

static void test_the_end_waits_for_held_replies(void **state) {
    struct secure s;
    char c;
    (void)state;
    secure_open(&s, small_limits());
    homer_conn_group_batch(s.f.g, 1);
    SSL *a = secure_client(&s);
    secure_say(&s, a, "hold");
    assert_int_equal(SSL_shutdown(a), 0); /* says that nothing more comes */
    PUMP(&s.f, s.f.g->stats.lines == 1);
    assert_tls_quiet(&s, a);
    homer_conn_group_durable(s.f.g, 1);
    secure_expect(&s, a, "hold\n");
    int rc = -1;
    PUMP(&s.f, (rc = SSL_read(a, &c, 1)) <= 0 && SSL_get_error(a, rc) != SSL_ERROR_WANT_READ);
    assert_int_equal(SSL_get_error(a, rc), SSL_ERROR_ZERO_RETURN);
    PUMP(&s.f, s.f.g->stats.open == 0);
    tls_hang_up(a);
    secure_close(&s);
}

static void test_a_slow_reader_is_held_back_and_closed(void **state) {
    struct secure s;
    struct homer_conn_limits limits = small_limits();
    (void)state;
    limits.drain_timeout_ms = 100;
    secure_open(&s, limits);
    SSL *a = secure_client(&s);
    char lines[20 * 12 + 1] = "";
    for (int i = 0; i < 20; i++) strcat(lines, "big 1000000\n");
    secure_say(&s, a, lines);
    PUMP(&s.f, !s.f.g->all || s.f.g->all->is_sending);
    if (s.f.g->all) assert_true(s.f.g->all->mem.peak_bytes < 8u << 20);
    PUMP(&s.f, s.f.g->stats.timed_out == 1);
    PUMP(&s.f, s.f.g->stats.open == 0);
    assert_true(s.f.g->stats.lines < 20);
    tls_hang_up(a);
    secure_close(&s);
}

static void test_long_replies_come_whole(void **state) {
    enum { N = 3000000 };
    struct secure s;
    static char got[N + 2];
    size_t n = 0;
    (void)state;
    secure_open(&s, small_limits());
    SSL *a = secure_client(&s);
    secure_say(&s, a, "big 3000000\nend\n");
    while (n < N + 1) {
        int k = 0;
        PUMP(&s.f, (k = SSL_read(a, got + n, (int)(N + 1 - n))) > 0);
        n += (size_t)k;
    }
    assert_true(got[0] == 'x' && got[N - 1] == 'x' && got[N] == '\n');
    secure_expect(&s, a, "end\n");
    tls_hang_up(a);
    secure_close(&s);
}

static void test_a_failed_allocation_ends_one_connection(void **state) {
    struct secure s;
    (void)state;
    secure_open(&s, small_limits());
    SSL *other = secure_client(&s);
    for (uint64_t k = 1;; k++) {
        SSL *a = secure_client(&s);
        struct homer_conn *c = s.f.g->all;
        c->mem.fail_in = k;
        char line[3000];
        memset(line, 'a', sizeof line);
        memcpy(line + sizeof line - 2, "\n", 2);
        secure_say(&s, a, line);
        PUMP(&s.f, s.f.g->stats.open == 1 || homer_conn_unsent(c) || c->handled);
        idle_turns(&s.f);
        bool lost = s.f.g->stats.open == 1;
        tls_hang_up(a);
        PUMP(&s.f, s.f.g->stats.open == 1);
        secure_say(&s, other, "fine\n");
        secure_expect(&s, other, "fine\n");
        if (!lost) break;
        assert_true(k < 100);
    }
    tls_hang_up(other);
    secure_close(&s);
}

static void test_plain_text_ends_with_a_reason(void **state) {
    struct secure s;
    char buf[512];
    bool eof;
    (void)state;
    secure_open(&s, small_limits());
    int fd = client(&s.f);
    say(&s.f, fd, "ping\n");
    hear(&s.f, fd, buf, sizeof buf, &eof);
    PUMP(&s.f, s.f.g->stats.open == 0);
    assert_int_equal(s.f.g->stats.tls_failed, 1);
    assert_int_equal(s.f.g->stats.lines, 0);
    close(fd);
    secure_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held_replies_wait_inside_tls),
        cmocka_unit_test(test_the_end_waits_for_held_replies),
        cmocka_unit_test(test_a_slow_reader_is_held_back_and_closed),
        cmocka_unit_test(test_long_replies_come_whole),
        cmocka_unit_test(test_a_failed_allocation_ends_one_connection),
        cmocka_unit_test(test_plain_text_ends_with_a_reason),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
