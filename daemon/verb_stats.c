/* stats: what the daemon and one model have done so far, in full precision. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "daemon/verbs.h"

static const struct {
    const char *key;
    size_t offset;
} fields[] = {
    {"n", offsetof(struct homer_metrics, n)},
    {"subset", offsetof(struct homer_metrics, subset)},
    {"hamming", offsetof(struct homer_metrics, hamming)},
    {"example_f1", offsetof(struct homer_metrics, example_f1)},
    {"example_precision", offsetof(struct homer_metrics, example_precision)},
    {"example_recall", offsetof(struct homer_metrics, example_recall)},
    {"micro_f1", offsetof(struct homer_metrics, micro_f1)},
    {"macro_f1", offsetof(struct homer_metrics, macro_f1)},
    {"cardinality", offsetof(struct homer_metrics, cardinality)},
    {"p@1", offsetof(struct homer_metrics, precision_at[0])},
    {"p@3", offsetof(struct homer_metrics, precision_at[1])},
    {"p@5", offsetof(struct homer_metrics, precision_at[2])},
    {"ndcg@1", offsetof(struct homer_metrics, ndcg_at[0])},
    {"ndcg@3", offsetof(struct homer_metrics, ndcg_at[1])},
    {"ndcg@5", offsetof(struct homer_metrics, ndcg_at[2])},
    {"psp@1", offsetof(struct homer_metrics, psp_at[0])},
    {"psp@3", offsetof(struct homer_metrics, psp_at[1])},
    {"psp@5", offsetof(struct homer_metrics, psp_at[2])},
    {"log_loss", offsetof(struct homer_metrics, log_loss)},
    {"calibration_error", offsetof(struct homer_metrics, calibration_error)},
};

static const struct {
    const char *key;
    enum homer_predictor by;
    enum homer_span span;
} rows[] = {
    {"total", HOMER_BY_MODEL, HOMER_TOTAL},
    {"window", HOMER_BY_MODEL, HOMER_WINDOW},
    {"faded", HOMER_BY_MODEL, HOMER_FADED},
    {"no_change", HOMER_BY_NO_CHANGE, HOMER_TOTAL},
    {"no_change_window", HOMER_BY_NO_CHANGE, HOMER_WINDOW},
    {"majority", HOMER_BY_MAJORITY, HOMER_TOTAL},
    {"majority_window", HOMER_BY_MAJORITY, HOMER_WINDOW},
};

void homer_stats_metrics(struct homer_reply *r, const struct homer_model *m) {
    homer_reply_open(r, "metrics", '{');
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct homer_metrics metrics;
        homer_eval_metrics(homer_model_eval(m), rows[i].by, rows[i].span, &metrics);
        homer_reply_open(r, rows[i].key, '{');
        for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
            double v;
            memcpy(&v, (const char *)&metrics + fields[f].offset, sizeof v);
            if (!isnan(v)) homer_reply_real(r, fields[f].key, v);
        }
        homer_reply_close(r, '}');
    }
    homer_reply_close(r, '}');
}

static void write_counters(struct homer_reply *r, const struct homer_engine *e) {
    homer_reply_open(r, "requests", '{');
    for (int op = HOMER_OP_NONE + 1; op < HOMER_OP_COUNT; op++)
        if (homer_engine_verb((enum homer_op)op))
            homer_reply_u64(r, homer_op_word((enum homer_op)op), e->requests[op]);
    homer_reply_u64(r, "unreadable", e->requests[HOMER_OP_NONE]);
    homer_reply_close(r, '}');

    homer_reply_open(r, "errors", '{');
    for (int code = HOMER_OK + 1; code < HOMER_E_COUNT; code++)
        homer_reply_u64(r, homer_err_word(code), e->errors[code]);
    homer_reply_close(r, '}');
}

static void write_connections(struct homer_reply *r, const struct homer_conn_stats *c) {
    homer_reply_open(r, "connections", '{');
    homer_reply_u64(r, "open", c->open);
    homer_reply_u64(r, "accepted", c->accepted);
    homer_reply_u64(r, "refused", c->refused);
    homer_reply_u64(r, "closed", c->closed);
    homer_reply_u64(r, "timed_out", c->timed_out);
    homer_reply_u64(r, "abandoned", c->abandoned);
    homer_reply_u64(r, "tls_failed", c->tls_failed);
    homer_reply_u64(r, "bytes_in", c->bytes_in);
    homer_reply_u64(r, "bytes_out", c->bytes_out);
    homer_reply_u64(r, "lines", c->lines);
    homer_reply_u64(r, "too_large", c->too_large);
    homer_reply_close(r, '}');
}

void homer_stats_durability(const struct homer_engine *e, struct homer_reply *r, bool in_full) {
    const char *word = homer_store_promise(&e->config->store);
    homer_reply_string(r, "durability", word, strlen(word));
    if (!in_full) return;
    homer_reply_open(r, "tracked", '{');
    homer_reply_u64(r, "waiting", e->pending.n);
    homer_reply_u64(r, "bytes", e->pending.bytes);
    homer_reply_u64(r, "expired", e->pending.expired);
    homer_reply_close(r, '}');
    if (e->store) homer_store_stats(e->store, r);
}

/* Not there in a model of profile linear. */
static void write_clusters(struct homer_reply *r, const struct homer_entry *entry) {
    const struct homer_clusters *c = homer_model_clusters(entry->model);
    const struct homer_paper *p = homer_model_paper(entry->model);
    const uint64_t *counted = homer_model_events(entry->model, &(uint64_t){0});
    if (!counted) return;
    homer_reply_u64(r, "clusters", c ? c->hierarchy.leaves : p->parts);
    homer_reply_u64(r, "depth", c ? homer_hierarchy_depth(&c->hierarchy) : p->parts > 1);
    homer_reply_open(r, "drift", '{');
    homer_reply_u64(r, "global", counted[HOMER_EVENT_GLOBAL_DRIFT]);
    homer_reply_u64(r, "cluster", counted[HOMER_EVENT_CLUSTER_DRIFT]);
    homer_reply_u64(r, "structure", counted[HOMER_EVENT_STRUCTURE]);
    homer_reply_u64(r, "tree_splits", counted[HOMER_EVENT_TREE_SPLIT]);
    homer_reply_close(r, '}');
}

