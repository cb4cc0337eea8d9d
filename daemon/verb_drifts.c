/* drifts: what has changed in a model's hierarchy, clusters and trees, oldest first. */
#include <string.h>

#include "daemon/verbs.h"

enum { DEFAULT_LIMIT = 1000 };

static const struct {
    const char *place, *kind; /* kind NULL: the word of the change */
} words[] = {
    [HOMER_EVENT_STRUCTURE] = {"hierarchy", NULL},
    [HOMER_EVENT_CLUSTER_DRIFT] = {"cluster", "drift"},
    [HOMER_EVENT_GLOBAL_DRIFT] = {"global", "drift"},
    [HOMER_EVENT_TREE_SPLIT] = {"tree", "split"},
};

static void write_event(struct homer_reply *r, const struct homer_event *v) {
    const char *place = words[v->kind].place, *kind = words[v->kind].kind;
    if (!kind) kind = homer_hierarchy_change_word(v->change);
    homer_reply_open(r, NULL, '{');
    homer_reply_u64(r, "seq", v->seq);
    homer_reply_string(r, "place", place, strlen(place));
    if (v->kind == HOMER_EVENT_GLOBAL_DRIFT)
        homer_reply_null(r, "node");
    else
        homer_reply_u64(r, "node", v->node);
    homer_reply_string(r, "kind", kind, strlen(kind));
    homer_reply_u64(r, "labels", v->labels);
    if (v->kind == HOMER_EVENT_TREE_SPLIT) {
        homer_reply_null(r, "before");
        homer_reply_null(r, "after");
    } else {
        homer_reply_real(r, "before", v->before);
        homer_reply_real(r, "after", v->after);
    }
    homer_reply_close(r, '}');
}

int homer_verb_drifts(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                      struct homer_error *err) {
    struct homer_entry *entry;
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc) return rc;
    const struct homer_model *m = entry->model;
    uint64_t total;
    const uint64_t *counted = homer_model_events(m, &total);
    if (!counted)
        return homer_err_set(err, HOMER_E_BAD_REQUEST, "the model has no drift detectors: profile linear");
    uint64_t kept = total < HOMER_EVENTS_KEPT ? total : HOMER_EVENTS_KEPT;
    uint64_t limit = req->limit ? req->limit : DEFAULT_LIMIT, written = 0, last = 0;
    bool truncated = false;
    homer_reply_begin_ok(r, req);
    homer_reply_open(r, "drifts", '[');
    for (uint64_t i = total - kept; i < total; i++) {
        const struct homer_event *v = homer_model_event(m, i);
        if (v->seq <= req->since) continue;
        /* The events of one instance stay together: the last seq of a reply is the next one's `since`. */
        truncated = written >= limit && v->seq != last;
        if (truncated) break;
        write_event(r, v);
        written++;
        last = v->seq;
    }
    homer_reply_close(r, ']');
    homer_reply_u64(r, "total", total);
    homer_reply_u64(r, "kept", kept);
    homer_reply_bool(r, "truncated", truncated);
    homer_reply_end(r);
    return 0;
}
