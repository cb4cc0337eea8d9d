/* Tokens: which files will do, which tokens are right, and what a stranger may ask. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/auth.h"
#include "daemon/privileges.h"
#include "daemon/secret.h"

#define TOKEN "0123456789abcdef!~"

static char path[64];
static struct homer_auth auth;
static struct homer_error err;

static int setup(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/homer-test-auth-%ld", (long)getpid());
    auth = (struct homer_auth){0};
    err = (struct homer_error){0};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    chmod(path, 0600);
    return unlink(path) && errno != ENOENT;
}

static int load_n(const char *text, size_t n, mode_t mode) {
    unlink(path);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fwrite(text, 1, n, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, mode), 0);
    return homer_auth_load(&auth, path, geteuid(), &err);
}

static int load(const char *text) {
    return load_n(text, strlen(text), 0600);
}

static struct homer_str str(const char *s) {
    return (struct homer_str){s, strlen(s)};
}

static void test_one_line_end_does_not_count(void **state) {
    static const char *const texts[] = {TOKEN, TOKEN "\n", TOKEN "\r\n"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct homer_session session = {.id = 1};
        assert_int_equal(load(texts[i]), 0);
        assert_true(auth.needed);
        assert_int_equal(homer_auth_show(&auth, &session, str(TOKEN), &err), 0);
        assert_true(session.trusted);
    }
    assert_int_equal(homer_auth_load(&auth, NULL, 0, &err), 0);
    assert_false(auth.needed);
}

static void test_refuses_bad_files_and_keeps_what_it_had(void **state) {
    static char longest[HOMER_TOKEN_MAX + 2];
    static const char *const texts[] = {"",
                                        "\n",
                                        "0123456789abcde\n",
                                        TOKEN "\n\n",
                                        TOKEN " x",
                                        "0123456789abcdef\"",
                                        "0123456789abcdef\\",
                                        "0123456789abcde\xc3\xa9",
                                        longest};
    (void)state;
    assert_int_equal(load(TOKEN), 0);
    struct homer_auth before = auth;
    memset(longest, 'a', HOMER_TOKEN_MAX + 1);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(load(texts[i]), HOMER_E_BAD_REQUEST);
        assert_non_null(strstr(err.message, path));
        assert_memory_equal(&auth, &before, sizeof auth);
    }
    longest[HOMER_TOKEN_MAX] = '\0';
    assert_int_equal(load(longest), 0);
    assert_int_equal(load_n(TOKEN "\0", sizeof TOKEN, 0600), HOMER_E_BAD_REQUEST);
    assert_int_equal(homer_auth_load(&auth, "/nonexistent/token", 0, &err), -ENOENT);
    assert_int_equal(homer_auth_load(&auth, "/tmp", 0, &err), HOMER_E_BAD_REQUEST);
    assert_non_null(strstr(err.message, "regular"));
    assert_int_equal(auth.n, HOMER_TOKEN_MAX);
}

static void test_files_that_others_can_read_are_refused(void **state) {
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0644, 0660, 0777};
    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(load_n(TOKEN, strlen(TOKEN), modes[i]), HOMER_E_BAD_REQUEST);
        assert_non_null(strstr(err.message, "chmod 600"));
    }
    assert_int_equal(load_n(TOKEN, strlen(TOKEN), 0400), 0);
    assert_int_equal(load_n(TOKEN, strlen(TOKEN), 0600), 0);
    if (geteuid() != 0) return;
    assert_int_equal(chown(path, 12345, 12345), 0);
    char text[HOMER_TOKEN_FILE];
    size_t n = 0;
    assert_int_equal(homer_secret_read(path, "key", 0, text, sizeof text, &n, &err), HOMER_E_BAD_REQUEST);
    assert_int_equal(n, 0);
    assert_non_null(strstr(err.message, "12345"));
    assert_int_equal(homer_secret_read(path, "key", 12345, text, sizeof text, &n, &err), 0);
    assert_int_equal(n, strlen(TOKEN));
}

static void test_only_the_token_is_right(void **state) {
    static char longer[HOMER_TOKEN_MAX + 1];
    static const char *const wrong[] = {
        "", "0123456789abcdef!", TOKEN "x", "1123456789abcdef!~", "0123456789abcdef!}", longer};
    struct homer_session session = {.id = 1};
    (void)state;
    assert_int_equal(load(TOKEN), 0);
    memset(longer, 'x', HOMER_TOKEN_MAX);
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(homer_auth_show(&auth, &session, str(wrong[i]), &err), HOMER_E_DENIED);
        assert_false(session.trusted);
        assert_int_equal(session.refused, i + 1);
        assert_null(strstr(err.message, TOKEN));
    }
    char zeros[sizeof TOKEN] = TOKEN; /* the token and the zero that it is kept with */
    assert_int_equal(homer_auth_show(&auth, &session, (struct homer_str){zeros, sizeof zeros}, &err),
                     HOMER_E_DENIED);
    homer_auth_wipe(&auth);
    for (size_t i = 0; i < sizeof auth.token; i++) assert_int_equal(auth.token[i], 0);
}

static void test_a_stranger_may_ask_for_little(void **state) {
    struct homer_session stranger = {.id = 1}, friend = {.id = 2, .trusted = true};
    (void)state;
    for (int op = HOMER_OP_NONE; op < HOMER_OP_COUNT; op++) {
        bool harmless =
            op == HOMER_OP_AUTH || op == HOMER_OP_PING || op == HOMER_OP_HELP || op == HOMER_OP_QUIT;
        assert_int_equal(homer_auth_check(&stranger, (enum homer_op)op, &err), harmless ? 0 : HOMER_E_DENIED);
        assert_int_equal(homer_auth_check(&friend, (enum homer_op)op, &err), 0);
    }
}

static void test_users(void **state) {
    uid_t uid;
    gid_t gid;
    (void)state;
    assert_int_equal(homer_user_find(NULL, &uid, &gid, &err), 0);
    assert_int_equal(uid, geteuid());
    assert_int_equal(homer_user_find("root", &uid, &gid, &err), 0);
    assert_int_equal(uid, 0);
    assert_int_equal(homer_user_find("no-such-user-here", &uid, &gid, &err), HOMER_E_BAD_REQUEST);
    assert_non_null(strstr(err.message, "no-such-user-here"));
    assert_int_equal(homer_user_become(NULL, &err), 0);
    if (geteuid() == 0)
        assert_int_equal(homer_user_become("root", &err), 0);
    else
        assert_int_equal(homer_user_become("root", &err), HOMER_E_BAD_REQUEST);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_one_line_end_does_not_count),
        TEST(test_refuses_bad_files_and_keeps_what_it_had),
        TEST(test_files_that_others_can_read_are_refused),
        TEST(test_only_the_token_is_right),
        TEST(test_a_stranger_may_ask_for_little),
        TEST(test_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
