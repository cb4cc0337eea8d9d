#include "core/model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct homer_model {
    struct homer_mem mem;
    struct homer_model_config config;
    struct homer_schema schema;
    struct homer_schema_mark mark; /* where the transaction began */
    struct homer_flat flat;
    struct homer_rules rules;
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
    };
    homer_clusters_config_default(&c->clusters);
}

int homer_model_new(struct homer_model **out, const struct homer_model_config *config,
                    const uint8_t hash_key[16]) {
    struct homer_model *m = calloc(1, sizeof *m);
    if (!m) return -ENOMEM;
    m->config = *config;
    m->mem.max_bytes = config->max_memory;
    homer_schema_init(&m->schema, &m->mem, hash_key, config->max_features, config->max_labels);
    if (homer_flat_init(&m->flat, &m->mem, config->absent_missing, config->profile, &config->clusters)) {
        homer_schema_deinit(&m->schema);
        free(m);
        return -ENOMEM;
    }
    if (config->left_out) homer_flat_leave_out(&m->flat, config->left_out);
    homer_rules_init(&m->rules, &m->mem, hash_key);
    homer_eval_init(&m->eval, &m->mem, config->window);
    *out = m;
    return 0;
}

struct homer_model *homer_model_free(struct homer_model *m) {
    if (!m) return NULL;
    homer_schema_deinit(&m->schema);
    homer_flat_deinit(&m->flat);
    homer_rules_deinit(&m->rules);
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
    return m->flat.profile >= HOMER_FAST ? &m->flat.clusters : NULL;
}

struct homer_decide homer_model_decide_default(const struct homer_model *m) {
    return (struct homer_decide){.objective = m->config.objective, .threshold = (double)NAN};
}

uint32_t homer_prediction_top(const struct homer_prediction *p, uint32_t n, uint32_t *best) {
    return homer_rank_top(p->score, p->score_n, n, best);
}

static void answer(struct homer_model *m, const float *p, const struct homer_decide *decide,
                   struct homer_prediction *out) {
    out->score = p;
    out->score_n = m->flat.labels;
    out->label = homer_rules_choose(&m->rules, p, m->flat.labels, decide, &out->label_n);
}

void homer_model_predict(struct homer_model *m, const struct homer_instance *x,
                         const struct homer_decide *decide, struct homer_prediction *out) {
    const float *p = homer_flat_predict(&m->flat, x);
    homer_rules_rank(&m->rules, p, m->flat.labels);
    answer(m, p, decide, out);
}

void homer_model_redecide(struct homer_model *m, const struct homer_decide *decide,
                          struct homer_prediction *out) {
    answer(m, out->score, decide, out);
}

void homer_model_begin(struct homer_model *m) {
    m->mark = homer_schema_mark(&m->schema);
}

void homer_model_abort(struct homer_model *m) {
    homer_schema_rollback(&m->schema, m->mark);
}

static struct homer_outcome outcome_of(const struct homer_model *m, const struct homer_instance *x) {
    const struct homer_labelsets *sets = &m->rules.sets;
    struct homer_outcome o = {.truth = x, .scored = m->flat.labels, .seen = (double)m->seq};
    o.majority = homer_labelsets_get(sets, sets->majority, &o.majority_n);
    o.label_count = homer_grid_f64(&m->flat.prior.count, 0);
    return o;
}

/* Everything that can fail, before anything changes. */
static int reserve(struct homer_model *m, const struct homer_instance *x) {
    uint32_t features = m->schema.features.n, labels = m->schema.labels.n;
    struct homer_outcome o = outcome_of(m, x);
    int rc = homer_flat_reserve(&m->flat, features, labels);
    if (!rc) rc = homer_rules_reserve(&m->rules, x, labels);
    if (!rc) rc = homer_eval_reserve(&m->eval, &o, labels);
    return rc;
}

int homer_model_learn(struct homer_model *m, const struct homer_instance *x,
                      const struct homer_decide *decide, struct homer_prediction *out,
                      struct homer_error *err) {
    int rc = reserve(m, x);
    const float *p = rc ? NULL : homer_flat_predict(&m->flat, x);
    if (!rc) rc = homer_flat_prepare(&m->flat, x, m->schema.features.n, m->schema.labels.n, m->seq + 1);
    if (rc) {
        homer_flat_cancel(&m->flat);
        homer_model_abort(m);
        return homer_schema_no_memory(&m->schema, err);
    }
    homer_rules_rank(&m->rules, p, m->flat.labels);
    struct homer_outcome o = outcome_of(m, x);
    struct homer_decide configured = homer_model_decide_default(m);
    struct homer_prediction own;
    answer(m, p, &configured, &own);
    o.p = p;
    o.rank = m->rules.rank;
    o.ranks = m->rules.ranks;
    o.predicted = own.label;
    o.predicted_n = own.label_n;
    homer_eval_count(&m->eval, &o, m->schema.labels.n);
    if (out) answer(m, p, decide, out);
    p = homer_flat_learn(&m->flat, x, m->schema.features.n, m->schema.labels.n);
    homer_rules_learn(&m->rules, p, x, m->flat.labels);
    m->seq++;
    return 0;
}

double homer_model_label_count(const struct homer_model *m, uint32_t label) {
    return homer_prior_count(&m->flat.prior, label);
}

double homer_model_feature_count(const struct homer_model *m, uint32_t feature) {
    return m->flat.scale.moments[feature].n;
}

void homer_model_digest(const struct homer_model *m, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    if (!h) {
        hex[0] = 0;
        return;
    }
    homer_put_u64(&c, m->seq);
    homer_schema_encode(&m->schema, &c);
    homer_flat_encode(&m->flat, &c);
    homer_rules_encode(&m->rules, m->flat.labels, &c);
    homer_eval_encode(&m->eval, &c);
    homer_hasher_free(h, hex);
}
