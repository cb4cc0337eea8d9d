/* Refused allocations, one by one: what failed changed nothing and succeeds when repeated, what was learned
 * is acknowledged. */
#include "tests/unit/daemon/engine_fixture.h"

enum { MANY = 10000 };

static const char *const new_names =
    "{\"op\":\"test\",\"x\":{\"n1\":1,\"n2\":true,\"n3\":\"v\",\"tags\":[\"p\",\"q\",\"p\",\"r\",\"s\"],"
    "\"n4\":null},"
    "\"text\":\"some words that nobody has said before, some of them twice\","
    "\"y\":[\"n5\",\"n6\",\"n7\",\"red\"],\"scores\":\"all\"}";

static enum homer_learner_kind learner; /* of the model whose lines fail_each fails */

static void open_with_learner(struct fixture *f) {
    fixture_configure(f);
    f->config.model.learner = learner;
    fixture_start(f, 7);
}

static bool succeeded(struct fixture *f) {
    json_t *reply = fixture_reply(f);
    bool ok = json_is_true(json_object_get(reply, "ok"));
    const char *code = json_string_value(json_object_get(json_object_get(reply, "error"), "code"));
    if (!ok) assert_true(code && (strcmp(code, "internal") == 0 || strcmp(code, "too_many") == 0));
    json_decref(reply);
    return ok;
}

static void state_of(struct fixture *f, char hex[33], struct homer_schema_mark *mark) {
    digest_of(f, "default", hex);
    *mark = homer_schema_mark(homer_model_schema(model_of(f, "default")));
}

/* Fails the k-th allocation of a line, for every k, in the memory that `mem_of` names. Returns how many
 * failed. */
static unsigned fail_each(const char *line, struct homer_mem *(*mem_of)(struct fixture *)) {
    struct fixture f;
    char want[33], before[33], after[33];
    struct homer_schema_mark was, is;
    open_with_learner(&f);
    teach(&f);
    do_ok(&f, line);
    state_of(&f, want, &is);
    fixture_close(&f);

    for (unsigned k = 1; k < MANY; k++) {
        open_with_learner(&f);
        teach(&f);
        state_of(&f, before, &was);
        homer_buf_deinit(&f.out); /* the reply has to be allocated, too */
        struct homer_mem *mem = mem_of(&f);
        mem->fail_in = k;
        fixture_send(&f, line, strlen(line));
        bool fired = mem->fail_in == 0;
        mem->fail_in = 0;
        bool silent = f.out.failed; /* not even a refusal could be written */
        if (silent) assert_int_equal(f.out.n, 0);
        bool ok = !silent && succeeded(&f);
        if (!fired) assert_true(ok);
        if (!ok) {
            homer_buf_truncate(&f.out, 0);
            state_of(&f, after, &is);
            assert_string_equal(before, after);
            assert_memory_equal(&was, &is, sizeof was);
            do_ok(&f, line);
        }
        state_of(&f, after, &is);
        assert_string_equal(after, want);
        fixture_close(&f);
        if (!fired) return k - 1;
    }
    fail_msg("still failing");
    return 0;
}

static struct homer_mem *of_model(struct fixture *f) {
    return homer_model_mem(model_of(f, "default"));
}

static struct homer_mem *of_engine(struct fixture *f) {
    return &f->engine->mem;
}

static struct homer_mem *of_reply(struct fixture *f) {
    return &f->mem;
}

static void learning_is_all_or_nothing(void **state) {
    (void)state;
    for (learner = 0; learner < HOMER_LEARNERS; learner++) {
        assert_true(fail_each(new_names, of_model) > 3);
        fail_each(new_names, of_engine);
        assert_true(fail_each(new_names, of_reply) >= 1);
    }
    learner = HOMER_LEARNER_IHOMER;
}

static void reading_is_refused_or_whole(void **state) {
    (void)state;
    for (learner = 0; learner < HOMER_LEARNERS; learner++) {
        assert_true(fail_each("{\"op\":\"hierarchy\",\"format\":\"dot\"}", of_engine) >= 1);
        assert_true(fail_each("{\"op\":\"hierarchy\",\"format\":\"dot\"}", of_reply) >= 1);
        assert_true(fail_each("hierarchy", of_reply) >= 1);
        assert_true(fail_each("drifts", of_reply) >= 1);
    }
    learner = HOMER_LEARNER_IHOMER;
}

/* An engine that never had a line has nothing allocated yet. */
static void first_line_survives_every_failure(void **state) {
    (void)state;
    unsigned k = 1;
    for (bool fired = true; fired && k < MANY; k++) {
        struct fixture f;
        fixture_open(&f);
        f.engine->mem.fail_in = k;
        fixture_send(&f, new_names, strlen(new_names));
        fired = f.engine->mem.fail_in == 0;
        f.engine->mem.fail_in = 0;
        if (succeeded(&f)) {
            assert_int_equal(homer_model_seq(model_of(&f, "default")), 1);
        } else {
            assert_int_equal(homer_model_seq(model_of(&f, "default")), 0);
            do_ok(&f, new_names);
        }
        fixture_close(&f);
    }
    assert_true(k > 5);
}

