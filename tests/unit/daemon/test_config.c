/* Defaults, files, --set, model{} objects: what is taken, what is refused and in which words. */
#include "config_fixture.h"

/* The table's defaults are those of the learner, but for the trees' memory, which it does not bound by
 * itself. */
static void assert_clusters(const struct homer_clusters_config *a, const struct homer_clusters_config *b) {
    const struct homer_hierarchy_config *h = &a->hierarchy, *g = &b->hierarchy;
    assert_true(h->lambda == g->lambda && h->delta == g->delta && h->drift_delta == g->drift_delta);
    assert_true(h->effect == g->effect && h->replace == g->replace);
    assert_int_equal(h->neighbours, g->neighbours);
    assert_int_equal(h->max_leaf, g->max_leaf);
    assert_int_equal(h->seed, g->seed);
    const struct homer_tree_config *t = &a->tree, *u = &b->tree;
    assert_true(t->grace == u->grace && t->split.delta == u->split.delta);
    assert_true(t->split.range == u->split.range && t->split.level == u->split.level);
    assert_int_equal(t->max_depth, u->max_depth);
    assert_int_equal(t->trees, u->trees);
    assert_int_equal(t->seed, u->seed);
    assert_int_equal(a->tree_bytes, (size_t)1 << 30);
    assert_true(a->drift_delta == b->drift_delta);
    assert_int_equal(a->scope, b->scope);
}

static void test_defaults(void **state) {
    struct homer_model_config core;
    (void)state;
    assert_int_equal(c.listen_n, 1);
    assert_string_equal(c.listen[0], "127.0.0.1:7707");
    assert_null(c.unix_path);
    assert_null(c.log_file);
    assert_int_equal(c.log_level, HOMER_LOG_INFO);
    assert_int_equal(c.request.max_line, 1 << 20);
    assert_int_equal(c.conn.max_line, 1 << 20);
    assert_int_equal(c.request.max_depth, 8);
    assert_int_equal(c.request.max_name, 256);
    assert_int_equal(c.conn.high_water, 1 << 20);
    assert_int_equal(c.conn.low_water, 256 << 10);
    assert_int_equal(c.conn.turn_lines, 64);
    assert_int_equal(c.conn.max_connections, 1024);
    assert_int_equal(c.conn.drain_timeout_ms, 60000);
    assert_true(c.conn.read_bytes > 0 && c.conn.linger_ms > 0);
    assert_int_equal(c.max_reply, 64 << 20);
    assert_int_equal(c.shutdown_ms, 5000);
    assert_int_equal(homer_config_check(&c, &err), 0);
    homer_model_config_default(&core);
    assert_int_equal(c.model.objective, core.objective);
    assert_int_equal(c.model.absent_missing, core.absent_missing);
    assert_int_equal(c.model.text_bigrams, core.text_bigrams);
    assert_int_equal(c.model.seed, core.seed);
    assert_int_equal(c.model.max_memory, core.max_memory);
    assert_int_equal(c.model.max_labels, core.max_labels);
    assert_int_equal(c.model.max_features, core.max_features);
    assert_int_equal(c.model.window, core.window);
    assert_int_equal(c.model.profile, core.profile);
    assert_int_equal(c.model.storage, core.storage);
    assert_int_equal(c.model.dense_labels, core.dense_labels);
    assert_int_equal(c.model.dense_weights, core.dense_weights);
    assert_clusters(&c.model.clusters, &core.clusters);
    assert_int_equal(problems, 0);
}

static void test_words_are_those_of_the_learner(void **state) {
    (void)state;
    for (size_t i = 0; i < homer_config_keys_n; i++) {
        if (strcmp(homer_config_keys[i].path, "model.objective") != 0) continue;
        for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++)
            assert_string_equal(homer_config_keys[i].words[o], homer_objective_word((enum homer_objective)o));
    }
}

