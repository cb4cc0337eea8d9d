/* A request that is a JSON object: which op, which fields it may carry and must carry. */
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

static int read_items(struct homer_parse *p, const struct homer_field *field, json_t *v);

static const struct homer_field fields[] = {
    {"op", (unsigned)ALL, homer_read_ignore, 0}, /* these three are read ahead of the rest */
    {"id", (unsigned)ALL, homer_read_ignore, 0},
    {"model", (unsigned)ALL, homer_read_ignore, 0},
    {"x", INSTANCE, homer_read_x, 0},
    {"text", INSTANCE, homer_read_string, AT(text)},
    {"y", LABELLED, homer_read_y, 0},
    {"w", LABELLED, homer_read_weight, 0},
    {"t", INSTANCE | LABELLED, homer_read_time, 0},
    {"src", LABELLED, homer_read_src, 0},
    {"n", LABELLED, homer_read_u64, AT(n)},
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
    {"items", BIT(BATCH), read_items, 0},
};

/* Words of the protocol that this version does not have yet. */
static const char *const later[] = {"subscribe", "slowlog"};
/* Fields of it: what they promise must not be passed over, not even in a recorded instance. */
static const char *const later_fields[] = {"explain"};

static int bad(struct homer_parse *p, const char *why) {
    return homer_err_set(&p->r->error, HOMER_E_BAD_REQUEST, "%s", why);
}

/* An object without op: the fields say what it is. */
static int shorthand(struct homer_parse *p, json_t *object) {
    bool instance = json_object_get(object, "x") || json_object_get(object, "text");
    if (!instance)
        return bad(
            p, "missing \"op\" (without it: \"y\" and \"x\" or \"text\" learn, \"x\" or \"text\" predict)");
    p->r->op = json_object_get(object, "y") ? HOMER_OP_LEARN : HOMER_OP_PREDICT;
    p->recorded = true;
    return 0;
}

static int read_op(struct homer_parse *p, json_t *object) {
    const json_t *v = json_object_get(object, "op");
    p->recorded = false;
    if (!v) return shorthand(p, object);
    if (!json_is_string(v)) return bad(p, "\"op\" must be a string");
    p->r->op = homer_op_parse(homer_json_str(v));
    if (p->r->op) return 0;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (strcmp(json_string_value(v), later[i]) == 0) {
            return homer_err_set(&p->r->error, HOMER_E_UNKNOWN_OP, "\"%s\" is not available in this version",
                                 later[i]);
        }
    }
    return homer_err_set(&p->r->error, HOMER_E_UNKNOWN_OP, "unknown op \"%s\"; \"help\" lists what there is",
                         homer_quote(homer_json_str(v)).text);
}

static bool is_later_field(struct homer_str name) {
    for (size_t i = 0; i < sizeof later_fields / sizeof *later_fields; i++)
        if (strcmp(name.s, later_fields[i]) == 0) return true;
    return false;
}

static int read_field(struct homer_parse *p, struct homer_str name, json_t *v) {
    const struct homer_field *field = NULL;
    for (size_t i = 0; i < sizeof fields / sizeof *fields && !field; i++)
        if (strcmp(name.s, fields[i].name) == 0) field = &fields[i];
    if (field && field->ops & 1u << p->r->op) return field->read(p, field, v);
    if (!field && p->recorded && !is_later_field(name)) return 0;
    return homer_err_set(&p->r->error, HOMER_E_BAD_REQUEST, "\"%s\" is not a field of %s",
                         homer_quote(name).text, homer_op_word(p->r->op));
}

/* What each op, and some fields, cannot do without. */
static int check_given(struct homer_parse *p, const json_t *object) {
    struct homer_request *r = p->r;
    unsigned op = 1u << r->op;
    const char *missing = NULL;
    if ((op & INSTANCE) && !r->has_x && !r->text.s) missing = "\"x\" or \"text\"";
    if ((op & LABELLED) && !r->has_y) missing = "\"y\"";
    if ((op & BIT(LABEL)) && !r->ref.s) missing = "\"ref\", the \"id\" of the tracked prediction";
    if ((op & NAMING) && !r->name.s) missing = "\"name\"";
    if ((op & BIT(AUTH)) && !r->token.s) missing = "\"token\"";
    if ((op & BIT(BATCH)) && !json_object_get(object, "items")) missing = "\"items\"";
    r->has_n = (op & LABELLED) && json_object_get(object, "n");
    if (r->src.s && !r->has_n) missing = "\"n\" beside \"src\"";
    if (r->has_n && !r->src.s) missing = "\"src\" beside \"n\"";
    if (r->track && !r->id.s) missing = "\"id\" beside \"track\"";
    if (!missing) return 0;
    return homer_err_set(&p->r->error, HOMER_E_BAD_REQUEST, "%s needs %s", homer_op_word(r->op), missing);
}

static int parse(struct homer_parse *p, json_t *object, bool item) {
    static const struct homer_field id = {.name = "id", .at = AT(id)},
                                    model = {.name = "model", .at = AT(model)};
    json_t *v = json_object_get(object, "id");
    int rc = v ? homer_read_id(p, &id, v) : 0;
    if (!rc) rc = read_op(p, object);
    if (!rc && item && (1u << p->r->op & ALONE))
        rc = bad(p, "an item of a batch cannot be batch, quit or auth");
    if (!rc && item && p->r->op == HOMER_OP_SNAPSHOT)
        rc = bad(p, "snapshot takes its time: send it by itself, not in a batch");
    if (!rc && (v = json_object_get(object, "model"))) rc = homer_read_model(p, &model, v);
    for (void *it = json_object_iter(object); it && !rc; it = json_object_iter_next(object, it)) {
        struct homer_str name = {.s = json_object_iter_key(it), .n = json_object_iter_key_len(it)};
        rc = read_field(p, name, json_object_iter_value(it));
    }
    return rc ? rc : check_given(p, object);
}

void homer_parse_object(struct homer_parse *p, json_t *object, bool item) {
    if (parse(p, object, item)) p->r->op = HOMER_OP_NONE;
}

static int read_items(struct homer_parse *p, const struct homer_field *field, json_t *v) {
    struct homer_request *r = p->r;
    size_t n = json_array_size(v); /* 0 when it is no array */
    if (!json_is_array(v))
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
        if (json_is_object(json_array_get(v, i))) {
            homer_parse_object(&item, json_array_get(v, i), true);
        } else {
            bad(&item, "an item of a batch must be an object");
        }
    }
    return 0;
}
