/* What a model and the daemon tell about themselves, and several models side by side. */
#include "tests/unit/daemon/engine_fixture.h"

static void stats_count_everything(void **state) {
    (void)state;
    struct fixture f;
    struct homer_conn_stats conns = {.open = 2, .accepted = 5, .lines = 77};
    fixture_now = 1000000;
    fixture_open(&f);
    json_t *stats = ask_ok(&f, "stats");
    assert_null(json_object_get(stats, "connections"));
    json_decref(stats);
    homer_engine_watch(f.engine, &conns);
    teach(&f);
    ask_bad(&f, "{", "bad_json", NULL, NULL);
    ask_bad(&f, "{\"x\":{\"age\":\"x\"},\"y\":[]}", "bad_feature", NULL, NULL);
    do_ok(&f, "{\"op\":\"batch\",\"items\":[{\"op\":\"ping\"},{\"op\":\"ping\"}]}");
    fixture_now += 2000;

    stats = ask_ok(&f, "{\"op\":\"stats\"}");
    assert_int_equal(int_of(stats, "seq"), 5);
    assert_int_equal(int_of(stats, "labels"), 3);
    assert_int_equal(int_of(stats, "attributes"), 5); /* age member city tags and the words */
    assert_int_equal(int_of(stats, "features"), 2 + 2 + 3 + 6);
    assert_int_equal(int_of(stats, "uptime_ms"), 2000);
    assert_true(int_of(json_object_get(stats, "memory"), "used_bytes") > 0);
    assert_true(json_number_value(json_object_get(json_object_get(stats, "throughput"), "last_10s")) == 2.5);
    assert_true(json_number_value(json_object_get(json_object_get(stats, "throughput"), "since_start")) ==
                2.5);
    json_t *requests = json_object_get(stats, "requests"), *errors = json_object_get(stats, "errors");
    assert_int_equal(int_of(requests, "learn"), 6);
    assert_int_equal(int_of(requests, "ping"), 2);
    assert_int_equal(int_of(requests, "batch"), 1);
    assert_int_equal(int_of(requests, "stats"), 2);
    assert_int_equal(int_of(requests, "unreadable"), 1);
    assert_int_equal(int_of(errors, "bad_json"), 1);
    assert_int_equal(int_of(errors, "bad_feature"), 1);
    assert_int_equal(int_of(errors, "too_large"), 0);
    assert_int_equal(int_of(json_object_get(stats, "connections"), "lines"), 77);
    assert_string_equal(json_string_value(json_object_get(stats, "objective")), "example_f1");

    json_t *metrics = json_object_get(stats, "metrics");
    static const char *const rows[] = {"total",    "window",           "faded",          "no_change",
                                       "majority", "no_change_window", "majority_window"};
    assert_int_equal(json_object_size(metrics), 7);
    for (size_t i = 0; i < 7; i++) {
        json_t *row = json_object_get(metrics, rows[i]);
        assert_true(json_is_number(json_object_get(row, "n")));
        assert_true(json_is_number(json_object_get(row, "micro_f1")));
    }
    assert_int_equal(int_of(json_object_get(metrics, "no_change"), "n"), 5);
    assert_true(json_is_number(json_object_get(json_object_get(metrics, "total"), "ndcg@3")));
    assert_null(json_object_get(json_object_get(metrics, "majority"), "p@1")); /* it has no scores */

    /* in full precision: the same bits as in the model */
    struct homer_metrics have;
    homer_eval_metrics(homer_model_eval(model_of(&f, "default")), HOMER_BY_MODEL, HOMER_TOTAL, &have);
    assert_true(json_number_value(json_object_get(json_object_get(metrics, "total"), "log_loss")) ==
                have.log_loss);
    assert_true(json_number_value(json_object_get(json_object_get(metrics, "total"), "psp@5")) ==
                have.psp_at[2]);
    json_decref(stats);
    fixture_close(&f);
}

