#include "proto/request_hot.h"

#include <errno.h>
#include <string.h>
#include "proto/number.h"
#include "proto/scan.h"

enum {
    KEEP = 1 << 18,      /* bytes: larger arrays are given back after the line that needed them */
    DEPTH = 3,           /* of the shape: an object, x, a bag */
    BATCH_DEPTH = 5,     /* with a batch and its items around it */
    PASSED_OVER_MAX = 8, /* fields of its own that a recorded instance may have here */
    FIRST_ITEMS = 16,
};

static struct homer_hot *hot_new(struct homer_mem *mem) {
    struct homer_hot *hot = homer_mem_alloc(mem, 1, sizeof *hot);
    if (hot) hot->mem = mem;
    return hot;
}

/* Frees those arrays that hold more than `most` bytes. */
static void give_back(struct homer_hot *hot, size_t most) {
    for (unsigned i = 0; i < 2; i++) {
        struct homer_hot_keys *keys = &hot->keys[i];
        if (hot->text_cap[i] > most) {
            hot->text[i] = homer_mem_free(hot->mem, hot->text[i], hot->text_cap[i], 1);
            hot->text_cap[i] = 0;
            hot->keys[0].n = hot->keys[1].n = 0; /* they may have stood there */
        }
        if (keys->cap * sizeof *keys->key > most) {
            keys->key = homer_mem_free(hot->mem, keys->key, keys->cap, sizeof *keys->key);
            keys->n = keys->cap = 0;
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

bool homer_hot_room(struct homer_hot_scan *s, void **p, size_t *cap, size_t need, size_t size) {
    bool ok = homer_mem_room(s->hot->mem, p, cap, need, size);
    s->refused = s->refused || !ok;
    return ok;
}

bool homer_hot_more(struct homer_hot_scan *s, void **p, size_t *cap, size_t first, size_t size) {
    size_t want = *cap ? *cap * 2 : first;
    void *q = homer_arena_alloc(s->p->arena, want, size);
    if (!q) {
        s->refused = true;
        return false;
    }
    if (*cap) memcpy(q, *p, *cap * size);
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

/* Also while it is not known. */
static bool is_hot(enum homer_op op) {
    return op == HOMER_OP_NONE || op == HOMER_OP_LEARN || op == HOMER_OP_PREDICT || op == HOMER_OP_TEST;
}

static const char *read_items(struct homer_hot_scan *s, const char *at);

/* The value of a known field. */
static const char *read_value(struct homer_hot_scan *s, const char *at, const struct homer_field *field) {
    struct homer_field_value v;
    bool nested = *at == '{' || *at == '[';
    if (field->read == homer_read_x) return nested ? homer_hot_x(s, at) : NULL;
    if (field->read == homer_read_y) return nested ? homer_hot_y(s, at) : NULL;
    if (field->read == homer_read_items) return *at == '[' && !s->is_item ? read_items(s, at) : NULL;
    /* Items without a model have that of the batch, which must be known then. */
    if (field->read == homer_read_model && s->p->r->items) return NULL;
    at = nested ? NULL : read_scalar(s, at, &v);
    /* An id with escapes is echoed with those that jansson writes. */
    if (!at || (v.type == HOMER_JSON_STRING && !v.raw.s && field->read == homer_read_id)) return NULL;
    if (field->read(s->p, field, &v) == 0)
        return is_hot(s->p->r->op) || (s->p->r->op == HOMER_OP_BATCH && !s->is_item) ? at : NULL;
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

/* An object, the line or an item. */
static const char *read_object(struct homer_hot_scan *s, const char *at) {
    struct own_fields own = {.n = 0};
    unsigned ops = UINT32_MAX;
    bool more = true;
    at = homer_hot_skip(at + 1);
    while (at && more) {
        at = read_field(s, at, &ops, &own);
        if (at) at = homer_hot_next(at, '}', &more);
    }
    return at && finish(s->p, ops, &own) ? at : NULL;
}

static const char *read_item(struct homer_hot_scan *s, const char *at) {
    struct homer_parse *batch = s->p;
    struct homer_request *r = batch->r;
    struct homer_parse item = {.r = &r->items[r->items_n++], .arena = batch->arena, .limits = batch->limits};
    homer_request_blank(item.r, r->model);
    s->p = &item;
    s->is_item = true;
    at = *at == '{' ? read_object(s, at) : NULL;
    s->is_item = false;
    s->p = batch;
    return at;
}

/* The items of a batch; one that is wrong is jansson's. */
static const char *read_items(struct homer_hot_scan *s, const char *at) {
    struct homer_request *r = s->p->r;
    void *items = NULL;
    size_t cap = 0;
    if (s->p->limits->max_depth < BATCH_DEPTH) return NULL;
    at = homer_hot_skip(at + 1);
    bool more = *at != ']';
    if (!homer_hot_more(s, &items, &cap, FIRST_ITEMS, sizeof *r->items)) return NULL;
    r->items = items;
    if (!more) return at + 1;
    while (at && more) {
        if (r->items_n >= s->p->limits->max_items) return NULL;
        if (r->items_n == cap && !homer_hot_more(s, &items, &cap, 0, sizeof *r->items)) return NULL;
        r->items = items;
        at = read_item(s, at);
        if (at) at = homer_hot_next(at, ']', &more);
    }
    return at;
}

/* Copies the line: what the request holds must be its own, and what is read here must be padded. NULL:
 * refused. */
static const char *take_line(struct homer_hot_scan *s, const char *line, size_t n) {
    struct homer_hot *hot = s->hot;
    hot->line = !hot->keys[!hot->now].text; /* that one is still needed */
    void *text = hot->text[hot->line];
    bool ok = homer_hot_room(s, &text, &hot->text_cap[hot->line], n + HOMER_SCAN_PAD, 1);
    char *copy = hot->text[hot->line] = text;
    if (!ok) return NULL;
    memcpy(copy, line, n);
    memset(copy + n, 0, HOMER_SCAN_PAD);
    s->end = copy + n;
    return copy;
}

int homer_hot_read(struct homer_parse *p, const char *line, size_t n) {
    struct homer_hot_scan s = {.p = p, .hot = p->r->hot};
    if (p->limits->max_depth < DEPTH) return 0;
    if (!s.hot) s.hot = p->r->hot = hot_new(p->arena->mem);
    if (!s.hot) return -ENOMEM;
    const char *at = take_line(&s, line, n);
    if (at) at = read_object(&s, at);
    if (at && homer_hot_skip(at) == s.end) return 1;
    return s.refused ? -ENOMEM : 0;
}
