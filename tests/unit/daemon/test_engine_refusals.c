/* What is refused, with which code, and that nothing of it stays behind: the digest is the same before and
 * after. */
#include <stdlib.h>

#include "tests/unit/daemon/engine_fixture.h"

static const char *golden; /* tests/golden/refused.tsv */

static struct homer_schema_mark mark_of(struct fixture *f) {
    return homer_schema_mark(homer_model_schema(model_of(f, "default")));
}

/* Sends a line and requires its refusal without a trace. */
static void refused(struct fixture *f, const char *line, size_t n, const char *code, const char *limit) {
    char before[33], after[33];
    digest_of(f, "default", before);
    struct homer_schema_mark was = mark_of(f);
    fixture_send(f, line, n);
    assert_true(f->open);
    json_t *reply = fixture_reply(f), *error = json_object_get(reply, "error");
    const char *got = json_string_value(json_object_get(error, "code"));
    const char *passed = json_string_value(json_object_get(error, "limit"));
    const char *message = json_string_value(json_object_get(error, "message"));
    if (!got || strcmp(got, code) != 0 || (limit && (!passed || strcmp(limit, passed) != 0)))
        fail_msg("%.*s\n want %s %s, got %.*s", (int)n, line, code, limit ? limit : "", (int)f->out.n,
                 f->out.data);
    assert_true(message && strlen(message) >= 8);
    json_decref(reply);
    digest_of(f, "default", after);
    struct homer_schema_mark is = mark_of(f);
    if (strcmp(before, after) != 0) fail_msg("changed the model: %.*s", (int)n, line);
    assert_memory_equal(&was, &is, sizeof was);
}

static void golden_lines_are_refused(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    teach(&f);
    FILE *in = fopen(golden, "r");
    assert_non_null(in);
    char line[8192];
    size_t rows = 0;
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] == '#') continue;
        char *request = line;
        const char *code = strsep(&request, "\t"), *limit = strsep(&request, "\t");
        assert_non_null(request);
        refused(&f, request, strlen(request), code, strcmp(limit, "-") == 0 ? NULL : limit);
        rows++;
    }
    fclose(in);
    assert_true(rows > 150);
    fixture_close(&f);
}

static void bytes_that_are_no_text_are_refused(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    teach(&f);
#define LINE(s) s, sizeof s - 1
    refused(&f, LINE("{\"x\":{\"\xff\":1},\"y\":[]}"), "bad_json", NULL);
    refused(&f, LINE("{\"x\":{},\"y\":[\"\xc3\"]}"), "bad_json", NULL);
    refused(&f, LINE("{\"text\":\"\xed\xa0\x80\",\"y\":[]}"), "bad_json", NULL);
    refused(&f, LINE("{\"x\":{},\0\"y\":[]}"), "bad_json", NULL);
    refused(&f, LINE("\0\0\0\0"), "unknown_op", NULL);
    refused(&f, LINE("\x16\x03\x01\x02"), "unknown_op", NULL);
#undef LINE
    fixture_close(&f);
}

static void a_line_over_the_limit_is_refused(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    teach(&f);
    char *line = malloc(4001);
    assert_non_null(line);
    memset(line, ' ', 4001);
    memcpy(line, "{\"x\":{},\"y\":[]}", 15);
    refused(&f, line, 4001, "too_large", "max_line");
    fixture_send(&f, line, 4000); /* blanks behind the object are no fault */
    json_t *reply = fixture_reply(&f);
    assert_true(json_is_true(json_object_get(reply, "ok")));
    json_decref(reply);
    free(line);
    fixture_close(&f);
}

