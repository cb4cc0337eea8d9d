/* Names to dense ids and back, grown online: attributes (what a client calls a feature), features (columns of
 * the learner: an attribute's number or one of its values) and labels.
 *
 * A numeric or binary attribute is one feature; a nominal attribute or a bag has one indicator feature per
 * value; words of `text` are the values of one unnamed attribute. An attribute keeps the type it was first
 * learned with. Ids are given in order of first appearance, never reused. Lookup without interning changes
 * nothing. Hashing is keyed (SipHash-1-3): no client can aim at collisions, and no result depends on the key.
 * One thread; pure memory. */
#ifndef HOMER_SCHEMA_H
#define HOMER_SCHEMA_H

#include "core/base/codec.h"
#include "core/base/err.h"
#include "core/base/map.h"

#define HOMER_NO_ID UINT32_MAX

enum homer_feature_type { HOMER_NUMERIC = 0, HOMER_BINARY, HOMER_NOMINAL, HOMER_BAG, HOMER_TEXT };

/* "numeric", "binary", "nominal", "bag", "text". */
const char *homer_feature_type_word(enum homer_feature_type type);

struct homer_schema {
    struct homer_map attributes;  /* key: the name; HOMER_TEXT's is the empty name */
    struct homer_map features;    /* key: attribute id (4 bytes) then the value's bytes */
    struct homer_map labels;      /* key: the name */
    uint8_t *attribute_type;      /* [attributes.n], of attribute_cap */
    uint32_t *attribute_features; /* [attributes.n]: features of the attribute so far */
    uint32_t *attribute_first;    /* [attributes.n]: the first of them, where it has any */
    size_t attribute_cap;
    uint32_t max_features, max_labels;
    struct homer_mem *mem;
};

struct homer_schema_mark {
    uint32_t attributes, features, labels;
};

void homer_schema_init(struct homer_schema *s, struct homer_mem *mem, const uint8_t hash_key[16],
                       uint32_t max_features, uint32_t max_labels);
void homer_schema_deinit(struct homer_schema *s);

/* The feature of (attribute name, value): *id. `value` is ignored for numeric and binary ones. With intern,
 * unknown ones are added; without, *id = HOMER_NO_ID. HOMER_E_BAD_FEATURE: the attribute has another type.
 * HOMER_E_TOO_MANY: at max_features, or no memory under max_memory. */
int homer_schema_feature(struct homer_schema *s, const char *name, size_t name_n,
                         enum homer_feature_type type, const char *value, size_t value_n, bool intern,
                         uint32_t *id, struct homer_error *err);

/* The same for a caller who guesses which attribute has that name: *attribute, which may be any number, then
 * is the one that has, or HOMER_NO_ID. A right guess saves a hash; a wrong one costs a comparison. */
int homer_schema_feature_at(struct homer_schema *s, uint32_t *attribute, const char *name, size_t name_n,
                            enum homer_feature_type type, const char *value, size_t value_n, bool intern,
                            uint32_t *id, struct homer_error *err);

/* The label of that name: *id, or HOMER_NO_ID when unknown and not interning. HOMER_E_TOO_MANY as above. */
int homer_schema_label(struct homer_schema *s, const char *name, size_t n, bool intern, uint32_t *id,
                       struct homer_error *err);

/* Names of ids, borrowed until the next interning; not NUL-terminated. */
const char *homer_schema_label_name(const struct homer_schema *s, uint32_t label, size_t *n);
const char *homer_schema_attribute_name(const struct homer_schema *s, uint32_t attribute, size_t *n);

/* What a refused allocation of the model is called: HOMER_E_TOO_MANY with limit max_memory where there is a
 * cap, else -ENOMEM. */
int homer_schema_no_memory(const struct homer_schema *s, struct homer_error *err);

/* Undoes all interning since the mark was taken. */
struct homer_schema_mark homer_schema_mark(const struct homer_schema *s);
void homer_schema_rollback(struct homer_schema *s, struct homer_schema_mark mark);

void homer_schema_encode(const struct homer_schema *s, struct homer_codec *c);
/* Into an empty schema. */
void homer_schema_decode(struct homer_schema *s, struct homer_decoder *d);

#endif
