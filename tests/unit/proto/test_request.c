/* Requests: ops, fields, ids, batches, bare words. */
#include <math.h>
#include "request_fixture.h"

static void every_op(void **state) {
    static const struct {
        const char *line;
        enum homer_op op;
    } cases[] = {
        {"{\"op\":\"hello\"}", HOMER_OP_HELLO},
        {"{\"op\":\"ping\"}", HOMER_OP_PING},
        {"{\"op\":\"help\"}", HOMER_OP_HELP},
        {"{\"op\":\"quit\"}", HOMER_OP_QUIT},
        {"{\"op\":\"auth\",\"token\":\"t\"}", HOMER_OP_AUTH},
        {"{\"op\":\"learn\",\"x\":{},\"y\":[]}", HOMER_OP_LEARN},
        {"{\"op\":\"predict\",\"x\":{}}", HOMER_OP_PREDICT},
        {"{\"op\":\"test\",\"text\":\"\",\"y\":[]}", HOMER_OP_TEST},
        {"{\"op\":\"batch\",\"items\":[]}", HOMER_OP_BATCH},
        {"{\"op\":\"stats\"}", HOMER_OP_STATS},
        {"{\"op\":\"labels\"}", HOMER_OP_LABELS},
        {"{\"op\":\"features\"}", HOMER_OP_FEATURES},
        {"{\"op\":\"hierarchy\"}", HOMER_OP_HIERARCHY},
        {"{\"op\":\"drifts\"}", HOMER_OP_DRIFTS},
        {"{\"op\":\"config\"}", HOMER_OP_CONFIG},
        {"{\"op\":\"digest\"}", HOMER_OP_DIGEST},
        {"{\"op\":\"snapshot\"}", HOMER_OP_SNAPSHOT},
        {"{\"op\":\"label\",\"ref\":7,\"y\":[]}", HOMER_OP_LABEL},
        {"{\"op\":\"model.create\",\"name\":\"m\"}", HOMER_OP_MODEL_CREATE},
        {"{\"op\":\"model.drop\",\"name\":\"m\"}", HOMER_OP_MODEL_DROP},
        {"{\"op\":\"model.list\"}", HOMER_OP_MODEL_LIST},
    };
    assert_int_equal(sizeof cases / sizeof *cases, HOMER_OP_COUNT - 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct homer_request *r = good(*state, cases[i].line);
        assert_int_equal(r->op, cases[i].op);
        assert_non_null(strstr(cases[i].line, homer_op_word(r->op)));
        assert_false(r->bare);
        assert_str(r->model, "default");
        assert_null(r->id.s);
    }
    assert_string_equal(homer_op_word(HOMER_OP_NONE), "none");
    assert_string_equal(homer_op_word(HOMER_OP_COUNT), "none");
}

static void tokens_are_shown_in_no_message(void **state) {
    static const char *const lines[] = {
        "{\"op\":\"auth\",\"token\":[\"SECRET\"]}",
        "{\"op\":\"auth\",\"token\":\"SECRET\"",
        "{\"op\":\"auth\",\"token\":\"SECRET\",\"a\":1}",
        "{\"op\":\"ping\",\"token\":\"SECRET\"}",
        "{\"token\":\"SECRET\"}",
        "auth SECRET SECRET",
        "{\"op\":\"auth\",\"token\":\"SECRET\\u0000\"}",
    };
    assert_str(good(*state, "{\"op\":\"auth\",\"token\":\"SECRET\"}")->token, "SECRET");
    bad(*state, "{\"op\":\"auth\"}", HOMER_E_BAD_REQUEST, "auth needs \"token\"");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct fixture *f = *state;
        parse_bytes(*state, lines[i], strlen(lines[i]));
        assert_int_not_equal(f->r.error.code, 0);
        assert_null(strstr(f->r.error.message, "SECRET"));
    }
}

