/* x and y on the hot path. */
#include <float.h>
#include <math.h>
#include "proto/num.h"
#include "proto/number.h"
#include "proto/request_hot.h"
#include "proto/scan.h"

enum {
    FIRST_PAIRS = 16,
    PAIR_BYTES = 4,        /* of the shortest pair of an object, with its comma */
    PLACES_MAX = 100000000 /* places whose digits fit into homer_hot.digits, with a NUL */
};

static bool is_name(const struct homer_hot_scan *s, struct homer_str name) {
    return name.n >= 1 && name.n <= s->p->limits->max_name;
}

static const char *read_name(struct homer_hot_scan *s, const char *at, struct homer_str *out) {
    struct homer_hot_key string;
    if (*at != '"' || !(at = homer_hot_string(at, &string))) return NULL;
    return homer_hot_name(s, &string, out) && is_name(s, *out) ? at : NULL;
}

/* ---- x: {...} ---- */

/* The pairs being filled. */
struct pairs {
    struct homer_value *v; /* [n] of cap */
    size_t n, cap;
};

/* Room for one more pair: as many as the last instance had, if that many can stand in what is left. */
static bool more_pairs(struct homer_hot_scan *s, const char *at, struct pairs *x) {
    size_t guess = s->hot->x_n, most = (size_t)(s->end - at) / PAIR_BYTES;
    void *v = x->v;
    bool ok = x->n <= s->p->limits->max_x &&
              homer_hot_more(s, &v, &x->cap, (guess < most ? guess : most) + FIRST_PAIRS, sizeof *x->v);
    x->v = v;
    return ok;
}

/* The place of one more pair; NULL: give up. */
static inline struct homer_value *next_pair(struct homer_hot_scan *s, const char *at, struct pairs *x) {
    if (x->n == x->cap && !more_pairs(s, at, x)) return NULL;
    return &x->v[x->n++];
}

static inline const char *read_number(const char *at, double *out) {
    struct homer_number number;
    at = homer_number_read(at, &number);
    *out = number.d;
    return at && fabs(number.d) <= (double)FLT_MAX ? at : NULL;
}

/* Whether the text at `at` goes on as that key, its closing quote included. */
static inline bool goes_on_as(const struct homer_hot_scan *s, const char *at,
                              const struct homer_hot_key *key) {
    if (key->n <= 8) return (homer_load8(at) ^ homer_load8(key->text)) << (64 - 8 * key->n) == 0;
    if (key->n > (size_t)(s->end - at)) return false;
    if (key->n > 16) return memcmp(at, key->text, key->n) == 0;
    return homer_load8(at) == homer_load8(key->text) &&
           homer_load8(at + key->n - 8) == homer_load8(key->text + key->n - 8);
}

/* The keys before the first one that differs from those of the line before: they are in no set yet. */
static bool enter_before(struct homer_hot_scan *s, const struct homer_hot_key *key, size_t n) {
    struct homer_str name;
    homer_hot_set_clear(s->hot);
    for (size_t i = 0; i < n; i++)
        if (!homer_hot_name(s, &key[i], &name) || !homer_hot_set_add(s, name)) return false;
    return true;
}

static bool more_keys(struct homer_hot_scan *s, struct homer_hot_keys *keys) {
    void *key = keys->key;
    bool ok = homer_hot_room(s, &key, &keys->cap, keys->n + 1, sizeof *keys->key);
    keys->key = key;
    return ok;
}

/* Key number now->n. *as_before: so far all keys are those of the line before, hence distinct. */
static inline const char *read_key(struct homer_hot_scan *s, const char *at, struct homer_hot_keys *now,
                                   const struct homer_hot_keys *before, bool *as_before,
                                   struct homer_str *name) {
    size_t i = now->n;
    if (*at != '"' || (i == now->cap && !more_keys(s, now))) return NULL;
    struct homer_hot_key *key = &now->key[i];
    bool same = i < before->n && goes_on_as(s, at + 1, &before->key[i]);
    if (same) {
        key->n = before->key[i].n;
        key->escaped = before->key[i].escaped;
        key->text = at + 1;
        at += 1 + key->n;
    } else if (!(at = homer_hot_string(at, key))) {
        return NULL;
    }
    now->n = i + 1;
    if (!homer_hot_name(s, key, name) || !is_name(s, *name)) return NULL;
    if (*as_before && !same) {
        *as_before = false;
        if (!enter_before(s, now->key, i)) return NULL;
    }
    return *as_before || homer_hot_set_add(s, *name) ? at : NULL;
}

static const char *read_bag(struct homer_hot_scan *s, const char *at, struct pairs *x,
                            struct homer_str name) {
    at = homer_hot_skip(at + 1);
    if (*at == ']') return at + 1;
    for (bool more = true; at && more;) {
        struct homer_value *v = next_pair(s, at, x);
        if (!v) return NULL;
        *v = (struct homer_value){.name = name, .type = HOMER_VALUE_ITEM};
        at = read_name(s, at, &v->string);
        if (at) at = homer_hot_next(at, ']', &more);
    }
    return at;
}

/* The value of a feature. */
static inline const char *read_x_value(struct homer_hot_scan *s, const char *at, struct pairs *x,
                                       struct homer_str name) {
    if (*at == '[') return read_bag(s, at, x, name);
    struct homer_value *v = next_pair(s, at, x);
    if (!v) return NULL;
    *v = (struct homer_value){.name = name, .type = HOMER_VALUE_NUMBER};
    switch (*at) {
    case '"':
        v->type = HOMER_VALUE_STRING;
        return read_name(s, at, &v->string);
    case 't':
    case 'f':
        v->type = HOMER_VALUE_BOOL;
        v->number = *at == 't';
        return homer_hot_word(at, *at == 't' ? "true" : "false");
    case 'n':
        v->type = HOMER_VALUE_MISSING;
        return homer_hot_word(at, "null");
    default:
        return read_number(at, &v->number);
    }
}

