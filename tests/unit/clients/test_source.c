/* Streams of a replay: several files, limit, shuffle, a second pass, pipes. And the learning curve's file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "clients/cli/curve.h"
#include "clients/cli/source.h"

static char folder[32], first[64], second[64];

static void put(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static int setup(void **state) {
    (void)state;
    strcpy(folder, "/tmp/test-source-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(first, sizeof(first), "%s/1", folder);
    snprintf(second, sizeof(second), "%s/2", folder);
    put(first, "a\n\nb\n");
    put(second, "c\nd\ne");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    return unlink(first) | unlink(second) | rmdir(folder);
}

/* All lines back to back, and "file:line" of the last. */
static const char *drain(struct homer_source *s, char *place) {
    static char all[64];
    const char *line;
    size_t n, all_n = 0;
    struct homer_place at;
    while (homer_source_next(s, &line, &n, &at, NULL) == 1) {
        memcpy(all + all_n, line, n);
        all_n += n;
        sprintf(place, "%s:%d", at.file + strlen(folder) + 1, (int)at.line);
    }
    all[all_n] = '\0';
    return all;
}

static struct homer_source *open_it(struct homer_source_options o) {
    static const char *paths[2];
    struct homer_source *s = NULL;
    paths[0] = first;
    paths[1] = second;
    o.path = paths;
    o.path_n = 2;
    assert_int_equal(homer_source_open(&s, &o, NULL), 0);
    return s;
}

static void test_in_order(void **state) {
    char place[64];
    (void)state;
    for (int count = 0; count < 2; count++) {
        struct homer_source *s = open_it((struct homer_source_options){.count = count, .again = true});
        assert_int_equal(homer_source_total(s), count ? 5 : 0);
        for (int pass = 0; pass < 2; pass++) {
            assert_string_equal(drain(s, place), "abcde");
            assert_string_equal(place, "2:3");
            homer_source_rewind(s);
        }
        homer_source_free(s);
    }
}

static void test_limit(void **state) {
    char place[64];
    struct homer_source *s = open_it((struct homer_source_options){.limit = 2, .count = true});
    (void)state;
    assert_int_equal(homer_source_total(s), 2);
    assert_string_equal(drain(s, place), "ab");
    assert_string_equal(place, "1:3"); /* the blank line counts */
    homer_source_free(s);
    s = open_it((struct homer_source_options){.limit = 99, .count = true});
    assert_int_equal(homer_source_total(s), 5);
    homer_source_free(s);
}

/* random.Random(1).shuffle(list("abcde")): cdeab; the limit is of the shuffled lines. */
static void test_shuffle(void **state) {
    char place[64];
    struct homer_source *s =
        open_it((struct homer_source_options){.shuffle = true, .seed = 1, .again = true});
    (void)state;
    assert_int_equal(homer_source_total(s), 5);
    assert_string_equal(drain(s, place), "cdeab");
    homer_source_rewind(s);
    assert_string_equal(drain(s, place), "cdeab");
    homer_source_free(s);
    s = open_it((struct homer_source_options){.shuffle = true, .seed = 1, .limit = 3});
    assert_string_equal(drain(s, place), "cde");
    homer_source_free(s);
}

static void test_pipe(void **state) {
    int fd[2];
    char name[32];
    const char *line, *paths[1] = {name};
    size_t n;
    struct homer_place at;
    struct homer_source *s;
    (void)state;
    for (int again = 0; again < 2; again++) {
        struct homer_source_options o = {.path = paths, .path_n = 1, .again = again, .count = true};
        assert_int_equal(pipe(fd), 0);
        snprintf(name, sizeof(name), "/dev/fd/%d", fd[0]);
        assert_int_equal(write(fd[1], "one\ntwo\n", 8), 8);
        if (again) close(fd[1]); /* it is read whole when it is opened */
        assert_int_equal(homer_source_open(&s, &o, NULL), 0);
        assert_int_equal(homer_source_total(s), again ? 2 : 0);
        assert_int_equal(homer_source_next(s, &line, &n, &at, NULL), 1);
        assert_int_equal(homer_source_next(s, &line, &n, &at, NULL), 1);
        assert_int_equal(homer_source_next(s, &line, &n, &at, NULL), again ? 0 : -EAGAIN);
        if (!again) close(fd[1]);
        assert_int_equal(homer_source_next(s, &line, &n, &at, NULL), 0);
        if (again) {
            homer_source_rewind(s);
            assert_int_equal(homer_source_next(s, &line, &n, &at, NULL), 1);
            assert_memory_equal(line, "one", 3);
        }
        homer_source_free(s);
        close(fd[0]);
    }
}

/* A missing second file is told before anything is sent. */
static void test_missing(void **state) {
    const char *paths[] = {first, "/nonexistent/file"};
    const struct homer_source_options o = {.path = paths, .path_n = 2};
    struct homer_error err;
    struct homer_source *s;
    (void)state;
    assert_int_equal(homer_source_open(&s, &o, &err), -ENOENT);
    assert_non_null(strstr(err.message, "/nonexistent/file"));
}

static json_t *stats(int n) {
    return json_pack("{s:{s:{s:i, s:f}, s:{s:f}}}", "metrics", "total", "n", n, "micro_f1", 0.1, "window",
                     "subset", 0.5);
}

static void test_curve(void **state) {
    struct homer_curve *c;
    char row[4096], path[80];
    json_t *at_2 = stats(2), *at_5 = stats(5);
    (void)state;
    snprintf(path, sizeof(path), "%s/curve", folder);
    assert_int_equal(homer_curve_open(&c, path, 2, NULL), 0);
    assert_int_equal(homer_curve_every(c), 2);
    assert_int_equal(homer_curve_row(c, "m", 1.5, at_2, NULL), 0);
    assert_int_equal(homer_curve_row(c, "m", 1.75, at_2, NULL), 0); /* no instance since: no row */
    assert_int_equal(homer_curve_row(c, "m", 2, at_5, NULL), 0);
    assert_int_equal(homer_curve_row(c, "k", 2, at_5, NULL), 0);
    assert_int_equal(homer_curve_close(c, NULL), 0);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(row, sizeof(row), f));
    assert_non_null(strstr(row, "model,n,seconds,total_subset,total_hamming,"));
    assert_non_null(strstr(row, ",window_subset,"));
    assert_non_null(strstr(row, ",majority_micro_f1,"));
    size_t commas = 0;
    for (const char *p = row; *p; p++) commas += *p == ',';
    const char *const begins[] = {"m,2,1.500,,", "m,5,2.000,,", "k,5,2.000,,"};
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(fgets(row, sizeof(row), f));
        assert_memory_equal(row, begins[i], strlen(begins[i]));
        assert_non_null(strstr(row, ",0.10000000000000001,")); /* reads back as the same double */
        size_t here = 0;
        for (const char *p = row; *p; p++) here += *p == ',';
        assert_int_equal(here, commas);
    }
    assert_null(fgets(row, sizeof(row), f));
    fclose(f);
    unlink(path);
    json_decref(at_2);
    json_decref(at_5);
}

static void test_curve_on_a_full_disk(void **state) {
    struct homer_curve *c;
    struct homer_error err;
    (void)state;
    if (access("/dev/full", W_OK)) skip();
    assert_int_equal(homer_curve_open(&c, "/dev/full", 2, &err), -ENOSPC);
    assert_non_null(strstr(err.message, "/dev/full"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_curve),
        cmocka_unit_test(test_curve_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
