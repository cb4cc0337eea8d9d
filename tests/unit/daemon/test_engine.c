/* What hello, learn, predict, test, batch and the like answer. */
#include "tests/unit/daemon/engine_fixture.h"

static void talks_about_itself(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    expect(&f, "ping", "{\"ok\":true,\"pong\":true}");
    expect(&f, "{\"op\":\"ping\",\"id\":\"a\\\"b\"}", "{\"ok\":true,\"pong\":true,\"id\":\"a\\\"b\"}");
    expect(&f, "{\"op\":\"ping\",\"id\":17}", "{\"ok\":true,\"pong\":true,\"id\":17}");

    json_t *hello = ask_ok(&f, "hello");
    assert_int_equal(int_of(hello, "protocol"), 1);
    assert_string_equal(json_string_value(json_object_get(hello, "version")), HOMER_VERSION);
    assert_string_equal(json_string_value(json_object_get(hello, "durability")), "none");
    assert_int_equal(int_of(json_object_get(hello, "limits"), "max_line"), 4000);
    assert_int_equal(json_array_size(json_object_get(hello, "verbs")), HOMER_OP_COUNT - 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(hello, "models"), 0)), "default");

    json_t *help = ask_ok(&f, "{\"op\":\"help\"}"), *verb;
    size_t i;
    json_array_foreach(json_object_get(hello, "verbs"), i, verb) {
        const char *line =
            json_string_value(json_object_get(json_object_get(help, "help"), json_string_value(verb)));
        assert_non_null(line);
        assert_true(strlen(line) > 10);
    }
    json_t *lines = ask_ok(&f, "help");
    assert_int_equal(json_array_size(json_object_get(lines, "help")), HOMER_OP_COUNT - 1);
    json_decref(lines);
    json_decref(help);
    json_decref(hello);

    json_t *config = ask_ok(&f, "config"), *c = json_object_get(config, "config");
    assert_int_equal(int_of(json_object_get(c, "limits"), "max_line"), 4000);
    assert_int_equal(int_of(json_object_get(c, "model"), "max_labels"), 30);
    json_decref(config);
    fixture_close(&f);
}

static void quit_closes_after_its_reply(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    expect(&f, "{\"op\":\"quit\",\"id\":1}", "{\"ok\":true,\"bye\":true,\"id\":1}");
    assert_false(f.open);
    expect(&f, "ping", "{\"ok\":true,\"pong\":true}");
    assert_true(f.open);
    ask_bad(&f, "{\"op\":\"quit\",\"x\":1}", "bad_request", NULL, "x");
    assert_true(f.open);
    fixture_close(&f);
}

static void learn_counts(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    expect(&f, "{\"x\":{\"a\":1},\"y\":[\"l\"]}", "{\"ok\":true,\"seq\":1}");
    expect(&f, "{\"op\":\"learn\",\"x\":{},\"y\":[],\"id\":\"z\"}", "{\"ok\":true,\"seq\":2,\"id\":\"z\"}");
    expect(&f, "{\"x\":[1,0,2.5],\"y\":[\"l\",\"l\",\"k\"],\"w\":2}", "{\"ok\":true,\"seq\":3}");
    const char *quiet = "{\"x\":{\"a\":1},\"y\":[\"l\"],\"noreply\":true,\"id\":5}";
    fixture_send(&f, quiet, strlen(quiet));
    assert_int_equal(f.out.n, 0);
    assert_true(f.open);
    ask_bad(&f, "{\"x\":{\"a\":\"b\"},\"y\":[\"l\"],\"noreply\":true}", "bad_feature", NULL,
            "feature \"a\" is numeric, got a string");
    expect(&f, "{\"x\":{\"a\":1},\"y\":[\"l\"]}", "{\"ok\":true,\"seq\":5}");
    assert_int_equal(homer_model_schema(model_of(&f, "default"))->labels.n, 2);
    fixture_close(&f);
}

