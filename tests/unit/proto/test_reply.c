/* The JSON writer: what it writes is valid JSON and reads back to the same values. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <float.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "proto/num.h"
#include "proto/reply.h"

struct fixture {
    struct homer_mem mem;
    struct homer_buf out;
    struct homer_reply r;
};

static int setup(void **state) {
    static struct fixture f;
    f = (struct fixture){0};
    homer_buf_init(&f.out, &f.mem);
    homer_reply_init(&f.r, &f.out);
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    homer_buf_deinit(&f->out);
    return f->mem.used_bytes != 0;
}

static void expect(struct fixture *f, const char *text) {
    homer_buf_putc(&f->out, '\0');
    assert_false(f->out.failed);
    assert_string_equal(f->out.data, text);
    homer_buf_truncate(&f->out, 0);
}

static void places_commas_and_keys(void **state) {
    struct fixture *f = *state;
    struct homer_request req = {.id = {"17", 2}};
    homer_reply_begin_ok(&f->r, &req);
    homer_reply_open(&f->r, "labels", '[');
    homer_reply_string(&f->r, NULL, "a", 1);
    homer_reply_string(&f->r, NULL, "b", 1);
    homer_reply_close(&f->r, ']');
    homer_reply_open(&f->r, "empty", '{');
    homer_reply_close(&f->r, '}');
    homer_reply_open(&f->r, "scores", '{');
    homer_reply_float_n(&f->r, "a\"b", 3, 0.5f);
    homer_reply_float(&f->r, "c", NAN);
    homer_reply_close(&f->r, '}');
    homer_reply_u64(&f->r, "seq", UINT64_MAX);
    homer_reply_null(&f->r, "none");
    homer_reply_raw(&f->r, "raw", "[1,2]", 5);
    homer_reply_real(&f->r, "inf", (double)INFINITY);
    homer_reply_bool(&f->r, "no", false);
    homer_reply_end(&f->r);
    expect(
        f,
        "{\"ok\":true,\"id\":17,\"labels\":[\"a\",\"b\"],\"empty\":{},\"scores\":{\"a\\\"b\":0.5,\"c\":null},"
        "\"seq\":18446744073709551615,\"none\":null,\"raw\":[1,2],\"inf\":null,\"no\":false}\n");
}

static void writes_lines_and_batch_items(void **state) {
    struct fixture *f = *state;
    struct homer_request req = {0};
    struct homer_error e = {.code = HOMER_E_BAD_REQUEST, .message = "no"};
    homer_reply_begin_ok(&f->r, &req);
    homer_reply_open(&f->r, "replies", '[');
    homer_reply_begin_ok(&f->r, &req);
    homer_reply_end(&f->r);
    homer_reply_error(&f->r, &e, &req.id);
    homer_reply_close(&f->r, ']');
    homer_reply_end(&f->r);
    homer_reply_begin_ok(&f->r, &req);
    homer_reply_end(&f->r);
    expect(f, "{\"ok\":true,\"replies\":[{\"ok\":true},{\"ok\":false,\"error\":{\"code\":\"bad_request\","
              "\"message\":\"no\","
              "\"retry\":false}}]}\n{\"ok\":true}\n");
}

static void nests_deep(void **state) {
    struct fixture *f = *state;
    const unsigned levels = HOMER_REPLY_DEPTH - 1;
    for (unsigned d = 0; d < levels; d++) { /* every level has two members, so that it needs its comma */
        homer_reply_open(&f->r, d % 2 ? "in" : NULL, d % 2 ? '[' : '{');
        if (d % 2)
            homer_reply_u64(&f->r, NULL, d);
        else
            homer_reply_u64(&f->r, "d", d);
    }
    for (unsigned d = levels; d-- > 0;) {
        homer_reply_close(&f->r, d % 2 ? ']' : '}');
        if (d > 0 && d % 2)
            homer_reply_bool(&f->r, "end", true);
        else if (d > 0)
            homer_reply_bool(&f->r, NULL, true);
    }
    assert_int_equal(f->r.depth, 0);
    json_error_t why;
    json_t *read = json_loadb(f->out.data, f->out.n, JSON_REJECT_DUPLICATES, &why);
    if (!read) fail_msg("%s at %d", why.text, why.position);
    const json_t *at = read;
    for (unsigned d = 0; d + 1 < levels; d++) {
        assert_int_equal(d % 2 ? json_array_size(at) : json_object_size(at), 3);
        assert_int_equal(json_integer_value(d % 2 ? json_array_get(at, 0) : json_object_get(at, "d")), d);
        at = d % 2 ? json_array_get(at, 1) : json_object_get(at, "in");
    }
    assert_int_equal(json_object_size(at), 1);
    json_decref(read);
}

static void writes_errors(void **state) {
    struct fixture *f = *state;
    struct homer_str id = {"\"x\"", 3};
    struct homer_error e;
    homer_err_limit(&e, HOMER_E_TOO_MANY, "max_labels", "label \"%s\"", "é\n");
    homer_reply_error(&f->r, &e, &id);
    expect(f, "{\"ok\":false,\"error\":{\"code\":\"too_many\",\"message\":\"label "
              "\\\"é\\u000a\\\"\",\"limit\":\"max_labels\","
              "\"retry\":false},\"id\":\"x\"}\n");
    homer_err_set(&e, HOMER_E_BUSY, "later");
    homer_reply_error(&f->r, &e, NULL);
    expect(f, "{\"ok\":false,\"error\":{\"code\":\"busy\",\"message\":\"later\",\"retry\":true,\"retry_ms\":"
              "100}}\n");
    homer_err_set(&e, -12, "errno");
    homer_reply_error(&f->r, &e, NULL);
    expect(f, "{\"ok\":false,\"error\":{\"code\":\"internal\",\"message\":\"errno\",\"retry\":false}}\n");
}

