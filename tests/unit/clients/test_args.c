/* Command lines, and the request lines made of stream lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>
#include "clients/cli/args.h"
#include "clients/cli/request_line.h"

struct options {
    bool flag;
    const char *word, *to;
    struct homer_list list;
    uint64_t count;
    double rate;
};

static int parse(struct options *o, int *argc, const char **argv, bool stop_at_word,
                 struct homer_error *err) {
    const struct homer_opt own[] = {
        {"flag", NULL, "", HOMER_OPT_FLAG, &o->flag}, {"word", "W", "", HOMER_OPT_STRING, &o->word},
        {"list", "L", "", HOMER_OPT_LIST, &o->list},  {"count", "N", "", HOMER_OPT_COUNT, &o->count},
        {"rate", "R", "", HOMER_OPT_RATE, &o->rate},  {0},
    };
    const struct homer_opt shared[] = {{"to", "A", "", HOMER_OPT_STRING, &o->to}, {0}};
    *o = (struct options){0};
    while (argv[*argc]) ++*argc;
    return homer_args_parse(argc, (char **)(uintptr_t)argv, own, shared, stop_at_word, err);
}

static void test_options(void **state) {
    struct options o;
    int argc = 0;
    const char *argv[] = {"a",
                          "--flag",
                          "--word",
                          "-3",
                          "-",
                          "--list=x=1",
                          "--to",
                          "h",
                          "--list",
                          "y",
                          "--count=18446744073709551615",
                          "--rate",
                          "2.5e3",
                          "b",
                          "--",
                          "--flag",
                          NULL};
    (void)state;
    assert_int_equal(parse(&o, &argc, argv, false, NULL), 0);
    assert_true(o.flag);
    assert_string_equal(o.word, "-3");
    assert_string_equal(o.to, "h");
    assert_int_equal(o.list.n, 2);
    assert_string_equal(o.list.item[0], "x=1");
    assert_string_equal(o.list.item[1], "y");
    assert_true(o.count == UINT64_MAX);
    assert_true(o.rate == 2500);
    const char *const rest[] = {"a", "-", "b", "--flag"};
    assert_int_equal(argc, 4);
    for (int i = 0; i < 4; i++) assert_string_equal(argv[i], rest[i]);
}

static void test_stop_at_word(void **state) {
    struct options o;
    int argc = 0;
    const char *argv[] = {"--to", "h", "stats", "--unknown", NULL};
    (void)state;
    assert_int_equal(parse(&o, &argc, argv, true, NULL), 0);
    assert_string_equal(o.to, "h");
    assert_int_equal(argc, 2);
    assert_string_equal(argv[0], "stats");
}

static void test_wrong_options(void **state) {
    static const struct {
        const char *arg, *message;
    } cases[] = {
        {"--wrod", "unknown option --wrod; did you mean --word?"},
        {"--zzzzzz", "unknown option --zzzzzz"},
        {"-x", "unknown option -x; options begin with --"},
        {"--word", "--word needs a value: --word W"},
        {"--flag=1", "--flag takes no value"},
        {"--count=0", "--count takes a whole number of at least 1, not '0'"},
        {"--count=-1", "--count takes a whole number of at least 1, not '-1'"},
        {"--count=1x", "--count takes a whole number of at least 1, not '1x'"},
        {"--count=18446744073709551616",
         "--count takes a whole number of at least 1, not '18446744073709551616'"},
        {"--rate=0", "--rate takes a number above 0, not '0'"},
        {"--rate=nan", "--rate takes a number above 0, not 'nan'"},
        {"--rate=", "--rate takes a number above 0, not ''"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct options o;
        struct homer_error err;
        int argc = 0;
        const char *argv[] = {cases[i].arg, NULL};
        assert_int_equal(parse(&o, &argc, argv, false, &err), -EINVAL);
        assert_string_equal(err.message, cases[i].message);
    }
}

static const char *word_at(const void *ctx, size_t i) {
    static const char *const words[] = {"replay", "stats", "labels", NULL};
    (void)ctx;
    return words[i];
}

static void test_nearest(void **state) {
    (void)state;
    assert_string_equal(homer_args_nearest("repaly", word_at, NULL), "replay");
    assert_string_equal(homer_args_nearest("stat", word_at, NULL), "stats");
    assert_string_equal(homer_args_nearest("lab", word_at, NULL), "labels");
    assert_null(homer_args_nearest("fly", word_at, NULL));
    assert_null(homer_args_nearest("", word_at, NULL));
    assert_null(homer_args_nearest("a-word-longer-than-anything-that-is-ever-typed", word_at, NULL));
}

static void test_request_lines(void **state) {
    static const struct {
        const char *line, *request;
    } cases[] = {
        {"{\"x\":{},\"y\":[]}", "{\"op\":\"test\",\"x\":{},\"y\":[]}"},
        {"{ \"id\":7 }", "{\"op\":\"test\",\"id\":7 }"},
        {"{}", "{\"op\":\"test\"}"},
        {"{ \t}", "{\"op\":\"test\"}"},
        {"{\"title\":{\"x\":\"}, \\\"\",\"b\":[1,2]} , \"x\":[1], \"places\":[\"a,b\"],\"y\":[\"l\"] }",
         "{\"op\":\"test\",\"x\":[1],\"y\":[\"l\"] }"},
        {"{\"x\":[1],\"places\":[]}", "{\"op\":\"test\",\"x\":[1]}"},
        {"{\"x\":[1],\"places\":[} 1", "{\"op\":\"test\",\"x\":[1]"}, /* torn: stays no JSON */
        {"{\"x\":\"torn", "{\"op\":\"test\",\"x\":\"torn"},
        {"{", "{\"op\":\"test\","}, /* not JSON before, not JSON after */
        {"{{}", "{\"op\":\"test\",{}"},
    };
    struct homer_mem mem = {0};
    struct homer_buf b;
    struct homer_error err;
    (void)state;
    homer_buf_init(&b, &mem);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(
            homer_request_line(&b, "\"op\":\"test\"", NULL, cases[i].line, strlen(cases[i].line), &err), 0);
        assert_int_equal(b.n, strlen(cases[i].request));
        assert_memory_equal(b.data, cases[i].request, b.n);
    }
    static const char *const only[] = {"y", NULL};
    assert_int_equal(homer_request_line(&b, "\"op\":\"test\"", only, "{\"x\":{\"y\":2},\"y\":[]}", 20, &err),
                     0);
    assert_int_equal(b.n, 20);
    assert_memory_equal(b.data, "{\"op\":\"test\",\"y\":[]}", 20);
    assert_int_equal(homer_request_line(&b, "", NULL, "[1]", 3, &err), -EINVAL);
    assert_int_equal(homer_request_line(&b, "", NULL, "", 0, &err), -EINVAL);
    mem.fail_in = 1;
    homer_buf_deinit(&b);
    assert_int_equal(homer_request_line(&b, "", NULL, "{}", 2, &err), -ENOMEM);
    homer_buf_deinit(&b);
    assert_int_equal(mem.used_bytes, 0);
}

static void test_members(void **state) {
    static const char wanted[] = "{\"op\":\"a\\\"b\\n\",\"model\":\"\xc3\xa9\"";
    struct homer_mem mem = {0};
    struct homer_buf b;
    (void)state;
    homer_buf_init(&b, &mem);
    homer_buf_putc(&b, '{');
    assert_int_equal(homer_request_member(&b, "op", "a\"b\n", NULL), 0);
    assert_int_equal(homer_request_member(&b, "model", "\xc3\xa9", NULL), 0);
    assert_int_equal(b.n, sizeof(wanted) - 1);
    assert_memory_equal(b.data, wanted, b.n);
    assert_int_equal(homer_request_member(&b, "text", "\xff", NULL), -EILSEQ);
    homer_buf_deinit(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),       cmocka_unit_test(test_stop_at_word),
        cmocka_unit_test(test_wrong_options), cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_request_lines), cmocka_unit_test(test_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
