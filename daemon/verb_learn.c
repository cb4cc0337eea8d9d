/* learn, test and label: the verbs that teach a model. */
#include "daemon/journal.h"

/* All or nothing: what may be refused comes first, and the log before the model. */
int homer_engine_learn(struct homer_engine *e, struct homer_entry *entry, const struct homer_record *rec,
                       const struct homer_decide *decide, struct homer_prediction *p,
                       struct homer_error *err) {
    const struct homer_request *req = rec->request;
    struct homer_model *m = entry->model;
    struct homer_instance x;
    uint32_t source = 0;
    int rc = homer_journal_begin(e, rec, err);
    if (rc == 0 && req->src.s) rc = homer_sources_reserve(&entry->sources, req->src, &source, err);
    if (rc) return rc;
    homer_model_begin(m);
    rc = homer_resolve_x(&e->resolver, m, req, &e->config->request, true, &x, err);
    if (rc == 0) rc = homer_resolve_y(&e->resolver, m, req, &x, err);
    if (rc)
        homer_model_abort(m);
    else
        rc = homer_model_learn(m, &x, decide, p, err); /* undoes the interning itself when it fails */
    if (rc) {
        if (req->src.s) homer_sources_cancel(&entry->sources, source);
        return rc;
    }
    if (req->src.s) homer_sources_set(&entry->sources, source, req->n, homer_model_seq(m));
    homer_journal_end(e);
    homer_rate_add(&entry->rate, e->clock.now_ms());
    return 0;
}

/* The fields that acknowledge an instance, and the end of the reply. */
static void write_ack(const struct homer_engine *e, struct homer_reply *r, uint64_t seq) {
    homer_reply_u64(r, "seq", seq);
    homer_journal_promise(e, r);
}

static void acknowledge(const struct homer_engine *e, const struct homer_entry *entry,
                        const struct homer_request *req, struct homer_reply *r) {
    if (req->noreply) return;
    homer_reply_begin_ok(r, req);
    write_ack(e, r, homer_model_seq(entry->model));
    homer_reply_end(r);
}

/* True when this source has sent this number, or a higher one, before: it is acknowledged again, with the
 * instance that the highest number was. */
static bool is_repeat(struct homer_engine *e, const struct homer_entry *entry,
                      const struct homer_request *req, struct homer_reply *r) {
    const struct homer_source *known = req->src.s ? homer_sources_find(&entry->sources, req->src) : NULL;
    if (!known || req->n > known->n) return false;
    homer_journal_wait(e); /* what is acknowledged again may still be on its way to the disk */
    if (req->noreply) return true;
    homer_reply_begin_ok(r, req);
    homer_reply_bool(r, "dup", true);
    write_ack(e, r, known->seq);
    homer_reply_end(r);
    return true;
}

int homer_verb_learn(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                     struct homer_error *err) {
    struct homer_record rec = {.kind = HOMER_RECORD_LEARN, .request = req};
    struct homer_entry *entry;
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc || is_repeat(e, entry, req, r)) return rc;
    rc = homer_engine_learn(e, entry, &rec, NULL, NULL, err);
    if (rc == 0) acknowledge(e, entry, req, r);
    return rc;
}

int homer_verb_test(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                    struct homer_error *err) {
    struct homer_record rec = {.kind = HOMER_RECORD_LEARN, .request = req};
    struct homer_entry *entry;
    struct homer_decide decide;
    struct homer_prediction p;
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc == 0) rc = homer_predict_options(e, entry->model, req, &decide, err);
    if (rc || is_repeat(e, entry, req, r)) return rc;
    struct homer_model *m = entry->model;
    const struct homer_schema *schema = homer_model_schema(m);
    rc = homer_engine_learn(e, entry, &rec, &decide, &p, err);
    if (rc) return rc;

    struct homer_mark mark = homer_mark(r);
    homer_reply_begin_ok(r, req);
    homer_predict_write(e, r, schema, &p, req);
    write_ack(e, r, homer_model_seq(m));
    if (req->metrics) homer_stats_metrics(r, m);
    homer_reply_end(r);
    if (homer_engine_fits(e, r)) return 0;

    /* It was learned, so it must not be refused: acknowledged without the prediction. */
    homer_undo(r, &mark);
    homer_reply_begin_ok(r, req);
    write_ack(e, r, homer_model_seq(m));
    homer_reply_bool(r, "truncated", true);
    homer_reply_end(r);
    return 0;
}

/* The instance of a tracked prediction and the labels that have come for it, as one request. */
static int complete(struct homer_engine *e, const struct homer_pending_item *item,
                    const struct homer_request *req, struct homer_request *out, struct homer_error *err) {
    struct homer_str payload = homer_pending_payload(item);
    const struct homer_request *shown = &e->decoded;
    struct homer_record rec;
    int rc = homer_record_decode(&rec, &e->decoded, payload.s, payload.n, err);
    *out = *req;
    out->has_x = shown->has_x;
    out->x = shown->x;
    out->x_n = shown->x_n;
    out->text = shown->text;
    return rc;
}

int homer_verb_label(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                     struct homer_error *err) {
    struct homer_entry *entry;
    struct homer_request whole;
    const struct homer_record rec = {.kind = HOMER_RECORD_LABEL, .request = &whole};
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc || is_repeat(e, entry, req, r)) return rc;
    homer_pending_expire(&e->pending, e->clock.wall_ms());
    struct homer_pending_item *item = homer_pending_find(&e->pending, req->model, req->ref);
    if (!item)
        return homer_err_set(
            err, HOMER_E_UNKNOWN_REF,
            "no tracked prediction with the id %.*s waits for labels: it was never made, has "
            "them already, or has expired",
            homer_name_cut(req->ref), req->ref.s);
    rc = complete(e, item, req, &whole, err);
    if (rc == 0) rc = homer_engine_learn(e, entry, &rec, NULL, NULL, err);
    if (rc) return rc;
    homer_pending_remove(&e->pending, item);
    acknowledge(e, entry, req, r);
    return 0;
}
