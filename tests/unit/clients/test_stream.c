/* Lines of plain, gzip and zstd files; torn and damaged ones say so; long lines; pipes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>
#include "clients/cli/stream.h"

enum { CAP = 1 << 22 };

static char path[64];
static unsigned char *packed;

static int setup(void **state) {
    (void)state;
    strcpy(path, "/tmp/test-stream-XXXXXX");
    int fd = mkstemp(path);
    packed = malloc(CAP);
    if (fd < 0 || !packed) return -1;
    return close(fd);
}

static int teardown(void **state) {
    (void)state;
    free(packed);
    return unlink(path);
}

static void put(const void *data, size_t n) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static size_t gzip(const char *text, size_t n, unsigned char *to) {
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = (unsigned)n;
    z.next_out = to;
    z.avail_out = CAP;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t made = CAP - z.avail_out;
    deflateEnd(&z);
    return made;
}

static size_t zst(const char *text, size_t n, unsigned char *to) {
    size_t made = ZSTD_compress(to, CAP, text, n, 3);
    assert_false(ZSTD_isError(made));
    return made;
}

static struct homer_stream *open_it(void) {
    struct homer_stream *s = NULL;
    struct homer_error err;
    assert_int_equal(homer_stream_open(&s, path, &err), 0);
    return s;
}

static void expect(struct homer_stream *s, const char *line, uint64_t number) {
    struct homer_error err;
    const char *got;
    size_t n;
    assert_int_equal(homer_stream_line(s, &got, &n, &err), 1);
    assert_int_equal(n, strlen(line));
    assert_memory_equal(got, line, n);
    assert_int_equal(homer_stream_number(s), number);
}

static void expect_end(struct homer_stream *s) {
    struct homer_error err;
    const char *got;
    size_t n;
    assert_int_equal(homer_stream_line(s, &got, &n, &err), 0);
    assert_int_equal(homer_stream_line(s, &got, &n, &err), 0);
    homer_stream_free(s);
}

static const char TEXT[] = "{\"a\":1}\r\n\n  \t\n  {\"b\":2}  \n{\"c\":3}"; /* no newline at its end */

static void check_text(void) {
    struct homer_stream *s = open_it();
    expect(s, "{\"a\":1}", 1);
    expect(s, "{\"b\":2}", 4);
    expect(s, "{\"c\":3}", 5);
    expect_end(s);
}

static void test_every_packing(void **state) {
    (void)state;
    put(TEXT, strlen(TEXT));
    check_text();
    put(packed, gzip(TEXT, strlen(TEXT), packed));
    check_text();
    put(packed, zst(TEXT, strlen(TEXT), packed));
    check_text();
    char marked[64];
    snprintf(marked, sizeof(marked), "\xef\xbb\xbf%s", TEXT);
    put(marked, strlen(marked));
    check_text();
}

/* As `cat a.gz b.gz` makes them; the cut is inside a line. */
static void test_members_in_a_row(void **state) {
    (void)state;
    size_t cut = 20, n = gzip(TEXT, cut, packed);
    n += gzip(TEXT + cut, strlen(TEXT) - cut, packed + n);
    put(packed, n);
    check_text();
    n = zst(TEXT, cut, packed);
    n += zst(TEXT + cut, strlen(TEXT) - cut, packed + n);
    put(packed, n);
    check_text();
}

static void test_empty(void **state) {
    (void)state;
    put("", 0);
    expect_end(open_it());
    put(packed, gzip("", 0, packed));
    expect_end(open_it());
    put(packed, zst("", 0, packed));
    expect_end(open_it());
    put("x", 1); /* shorter than any magic number */
    struct homer_stream *s = open_it();
    expect(s, "x", 1);
    expect_end(s);
}

