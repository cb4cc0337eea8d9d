/* A request that is a JSON object: which op, which fields it may carry and must carry. */
#include <assert.h>
#include <stddef.h>
#include <string.h>
#include "proto/request_parse.h"

#define BIT(op) (1u << HOMER_OP_##op)
#define AT(member) offsetof(struct homer_request, member)

enum {
    ALL = -1,
    INSTANCE = BIT(LEARN) | BIT(PREDICT) | BIT(TEST),
    LABELLED = BIT(LEARN) | BIT(TEST) | BIT(LABEL),
    ANSWERING = BIT(PREDICT) | BIT(TEST),
    NAMES = BIT(LABELS) | BIT(FEATURES),
    LISTING = NAMES | BIT(DRIFTS),
    ALONE = BIT(BATCH) | BIT(QUIT) | BIT(AUTH),
    NAMING = BIT(MODEL_CREATE) | BIT(MODEL_DROP),
};

static int read_op(struct homer_parse *p, const struct homer_field *field, const struct homer_field_value *v);
enum { ID, OP, MODEL, X, TEXT, Y, N, AHEAD = 3 /* jansson's documents have the first of them read first */ };

static const struct homer_field fields[] = {
    [ID] = {"id", (unsigned)ALL, homer_read_id, AT(id)},
    [OP] = {"op", (unsigned)ALL, read_op, 0},
    [MODEL] = {"model", (unsigned)ALL, homer_read_model, AT(model)},
    [X] = {"x", INSTANCE, homer_read_x, 0},
    [TEXT] = {"text", INSTANCE, homer_read_string, AT(text)},
    [Y] = {"y", LABELLED, homer_read_y, 0},
    [N] = {"n", LABELLED, homer_read_u64, AT(n)},
    {"w", LABELLED, homer_read_weight, 0},
    {"t", INSTANCE | LABELLED, homer_read_time, 0},
    {"src", LABELLED, homer_read_src, 0},
    {"noreply", BIT(LEARN) | BIT(LABEL), homer_read_bool, AT(noreply)},
    {"track", BIT(PREDICT), homer_read_bool, AT(track)},
    {"ref", BIT(LABEL), homer_read_id, AT(ref)},
    {"metrics", BIT(TEST), homer_read_bool, AT(metrics)},
    {"k", ANSWERING, homer_read_count, AT(k)},
    {"threshold", ANSWERING, homer_read_threshold, 0},
    {"objective", ANSWERING, homer_read_string, AT(objective)},
    {"scores", ANSWERING, homer_read_scores, 0},
    {"prefix", NAMES, homer_read_string, AT(prefix)},
    {"limit", LISTING, homer_read_count, AT(limit)},
    {"since", BIT(DRIFTS), homer_read_u64, AT(since)},
    {"format", BIT(HIERARCHY), homer_read_format, AT(dot)},
    {"token", BIT(AUTH), homer_read_string, AT(token)},
    {"name", NAMING, homer_read_model, AT(name)},
    {"config", BIT(MODEL_CREATE), homer_read_config, 0},
    {"items", BIT(BATCH), homer_read_items, 0},
};
static_assert(sizeof fields / sizeof *fields <= 32, "each has a bit of homer_parse.given");

/* Words of the protocol that this version does not have yet. */
static const char *const later[] = {"subscribe", "slowlog"};
/* Fields of it: what they promise must not be passed over, not even in a recorded instance. */
static const char *const later_fields[] = {"explain"};

static int bad(struct homer_parse *p, const char *why) {
    return homer_err_set(&p->r->error, HOMER_E_BAD_REQUEST, "%s", why);
}

static bool same(struct homer_str a, const char *word) {
    return a.n && a.s[0] == word[0] && strlen(word) == a.n && memcmp(a.s, word, a.n) == 0;
}

static bool is_given(const struct homer_parse *p, unsigned field) {
    return p->given >> field & 1;
}

/* An object without op: the fields say what it is. */
int homer_parse_shorthand(struct homer_parse *p) {
    if (!is_given(p, X) && !is_given(p, TEXT))
        return bad(
            p, "missing \"op\" (without it: \"y\" and \"x\" or \"text\" learn, \"x\" or \"text\" predict)");
    p->r->op = is_given(p, Y) ? HOMER_OP_LEARN : HOMER_OP_PREDICT;
    p->recorded = true;
    return 0;
}

static int read_op(struct homer_parse *p, const struct homer_field *field,
                   const struct homer_field_value *v) {
    (void)field;
    if (!v->s.s) return bad(p, "\"op\" must be a string");
    p->r->op = homer_op_parse(v->s);
    if (p->r->op) return 0;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (same(v->s, later[i])) {
            return homer_err_set(&p->r->error, HOMER_E_UNKNOWN_OP, "\"%s\" is not available in this version",
                                 later[i]);
        }
    }
    return homer_err_set(&p->r->error, HOMER_E_UNKNOWN_OP, "unknown op \"%s\"; \"help\" lists what there is",
                         homer_quote(v->s).text);
}

