/* x and y on the hot path. */
#include <float.h>
#include <math.h>
#include "proto/num.h"
#include "proto/number.h"
#include "proto/request_hot.h"
#include "proto/scan.h"

enum {
    FIRST_PAIRS = 16,
    PAIR_BYTES = 4 /* of the shortest that are not an array's numbers, with its comma */
};

static bool is_name(const struct homer_hot_scan *s, struct homer_str name) {
    return name.n >= 1 && name.n <= s->p->limits->max_name;
}

/* An array of the arena grows to twice *cap, or first to `guess` elements. */
static bool more(struct homer_hot_scan *s, void **p, size_t *cap, size_t guess, size_t size) {
    size_t want = *cap ? *cap * 2 : guess;
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

/* Room for one more pair: as many as the last instance had, if that many can stand in what is left. */
static bool more_x(struct homer_hot_scan *s, size_t *cap) {
    struct homer_request *r = s->p->r;
    size_t guess = s->hot->x_n, most = (size_t)(s->end - s->at) / PAIR_BYTES;
    void *x = r->x;
    if (guess > most) guess = most;
    bool ok = more(s, &x, cap, guess + FIRST_PAIRS, sizeof *r->x);
    r->x = x;
    return ok;
}

static inline bool put(struct homer_hot_scan *s, size_t *cap, const struct homer_value *v) {
    struct homer_request *r = s->p->r;
    if (r->x_n == *cap && (r->x_n >= s->p->limits->max_x || !more_x(s, cap))) return false;
    r->x[r->x_n++] = *v;
    return true;
}

static inline bool read_number(struct homer_hot_scan *s, double *out) {
    struct homer_number number;
    s->at = homer_number_read(s->at, &number);
    if (!s->at || !(fabs(number.d) <= (double)FLT_MAX)) return false;
    *out = number.d;
    return true;
}

static bool read_name(struct homer_hot_scan *s, struct homer_str *out) {
    struct homer_hot_key string;
    return *s->at == '"' && homer_hot_pass_string(s, &string) && homer_hot_name(s, &string, out) &&
           is_name(s, *out);
}

/* ---- x: {...} ---- */

/* Whether the text goes on as that key, its closing quote included. */
static inline bool goes_on_as(const struct homer_hot_scan *s, const struct homer_hot_key *key) {
    const char *at = s->at + 1;
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

/* Key number now->key_n. *as_before: so far all keys are those of the line before, hence distinct. */
static inline bool read_key(struct homer_hot_scan *s, struct homer_hot_side *now,
                            const struct homer_hot_side *before, bool *as_before, struct homer_str *name) {
    size_t i = now->key_n;
    if (i == now->key_cap) {
        void *keys = now->key;
        bool ok = homer_hot_room(s, &keys, &now->key_cap, i, i + 1, sizeof *now->key);
        now->key = keys;
        if (!ok) return false;
    }
    struct homer_hot_key *key = &now->key[i];
    bool same = i < before->key_n && goes_on_as(s, &before->key[i]);
    if (same) {
        *key = before->key[i];
        key->text = s->at + 1;
        s->at += 1 + key->n;
    } else if (!homer_hot_pass_string(s, key)) {
        return false;
    }
    now->key_n++;
    if (!homer_hot_name(s, key, name) || !is_name(s, *name)) return false;
    if (*as_before && !same) {
        *as_before = false;
        if (!enter_before(s, now->key, i)) return false;
    }
    return *as_before || homer_hot_set_add(s, *name);
}

static bool read_bag(struct homer_hot_scan *s, size_t *cap, struct homer_str name) {
    struct homer_value v = {.name = name, .type = HOMER_VALUE_ITEM};
    s->at++;
    if (homer_hot_peek(s) == ']') return homer_hot_pass(s, ']');
    do {
        homer_hot_peek(s);
        if (!read_name(s, &v.string) || !put(s, cap, &v)) return false;
    } while (homer_hot_pass(s, ','));
    return homer_hot_pass(s, ']');
}

/* The value of a feature, s->at at its first character. */
static inline bool read_x_value(struct homer_hot_scan *s, size_t *cap, struct homer_str name) {
    struct homer_value v = {.name = name};
    switch (*s->at) {
    case '"':
        v.type = HOMER_VALUE_STRING;
        return read_name(s, &v.string) && put(s, cap, &v);
    case '[':
        return read_bag(s, cap, name);
    case 't':
        v.type = HOMER_VALUE_BOOL;
        v.number = 1;
        return homer_hot_pass_word(s, "true") && put(s, cap, &v);
    case 'f':
        v.type = HOMER_VALUE_BOOL;
        return homer_hot_pass_word(s, "false") && put(s, cap, &v);
    case 'n':
        v.type = HOMER_VALUE_MISSING;
        return homer_hot_pass_word(s, "null") && put(s, cap, &v);
    default:
        v.type = HOMER_VALUE_NUMBER;
        return read_number(s, &v.number) && put(s, cap, &v);
    }
}

static bool read_x_object(struct homer_hot_scan *s, size_t *cap) {
    struct homer_hot *hot = s->hot;
    struct homer_hot_side *now = &hot->side[hot->now];
    const struct homer_hot_side *before = &hot->side[!hot->now];
    bool as_before = true;
    now->key_n = 0;
    s->at++;
    if (homer_hot_peek(s) == '}') return homer_hot_pass(s, '}');
    do {
        struct homer_str name;
        if (homer_hot_peek(s) != '"' || !read_key(s, now, before, &as_before, &name) ||
            !homer_hot_pass(s, ':'))
            return false;
        homer_hot_peek(s);
        if (!read_x_value(s, cap, name)) return false;
    } while (homer_hot_pass(s, ','));
    if (!homer_hot_pass(s, '}')) return false;
    hot->now = !hot->now; /* these keys are the ones before from now on */
    return true;
}

/* ---- x: [...] ---- */

/* The names "0" to "n - 1" as far as there are none yet. */
static bool name_places(struct homer_hot_scan *s, size_t n) {
    struct homer_hot *hot = s->hot;
    void *digits = hot->digits;
    bool ok =
        n < 100000000 && homer_hot_room(s, &digits, &hot->digits_cap, hot->digits_n, n, sizeof *hot->digits);
    hot->digits = digits;
    if (!ok) return false;
    for (; hot->digits_n < n; hot->digits_n++) {
        char text[HOMER_NUM_MAX] = {0};
        homer_num_u64(text, hot->digits_n);
        memcpy(hot->digits[hot->digits_n], text, sizeof *hot->digits);
    }
    return true;
}

static bool read_x_array(struct homer_hot_scan *s, size_t *cap) {
    struct homer_request *r = s->p->r;
    struct homer_value v = {.type = HOMER_VALUE_NUMBER};
    s->at++;
    if (homer_hot_peek(s) == ']') return homer_hot_pass(s, ']');
    do {
        homer_hot_peek(s);
        if (!read_number(s, &v.number) || !put(s, cap, &v)) return false;
    } while (homer_hot_pass(s, ','));
    if (!homer_hot_pass(s, ']') || !name_places(s, r->x_n)) return false;
    for (size_t i = 0, digits = 1, next = 10; i < r->x_n; i++) {
        if (i == next) {
            digits++;
            next *= 10;
        }
        r->x[i].name = (struct homer_str){s->hot->digits[i], digits};
    }
    return true;
}

bool homer_hot_x(struct homer_hot_scan *s) {
    struct homer_request *r = s->p->r;
    size_t cap = 0;
    r->has_x = true;
    if (!more_x(s, &cap)) return false; /* also for none: never NULL */
    if (!(*s->at == '{' ? read_x_object(s, &cap) : read_x_array(s, &cap))) return false;
    s->hot->x_n = r->x_n;
    return r->x_n <= s->p->limits->max_x;
}

/* ---- y ---- */

static bool more_y(struct homer_hot_scan *s, size_t *cap) {
    struct homer_request *r = s->p->r;
    void *y = r->y;
    bool ok = more(s, &y, cap, FIRST_PAIRS, sizeof *r->y);
    r->y = y;
    return ok;
}

static bool read_y_array(struct homer_hot_scan *s, size_t *cap) {
    struct homer_request *r = s->p->r;
    struct homer_label_value v = {.positive = true};
    s->at++;
    if (homer_hot_peek(s) == ']') return homer_hot_pass(s, ']');
    do {
        homer_hot_peek(s);
        if (!read_name(s, &v.name) || (r->y_n == *cap && !more_y(s, cap))) return false;
        r->y[r->y_n++] = v;
    } while (r->y_n <= s->p->limits->max_y && homer_hot_pass(s, ','));
    return homer_hot_pass(s, ']');
}

static bool read_y_object(struct homer_hot_scan *s, size_t *cap) {
    struct homer_request *r = s->p->r;
    r->y_partial = true;
    homer_hot_set_clear(s->hot);
    s->at++;
    if (homer_hot_peek(s) == '}') return homer_hot_pass(s, '}');
    do {
        struct homer_label_value v;
        homer_hot_peek(s);
        if (!read_name(s, &v.name) || !homer_hot_set_add(s, v.name) || !homer_hot_pass(s, ':')) return false;
        char c = homer_hot_peek(s);
        v.positive = c == 't';
        if (!homer_hot_pass_word(s, c == 't' ? "true" : c == 'f' ? "false" : "null")) return false;
        if (c == 'n') continue; /* unknown, as if it were not there */
        if (r->y_n == *cap && !more_y(s, cap)) return false;
        r->y[r->y_n++] = v;
    } while (s->hot->name_n <= s->p->limits->max_y && homer_hot_pass(s, ','));
    return homer_hot_pass(s, '}');
}

bool homer_hot_y(struct homer_hot_scan *s) {
    struct homer_request *r = s->p->r;
    size_t cap = 0;
    r->has_y = true;
    if (!more_y(s, &cap)) return false;
    if (!(*s->at == '[' ? read_y_array(s, &cap) : read_y_object(s, &cap))) return false;
    return (r->y_partial ? s->hot->name_n : r->y_n) <= s->p->limits->max_y;
}
