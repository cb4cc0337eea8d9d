#include <errno.h>
#include <float.h>
#include <math.h>

#include "daemon/le.h"
#include "daemon/record_impl.h"

/* Reading stops at the first thing wrong: then `wrong` says what, at `at`. */
struct reader {
    const char *bytes;
    size_t n, at;
    const char *wrong;
};

static void refuse(struct reader *r, const char *wrong) {
    if (!r->wrong) r->wrong = wrong;
}

static const char *get(struct reader *r, size_t n) {
    if (r->wrong) return NULL;
    if (n > r->n - r->at) {
        refuse(r, "it ends too early");
        return NULL;
    }
    const char *p = r->bytes + r->at;
    r->at += n;
    return p;
}

static unsigned get_u8(struct reader *r) {
    const char *p = get(r, 1);
    return p ? (unsigned char)*p : 0;
}

static uint64_t get_int(struct reader *r) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && !r->wrong; shift += 7) {
        uint64_t byte = get_u8(r);
        v |= (byte & 0x7f) << shift;
        if (shift == 63 && byte > 1) break;
        if (byte < 0x80) {
            if (byte == 0 && shift) refuse(r, "an integer is longer than it must be");
            return r->wrong ? 0 : v;
        }
    }
    refuse(r, "an integer is beyond 64 bits");
    return 0;
}

/* A string of at least `least` bytes without a NUL. */
static struct homer_str get_str(struct reader *r, size_t least) {
    uint64_t n = get_int(r);
    if (n > r->n - r->at) refuse(r, "a string ends behind it");
    const char *s = get(r, r->wrong ? 0 : (size_t)n);
    if (s && (n < least || (n && memchr(s, 0, (size_t)n)))) refuse(r, "a string is empty or holds a NUL");
    return r->wrong ? (struct homer_str){0} : (struct homer_str){.s = s, .n = (size_t)n};
}

/* A model's name: see homer_read_model in proto. */
static struct homer_str get_model(struct reader *r) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    struct homer_str s = get_str(r, 1);
    size_t good = 0;
    while (good < s.n && strchr(allowed, s.s[good])) good++;
    if (s.n > 64 || good < s.n) refuse(r, "a model's name that is none");
    return s;
}

static double get_f64(struct reader *r) {
    double v = 0;
    const char *p = get(r, sizeof v);
    if (p) memcpy(&v, p, sizeof v);
    return v;
}

static double get_f32(struct reader *r) {
    float v = 0;
    const char *p = get(r, sizeof v);
    if (p) memcpy(&v, p, sizeof v);
    return (double)v;
}

/* A count of things that take at least `bytes` each. */
static size_t get_count(struct reader *r, size_t bytes) {
    uint64_t n = get_int(r);
    if (n > (r->n - r->at) / bytes) refuse(r, "it counts more than it can hold");
    return r->wrong ? 0 : (size_t)n;
}

static void get_pair(struct reader *r, struct homer_value *v, const struct homer_value *before) {
    unsigned type = get_u8(r);
    bool bag = before && before->type == HOMER_VALUE_ITEM;
    *v = (struct homer_value){.type = HOMER_VALUE_NUMBER};
    if (type == PAIR_AGAIN) {
        if (!bag) refuse(r, "an entry of no bag");
        v->name = bag ? before->name : (struct homer_str){0};
    } else {
        v->name = get_str(r, 1);
    }
    switch (type) {
    case PAIR_F64:
        v->number = get_f64(r);
        if (homer_record_is_f32(v->number)) refuse(r, "a number is longer than it must be");
        break;
    case PAIR_F32:
        v->number = get_f32(r);
        break;
    case PAIR_FALSE:
    case PAIR_TRUE:
        v->type = HOMER_VALUE_BOOL;
        v->number = type == PAIR_TRUE;
        break;
    case PAIR_STRING:
        v->type = HOMER_VALUE_STRING;
        v->string = get_str(r, 1);
        break;
    case PAIR_ITEM:
    case PAIR_AGAIN:
        v->type = HOMER_VALUE_ITEM;
        v->string = get_str(r, 1);
        if (type == PAIR_ITEM && bag && homer_record_same(v->name, before->name))
            refuse(r, "a bag is longer than it must be");
        break;
    case PAIR_MISSING:
        v->type = HOMER_VALUE_MISSING;
        break;
    default:
        refuse(r, "a value of no known type");
    }
    if (!(fabs(v->number) <= (double)FLT_MAX)) refuse(r, "a number out of range");
}

static int get_x(struct reader *r, struct homer_request *into) {
    size_t n = get_count(r, 3);
    if (r->wrong) return 0;
    into->has_x = true;
    into->x = homer_arena_alloc(&into->arena, n, sizeof *into->x);
    if (!into->x) return -ENOMEM;
    for (; into->x_n < n && !r->wrong; into->x_n++)
        get_pair(r, &into->x[into->x_n], into->x_n ? &into->x[into->x_n - 1] : NULL);
    return 0;
}

