#include "core/model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/learner.h"
#include "core/second.h"

enum {
    MANY = 300,
    DENSE_SHARE =
        64, /* bytes of the memory cap for each weight that a dense model may have: a quarter of it */
};
#define RARE 1.5 /* positives a label, below which more than MANY labels turn a model sparse */

struct homer_model {
    struct homer_mem mem;
    struct homer_model_config config;
    struct homer_schema schema;
    struct homer_schema_mark mark; /* where the transaction began */
    struct homer_learner learner;
    struct homer_rules rules;
    struct homer_second second; /* where `layered` */
    bool layered;               /* profile accurate: the second layer answers */
    struct homer_eval eval;
    uint64_t seq;
};

static const char *const objectives[HOMER_OBJECTIVE_COUNT] = {"example_f1", "micro_f1", "macro_f1", "subset",
                                                              "hamming"};

const char *homer_objective_word(enum homer_objective o) {
    return objectives[o];
}

int homer_objective_parse(const char *s, size_t n) {
    for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++)
        if (strlen(objectives[o]) == n && memcmp(objectives[o], s, n) == 0) return o;
    return -1;
}

void homer_model_config_default(struct homer_model_config *c) {
    *c = (struct homer_model_config){
        .objective = HOMER_EXAMPLE_F1,
        .seed = 1,
        .max_memory = (uint64_t)4 << 30,
        .max_labels = 10000,
        .max_features = 1000000,
        .window = 1000,
        .profile = HOMER_FAST,
        .dense_labels = 1000,
        .dense_weights = 100000000,
    };
    homer_clusters_config_default(&c->clusters);
}

static int init_learner(struct homer_model *m, bool sparse) {
    const struct homer_model_config *c = &m->config;
    if (c->learner == HOMER_LEARNER_IHOMER_PAPER)
        return homer_learner_init_paper(&m->learner, &m->mem, c->seed);
    if (sparse)
        return homer_learner_init_sparse(&m->learner, &m->mem, c->absent_missing, c->profile, &c->clusters);
    return homer_learner_init_ihomer(&m->learner, &m->mem, c->absent_missing, c->profile, &c->clusters);
}

int homer_model_new(struct homer_model **out, const struct homer_model_config *config,
                    const uint8_t hash_key[16]) {
    struct homer_model *m = calloc(1, sizeof *m);
    if (!m) return -ENOMEM;
    m->config = *config;
    m->mem.max_bytes = config->max_memory;
    homer_schema_init(&m->schema, &m->mem, hash_key, config->max_features, config->max_labels);
    uint32_t *trees = &m->config.clusters.tree.trees;
    if (!*trees) *trees = config->profile == HOMER_ACCURATE ? 5 : 1;
    if (init_learner(m, config->storage == HOMER_STORAGE_SPARSE)) {
        homer_schema_deinit(&m->schema);
        free(m);
        return -ENOMEM;
    }
    if (config->left_out && homer_learner_flat(&m->learner))
        homer_flat_leave_out(&m->learner.flat, config->left_out);
    m->layered = config->profile == HOMER_ACCURATE && homer_learner_flat(&m->learner);
    homer_rules_init(&m->rules, &m->mem, hash_key, m->layered);
    homer_second_init(&m->second, &m->mem);
    homer_eval_init(&m->eval, &m->mem, config->window);
    *out = m;
    return 0;
}

struct homer_model *homer_model_free(struct homer_model *m) {
    if (!m) return NULL;
    homer_schema_deinit(&m->schema);
    m->learner.ops->deinit(&m->learner);
    homer_rules_deinit(&m->rules);
    homer_second_deinit(&m->second);
    homer_eval_deinit(&m->eval);
    free(m);
    return NULL;
}

const struct homer_model_config *homer_model_config(const struct homer_model *m) {
    return &m->config;
}
struct homer_schema *homer_model_schema(struct homer_model *m) {
    return &m->schema;
}
struct homer_mem *homer_model_mem(struct homer_model *m) {
    return &m->mem;
}
uint64_t homer_model_seq(const struct homer_model *m) {
    return m->seq;
}
const struct homer_eval *homer_model_eval(const struct homer_model *m) {
    return &m->eval;
}
const struct homer_clusters *homer_model_clusters(const struct homer_model *m) {
    const struct homer_flat *flat = homer_learner_flat(&m->learner);
    const struct homer_sparse *sparse = homer_learner_sparse(&m->learner);
    if (sparse) return sparse->grouped ? &sparse->clusters : NULL;
    return flat && flat->profile >= HOMER_FAST ? &flat->clusters : NULL;
}
bool homer_model_is_sparse(const struct homer_model *m) {
    return homer_learner_sparse(&m->learner) != NULL;
}
const struct homer_paper *homer_model_paper(const struct homer_model *m) {
    return homer_learner_paper(&m->learner);
}

