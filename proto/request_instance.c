/* The instance of a request: x and y. Arrays are sized before they are filled, so limits are charged first.
 */
#include <float.h>
#include <math.h>
#include <string.h>
#include "proto/num.h"
#include "proto/request_parse.h"

/* Refuses a name (or nominal value) that is empty or too long. what: "the name of a feature", ... */
static int check_name(struct homer_parse *p, int code, const char *what, struct homer_str s) {
    if (s.n >= 1 && s.n <= p->limits->max_name) return 0;
    if (s.n == 0) return homer_err_set(&p->r->error, code, "%s is empty", what);
    return homer_err_limit(&p->r->error, code, "max_name", "%s is longer than %zu bytes: %s", what,
                           p->limits->max_name, homer_quote(s).text);
}

static int bad_value(struct homer_parse *p, struct homer_str name, const char *why) {
    return homer_err_set(&p->r->error, HOMER_E_BAD_FEATURE, "feature \"%s\" %s", homer_quote(name).text, why);
}

static int put_number(struct homer_parse *p, struct homer_str name, double number) {
    if (!(fabs(number) <= (double)FLT_MAX))
        return bad_value(p, name, "is beyond the range of a 32-bit float");
    p->r->x[p->r->x_n++] = (struct homer_value){.name = name, .number = number, .type = HOMER_VALUE_NUMBER};
    return 0;
}

static int put_string(struct homer_parse *p, struct homer_str name, const json_t *v,
                      enum homer_value_type type) {
    if (!json_is_string(v)) return bad_value(p, name, "is a bag that holds something else than strings");
    struct homer_str s = homer_json_str(v);
    int rc = check_name(p, HOMER_E_BAD_FEATURE, "the value of a feature", s);
    if (rc) return rc;
    p->r->x[p->r->x_n++] = (struct homer_value){.name = name, .string = s, .type = type};
    return 0;
}

static int put_value(struct homer_parse *p, struct homer_str name, const json_t *v) {
    struct homer_request *r = p->r;
    switch (json_typeof(v)) {
    case JSON_REAL:
    case JSON_INTEGER:
        return put_number(p, name, json_number_value(v));
    case JSON_STRING:
        return put_string(p, name, v, HOMER_VALUE_STRING);
    case JSON_TRUE:
    case JSON_FALSE:
        r->x[r->x_n++] =
            (struct homer_value){.name = name, .number = json_is_true(v), .type = HOMER_VALUE_BOOL};
        return 0;
    case JSON_NULL:
        r->x[r->x_n++] = (struct homer_value){.name = name, .type = HOMER_VALUE_MISSING};
        return 0;
    case JSON_ARRAY:
        for (size_t i = 0; i < json_array_size(v); i++) {
            int rc = put_string(p, name, json_array_get(v, i), HOMER_VALUE_ITEM);
            if (rc) return rc;
        }
        return 0;
    case JSON_OBJECT:
        break;
    }
    return bad_value(p, name,
                     "is an object; values are numbers, booleans, strings, arrays of strings or null");
}

/* Room for `pairs` values. */
static int take_x(struct homer_parse *p, size_t pairs) {
    if (pairs > p->limits->max_x) {
        return homer_err_limit(&p->r->error, HOMER_E_TOO_MANY, "max_x", "\"x\" has more than %zu values",
                               p->limits->max_x);
    }
    p->r->has_x = true;
    p->r->x = homer_arena_alloc(p->arena, pairs, sizeof *p->r->x);
    return p->r->x ? 0 : homer_parse_no_memory(p);
}

static int read_x_array(struct homer_parse *p, json_t *v) {
    size_t n = json_array_size(v);
    int rc = take_x(p, n);
    for (size_t i = 0; i < n && !rc; i++) {
        char digits[HOMER_NUM_MAX];
        struct homer_str name = homer_parse_copy(p, digits, homer_num_u64(digits, i));
        if (!name.s) return homer_parse_no_memory(p);
        json_t *number = json_array_get(v, i);
        rc = json_is_number(number) ? put_number(p, name, json_number_value(number))
                                    : bad_value(p, name, "is no number; in an array all values are");
    }
    return rc;
}