static void full_models_refuse_what_is_new_only(void **state) {
    (void)state;
    struct fixture f;
    fixture_configure(&f);
    f.config.model.max_features = 4;
    f.config.model.max_labels = 2;
    fixture_start(&f, 3);
    do_ok(&f, "{\"x\":{\"a\":1,\"b\":2,\"c\":[\"u\"]},\"y\":[\"l\",\"m\"]}");
    static const char *const lines[][2] = {
        {"{\"x\":{\"d\":1,\"e\":1},\"y\":[]}", "max_features"},
        {"{\"x\":{\"c\":[\"u\",\"v\",\"w\"]},\"y\":[]}", "max_features"},
        {"{\"text\":\"one two\",\"y\":[]}", "max_features"},
        {"{\"x\":{\"d\":1},\"y\":[\"n\"]}", "max_labels"},
        {"{\"op\":\"test\",\"x\":{\"d\":1},\"y\":{\"n\":false}}", "max_labels"},
    };
    for (size_t i = 0; i < 5; i++) refused(&f, lines[i][0], strlen(lines[i][0]), "too_many", lines[i][1]);
    do_ok(&f, "{\"x\":{\"d\":1,\"e\":1,\"f\":[\"x\",\"y\"]},\"text\":\"quite new\"}"); /* predictions intern
                                                                                          nothing */
    do_ok(&f, "{\"x\":{\"d\":1,\"c\":[\"u\"]},\"y\":[\"l\"]}");
    do_ok(&f, "{\"x\":{\"zz\":null},\"y\":[\"m\"]}"); /* null of an unknown feature is nothing */
    fixture_close(&f);
}

static void a_model_out_of_memory_goes_on_with_what_it_has(void **state) {
    (void)state;
    struct fixture f;
    fixture_configure(&f);
    f.config.model.max_features = 100000;
    f.config.model.max_memory = 300000;
    fixture_start(&f, 3);
    do_ok(&f, "{\"x\":{\"a\":1},\"y\":[\"l\"]}");
    char line[256];
    unsigned i = 0;
    bool full = false;
    for (; i < 5000 && !full; i++) {
        snprintf(line, sizeof line, "{\"x\":{\"f%u\":1,\"g%u\":1,\"h%u\":1},\"y\":[\"l\"]}", i, i, i);
        json_t *reply = ask(&f, line);
        full = !json_is_true(json_object_get(reply, "ok"));
        json_decref(reply);
    }
    assert_true(full);
    assert_true(i > 10);
    refused(&f, line, strlen(line), "too_many", "max_memory");
    do_ok(&f, "{\"x\":{\"a\":1},\"y\":[\"l\"]}");
    do_ok(&f, "{\"x\":{\"a\":1}}");
    assert_true(homer_model_mem(model_of(&f, "default"))->peak_bytes <= 300000);
    fixture_close(&f);
}

/* A message shows at most a piece of a long name, and never half a character. */
static void messages_cut_names(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    char name[256] = "", line[700];
    for (int i = 0; i < 80; i++) strcat(name, "\xe2\x82\xac"); /* three bytes each */
    snprintf(line, sizeof line, "{\"x\":{\"%s\":1},\"y\":[]}", name);
    do_ok(&f, line);
    snprintf(line, sizeof line, "{\"x\":{\"%s\":\"a\"},\"y\":[]}", name);
    json_t *reply = ask(&f, line);
    const char *message = json_string_value(json_object_get(json_object_get(reply, "error"), "message"));
    name[60] = 0;
    assert_non_null(strstr(message, name));
    assert_true(strlen(message) < 120);
    json_decref(reply);

    struct homer_str s = {"\xc3\xa4", 2};
    assert_int_equal(homer_name_cut(s), 2);
    char odd[] = "a\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2"
                 "\x82\xac\xe2\x82\xac"
                 "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2"
                 "\x82\xac\xe2\x82\xac"
                 "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
    assert_int_equal(homer_name_cut((struct homer_str){odd, sizeof odd - 1}), 58);
    fixture_close(&f);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_lines_are_refused),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(a_line_over_the_limit_is_refused),
        cmocka_unit_test(full_models_refuse_what_is_new_only),
        cmocka_unit_test(a_model_out_of_memory_goes_on_with_what_it_has),
        cmocka_unit_test(messages_cut_names),
    };
    if (argc != 2) return 2;
    golden = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