/* Lines far longer than an I/O block, between short ones. */
static void test_long_lines(void **state) {
    enum { LONG = 1000003 };
    char *text = malloc(2 * LONG + 8);
    assert_non_null(text);
    (void)state;
    memset(text, 'a', LONG);
    strcpy(text + LONG, "\nb\n");
    memset(text + LONG + 3, 'c', LONG);
    for (int packing = 0; packing < 3; packing++) {
        const char *got;
        size_t n;
        if (packing == 0) put(text, 2 * LONG + 3);
        if (packing == 1) put(packed, gzip(text, 2 * LONG + 3, packed));
        if (packing == 2) put(packed, zst(text, 2 * LONG + 3, packed));
        struct homer_stream *s = open_it();
        assert_int_equal(homer_stream_line(s, &got, &n, NULL), 1);
        assert_int_equal(n, LONG);
        assert_memory_equal(got, text, LONG);
        expect(s, "b", 2);
        assert_int_equal(homer_stream_line(s, &got, &n, NULL), 1);
        assert_int_equal(n, LONG);
        assert_memory_equal(got, text + LONG + 3, LONG);
        expect_end(s);
    }
    free(text);
}

/* Reads to the end; the lines before a fault are handed out. */
static int last_code(struct homer_error *err) {
    struct homer_stream *s = open_it();
    const char *got;
    size_t n;
    int rc;
    while ((rc = homer_stream_line(s, &got, &n, err)) == 1) continue;
    homer_stream_free(s);
    return rc;
}

static void test_torn_and_damaged(void **state) {
    char *text = malloc(200000);
    size_t n = 0;
    struct homer_error err;
    (void)state;
    assert_non_null(text);
    for (unsigned i = 0; n < 150000; i++)
        n += (size_t)sprintf(text + n, "{\"x\":{\"%u\":%u}}\n", i, i * 2654435761u);
    for (int packing = 0; packing < 2; packing++) {
        size_t made = packing ? zst(text, n, packed) : gzip(text, n, packed);
        put(packed, made);
        assert_int_equal(last_code(&err), 0);
        for (size_t cut = 5; cut < made; cut += made / 7) {
            put(packed, cut);
            assert_int_equal(last_code(&err), -EBADMSG);
            assert_non_null(strstr(err.message, path));
            assert_non_null(strstr(err.message, "ends in the middle"));
        }
        put(packed, made - 1); /* only the checksum or the last block is torn */
        assert_int_equal(last_code(&err), -EBADMSG);
        if (packing)
            memset(packed + made / 2, 0xff, 64);
        else
            packed[made - 5] ^= 1; /* the checksum */
        put(packed, made);
        assert_int_equal(last_code(&err), -EBADMSG);
        assert_non_null(strstr(err.message, "damaged"));
    }
    free(text);
}

static void test_absent(void **state) {
    struct homer_stream *s;
    struct homer_error err;
    bool rereadable = true;
    (void)state;
    assert_int_equal(homer_stream_open(&s, "/nonexistent/file", &err), -ENOENT);
    assert_non_null(strstr(err.message, "/nonexistent/file"));
    assert_int_equal(homer_stream_check("/nonexistent/file", &rereadable, &err), -ENOENT);
    assert_int_equal(homer_stream_check("/", &rereadable, &err), -EISDIR);
    assert_int_equal(homer_stream_check(path, &rereadable, &err), 0);
    assert_true(rereadable);
    assert_int_equal(homer_stream_check("-", &rereadable, &err), 0);
    assert_false(rereadable);
}

/* A pipe that has half a line says so instead of waiting. */
static void test_live_pipe(void **state) {
    int fd[2];
    char name[32];
    const char *got;
    size_t n;
    (void)state;
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], "one\ntw", 6), 6);
    snprintf(name, sizeof(name), "/dev/fd/%d", fd[0]);
    struct homer_stream *s;
    assert_int_equal(homer_stream_open(&s, name, NULL), 0);
    homer_stream_live(s);
    expect(s, "one", 1);
    assert_int_equal(homer_stream_line(s, &got, &n, NULL), -EAGAIN);
    assert_int_equal(homer_stream_line(s, &got, &n, NULL), -EAGAIN);
    assert_int_equal(write(fd[1], "o\n", 2), 2);
    expect(s, "two", 2);
    close(fd[1]);
    expect_end(s);
    close(fd[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_packing),
        cmocka_unit_test(test_members_in_a_row),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_torn_and_damaged),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_live_pipe),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
