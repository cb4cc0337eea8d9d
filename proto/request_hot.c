#include "proto/request_hot.h"

#include <errno.h>
#include <string.h>
#include "proto/number.h"
#include "proto/scan.h"

enum {
    FIRST_ROOM = 64,    /* elements; grows by doubling */
    KEEP = 1 << 18,     /* bytes: larger arrays are given back after the line that needed them */
    DEPTH = 3,          /* of the shape: an object, x, a bag */
    PASSED_OVER_MAX = 8 /* fields of its own that a recorded instance may have here */
};

static struct homer_hot *hot_new(struct homer_mem *mem) {
    struct homer_hot *hot = homer_mem_alloc(mem, 1, sizeof *hot);
    if (hot) hot->mem = mem;
    return hot;
}

/* Frees those arrays that hold more than `most` bytes. */
static void give_back(struct homer_hot *hot, size_t most) {
    for (struct homer_hot_side *side = hot->side; side < hot->side + 2; side++) {
        if (side->text_cap > most || side->key_cap * sizeof *side->key > most) {
            side->text = homer_mem_free(hot->mem, side->text, side->text_cap, 1);
            side->key = homer_mem_free(hot->mem, side->key, side->key_cap, sizeof *side->key);
            side->text_cap = side->key_cap = side->key_n = 0;
        }
    }
    if (hot->name_cap * sizeof *hot->name > most) {
        hot->name = homer_mem_free(hot->mem, hot->name, hot->name_cap, sizeof *hot->name);
        hot->name_cap = hot->name_n = 0;
    }
    if (hot->slot_n * sizeof *hot->slot > most) {
        hot->slot = homer_mem_free(hot->mem, hot->slot, hot->slot_n, sizeof *hot->slot);
        hot->slot_n = 0;
    }
    if (hot->digits_cap * sizeof *hot->digits > most) {
        hot->digits = homer_mem_free(hot->mem, hot->digits, hot->digits_cap, sizeof *hot->digits);
        hot->digits_cap = hot->digits_n = 0;
    }
}

void homer_hot_trim(struct homer_hot *hot) {
    give_back(hot, KEEP);
}

struct homer_hot *homer_hot_free(struct homer_hot *hot) {
    if (!hot) return NULL;
    give_back(hot, 0);
    return homer_mem_free(hot->mem, hot, 1, sizeof *hot);
}

bool homer_hot_room(struct homer_hot_scan *s, void **p, size_t *cap, size_t keep, size_t need, size_t size) {
    if (need <= *cap) return true;
    size_t want = *cap ? *cap : FIRST_ROOM;
    while (want < need) want *= 2;
    void *q = homer_mem_alloc(s->hot->mem, want, size);
    if (!q) {
        s->refused = true;
        return false;
    }
    if (keep) memcpy(q, *p, keep * size);
    homer_mem_free(s->hot->mem, *p, *cap, size);
    *p = q;
    *cap = want;
    return true;
}

/* A number, string or literal. */
static const char *read_scalar(struct homer_hot_scan *s, const char *at, struct homer_field_value *v) {
    struct homer_hot_key string;
    struct homer_number number;
    *v = (struct homer_field_value){0};
    switch (*at) {
    case '"':
        v->type = HOMER_JSON_STRING;
        at = homer_hot_string(at, &string);
        if (!at || !homer_hot_name(s, &string, &v->s)) return NULL;
        if (!string.escaped) v->raw = (struct homer_str){string.text - 1, string.n + 1};
        return at;
    case 't':
        v->type = HOMER_JSON_BOOL;
        v->is_true = true;
        return homer_hot_word(at, "true");
    case 'f':
        v->type = HOMER_JSON_BOOL;
        return homer_hot_word(at, "false");
    case 'n':
        return homer_hot_word(at, "null");
    default:
        at = homer_number_read(at, &number);
        if (!at) return NULL;
        v->type = number.is_integer ? HOMER_JSON_INTEGER : HOMER_JSON_REAL;
        v->integer = number.is_integer ? number.i : 0;
        v->number = number.d;
        return at;
    }
}

/* A value that counts for nothing: a scalar or an array of them. */
static const char *pass_value(struct homer_hot_scan *s, const char *at) {
    struct homer_field_value v;
    if (*at != '[') return read_scalar(s, at, &v);
    at = homer_hot_skip(at + 1);
    if (*at == ']') return at + 1;
    for (bool more = true; at && more;) {
        at = read_scalar(s, at, &v);
        if (at) at = homer_hot_next(at, ']', &more);
    }
    return at;
}