static void test_numbers_with_fractions(void **state) {
    (void)state;
    assert_int_equal(
        load_text("{\"model\":{\"seed\":9,\"hierarchy\":{\"fading\":0.95,\"effect\":1},\"tree\":{"
                  "\"trees\":5,\"grace\":7,\"level\":1e-4,\"max_depth\":0},\"drift\":{\"scope\":\"off\"}}}"),
        0);
    assert_true(c.model.clusters.hierarchy.lambda == 0.95);
    assert_true(c.model.clusters.hierarchy.effect == 1);
    assert_int_equal(c.model.clusters.hierarchy.seed, 9); /* the model's */
    assert_true(c.model.clusters.tree.grace == 7);
    assert_true(c.model.clusters.tree.split.level == 1e-4f);
    assert_int_equal(c.model.clusters.tree.max_depth, 0);
    assert_int_equal(c.model.clusters.tree.trees, 5);
    assert_int_equal(c.model.clusters.tree.seed, 9);
    assert_int_equal(c.model.clusters.scope, HOMER_DRIFT_OFF);
    json_t *v = printed(&c); /* a float in its own digits, not in those of the double next to it */
    assert_true(json_number_value(at(v, "model.tree.level")) == 1e-4);
    assert_true(json_number_value(at(v, "model.hierarchy.fading")) == 0.95);
    json_decref(v);
    assert_int_equal(homer_config_set(&c, "model.hierarchy.delta=0.5", &err), 0);
    assert_int_equal(homer_config_set(&c, "model.hierarchy.delta=0.51", &err), HOMER_E_BAD_REQUEST);
    assert_int_equal(homer_config_set(&c, "model.hierarchy.delta=1e-10", &err), 0);
    assert_int_equal(homer_config_set(&c, "model.hierarchy.delta=half", &err), HOMER_E_BAD_REQUEST);
    assert_true(c.model.clusters.hierarchy.delta == 1e-10);
}

static void test_a_file_is_read_over_the_defaults(void **state) {
    (void)state;
    assert_int_equal(
        load_text("{\"listen\":[\"127.0.0.1:0\",\"[::1]:0\"],\"unix\":\"/tmp/x\","
                  "\"limits\":{\"max_line\":\"64KiB\",\"turn_lines\":3},\"log\":{\"level\":\"debug\"},"
                  "\"model\":{\"absent\":\"missing\",\"objective\":\"hamming\",\"seed\":9223372036854775807,"
                  "\"max_memory\":\"2GiB\",\"text\":{\"bigrams\":true}}}"),
        0);
    assert_int_equal(c.listen_n, 2);
    assert_string_equal(c.listen[1], "[::1]:0");
    assert_string_equal(c.unix_path, "/tmp/x");
    assert_int_equal(c.request.max_line, 65536);
    assert_int_equal(c.conn.max_line, 65536);
    assert_int_equal(c.conn.turn_lines, 3);
    assert_int_equal(c.log_level, HOMER_LOG_DEBUG);
    assert_true(c.model.absent_missing);
    assert_int_equal(c.model.objective, HOMER_HAMMING);
    assert_int_equal(c.model.seed, INT64_MAX);
    assert_int_equal(c.model.max_memory, (uint64_t)2 << 30);
    assert_true(c.model.text_bigrams);
    assert_int_equal(c.model.learner, HOMER_LEARNER_IHOMER);
    assert_int_equal(homer_config_set(&c, "model.learner=ihomer-paper", &err), 0);
    assert_int_equal(c.model.learner, HOMER_LEARNER_IHOMER_PAPER);
    assert_int_equal(c.conn.max_connections, 1024); /* untouched */
    assert_int_equal(load_text("{\"listen\":\"localhost:1\",\"unix\":null}"), 0);
    assert_int_equal(c.listen_n, 1);
    assert_string_equal(c.listen[0], "localhost:1");
    assert_null(c.unix_path);
}

