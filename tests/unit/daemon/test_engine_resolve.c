/* Names to ids: what a request becomes before the model sees it. */
#include "tests/unit/daemon/engine_fixture.h"

#include <math.h>

struct resolving {
    struct homer_mem mem;
    struct homer_model *model;
    struct homer_resolver resolver;
    struct homer_request request;
    struct homer_request_limits limits;
    struct homer_instance x;
};

static void begin(struct resolving *t) {
    struct homer_model_config config;
    const uint8_t key[16] = {1, 2, 3};
    *t = (struct resolving){.limits = {1 << 24, 8, 256, 100, 2000000, 300000}};
    homer_model_config_default(&config);
    config.max_labels = 1000000;
    assert_int_equal(homer_model_new(&t->model, &config, key), 0);
    assert_int_equal(homer_resolver_init(&t->resolver, &t->mem, key), 0);
    homer_request_init(&t->request, &t->mem);
}

static void end(struct resolving *t) {
    homer_resolver_deinit(&t->resolver);
    homer_request_deinit(&t->request);
    homer_model_free(t->model);
    assert_int_equal(t->mem.used_bytes, 0);
}

/* Resolves one line; without intern only its features. */
static void resolve(struct resolving *t, const char *line, bool intern) {
    struct homer_error err = {0};
    homer_request_parse(&t->request, line, strlen(line), &t->limits);
    if (t->request.error.code) fail_msg("%s: %s", line, t->request.error.message);
    assert_int_equal(homer_resolve_x(&t->resolver, t->model, &t->request, &t->limits, intern, &t->x, &err),
                     0);
    if (intern) assert_int_equal(homer_resolve_y(&t->resolver, t->model, &t->request, &t->x, &err), 0);
}

/* The value of a feature in the instance; NAN when it is not listed. Each id stands there once. */
static double value_of(struct resolving *t, const char *name, enum homer_feature_type type,
                       const char *value) {
    uint32_t id;
    double found = (double)NAN;
    assert_int_equal(homer_schema_feature(homer_model_schema(t->model), name, strlen(name), type, value,
                                          value ? strlen(value) : 0, false, &id, NULL),
                     0);
    for (uint32_t i = 0; i < t->x.feature_n; i++) {
        if (t->x.feature[i] != id) continue;
        assert_true(isnan(found));
        found = (double)t->x.value[i];
    }
    return found;
}

static uint32_t label(struct resolving *t, const char *name) {
    uint32_t id;
    homer_schema_label(homer_model_schema(t->model), name, strlen(name), false, &id, NULL);
    assert_int_not_equal(id, HOMER_NO_ID);
    return id;
}

/* Entries of the instance that have no id. */
static unsigned unseen_n(const struct resolving *t) {
    unsigned n = 0;
    for (uint32_t i = 0; i < t->x.feature_n; i++) n += t->x.feature[i] == HOMER_NO_ID;
    return n;
}

static void every_type_has_its_value(void **state) {
    (void)state;
    struct resolving t;
    begin(&t);
    resolve(&t,
            "{\"x\":{\"n\":-2.5,\"zero\":0,\"yes\":true,\"no\":false,\"city\":\"Oslo\",\"tags\":[\"b\",\"a\","
            "\"b\",\"b\"],\"none\":[],"
            "\"null\":null},\"text\":\"A rose is a Rose is a rose\",\"y\":[],\"w\":3}",
            true);
    assert_true(value_of(&t, "n", HOMER_NUMERIC, NULL) == -2.5);
    assert_true(value_of(&t, "zero", HOMER_NUMERIC, NULL) == 0); /* listed: the model decides */
    assert_true(value_of(&t, "yes", HOMER_BINARY, NULL) == 1);
    assert_true(value_of(&t, "no", HOMER_BINARY, NULL) == 0);
    assert_true(value_of(&t, "city", HOMER_NOMINAL, "Oslo") == 1);
    assert_true(value_of(&t, "tags", HOMER_BAG, "a") == 1);
    assert_true(value_of(&t, "tags", HOMER_BAG, "b") == 3);
    assert_true(fabs(value_of(&t, "", HOMER_TEXT, "rose") - (1 + log(3))) < 1e-6);
    assert_true(fabs(value_of(&t, "", HOMER_TEXT, "is") - (1 + log(2))) < 1e-6);
    assert_int_equal(t.x.feature_n, 5 + 2 + 3);
    assert_int_equal(t.x.missing_n, 0);
    assert_int_equal(homer_model_schema(t.model)->attributes.n, 7); /* not "none", not "null" */
    assert_true(t.x.weight == 3);
    end(&t);
}