static bool is_hot(enum homer_op op) {
    return op == HOMER_OP_LEARN || op == HOMER_OP_PREDICT || op == HOMER_OP_TEST;
}

/* The value of a known field. */
static const char *read_value(struct homer_hot_scan *s, const char *at, const struct homer_field *field) {
    struct homer_field_value v;
    bool nested = *at == '{' || *at == '[';
    if (field->read == homer_read_x) return nested ? homer_hot_x(s, at) : NULL;
    if (field->read == homer_read_y) return nested ? homer_hot_y(s, at) : NULL;
    at = nested ? NULL : read_scalar(s, at, &v);
    /* An id with escapes is echoed with those that jansson writes. */
    if (!at || (v.type == HOMER_JSON_STRING && !v.raw.s && field->read == homer_read_id)) return NULL;
    if (field->read(s->p, field, &v) == 0)
        return s->p->r->op == HOMER_OP_NONE || is_hot(s->p->r->op) ? at : NULL;
    s->refused = s->p->r->error.code == HOMER_E_INTERNAL;
    return NULL;
}

struct own_fields {
    struct homer_str name[PASSED_OVER_MAX];
    size_t n;
};

static bool add_own_field(struct own_fields *own, struct homer_str name) {
    if (own->n == PASSED_OVER_MAX) return false;
    for (size_t i = 0; i < own->n; i++)
        if (own->name[i].n == name.n && memcmp(own->name[i].s, name.s, name.n) == 0) return false;
    own->name[own->n++] = name;
    return true;
}

/* One field; *ops keeps the ops that have all fields so far. */
static const char *read_field(struct homer_hot_scan *s, const char *at, unsigned *ops,
                              struct own_fields *own) {
    struct homer_hot_key key;
    struct homer_str name;
    unsigned bit;
    if (*at != '"' || !(at = homer_hot_string(at, &key)) || !homer_hot_name(s, &key, &name) ||
        !(at = homer_hot_pass(at, ':')))
        return NULL;
    const struct homer_field *field = homer_field_find(name, &bit);
    if (!field) return add_own_field(own, name) ? pass_value(s, at) : NULL;
    if (s->p->given & bit) return NULL;
    s->p->given |= bit;
    *ops &= field->ops;
    return read_value(s, at, field);
}

/* What can only be said when all fields are known. */
static bool finish(struct homer_parse *p, unsigned ops, const struct own_fields *own) {
    if (p->r->op == HOMER_OP_NONE && homer_parse_shorthand(p)) return false;
    if (!(ops & 1u << p->r->op)) return false;
    for (size_t i = 0; i < own->n; i++)
        if (!homer_parse_passes_over(p, own->name[i])) return false;
    return homer_parse_check(p) == 0;
}

static bool read_line(struct homer_hot_scan *s, const char *at) {
    struct own_fields own = {.n = 0};
    unsigned ops = UINT32_MAX;
    bool more = true;
    at = homer_hot_skip(at + 1);
    while (at && more) {
        at = read_field(s, at, &ops, &own);
        if (at) at = homer_hot_next(at, '}', &more);
    }
    return at && homer_hot_skip(at) == s->end && finish(s->p, ops, &own);
}

/* Copies the line: what the request holds must be its own, and what is read here must be padded. NULL:
 * refused. */
static const char *take_line(struct homer_hot_scan *s, const char *line, size_t n) {
    struct homer_hot_side *side = &s->hot->side[s->hot->now];
    void *text = side->text;
    bool ok = homer_hot_room(s, &text, &side->text_cap, 0, n + HOMER_SCAN_PAD, 1);
    side->text = text;
    side->key_n = 0;
    if (!ok) return NULL;
    memcpy(side->text, line, n);
    memset(side->text + n, 0, HOMER_SCAN_PAD);
    s->end = side->text + n;
    return side->text;
}

int homer_hot_read(struct homer_parse *p, const char *line, size_t n) {
    struct homer_hot_scan s = {.p = p, .hot = p->r->hot};
    if (p->limits->max_depth < DEPTH) return 0;
    if (!s.hot) s.hot = p->r->hot = hot_new(p->arena->mem);
    if (!s.hot) return -ENOMEM;
    const char *at = take_line(&s, line, n);
    if (at && read_line(&s, at)) return 1;
    return s.refused ? -ENOMEM : 0;
}