const uint64_t *homer_model_events(const struct homer_model *m, uint64_t *total) {
    const struct homer_clusters *c = homer_model_clusters(m);
    const struct homer_paper *p = homer_model_paper(m);
    *total = c ? c->events : p ? p->events : 0;
    return c ? c->counted : p ? p->counted : NULL;
}

const struct homer_event *homer_model_event(const struct homer_model *m, uint64_t i) {
    const struct homer_clusters *c = homer_model_clusters(m);
    const struct homer_paper *p = homer_model_paper(m);
    return c ? homer_clusters_event(c, i) : p ? homer_paper_event(p, i) : NULL;
}

struct homer_decide homer_model_decide_default(const struct homer_model *m) {
    return (struct homer_decide){.objective = m->config.objective, .threshold = (double)NAN};
}

uint32_t homer_prediction_top(const struct homer_prediction *p, uint32_t n, uint32_t *best) {
    return homer_rank_top_of(p->score, p->scored, p->scored ? p->scored_n : p->score_n, n, best);
}

/* Labels that scores exist for. */
static uint32_t known(const struct homer_model *m) {
    return m->learner.ops->labels(&m->learner);
}

static void answer(struct homer_model *m, const float *p, const struct homer_decide *decide,
                   struct homer_prediction *out) {
    out->score = p;
    out->score_n = known(m);
    out->scored = m->rules.some;
    out->scored_n = m->rules.some_n;
    out->label = homer_rules_choose(&m->rules, p, known(m), decide, &out->label_n);
}

/* The scores that are answered. */
static const float *predict(struct homer_model *m, const struct homer_instance *x) {
    const float *p = m->learner.ops->predict(&m->learner, x);
    return p && m->layered ? homer_second_predict(&m->second, &m->learner.flat, &m->rules, p) : p;
}

/* Ranks the scores of the last predict. */
static void rank(struct homer_model *m, const float *p) {
    uint32_t n;
    const uint32_t *some = m->learner.ops->scored(&m->learner, &n);
    if (some)
        homer_rules_rank_some(&m->rules, p, some, n);
    else
        homer_rules_rank(&m->rules, p, known(m));
}

void homer_model_predict(struct homer_model *m, const struct homer_instance *x,
                         const struct homer_decide *decide, struct homer_prediction *out) {
    const float *p = predict(m, x);
    rank(m, p);
    answer(m, p, decide, out);
}

void homer_model_redecide(struct homer_model *m, const struct homer_decide *decide,
                          struct homer_prediction *out) {
    answer(m, out->score, decide, out);
}

void homer_model_config_adopt(struct homer_model_config *c, const struct homer_model_config *wanted) {
    c->objective = wanted->objective;
    c->text_bigrams = wanted->text_bigrams;
    c->max_memory = wanted->max_memory;
    c->max_labels = wanted->max_labels;
    c->max_features = wanted->max_features;
}

void homer_model_adopt(struct homer_model *m, const struct homer_model_config *wanted) {
    homer_model_config_adopt(&m->config, wanted);
    m->mem.max_bytes = m->config.max_memory;
    m->schema.max_features = m->config.max_features;
    m->schema.max_labels = m->config.max_labels;
}

void homer_model_begin(struct homer_model *m) {
    m->mark = homer_schema_mark(&m->schema);
}

void homer_model_abort(struct homer_model *m) {
    homer_schema_rollback(&m->schema, m->mark);
}

static struct homer_outcome outcome_of(const struct homer_model *m, const struct homer_instance *x) {
    const struct homer_labelsets *sets = &m->rules.sets;
    struct homer_outcome o = {.truth = x, .scored = known(m), .seen = (double)m->seq};
    o.majority = homer_labelsets_get(sets, sets->majority, &o.majority_n);
    o.label_count = m->learner.ops->label_counts(&m->learner);
    return o;
}

/* Whether the flat learner, with the instance that it has prepared, is one that lists serve better. */
static bool turns_sparse(const struct homer_model *m, const struct homer_instance *x) {
    const struct homer_model_config *c = &m->config;
    const struct homer_flat *flat = homer_learner_flat(&m->learner);
    uint32_t labels = m->schema.labels.n;
    if (!flat || c->storage != HOMER_STORAGE_AUTO) return false;
    uint64_t weights = (uint64_t)labels * m->schema.features.n, share = m->mem.max_bytes / DENSE_SHARE;
    if (share && weights > share) return true;
    double positives = flat->prior.positives + x->weight * x->positive_n;
    return labels > c->dense_labels || weights > c->dense_weights ||
           (labels > MANY && positives < RARE * labels);
}

/* Everything that can fail, before anything changes. */
static int reserve(struct homer_model *m, const struct homer_instance *x) {
    uint32_t features = m->schema.features.n, labels = m->schema.labels.n;
    struct homer_outcome o = outcome_of(m, x);
    int rc = m->learner.ops->reserve(&m->learner, features, labels);
    if (!rc) rc = homer_rules_reserve(&m->rules, x, labels);
    if (!rc && m->layered) rc = homer_second_reserve(&m->second, labels);
    if (!rc) rc = homer_eval_reserve(&m->eval, &o, labels);
    return rc;
}