static void null_is_missing_where_it_means_something(void **state) {
    (void)state;
    struct resolving t;
    begin(&t);
    resolve(&t, "{\"x\":{\"n\":1,\"b\":true,\"city\":\"Oslo\",\"tags\":[\"a\"]},\"y\":[]}", true);
    for (int intern = 0; intern < 2; intern++) {
        resolve(&t,
                intern
                    ? "{\"x\":{\"n\":null,\"b\":null,\"city\":null,\"tags\":null,\"unheard\":null},\"y\":[]}"
                    : "{\"x\":{\"n\":null,\"b\":null,\"city\":null,\"tags\":null,\"unheard\":null}}",
                intern);
        assert_int_equal(t.x.feature_n, 0);
        assert_int_equal(t.x.missing_n, 2);
        assert_int_equal(unseen_n(&t), 0);
        assert_int_equal(t.x.missing[0] + t.x.missing[1], 1); /* the first two ids */
        assert_int_equal(homer_model_schema(t.model)->attributes.n, 4);
    }
    end(&t);
}

static void what_a_prediction_does_not_know_is_counted_once(void **state) {
    (void)state;
    struct resolving t;
    begin(&t);
    resolve(&t, "{\"x\":{\"n\":1,\"city\":\"Oslo\",\"tags\":[\"a\"]},\"text\":\"known\",\"y\":[]}", true);
    struct homer_schema_mark was = homer_schema_mark(homer_model_schema(t.model));
    const char *line =
        "{\"x\":{\"n\":2,\"m\":1,\"zero\":0,\"no\":false,\"yes\":true,\"city\":\"Rome\",\"town\":\"Rome\","
        "\"tags\":[\"b\",\"a\",\"b\",\"c\"],\"bags\":[\"b\",\"b\"]},\"text\":\"known or or unknown\"}";
    for (int again = 0; again < 2; again++) {
        resolve(&t, line, false);
        assert_int_equal(t.x.feature_n - unseen_n(&t), 3); /* n, a, known */
        /* m, yes, Rome, Rome of town, b and c of tags, b of bags, or, unknown */
        assert_int_equal(unseen_n(&t), 9);
    }
    struct homer_schema_mark is = homer_schema_mark(homer_model_schema(t.model));
    assert_memory_equal(&was, &is, sizeof was);
    end(&t);
}

static void labels_are_sorted_and_distinct(void **state) {
    (void)state;
    struct resolving t;
    begin(&t);
    resolve(&t, "{\"x\":{},\"y\":[\"c\",\"b\",\"a\"]}", true);
    resolve(&t, "{\"x\":{},\"y\":[\"a\",\"d\",\"c\",\"a\",\"d\"]}", true);
    assert_false(t.x.partial);
    assert_int_equal(t.x.positive_n, 3);
    assert_int_equal(t.x.negative_n, 0);
    assert_int_equal(t.x.positive[0], label(&t, "c"));
    assert_int_equal(t.x.positive[1], label(&t, "a"));
    assert_int_equal(t.x.positive[2], label(&t, "d"));

    resolve(&t, "{\"x\":{},\"y\":{\"d\":false,\"b\":true,\"c\":false,\"e\":false,\"f\":null}}", true);
    assert_true(t.x.partial);
    assert_int_equal(t.x.positive_n, 1);
    assert_int_equal(t.x.negative_n, 3);
    assert_int_equal(t.x.negative[0], label(&t, "c"));
    assert_int_equal(t.x.negative[1], label(&t, "d"));
    assert_int_equal(t.x.negative[2], label(&t, "e")); /* known now, as a label that was never there */
    assert_int_equal(homer_model_schema(t.model)->labels.n, 5); /* unknown is not known */
    end(&t);
}

/* Sizes at which anything quadratic would take minutes. */
static void hostile_sizes_take_no_time(void **state) {
    (void)state;
    enum { N = 200000 };
    struct resolving t;
    begin(&t);
    struct homer_buf line;
    homer_buf_init(&line, &t.mem);
    homer_buf_puts(&line, "{\"x\":{\"tags\":[\"a\"");
    for (int i = 0; i < N; i++) homer_buf_printf(&line, ",\"%d\"", i % (N / 2));
    homer_buf_puts(&line, "]}");
    size_t features = line.n;
    homer_buf_putc(&line, '}');
    homer_buf_putc(&line, '\0');
    resolve(&t, line.data, false);
    assert_int_equal(unseen_n(&t), N / 2 + 1);
    resolve(&t, "{\"x\":{\"tags\":[\"z\",\"z\"]}}", false); /* and nothing of it stays behind */
    assert_int_equal(unseen_n(&t), 1);

    homer_buf_truncate(&line, features);
    homer_buf_puts(&line, ",\"y\":[\"l\"");
    for (int i = N; i > 0; i--) homer_buf_printf(&line, ",\"%d\"", i % (N / 2));
    homer_buf_puts(&line, "]}");
    homer_buf_putc(&line, '\0');
    resolve(&t, line.data, true);
    assert_int_equal(t.x.feature_n, N / 2 + 1);
    assert_true(value_of(&t, "tags", HOMER_BAG, "77") == 2);
    assert_int_equal(t.x.positive_n, N / 2 + 1);
    for (uint32_t i = 1; i < t.x.positive_n; i++) assert_true(t.x.positive[i - 1] < t.x.positive[i]);
    homer_buf_deinit(&line);
    end(&t);
}

/* A line of up to eight features in an order that lines mostly share, with values of types that mostly fit.
 */