/* A prediction's "labels" and "scores" agree with each other and with the options. */
static void predict_has_options(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    expect(&f, "{\"x\":{\"a\":1},\"id\":9}", "{\"ok\":true,\"labels\":[],\"scores\":{},\"id\":9}");
    for (int i = 0; i < 5; i++) teach(&f);

    json_t *all = ask_ok(&f, "{\"x\":{\"age\":31,\"tags\":[\"a\"]},\"scores\":\"all\"}");
    json_t *scores = json_object_get(all, "scores");
    assert_int_equal(json_object_size(scores), 3);
    for (int k = 1; k <= 4; k++) {
        char line[128];
        snprintf(line, sizeof line, "{\"x\":{\"age\":31,\"tags\":[\"a\"]},\"k\":%d}", k);
        json_t *some = ask_ok(&f, line), *labels = json_object_get(some, "labels");
        assert_int_equal(json_array_size(labels), k < 3 ? k : 3);
        assert_int_equal(json_object_size(json_object_get(some, "scores")), json_array_size(labels));
        double last = 2;
        for (size_t i = 0; i < json_array_size(labels); i++) { /* best first, with the scores of "all" */
            const char *label = json_string_value(json_array_get(labels, i));
            double score = json_real_value(json_object_get(scores, label));
            assert_true(score <= last);
            assert_true(json_real_value(json_object_get(json_object_get(some, "scores"), label)) == score);
            last = score;
        }
        json_decref(some);
    }
    json_t *top = ask_ok(&f, "{\"x\":{\"age\":31,\"tags\":[\"a\"]},\"scores\":\"top:2\"}");
    json_t *two = ask_ok(&f, "{\"x\":{\"age\":31,\"tags\":[\"a\"]},\"k\":2}");
    assert_true(json_equal(json_object_get(top, "scores"), json_object_get(two, "scores")));
    assert_true(json_equal(json_object_get(top, "labels"), json_object_get(all, "labels")));
    json_decref(top);
    json_decref(two);

    json_t *low = ask_ok(&f, "{\"x\":{\"age\":31},\"threshold\":0,\"scores\":false}");
    assert_int_equal(json_array_size(json_object_get(low, "labels")), 3);
    assert_null(json_object_get(low, "scores"));
    json_decref(low);
    json_t *high = ask_ok(&f, "{\"x\":{\"age\":31},\"threshold\":1}");
    assert_int_equal(json_array_size(json_object_get(high, "labels")), 0);
    json_decref(high);
    for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++) {
        char line[128];
        snprintf(line, sizeof line, "{\"x\":{\"age\":31},\"objective\":\"%s\"}",
                 homer_objective_word((enum homer_objective)o));
        do_ok(&f, line);
    }
    json_decref(all);
    fixture_close(&f);
}

/* test answers what predict would, and leaves the model as learn would. */
static void test_is_predict_then_learn(void **state) {
    (void)state;
    struct fixture f, g;
    fixture_open(&f);
    fixture_open(&g);
    const char *x = "\"x\":{\"age\":40,\"new\":2.5,\"tags\":[\"a\",\"n\",\"n\"],\"city\":\"Rome\"},\"text\":"
                    "\"blue sea\"";
    for (int i = 0; i < 4; i++) {
        teach(&f);
        teach(&g);
        char line[300], predicted[33], tested[33], learned[33];
        snprintf(line, sizeof line, "{%s,\"scores\":\"all\"}", x);
        digest_of(&f, "default", tested);
        json_t *p = ask_ok(&f, line);
        digest_of(&f, "default", predicted);
        assert_string_equal(predicted, tested); /* a prediction leaves nothing behind */
        snprintf(line, sizeof line, "{\"op\":\"test\",%s,\"y\":[\"blue\",\"fresh%d\"],\"scores\":\"all\"}", x,
                 i);
        json_t *t = ask_ok(&f, line);
        assert_int_equal(int_of(t, "seq"), 6 * (i + 1));
        json_object_del(t, "seq");
        if (!json_equal(p, t)) fail_msg("test and predict differ: %.*s", (int)f.out.n, f.out.data);
        snprintf(line, sizeof line, "{%s,\"y\":[\"blue\",\"fresh%d\"]}", x, i);
        do_ok(&g, line);
        digest_of(&f, "default", tested);
        digest_of(&g, "default", learned);
        assert_string_equal(tested, learned);
        json_decref(p);
        json_decref(t);
    }
    json_t *t = ask_ok(&f, "{\"op\":\"test\",\"x\":{},\"y\":[],\"metrics\":true}");
    assert_int_equal(int_of(json_object_get(json_object_get(t, "metrics"), "total"), "n"), 25);
    json_decref(t);
    fixture_close(&f);
    fixture_close(&g);
}