static void unknown_ops(void **state) {
    bad(*state, "{\"op\":\"foo\"}", HOMER_E_UNKNOWN_OP, "\"foo\"");
    bad(*state, "{\"op\":\"none\"}", HOMER_E_UNKNOWN_OP, "\"none\"");
    bad(*state, "{\"op\":\"\"}", HOMER_E_UNKNOWN_OP, "unknown");
    bad(*state, "{\"op\":7}", HOMER_E_BAD_REQUEST, "\"op\"");
    static const char *const later[] = {"subscribe", "slowlog"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        char line[64];
        snprintf(line, sizeof line, "{\"op\":\"%s\"}", later[i]);
        bad(*state, line, HOMER_E_UNKNOWN_OP, "is not available in this version");
    }
}

static void shorthand(void **state) {
    assert_int_equal(good(*state, "{\"x\":{},\"y\":[]}")->op, HOMER_OP_LEARN);
    assert_int_equal(good(*state, "{\"text\":\"a\",\"y\":[]}")->op, HOMER_OP_LEARN);
    assert_int_equal(good(*state, "{\"text\":\"a\",\"x\":{}}")->op, HOMER_OP_PREDICT);
    bad(*state, "{\"y\":[]}", HOMER_E_BAD_REQUEST, "missing \"op\"");
    bad(*state, "{}", HOMER_E_BAD_REQUEST, "missing \"op\"");
    const struct homer_request *r =
        good(*state, "{\"t\":\"2025-03-18\",\"id\":\"2503.11685\",\"text\":\"CORDIC\",\"y\":[\"cs.AR\"]}");
    assert_str(r->id, "\"2503.11685\"");
    assert_str(r->text, "CORDIC");
}

static void ids(void **state) {
    assert_str(good(*state, "{\"op\":\"ping\",\"id\":17}")->id, "17");
    assert_str(good(*state, "{\"op\":\"ping\",\"id\":-9223372036854775808}")->id, "-9223372036854775808");
    assert_str(good(*state, "{\"op\":\"ping\",\"id\":9223372036854775807}")->id, "9223372036854775807");
    assert_str(good(*state, "{\"op\":\"ping\",\"id\":\"\"}")->id, "\"\"");
    assert_str(good(*state, "{\"op\":\"ping\",\"id\":\"a\\\"\\u0041\\n\\u00e9\"}")->id,
               "\"a\\\"A\\n\u00e9\"");
    /* still echoed when the rest is wrong */
    assert_str(bad(*state, "{\"op\":\"foo\",\"id\":1}", HOMER_E_UNKNOWN_OP, "")->id, "1");
    assert_str(bad(*state, "{\"op\":7,\"id\":1}", HOMER_E_BAD_REQUEST, "")->id, "1");
    assert_str(bad(*state, "{\"x\":7,\"id\":\"i\"}", HOMER_E_BAD_REQUEST, "\"x\"")->id, "\"i\"");
    assert_str(bad(*state, "{\"x\":{\"a\":{}},\"id\":\"i\"}", HOMER_E_BAD_FEATURE, "")->id, "\"i\"");
    /* not readable */
    static const char *const wrong[] = {"1.0", "true", "null", "[]", "{}", "9223372036854775808", "1e3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[64];
        snprintf(line, sizeof line, "{\"op\":\"ping\",\"id\":%s}", wrong[i]);
        assert_null(bad(*state, line, HOMER_E_BAD_REQUEST, "\"id\"")->id.s);
    }
    /* nothing stays from the line before */
    good(*state, "{\"op\":\"ping\",\"id\":17,\"model\":\"m\"}");
    assert_null(good(*state, "ping")->id.s);
    assert_str(good(*state, "ping")->model, "default");
}

static void integers_beyond_64_bits_spoil_nothing_else(void **state) {
    const struct homer_request *r = good(*state, "{\"op\":\"predict\",\"id\":12,\"k\":3,\"x\":{\"a\":"
                                                 "18446744073709551616,\"b\":-99999999999999999999}}");
    assert_str(r->id, "12");
    assert_int_equal(r->k, 3);
    assert_true(r->x[0].number == 0x1p64);
    assert_true(r->x[1].number == -1e20);
    assert_int_equal(r->x[0].type, HOMER_VALUE_NUMBER);
    bad(*state, "{\"op\":\"predict\",\"k\":3.5,\"x\":{\"a\":18446744073709551616}}", HOMER_E_BAD_REQUEST,
        "\"k\"");
}

