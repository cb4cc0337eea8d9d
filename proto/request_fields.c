#include <math.h>
#include <string.h>
#include "proto/num.h"
#include "proto/request_json.h"
#include "proto/request_parse.h"

struct homer_quoted homer_quote(struct homer_str s) {
    struct homer_quoted q;
    const size_t max = sizeof q.text - sizeof "...";
    size_t n = s.n < max ? s.n : max;
    while (n < s.n && n && ((unsigned char)s.s[n] & 0xc0) == 0x80) n--;
    memcpy(q.text, s.s, n);
    strcpy(q.text + n, n < s.n ? "..." : "");
    return q;
}

struct homer_str homer_json_str(const json_t *string) {
    return (struct homer_str){.s = json_string_value(string), .n = json_string_length(string)};
}

struct homer_str homer_parse_copy(struct homer_parse *p, const char *s, size_t n) {
    char *copy = homer_arena_alloc(p->arena, n, 1);
    if (copy) memcpy(copy, s, n);
    return (struct homer_str){.s = copy, .n = n};
}

int homer_parse_no_memory(struct homer_parse *p) {
    return homer_err_set(&p->r->error, HOMER_E_INTERNAL, "no memory for this request");
}

static int wrong(struct homer_parse *p, const struct homer_field *field, const char *what) {
    return homer_err_set(&p->r->error, HOMER_E_BAD_REQUEST, "\"%s\" must be %s", field->name, what);
}

static void *place(struct homer_parse *p, const struct homer_field *field) {
    return (char *)p->r + field->at;
}

struct homer_field_value homer_field_value(json_t *v) {
    struct homer_field_value out = {.json = v};
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        out.type = HOMER_JSON_OBJECT;
        break;
    case JSON_ARRAY:
        out.type = HOMER_JSON_ARRAY;
        break;
    case JSON_STRING:
        out.type = HOMER_JSON_STRING;
        out.s = homer_json_str(v);
        break;
    case JSON_INTEGER:
        out.type = HOMER_JSON_INTEGER;
        out.integer = json_integer_value(v);
        out.number = json_number_value(v);
        break;
    case JSON_REAL:
        out.type = HOMER_JSON_REAL;
        out.number = json_real_value(v);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        out.type = HOMER_JSON_BOOL;
        out.is_true = json_is_true(v);
        break;
    case JSON_NULL:
        break;
    }
    return out;
}

static bool is_number(const struct homer_field_value *v) {
    return v->type == HOMER_JSON_INTEGER || v->type == HOMER_JSON_REAL;
}

static bool is_word(const struct homer_field_value *v, const char *word) {
    return v->s.s && v->s.n == strlen(word) && memcmp(v->s.s, word, v->s.n) == 0;
}

/* An integer, also one that was read as a real because another one of the line is beyond 64 bits. */
static bool integer(const struct homer_parse *p, const struct homer_field_value *v, int64_t *out) {
    *out = v->integer;
    if (v->type == HOMER_JSON_INTEGER) return true;
    double d = v->number;
    if (!p->int_as_real || v->type != HOMER_JSON_REAL || fabs(d) > 0x1p53 || d != nearbyint(d)) return false;
    *out = (int64_t)d;
    return true;
}

int homer_read_bool(struct homer_parse *p, const struct homer_field *field,
                    const struct homer_field_value *v) {
    if (v->type != HOMER_JSON_BOOL) return wrong(p, field, "true or false");
    *(bool *)place(p, field) = v->is_true;
    return 0;
}

int homer_read_count(struct homer_parse *p, const struct homer_field *field,
                     const struct homer_field_value *v) {
    int64_t n;
    if (!integer(p, v, &n) || n < 1) return wrong(p, field, "an integer of at least 1");
    *(size_t *)place(p, field) = (size_t)n;
    return 0;
}

int homer_read_u64(struct homer_parse *p, const struct homer_field *field,
                   const struct homer_field_value *v) {
    int64_t n;
    if (!integer(p, v, &n) || n < 0) return wrong(p, field, "an integer of at least 0");
    *(uint64_t *)place(p, field) = (uint64_t)n;
    return 0;
}

int homer_read_format(struct homer_parse *p, const struct homer_field *field,
                      const struct homer_field_value *v) {
    bool dot = is_word(v, "dot");
    if (!dot && !is_word(v, "json")) return wrong(p, field, "\"json\" or \"dot\"");
    *(bool *)place(p, field) = dot;
    return 0;
}