static void some_line(char *line, size_t size, unsigned *seed) {
    static const char *const fits[] = {"1.5", "true", "\"red\"", "[\"u\",\"v\",\"u\"]"};
    size_t n = (size_t)snprintf(line, size, "{\"text\":\"word w%u\",\"x\":{", rand_r(seed) % 9);
    for (unsigned i = 0, turn = rand_r(seed) % 4 ? 0 : rand_r(seed) % 8; i < 8; i++) {
        unsigned name = (i + turn) % 8, odd = rand_r(seed) % 40;
        if (rand_r(seed) % 8 == 0) continue;
        n += (size_t)snprintf(line + n, size - n, "\"f%u\":%s,", name,
                              odd == 0   ? fits[(name + 1) % 4]
                              : odd == 1 ? "null"
                              : odd == 2 ? "\"blue\""
                                         : fits[name % 4]);
    }
    snprintf(line + n, size - n, "\"last\":0},\"y\":[\"a\",\"b%u\"]}", rand_r(seed) % 9);
}

static void assert_same_instance(const struct homer_instance *a, const struct homer_instance *b) {
    assert_int_equal(a->feature_n, b->feature_n);
    assert_int_equal(a->missing_n, b->missing_n);
    assert_int_equal(a->text_n, b->text_n);
    assert_memory_equal(a->feature, b->feature, a->feature_n * sizeof *a->feature);
    assert_memory_equal(a->value, b->value, a->feature_n * sizeof *a->value);
    assert_memory_equal(a->missing, b->missing, a->missing_n * sizeof *a->missing);
}

/* One resolver for two models, whose interning is undone now and then and which are made anew now and then,
 * against a resolver that remembers nothing. */
static void what_is_remembered_changes_nothing(void **state) {
    (void)state;
    struct resolving t;
    begin(&t);
    unsigned seed = 1, refused = 0;
    struct homer_model *twin[2][2] = {{NULL}}; /* [which][0: remembering, 1: not] */
    for (int step = 0; step < 20000; step++) {
        char line[512];
        struct homer_instance x[2];
        struct homer_error err[2] = {{0}};
        struct homer_resolver fresh;
        int rc[2];
        const uint8_t key[16] = {9};
        struct homer_model **m = twin[rand_r(&seed) % 3 == 0];
        if (rand_r(&seed) % 500 == 0) m[0] = homer_model_free(m[0]), m[1] = homer_model_free(m[1]);
        for (int i = 0; i < 2; i++)
            if (!m[i]) assert_int_equal(homer_model_new(&m[i], homer_model_config(t.model), key), 0);
        some_line(line, sizeof line, &seed);
        homer_request_parse(&t.request, line, strlen(line), &t.limits);
        assert_int_equal(t.request.error.code, 0);
        assert_int_equal(homer_resolver_init(&fresh, &t.mem, key), 0);
        bool intern = rand_r(&seed) % 3, undo = rand_r(&seed) % 8 == 0;
        for (int i = 0; i < 2; i++) {
            struct homer_resolver *r = i ? &fresh : &t.resolver;
            homer_model_begin(m[i]);
            rc[i] = homer_resolve_x(r, m[i], &t.request, &t.limits, intern, &x[i], &err[i]);
        }
        assert_int_equal(rc[0], rc[1]);
        assert_string_equal(err[0].message, err[1].message);
        assert_same_instance(&x[0], &x[1]);
        refused += rc[0] != 0;
        if (rc[0] || undo) homer_model_abort(m[0]), homer_model_abort(m[1]);
        homer_resolver_deinit(&fresh);
    }
    assert_true(refused > 100);
    for (int i = 0; i < 4; i++) homer_model_free(twin[i / 2][i % 2]);
    end(&t);
}

static void the_hot_path_allocates_nothing(void **state) {
    (void)state;
    struct resolving t;
    begin(&t);
    const char *learn = "{\"x\":{\"n\":1,\"city\":\"Oslo\",\"tags\":[\"a\",\"b\"]},\"text\":\"some "
                        "words\",\"y\":[\"l\",\"m\"]}";
    const char *predict = "{\"x\":{\"n\":1,\"tags\":[\"c\",\"d\",\"c\"]},\"text\":\"other words\"}";
    resolve(&t, learn, true);
    resolve(&t, predict, false);
    size_t used = t.mem.used_bytes;
    t.mem.fail_in = 1;
    for (int i = 0; i < 100; i++) {
        resolve(&t, learn, true);
        resolve(&t, predict, false);
    }
    assert_int_equal(t.mem.used_bytes, used);
    assert_int_equal(t.mem.fail_in, 1);
    end(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_its_value),
        cmocka_unit_test(null_is_missing_where_it_means_something),
        cmocka_unit_test(what_a_prediction_does_not_know_is_counted_once),
        cmocka_unit_test(labels_are_sorted_and_distinct),
        cmocka_unit_test(hostile_sizes_take_no_time),
        cmocka_unit_test(what_is_remembered_changes_nothing),
        cmocka_unit_test(the_hot_path_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