static void fields_of_instances(void **state) {
    const struct homer_request *r = good(*state, "{\"op\":\"predict\",\"x\":[1]}");
    assert_true(isnan(r->threshold));
    assert_true(r->weight == 1);
    assert_int_equal(r->k, 0);
    assert_int_equal(r->scores, HOMER_SCORES_LABELS);
    assert_null(r->objective.s);
    r = good(*state, "{\"op\":\"test\",\"x\":[1],\"y\":[],\"w\":0.5,\"t\":1.5,\"k\":2,\"threshold\":0,"
                     "\"scores\":\"top:12\","
                     "\"objective\":\"micro_f1\",\"metrics\":true,\"model\":\"M_1.a-b\"}");
    assert_true(r->weight == 0.5);
    assert_int_equal(r->k, 2);
    assert_true(r->threshold == 0);
    assert_int_equal(r->scores, HOMER_SCORES_TOP);
    assert_int_equal(r->scores_top, 12);
    assert_str(r->objective, "micro_f1");
    assert_true(r->metrics);
    assert_str(r->model, "M_1.a-b");
    assert_true(good(*state, "{\"x\":[1],\"y\":[],\"noreply\":true}")->noreply);
    r = good(*state, "{\"x\":[1],\"y\":[],\"src\":\"me\",\"n\":9007199254740993}");
    assert_str(r->src, "me");
    assert_true(r->has_n && r->n == 9007199254740993u);
    r = good(*state, "{\"op\":\"label\",\"ref\":\"a\\\"b\",\"id\":5,\"y\":{\"l\":true},\"noreply\":true}");
    assert_str(r->ref, "\"a\\\"b\"");
    assert_str(r->id, "5");
    assert_true(r->y_partial && r->noreply && !r->has_n);
    assert_true(good(*state, "{\"x\":[1],\"id\":1,\"track\":true}")->track);
    assert_false(good(*state, "{\"x\":[1],\"y\":[],\"noreply\":false}")->noreply);
    assert_int_equal(good(*state, "{\"x\":[1],\"scores\":\"all\"}")->scores, HOMER_SCORES_ALL);
    assert_int_equal(good(*state, "{\"x\":[1],\"scores\":false}")->scores, HOMER_SCORES_NONE);
    assert_true(good(*state, "{\"x\":[1],\"y\":[],\"w\":1000000}")->weight == 1e6);
    assert_true(good(*state, "{\"x\":[1],\"threshold\":1}")->threshold == 1);
}

/* An instance without op is data, perhaps recorded for another purpose: what the protocol does not know is
 * passed over. */
static void recorded_fields(void **state) {
    const struct homer_request *r =
        good(*state, "{\"x\":[1],\"title\":{\"a\":[1]},\"y\":[\"l\"],\"places\":null}");
    assert_int_equal(r->op, HOMER_OP_LEARN);
    assert_int_equal(r->x_n, 1);
    assert_int_equal(r->y_n, 1);
    assert_int_equal(good(*state, "{\"text\":\"a\",\"title\":1}")->op, HOMER_OP_PREDICT);
    bad(*state, "{\"op\":\"learn\",\"x\":[1],\"y\":[],\"title\":1}", HOMER_E_BAD_REQUEST, "title");
    bad(*state, "{\"x\":[1],\"explain\":true}", HOMER_E_BAD_REQUEST,
        "explain");                                                            /* a later version's promise */
    bad(*state, "{\"x\":[1],\"y\":[],\"k\":1}", HOMER_E_BAD_REQUEST, "\"k\""); /* a field of another op */
}