/* However little memory there is for replies: as many acknowledgements as instances learned. */
static void whatever_was_learned_is_acknowledged(void **state) {
    (void)state;
    const char *line =
        "{\"op\":\"batch\",\"id\":\"the batch\",\"items\":["
        "{\"op\":\"test\",\"x\":{\"a\":1},\"y\":[\"k\"],\"scores\":\"all\",\"id\":1},"
        "{\"op\":\"labels\",\"id\":2},{\"x\":{\"a\":2},\"y\":[\"l\"],\"id\":3},{\"op\":\"stats\",\"id\":4},"
        "{\"op\":\"test\",\"x\":{\"a\":1},\"y\":[\"m\"],\"scores\":\"all\",\"id\":5,\"metrics\":true},"
        "{\"x\":{\"a\":\"not a number\"},\"y\":[\"l\"],\"id\":6},{\"x\":{\"a\":2},\"y\":[\"l\"],\"id\":7}]}";
    unsigned refused = 0, shortened = 0, whole = 0;
    for (size_t cap = 256; cap < 20000; cap += 256) {
        struct fixture f;
        fixture_open(&f);
        homer_buf_deinit(&f.out);
        f.mem.max_bytes = cap;
        fixture_send(&f, line, strlen(line));
        uint64_t learned = homer_model_seq(model_of(&f, "default"));
        if (f.out.failed || !succeeded(&f)) {
            assert_int_equal(learned, 0);
            refused++;
            fixture_close(&f);
            continue;
        }
        json_t *batch = fixture_reply(&f), *replies = json_object_get(batch, "replies"), *reply;
        size_t i;
        unsigned failures = 0;
        uint64_t seen = 0;
        json_array_foreach(replies, i, reply) {
            assert_int_equal(int_of(reply, "id"), i + 1);
            if (!json_is_true(json_object_get(reply, "ok")))
                failures++;
            else if (i != 1 && i != 3)
                assert_int_equal(int_of(reply, "seq"), ++seen);
            if (json_is_true(json_object_get(reply, "truncated"))) shortened++;
        }
        assert_int_equal(i, 7);
        assert_int_equal(learned, seen);
        assert_int_equal(learned, 4);
        if (failures == 1) whole++;
        json_decref(batch);
        fixture_close(&f);
    }
    assert_true(refused && shortened && whole);
}

/* As fail_each, for verbs that learn nothing. */
static unsigned survive(const char *line, struct homer_mem *(*mem_of)(struct fixture *)) {
    for (unsigned k = 1; k < MANY; k++) {
        struct fixture f;
        fixture_open(&f);
        teach(&f);
        homer_buf_deinit(&f.out);
        struct homer_mem *mem = mem_of(&f);
        mem->fail_in = k;
        fixture_send(&f, line, strlen(line));
        bool fired = mem->fail_in == 0;
        mem->fail_in = 0;
        if (f.out.failed || !succeeded(&f)) {
            assert_true(fired);
            homer_buf_truncate(&f.out, 0);
            assert_int_equal(f.engine->entry_n, 1);
            do_ok(&f, line);
        }
        fixture_close(&f);
        if (!fired) return k - 1;
    }
    fail_msg("still failing");
    return 0;
}

static void verbs_that_only_read_survive(void **state) {
    (void)state;
    static const char *const lines[] = {
        "{\"x\":{\"age\":1,\"tags\":[\"u\",\"v\",\"a\"]},\"text\":\"unheard words\",\"scores\":\"top:3\"}",
        "stats",
        "features",
        "labels",
        "hello",
        "help",
        "config",
        "model.list",
        "digest",
        "{\"op\":\"model.create\",\"name\":\"other\",\"config\":{\"objective\":\"subset\"}}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_true(survive(lines[i], of_reply) >= 1);
        survive(lines[i], of_engine);
    }
}

static void the_registry_grows_and_shrinks(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct homer_entry *entry = f.engine->entry[0];
    for (int i = 0; i < 3; i++) {
        do_ok(&f, "{\"op\":\"model.create\",\"name\":\"a\"}");
        do_ok(&f, "{\"op\":\"model.create\",\"name\":\"b\"}");
        do_ok(&f, "{\"op\":\"model.drop\",\"name\":\"a\"}");
        do_ok(&f, "{\"op\":\"model.drop\",\"name\":\"b\"}");
    }
    assert_ptr_equal(entry, f.engine->entry[0]);
    fixture_close(&f);
    assert_null(homer_engine_free(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learning_is_all_or_nothing),
        cmocka_unit_test(reading_is_refused_or_whole),
        cmocka_unit_test(first_line_survives_every_failure),
        cmocka_unit_test(whatever_was_learned_is_acknowledged),
        cmocka_unit_test(verbs_that_only_read_survive),
        cmocka_unit_test(the_registry_grows_and_shrinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
