#include "proto/reply.h"

#include <math.h>
#include <string.h>
#include "proto/num.h"

void homer_reply_init(struct homer_reply *r, struct homer_buf *out) {
    *r = (struct homer_reply){.out = out};
}

static void string(struct homer_buf *out, const char *s, size_t n) {
    static const char hex[] = "0123456789abcdef";
    homer_buf_putc(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        homer_buf_append(out, s + from, i - from);
        from = i + 1;
        if (c >= 0x20) {
            homer_buf_append(out, (char[]){'\\', (char)c}, 2);
        } else {
            homer_buf_append(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
        }
    }
    homer_buf_append(out, s + from, n - from);
    homer_buf_putc(out, '"');
}

/* What stands before a value: the comma, and inside an object the key. */
static void lead(struct homer_reply *r, const char *key, size_t key_n) {
    uint64_t bit = (uint64_t)1 << r->depth % 64, *word = &r->comma[r->depth / 64];
    if (r->depth && (*word & bit)) homer_buf_putc(r->out, ',');
    *word |= bit;
    if (!key) return;
    string(r->out, key, key_n);
    homer_buf_putc(r->out, ':');
}

static void lead_key(struct homer_reply *r, const char *key) {
    lead(r, key, key ? strlen(key) : 0);
}

void homer_reply_open(struct homer_reply *r, const char *key, char bracket) {
    lead_key(r, key);
    homer_buf_putc(r->out, bracket);
    r->depth++;
    r->comma[r->depth / 64] &= ~((uint64_t)1 << r->depth % 64);
}

void homer_reply_close(struct homer_reply *r, char bracket) {
    r->depth--;
    homer_buf_putc(r->out, bracket);
}

void homer_reply_raw(struct homer_reply *r, const char *key, const char *json, size_t n) {
    lead_key(r, key);
    homer_buf_append(r->out, json, n);
}

void homer_reply_bool(struct homer_reply *r, const char *key, bool v) {
    homer_reply_raw(r, key, v ? "true" : "false", v ? 4 : 5);
}

void homer_reply_null(struct homer_reply *r, const char *key) {
    homer_reply_raw(r, key, "null", 4);
}

void homer_reply_u64(struct homer_reply *r, const char *key, uint64_t v) {
    char text[HOMER_NUM_MAX];
    homer_reply_raw(r, key, text, homer_num_u64(text, v));
}

void homer_reply_real(struct homer_reply *r, const char *key, double v) {
    char text[HOMER_NUM_MAX];
    if (isfinite(v)) {
        homer_reply_raw(r, key, text, homer_num_double(text, v));
    } else {
        homer_reply_null(r, key);
    }
}

void homer_reply_float_n(struct homer_reply *r, const char *key, size_t key_n, float v) {
    char text[HOMER_NUM_MAX];
    lead(r, key, key_n);
    if (isfinite(v)) {
        homer_buf_append(r->out, text, homer_num_float(text, v));
    } else {
        homer_buf_append(r->out, "null", 4);
    }
}

void homer_reply_float(struct homer_reply *r, const char *key, float v) {
    homer_reply_float_n(r, key, key ? strlen(key) : 0, v);
}

void homer_reply_string(struct homer_reply *r, const char *key, const char *s, size_t n) {
    lead_key(r, key);
    string(r->out, s, n);
}

static void echo_id(struct homer_reply *r, const struct homer_str *id) {
    if (id && id->s) homer_reply_raw(r, "id", id->s, id->n);
}

void homer_reply_begin_ok(struct homer_reply *r, const struct homer_request *req) {
    homer_reply_open(r, NULL, '{');
    homer_reply_bool(r, "ok", true);
    echo_id(r, &req->id);
}

void homer_reply_end(struct homer_reply *r) {
    homer_reply_close(r, '}');
    if (r->depth == 0) homer_buf_putc(r->out, '\n');
}

/* Bytes of a message without a character that the message's fixed room cut in two. */
static size_t whole_characters(const char *message, size_t room) {
    size_t n = strlen(message);
    if (n + 1 < room) return n;
    size_t start = n;
    while (start && ((unsigned char)message[start - 1] & 0xc0) == 0x80) start--;
    return start && (unsigned char)message[start - 1] >= 0xc0 ? start - 1 : n;
}

void homer_reply_error(struct homer_reply *r, const struct homer_error *e, const struct homer_str *id) {
    const char *word = homer_err_word(e->code);
    homer_reply_open(r, NULL, '{');
    homer_reply_bool(r, "ok", false);
    homer_reply_open(r, "error", '{');
    homer_reply_string(r, "code", word, strlen(word));
    homer_reply_string(r, "message", e->message, whole_characters(e->message, sizeof e->message));
    if (e->limit) homer_reply_string(r, "limit", e->limit, strlen(e->limit));
    homer_reply_bool(r, "retry", e->retry);
    if (e->code == HOMER_E_BUSY) homer_reply_u64(r, "retry_ms", HOMER_REPLY_RETRY_MS);
    homer_reply_close(r, '}');
    echo_id(r, id);
    homer_reply_end(r);
}