/* {"op":OP,"x":[1],"y":[],FIELD} or so is refused, and the message names the field. */
static void refused_fields(void **state) {
    static const char *const learn[] = {
        "\"w\":0",
        "\"w\":-1",
        "\"w\":1000001",
        "\"w\":\"1\"",
        "\"w\":null",
        "\"t\":true",
        "\"t\":[]",
        "\"src\":\"a\"",
        "\"n\":1",
        "\"src\":\"\",\"n\":1",
        "\"src\":1,\"n\":1",
        "\"n\":-1,\"src\":\"a\"",
        "\"n\":\"1\",\"src\":\"a\"",
        "\"ref\":1",
        "\"track\":true",
        "\"noreply\":1",
        "\"noreply\":\"true\"",
        "\"text\":7",
        "\"text\":null",
        "\"k\":1",
        "\"scores\":\"all\"",
        "\"wieght\":1",
        "\"items\":[]",
        "\"name\":\"m\"",
        "\"metrics\":true",
        "\"model\":\"\"",
        "\"model\":\"a b\"",
        "\"model\":\"\u00e9\"",
        "\"model\":7",
        "\"model\":null",
        "\"limit\":1",
        "\"model\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
    };
    static const char *const predict[] = {
        "\"k\":0",
        "\"k\":-1",
        "\"k\":1.5",
        "\"k\":\"1\"",
        "\"k\":1.0",
        "\"threshold\":-0.1",
        "\"threshold\":1.1",
        "\"threshold\":\"0\"",
        "\"threshold\":null",
        "\"scores\":true",
        "\"scores\":\"top:0\"",
        "\"scores\":\"top:\"",
        "\"scores\":\"top:1x\"",
        "\"scores\":\"top:-1\"",
        "\"scores\":\"top:9999999999\"",
        "\"scores\":\"none\"",
        "\"scores\":1",
        "\"objective\":1",
        "\"w\":1",
        "\"y\":[]",
        "\"noreply\":true",
        "\"track\":true",
    };
    for (size_t i = 0; i < sizeof learn / sizeof *learn + sizeof predict / sizeof *predict; i++) {
        size_t learn_n = sizeof learn / sizeof *learn;
        const char *field = i < learn_n ? learn[i] : predict[i - learn_n];
        char line[256], name[32] = "";
        snprintf(line, sizeof line, "{\"op\":%s,%s}",
                 i < learn_n ? "\"learn\",\"x\":[1],\"y\":[]" : "\"predict\",\"x\":[1]", field);
        memcpy(name, field, (size_t)(strchr(field, ':') - field));
        bad(*state, line, HOMER_E_BAD_REQUEST, name);
    }
}

static void missing_fields(void **state) {
    bad(*state, "{\"op\":\"learn\",\"x\":{}}", HOMER_E_BAD_REQUEST, "learn needs \"y\"");
    bad(*state, "{\"op\":\"learn\",\"y\":[]}", HOMER_E_BAD_REQUEST, "\"x\" or \"text\"");
    bad(*state, "{\"op\":\"test\",\"text\":\"a\"}", HOMER_E_BAD_REQUEST, "\"y\"");
    bad(*state, "{\"op\":\"predict\"}", HOMER_E_BAD_REQUEST, "\"x\" or \"text\"");
    bad(*state, "{\"op\":\"model.create\"}", HOMER_E_BAD_REQUEST, "\"name\"");
    bad(*state, "{\"op\":\"model.drop\",\"model\":\"m\"}", HOMER_E_BAD_REQUEST, "\"name\"");
    bad(*state, "{\"op\":\"batch\"}", HOMER_E_BAD_REQUEST, "\"items\"");
}