static int get_y(struct reader *r, struct homer_request *into) {
    size_t n = get_count(r, 2);
    if (r->wrong) return 0;
    into->has_y = true;
    into->y = homer_arena_alloc(&into->arena, n, sizeof *into->y);
    if (!into->y) return -ENOMEM;
    for (; into->y_n < n && !r->wrong; into->y_n++) {
        struct homer_str name = get_str(r, 1);
        unsigned positive = into->y_partial ? get_u8(r) : 1;
        if (positive > 1) refuse(r, "a label is neither true nor false");
        into->y[into->y_n] = (struct homer_label_value){.name = name, .positive = positive == 1};
    }
    return 0;
}

/* What each kind must have and may have, and the op that it is. */
static const struct {
    unsigned must, may;
    enum homer_op op;
} kinds[HOMER_RECORD_KINDS] = {
    [HOMER_RECORD_LEARN] = {FIELD_Y,
                            FIELD_X | FIELD_TEXT | FIELD_PARTIAL | FIELD_WEIGHT | FIELD_SRC | FIELD_N,
                            HOMER_OP_LEARN},
    [HOMER_RECORD_TRACK] = {FIELD_REF, FIELD_X | FIELD_TEXT, HOMER_OP_PREDICT},
    [HOMER_RECORD_LABEL] = {FIELD_REF | FIELD_Y,
                            FIELD_X | FIELD_TEXT | FIELD_PARTIAL | FIELD_WEIGHT | FIELD_SRC | FIELD_N,
                            HOMER_OP_LABEL},
    [HOMER_RECORD_MODEL_CREATE] = {FIELD_NAME, FIELD_CONFIG, HOMER_OP_MODEL_CREATE},
    [HOMER_RECORD_MODEL_CONFIG] = {FIELD_NAME | FIELD_CONFIG, 0, HOMER_OP_NONE},
    [HOMER_RECORD_MODEL_DROP] = {FIELD_NAME, 0, HOMER_OP_MODEL_DROP},
};

static void get_head(struct reader *r, struct homer_record *record, unsigned *fields) {
    unsigned version = get_u8(r), kind = get_u8(r);
    if (version != HOMER_RECORD_VERSION) refuse(r, "a version that this program does not know");
    if (kind == 0 || kind >= HOMER_RECORD_KINDS) refuse(r, "a kind that this program does not know");
    uint64_t bits = get_int(r);
    record->time_ms = get_int(r);
    *fields = (unsigned)bits & FIELDS;
    if (r->wrong) return;
    unsigned must = kinds[kind].must, may = must | kinds[kind].may | FIELD_FLAG;
    bool instance = kinds[kind].may & FIELD_X;
    if (bits & ~(uint64_t)may || (bits & must) != must || (instance && !(bits & (FIELD_X | FIELD_TEXT))))
        refuse(r, "the fields are not those of its kind");
    record->kind = (enum homer_record_kind)kind;
    record->flag = *fields & FIELD_FLAG;
}

static int get_fields(struct reader *r, struct homer_request *into, unsigned fields) {
    int rc = 0;
    into->model = get_model(r);
    into->y_partial = fields & FIELD_PARTIAL;
    if (fields & FIELD_X) rc = get_x(r, into);
    if (!rc && fields & FIELD_Y) rc = get_y(r, into);
    if (rc) return rc;
    if (fields & FIELD_WEIGHT) {
        into->weight = get_f64(r);
        if (!(into->weight > 0 && into->weight <= DBL_MAX) || !(into->weight < 1 || into->weight > 1))
            refuse(r, "a weight that is none");
    }
    if (fields & FIELD_TEXT) into->text = get_str(r, 0);
    if (fields & FIELD_SRC) into->src = get_str(r, 0);
    into->has_n = fields & FIELD_N;
    if (fields & FIELD_N) into->n = get_int(r);
    if (fields & FIELD_REF) into->ref = get_str(r, 0);
    if (fields & FIELD_NAME) into->name = get_model(r);
    if (fields & FIELD_CONFIG) into->config = get_str(r, 0);
    if (r->at != r->n) refuse(r, "something follows it");
    return 0;
}

int homer_record_decode(struct homer_record *record, struct homer_request *into, const char *payload,
                        size_t n, struct homer_error *err) {
    struct reader r = {.bytes = payload, .n = n};
    struct homer_arena arena = into->arena;
    struct homer_hot *hot = into->hot;
    unsigned fields = 0;
    homer_arena_reset(&arena);
    *into = (struct homer_request){.weight = 1, .threshold = (double)NAN, .arena = arena, .hot = hot};
    *record = (struct homer_record){.request = into};
    get_head(&r, record, &fields);
    if (!r.wrong) {
        into->op = kinds[record->kind].op;
        into->track = record->kind == HOMER_RECORD_TRACK;
        int rc = get_fields(&r, into, fields);
        if (rc) return homer_err_set(err, rc, "no memory for a record of %zu bytes", n);
    }
    if (!r.wrong) return 0;
    return homer_err_set(err, HOMER_E_BAD_REQUEST, "a record of %zu bytes cannot be read at byte %zu: %s", n,
                         r.at, r.wrong);
}
