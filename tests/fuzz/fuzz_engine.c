/* The engine behind the parser: any lines get one reply line each, valid JSON; a line that fails, and one
 * that only asks, leaves the model's digest as it was. The input is a few lines; each engine starts with one
 * instance learned. */
#include <jansson.h>
#include <string.h>
#include "daemon/engine.h"
#include "fuzz.h"

static uint64_t now_ms(void) {
    return 1;
}

/* One line's reply in `out`; NULL when it has none. */
static json_t *ask(struct homer_engine *e, const char *line, size_t n, struct homer_buf *out) {
    struct homer_session session = {.id = 1, .trusted = true};
    homer_buf_truncate(out, 0);
    homer_engine_line(e, &session, line, n, false, out);
    CHECK(!out->failed);
    if (out->n == 0) return NULL;
    CHECK(memchr(out->data, '\n', out->n) == out->data + out->n - 1);
    json_t *reply = json_loadb(out->data, out->n, JSON_REJECT_DUPLICATES, NULL);
    CHECK(json_is_boolean(json_object_get(reply, "ok")));
    return reply;
}

static void digest(struct homer_engine *e, struct homer_buf *out, char hex[33]) {
    json_t *reply = ask(e, "digest", strlen("digest"), out);
    const char *text = json_string_value(json_object_get(reply, "digest"));
    snprintf(hex, 33, "%s", text ? text : "dropped"); /* the line before may have been model.drop */
    json_decref(reply);
}

static void check_line(struct homer_engine *e, const char *line, size_t n, struct homer_buf *out) {
    char before[33], after[33];
    digest(e, out, before);
    json_t *reply = ask(e, line, n, out);
    bool failed = reply && json_is_false(json_object_get(reply, "ok"));
    bool predicted = reply && json_object_get(reply, "scores") && !json_object_get(reply, "seq");
    json_decref(reply);
    digest(e, out, after);
    if (failed || predicted) CHECK(strcmp(before, after) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const uint8_t hash_key[16] = "fuzz";
    static const char first[] = "{\"x\":{\"n\":1.5,\"t\":true,\"s\":\"red\",\"bag\":[\"a\"]},\"text\":\"some "
                                "words\",\"y\":[\"a\",\"b\"]}";
    struct homer_config config;
    struct homer_engine *e;
    struct homer_mem mem = {0};
    struct homer_buf out;
    homer_config_init(&config);
    homer_buf_init(&out, &mem);
    CHECK(homer_engine_new(&e, &config, hash_key, &(struct homer_clock){now_ms, now_ms}) == 0);
    json_decref(ask(e, first, strlen(first), &out));
    const char *line = (const char *)data, *end = line + n;
    for (int lines = 0; line < end && lines < 20; lines++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t line_n = (size_t)((stop ? stop : end) - line);
        if (line_n) check_line(e, line, line_n, &out);
        line += line_n + 1;
    }
    homer_engine_free(e);
    homer_buf_deinit(&out);
    homer_config_deinit(&config);
    CHECK(mem.used_bytes == 0);
    return 0;
}