static void test_refuses_and_names(void **state) {
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"colour\":1}", "unknown key \"colour\""},
        {"{\"model\":{\"objectiv\":1}}", "unknown key \"model.objectiv\"|did you mean \"model.objective\""},
        {"{\"max_line\":1}", "unknown key \"max_line\"|did you mean \"limits.max_line\""},
        {"{\"limit\":{\"max_line\":5000}}", "unknown key \"limit\"|did you mean \"limits\""},
        {"{\"limits.max_line\":5000}", "unknown key \"limits.max_line\""},
        {"{\"\":{\"unix\":null}}", "unknown key \"\""},
        {"{\"limits\":{\"\":1}}", "unknown key \"\""},
        {"{\"limits\":5}", "limits: expected an object"},
        {"{\"limits\":{\"max_line\":\"big\"}}", "limits.max_line|got \"big\"|from 1024 to 268435456"},
        {"{\"limits\":{\"max_line\":-1}}", "limits.max_line|got -1"},
        {"{\"limits\":{\"max_line\":\"1PiB\"}}", "limits.max_line|got \"1PiB\""},
        {"{\"limits\":{\"max_line\":\"99999999999999999999\"}}", "limits.max_line"},
        {"{\"limits\":{\"max_line\":\"18014398509481985KiB\"}}",
         "limits.max_line"}, /* 1 KiB after wrapping */
        {"{\"limits\":{\"turn_lines\":0}}", "limits.turn_lines|got 0|from 1 to 100000"},
        {"{\"limits\":{\"turn_lines\":\"64\"}}", "limits.turn_lines|got \"64\"|integer"},
        {"{\"limits\":{\"turn_lines\":1.0}}", "limits.turn_lines|got 1.0|integer"},
        {"{\"model\":{\"objective\":\"luck\"}}", "model.objective|\"luck\"|\"example_f1\" or \"micro_f1\""},
        {"{\"model\":{\"objective\":1}}", "model.objective|got 1"},
        {"{\"model\":{\"profile\":\"best\"}}", "model.profile|\"best\"|\"linear\""},
        {"{\"model\":{\"learner\":\"oracle\"}}", "model.learner|\"oracle\"|\"ihomer\" or \"ihomer-paper\""},
        {"{\"model\":{\"text\":{\"bigrams\":1}}}", "model.text.bigrams|got 1|true or false"},
        {"{\"model\":{\"hierarchy\":{\"a\":1}}}", "unknown key \"model.hierarchy.a\""},
        {"{\"model\":{\"hierarchy\":null}}", "model.hierarchy: expected an object"},
        {"{\"model\":{\"hierarchy\":{\"fading\":1}}}",
         "model.hierarchy.fading: got 1, |number from 0.9 to 0.999999"},
        {"{\"model\":{\"hierarchy\":{\"fading\":\"0.99\"}}}", "model.hierarchy.fading|got \"0.99\""},
        {"{\"model\":{\"hierarchy\":{\"delta\":0}}}", "model.hierarchy.delta|got 0"},
        {"{\"model\":{\"tree\":{\"level\":-0.5}}}", "model.tree.level|got -0.5"},
        {"{\"model\":{\"tree\":{\"trees\":65}}}", "model.tree.trees|got 65"},
        {"{\"model\":{\"tree\":{\"max_memory\":-1}}}", "model.tree.max_memory|got -1"},
        {"{\"model\":{\"tree\":{\"alternate\":1}}}", "model.tree.alternate|got 1|true or false"},
        {"{\"model\":{\"drift\":{\"scope\":\"all\"}}}", "model.drift.scope|\"off\" or \"cluster\""},
        {"{\"listen\":5}", "listen: got 5"},
        {"{\"listen\":[1]}", "listen: got [1]"},
        {"{\"listen\":\"\"}", "listen: got \"\""},
        {"{\"unix\":\"\"}", "unix: got \"\""},
        {"{\"http\":\"127.0.0.1:7780\"}", "http|this version has no HTTP"},
        {"{\"data_dir\":5}", "data_dir: got 5"},
        {"{\"durability\":\"sometimes\"}", "durability|got \"sometimes\"|\"always\""},
        {"{\"snapshot\":{\"keep\":0}}", "snapshot.keep: got 0"},
        {"{\"snapshot\":5}", "snapshot: expected an object"},
        {"{\"tls\":null}", "tls: expected an object"},
        {"{\"tls\":{\"cert\":1}}", "tls.cert: got 1"},
        {"{\"auth_token_file\":\"\"}", "auth_token_file: got \"\""},
        {"{\"unix\":null,\"unix\":null}", "duplicate object key|line 1, column"},
        {"{\n  \"unix\": null,\n  oops\n}", "line 3, column"},
        {"[]", "expected an object"},
        {"", "line 1"},
        {"{\"model\":{\"seed\":1e999}}", "line 1"},
    };
    (void)state;
    struct homer_config untouched;
    assert_int_equal(homer_config_init(&untouched), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        problems = 0;
        assert_int_equal(load_text(cases[i].text), HOMER_E_BAD_REQUEST);
        assert_says(cases[i].says);
        assert_says(file);
        assert_int_equal(problems, 1);
        assert_string_equal(last_problem, err.message);
        assert_prints_the_same(&c, &untouched);
    }
    homer_config_deinit(&untouched);
}

