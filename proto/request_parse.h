/* Inside proto only: what the files that parse a request share. */
#ifndef HOMER_PROTO_REQUEST_PARSE_H
#define HOMER_PROTO_REQUEST_PARSE_H

#include <jansson.h>
#include "proto/arena.h"
#include "proto/request.h"

/* One request being read: the line itself, or an item of a batch. */
struct homer_parse {
    struct homer_request *r; /* its error is set by whoever finds it */
    struct homer_arena *arena;
    const struct homer_request_limits *limits;
    bool recorded;    /* no op: a recorded instance, which may carry other things beside x, text and y */
    bool int_as_real; /* integers of this document were read as reals */
};

/* A field of a request: who may carry it and how it is read. Readers return 0, or set p->r->error and return
 * its code. */
struct homer_field {
    const char *name;
    unsigned ops; /* bit 1 << op */
    int (*read)(struct homer_parse *p, const struct homer_field *field, json_t *v);
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
int homer_read_ignore(struct homer_parse *p, const struct homer_field *field, json_t *v);
int homer_read_bool(struct homer_parse *p, const struct homer_field *field, json_t *v);
int homer_read_count(struct homer_parse *p, const struct homer_field *field, json_t *v);  /* size_t >= 1 */
int homer_read_u64(struct homer_parse *p, const struct homer_field *field, json_t *v);    /* uint64_t */
int homer_read_format(struct homer_parse *p, const struct homer_field *field, json_t *v); /* bool: "dot" */
int homer_read_string(struct homer_parse *p, const struct homer_field *field,
                      json_t *v); /* struct homer_str */
int homer_read_model(struct homer_parse *p, const struct homer_field *field, json_t *v); /* a model's name */
int homer_read_id(struct homer_parse *p, const struct homer_field *field, json_t *v); /* JSON text to echo */
int homer_read_src(struct homer_parse *p, const struct homer_field *field, json_t *v);
int homer_read_time(struct homer_parse *p, const struct homer_field *field, json_t *v);
int homer_read_weight(struct homer_parse *p, const struct homer_field *field, json_t *v);
int homer_read_threshold(struct homer_parse *p, const struct homer_field *field, json_t *v);
int homer_read_scores(struct homer_parse *p, const struct homer_field *field, json_t *v);
int homer_read_config(struct homer_parse *p, const struct homer_field *field, json_t *v);

/* request_instance.c */
int homer_read_x(struct homer_parse *p, const struct homer_field *field, json_t *v);
int homer_read_y(struct homer_parse *p, const struct homer_field *field, json_t *v);

/* request_object.c: reads a whole object; `item` = inside a batch. The id is read before anything else can
 * fail. */
void homer_parse_object(struct homer_parse *p, json_t *object, bool item);

/* request_bare.c: reads a line that is no JSON object. */
void homer_parse_bare(struct homer_parse *p, const char *line, size_t n);

/* An empty request to that model; everything it held is forgotten, not freed. */
void homer_request_blank(struct homer_request *r, struct homer_str model);

/* The op of that word, or HOMER_OP_NONE. */
enum homer_op homer_op_parse(struct homer_str word);

#endif