static void never_cuts_a_character_of_a_message(void **state) {
    struct fixture *f = *state;
    char text[300];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', sizeof text);
        for (size_t i = shift; i + 4 < sizeof text; i += 4) memcpy(text + i, "😀", 4);
        text[sizeof text - 1] = '\0';
        struct homer_error e;
        homer_err_set(&e, HOMER_E_INTERNAL, "%s", text);
        homer_reply_error(&f->r, &e, NULL);
        json_t *read = json_loadb(f->out.data, f->out.n, 0, NULL);
        assert_non_null(read); /* jansson refuses half characters */
        json_decref(read);
        homer_buf_truncate(&f->out, 0);
    }
}

static void escapes_every_byte(void **state) {
    struct fixture *f = *state;
    char all[127 + 4];
    for (size_t i = 1; i <= 127; i++) all[i - 1] = (char)i;
    memcpy(all + 127, "€\"", 4);
    homer_reply_string(&f->r, NULL, all, sizeof all);
    json_t *read = json_loadb(f->out.data, f->out.n, JSON_DECODE_ANY, NULL);
    assert_non_null(read);
    assert_int_equal(json_string_length(read), sizeof all);
    assert_memory_equal(json_string_value(read), all, sizeof all);
    json_decref(read);
}

static void expect_double(double v, const char *text) {
    char out[HOMER_NUM_MAX + 1] = "";
    out[homer_num_double(out, v)] = '\0';
    assert_string_equal(out, text);
}

static void expect_float(float v, const char *text) {
    char out[HOMER_NUM_MAX + 1] = "";
    out[homer_num_float(out, v)] = '\0';
    assert_string_equal(out, text);
}

static void numbers_are_short(void **state) {
    (void)state;
    expect_double(0, "0");
    expect_double(3, "3");
    expect_double(0.1, "0.1");
    expect_double(1.0 / 3, "0.3333333333333333");
    expect_double(0.1 + 0.2, "0.30000000000000004");
    expect_double(-1e300, "-1e+300");
    expect_float(0, "0");
    expect_float(1, "1");
    expect_float(0.5f, "0.5");
    expect_float(0.1f, "0.1");
    expect_float(0.7f, "0.7");
    expect_float(1.0f / 3, "0.33333334");
    expect_float(0.99999994f, "0.99999994");
    expect_float(16777216, "16777216");
    expect_float(-2.5f, "-2.5");
    expect_float(1e-10f, "1e-10");
    expect_float(FLT_MAX, "3.4028235e+38");
}

/* Digits between the first and the last that are not zero. */
static size_t digits(const char *text) {
    size_t n = 0, last = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (n == 0 && *text == '0')) continue;
        n++;
        if (*text != '0') last = n;
    }
    return last;
}

static void numbers_read_back_and_have_no_shorter_form(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 300000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        char out[HOMER_NUM_MAX + 1], shorter[64];
        float v = (float)(seed >> 40) * 0x1p-24f; /* a probability; every other one with all magnitudes */
        if (i & 1) v = ldexpf(v, (int)(seed & 63) - 40);
        out[homer_num_float(out, v)] = '\0';
        assert_true(strtof(out, NULL) == v);
        assert_true((float)strtod(out, NULL) == v);
        size_t n = digits(out);
        if (n > 1) {
            snprintf(shorter, sizeof shorter, "%.*e", (int)n - 2, (double)v);
            assert_true(strtof(shorter, NULL) != v);
        }
        double d = (double)v / 3 + (double)(seed & 0xffff) * 1e-12;
        out[homer_num_double(out, d)] = '\0';
        assert_true(strtod(out, NULL) == d);
    }
}

static void numbers_do_not_follow_the_locale(void **state) {
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
    bool any = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!setlocale(LC_NUMERIC, names[i])) continue;
        any = true;
        expect_double(1234.5, "1234.5");
        expect_float(0.25f, "0.25");
        expect_float(1e-5f * 1.5f, "1.5e-05");
    }
    setlocale(LC_NUMERIC, "C");
    if (!any) skip(); /* no such locale is installed here */
}

static void refused_memory_is_sticky(void **state) {
    struct fixture *f = *state;
    f->mem.fail_in = 1;
    homer_reply_begin_ok(&f->r, &(struct homer_request){0});
    homer_reply_u64(&f->r, "seq", 1);
    homer_reply_end(&f->r);
    assert_true(f->out.failed);
    assert_int_equal(f->out.n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(places_commas_and_keys),
        TEST(writes_lines_and_batch_items),
        TEST(nests_deep),
        TEST(writes_errors),
        TEST(never_cuts_a_character_of_a_message),
        TEST(escapes_every_byte),
        TEST(numbers_are_short),
        TEST(numbers_read_back_and_have_no_shorter_form),
        TEST(numbers_do_not_follow_the_locale),
        TEST(refused_memory_is_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