static void listings_and_models(void **state) {
    const struct homer_request *r = good(*state, "{\"op\":\"labels\",\"prefix\":\"cs.\",\"limit\":10}");
    assert_str(r->prefix, "cs.");
    assert_int_equal(r->limit, 10);
    bad(*state, "{\"op\":\"labels\",\"limit\":0}", HOMER_E_BAD_REQUEST, "\"limit\"");
    bad(*state, "{\"op\":\"labels\",\"prefix\":1}", HOMER_E_BAD_REQUEST, "\"prefix\"");
    bad(*state, "{\"op\":\"stats\",\"prefix\":\"a\"}", HOMER_E_BAD_REQUEST, "\"prefix\"");
    r = good(*state, "{\"op\":\"model.create\",\"name\":\"m\",\"config\":{\"seed\":7,\"tree\":{\"a\":0.1,"
                     "\"b\":[true,null,\"\\\"\"]}}}");
    assert_str(r->name, "m");
    assert_str(r->config, "{\"seed\":7,\"tree\":{\"a\":0.10000000000000001,\"b\":[true,null,\"\\\"\"]}}");
    bad(*state, "{\"op\":\"model.create\",\"name\":\"m\",\"config\":[]}", HOMER_E_BAD_REQUEST, "\"config\"");
    bad(*state, "{\"op\":\"model.drop\",\"name\":\"m\",\"config\":{}}", HOMER_E_BAD_REQUEST, "\"config\"");
    bad(*state, "{\"op\":\"model.create\",\"name\":\"a/b\"}", HOMER_E_BAD_REQUEST, "\"name\"");
}

static void hierarchy_and_drifts(void **state) {
    assert_false(good(*state, "{\"op\":\"hierarchy\"}")->dot);
    assert_false(good(*state, "{\"op\":\"hierarchy\",\"format\":\"json\",\"model\":\"m\"}")->dot);
    assert_true(good(*state, "{\"op\":\"hierarchy\",\"format\":\"dot\"}")->dot);
    bad(*state, "{\"op\":\"hierarchy\",\"format\":\"xml\"}", HOMER_E_BAD_REQUEST, "\"json\" or \"dot\"");
    bad(*state, "{\"op\":\"hierarchy\",\"format\":null}", HOMER_E_BAD_REQUEST, "\"format\"");
    bad(*state, "{\"op\":\"hierarchy\",\"limit\":1}", HOMER_E_BAD_REQUEST, "\"limit\"");
    assert_int_equal(good(*state, "{\"op\":\"drifts\"}")->since, 0);
    const struct homer_request *r =
        good(*state, "{\"op\":\"drifts\",\"since\":9223372036854775807,\"limit\":3}");
    assert_int_equal(r->since, INT64_MAX);
    assert_int_equal(r->limit, 3);
    assert_int_equal(good(*state, "{\"op\":\"drifts\",\"since\":0}")->since, 0);
    bad(*state, "{\"op\":\"drifts\",\"since\":-1}", HOMER_E_BAD_REQUEST, "at least 0");
    bad(*state, "{\"op\":\"drifts\",\"since\":1.5}", HOMER_E_BAD_REQUEST, "\"since\"");
    bad(*state, "{\"op\":\"drifts\",\"limit\":0}", HOMER_E_BAD_REQUEST, "\"limit\"");
    bad(*state, "{\"op\":\"drifts\",\"prefix\":\"a\"}", HOMER_E_BAD_REQUEST, "\"prefix\"");
}

static void batches(void **state) {
    struct fixture *f = *state;
    const struct homer_request *r =
        good(f, "{\"op\":\"batch\",\"id\":1,\"model\":\"m\",\"items\":[{\"x\":[1,2],\"y\":[\"a\"],\"id\":2},"
                "{\"op\":\"quit\",\"id\":3},{\"text\":\"t\",\"model\":\"n\",\"w\":1},7]}");
    assert_int_equal(r->items_n, 4);
    assert_str(r->id, "1");
    assert_int_equal(r->items[0].op, HOMER_OP_LEARN);
    assert_str(r->items[0].id, "2");
    assert_str(r->items[0].model, "m");
    assert_int_equal(r->items[0].x_n, 2);
    assert_str(r->items[0].x[1].name, "1");
    assert_str(r->items[0].y[0].name, "a");
    check_error(&r->items[1], "quit", HOMER_E_BAD_REQUEST, "batch, quit or auth");
    assert_str(r->items[1].id, "3");
    check_error(&r->items[2], "text", HOMER_E_BAD_REQUEST, "\"w\"");
    assert_str(r->items[2].model, "n");
    check_error(&r->items[3], "7", HOMER_E_BAD_REQUEST, "object");
    r = good(f, "{\"items\":[{\"op\":\"batch\",\"items\":[]},{\"op\":\"ping\"}],\"model\":\"late\",\"op\":"
                "\"batch\"}");
    check_error(&r->items[0], "batch", HOMER_E_BAD_REQUEST, "batch, quit or auth");
    assert_str(r->items[1].model, "late");
    bad(f, "{\"op\":\"batch\",\"items\":{}}", HOMER_E_BAD_REQUEST, "\"items\"");
    good(f, "{\"op\":\"batch\",\"items\":[1,2,3,4]}");
    bad(f, "{\"op\":\"batch\",\"items\":[1,2,3,4,5]}", HOMER_E_TOO_MANY, "4");
    assert_string_equal(f->r.error.limit, "max_items");
}

