/* Inside proto only: what the files that parse a request share. */
#ifndef HOMER_PROTO_REQUEST_PARSE_H
#define HOMER_PROTO_REQUEST_PARSE_H

#include <jansson.h>
#include "proto/arena.h"
#include "proto/request.h"

/* One request being read: the line itself, or an item of a batch. */
struct homer_parse {
    struct homer_request *r; /* its error is set by whoever finds it */
    unsigned given;          /* 1 << homer_field_bit of its fields */
    struct homer_arena *arena;
    const struct homer_request_limits *limits;
    bool recorded;    /* no op: a recorded instance, which may carry other things beside x, text and y */
    bool int_as_real; /* integers of this document were read as reals */
};

/* The value of a field, from jansson or from the scanner of the hot path. */
struct homer_field_value {
    enum {
        HOMER_JSON_NULL,
        HOMER_JSON_BOOL,
        HOMER_JSON_INTEGER,
        HOMER_JSON_REAL,
        HOMER_JSON_STRING,
        HOMER_JSON_ARRAY,
        HOMER_JSON_OBJECT
    } type;
    bool is_true;
    int64_t integer;      /* INTEGER */
    double number;        /* INTEGER, REAL */
    struct homer_str s;   /* STRING; else s NULL */
    struct homer_str raw; /* STRING: the JSON text to echo, where the scanner has it; else s NULL */
    json_t *json;         /* NULL from the scanner, which never gives ARRAY and OBJECT */
};

/* A field of a request: who may carry it and how it is read. Readers return 0, or set p->r->error and return
 * its code. */
struct homer_field {
    const char *name;
    unsigned ops; /* bit 1 << op */
    int (*read)(struct homer_parse *p, const struct homer_field *field, const struct homer_field_value *v);
    size_t at; /* where in struct homer_request the plain readers store */
};

/* Client text for a message: a short piece that ends between characters. Used as homer_quote(s).text. */
struct homer_quoted {
    char text[72];
};
struct homer_quoted homer_quote(struct homer_str s);

struct homer_str homer_json_str(const json_t *string);
/* Copies n bytes into the arena; s NULL when memory is refused. */
struct homer_str homer_parse_copy(struct homer_parse *p, const char *s, size_t n);
int homer_parse_no_memory(struct homer_parse *p);

/* request_fields.c: readers of single values */
struct homer_field_value homer_field_value(json_t *v);
int homer_read_bool(struct homer_parse *p, const struct homer_field *field,
                    const struct homer_field_value *v);
int homer_read_count(struct homer_parse *p, const struct homer_field *field,
                     const struct homer_field_value *v); /* size_t >= 1 */
int homer_read_u64(struct homer_parse *p, const struct homer_field *field,
                   const struct homer_field_value *v); /* uint64_t */
int homer_read_format(struct homer_parse *p, const struct homer_field *field,
                      const struct homer_field_value *v); /* bool: "dot" */
int homer_read_string(struct homer_parse *p, const struct homer_field *field,
                      const struct homer_field_value *v); /* struct homer_str */
int homer_read_model(struct homer_parse *p, const struct homer_field *field,
                     const struct homer_field_value *v); /* a model's name */
int homer_read_id(struct homer_parse *p, const struct homer_field *field,
                  const struct homer_field_value *v); /* JSON text to echo */
int homer_read_src(struct homer_parse *p, const struct homer_field *field, const struct homer_field_value *v);
int homer_read_time(struct homer_parse *p, const struct homer_field *field,
                    const struct homer_field_value *v);
int homer_read_weight(struct homer_parse *p, const struct homer_field *field,
                      const struct homer_field_value *v);
int homer_read_threshold(struct homer_parse *p, const struct homer_field *field,
                         const struct homer_field_value *v);
int homer_read_scores(struct homer_parse *p, const struct homer_field *field,
                      const struct homer_field_value *v);
int homer_read_config(struct homer_parse *p, const struct homer_field *field,
                      const struct homer_field_value *v);

/* request_instance.c */
int homer_read_x(struct homer_parse *p, const struct homer_field *field, const struct homer_field_value *v);
int homer_read_y(struct homer_parse *p, const struct homer_field *field, const struct homer_field_value *v);

/* request_object.c: reads a whole object; `item` = inside a batch. The id is read before anything else can
 * fail. */
void homer_parse_object(struct homer_parse *p, json_t *object, bool item);
int homer_read_items(struct homer_parse *p, const struct homer_field *field,
                     const struct homer_field_value *v); /* of a batch */
/* The field of that name and its bit, or NULL. */
const struct homer_field *homer_field_find(struct homer_str name, unsigned *bit);
/* The op, where it was not given; p->given says what was. 0 or the code of p->r->error. */
int homer_parse_shorthand(struct homer_parse *p);
/* Whether a field that no op has may be passed over: in a recorded instance. */
bool homer_parse_passes_over(const struct homer_parse *p, struct homer_str name);
/* After all fields: what the op, and some fields, cannot do without. 0 or the code of p->r->error. */
int homer_parse_check(struct homer_parse *p);

/* request_bare.c: reads a line that is no JSON object. */
void homer_parse_bare(struct homer_parse *p, const char *line, size_t n);

/* What homer_request_parse is made of, for tests. The first reads a line of the hot shape (request_hot.h),
 * and returns false, with *r in any state, for every other one, right or wrong; the second reads any. */
bool homer_request_parse_hot(struct homer_request *r, const char *line, size_t n,
                             const struct homer_request_limits *limits);
void homer_request_parse_any(struct homer_request *r, const char *line, size_t n,
                             const struct homer_request_limits *limits);

/* An empty request to that model; everything it held is forgotten, not freed. */
void homer_request_blank(struct homer_request *r, struct homer_str model);

/* The op of that word, or HOMER_OP_NONE. */
enum homer_op homer_op_parse(struct homer_str word);

#endif
