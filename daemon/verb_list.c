/* labels and features: what a model knows by name, in order of first appearance. */
#include <errno.h>
#include <string.h>

#include "daemon/verbs.h"

enum { DEFAULT_LIMIT = 1000 };

/* A listing in progress: which names match, how many were written. */
struct listing {
    struct homer_str prefix;
    size_t limit;
    uint64_t total, written;
};

static struct listing begin(const struct homer_request *req) {
    return (struct listing){.prefix = req->prefix, .limit = req->limit ? req->limit : DEFAULT_LIMIT};
}

/* Counts a name that matches; true when it is to be written. */
static bool take(struct listing *l, const char *name, size_t n) {
    if (l->prefix.n > n || (l->prefix.n && memcmp(name, l->prefix.s, l->prefix.n) != 0)) return false;
    l->total++;
    if (l->written >= l->limit) return false;
    l->written++;
    return true;
}

static void end(struct homer_reply *r, const struct listing *l) {
    homer_reply_close(r, ']');
    homer_reply_u64(r, "total", l->total);
    homer_reply_bool(r, "truncated", l->total > l->written);
    homer_reply_end(r);
}

int homer_verb_labels(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                      struct homer_error *err) {
    struct homer_entry *entry;
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc) return rc;
    const struct homer_schema *s = homer_model_schema(entry->model);
    struct listing l = begin(req);
    homer_reply_begin_ok(r, req);
    homer_reply_open(r, "labels", '[');
    for (uint32_t id = 0; id < s->labels.n; id++) {
        size_t n;
        const char *name = homer_schema_label_name(s, id, &n);
        if (!take(&l, name, n)) continue;
        homer_reply_open(r, NULL, '{');
        homer_reply_string(r, "name", name, n);
        homer_reply_real(r, "count", homer_model_label_count(entry->model, id));
        homer_reply_close(r, '}');
    }
    end(r, &l);
    return 0;
}

/* Sums the counts of each attribute's columns, in one pass over the columns: count[attributes]. */
static void sum_columns(const struct homer_model *m, const struct homer_schema *s, double *count) {
    for (uint32_t f = 0; f < s->features.n; f++) {
        size_t n;
        uint32_t attribute; /* the first four bytes of a feature's key */
        memcpy(&attribute, homer_map_key(&s->features, f, &n), sizeof attribute);
        count[attribute] += homer_model_feature_count(m, f);
    }
}

int homer_verb_features(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                        struct homer_error *err) {
    struct homer_entry *entry;
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc) return rc;
    const struct homer_schema *s = homer_model_schema(entry->model);
    size_t count_n = (size_t)s->attributes.n + 1; /* never an empty array */
    double *count = homer_mem_alloc(&e->mem, count_n, sizeof *count);
    if (!count) return -ENOMEM;
    sum_columns(entry->model, s, count);

    struct listing l = begin(req);
    homer_reply_begin_ok(r, req);
    homer_reply_open(r, "features", '[');
    for (uint32_t a = 0; a < s->attributes.n; a++) {
        size_t n;
        const char *name = homer_schema_attribute_name(s, a, &n);
        if (!take(&l, name, n)) continue;
        const char *type = homer_feature_type_word((enum homer_feature_type)s->attribute_type[a]);
        homer_reply_open(r, NULL, '{');
        homer_reply_string(r, "name", name, n); /* empty: the words of "text" */
        homer_reply_string(r, "type", type, strlen(type));
        homer_reply_u64(r, "columns", s->attribute_features[a]);
        homer_reply_real(r, "count", count[a]);
        homer_reply_close(r, '}');
    }
    end(r, &l);
    homer_mem_free(&e->mem, count, count_n, sizeof *count);
    return 0;
}
