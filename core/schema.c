#include "core/schema.h"

#include <errno.h>
#include <string.h>

/* attribute id + value; values and names are capped by the wire layer far below */
enum { KEY_MAX = 4 + 1024, NAME_MAX_BYTES = 1 << 16 };

const char *homer_feature_type_word(enum homer_feature_type type) {
    static const char *const words[] = {"numeric", "binary", "nominal", "bag", "text"};
    return words[type];
}

void homer_schema_init(struct homer_schema *s, struct homer_mem *mem, const uint8_t hash_key[16],
                       uint32_t max_features, uint32_t max_labels) {
    *s = (struct homer_schema){.mem = mem, .max_features = max_features, .max_labels = max_labels};
    homer_map_init(&s->attributes, mem, hash_key);
    homer_map_init(&s->features, mem, hash_key);
    homer_map_init(&s->labels, mem, hash_key);
}

void homer_schema_deinit(struct homer_schema *s) {
    homer_map_deinit(&s->attributes);
    homer_map_deinit(&s->features);
    homer_map_deinit(&s->labels);
    homer_mem_free(s->mem, s->attribute_type, s->attribute_cap, sizeof *s->attribute_type);
    homer_mem_free(s->mem, s->attribute_features, s->attribute_cap, sizeof *s->attribute_features);
    homer_mem_free(s->mem, s->attribute_first, s->attribute_cap, sizeof *s->attribute_first);
    s->attribute_type = NULL;
    s->attribute_features = NULL;
    s->attribute_first = NULL;
    s->attribute_cap = 0;
}

int homer_schema_no_memory(const struct homer_schema *s, struct homer_error *err) {
    if (s->mem->max_bytes)
        return homer_err_limit(err, HOMER_E_TOO_MANY, "max_memory",
                               "not enough memory left for this in the model (%zu of %zu bytes are used); "
                               "raise model.max_memory",
                               s->mem->used_bytes, s->mem->max_bytes);
    return homer_err_set(err, -ENOMEM, "out of memory");
}

/* Room for one more attribute. */
static bool grow_attributes(struct homer_schema *s) {
    size_t n = s->attributes.n, cap = s->attribute_cap ? s->attribute_cap * 2 : 32;
    if (n < s->attribute_cap) return true;
    uint8_t *types = homer_mem_alloc(s->mem, cap, sizeof *types);
    uint32_t *counts = homer_mem_alloc(s->mem, cap, sizeof *counts);
    uint32_t *first = homer_mem_alloc(s->mem, cap, sizeof *first);
    if (!types || !counts || !first) {
        homer_mem_free(s->mem, types, cap, sizeof *types);
        homer_mem_free(s->mem, counts, cap, sizeof *counts);
        homer_mem_free(s->mem, first, cap, sizeof *first);
        return false;
    }
    if (n) {
        memcpy(types, s->attribute_type, n * sizeof *types);
        memcpy(counts, s->attribute_features, n * sizeof *counts);
        memcpy(first, s->attribute_first, n * sizeof *first);
    }
    homer_mem_free(s->mem, s->attribute_type, s->attribute_cap, sizeof *types);
    homer_mem_free(s->mem, s->attribute_features, s->attribute_cap, sizeof *counts);
    homer_mem_free(s->mem, s->attribute_first, s->attribute_cap, sizeof *first);
    s->attribute_type = types;
    s->attribute_features = counts;
    s->attribute_first = first;
    s->attribute_cap = cap;
    return true;
}

/* A new attribute's id: UINT32_MAX when memory was refused. */
static uint32_t add_attribute(struct homer_schema *s, const char *name, size_t n,
                              enum homer_feature_type type) {
    if (!grow_attributes(s)) return UINT32_MAX;
    uint32_t a = homer_map_add(&s->attributes, name, n);
    if (a == UINT32_MAX) return a;
    s->attribute_type[a] = (uint8_t)type;
    s->attribute_features[a] = 0;
    return a;
}

/* Counts feature f, the newest, to its attribute. */
static void count_feature(struct homer_schema *s, uint32_t a, uint32_t f) {
    if (s->attribute_features[a]++ == 0) s->attribute_first[a] = f;
}

int homer_schema_feature_at(struct homer_schema *s, uint32_t *attribute, const char *name, size_t name_n,
                            enum homer_feature_type type, const char *value, size_t value_n, bool intern,
                            uint32_t *id, struct homer_error *err) {
    unsigned char key[KEY_MAX];
    *id = HOMER_NO_ID;
    if (!homer_map_is(&s->attributes, *attribute, name, name_n))
        *attribute = homer_map_get(&s->attributes, name, name_n);
    uint32_t a = *attribute;
    if (a != UINT32_MAX && s->attribute_type[a] != type)
        return homer_err_set(err, HOMER_E_BAD_FEATURE, "feature \"%.*s\" is %s, got a %s value",
                             (int)(name_n < 64 ? name_n : 64), name,
                             homer_feature_type_word((enum homer_feature_type)s->attribute_type[a]),
                             homer_feature_type_word(type));
    if (type == HOMER_NUMERIC || type == HOMER_BINARY) value_n = 0;
    if (value_n > KEY_MAX - 4)
        return homer_err_set(err, HOMER_E_BAD_FEATURE, "a feature's value is too long");
    if (a == UINT32_MAX && !intern) return 0;
    if (a != UINT32_MAX) {
        memcpy(key, &a, 4);
        if (value_n) memcpy(key + 4, value, value_n);
        /* A number or a flag has but one. */
        *id = homer_map_is(&s->features, s->attribute_first[a], key, 4 + value_n)
                  ? s->attribute_first[a]
                  : homer_map_get(&s->features, key, 4 + value_n);
        if (*id != HOMER_NO_ID || !intern) return 0;
    }
    if (s->features.n >= s->max_features)
        return homer_err_limit(err, HOMER_E_TOO_MANY, "max_features", "the model already has %u features",
                               s->max_features);
    if (a == UINT32_MAX) a = *attribute = add_attribute(s, name, name_n, type);
    if (a == UINT32_MAX) return homer_schema_no_memory(s, err);
    memcpy(key, &a, 4);
    if (value_n) memcpy(key + 4, value, value_n);
    *id = homer_map_add(&s->features, key, 4 + value_n);
    if (*id == HOMER_NO_ID) return homer_schema_no_memory(s, err);
    count_feature(s, a, *id);
    return 0;
}

