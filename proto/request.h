/* A request, in names: what one line of the protocol asks for, with every field type-checked.
 *
 * homer_request_parse is the only place that turns client bytes into structures. It knows no model: names are
 * resolved to ids by the daemon's engine. All strings are borrowed from what the request owns, not from the
 * line, until the next homer_request_parse or homer_request_deinit; none contains a NUL, all are valid UTF-8.
 * One request object may be reused for line after line: it keeps its memory. One thread at a time. Whoever
 * uses this module leaves json_set_alloc_funcs alone (see request_json.h). */
#ifndef HOMER_PROTO_REQUEST_H
#define HOMER_PROTO_REQUEST_H

#include "core/base/err.h"
#include "core/base/mem.h"
#include "proto/arena.h"

enum homer_op {
    HOMER_OP_NONE = 0, /* the line was bad: see error */
    HOMER_OP_HELLO,
    HOMER_OP_PING,
    HOMER_OP_HELP,
    HOMER_OP_QUIT,
    HOMER_OP_AUTH,
    HOMER_OP_LEARN,
    HOMER_OP_PREDICT,
    HOMER_OP_TEST,
    HOMER_OP_LABEL,
    HOMER_OP_BATCH,
    HOMER_OP_STATS,
    HOMER_OP_LABELS,
    HOMER_OP_FEATURES,
    HOMER_OP_HIERARCHY,
    HOMER_OP_DRIFTS,
    HOMER_OP_CONFIG,
    HOMER_OP_DIGEST,
    HOMER_OP_SNAPSHOT,
    HOMER_OP_MODEL_CREATE,
    HOMER_OP_MODEL_DROP,
    HOMER_OP_MODEL_LIST,
    HOMER_OP_COUNT
};

struct homer_str {
    const char *s; /* NULL = not given */
    size_t n;      /* bytes */
};

/* One (feature, value) pair of `x`. A bag yields one pair per string. */
enum homer_value_type {
    HOMER_VALUE_NUMBER,  /* number: finite */
    HOMER_VALUE_BOOL,    /* number: 0 or 1 */
    HOMER_VALUE_STRING,  /* string: 1..256 bytes; a nominal value */
    HOMER_VALUE_ITEM,    /* string: one entry of a bag */
    HOMER_VALUE_MISSING, /* null */
};

struct homer_value {
    struct homer_str name;
    struct homer_str string;
    double number;
    enum homer_value_type type;
};

struct homer_label_value {
    struct homer_str name;
    bool positive; /* false only in a partial labelling */
};

enum homer_scores { HOMER_SCORES_LABELS = 0, HOMER_SCORES_ALL, HOMER_SCORES_TOP, HOMER_SCORES_NONE };

struct homer_request_limits {
    size_t max_line;  /* bytes; 1 MiB */
    size_t max_depth; /* nesting of {} and []; 8 */
    size_t max_name;  /* bytes of a label, feature name or nominal value; 256 */
    size_t max_items; /* requests in a batch */
    size_t max_x;     /* (feature, value) pairs in one instance */
    size_t max_y;     /* labels in one labelset */
};

struct homer_request {
    enum homer_op op;
    struct homer_error error; /* code != 0: answer with this (id, if readable, still echoed) and do nothing */
    struct homer_str id;      /* JSON text to echo as is, e.g. 17 or "a\"b"; s NULL = none */
    struct homer_str model;   /* "default" when not given */

    /* learn, predict, test, label */
    bool has_x, has_y;
    struct homer_value *x; /* [x_n] */
    size_t x_n;
    struct homer_str text;       /* s NULL = none */
    struct homer_label_value *y; /* [y_n] */
    size_t y_n;
    bool y_partial;       /* y was an object: labels not listed are unknown */
    double weight;        /* > 0; 1 when not given */
    struct homer_str src; /* learn, test, label: who sends; s NULL = not given, then n means nothing */
    uint64_t n;           /* its growing number of the request */
    bool has_n;
    struct homer_str ref; /* label: the id of the tracked prediction, as `id`, JSON text */
    bool track;           /* predict: keep the instance, its labels will come */
    bool noreply;
    bool metrics;
    size_t k;                   /* 0 = not given */
    double threshold;           /* NaN = not given; else within [0, 1] */
    struct homer_str objective; /* s NULL = the model's; checked by the engine */
    enum homer_scores scores;
    size_t scores_top; /* for HOMER_SCORES_TOP */

    /* labels, features, drifts */
    struct homer_str prefix;
    size_t limit; /* 0 = not given */

    bool dot;       /* hierarchy: format "dot" */
    uint64_t since; /* drifts: only events behind this sequence number */

    /* model.create, model.drop */
    struct homer_str name;
    struct homer_str config; /* JSON text of the object; s NULL = none */

    struct homer_str token; /* auth; a secret: shown in no message */

    /* batch: items that could not be parsed carry their own error */
    struct homer_request *items; /* [items_n] */
    size_t items_n;

    bool bare; /* came as a bare command word from a person */
    struct homer_arena
        arena;             /* private: what the strings and arrays above live in; an item's is its batch's */
    struct homer_hot *hot; /* private: memory of the lines before, for the next one; NULL = none yet */
};

/* An empty request; `mem` is charged for all that a parsed line holds. */
void homer_request_init(struct homer_request *r, struct homer_mem *mem);
void homer_request_deinit(struct homer_request *r);

/* Parses one line (no line end; not blank). Always returns; what is wrong with the line is in r->error:
 *   line not JSON, NaN/Infinity/1e999, duplicate keys, bad UTF-8, NUL     bad_json
 *   nesting deeper than max_depth (checked before parsing)                too_deep
 *   a field missing, ill-typed or unknown to that op                      bad_request
 *   a feature or label name or value not allowed                          bad_feature, bad_label
 *   too many items, pairs or labels                                       too_many, with the limit's name
 *   an op that does not exist, or not in this version                     unknown_op
 *   no memory                                                             internal */
void homer_request_parse(struct homer_request *r, const char *line, size_t n,
                         const struct homer_request_limits *limits);

/* "learn", "model.create", ...; "none" for HOMER_OP_NONE. */
const char *homer_op_word(enum homer_op op);

#endif
