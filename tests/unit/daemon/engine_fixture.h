/* An engine without sockets: lines in, replies as parsed JSON out. For the tests of the engine. */
#ifndef HOMER_TESTS_ENGINE_FIXTURE_H
#define HOMER_TESTS_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/verbs.h"

struct fixture {
    struct homer_config config;
    struct homer_engine *engine;
    struct homer_mem mem;
    struct homer_buf out;
    struct homer_session session;
    bool open; /* the last line did not quit */
};

static uint64_t fixture_now; /* milliseconds; tests move it */

static inline uint64_t fixture_clock(void) {
    return fixture_now;
}

static const struct homer_clock fixture_clocks = {fixture_clock, fixture_clock};

static inline void fixture_start(struct fixture *f, uint8_t key) {
    uint8_t hash_key[16];
    memset(hash_key, key, sizeof hash_key);
    assert_int_equal(homer_engine_new(&f->engine, &f->config, hash_key, &fixture_clocks), 0);
}

/* Smaller than the defaults, so that every limit is within reach. Tests may change it before fixture_start.
 */
static inline void fixture_configure(struct fixture *f) {
    *f = (struct fixture){.session = {.id = 1, .trusted = true}};
    assert_int_equal(homer_config_init(&f->config), 0);
    f->config.request.max_line = 4000;
    f->config.request.max_items = 20;
    f->config.request.max_x = 100;
    f->config.request.max_y = 40;
    f->config.max_models = 3;
    f->config.model.max_labels = 30;
    f->config.model.max_features = 200;
    f->config.model.window = 10;
    homer_buf_init(&f->out, &f->mem);
}

static inline void fixture_open(struct fixture *f) {
    fixture_configure(f);
    fixture_start(f, 7);
}

static inline void fixture_close(struct fixture *f) {
    f->engine = homer_engine_free(f->engine);
    assert_null(f->engine);
    homer_buf_deinit(&f->out);
    homer_config_deinit(&f->config);
    assert_int_equal(f->mem.used_bytes, 0);
}

/* Sends one line; the reply stays in f->out. */
static inline void fixture_send(struct fixture *f, const char *line, size_t n) {
    homer_buf_truncate(&f->out, 0);
    f->open = !(homer_engine_line(f->engine, &f->session, line, n, n > f->config.request.max_line, &f->out) &
                HOMER_LINE_QUIT);
}

/* The reply as JSON: exactly one line. The caller decrefs. */
static inline json_t *fixture_reply(struct fixture *f) {
    assert_false(f->out.failed);
    assert_true(f->out.n > 0);
    assert_int_equal(f->out.data[f->out.n - 1], '\n');
    assert_null(memchr(f->out.data, '\n', f->out.n - 1));
    json_error_t err;
    json_t *reply = json_loadb(f->out.data, f->out.n, JSON_REJECT_DUPLICATES, &err);
    if (!reply) fail_msg("not JSON: %s: %.*s", err.text, (int)f->out.n, f->out.data);
    return reply;
}

static inline json_t *ask(struct fixture *f, const char *line) {
    fixture_send(f, line, strlen(line));
    return fixture_reply(f);
}

/* Sends a line that must succeed. */
static inline json_t *ask_ok(struct fixture *f, const char *line) {
    json_t *reply = ask(f, line);
    if (!json_is_true(json_object_get(reply, "ok"))) fail_msg("%s: %.*s", line, (int)f->out.n, f->out.data);
    return reply;
}

static inline void do_ok(struct fixture *f, const char *line) {
    json_decref(ask_ok(f, line));
}

/* Sends a line that must fail with that code (and, unless NULL, that limit and words in the message). */
static inline void ask_bad(struct fixture *f, const char *line, const char *code, const char *limit,
                           const char *words) {
    json_t *reply = ask(f, line), *error = json_object_get(reply, "error");
    assert_true(json_is_false(json_object_get(reply, "ok")));
    assert_string_equal(json_string_value(json_object_get(error, "code")), code);
    assert_true(json_is_boolean(json_object_get(error, "retry")));
    const char *message = json_string_value(json_object_get(error, "message"));
    assert_non_null(message);
    if (limit) assert_string_equal(json_string_value(json_object_get(error, "limit")), limit);
    if (words && !strstr(message, words)) fail_msg("%s: no \"%s\" in \"%s\"", line, words, message);
    json_decref(reply);
}

/* Compares a reply with the JSON that is expected, whatever the order of keys. */
static inline void expect(struct fixture *f, const char *line, const char *json) {
    json_t *reply = ask(f, line), *want = json_loads(json, 0, NULL);
    assert_non_null(want);
    if (!json_equal(reply, want)) fail_msg("%s\n got: %.*s want: %s", line, (int)f->out.n, f->out.data, json);
    json_decref(reply);
    json_decref(want);
}

/* The state of a model, 32 hex digits. */
static inline void digest_of(struct fixture *f, const char *model, char hex[33]) {
    char line[128];
    snprintf(line, sizeof line, "{\"op\":\"digest\",\"model\":\"%s\"}", model);
    json_t *reply = ask_ok(f, line);
    const char *digest = json_string_value(json_object_get(reply, "digest"));
    assert_int_equal(strlen(digest), 32);
    memcpy(hex, digest, 33);
    json_decref(reply);
}

static inline json_int_t int_of(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    assert_true(json_is_integer(v));
    return json_integer_value(v);
}

static inline struct homer_model *model_of(struct fixture *f, const char *name) {
    struct homer_entry *entry;
    assert_int_equal(homer_engine_find(f->engine, (struct homer_str){name, strlen(name)}, &entry, NULL), 0);
    return entry->model;
}

/* A few instances with every type of feature, so that a model has something to lose. */
static inline void teach(struct fixture *f) {
    do_ok(f, "{\"x\":{\"age\":31,\"member\":true,\"city\":\"Oslo\",\"tags\":[\"a\",\"b\",\"a\"]},\"y\":["
             "\"red\",\"blue\"]}");
    do_ok(f, "{\"x\":{\"age\":58,\"member\":false,\"city\":\"Bern\",\"tags\":[\"c\"]},\"y\":[\"green\"]}");
    do_ok(f, "{\"text\":\"Grass is green, the sky is blue\",\"y\":[\"green\",\"blue\"]}");
    do_ok(f, "{\"x\":{\"age\":12,\"city\":\"Oslo\"},\"y\":[]}");
    do_ok(f, "{\"x\":{\"age\":33,\"tags\":[\"a\"]},\"y\":{\"red\":true,\"green\":false}}");
}

#endif