static int read_x_object(struct homer_parse *p, json_t *v) {
    size_t pairs = 0;
    for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it)) {
        const json_t *value = json_object_iter_value(it);
        pairs += json_is_array(value) ? json_array_size(value) : 1;
    }
    int rc = take_x(p, pairs);
    for (void *it = json_object_iter(v); it && !rc; it = json_object_iter_next(v, it)) {
        struct homer_str name = {.s = json_object_iter_key(it), .n = json_object_iter_key_len(it)};
        rc = check_name(p, HOMER_E_BAD_FEATURE, "the name of a feature", name);
        if (!rc) rc = put_value(p, name, json_object_iter_value(it));
    }
    return rc;
}

int homer_read_x(struct homer_parse *p, const struct homer_field *field, const struct homer_field_value *v) {
    if (v->type == HOMER_JSON_OBJECT) return read_x_object(p, v->json);
    if (v->type == HOMER_JSON_ARRAY) return read_x_array(p, v->json);
    return homer_err_set(&p->r->error, HOMER_E_BAD_REQUEST,
                         "\"%s\" must be an object of features, or an array of numbers", field->name);
}

static int put_label(struct homer_parse *p, struct homer_str name, bool positive) {
    int rc = check_name(p, HOMER_E_BAD_LABEL, "the name of a label", name);
    if (rc) return rc;
    p->r->y[p->r->y_n++] = (struct homer_label_value){.name = name, .positive = positive};
    return 0;
}

/* A partial labelling: true, false, or null for what is not known. */
static int read_y_object(struct homer_parse *p, json_t *v) {
    int rc = 0;
    p->r->y_partial = true;
    for (void *it = json_object_iter(v); it && !rc; it = json_object_iter_next(v, it)) {
        struct homer_str name = {.s = json_object_iter_key(it), .n = json_object_iter_key_len(it)};
        const json_t *value = json_object_iter_value(it);
        if (json_is_boolean(value)) {
            rc = put_label(p, name, json_is_true(value));
        } else if (!json_is_null(value)) {
            rc = homer_err_set(&p->r->error, HOMER_E_BAD_LABEL, "label \"%s\" must be true, false or null",
                               homer_quote(name).text);
        }
    }
    return rc;
}

static int read_y_array(struct homer_parse *p, json_t *v) {
    int rc = 0;
    for (size_t i = 0; i < json_array_size(v) && !rc; i++) {
        const json_t *name = json_array_get(v, i);
        rc = json_is_string(name)
                 ? put_label(p, homer_json_str(name), true)
                 : homer_err_set(&p->r->error, HOMER_E_BAD_LABEL, "label %zu of \"y\" is no string", i);
    }
    return rc;
}

int homer_read_y(struct homer_parse *p, const struct homer_field *field, const struct homer_field_value *v) {
    struct homer_request *r = p->r;
    bool is_array = v->type == HOMER_JSON_ARRAY;
    if (!is_array && v->type != HOMER_JSON_OBJECT) {
        return homer_err_set(&r->error, HOMER_E_BAD_REQUEST,
                             "\"%s\" must be an array of labels, or an object of label: true, false or null",
                             field->name);
    }
    size_t n = is_array ? json_array_size(v->json) : json_object_size(v->json);
    if (n > p->limits->max_y) {
        return homer_err_limit(&r->error, HOMER_E_TOO_MANY, "max_y", "\"y\" has more than %zu labels",
                               p->limits->max_y);
    }
    r->has_y = true;
    r->y = homer_arena_alloc(p->arena, n, sizeof *r->y);
    if (!r->y) return homer_parse_no_memory(p);
    return is_array ? read_y_array(p, v->json) : read_y_object(p, v->json);
}
