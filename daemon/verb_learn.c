/* learn and test: the two verbs that change a model. */
#include "daemon/verbs.h"

/* Interns and learns the instance of a request: all or nothing. */
static int learn(struct homer_engine *e, struct homer_entry *entry, const struct homer_request *req,
                 const struct homer_decide *decide, struct homer_prediction *p, struct homer_error *err) {
    struct homer_model *m = entry->model;
    struct homer_instance x;
    homer_model_begin(m);
    int rc = homer_resolve_x(&e->resolver, m, req, &e->config->request, true, &x, err);
    if (rc == 0) rc = homer_resolve_y(&e->resolver, m, req, &x, err);
    if (rc) {
        homer_model_abort(m);
        return rc;
    }
    rc = homer_model_learn(m, &x, decide, p, err); /* undoes the interning itself when it fails */
    if (rc) return rc;
    homer_rate_add(&entry->rate, e->now_ms());
    return 0;
}

int homer_verb_learn(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                     struct homer_error *err) {
    struct homer_entry *entry;
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc == 0) rc = learn(e, entry, req, NULL, NULL, err);
    if (rc || req->noreply) return rc;
    homer_reply_begin_ok(r, req);
    homer_reply_u64(r, "seq", homer_model_seq(entry->model));
    homer_reply_end(r);
    return 0;
}

int homer_verb_test(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                    struct homer_error *err) {
    struct homer_entry *entry;
    struct homer_decide decide;
    struct homer_prediction p;
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc == 0) rc = homer_predict_options(e, entry->model, req, &decide, err);
    if (rc) return rc;
    struct homer_model *m = entry->model;
    const struct homer_schema *schema = homer_model_schema(m);
    rc = learn(e, entry, req, &decide, &p, err);
    if (rc) return rc;

    struct homer_mark mark = homer_mark(r);
    homer_reply_begin_ok(r, req);
    homer_predict_write(e, r, schema, &p, req);
    homer_reply_u64(r, "seq", homer_model_seq(m));
    if (req->metrics) homer_stats_metrics(r, m);
    homer_reply_end(r);
    if (homer_engine_fits(e, r)) return 0;

    /* It was learned, so it must not be refused: acknowledged without the prediction. */
    homer_undo(r, &mark);
    homer_reply_begin_ok(r, req);
    homer_reply_u64(r, "seq", homer_model_seq(m));
    homer_reply_bool(r, "truncated", true);
    homer_reply_end(r);
    return 0;
}
