/* x, y and what JSON cannot be: values, limits, and the refusal of everything that no instance can hold. */
#include <float.h>
#include "request_fixture.h"

static void values(void **state) {
    const struct homer_request *r =
        good(*state, "{\"x\":{\"n\":-1.5,\"i\":3,\"t\":true,\"s\":\"red\",\"m\":null,\"f\":false}}");
    assert_int_equal(r->x_n, 6);
    assert_true(r->has_x);
    assert_false(r->has_y);
    assert_str(r->x[0].name, "n");
    assert_int_equal(r->x[0].type, HOMER_VALUE_NUMBER);
    assert_true(r->x[0].number == -1.5);
    assert_true(r->x[1].number == 3);
    assert_int_equal(r->x[2].type, HOMER_VALUE_BOOL);
    assert_true(r->x[2].number == 1);
    assert_int_equal(r->x[3].type, HOMER_VALUE_STRING);
    assert_str(r->x[3].string, "red");
    assert_int_equal(r->x[4].type, HOMER_VALUE_MISSING);
    assert_int_equal(r->x[5].type, HOMER_VALUE_BOOL);
    assert_true(r->x[5].number == 0);
}

static void bags(void **state) {
    const struct homer_request *r =
        good(*state, "{\"x\":{\"w\":[\"a\",\"b\",\"a\"],\"none\":[],\"v\":[\"c\"]}}");
    assert_int_equal(r->x_n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(r->x[i].type, HOMER_VALUE_ITEM);
        assert_str(r->x[i].name, i < 3 ? "w" : "v");
    }
    assert_str(r->x[2].string, "a");
    assert_str(r->x[3].string, "c");
    bad(*state, "{\"x\":{\"w\":[\"a\",1]}}", HOMER_E_BAD_FEATURE, "\"w\"");
    bad(*state, "{\"x\":{\"w\":[null]}}", HOMER_E_BAD_FEATURE, "\"w\"");
}

static void arrays(void **state) {
    const struct homer_request *r = good(*state, "{\"x\":[0.5,2,-3]}");
    assert_int_equal(r->x_n, 3);
    assert_str(r->x[2].name, "2");
    assert_true(r->x[2].number == -3);
    assert_int_equal(good(*state, "{\"x\":[]}")->x_n, 0);
    assert_true(good(*state, "{\"x\":[]}")->has_x);
    bad(*state, "{\"x\":[1,\"a\"]}", HOMER_E_BAD_FEATURE, "\"1\"");
    bad(*state, "{\"x\":[1,null]}", HOMER_E_BAD_FEATURE, "\"1\"");
    bad(*state, "{\"x\":[1e39]}", HOMER_E_BAD_FEATURE, "\"0\"");
    bad(*state, "{\"x\":7}", HOMER_E_BAD_REQUEST, "\"x\"");
    bad(*state, "{\"x\":null}", HOMER_E_BAD_REQUEST, "\"x\"");
}

static void names_and_ranges(void **state) {
    struct fixture *f = *state;
    assert_true(good(f, "{\"x\":{\"a\":3.4028234663852886e38}}")->x[0].number == (double)FLT_MAX);
    bad(f, "{\"x\":{\"a\":3.4028235677973366e38}}", HOMER_E_BAD_FEATURE, "\"a\"");
    bad(f, "{\"x\":{\"a\":-1e300}}", HOMER_E_BAD_FEATURE, "\"a\"");
    bad(f, "{\"x\":{\"a\":{\"b\":1}}}", HOMER_E_BAD_FEATURE, "\"a\"");
    bad(f, "{\"x\":{\"\":1}}", HOMER_E_BAD_FEATURE, "empty");
    bad(f, "{\"x\":{\"a\":\"\"}}", HOMER_E_BAD_FEATURE, "empty");
    good(f, "{\"x\":{\"0123456789abcdef\":\"0123456789abcdef\"}}");
    bad(f, "{\"x\":{\"0123456789abcdefg\":1}}", HOMER_E_BAD_FEATURE, "16 bytes");
    assert_string_equal(f->r.error.limit, "max_name");
    bad(f, "{\"x\":{\"a\":\"0123456789abcdefg\"}}", HOMER_E_BAD_FEATURE, "16 bytes");
    bad(f, "{\"x\":{\"a\":[\"0123456789abcdefg\"]}}", HOMER_E_BAD_FEATURE, "16 bytes");
    good(f, "{\"x\":[1,2,3,4,5,6]}");
    bad(f, "{\"x\":[1,2,3,4,5,6,7]}", HOMER_E_TOO_MANY, "6");
    assert_string_equal(f->r.error.limit, "max_x");
    bad(f, "{\"x\":{\"a\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"],\"b\":1}}", HOMER_E_TOO_MANY, "6");
}