const struct homer_field *homer_field_find(struct homer_str name, unsigned *bit) {
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!same(name, fields[i].name)) continue;
        *bit = 1u << i;
        return &fields[i];
    }
    return NULL;
}

bool homer_parse_passes_over(const struct homer_parse *p, struct homer_str name) {
    for (size_t i = 0; i < sizeof later_fields / sizeof *later_fields; i++)
        if (same(name, later_fields[i])) return false;
    return p->recorded;
}

static int read_field(struct homer_parse *p, struct homer_str name, json_t *v) {
    unsigned bit;
    const struct homer_field *field = homer_field_find(name, &bit);
    if (field && field->ops & 1u << p->r->op) {
        const struct homer_field_value value = homer_field_value(v);
        return field < fields + AHEAD ? 0 : field->read(p, field, &value);
    }
    if (!field && homer_parse_passes_over(p, name)) return 0;
    return homer_err_set(&p->r->error, HOMER_E_BAD_REQUEST, "\"%s\" is not a field of %s",
                         homer_quote(name).text, homer_op_word(p->r->op));
}

int homer_parse_check(struct homer_parse *p) {
    struct homer_request *r = p->r;
    unsigned op = 1u << r->op;
    const char *missing = NULL;
    if ((op & INSTANCE) && !r->has_x && !r->text.s) missing = "\"x\" or \"text\"";
    if ((op & LABELLED) && !r->has_y) missing = "\"y\"";
    if ((op & BIT(LABEL)) && !r->ref.s) missing = "\"ref\", the \"id\" of the tracked prediction";
    if ((op & NAMING) && !r->name.s) missing = "\"name\"";
    if ((op & BIT(AUTH)) && !r->token.s) missing = "\"token\"";
    if ((op & BIT(BATCH)) && !r->items) missing = "\"items\"";
    r->has_n = (op & LABELLED) && is_given(p, N);
    if (r->src.s && !r->has_n) missing = "\"n\" beside \"src\"";
    if (r->has_n && !r->src.s) missing = "\"src\" beside \"n\"";
    if (r->track && !r->id.s) missing = "\"id\" beside \"track\"";
    if (!missing) return 0;
    return homer_err_set(&p->r->error, HOMER_E_BAD_REQUEST, "%s needs %s", homer_op_word(r->op), missing);
}

/* A field that is read ahead of the rest. */
static int read_ahead(struct homer_parse *p, unsigned field, const json_t *object) {
    json_t *v = json_object_get(object, fields[field].name);
    if (!v) return 0;
    const struct homer_field_value value = homer_field_value(v);
    return fields[field].read(p, &fields[field], &value);
}

static int parse(struct homer_parse *p, json_t *object, bool item) {
    p->given = 0;
    p->recorded = false;
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
        if (json_object_get(object, fields[i].name)) p->given |= 1u << i;
    int rc = read_ahead(p, ID, object);
    if (!rc) rc = is_given(p, OP) ? read_ahead(p, OP, object) : homer_parse_shorthand(p);
    if (!rc && item && (1u << p->r->op & ALONE))
        rc = bad(p, "an item of a batch cannot be batch, quit or auth");
    if (!rc && item && p->r->op == HOMER_OP_SNAPSHOT)
        rc = bad(p, "snapshot takes its time: send it by itself, not in a batch");
    if (!rc) rc = read_ahead(p, MODEL, object);
    for (void *it = json_object_iter(object); it && !rc; it = json_object_iter_next(object, it)) {
        struct homer_str name = {.s = json_object_iter_key(it), .n = json_object_iter_key_len(it)};
        rc = read_field(p, name, json_object_iter_value(it));
    }
    return rc ? rc : homer_parse_check(p);
}

void homer_parse_object(struct homer_parse *p, json_t *object, bool item) {
    if (parse(p, object, item)) p->r->op = HOMER_OP_NONE;
}

int homer_read_items(struct homer_parse *p, const struct homer_field *field,
                     const struct homer_field_value *v) {
    struct homer_request *r = p->r;
    size_t n = json_array_size(v->json); /* 0 when it is no array */
    if (v->type != HOMER_JSON_ARRAY)
        return homer_err_set(&r->error, HOMER_E_BAD_REQUEST, "\"%s\" must be an array", field->name);
    if (n > p->limits->max_items) {
        return homer_err_limit(&r->error, HOMER_E_TOO_MANY, "max_items",
                               "\"items\" has more than %zu requests", p->limits->max_items);
    }
    r->items = homer_arena_alloc(p->arena, n, sizeof *r->items);
    if (!r->items) return homer_parse_no_memory(p);
    r->items_n = n;
    for (size_t i = 0; i < n; i++) {
        struct homer_parse item = *p;
        item.r = &r->items[i];
        homer_request_blank(item.r, r->model);
        if (json_is_object(json_array_get(v->json, i))) {
            homer_parse_object(&item, json_array_get(v->json, i), true);
        } else {
            bad(&item, "an item of a batch must be an object");
        }
    }
    return 0;
}
