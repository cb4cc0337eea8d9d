/* One model: schema, learner and prequential metrics behind one face, in ids.
 *
 * Owner: one thread. No I/O, no clock, no globals; the seed, the hash key and the memory cap are passed in.
 * The same configuration and sequence of homer_model_learn calls gives the same state, bit for bit, which
 * homer_model_digest proves. Predicting changes nothing but scratch space. */
#ifndef HOMER_MODEL_H
#define HOMER_MODEL_H

#include "core/base/err.h"
#include "core/decide/rules.h"
#include "core/eval.h"
#include "core/instance.h"
#include "core/learner.h"
#include "core/schema.h"

/* "example_f1", "micro_f1", "macro_f1", "subset", "hamming"; -1 when the word is none of them. */
const char *homer_objective_word(enum homer_objective o);
int homer_objective_parse(const char *s, size_t n);

/* How weights are kept: one per label and feature (flat.h), or lists of those that say something
 * (sparse/sparse.h). AUTO: dense until a model knows more than dense_labels labels or needs more than
 * dense_weights weights, or has more than 300 labels that were true less than 1.5 times each on average;
 * sparse from then on, with what was learned. Of no use to ihomer-paper. */
enum homer_storage { HOMER_STORAGE_AUTO = 0, HOMER_STORAGE_DENSE, HOMER_STORAGE_SPARSE };

struct homer_model_config {
    enum homer_learner_kind learner; /* ihomer-paper: absent_missing, profile, clusters are of no use to it */
    enum homer_objective objective;
    bool absent_missing; /* absent: "missing"; false: "zero" */
    bool text_bigrams;   /* read by the engine when it tokenises */
    uint64_t seed;
    uint64_t max_memory; /* bytes */
    uint32_t max_labels;
    uint32_t max_features;
    uint32_t window; /* instances of the sliding-window metrics */
    enum homer_profile profile;
    enum homer_storage storage;
    uint32_t dense_labels;
    uint64_t dense_weights; /* labels x features */
    struct homer_clusters_config clusters;
    uint32_t left_out; /* for measuring, no user's key: see homer_flat_leave_out; 0 */
};

void homer_model_config_default(struct homer_model_config *c);

struct homer_model;

/* 0 and *out, or -ENOMEM. hash_key: any 16 bytes, unpredictable for clients; results do not depend on it. */
int homer_model_new(struct homer_model **out, const struct homer_model_config *config,
                    const uint8_t hash_key[16]);
struct homer_model *homer_model_free(struct homer_model *m);

const struct homer_model_config *homer_model_config(const struct homer_model *m);
struct homer_schema *homer_model_schema(struct homer_model *m);
struct homer_mem *
homer_model_mem(struct homer_model *m); /* for the caller's buffers that belong to the model */
uint64_t
homer_model_seq(const struct homer_model *m); /* instances learned so far = sequence number of the last */

/* Decides as the model is configured to. */
struct homer_decide homer_model_decide_default(const struct homer_model *m);

/* Borrowed from the model until its next call. */
struct homer_prediction {
    const uint32_t *label; /* [label_n] the predicted labelset, best score first (ties: smaller id) */
    uint32_t label_n;
    const float *score; /* [score_n] probability of every known label, by id; 0 = never seen positive */
    uint32_t score_n;
    const uint32_t
        *scored; /* [scored_n] ascending: all other labels have score 0; NULL: that is said of none */
    uint32_t scored_n;
};

/* Fills best[0..n) with the ids of the n highest scores, best first (ties: smaller id), of labels that are
 * not said to have score 0; returns how many there were. */
uint32_t homer_prediction_top(const struct homer_prediction *p, uint32_t n, uint32_t *best);

/* Predicts; the same result as the prediction that a test of the same x would give now. Fails never. */
void homer_model_predict(struct homer_model *m, const struct homer_instance *x,
                         const struct homer_decide *decide, struct homer_prediction *out);

/* Decides once more, by another rule, about the scores that *out holds from the homer_model_predict that came
 * last; nothing may have come between. */
void homer_model_redecide(struct homer_model *m, const struct homer_decide *decide,
                          struct homer_prediction *out);

/* Learning is a transaction: begin, intern names through the schema, then either learn or abort.
 * learn predicts first (from the state before), counts the prequential metrics, then updates everything. When
 * it fails nothing has changed and the interning since begin is undone: HOMER_E_TOO_MANY with limit
 * max_memory. `decide`, `out`: as for predict, of the prediction made first; both NULL when nobody asks. */
void homer_model_begin(struct homer_model *m);
void homer_model_abort(struct homer_model *m);
int homer_model_learn(struct homer_model *m, const struct homer_instance *x,
                      const struct homer_decide *decide, struct homer_prediction *out,
                      struct homer_error *err);

/* What a model may take of another configuration while it lives: objective, text_bigrams, max_memory,
 * max_labels and max_features. The first says it of a configuration, the second does it. */
void homer_model_config_adopt(struct homer_model_config *c, const struct homer_model_config *wanted);
void homer_model_adopt(struct homer_model *m, const struct homer_model_config *wanted);

/* Prequential metrics so far. */
const struct homer_eval *homer_model_eval(const struct homer_model *m);
/* Hierarchy, trees and drift detectors, for reading; NULL in a model without (profile linear, another
 * learner). */
const struct homer_clusters *homer_model_clusters(const struct homer_model *m);
/* Whether weights are kept in lists, see enum homer_storage. */
bool homer_model_is_sparse(const struct homer_model *m);
/* The learner ihomer-paper, for reading; NULL in a model of another. */
const struct homer_paper *homer_model_paper(const struct homer_model *m);
/* What has changed in either: events by kind, *total ever; NULL in a model without. Event number i (0 = first
 * ever) if it is still kept, else NULL. */
const uint64_t *homer_model_events(const struct homer_model *m, uint64_t *total);
const struct homer_event *homer_model_event(const struct homer_model *m, uint64_t i);

/* Per label: weight of its positives so far; for the list of labels. */
double homer_model_label_count(const struct homer_model *m, uint32_t label);
/* Per feature: how many instances had it (non-zero). */
double homer_model_feature_count(const struct homer_model *m, uint32_t feature);

/* 32 hex digits and a NUL: a hash of the whole state, see architecture. */
void homer_model_digest(const struct homer_model *m, char hex[33]);

/* Writes the whole state: what the digest hashes (all of it, where the codec is `bare`), and what room there
 * is. Changes nothing. */
void homer_model_encode(const struct homer_model *m, struct homer_codec *c);
/* Reads it into a model that was just made with the same configuration: from then on that answers, learns and
 * refuses exactly as the one that was written. 0, or an error of the decoder; the model is then only fit to
 * be freed. The hash key may be another. What comes behind the state is left unread. */
int homer_model_decode(struct homer_model *m, struct homer_decoder *d);

#endif