static void batch_answers_in_order(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    expect(
        &f,
        "{\"op\":\"batch\",\"id\":\"b\",\"items\":[{\"x\":{\"a\":1},\"y\":[\"l\"],\"id\":1},{\"op\":\"ping\"}"
        ","
        "{\"x\":{\"a\":2},\"y\":[\"l\"],\"noreply\":true},{\"op\":\"learn\",\"x\":{\"a\":3},\"y\":[\"l\"]}]}",
        "{\"ok\":true,\"id\":\"b\",\"replies\":[{\"ok\":true,\"seq\":1,\"id\":1},{\"ok\":true,\"pong\":true},"
        "{\"ok\":true,\"seq\":3}]}");
    expect(&f, "{\"op\":\"batch\",\"items\":[]}", "{\"ok\":true,\"replies\":[]}");
    expect(&f, "{\"op\":\"batch\",\"items\":[{\"x\":{\"a\":1},\"y\":[\"l\"],\"noreply\":true}]}",
           "{\"ok\":true,\"replies\":[]}");

    /* each bad item fails alone, with the object it would get by itself */
    static const char *const items[] = {
        "{\"x\":{\"a\":1},\"y\":[\"l\"],\"id\":1}",
        "{\"x\":{\"a\":\"s\"},\"y\":[\"l\"],\"id\":2}",
        "{\"op\":\"nonsense\",\"id\":3}",
        "{\"op\":\"batch\",\"items\":[],\"id\":4}",
        "{\"op\":\"quit\",\"id\":5}",
        "{\"x\":{\"a\":1},\"model\":\"gone\",\"id\":6}",
        "{\"op\":\"stats\",\"model\":\"gone\",\"noreply\":true,\"id\":7}",
        "{\"x\":{\"a\":1},\"scores\":\"all\",\"id\":8}",
    };
    char line[1000] = "{\"op\":\"batch\",\"items\":[";
    for (size_t i = 0; i < 8; i++) {
        if (i) strcat(line, ",");
        strcat(line, items[i]);
    }
    strcat(line, "]}");
    json_t *batch = ask_ok(&f, line), *replies = json_object_get(batch, "replies");
    assert_true(f.open);
    assert_int_equal(json_array_size(replies), 8);
    assert_int_equal(int_of(json_array_get(replies, 0), "seq"), 5);
    for (size_t i = 0; i < 8; i++) {
        json_t *reply = json_array_get(replies, i);
        assert_int_equal(int_of(reply, "id"), i + 1);
        if (i == 0 || i == 3 || i == 4)
            continue; /* learning again changes seq; these two are refused in batches only */
        json_t *alone = ask(&f, items[i]);
        if (!json_equal(reply, alone)) fail_msg("item %zu: %.*s", i, (int)f.out.n, f.out.data);
        json_decref(alone);
    }
    json_decref(batch);
    fixture_close(&f);
}

static void batch_stops_at_max_reply(void **state) {
    (void)state;
    struct fixture f;
    fixture_configure(&f);
    f.config.max_reply = 60;
    fixture_start(&f, 7);
    json_t *batch = ask_ok(&f, "{\"op\":\"batch\",\"items\":[{\"x\":{},\"y\":[\"l\"]},{\"op\":\"ping\"},"
                               "{\"op\":\"ping\"},{\"x\":{},\"y\":[\"l\"],\"id\":4},{\"op\":\"none\"}]}");
    json_t *replies = json_object_get(batch, "replies"), *error;
    assert_int_equal(json_array_size(replies), 5);
    assert_true(json_is_true(json_object_get(json_array_get(replies, 1), "ok")));
    error = json_object_get(json_array_get(replies, 3), "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), "too_large");
    assert_string_equal(json_string_value(json_object_get(error, "limit")), "max_reply");
    assert_int_equal(int_of(json_array_get(replies, 3), "id"), 4);
    error = json_object_get(json_array_get(replies, 4), "error"); /* what cannot be read says so */
    assert_string_equal(json_string_value(json_object_get(error, "code")), "unknown_op");
    json_decref(batch);
    assert_int_equal(homer_model_seq(model_of(&f, "default")), 1); /* the refused item was not applied */
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(talks_about_itself),
        cmocka_unit_test(quit_closes_after_its_reply),
        cmocka_unit_test(learn_counts),
        cmocka_unit_test(predict_has_options),
        cmocka_unit_test(test_is_predict_then_learn),
        cmocka_unit_test(batch_answers_in_order),
        cmocka_unit_test(batch_stops_at_max_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
