/* The lines that end up in a log file. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/log.h"

static char path[64], rotated[80];

/* The whole file, times (which differ) cut from the start of each line; static. */
static const char *lines(const char *file) {
    static char out[8192];
    char line[HOMER_LOG_LINE + 2];
    size_t n = 0;
    FILE *in = fopen(file, "r");
    out[0] = '\0';
    if (!in) return out;
    while (fgets(line, sizeof line, in)) {
        assert_memory_equal(line, "time=2", 6);
        const char *rest = strchr(line, ' ');
        assert_non_null(rest);
        assert_int_equal(rest[-1], 'Z');
        n += (size_t)snprintf(out + n, sizeof out - n, "%s", rest + 1);
        assert_true(n < sizeof out);
    }
    fclose(in);
    return out;
}

static int setup(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/homer-test-log-%ld", (long)getpid());
    snprintf(rotated, sizeof rotated, "%s.1", path);
    unlink(path);
    unlink(rotated);
    return homer_log_open(path, HOMER_LOG_INFO);
}

static int teardown(void **state) {
    (void)state;
    homer_log_close();
    unlink(path);
    unlink(rotated);
    return 0;
}

static void test_writes_key_value_lines_and_quotes_where_needed(void **state) {
    const char *nothing = path[0] ? NULL : path; /* where the compiler does not see it */
    (void)state;
    homer_log(HOMER_LOG_INFO, "a", "start", "s=%s", "");
    homer_log(HOMER_LOG_WARN, "b", "none", "n=%u", 7u);
    homer_log(HOMER_LOG_ERROR, "c", "all", "s=%s t=%s u=%s d=%d z=%zu l=%ld ll=%llu p=%s", "plain/x:1",
              "two words", "q\"\\\n=", -5, (size_t)18446744073709551615u, -6L, 9ULL, nothing);
    assert_string_equal(lines(path),
                        "level=info mod=a event=start s=\"\"\n"
                        "level=warn mod=b event=none n=7\n"
                        "level=error mod=c event=all s=plain/x:1 t=\"two words\" u=\"q\\\"\\\\\\x0a=\" "
                        "d=-5 z=18446744073709551615 l=-6 ll=9 p=null\n");
}

static void test_levels_filter(void **state) {
    (void)state;
    homer_log(HOMER_LOG_DEBUG, "a", "hidden", "n=%d", 1);
    homer_log(HOMER_LOG_INFO, "a", "shown", "n=%d", 1);
    assert_false(homer_log_enabled(HOMER_LOG_DEBUG));
    assert_int_equal(homer_log_open(path, HOMER_LOG_ERROR), 0);
    homer_log(HOMER_LOG_INFO, "a", "hidden", "n=%d", 1);
    assert_string_equal(lines(path), "level=info mod=a event=shown n=1\n");
}

static void test_a_long_line_is_cut_and_stays_one_line(void **state) {
    char value[3 * HOMER_LOG_LINE];
    struct stat st;
    (void)state;
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    homer_log(HOMER_LOG_INFO, "a", "long", "s=%s after=%d", value, 1);
    homer_log(HOMER_LOG_INFO, "a", "next", "n=%d", 1);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < HOMER_LOG_LINE + 100);
    const char *all = lines(path);
    assert_string_equal(strchr(all, '\n'), "\nlevel=info mod=a event=next n=1\n");
}

static void test_reopens_after_rotation_and_appends(void **state) {
    (void)state;
    homer_log(HOMER_LOG_INFO, "a", "one", "n=%d", 1);
    assert_int_equal(rename(path, rotated), 0);
    homer_log(HOMER_LOG_INFO, "a", "two", "n=%d", 2);
    assert_int_equal(homer_log_reopen(), 0);
    homer_log(HOMER_LOG_INFO, "a", "three", "n=%d", 3);
    assert_int_equal(homer_log_reopen(), 0);
    homer_log(HOMER_LOG_INFO, "a", "four", "n=%d", 4);
    assert_string_equal(lines(rotated), "level=info mod=a event=one n=1\nlevel=info mod=a event=two n=2\n");
    assert_string_equal(lines(path), "level=info mod=a event=three n=3\nlevel=info mod=a event=four n=4\n");
}

static void test_a_file_that_cannot_be_opened_changes_nothing(void **state) {
    (void)state;
    assert_true(homer_log_open("/nonexistent/dir/log", HOMER_LOG_DEBUG) < 0);
    homer_log(HOMER_LOG_INFO, "a", "still", "n=%d", 1);
    homer_log(HOMER_LOG_DEBUG, "a", "hidden", "n=%d", 1);
    assert_string_equal(lines(path), "level=info mod=a event=still n=1\n");
}

static void test_the_rate_limit_counts_what_it_suppresses(void **state) {
    struct homer_log_site site = {0};
    unsigned suppressed = 9;
    (void)state;
    assert_true(homer_log_site_pass(&site, 2, 100, &suppressed));
    assert_int_equal(suppressed, 0);
    assert_true(homer_log_site_pass(&site, 2, 100, &suppressed));
    for (int i = 0; i < 5; i++) assert_false(homer_log_site_pass(&site, 2, 100, &suppressed));
    assert_true(homer_log_site_pass(&site, 2, 101, &suppressed));
    assert_int_equal(suppressed, 5);
    assert_true(homer_log_site_pass(&site, 2, 101, &suppressed));
    assert_int_equal(suppressed, 0);
    assert_false(homer_log_site_pass(&site, 2, 101, &suppressed));
    /* and through the log itself: at most `per_second` lines, and one more if a second passes meanwhile */
    static struct homer_log_site hot;
    unsigned n = 0;
    for (int i = 0; i < 1000; i++) homer_log_limited(&hot, 1, HOMER_LOG_INFO, "a", "hot", "i=%d", i);
    for (const char *p = lines(path); *p; p++) n += *p == '\n';
    assert_true(n >= 1 && n < 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writes_key_value_lines_and_quotes_where_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_levels_filter, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_long_line_is_cut_and_stays_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reopens_after_rotation_and_appends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_that_cannot_be_opened_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_rate_limit_counts_what_it_suppresses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