int homer_read_string(struct homer_parse *p, const struct homer_field *field,
                      const struct homer_field_value *v) {
    if (!v->s.s) return wrong(p, field, "a string");
    *(struct homer_str *)place(p, field) = v->s;
    return 0;
}

int homer_read_model(struct homer_parse *p, const struct homer_field *field,
                     const struct homer_field_value *v) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    struct homer_str s = v->s;
    bool ok = s.s && s.n >= 1 && s.n <= 64;
    for (size_t i = 0; ok && i < s.n; i++) ok = s.s[i] && strchr(allowed, s.s[i]);
    if (!ok) return wrong(p, field, "a model name: 1 to 64 of A-Z a-z 0-9 _ . -");
    *(struct homer_str *)place(p, field) = s;
    return 0;
}

int homer_read_id(struct homer_parse *p, const struct homer_field *field, const struct homer_field_value *v) {
    int64_t n;
    struct homer_str *id = place(p, field);
    if (v->raw.s) {
        *id = v->raw;
        return 0;
    }
    if (v->type == HOMER_JSON_STRING) return homer_json_dump(p->arena, v->json, id, &p->r->error);
    if (!integer(p, v, &n)) return wrong(p, field, "a string, or an integer of at most 64 bits");
    char text[HOMER_NUM_MAX] = "-";
    bool negative = n < 0;
    size_t text_n = homer_num_u64(text + negative, negative ? 0 - (uint64_t)n : (uint64_t)n);
    *id = homer_parse_copy(p, text, text_n + negative);
    return id->s ? 0 : homer_parse_no_memory(p);
}

int homer_read_src(struct homer_parse *p, const struct homer_field *field,
                   const struct homer_field_value *v) {
    struct homer_str s = v->s;
    (void)field;
    if (!s.s || s.n < 1 || s.n > p->limits->max_name)
        return homer_err_limit(&p->r->error, HOMER_E_BAD_REQUEST, "max_name",
                               "\"src\" must be a string of 1 to %zu bytes", p->limits->max_name);
    p->r->src = s;
    return 0;
}

int homer_read_time(struct homer_parse *p, const struct homer_field *field,
                    const struct homer_field_value *v) {
    return is_number(v) || v->s.s ? 0 : wrong(p, field, "a number of seconds or a string");
}

int homer_read_weight(struct homer_parse *p, const struct homer_field *field,
                      const struct homer_field_value *v) {
    double w = v->number; /* 0 when it is no number */
    if (!(w > 0 && w <= 1e6)) return wrong(p, field, "a number above 0, at most 1000000");
    p->r->weight = w;
    return 0;
}

int homer_read_threshold(struct homer_parse *p, const struct homer_field *field,
                         const struct homer_field_value *v) {
    double t = v->number;
    if (!is_number(v) || !(t >= 0 && t <= 1)) return wrong(p, field, "a number from 0 to 1");
    p->r->threshold = t;
    return 0;
}

/* The N of "top:N", 0 when it is none. */
static size_t top(struct homer_str s) {
    size_t n = 0;
    if (s.n < 5 || s.n > 4 + 9 || memcmp(s.s, "top:", 4) != 0) return 0;
    for (size_t i = 4; i < s.n; i++) {
        if (s.s[i] < '0' || s.s[i] > '9') return 0;
        n = n * 10 + (size_t)(s.s[i] - '0');
    }
    return n;
}

int homer_read_scores(struct homer_parse *p, const struct homer_field *field,
                      const struct homer_field_value *v) {
    struct homer_request *r = p->r;
    if (v->type == HOMER_JSON_BOOL && !v->is_true) {
        r->scores = HOMER_SCORES_NONE;
    } else if (is_word(v, "labels")) {
        r->scores = HOMER_SCORES_LABELS;
    } else if (is_word(v, "all")) {
        r->scores = HOMER_SCORES_ALL;
    } else if (v->s.s && (r->scores_top = top(v->s))) {
        r->scores = HOMER_SCORES_TOP;
    } else {
        return wrong(p, field, "\"labels\", \"all\", \"top:N\" or false");
    }
    return 0;
}

int homer_read_config(struct homer_parse *p, const struct homer_field *field,
                      const struct homer_field_value *v) {
    if (v->type != HOMER_JSON_OBJECT) return wrong(p, field, "an object");
    return homer_json_dump(p->arena, v->json, &p->r->config, &p->r->error);
}
