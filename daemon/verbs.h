/* Inside of the engine: what engine.c and the verb_*.c files share. Not for other folders; tests may look in.
 *
 * A verb writes its whole reply (a line, or an element of a batch's list) and returns 0, or returns a code
 * with *err filled and leaves the model as it was: the dispatcher then takes back what the verb wrote and
 * writes the failure. Loop thread only.
 *
 * Room for replies. A learn that was applied has to be acknowledged even when memory has run out, so room for
 * one short reply is reserved before any verb runs. A verb that changes state therefore answers within
 * HOMER_SHORT_REPLY + the id, or checks homer_engine_fits() and falls back to an answer that does. Inside a
 * batch `tail` keeps the same room for the items behind the current one. */
#ifndef HOMER_DAEMON_VERBS_H
#define HOMER_DAEMON_VERBS_H

#include "daemon/ahead.h"
#include "daemon/engine.h"
#include "daemon/pending.h"
#include "daemon/rate.h"
#include "daemon/record.h"
#include "daemon/resolve.h"
#include "daemon/sources.h"
#include "daemon/store.h"
#include "proto/reply.h"

/* Bytes of the longest reply, without its id, that must be possible when no memory is left. */
enum { HOMER_SHORT_REPLY = 224, HOMER_MODEL_NAME = 64 /* bytes */ };

struct homer_entry {
    char name[HOMER_MODEL_NAME + 1];
    struct homer_model *model;
    bool is_ours;            /* made at the first start, from the daemon's model{}, not by a client */
    struct homer_buf config; /* as JSON, every key */
    struct homer_sources sources;
    struct homer_rate rate; /* instances learned */
};

struct homer_engine {
    const struct homer_config *config;
    const struct homer_auth *auth;        /* NULL = nobody told */
    struct homer_session *session;        /* whose line is handled */
    const struct homer_conn_stats *conns; /* NULL = nobody told */
    struct homer_store *store;            /* NULL = nothing is kept, or not yet */
    struct homer_clock clock;
    uint64_t started_ms;
    uint8_t hash_key[16];
    struct homer_mem mem; /* everything below; models account for themselves */
    struct homer_ahead *ahead;
    struct homer_parsed *
        *current; /* the line being handled; what is in this place may be taken, see ahead.h */
    size_t batch_bytes, batch_max; /* what interrupted batches hold, and may hold */
    struct homer_resolver resolver;
    struct homer_pending pending;
    struct homer_request decoded; /* of a record */
    size_t record_n;              /* bytes of the record being written */
    struct homer_entry **entry;   /* [entry_n] in order of creation, of entry_cap */
    size_t entry_n, entry_cap;
    uint32_t *best; /* [best_cap] labels ranked for a reply */
    size_t best_cap;
    size_t tail;                      /* bytes that must stay free behind the current reply */
    unsigned flags;                   /* HOMER_LINE_* of the current line */
    const _Atomic uint64_t *progress; /* records replayed, while recovering; else NULL */
    /* by op, items of a batch included; NONE: the parser refused it */
    uint64_t requests[HOMER_OP_COUNT];
    uint64_t errors[HOMER_E_COUNT]; /* failures sent, by code */
};

typedef int (*homer_verb_fn)(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                             struct homer_error *err);

/* The verb of an op; NULL when this version has none. */
homer_verb_fn homer_engine_verb(enum homer_op op);

/* Runs a parsed request and writes its reply (nothing for a noreply that went well). Needs HOMER_SHORT_REPLY
 * + the id's length free; leaves `tail` bytes free. */
void homer_engine_answer(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r);
/* Writes a failure and counts it, within the same room. */
void homer_engine_refuse(struct homer_engine *e, struct homer_reply *r, const struct homer_error *err,
                         const struct homer_str *id);

/* True when the whole reply was written and e->tail bytes are still free behind it. */
bool homer_engine_fits(const struct homer_engine *e, struct homer_reply *r);

/* A place in a reply to go back to. */
struct homer_mark {
    struct homer_reply reply;
    size_t n;
};

static inline struct homer_mark homer_mark(const struct homer_reply *r) {
    return (struct homer_mark){*r, r->out->n};
}

static inline void homer_undo(struct homer_reply *r, const struct homer_mark *mark) {
    *r = mark->reply;
    homer_buf_truncate(r->out, mark->n);
}

/* The entry of req->model: 0, or HOMER_E_UNKNOWN_MODEL. */
int homer_engine_find(struct homer_engine *e, struct homer_str name, struct homer_entry **out,
                      struct homer_error *err);