static void labels(void **state) {
    struct fixture *f = *state;
    const struct homer_request *r = good(f, "{\"x\":{},\"y\":[\"b\",\"a\",\"b\"]}");
    assert_int_equal(r->y_n, 3);
    assert_true(r->has_y && !r->y_partial);
    assert_str(r->y[0].name, "b");
    assert_true(r->y[0].positive && r->y[1].positive && r->y[2].positive);
    assert_true(good(f, "{\"x\":{},\"y\":[]}")->has_y);
    r = good(f, "{\"x\":{},\"y\":{\"a\":true,\"b\":null,\"c\":false}}");
    assert_true(r->y_partial);
    assert_int_equal(r->y_n, 2);
    assert_true(r->y[0].positive);
    assert_str(r->y[1].name, "c");
    assert_false(r->y[1].positive);
    bad(f, "{\"x\":{},\"y\":[1]}", HOMER_E_BAD_LABEL, "label 0");
    bad(f, "{\"x\":{},\"y\":[\"\"]}", HOMER_E_BAD_LABEL, "empty");
    bad(f, "{\"x\":{},\"y\":[\"0123456789abcdefg\"]}", HOMER_E_BAD_LABEL, "16 bytes");
    bad(f, "{\"x\":{},\"y\":{\"\":true}}", HOMER_E_BAD_LABEL, "empty");
    bad(f, "{\"x\":{},\"y\":{\"a\":1}}", HOMER_E_BAD_LABEL, "\"a\"");
    bad(f, "{\"x\":{},\"y\":\"a\"}", HOMER_E_BAD_REQUEST, "\"y\"");
    bad(f, "{\"x\":{},\"y\":null}", HOMER_E_BAD_REQUEST, "\"y\"");
    bad(f, "{\"x\":{},\"y\":[\"a\",\"b\",\"c\",\"d\"]}", HOMER_E_TOO_MANY, "3");
    assert_string_equal(f->r.error.limit, "max_y");
}

static void depth(void **state) {
    struct fixture *f = *state;
    good(f, "{\"op\":\"ping\",\"id\":\"[[[[[[[[[[{{{{{\\\\\"}");
    good(f, "{\"op\":\"ping\",\"id\":\"\\\"[[[[[[[[[[[[\"}");
    bad(f, "{\"a\":[[[[[[[1]]]]]]]}", HOMER_E_BAD_REQUEST, "missing \"op\"");
    bad(f, "{\"a\":[[[[[[[[1]]]]]]]]}", HOMER_E_TOO_DEEP, "8");
    assert_string_equal(f->r.error.limit, "max_depth");
    bad(f, "{\"id\":\"[\\\"\",\"a\":[[[[[[[[", HOMER_E_TOO_DEEP, "8");
    bad(f, "{\"a\":[[],[],[],[],[],[],[],[],[],[]]}", HOMER_E_BAD_REQUEST, "missing \"op\"");
}

static void not_json(void **state) {
    static const struct {
        const char *line, *part;
    } cases[] = {
        {"{", ""},
        {"{\"x\":", ""},
        {"{\"x\":{}", ""},
        {"{\"x\":{}}}", "follows"},
        {"{\"x\":{}} ping", "follows"},
        {"{x:1}", "byte 2"},
        {"{'x':1}", ""},
        {"{\"x\":{},}", ""},
        {"{\"x\":{\"a\":NaN}}", "byte"},
        {"{\"x\":{\"a\":-Infinity}}", ""},
        {"{\"x\":{\"a\":1e999}}", "too large"},
        {"{\"x\":{\"a\":-1e999}}", "too large"},
        {"{\"x\":{\"a\":01}}", ""},
        {"{\"x\":{\"a\":+1}}", ""},
        {"{\"x\":{\"a\":.5}}", ""},
        {"{\"x\":{\"a\":0x10}}", ""},
        {"{\"x\":{},\"x\":{}}", "twice"},
        {"{\"x\":{\"a\":1,\"a\":1}}", "twice"},
        {"{\"x\":{\"a\":1,\"\\u0061\":2}}", "twice"},
        {"{\"x\":{\"\\u0000\":1}}", "NUL"},
        {"{\"x\":{\"a\":\"b\\u0000\"}}", "NUL"},
        {"{\"x\":{\"a\":\"\\ud800\"}}", ""},
        {"{\"x\":{\"a\":\"\t\"}}", ""},
        {"{\"x\":{\"a\":\"\xff\"}}", "UTF-8"},
        {"{\"x\":{\"a\":\"\xc0\x80\"}}", "UTF-8"},
        {"{\"x\":{\"a\":\"\xed\xa0\x80\"}}", "UTF-8"},
        {"{\"x\":{\"a\":\"\xf4\x90\x80\x80\"}}", "UTF-8"},
        {"{\"x\":{\"a\":\"\xe2\x82\"}}", "UTF-8"},
        {"{\"x\":{\"a\":\"\xe2\x82", "UTF-8"},
        {"{\"x\":True}", ""},
        {"{\"x\":{}//\n}", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct homer_request *r = bad(*state, cases[i].line, HOMER_E_BAD_JSON, cases[i].part);
        assert_null(strstr(r->error.message, cases[i].line));
        assert_non_null(strstr(r->error.message, "at byte"));
    }
}

static void nul_bytes(void **state) {
    struct fixture *f = *state;
    static const char lines[][16] = {"{\"op\":\"ping\"}\0x", "{\"op\":\"ping\"\0}x", "{\"op\":\"pin\0g\"}",
                                     "{\0\"op\":\"ping\"}"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        parse_bytes(f, lines[i], sizeof lines[i] - 1);
        check_error(&f->r, "NUL", HOMER_E_BAD_JSON, "");
    }
    parse_bytes(f, "ping\0", 5);
    check_error(&f->r, "NUL", HOMER_E_UNKNOWN_OP, "neither");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(values), TEST(bags),  TEST(arrays),   TEST(names_and_ranges),
        TEST(labels), TEST(depth), TEST(not_json), TEST(nul_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