/* The sparse learner takes over, with the scores just answered; there is no second layer with it. */
static void turn(struct homer_model *m, struct homer_prediction *out) {
    homer_learner_turn_sparse(&m->learner);
    if (out) out->score = homer_learner_sparse(&m->learner)->p;
    homer_second_deinit(&m->second);
    homer_second_init(&m->second, &m->mem);
    m->layered = m->rules.layered = false;
}

int homer_model_learn(struct homer_model *m, const struct homer_instance *x,
                      const struct homer_decide *decide, struct homer_prediction *out,
                      struct homer_error *err) {
    int rc = reserve(m, x);
    const float *p = rc ? NULL : predict(m, x);
    if (!rc)
        rc = m->learner.ops->prepare(&m->learner, x, m->schema.features.n, m->schema.labels.n, m->seq + 1);
    bool turns = !rc && turns_sparse(m, x);
    if (turns) rc = homer_learner_plan_sparse(&m->learner, m->schema.features.n, m->schema.labels.n);
    if (rc) {
        m->learner.ops->cancel(&m->learner);
        homer_model_abort(m);
        return homer_schema_no_memory(&m->schema, err);
    }
    rank(m, p);
    struct homer_outcome o = outcome_of(m, x);
    struct homer_decide configured = homer_model_decide_default(m);
    struct homer_prediction own;
    answer(m, p, &configured, &own);
    o.p = p;
    o.rank = m->rules.rank;
    o.ranks = m->rules.ranks;
    o.some = m->rules.some;
    o.some_n = m->rules.some_n;
    o.predicted = own.label;
    o.predicted_n = own.label_n;
    homer_eval_count(&m->eval, &o, m->schema.labels.n);
    if (out) answer(m, p, decide, out);
    uint32_t features = m->schema.features.n, labels = m->schema.labels.n;
    if (m->layered) { /* before the window gives up an instance whose labelset is a candidate */
        p = homer_second_learn(&m->second, &m->learner.flat, labels);
        homer_rules_learn(&m->rules, p, x, labels);
        if (!x->partial) homer_flat_number_set(&m->learner.flat, m->rules.sets.previous);
    }
    p = m->learner.ops->learn(&m->learner, x, features, labels);
    if (!m->layered) homer_rules_learn(&m->rules, p, x, known(m));
    if (turns) turn(m, out);
    m->seq++;
    return 0;
}

double homer_model_label_count(const struct homer_model *m, uint32_t label) {
    return m->learner.ops->label_counts(&m->learner)[label];
}

double homer_model_feature_count(const struct homer_model *m, uint32_t feature) {
    return m->learner.ops->feature_count(&m->learner, feature);
}

void homer_model_encode(const struct homer_model *m, struct homer_codec *c) {
    homer_put_u64(c, m->seq);
    homer_put_room(c, homer_model_is_sparse(m));
    homer_schema_encode(&m->schema, c);
    m->learner.ops->encode(&m->learner, c);
    homer_rules_encode(&m->rules, known(m), c);
    if (m->layered) homer_second_encode(&m->second, known(m), c);
    homer_eval_encode(&m->eval, c);
}

/* A model that has learned nothing is to go on as one that has turned sparse. */
static int begin_sparse(struct homer_model *m) {
    m->layered = m->rules.layered = false;
    m->learner.ops->deinit(&m->learner);
    int rc = init_learner(m, true);
    if (rc) homer_learner_init_sparse(&m->learner, &m->mem, false, HOMER_LINEAR_ONLY, NULL); /* fails never */
    return rc;
}

int homer_model_decode(struct homer_model *m, struct homer_decoder *d) {
    d->scratch = (struct homer_mem){.max_bytes = m->mem.max_bytes};
    m->seq = homer_get_u64(d);
    bool sparse = homer_get_room(d, 0) > 0, turned = m->config.storage == HOMER_STORAGE_AUTO;
    if (sparse && turned && homer_learner_flat(&m->learner) && begin_sparse(m)) homer_get_fail(d, -ENOMEM);
    if (!homer_get_holds(d, sparse == homer_model_is_sparse(m))) return d->error;
    homer_schema_decode(&m->schema, d);
    uint32_t features = m->schema.features.n, labels = m->schema.labels.n;
    m->learner.ops->decode(&m->learner, features, labels, d);
    homer_rules_decode(&m->rules, labels, d);
    if (m->layered) {
        homer_second_decode(&m->second, labels, d);
        homer_get_holds(d, d->error || homer_flat_sets_hold(&m->learner.flat, m->rules.sets.map.n));
    }
    homer_eval_decode(&m->eval, labels, d);
    return d->error;
}

void homer_model_digest(const struct homer_model *m, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    if (!h) {
        hex[0] = 0;
        return;
    }
    homer_model_encode(m, &c);
    homer_hasher_free(h, hex);
}