int homer_verb_stats(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                     struct homer_error *err) {
    struct homer_entry *entry;
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc) return rc;
    struct homer_model *m = entry->model;
    const struct homer_schema *schema = homer_model_schema(m);
    const struct homer_mem *mem = homer_model_mem(m);
    const char *objective = homer_objective_word(homer_model_config(m)->objective);
    const char *storage = homer_model_is_sparse(m) ? "sparse" : "dense";
    uint64_t now = e->clock.now_ms();

    homer_reply_begin_ok(r, req);
    homer_reply_string(r, "model", entry->name, strlen(entry->name));
    homer_reply_u64(r, "seq", homer_model_seq(m));
    homer_reply_u64(r, "instances", homer_model_seq(m));
    homer_reply_u64(r, "labels", schema->labels.n);
    homer_reply_u64(r, "features", schema->features.n);
    homer_reply_u64(r, "attributes", schema->attributes.n);
    homer_reply_string(r, "storage", storage, strlen(storage));
    homer_reply_open(r, "memory", '{');
    homer_reply_u64(r, "used_bytes", mem->used_bytes);
    homer_reply_u64(r, "peak_bytes", mem->peak_bytes);
    homer_reply_u64(r, "max_bytes", mem->max_bytes);
    homer_reply_close(r, '}');
    write_clusters(r, entry);
    homer_reply_string(r, "objective", objective, strlen(objective));
    homer_reply_open(r, "throughput", '{'); /* instances learned by this model, per second */
    homer_reply_real(r, "last_10s", homer_rate_recent(&entry->rate, now));
    homer_reply_real(r, "since_start", homer_rate_overall(&entry->rate, now));
    homer_reply_close(r, '}');
    homer_reply_u64(r, "uptime_ms", now - e->started_ms);
    homer_stats_durability(e, r, true);
    homer_reply_u64(r, "parsed_ahead", homer_ahead_count(e->ahead));
    write_counters(r, e);
    if (e->conns) write_connections(r, e->conns);
    homer_stats_metrics(r, m);
    homer_reply_end(r);
    return 0;
}
