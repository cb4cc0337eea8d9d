/* Requests: any line is either refused with a code, or everything in it keeps the promises of request.h; the
 * replies that echo it are valid JSON, and its text splits into valid words. */
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <utf8proc.h>
#include "fuzz.h"
#include "proto/reply.h"
#include "proto/request.h"
#include "proto/text.h"

static const struct homer_request_limits limits = {
    .max_line = 1 << 16, .max_depth = 6, .max_name = 24, .max_items = 5, .max_x = 12, .max_y = 5};

static void check_utf8(struct homer_str s) {
    CHECK(s.s && !memchr(s.s, '\0', s.n));
    utf8proc_ssize_t n;
    for (size_t at = 0; at < s.n; at += (size_t)n) {
        utf8proc_int32_t code;
        n = utf8proc_iterate((const utf8proc_uint8_t *)s.s + at, (utf8proc_ssize_t)(s.n - at), &code);
        CHECK(n > 0);
    }
}

static void check_name(struct homer_str s) {
    check_utf8(s);
    CHECK(s.n >= 1 && s.n <= limits.max_name);
}

static void check_json(const char *text, size_t n) {
    json_t *v = json_loadb(text, n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    CHECK(v);
    json_decref(v);
}

static void check_reply(const struct homer_request *r, struct homer_mem *mem) {
    struct homer_buf out;
    struct homer_reply reply;
    homer_buf_init(&out, mem);
    homer_reply_init(&reply, &out);
    if (r->error.code) {
        homer_reply_error(&reply, &r->error, &r->id);
    } else {
        homer_reply_begin_ok(&reply, r);
        homer_reply_open(&reply, "scores", '{');
        for (size_t i = 0; i < r->x_n; i++) {
            homer_reply_float_n(&reply, r->x[i].name.s, r->x[i].name.n, (float)r->x[i].number);
            if (i + 1 < r->x_n && r->x[i].type == HOMER_VALUE_ITEM) break; /* a bag repeats its name */
        }
        homer_reply_close(&reply, '}');
        homer_reply_end(&reply);
    }
    CHECK(!out.failed && out.n && out.data[out.n - 1] == '\n');
    CHECK(memchr(out.data, '\n', out.n) == out.data + out.n - 1);
    check_json(out.data, out.n);
    homer_buf_deinit(&out);
}

static void check_text(struct homer_str text, struct homer_mem *mem) {
    static const uint8_t key[16] = "fuzz";
    const struct homer_token *token;
    struct homer_text *t;
    struct homer_error err;
    size_t n;
    CHECK(homer_text_new(&t, mem, key) == 0);
    for (int bigrams = 0; bigrams < 2; bigrams++) {
        int rc = homer_text_tokens(t, text, bigrams, limits.max_name, 40, &token, &n, &err);
        CHECK(rc == 0 || (rc == HOMER_E_TOO_MANY && err.code == rc));
        for (size_t i = 0; i < n && !rc; i++) {
            check_name(token[i].word);
            CHECK(token[i].count >= 1 && token[i].count <= text.n);
            for (size_t k = 0; k < i; k++) {
                CHECK(token[i].word.n != token[k].word.n ||
                      memcmp(token[i].word.s, token[k].word.s, token[i].word.n));
            }
        }
    }
    homer_text_free(t);
}

static void check_instance(const struct homer_request *r) {
    CHECK(r->x_n <= limits.max_x && r->y_n <= limits.max_y);
    CHECK(r->has_x || r->text.s);
    for (size_t i = 0; i < r->x_n; i++) {
        const struct homer_value *v = &r->x[i];
        check_name(v->name);
        if (v->type == HOMER_VALUE_STRING || v->type == HOMER_VALUE_ITEM) check_name(v->string);
        if (v->type == HOMER_VALUE_NUMBER) CHECK(fabs(v->number) <= (double)FLT_MAX);
        if (v->type == HOMER_VALUE_BOOL) CHECK(v->number == 0 || v->number == 1);
    }
    for (size_t i = 0; i < r->y_n; i++) {
        check_name(r->y[i].name);
        CHECK(r->y[i].positive || r->y_partial);
    }
    CHECK(r->has_y == (r->op != HOMER_OP_PREDICT));
    CHECK(r->weight > 0 && r->weight <= 1e6);
    CHECK(isnan(r->threshold) || (r->threshold >= 0 && r->threshold <= 1));
    CHECK(r->scores != HOMER_SCORES_TOP || r->scores_top >= 1);
}

static void check(const struct homer_request *r, struct homer_mem *mem) {
    CHECK((r->error.code == 0) == (r->op != HOMER_OP_NONE));
    CHECK(r->error.code >= 0 && r->error.code != HOMER_E_INTERNAL);
    if (r->error.code) CHECK(*r->error.message);
    if (r->id.s) check_json(r->id.s, r->id.n);
    check_reply(r, mem);
    if (r->error.code) return;
    CHECK(r->model.n >= 1 && r->model.n <= 64);
    if (r->op == HOMER_OP_LEARN || r->op == HOMER_OP_PREDICT || r->op == HOMER_OP_TEST) check_instance(r);
    if (r->text.s) check_utf8(r->text);
    if (r->text.s) check_text(r->text, mem);
    if (r->prefix.s) check_utf8(r->prefix);
    if (r->config.s) check_json(r->config.s, r->config.n);
    CHECK(r->items_n <= limits.max_items);
    for (size_t i = 0; i < r->items_n; i++) {
        CHECK(r->items[i].op != HOMER_OP_BATCH && r->items[i].op != HOMER_OP_QUIT);
        check(&r->items[i], mem);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static struct homer_request r; /* reused, as the daemon does: nothing may stay from the line before */
    static struct homer_mem mem;
    struct homer_mem scratch = {0};
    const char *line = (const char *)data;
    if (!r.arena.mem) homer_request_init(&r, &mem);
    homer_request_parse(&r, line, n, &limits);
    int code = r.error.code;
    check(&r, &scratch);
    CHECK(scratch.used_bytes == 0);
    if (n && line[0] == '{') { /* jansson alone is the judge of what is JSON */
        json_t *v = json_loadb(line, n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
        CHECK(code == HOMER_E_TOO_DEEP || (v == NULL) == (code == HOMER_E_BAD_JSON));
        json_decref(v);
    }
    struct homer_request fresh;
    homer_request_init(&fresh, &scratch);
    homer_request_parse(&fresh, line, n, &limits);
    CHECK(fresh.error.code == code && fresh.op == r.op && fresh.x_n == r.x_n && fresh.y_n == r.y_n);
    CHECK(strcmp(fresh.error.message, r.error.message) == 0);
    homer_request_deinit(&fresh);
    CHECK(scratch.used_bytes == 0);
    return 0;
}
