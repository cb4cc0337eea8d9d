/* The line splitter: whatever the packet boundaries, the same lines come out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "core/base/err.h"
#include "proto/line.h"

enum { MAX = 10 };

static void push(struct homer_line *l, const char *bytes, size_t n) {
    size_t room;
    char *at = homer_line_room(l, n, &room);
    assert_non_null(at);
    assert_true(room >= n);
    memcpy(at, bytes, n);
    homer_line_feed(l, n);
}

static void append(struct homer_buf *out, int rc, const char *text, size_t n) {
    if (rc == 1) {
        homer_buf_putc(out, '<');
        homer_buf_append(out, text, n);
        homer_buf_putc(out, '>');
    } else {
        assert_int_equal(rc, HOMER_E_TOO_LARGE);
        homer_buf_putc(out, '!');
    }
}

/* Feeds `bytes` in pieces of `step` and checks what comes out: <line> each, ! for a line that is too large.
 */
static void expect(const char *bytes, size_t step, const char *lines) {
    struct homer_mem mem = {0};
    struct homer_line l;
    struct homer_buf out;
    const char *text;
    size_t n, total = strlen(bytes);
    int rc;
    homer_line_init(&l, &mem, MAX);
    homer_buf_init(&out, &mem);
    for (size_t at = 0; at < total; at += step) {
        push(&l, bytes + at, total - at < step ? total - at : step);
        while ((rc = homer_line_next(&l, &text, &n))) append(&out, rc, text, n);
        assert_false(homer_line_pending(&l));
        assert_true(l.in.n - l.next <= MAX + 1); /* what is held between reads is bounded */
    }
    while ((rc = homer_line_last(&l, &text, &n))) append(&out, rc, text, n);
    assert_int_equal(homer_line_last(&l, &text, &n), 0);
    homer_buf_putc(&out, '\0');
    assert_string_equal(out.data, lines);
    homer_buf_deinit(&out);
    homer_line_deinit(&l);
    assert_int_equal(mem.used_bytes, 0);
}

static void splits_at_any_boundary(void **state) {
    (void)state;
    static const struct {
        const char *bytes, *lines;
    } cases[] = {
        {"", ""},
        {"ping\n", "<ping>"},
        {"a\nb\r\nc", "<a><b><c>"},
        {"a\r\r\n", "<a\r>"},
        {"tail\r", "<tail>"},
        {"\n\r\n \t \nx\n\n", "<x>"},
        {"0123456789\n", "<0123456789>"},
        {"0123456789\r\n", "<0123456789>"},
        {"0123456789", "<0123456789>"},
        {"0123456789\r", "<0123456789>"},
        {"0123456789x\nok\n", "!<ok>"},
        {"0123456789\rx\nok\n", "!<ok>"},
        {"0123456789x\r\nok\n", "!<ok>"},
        {"0123456789 a line far longer than the limit and then some\nok", "!<ok>"},
        {"0123456789 a line that never ends", "!"},
        {"             \nok\n", "!<ok>"},
        {"0123456789ab\n0123456789ab\n\nx\n", "!!<x>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t step = 1; step <= 70; step++) expect(cases[i].bytes, step, cases[i].lines);
    }
}

static void tells_when_lines_wait(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_line l;
    const char *text;
    size_t n;
    homer_line_init(&l, &mem, MAX);
    assert_false(homer_line_pending(&l));
    push(&l, "a\nb\nc", 5);
    assert_true(homer_line_pending(&l));
    assert_int_equal(homer_line_next(&l, &text, &n), 1);
    assert_int_equal(homer_line_next(&l, &text, &n), 1);
    assert_memory_equal(text, "b", n);
    assert_int_equal(homer_line_next(&l, &text, &n), 0);
    assert_false(homer_line_pending(&l));
    homer_line_deinit(&l);
}

/* From wherever it is gone back to, the same comes again: also from inside of a line that is too long. */
static void goes_back(void **state) {
    (void)state;
    enum { LINES = 5 };
    static const char bytes[] = "one\r\n \ntwo\n0123456789abc\nthree\n0123456789abc";
    struct homer_mem mem = {0};
    struct homer_line l;
    struct homer_line_mark mark[LINES];
    const char *text, *first[LINES];
    size_t n, first_n[LINES];
    int first_rc[LINES];
    homer_line_init(&l, &mem, MAX);
    push(&l, bytes, sizeof bytes - 1);
    for (int i = 0; i < LINES; i++) {
        mark[i] = homer_line_mark(&l);
        first_rc[i] = homer_line_next(&l, &first[i], &first_n[i]);
        assert_int_equal(first_rc[i], i == 2 || i == 4 ? HOMER_E_TOO_LARGE : 1);
    }
    assert_int_equal(homer_line_next(&l, &text, &n), 0);
    for (int from = LINES - 1; from >= 0; from--) {
        homer_line_rewind(&l, &mark[from]);
        for (int i = from; i < LINES; i++) {
            assert_int_equal(homer_line_next(&l, &text, &n), first_rc[i]);
            if (first_rc[i] != 1) continue;
            assert_ptr_equal(text, first[i]);
            assert_int_equal(n, first_n[i]);
        }
        assert_int_equal(homer_line_next(&l, &text, &n), 0);
    }
    push(&l, "d\nfour\n", 7);
    assert_int_equal(homer_line_next(&l, &text, &n), 1);
    assert_memory_equal(text, "four", n);
    homer_line_deinit(&l);
    assert_int_equal(mem.used_bytes, 0);
}

static void gives_back_the_room_of_a_long_line(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_line l;
    const char *text;
    size_t n;
    static char big[1 << 20];
    homer_line_init(&l, &mem, sizeof big);
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\n';
    push(&l, big, sizeof big);
    assert_int_equal(homer_line_next(&l, &text, &n), 1);
    assert_int_equal(n, sizeof big - 1);
    homer_line_trim(&l, 2 * sizeof big);
    assert_true(mem.used_bytes >= sizeof big);
    homer_line_trim(&l, 1024);
    assert_int_equal(mem.used_bytes, 0);
    push(&l, "half a line", 11);
    homer_line_trim(&l, 0); /* takes nothing that came */
    push(&l, ".\n", 2);
    assert_int_equal(homer_line_next(&l, &text, &n), 1);
    assert_memory_equal(text, "half a line.", n);
    homer_line_deinit(&l);
}

static void survives_a_refused_allocation(void **state) {
    (void)state;
    struct homer_mem mem = {.fail_in = 1};
    struct homer_line l;
    const char *text;
    size_t n, room;
    homer_line_init(&l, &mem, MAX);
    assert_null(homer_line_room(&l, 100, &room));
    push(&l, "ping\n", 5);
    assert_int_equal(homer_line_next(&l, &text, &n), 1);
    assert_memory_equal(text, "ping", n);
    homer_line_deinit(&l);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_at_any_boundary),
        cmocka_unit_test(tells_when_lines_wait),
        cmocka_unit_test(goes_back),
        cmocka_unit_test(gives_back_the_room_of_a_long_line),
        cmocka_unit_test(survives_a_refused_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
