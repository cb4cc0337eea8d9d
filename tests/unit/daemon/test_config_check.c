/* Keys that have to fit together, and the files that they name. */
#include "config_fixture.h"

#include <sys/stat.h>

static int check_with(const char *const *assignments) {
    homer_config_deinit(&c);
    assert_int_equal(homer_config_init(&c), 0);
    c.on_problem = on_problem;
    problems = 0;
    for (; *assignments; assignments++) assert_int_equal(homer_config_set(&c, *assignments, &err), 0);
    return homer_config_check(&c, &err);
}

#define CHECK(...) check_with((const char *const[]){__VA_ARGS__, NULL})

static void write_token(void) {
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs("0123456789abcdef\n", out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(file, 0600), 0);
}

static void test_addresses_of_other_machines_need_a_token(void **state) {
    static const char *const outside[] = {"0.0.0.0:7707", "[::]:7707", "192.0.2.7:1", "[::ffff:192.0.2.7]:1"};
    char listen[64], token[128];
    (void)state;
    write_token();
    snprintf(token, sizeof token, "auth_token_file=%s", file);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        snprintf(listen, sizeof listen, "listen=[\"127.0.0.1:1\",\"%s\"]", outside[i]);
        assert_int_equal(CHECK(listen), HOMER_E_BAD_REQUEST);
        assert_says("auth_token_file|listen");
        assert_says(outside[i]);
        assert_int_equal(CHECK(listen, token), 0);
        assert_true(c.conn.needs_token);
    }
    assert_int_equal(CHECK("listen=[\"127.3.2.1:1\",\"[::1]:1\",\"localhost:1\"]"), 0);
    assert_false(c.conn.needs_token);
}

static void test_files_are_looked_at(void **state) {
    char token[128], cert[128], key[128];
    (void)state;
    write_token();
    snprintf(token, sizeof token, "auth_token_file=%s", file);
    snprintf(cert, sizeof cert, "tls.cert=%s", file);
    snprintf(key, sizeof key, "tls.key=%s", file);
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(CHECK(token), HOMER_E_BAD_REQUEST);
    assert_says("auth_token_file|0644|chmod 600");
    assert_int_equal(CHECK(cert), HOMER_E_BAD_REQUEST);
    assert_says("tls|cert and key");
    assert_int_equal(CHECK(cert, key), HOMER_E_BAD_REQUEST);
    assert_says("tls.cert|no certificate");
    assert_says(file);
    assert_int_equal(CHECK("auth_token_file=/nonexistent/token", "user=no-such-user-here"),
                     HOMER_E_BAD_REQUEST);
    assert_says("user|no-such-user-here");
    assert_int_equal(CHECK("auth_token_file=/nonexistent/token", cert), -ENOENT);
    assert_says("/nonexistent/token");
    assert_int_equal(problems, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_addresses_of_other_machines_need_a_token),
        TEST(test_files_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
