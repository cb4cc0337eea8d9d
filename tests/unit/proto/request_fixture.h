/* For the tests of request parsing: one reused request, small limits. */
#ifndef HOMER_TEST_REQUEST_FIXTURE_H
#define HOMER_TEST_REQUEST_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "proto/request.h"

static const struct homer_request_limits limits = {
    .max_line = 1 << 20, .max_depth = 8, .max_name = 16, .max_items = 4, .max_x = 6, .max_y = 3};

struct fixture {
    struct homer_mem mem;
    struct homer_request r;
};

static int setup(void **state) {
    static struct fixture f;
    f = (struct fixture){0};
    homer_request_init(&f.r, &f.mem);
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    homer_request_deinit(&f->r);
    return f->mem.used_bytes != 0;
}

static void parse_bytes(struct fixture *f, const char *line, size_t n) {
    /* An exact copy, so that a sanitizer sees reads behind the end. */
    char *copy = test_malloc(n + !n);
    memcpy(copy, line, n);
    homer_request_parse(&f->r, copy, n, &limits);
    test_free(copy); /* whatever the request holds must be its own */
}

/* Parses a line that is right. */
static const struct homer_request *good(struct fixture *f, const char *line) {
    parse_bytes(f, line, strlen(line));
    if (f->r.error.code) print_error("%s: %s\n", line, f->r.error.message);
    assert_int_equal(f->r.error.code, 0);
    assert_int_not_equal(f->r.op, HOMER_OP_NONE);
    return &f->r;
}

static inline void check_error(const struct homer_request *r, const char *line, int code, const char *part) {
    if (r->error.code != code || !strstr(r->error.message, part)) {
        print_error("%s: %s: %s\n", line, homer_err_word(r->error.code), r->error.message);
    }
    assert_int_equal(r->error.code, code);
    assert_int_equal(r->op, HOMER_OP_NONE);
    assert_non_null(strstr(r->error.message, part));
}

/* Parses a line that is wrong: the code, and a part of the message. */
static inline const struct homer_request *bad(struct fixture *f, const char *line, int code,
                                              const char *part) {
    parse_bytes(f, line, strlen(line));
    check_error(&f->r, line, code, part);
    return &f->r;
}

static inline void assert_str(struct homer_str s, const char *text) {
    assert_non_null(s.s);
    assert_int_equal(s.n, strlen(text));
    assert_memory_equal(s.s, text, s.n);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