static void test_tells_every_problem_and_returns_the_first(void **state) {
    (void)state;
    assert_int_equal(load_text("{\"colour\":1,\"limits\":{\"max_line\":0,\"max_x\":7},\"unix\":3}"),
                     HOMER_E_BAD_REQUEST);
    assert_int_equal(problems, 3);
    assert_says("colour");
    assert_int_equal(c.request.max_x, 7);
    assert_int_equal(c.request.max_line, 1 << 20);
}

static void test_says_that_the_other_version_things_are_off(void **state) {
    (void)state;
    assert_int_equal(load_text("{\"http\":null}"), 0);
}

static void test_an_absent_file_is_an_errno(void **state) {
    (void)state;
    assert_int_equal(homer_config_load(&c, "/nonexistent.json", &err), -ENOENT);
    assert_says("/nonexistent.json|No such file");
}

static void test_set_by_dotted_path(void **state) {
    (void)state;
    assert_int_equal(homer_config_set(&c, "model.objective=micro_f1", &err), 0);
    assert_int_equal(c.model.objective, HOMER_MICRO_F1);
    assert_int_equal(homer_config_set(&c, "model.objective=\"subset\"", &err), 0);
    assert_int_equal(c.model.objective, HOMER_SUBSET);
    assert_int_equal(homer_config_set(&c, "limits.max_line=64KiB", &err), 0);
    assert_int_equal(c.conn.max_line, 65536);
    assert_int_equal(homer_config_set(&c, "limits={\"max_line\":2048,\"max_y\":5}", &err), 0);
    assert_int_equal(c.request.max_line, 2048);
    assert_int_equal(c.request.max_y, 5);
    assert_int_equal(homer_config_set(&c, "listen=127.0.0.1:0", &err), 0);
    assert_string_equal(c.listen[0], "127.0.0.1:0");
    assert_int_equal(homer_config_set(&c, "unix=/tmp/a=b", &err), 0);
    assert_string_equal(c.unix_path, "/tmp/a=b");
    assert_int_equal(homer_config_set(&c, "unix=null", &err), 0);
    assert_null(c.unix_path);
    assert_int_equal(homer_config_set(&c, "model.text.bigrams=true", &err), 0);
    assert_true(c.model.text_bigrams);
    assert_int_equal(c.model.learner, HOMER_LEARNER_IHOMER);
    assert_int_equal(homer_config_set(&c, "model.learner=ihomer-paper", &err), 0);
    assert_int_equal(c.model.learner, HOMER_LEARNER_IHOMER_PAPER);
    assert_int_equal(problems, 0);
}

static void test_set_refuses(void **state) {
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"novalue", "novalue|key=value"},
        {"=1", "=1|key=value"},
        {"colour=1", "unknown key \"colour\""},
        {"model.window=abc", "model.window|\"abc\""},
        {"model=3", "model: expected an object"},
        {"model.objective=", "model.objective|got \"\""},
        {"snapshot.keep=0", "snapshot.keep: got 0"},
        {"unix=\xff", "unix|UTF-8"},
        {"durability=allways", "durability|\"allways\""},
        {"model.windw=3", "did you mean \"model.window\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(homer_config_set(&c, cases[i].text, &err), HOMER_E_BAD_REQUEST);
        assert_says(cases[i].says);
    }
}

