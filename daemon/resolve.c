#include "daemon/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/num.h"

/* Above this many slots the set of unseen bag items is given back instead of cleared: clearing costs its
 * size. */
enum { UNSEEN_KEEP = 4096 };

int homer_resolver_init(struct homer_resolver *r, struct homer_mem *mem, const uint8_t hash_key[16]) {
    *r = (struct homer_resolver){.mem = mem};
    homer_map_init(&r->unseen, mem, hash_key);
    homer_buf_init(&r->key, mem);
    return homer_text_new(&r->text, mem, hash_key);
}

void homer_resolver_deinit(struct homer_resolver *r) {
    r->text = homer_text_free(r->text);
    homer_map_deinit(&r->unseen);
    homer_buf_deinit(&r->key);
    r->feature = homer_mem_free(r->mem, r->feature, r->x_cap, sizeof *r->feature);
    r->value = homer_mem_free(r->mem, r->value, r->x_cap, sizeof *r->value);
    r->missing = homer_mem_free(r->mem, r->missing, r->x_cap, sizeof *r->missing);
    r->attribute = homer_mem_free(r->mem, r->attribute, r->x_cap, sizeof *r->attribute);
    r->positive = homer_mem_free(r->mem, r->positive, r->y_cap, sizeof *r->positive);
    r->negative = homer_mem_free(r->mem, r->negative, r->y_cap, sizeof *r->negative);
    r->place = homer_mem_free(r->mem, r->place, r->place_cap, sizeof *r->place);
    r->x_cap = r->y_cap = r->place_cap = 0;
}

int homer_name_cut(struct homer_str name) {
    enum { SHOWN = 60 };
    if (name.n <= SHOWN) return (int)name.n;
    size_t n = SHOWN;
    while (n > 0 && ((unsigned char)name.s[n] & 0xc0) == 0x80) n--; /* not inside a character */
    return (int)n;
}

/* Capacity for `need` elements: doubling, so that growth is rare. */
static size_t grown(size_t cap, size_t need) {
    if (cap == 0) cap = 64;
    while (cap < need) cap *= 2;
    return cap;
}

/* Makes room for `need` features. The contents are not kept: it runs before anything is written. */
static int reserve_x(struct homer_resolver *r, size_t need) {
    if (need <= r->x_cap) return 0;
    size_t cap = grown(r->x_cap, need);
    uint32_t *feature = homer_mem_alloc(r->mem, cap, sizeof *feature);
    float *value = homer_mem_alloc(r->mem, cap, sizeof *value);
    uint32_t *missing = homer_mem_alloc(r->mem, cap, sizeof *missing);
    uint32_t *attribute = homer_mem_alloc(r->mem, cap, sizeof *attribute);
    if (!feature || !value || !missing || !attribute) {
        homer_mem_free(r->mem, feature, cap, sizeof *feature);
        homer_mem_free(r->mem, value, cap, sizeof *value);
        homer_mem_free(r->mem, missing, cap, sizeof *missing);
        homer_mem_free(r->mem, attribute, cap, sizeof *attribute);
        return -ENOMEM;
    }
    homer_mem_free(r->mem, r->feature, r->x_cap, sizeof *r->feature);
    homer_mem_free(r->mem, r->value, r->x_cap, sizeof *r->value);
    homer_mem_free(r->mem, r->missing, r->x_cap, sizeof *r->missing);
    homer_mem_free(r->mem, r->attribute, r->x_cap, sizeof *r->attribute);
    r->attribute = attribute;
    r->feature = feature;
    r->value = value;
    r->missing = missing;
    r->x_cap = cap;
    return 0;
}

static int reserve_y(struct homer_resolver *r, size_t need) {
    if (need <= r->y_cap) return 0;
    size_t cap = grown(r->y_cap, need);
    uint32_t *positive = homer_mem_alloc(r->mem, cap, sizeof *positive);
    uint32_t *negative = homer_mem_alloc(r->mem, cap, sizeof *negative);
    if (!positive || !negative) {
        homer_mem_free(r->mem, positive, cap, sizeof *positive);
        homer_mem_free(r->mem, negative, cap, sizeof *negative);
        return -ENOMEM;
    }
    homer_mem_free(r->mem, r->positive, r->y_cap, sizeof *r->positive);
    homer_mem_free(r->mem, r->negative, r->y_cap, sizeof *r->negative);
    r->positive = positive;
    r->negative = negative;
    r->y_cap = cap;
    return 0;
}

