/* Batches that let others have their turn between two items. */
#include "tests/unit/daemon/engine_fixture.h"

/* A session of its own, with no time at all. */
struct talk {
    struct homer_session session;
    struct homer_buf out;
    unsigned goes;
};

static void talk_open(struct fixture *f, struct talk *t, uint64_t id) {
    *t = (struct talk){.session = {.id = id, .trusted = true, .until_ns = 1}};
    homer_buf_init(&t->out, &f->mem);
}

/* Sends the line (NULL: goes on with the one before). True: it is not done yet. */
static bool go(struct fixture *f, struct talk *t, const char *line) {
    t->goes++;
    return homer_engine_line(f->engine, &t->session, line, line ? strlen(line) : 0, false, &t->out) &
           HOMER_LINE_MORE;
}

static void talk_end(struct fixture *f, struct talk *t, const char *want) {
    while (go(f, t, NULL)) continue;
    assert_null(t->session.batch);
    json_t *got = json_loadb(t->out.data, t->out.n, 0, NULL), *wanted = json_loads(want, 0, NULL);
    assert_non_null(wanted);
    if (!json_equal(got, wanted)) fail_msg("got %.*s, want %s", (int)t->out.n, t->out.data, want);
    json_decref(got);
    json_decref(wanted);
    homer_buf_deinit(&t->out);
}

static const char four[] =
    "{\"op\":\"batch\",\"id\":\"b\",\"items\":[{\"x\":{\"a\":1},\"y\":[\"l\"]},{\"x\":{\"a\":2},"
    "\"y\":[\"m\"],\"noreply\":true},{\"op\":\"fly\",\"id\":3},{\"x\":{\"a\":3},\"y\":[\"l\"]}]}";

static void others_are_answered_between_items(void **state) {
    struct fixture f;
    struct talk t;
    (void)state;
    fixture_open(&f);
    talk_open(&f, &t, 2);
    assert_true(go(&f, &t, four));
    expect(&f, "{\"x\":{\"b\":1},\"y\":[\"n\"]}", "{\"ok\":true,\"seq\":2}");
    assert_true(go(&f, &t, NULL));
    expect(&f, "{\"x\":{\"b\":1},\"y\":[\"n\"],\"noreply\":false}", "{\"ok\":true,\"seq\":4}");
    assert_true(f.engine->batch_bytes > 0);
    talk_end(
        &f, &t,
        "{\"ok\":true,\"id\":\"b\",\"replies\":[{\"ok\":true,\"seq\":1},{\"ok\":false,\"error\":{\"code\":"
        "\"unknown_op\",\"message\":\"unknown op \\\"fly\\\"; \\\"help\\\" lists what there "
        "is\",\"retry\":false},\"id\":3},{\"ok\":true,\"seq\":5}]}");
    assert_int_equal(t.goes, 4);
    assert_int_equal(f.engine->batch_bytes, 0);
    fixture_close(&f);
}

/* In one go or in several: the same model, the same reply. */
static void interruptions_change_nothing(void **state) {
    struct fixture f;
    char digest[2][33];
    size_t n = 0;
    char reply[1000];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct talk t;
        fixture_open(&f);
        teach(&f);
        talk_open(&f, &t, 2);
        if (i == 0) t.session.until_ns = 0;
        for (bool more = go(&f, &t, four); more;) more = go(&f, &t, NULL);
        assert_int_equal(t.goes, i ? 4 : 1);
        assert_true(t.out.n < sizeof reply);
        if (i) {
            assert_int_equal(t.out.n, n);
            assert_memory_equal(t.out.data, reply, n);
        }
        n = t.out.n;
        memcpy(reply, t.out.data, n);
        homer_buf_deinit(&t.out);
        digest_of(&f, "default", digest[i]);
        fixture_close(&f);
    }
    assert_string_equal(digest[0], digest[1]);
}

static void the_model_may_go_meanwhile(void **state) {
    struct fixture f;
    struct talk t;
    (void)state;
    fixture_open(&f);
    talk_open(&f, &t, 2);
    assert_true(
        go(&f, &t,
           "{\"op\":\"batch\",\"items\":[{\"x\":{\"a\":1},\"y\":[\"l\"]},{\"x\":{\"a\":1},\"y\":[\"l\"]},"
           "{\"op\":\"ping\"}]}"));
    do_ok(&f, "{\"op\":\"model.drop\",\"name\":\"default\"}");
    talk_end(
        &f, &t,
        "{\"ok\":true,\"replies\":[{\"ok\":true,\"seq\":1},{\"ok\":false,\"error\":{\"code\":\"unknown_"
        "model\","
        "\"message\":\"there is no model \\\"default\\\"\",\"retry\":false}},{\"ok\":true,\"pong\":true}]}");
    fixture_close(&f);
}

/* Too much at one time, or no memory to keep one: it runs through. */
static void what_cannot_be_kept_runs_through(void **state) {
    enum { MOST = 8 };
    struct fixture f;
    struct talk t[MOST + 2];
    (void)state;
    fixture_open(&f);
    const char *pings =
        "{\"op\":\"batch\",\"items\":[{\"op\":\"ping\"},{\"op\":\"ping\"},{\"op\":\"ping\"}]}";
    const char *pongs = "{\"ok\":true,\"replies\":[{\"ok\":true,\"pong\":true},{\"ok\":true,\"pong\":true},"
                        "{\"ok\":true,\"pong\":true}]}";
    for (unsigned i = 0; i < MOST + 2; i++) talk_open(&f, &t[i], i + 2);
    f.engine->mem.fail_in = 1;
    assert_false(go(&f, &t[MOST + 1], pings));
    assert_int_equal(f.engine->mem.fail_in, 0);
    for (unsigned i = 0; i < MOST; i++) assert_true(go(&f, &t[i], pings));
    f.engine->batch_max = f.engine->batch_bytes + 1;
    assert_false(go(&f, &t[MOST], pings));
    expect(&f, "ping", "{\"ok\":true,\"pong\":true}");
    for (unsigned i = 0; i < MOST; i++) talk_end(&f, &t[i], pongs);
    assert_int_equal(t[MOST].out.n, t[MOST + 1].out.n);
    homer_buf_deinit(&t[MOST].out);
    homer_buf_deinit(&t[MOST + 1].out);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_answered_between_items),
        cmocka_unit_test(interruptions_change_nothing),
        cmocka_unit_test(the_model_may_go_meanwhile),
        cmocka_unit_test(what_cannot_be_kept_runs_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