static void lists_what_it_knows(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    teach(&f);
    expect(&f, "labels",
           "{\"ok\":true,\"labels\":[{\"name\":\"red\",\"count\":2},{\"name\":\"blue\",\"count\":2},"
           "{\"name\":\"green\",\"count\":2}],\"total\":3,\"truncated\":false}");
    expect(&f, "{\"op\":\"labels\",\"limit\":1}",
           "{\"ok\":true,\"labels\":[{\"name\":\"red\",\"count\":2}],\"total\":3,\"truncated\":true}");
    expect(&f, "{\"op\":\"labels\",\"prefix\":\"gr\"}",
           "{\"ok\":true,\"labels\":[{\"name\":\"green\",\"count\":2}],\"total\":1,\"truncated\":false}");
    expect(&f, "labels nothing", "{\"ok\":true,\"labels\":[],\"total\":0,\"truncated\":false}");
    json_t *all = ask_ok(&f, "features"), *list = json_object_get(all, "features"), *one;
    static const char *const want[][2] = {
        {"age", "numeric"}, {"member", "binary"}, {"city", "nominal"}, {"tags", "bag"}, {"", "text"}};
    static const int columns[] = {1, 1, 2, 3, 6}, counts[] = {4, 1, 3, 4, 6};
    size_t i, found = 0;
    json_array_foreach(list, i, one) {
        for (size_t w = 0; w < 5; w++) {
            if (strcmp(json_string_value(json_object_get(one, "name")), want[w][0]) != 0) continue;
            assert_string_equal(json_string_value(json_object_get(one, "type")), want[w][1]);
            assert_int_equal(int_of(one, "columns"), columns[w]);
            assert_int_equal(int_of(one, "count"), counts[w]);
            found++;
        }
    }
    assert_int_equal(found, 5);
    assert_int_equal(int_of(all, "total"), 5);
    json_decref(all);
    expect(&f, "{\"op\":\"features\",\"prefix\":\"ci\",\"limit\":4}",
           "{\"ok\":true,\"features\":[{\"name\":\"city\",\"type\":\"nominal\",\"columns\":2,\"count\":3}],"
           "\"total\":1,\"truncated\":false}");
    fixture_close(&f);
}

static void keeps_models_apart(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    char empty[33], taught[33], other[33];
    digest_of(&f, "default", empty);
    teach(&f);
    digest_of(&f, "default", taught);
    expect(&f,
           "{\"op\":\"model.create\",\"name\":\"b-2\",\"config\":{\"objective\":\"subset\",\"max_labels\":2},"
           "\"id\":1}",
           "{\"ok\":true,\"name\":\"b-2\",\"id\":1}");
    digest_of(&f, "b-2", other);
    assert_string_not_equal(empty, taught);
    expect(&f, "{\"model\":\"b-2\",\"x\":{\"age\":\"old\"},\"y\":[\"l\"]}", "{\"ok\":true,\"seq\":1}");
    ask_bad(&f, "{\"model\":\"b-2\",\"x\":{},\"y\":[\"m\",\"n\"]}", "too_many", "max_labels", NULL);
    digest_of(&f, "default", other);
    assert_string_equal(other, taught);

    do_ok(&f, "{\"op\":\"model.create\",\"name\":\"c\"}");
    ask_bad(&f, "{\"op\":\"model.create\",\"name\":\"d\"}", "too_many", "max_models", NULL);
    json_t *list = ask_ok(&f, "model.list"), *models = json_object_get(list, "models");
    static const char *const names[] = {"default", "b-2", "c"}, *const goals[] = {"example_f1", "subset",
                                                                                  "example_f1"};
    assert_int_equal(json_array_size(models), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *model = json_array_get(models, i);
        assert_string_equal(json_string_value(json_object_get(model, "name")), names[i]);
        assert_string_equal(json_string_value(json_object_get(json_object_get(model, "config"), "objective")),
                            goals[i]);
    }
    assert_int_equal(int_of(json_array_get(models, 0), "seq"), 5);
    assert_int_equal(int_of(json_array_get(models, 0), "labels"), 3);
    json_decref(list);

    expect(&f, "{\"op\":\"model.drop\",\"name\":\"default\"}", "{\"ok\":true,\"name\":\"default\"}");
    ask_bad(&f, "stats", "unknown_model", NULL, "\"default\"");
    ask_bad(&f, "{\"x\":{},\"y\":[]}", "unknown_model", NULL, "\"default\"");
    do_ok(&f, "{\"op\":\"model.create\",\"name\":\"default\"}"); /* empty, last in order */
    digest_of(&f, "default", other);
    assert_string_equal(other, empty);
    json_t *hello = ask_ok(&f, "hello");
    assert_string_equal(json_string_value(json_array_get(json_object_get(hello, "models"), 2)), "default");
    json_decref(hello);
    fixture_close(&f);
}

/* Which hash key a daemon drew does not show in any result. */
static void results_do_not_depend_on_the_hash_key(void **state) {
    (void)state;
    struct fixture f, g;
    fixture_configure(&f);
    fixture_configure(&g);
    fixture_start(&f, 1);
    fixture_start(&g, 250);
    const char *ask_both =
        "{\"x\":{\"age\":3,\"tags\":[\"a\",\"q\"]},\"text\":\"green sky\",\"scores\":\"all\"}";
    for (int i = 0; i < 20; i++) {
        teach(&f);
        teach(&g);
        json_t *a = ask_ok(&f, ask_both), *b = ask_ok(&g, ask_both);
        assert_true(json_equal(a, b));
        json_decref(a);
        json_decref(b);
    }
    char a[33], b[33];
    digest_of(&f, "default", a);
    digest_of(&g, "default", b);
    assert_string_equal(a, b);
    fixture_close(&f);
    fixture_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats_count_everything),
        cmocka_unit_test(lists_what_it_knows),
        cmocka_unit_test(keeps_models_apart),
        cmocka_unit_test(results_do_not_depend_on_the_hash_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