int homer_schema_feature(struct homer_schema *s, const char *name, size_t name_n,
                         enum homer_feature_type type, const char *value, size_t value_n, bool intern,
                         uint32_t *id, struct homer_error *err) {
    uint32_t attribute = HOMER_NO_ID;
    return homer_schema_feature_at(s, &attribute, name, name_n, type, value, value_n, intern, id, err);
}

int homer_schema_label(struct homer_schema *s, const char *name, size_t n, bool intern, uint32_t *id,
                       struct homer_error *err) {
    *id = homer_map_get(&s->labels, name, n);
    if (*id != HOMER_NO_ID || !intern) return 0;
    if (s->labels.n >= s->max_labels)
        return homer_err_limit(err, HOMER_E_TOO_MANY, "max_labels", "the model already has %u labels",
                               s->max_labels);
    *id = homer_map_add(&s->labels, name, n);
    return *id == HOMER_NO_ID ? homer_schema_no_memory(s, err) : 0;
}

const char *homer_schema_label_name(const struct homer_schema *s, uint32_t label, size_t *n) {
    return homer_map_key(&s->labels, label, n);
}

const char *homer_schema_attribute_name(const struct homer_schema *s, uint32_t attribute, size_t *n) {
    return homer_map_key(&s->attributes, attribute, n);
}

struct homer_schema_mark homer_schema_mark(const struct homer_schema *s) {
    return (struct homer_schema_mark){s->attributes.n, s->features.n, s->labels.n};
}

void homer_schema_rollback(struct homer_schema *s, struct homer_schema_mark mark) {
    for (uint32_t f = mark.features; f < s->features.n; f++) {
        size_t n;
        uint32_t a;
        memcpy(&a, homer_map_key(&s->features, f, &n), 4);
        s->attribute_features[a]--;
    }
    homer_map_truncate(&s->attributes, mark.attributes);
    homer_map_truncate(&s->features, mark.features);
    homer_map_truncate(&s->labels, mark.labels);
}

static void encode_map(const struct homer_map *m, struct homer_codec *c) {
    homer_put_u32(c, m->n);
    homer_map_put_room(m, c);
    for (uint32_t i = 0; i < m->n; i++) homer_map_put_key(m, i, c);
}

void homer_schema_encode(const struct homer_schema *s, struct homer_codec *c) {
    encode_map(&s->attributes, c);
    encode_map(&s->features, c);
    encode_map(&s->labels, c);
    homer_put_room(c, s->attribute_cap);
    for (uint32_t a = 0; a < s->attributes.n; a++) homer_put_u8(c, s->attribute_type[a]);
}

static void decode_map(struct homer_map *m, uint32_t most, size_t key_most, struct homer_decoder *d) {
    uint32_t n = homer_get_most(d, most);
    homer_map_get_room(m, d);
    for (uint32_t i = 0; i < n && !d->error; i++) homer_map_get_key(m, key_most, d);
}

/* Counts the features of each attribute, which begin with its id. */
static void count_features(struct homer_schema *s, struct homer_decoder *d) {
    for (uint32_t f = 0; f < s->features.n; f++) {
        size_t n;
        uint32_t a;
        const char *key = homer_map_key(&s->features, f, &n);
        if (!homer_get_holds(d, n >= sizeof a)) return;
        memcpy(&a, key, sizeof a);
        if (!homer_get_holds(d, a < s->attributes.n)) return;
        count_feature(s, a, f);
    }
}

void homer_schema_decode(struct homer_schema *s, struct homer_decoder *d) {
    decode_map(&s->attributes, s->max_features, NAME_MAX_BYTES, d);
    decode_map(&s->features, s->max_features, KEY_MAX, d);
    decode_map(&s->labels, s->max_labels, NAME_MAX_BYTES, d);
    s->attribute_cap = homer_get_room(d, s->attributes.n);
    s->attribute_type = homer_get_block(d, s->mem, s->attribute_cap, sizeof *s->attribute_type);
    s->attribute_features = homer_get_block(d, s->mem, s->attribute_cap, sizeof *s->attribute_features);
    s->attribute_first = homer_get_block(d, s->mem, s->attribute_cap, sizeof *s->attribute_first);
    if (d->error) return;
    for (uint32_t a = 0; a < s->attributes.n; a++) s->attribute_type[a] = homer_get_u8(d, HOMER_TEXT);
    count_features(s, d);
}
