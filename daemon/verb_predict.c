/* predict, and what it shares with test: options in, labels and scores out. */
#include <errno.h>
#include <math.h>

#include "daemon/journal.h"

/* Room to rank every label of a model. */
static int reserve_best(struct homer_engine *e, size_t n) {
    if (n <= e->best_cap) return 0;
    size_t cap = e->best_cap ? e->best_cap : 64;
    while (cap < n) cap *= 2;
    uint32_t *best = homer_mem_grow(&e->mem, e->best, e->best_cap, cap, sizeof *best);
    if (!best) return -ENOMEM;
    e->best = best;
    e->best_cap = cap;
    return 0;
}

int homer_predict_options(struct homer_engine *e, struct homer_model *m, const struct homer_request *req,
                          struct homer_decide *out, struct homer_error *err) {
    uint32_t max_labels = homer_model_config(m)->max_labels;
    *out = homer_model_decide_default(m);
    if (req->k > max_labels)
        return homer_err_limit(err, HOMER_E_BAD_REQUEST, "max_labels", "\"k\" must be from 1 to %u",
                               max_labels);
    if (req->objective.s) {
        int objective = homer_objective_parse(req->objective.s, req->objective.n);
        if (objective < 0)
            return homer_err_set(err, HOMER_E_BAD_REQUEST,
                                 "\"objective\" must be example_f1, micro_f1, macro_f1, subset or hamming");
        out->objective = (enum homer_objective)objective;
    }
    out->k = (uint32_t)req->k;
    if (!isnan(req->threshold)) out->threshold = req->threshold;
    if (req->scores != HOMER_SCORES_TOP) return 0;
    size_t labels = homer_model_schema(m)->labels.n;
    return reserve_best(e, req->scores_top < labels ? req->scores_top : labels);
}

static void write_score(struct homer_reply *r, const struct homer_schema *schema,
                        const struct homer_prediction *p, uint32_t label) {
    size_t n;
    const char *name = homer_schema_label_name(schema, label, &n);
    homer_reply_float_n(r, name, n, p->score[label]);
}

void homer_predict_write(const struct homer_engine *e, struct homer_reply *r,
                         const struct homer_schema *schema, const struct homer_prediction *p,
                         const struct homer_request *req) {
    homer_reply_open(r, "labels", '[');
    for (uint32_t i = 0; i < p->label_n; i++) {
        size_t n;
        const char *name = homer_schema_label_name(schema, p->label[i], &n);
        homer_reply_string(r, NULL, name, n);
    }
    homer_reply_close(r, ']');
    if (req->scores == HOMER_SCORES_NONE) return;

    homer_reply_open(r, "scores", '{');
    if (req->scores == HOMER_SCORES_LABELS)
        for (uint32_t i = 0; i < p->label_n; i++) write_score(r, schema, p, p->label[i]);
    if (req->scores == HOMER_SCORES_ALL)
        for (uint32_t i = 0, n = p->scored ? p->scored_n : p->score_n; i < n; i++)
            write_score(r, schema, p, p->scored ? p->scored[i] : i);
    if (req->scores == HOMER_SCORES_TOP) {
        size_t want = req->scores_top < p->score_n ? req->scores_top : p->score_n;
        uint32_t n = homer_prediction_top(p, (uint32_t)want, e->best);
        for (uint32_t i = 0; i < n; i++) write_score(r, schema, p, e->best[i]);
    }
    homer_reply_close(r, '}');
}

/* Keeps the instance until its labels come. All that can fail is done before; the reply is written already.
 */
static int track(struct homer_engine *e, const struct homer_request *req, struct homer_error *err) {
    struct homer_request shown = *req;
    const struct homer_record rec = {
        .kind = HOMER_RECORD_TRACK, .time_ms = e->clock.wall_ms(), .request = &shown};
    struct homer_pending_item *item;
    shown.ref = req->id;
    int rc = homer_pending_make(&e->pending, req->model, req->id, homer_record_size(&rec), rec.time_ms, &item,
                                err);
    if (rc) return rc;
    homer_record_encode(&rec, homer_pending_room(item));
    rc = homer_journal_begin(e, &rec, err);
    if (rc) {
        homer_pending_drop(&e->pending, item);
        return rc;
    }
    homer_pending_expire(&e->pending, rec.time_ms);
    homer_pending_put(&e->pending, item);
    homer_journal_end(e);
    return 0;
}

int homer_verb_predict(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                       struct homer_error *err) {
    struct homer_entry *entry;
    struct homer_decide decide;
    struct homer_instance x;
    struct homer_prediction p;
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc == 0) rc = homer_predict_options(e, entry->model, req, &decide, err);
    if (rc == 0) rc = homer_resolve_x(&e->resolver, entry->model, req, &e->config->request, false, &x, err);
    if (rc) return rc;
    homer_model_predict(entry->model, &x, &decide, &p);
    homer_reply_begin_ok(r, req);
    homer_predict_write(e, r, homer_model_schema(entry->model), &p, req);
    if (req->track) homer_journal_promise(e, r);
    homer_reply_end(r);
    if (!req->track) return 0;
    return homer_engine_fits(e, r) ? track(e, req, err) : -ENOMEM;
}