static void bare_words(void **state) {
    static const char *const words[] = {"ping",   "stats",  "labels", "features",  "help",       "quit",
                                        "config", "digest", "hello",  "hierarchy", "model.list", "drifts"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const struct homer_request *r = good(*state, words[i]);
        assert_string_equal(homer_op_word(r->op), words[i]);
        assert_true(r->bare);
    }
    assert_int_equal(good(*state, " \tping  ")->op, HOMER_OP_PING);
    assert_str(good(*state, "labels \t cs. ")->prefix, "cs.");
    assert_str(good(*state, "features \u00e9")->prefix, "\u00e9");
    assert_str(good(*state, "auth a\xff!")->token, "a\xff!");
    bad(*state, "auth", HOMER_E_BAD_REQUEST, "the token");
    bad(*state, "auth two words", HOMER_E_BAD_REQUEST, "no more words");
    bad(*state, "labels a b", HOMER_E_BAD_REQUEST, "labels");
    bad(*state, "hierarchy dot", HOMER_E_BAD_REQUEST, "no more words");
    bad(*state, "drifts 5", HOMER_E_BAD_REQUEST, "no more words");
    bad(*state, "ping me", HOMER_E_BAD_REQUEST, "ping");
    bad(*state, "learn", HOMER_E_BAD_REQUEST, "{\"op\":\"learn\"");
    bad(*state, "PING", HOMER_E_UNKNOWN_OP, "help");
    bad(*state, "none", HOMER_E_UNKNOWN_OP, "help");
    bad(*state, "GET / HTTP/1.1", HOMER_E_UNKNOWN_OP, "\"GET\"");
    bad(*state, "\x16\x03\x01 hello", HOMER_E_UNKNOWN_OP, "neither");
    bad(*state, "pi\xff", HOMER_E_UNKNOWN_OP, "neither");
    bad(*state, "labels \xff", HOMER_E_BAD_REQUEST, "prefix");
    bad(*state, "[1]", HOMER_E_BAD_JSON, "object");
    bad(*state, " \"ping\"", HOMER_E_BAD_JSON, "object");
    bad(*state, "", HOMER_E_BAD_JSON, "object");
    bad(*state, "  ", HOMER_E_BAD_JSON, "object");
}

static void messages_quote_little_and_whole_characters(void **state) {
    char line[400] = "{\"op\":\"x";
    for (int i = 0; i < 90; i++) strcat(line, "\u20ac");
    strcat(line, "\"}");
    const struct homer_request *r = bad(*state, line, HOMER_E_UNKNOWN_OP, "\u20ac...\"");
    assert_true(strlen(r->error.message) < 130);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_op),
        TEST(tokens_are_shown_in_no_message),
        TEST(unknown_ops),
        TEST(shorthand),
        TEST(ids),
        TEST(integers_beyond_64_bits_spoil_nothing_else),
        TEST(fields_of_instances),
        TEST(recorded_fields),
        TEST(refused_fields),
        TEST(missing_fields),
        TEST(listings_and_models),
        TEST(hierarchy_and_drifts),
        TEST(batches),
        TEST(bare_words),
        TEST(messages_quote_little_and_whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