/* What a client sent, in the words of its error message. */
static const char *sent_word(enum homer_feature_type type) {
    switch (type) {
    case HOMER_NUMERIC:
        return "a number";
    case HOMER_BINARY:
        return "true or false";
    case HOMER_NOMINAL:
        return "a string";
    case HOMER_BAG:
        return "an array of strings";
    case HOMER_TEXT:
        return "text";
    }
    return "something else";
}

/* As homer_schema_feature_at, with a message that says what the client sent. */
static int look_up(struct homer_schema *s, uint32_t *attribute, struct homer_str name,
                   enum homer_feature_type type, struct homer_str value, bool intern, uint32_t *id,
                   struct homer_error *err) {
    int rc = homer_schema_feature_at(s, attribute, name.s, name.n, type, value.s, value.n, intern, id, err);
    if (rc != HOMER_E_BAD_FEATURE) return rc;
    uint32_t a = *attribute;
    if (a == UINT32_MAX || s->attribute_type[a] == type) return rc;
    return homer_err_set(err, rc, "feature \"%.*s\" is %s, got %s", homer_name_cut(name), name.s,
                         homer_feature_type_word((enum homer_feature_type)s->attribute_type[a]),
                         sent_word(type));
}

static void put(struct homer_resolver *r, struct homer_instance *out, uint32_t id, float value) {
    r->feature[out->feature_n] = id;
    r->value[out->feature_n++] = value;
}

/* One more of a bag's item: it may be in the list already. `place` needs no clearing between instances: an
 * entry counts only when the list agrees with it. */
static int put_item(struct homer_resolver *r, struct homer_instance *out, uint32_t id) {
    if (id >= r->place_cap) {
        size_t cap = grown(r->place_cap, (size_t)id + 1);
        uint32_t *place = homer_mem_grow(r->mem, r->place, r->place_cap, cap, sizeof *place);
        if (!place) return -ENOMEM;
        r->place = place;
        r->place_cap = cap;
    }
    uint32_t at = r->place[id];
    if (at < out->feature_n && r->feature[at] == id) {
        r->value[at] += 1;
        return 0;
    }
    r->place[id] = out->feature_n;
    put(r, out, id, 1);
    return 0;
}

/* One more of a bag's item that the model does not know: listed once however often it comes, as it would be
 * one feature if it were learned. */
static int count_unseen(struct homer_resolver *r, struct homer_instance *out, const struct homer_value *v) {
    homer_buf_truncate(&r->key, 0);
    homer_buf_append(&r->key, v->name.s, v->name.n);
    homer_buf_putc(&r->key, '\0'); /* names have none */
    homer_buf_append(&r->key, v->string.s, v->string.n);
    if (r->key.failed) return -ENOMEM;
    uint32_t before = r->unseen.n;
    if (homer_map_add(&r->unseen, r->key.data, r->key.n) == UINT32_MAX) return -ENOMEM;
    if (r->unseen.n > before) put(r, out, HOMER_NO_ID, 1);
    return 0;
}

/* null: only what the model knows can be missing, and only a number or a flag; a nominal value that is
 * missing simply sets none of its indicators. */
static int put_missing(struct homer_resolver *r, struct homer_schema *s, struct homer_str name,
                       uint32_t *attribute, struct homer_instance *out) {
    uint32_t id;
    if (!homer_map_is(&s->attributes, *attribute, name.s, name.n))
        *attribute = homer_map_get(&s->attributes, name.s, name.n);
    if (*attribute == UINT32_MAX) return 0;
    enum homer_feature_type type = (enum homer_feature_type)s->attribute_type[*attribute];
    if (type != HOMER_NUMERIC && type != HOMER_BINARY) return 0;
    int rc = homer_schema_feature_at(s, attribute, name.s, name.n, type, NULL, 0, false, &id, NULL);
    if (rc == 0 && id != HOMER_NO_ID) r->missing[out->missing_n++] = id;
    return rc;
}

