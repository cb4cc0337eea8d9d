/* Encoding, and how long it gets: both are one pass of the same writer, once without a place to write to. All
 * of it is inlined into the two, so that the pass that counts does nothing else. */
#include "daemon/le.h"
#include "daemon/record_impl.h"

#define INLINE inline __attribute__((always_inline))

struct writer {
    char *to; /* NULL: only count */
    size_t n;
};

/* memcpy of n > 0 bytes; names are short, and calling it takes longer than copying them. */
static INLINE void copy(char *to, const char *from, size_t n) {
    if (n > 16) {
        memcpy(to, from, n);
    } else if (n >= 8) { /* both ends, which overlap */
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else {
        to[0] = from[0];
        to[n / 2] = from[n / 2];
        to[n - 1] = from[n - 1];
    }
}

static INLINE void put(struct writer *w, const void *p, size_t n) {
    if (w->to && n) copy(w->to + w->n, p, n);
    w->n += n;
}

static INLINE void put_u8(struct writer *w, unsigned v) {
    char byte = (char)v;
    put(w, &byte, 1);
}

static INLINE void put_int(struct writer *w, uint64_t v) {
    for (; v >= 0x80; v >>= 7) put_u8(w, (unsigned)(v & 0x7f) | 0x80);
    put_u8(w, (unsigned)v);
}

static INLINE void put_str(struct writer *w, struct homer_str s) {
    put_int(w, s.n);
    put(w, s.s, s.n);
}

static INLINE void put_f64(struct writer *w, double v) {
    put(w, &v, sizeof v); /* little-endian: see le.h */
}

static enum pair_type type_of(const struct homer_value *v, const struct homer_value *before) {
    switch (v->type) {
    case HOMER_VALUE_NUMBER:
        return homer_record_is_f32(v->number) ? PAIR_F32 : PAIR_F64;
    case HOMER_VALUE_BOOL:
        return v->number > 0 ? PAIR_TRUE : PAIR_FALSE;
    case HOMER_VALUE_STRING:
        return PAIR_STRING;
    case HOMER_VALUE_ITEM:
        return before && before->type == HOMER_VALUE_ITEM && homer_record_same(v->name, before->name)
                   ? PAIR_AGAIN
                   : PAIR_ITEM;
    case HOMER_VALUE_MISSING:
        break;
    }
    return PAIR_MISSING;
}

static INLINE void put_pair(struct writer *w, const struct homer_value *v, const struct homer_value *before) {
    enum pair_type type = type_of(v, before);
    float single = (float)v->number;
    put_u8(w, type);
    if (type != PAIR_AGAIN) put_str(w, v->name);
    if (type == PAIR_F64) put_f64(w, v->number);
    if (type == PAIR_F32) put(w, &single, sizeof single);
    if (type == PAIR_STRING || type == PAIR_ITEM || type == PAIR_AGAIN) put_str(w, v->string);
}

static unsigned fields_of(const struct homer_record *record) {
    const struct homer_request *r = record->request;
    return (r->has_x ? FIELD_X : 0u) | (r->has_y ? FIELD_Y : 0u) |
           (r->has_y && r->y_partial ? FIELD_PARTIAL : 0u) |
           (r->weight < 1 || r->weight > 1 ? FIELD_WEIGHT : 0u) | (r->text.s ? FIELD_TEXT : 0u) |
           (r->src.s ? FIELD_SRC : 0u) | (r->has_n ? FIELD_N : 0u) | (r->ref.s ? FIELD_REF : 0u) |
           (r->name.s ? FIELD_NAME : 0u) | (r->config.s ? FIELD_CONFIG : 0u) |
           (record->flag ? FIELD_FLAG : 0u);
}

static INLINE void put_record(struct writer *w, const struct homer_record *record) {
    const struct homer_request *r = record->request;
    unsigned fields = fields_of(record);
    put_u8(w, HOMER_RECORD_VERSION);
    put_u8(w, record->kind);
    put_int(w, fields);
    put_int(w, record->time_ms);
    put_str(w, r->model);
    if (fields & FIELD_X) {
        put_int(w, r->x_n);
        for (size_t i = 0; i < r->x_n; i++) put_pair(w, &r->x[i], i ? &r->x[i - 1] : NULL);
    }
    if (fields & FIELD_Y) {
        put_int(w, r->y_n);
        for (size_t i = 0; i < r->y_n; i++) {
            put_str(w, r->y[i].name);
            if (r->y_partial) put_u8(w, r->y[i].positive);
        }
    }
    if (fields & FIELD_WEIGHT) put_f64(w, r->weight);
    if (fields & FIELD_TEXT) put_str(w, r->text);
    if (fields & FIELD_SRC) put_str(w, r->src);
    if (fields & FIELD_N) put_int(w, r->n);
    if (fields & FIELD_REF) put_str(w, r->ref);
    if (fields & FIELD_NAME) put_str(w, r->name);
    if (fields & FIELD_CONFIG) put_str(w, r->config);
}

size_t homer_record_size(const struct homer_record *r) {
    struct writer w = {0};
    put_record(&w, r);
    return w.n;
}

void homer_record_encode(const struct homer_record *r, char *out) {
    struct writer w = {.to = out};
    put_record(&w, r);
}

size_t homer_record_bound(const struct homer_request_limits *limits) {
    enum {
        HEAD = 256,                /* all that is there once, with the name "default" */
        PAIR = 1 + 5 + 20 + 5 + 8, /* type, length of the name, digits of a place in an array, value */
        LABEL = 5 + 1,             /* length, sign */
    };
    size_t line = limits->max_line, pairs = line / 2 + 1,
           labels = line / 2 + 1; /* a pair takes two characters */
    if (pairs > limits->max_x) pairs = limits->max_x;
    if (labels > limits->max_y) labels = limits->max_y;
    return HEAD + line + pairs * PAIR + labels * LABEL;
}