static const char *read_x_object(struct homer_hot_scan *s, const char *at, struct pairs *x) {
    struct homer_hot *hot = s->hot;
    struct homer_hot_keys *now = &hot->keys[hot->now];
    const struct homer_hot_keys *before = &hot->keys[!hot->now];
    bool as_before = true, more = true;
    now->n = 0;
    at = homer_hot_skip(at + 1);
    if (*at == '}') return at + 1;
    while (more) {
        struct homer_str name;
        if (!(at = read_key(s, at, now, before, &as_before, &name)) || !(at = homer_hot_pass(at, ':')) ||
            !(at = read_x_value(s, at, x, name)) || !(at = homer_hot_next(at, '}', &more)))
            return NULL;
    }
    now->text = hot->line;
    hot->now = !hot->now; /* these keys are the ones before from now on */
    return at;
}

/* ---- x: [...] ---- */

/* The names "0" to "n - 1" as far as there are none yet. */
static bool name_places(struct homer_hot_scan *s, size_t n) {
    struct homer_hot *hot = s->hot;
    void *digits = hot->digits;
    bool ok = n < PLACES_MAX && homer_hot_room(s, &digits, &hot->digits_cap, n, sizeof *hot->digits);
    hot->digits = digits;
    if (!ok) return false;
    for (; hot->digits_n < n; hot->digits_n++) {
        char text[HOMER_NUM_MAX] = {0};
        homer_num_u64(text, hot->digits_n);
        memcpy(hot->digits[hot->digits_n], text, sizeof *hot->digits);
    }
    return true;
}

static const char *read_x_array(struct homer_hot_scan *s, const char *at, struct pairs *x) {
    at = homer_hot_skip(at + 1);
    if (*at == ']') return at + 1;
    for (bool more = true; more;) {
        struct homer_value *v = next_pair(s, at, x);
        if (!v) return NULL;
        *v = (struct homer_value){.type = HOMER_VALUE_NUMBER};
        if (!(at = read_number(at, &v->number)) || !(at = homer_hot_next(at, ']', &more))) return NULL;
    }
    if (!name_places(s, x->n)) return NULL;
    for (size_t i = 0, digits = 1, next = 10; i < x->n; i++) {
        if (i == next) {
            digits++;
            next *= 10;
        }
        x->v[i].name = (struct homer_str){s->hot->digits[i], digits};
    }
    return at;
}

const char *homer_hot_x(struct homer_hot_scan *s, const char *at) {
    struct homer_request *r = s->p->r;
    struct pairs x = {0};
    if (!more_pairs(s, at, &x)) return NULL; /* also for none: never NULL */
    at = *at == '{' ? read_x_object(s, at, &x) : read_x_array(s, at, &x);
    if (!at || x.n > s->p->limits->max_x) return NULL;
    r->has_x = true;
    r->x = x.v;
    r->x_n = s->hot->x_n = x.n;
    return at;
}

/* ---- y ---- */

static struct homer_label_value *next_label(struct homer_hot_scan *s, size_t *cap) {
    struct homer_request *r = s->p->r;
    void *y = r->y;
    if (r->y_n > s->p->limits->max_y) return NULL;
    if (r->y_n == *cap && !homer_hot_more(s, &y, cap, FIRST_PAIRS, sizeof *r->y)) return NULL;
    r->y = y;
    return &r->y[r->y_n++];
}

static const char *read_y_array(struct homer_hot_scan *s, const char *at, size_t *cap) {
    at = homer_hot_skip(at + 1);
    if (*at == ']') return at + 1;
    for (bool more = true; at && more;) {
        struct homer_label_value *v = next_label(s, cap);
        if (!v) return NULL;
        v->positive = true;
        at = read_name(s, at, &v->name);
        if (at) at = homer_hot_next(at, ']', &more);
    }
    return at;
}

static const char *read_y_object(struct homer_hot_scan *s, const char *at, size_t *cap) {
    struct homer_request *r = s->p->r;
    r->y_partial = true;
    homer_hot_set_clear(s->hot);
    at = homer_hot_skip(at + 1);
    if (*at == '}') return at + 1;
    for (bool more = true; more;) {
        struct homer_label_value *v = next_label(s, cap);
        if (!v || !(at = read_name(s, at, &v->name)) || !homer_hot_set_add(s, v->name) ||
            !(at = homer_hot_pass(at, ':')))
            return NULL;
        v->positive = *at == 't';
        if (*at == 'n') r->y_n--; /* unknown, as if it were not there */
        at = homer_hot_word(at, *at == 't' ? "true" : *at == 'f' ? "false" : "null");
        if (!at || !(at = homer_hot_next(at, '}', &more))) return NULL;
    }
    return s->hot->name_n <= s->p->limits->max_y ? at : NULL;
}

const char *homer_hot_y(struct homer_hot_scan *s, const char *at) {
    struct homer_request *r = s->p->r;
    size_t cap = 0;
    r->has_y = true;
    if (!next_label(s, &cap)) return NULL; /* also for none: never NULL */
    r->y_n = 0;
    at = *at == '[' ? read_y_array(s, at, &cap) : read_y_object(s, at, &cap);
    return at && r->y_n <= s->p->limits->max_y ? at : NULL;
}