static int put_value(struct homer_resolver *r, struct homer_schema *s, const struct homer_value *v,
                     uint32_t *attribute, bool intern, struct homer_instance *out, struct homer_error *err) {
    static const enum homer_feature_type types[] = {
        [HOMER_VALUE_NUMBER] = HOMER_NUMERIC,
        [HOMER_VALUE_BOOL] = HOMER_BINARY,
        [HOMER_VALUE_STRING] = HOMER_NOMINAL,
        [HOMER_VALUE_ITEM] = HOMER_BAG,
    };
    if (v->type == HOMER_VALUE_MISSING) return put_missing(r, s, v->name, attribute, out);
    bool symbol = v->type == HOMER_VALUE_STRING || v->type == HOMER_VALUE_ITEM;
    float value = symbol ? 1 : (float)v->number;
    uint32_t id;
    int rc = look_up(s, attribute, v->name, types[v->type], v->string, intern, &id, err);
    if (rc) return rc;
    if (v->type == HOMER_VALUE_ITEM)
        return id == HOMER_NO_ID ? count_unseen(r, out, v) : put_item(r, out, id);
    if (id != HOMER_NO_ID || value < 0 || value > 0) put(r, out, id, value);
    return 0;
}

static int put_text(struct homer_resolver *r, struct homer_schema *s, const struct homer_token *token,
                    size_t n, bool intern, struct homer_instance *out, struct homer_error *err) {
    const struct homer_str unnamed = {"", 0};
    for (size_t i = 0; i < n; i++) {
        uint32_t id;
        int rc = look_up(s, &r->text_attribute, unnamed, HOMER_TEXT, token[i].word, intern, &id, err);
        if (rc) return rc;
        put(r, out, id, token[i].count == 1 ? 1 : 1 + homer_log((float)token[i].count));
    }
    return 0;
}

int homer_resolve_x(struct homer_resolver *r, struct homer_model *m, const struct homer_request *req,
                    const struct homer_request_limits *limits, bool intern, struct homer_instance *out,
                    struct homer_error *err) {
    struct homer_schema *s = homer_model_schema(m);
    const struct homer_token *token = NULL;
    size_t token_n = 0;
    int rc = 0;
    if (req->text.s) {
        size_t left = limits->max_x > req->x_n ? limits->max_x - req->x_n : 0;
        rc = homer_text_tokens(r->text, req->text, homer_model_config(m)->text_bigrams, limits->max_name,
                               left, &token, &token_n, err);
        if (rc) return rc;
    }
    rc = reserve_x(r, req->x_n + token_n + 1); /* never an array that is NULL */
    if (rc) return rc;

    *out =
        (struct homer_instance){.feature = r->feature, .value = r->value, .missing = r->missing, .weight = 1};
    for (size_t i = 0, place = 0; i < req->x_n && rc == 0; i++) {
        const struct homer_value *v = &req->x[i];
        if (i && v->name.s != v[-1].name.s) place++; /* entries of a bag have one place */
        rc = put_value(r, s, v, &r->attribute[place], intern, out, err);
    }
    uint32_t before = out->feature_n;
    if (rc == 0) rc = put_text(r, s, token, token_n, intern, out, err);
    out->text_n = out->feature_n - before;
    if (r->unseen.slot_n > UNSEEN_KEEP)
        homer_map_deinit(&r->unseen);
    else
        homer_map_truncate(&r->unseen, 0);
    return rc;
}

static int by_id(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Ascending and distinct; returns how many are left. */
static uint32_t sort_distinct(uint32_t *id, uint32_t n) {
    if (n < 2) return n;
    qsort(id, n, sizeof *id, by_id);
    uint32_t k = 1;
    for (uint32_t i = 1; i < n; i++)
        if (id[i] != id[k - 1]) id[k++] = id[i];
    return k;
}

int homer_resolve_y(struct homer_resolver *r, struct homer_model *m, const struct homer_request *req,
                    struct homer_instance *out, struct homer_error *err) {
    int rc = reserve_y(r, req->y_n + 1);
    if (rc) return rc;
    uint32_t positive_n = 0, negative_n = 0;
    for (size_t i = 0; i < req->y_n; i++) {
        uint32_t id;
        const struct homer_str *name = &req->y[i].name;
        rc = homer_schema_label(homer_model_schema(m), name->s, name->n, true, &id, err);
        if (rc) return rc;
        if (req->y[i].positive)
            r->positive[positive_n++] = id;
        else
            r->negative[negative_n++] = id;
    }
    out->positive = r->positive;
    out->positive_n = sort_distinct(r->positive, positive_n);
    out->negative = r->negative;
    out->negative_n = sort_distinct(r->negative, negative_n);
    out->partial = req->y_partial;
    out->weight = req->weight;
    return 0;
}
