/* A request that cannot get memory says so; it never crashes, leaks, or reads as something else. */
#include <stdlib.h>
#include "core/base/buf.h"
#include "request_fixture.h"

static const struct homer_request_limits wide = {
    .max_line = 1 << 20, .max_depth = 8, .max_name = 256, .max_items = 1000, .max_x = 100000, .max_y = 1000};

/* A line of `n` features with names and values longer than the token buffer that jansson starts with, so that
 * a refusal hits every kind of growth. */
static void long_line(struct homer_buf *line, unsigned n) {
    homer_buf_puts(line,
                   "{\"op\":\"batch\",\"id\":\"quoted \\\" and long enough to grow\",\"items\":[{\"x\":{");
    for (unsigned i = 0; i < n; i++) {
        homer_buf_printf(line, "%s\"a rather long feature name %u\":0.12345678901234%u", i ? "," : "", i, i);
    }
    homer_buf_puts(line, "},\"y\":[\"a label that is rather long\",\"b\"]},{\"x\":{\"bag\":[");
    for (unsigned i = 0; i < n; i++) homer_buf_printf(line, "%s\"nominal value number %u\"", i ? "," : "", i);
    homer_buf_puts(
        line, "]}},{\"op\":\"model.create\",\"name\":\"m\",\"config\":{\"seed\":1,\"tree\":{\"a\":[1,2,3]}}},"
              "{\"x\":[");
    for (unsigned i = 0; i < n; i++) homer_buf_printf(line, "%s%u", i ? "," : "", i);
    homer_buf_puts(line, "],\"w\":2,\"y\":{\"c\":true}}]}");
}

static void check(const struct homer_request *r, unsigned n) {
    assert_int_equal(r->error.code, 0);
    assert_str(r->id, "\"quoted \\\" and long enough to grow\"");
    assert_int_equal(r->items_n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(r->items[i].error.code == 0 || r->items[i].error.code == HOMER_E_INTERNAL);
    const struct homer_request *x = &r->items[0], *bag = &r->items[1], *create = &r->items[2],
                               *array = &r->items[3];
    for (unsigned i = 0; i < n; i++) {
        char text[64];
        snprintf(text, sizeof text, "a rather long feature name %u", i);
        if (x->op) assert_str(x->x[i].name, text);
        snprintf(text, sizeof text, "0.12345678901234%u", i);
        if (x->op) assert_true(x->x[i].number == strtod(text, NULL));
        snprintf(text, sizeof text, "nominal value number %u", i);
        if (bag->op) assert_str(bag->x[i].string, text);
        snprintf(text, sizeof text, "%u", i);
        if (array->op) assert_str(array->x[i].name, text);
    }
    if (x->op) assert_str(x->y[0].name, "a label that is rather long");
    if (create->op) assert_str(create->config, "{\"seed\":1,\"tree\":{\"a\":[1,2,3]}}");
}

static bool whole(const struct homer_request *r) {
    bool ok = r->error.code == 0;
    for (size_t i = 0; ok && i < r->items_n; i++) ok = r->items[i].error.code == 0;
    return ok;
}

static void survives_every_refused_allocation(void **state) {
    (void)state;
    for (unsigned n = 1; n <= 3000; n = n * 3 + 20) {
        struct homer_mem lines = {0};
        struct homer_buf line;
        bool done = false;
        homer_buf_init(&line, &lines);
        long_line(&line, n);
        for (uint64_t k = 1; !done; k++) {
            struct fixture f = {.mem.fail_in = k};
            homer_request_init(&f.r, &f.mem);
            homer_request_parse(&f.r, line.data, line.n, &wide);
            done = f.mem.failed == 0;
            if (done) assert_true(whole(&f.r));
            if (!done) assert_false(whole(&f.r));
            if (f.r.error.code)
                assert_int_equal(f.r.error.code, HOMER_E_INTERNAL);
            else
                check(&f.r, n);
            f.mem.fail_in = 0;
            homer_request_parse(&f.r, line.data, line.n, &wide); /* memory is back: so is the request */
            assert_true(whole(&f.r));
            check(&f.r, n);
            homer_request_deinit(&f.r);
            assert_int_equal(f.mem.used_bytes, 0);
        }
        homer_buf_deinit(&line);
    }
}

/* The same at every cap, which stops in the midst of a document and in each array. */
static void survives_every_cap(void **state) {
    (void)state;
    enum { N = 600 };
    struct homer_mem lines = {0};
    struct homer_buf line;
    homer_buf_init(&line, &lines);
    long_line(&line, N);
    bool done = false;
    for (size_t cap = 1000; !done; cap += 4999) {
        struct fixture f = {.mem.max_bytes = cap};
        homer_request_init(&f.r, &f.mem);
        homer_request_parse(&f.r, line.data, line.n, &wide);
        assert_true(f.mem.peak_bytes <= cap);
        if (f.r.error.code)
            assert_int_equal(f.r.error.code, HOMER_E_INTERNAL);
        else
            check(&f.r, N);
        done = whole(&f.r);
        homer_request_deinit(&f.r);
    }
    homer_buf_deinit(&line);
}

static void steady_state_allocates_nothing(void **state) {
    struct fixture *f = *state;
    struct homer_buf line;
    struct homer_mem lines = {0};
    homer_buf_init(&line, &lines);
    long_line(&line, 100);
    for (int i = 0; i < 3; i++) homer_request_parse(&f->r, line.data, line.n, &wide);
    f->mem.fail_in = 1;
    for (int i = 0; i < 100; i++) {
        homer_request_parse(&f->r, line.data, line.n, &wide);
        check(&f->r, 100);
    }
    assert_int_equal(f->mem.failed, 0);
    f->mem.fail_in = 0;
    homer_buf_deinit(&line);
}

static void gives_back_what_a_huge_line_took(void **state) {
    struct fixture *f = *state;
    struct homer_buf line;
    struct homer_mem lines = {0};
    homer_buf_init(&line, &lines);
    long_line(&line, 20000);
    homer_request_parse(&f->r, line.data, line.n, &wide);
    check(&f->r, 20000);
    assert_true(f->mem.used_bytes > 4u << 20);
    good(f, "ping");
    assert_true(f->mem.used_bytes <= 2u << 20);
    homer_buf_deinit(&line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(survives_every_refused_allocation),
        TEST(survives_every_cap),
        TEST(steady_state_allocates_nothing),
        TEST(gives_back_what_a_huge_line_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