static void test_a_model_object(void **state) {
    struct homer_model_config m, before;
    (void)state;
    homer_model_config_default(&m);
    struct homer_str good = {"{\"objective\":\"hamming\",\"window\":50,\"learner\":\"ihomer\"}", 0};
    good.n = strlen(good.s);
    assert_int_equal(homer_config_model(&m, good, &err), 0);
    assert_int_equal(m.objective, HOMER_HAMMING);
    assert_int_equal(m.window, 50);
    assert_int_equal(m.max_labels, 10000);
    before = m;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"seed\":5,\"window\":0}", "window: got 0"},
        {"{\"seed\":5,\"windw\":1}", "unknown key \"windw\"|did you mean \"window\""},
        {"{\"seed\":5,\"listen\":1}", "unknown key \"listen\""},
        {"{\"text\":5}", "text: expected an object"},
        {"3", "line 1"},
        {"[]", "expected an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct homer_str bad = {cases[i].text, strlen(cases[i].text)};
        assert_int_equal(homer_config_model(&m, bad, &err), HOMER_E_BAD_REQUEST);
        assert_says(cases[i].says);
        assert_int_equal(m.seed, before.seed); /* nothing half done */
        assert_null(strstr(err.message, "model."));
    }
    struct homer_buf out;
    homer_buf_init(&out, &mem);
    homer_config_print_model(&m, &out);
    struct homer_str again = {out.data, out.n};
    homer_model_config_default(&before);
    assert_int_equal(homer_config_model(&before, again, &err), 0);
    assert_int_equal(before.objective, m.objective);
    assert_int_equal(before.window, m.window);
    homer_buf_deinit(&out);
}

static void test_refuses_what_is_no_address(void **state) {
    static const struct {
        const char *address, *says;
    } cases[] = {
        {"example.org:7707", "example.org|not looked up"},
        {"127.0.0.1", "127.0.0.1|HOST:PORT"},
        {"127.0.0.1:65536", "65536"},
        {"127.0.0.1:", "HOST:PORT"},
        {"127.0.0.1:+1", "HOST:PORT"},
        {"[127.0.0.1]:1", "HOST:PORT"},
        {"::1:1", "::1:1"},
        {"", "HOST:PORT"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char assignment[128];
        snprintf(assignment, sizeof assignment, "listen=[\"127.0.0.1:1\",\"%s\"]", cases[i].address);
        assert_int_equal(homer_config_set(&c, assignment, &err), HOMER_E_BAD_REQUEST);
        if (*cases[i].address) assert_says(cases[i].says);
        assert_string_equal(c.listen[0], "127.0.0.1:7707");
        /* from the command line it is the check that finds it */
        struct homer_config other;
        assert_int_equal(homer_config_init(&other), 0);
        assert_int_equal(homer_config_listen(&other, &cases[i].address, 1, NULL), 0);
        assert_int_equal(homer_config_check(&other, &err), HOMER_E_BAD_REQUEST);
        assert_says(cases[i].says);
        homer_config_deinit(&other);
    }
    static const char *const good[] = {"127.0.0.1:0", "127.9.8.7:65535", "[::1]:7", "localhost:7707"};
    assert_int_equal(homer_config_listen(&c, good, 4, NULL), 0);
    assert_int_equal(homer_config_check(&c, &err), 0);
}

static void test_checks_of_everything_together(void **state) {
    char path[200] = "unix=/tmp/";
    (void)state;
    assert_int_equal(homer_config_set(&c, "limits.low_water=1MiB", &err), 0);
    assert_int_equal(homer_config_set(&c, "listen=[]", &err), 0);
    problems = 0;
    assert_int_equal(homer_config_check(&c, &err), HOMER_E_BAD_REQUEST);
    assert_int_equal(problems, 2);
    assert_says("listen|nothing to listen on");
    assert_non_null(strstr(last_problem, "limits.low_water"));
    memset(path + strlen(path), 'x', 110);
    assert_int_equal(homer_config_set(&c, path, &err), 0);
    assert_int_equal(homer_config_set(&c, "limits.low_water=1", &err), 0);
    assert_int_equal(homer_config_check(&c, &err), HOMER_E_BAD_REQUEST);
    assert_says("unix|107");
    assert_int_equal(homer_config_listen(&c, NULL, 0, "/tmp/x"), 0);
    assert_int_equal(c.listen_n, 0);
    assert_int_equal(homer_config_check(&c, &err), 0);
}
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),
        TEST(test_words_are_those_of_the_learner),
        TEST(test_numbers_with_fractions),
        TEST(test_a_file_is_read_over_the_defaults),
        TEST(test_refuses_and_names),
        TEST(test_tells_every_problem_and_returns_the_first),
        TEST(test_says_that_the_other_version_things_are_off),
        TEST(test_an_absent_file_is_an_errno),
        TEST(test_set_by_dotted_path),
        TEST(test_set_refuses),
        TEST(test_a_model_object),
        TEST(test_refuses_what_is_no_address),
        TEST(test_checks_of_everything_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