/* Adds a model under a name that is valid and not taken. 0 or -ENOMEM. */
int homer_engine_add(struct homer_engine *e, struct homer_str name, const struct homer_model_config *config,
                     bool is_ours);
/* Removes all models and what is tracked. */
void homer_engine_clear(struct homer_engine *e);
/* Removes and frees a model, and what is tracked for it. */
void homer_engine_drop(struct homer_engine *e, struct homer_entry *entry);

/* Goes on with session->batch; as homer_engine_line (verb_batch.c). */
unsigned homer_engine_go_on(struct homer_engine *e, struct homer_session *session, struct homer_buf *out);

/* Gives a model what it can take of another configuration. 0 or -ENOMEM (state.c). */
int homer_engine_reconfigure(struct homer_engine *e, struct homer_entry *entry,
                             const struct homer_model_config *wanted);
/* 32 hex digits and a NUL: a hash of a model's state and its sources. 0 or -ENOMEM (state.c). */
int homer_entry_digest(const struct homer_entry *entry, char hex[33]);

/* Learns the instance of a record and writes the record to the log, or does neither (verb_learn.c). decide
 * and p as for homer_model_learn. */
int homer_engine_learn(struct homer_engine *e, struct homer_entry *entry, const struct homer_record *rec,
                       const struct homer_decide *decide, struct homer_prediction *p,
                       struct homer_error *err);

/* What predict and test share (verb_predict.c): options to a decision rule (HOMER_E_BAD_REQUEST), and a
 * prediction to the fields "labels" and "scores". */
int homer_predict_options(struct homer_engine *e, struct homer_model *m, const struct homer_request *req,
                          struct homer_decide *out, struct homer_error *err);
void homer_predict_write(const struct homer_engine *e, struct homer_reply *r,
                         const struct homer_schema *schema, const struct homer_prediction *p,
                         const struct homer_request *req);

/* Appends the fields that say what is durable: in full for stats, the word alone for hello (verb_stats.c). */
void homer_stats_durability(const struct homer_engine *e, struct homer_reply *r, bool in_full);
/* Appends the field "metrics" of a model (verb_stats.c). */
void homer_stats_metrics(struct homer_reply *r, const struct homer_model *m);

/* Levels of the hierarchy below its root (verb_hierarchy.c). */
uint32_t homer_hierarchy_depth(const struct homer_hierarchy *h);
/* Recent micro F1 of n labels; NaN when none was true or predicted. */
double homer_hierarchy_f1(const struct homer_eval *eval, const uint32_t *label, uint32_t n);
/* Appends the field "labels": the names of n labels. */
void homer_hierarchy_names(struct homer_reply *r, const struct homer_schema *schema, const uint32_t *label,
                           uint32_t n);
/* A node of a graph in Graphviz's language: label NULL is an inner node, parent 0 the root, f1 NaN unknown.
 */
struct homer_dot_node {
    uint64_t id, parent;
    const uint32_t *label; /* [labels] */
    uint32_t labels;
    double f1;
};
void homer_hierarchy_dot(struct homer_buf *out, const struct homer_schema *schema,
                         const struct homer_dot_node *node);
/* The whole reply for a model of the learner ihomer-paper (verb_hierarchy_paper.c). */
int homer_hierarchy_paper(struct homer_engine *e, struct homer_model *m, const struct homer_request *req,
                          struct homer_reply *r);

int homer_verb_hello(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                     struct homer_error *);
int homer_verb_ping(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                    struct homer_error *);
int homer_verb_help(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                    struct homer_error *);
int homer_verb_quit(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                    struct homer_error *);
int homer_verb_auth(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                    struct homer_error *);
int homer_verb_config(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                      struct homer_error *);
int homer_verb_digest(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                      struct homer_error *);
int homer_verb_learn(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                     struct homer_error *);
int homer_verb_predict(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                       struct homer_error *);
int homer_verb_label(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                     struct homer_error *);
int homer_verb_snapshot(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                        struct homer_error *);
int homer_verb_test(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                    struct homer_error *);
int homer_verb_batch(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                     struct homer_error *);
int homer_verb_stats(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                     struct homer_error *);
int homer_verb_labels(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                      struct homer_error *);
int homer_verb_features(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                        struct homer_error *);
int homer_verb_hierarchy(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                         struct homer_error *);
int homer_verb_drifts(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                      struct homer_error *);
int homer_verb_model_create(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                            struct homer_error *);
int homer_verb_model_drop(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                          struct homer_error *);
int homer_verb_model_list(struct homer_engine *, const struct homer_request *, struct homer_reply *,
                          struct homer_error *);

#endif
