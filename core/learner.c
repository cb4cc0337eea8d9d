#include "core/learner.h"

static int flat_reserve(struct homer_learner *l, uint32_t features, uint32_t labels) {
    return homer_flat_reserve(&l->flat, features, labels);
}
static const float *flat_predict(struct homer_learner *l, const struct homer_instance *x) {
    return homer_flat_predict(&l->flat, x);
}
static int flat_prepare(struct homer_learner *l, const struct homer_instance *x, uint32_t features,
                        uint32_t labels, uint64_t seq) {
    return homer_flat_prepare(&l->flat, x, features, labels, seq);
}
static void flat_cancel(struct homer_learner *l) {
    l->next = homer_sparse_plan_free(l->next);
    homer_flat_cancel(&l->flat);
}
static const float *flat_learn(struct homer_learner *l, const struct homer_instance *x, uint32_t features,
                               uint32_t labels) {
    return homer_flat_learn(&l->flat, x, features, labels);
}
static uint32_t flat_labels(const struct homer_learner *l) {
    return l->flat.labels;
}
static const uint32_t *flat_scored(const struct homer_learner *l, uint32_t *n) {
    (void)l;
    *n = 0;
    return NULL;
}
static const double *flat_label_counts(const struct homer_learner *l) {
    return homer_grid_f64(&l->flat.prior.count, 0);
}
static double flat_feature_count(const struct homer_learner *l, uint32_t feature) {
    return l->flat.scale.moments[feature].n;
}
static void flat_encode(const struct homer_learner *l, struct homer_codec *c) {
    homer_flat_encode(&l->flat, c);
}
static void flat_decode(struct homer_learner *l, uint32_t features, uint32_t labels,
                        struct homer_decoder *d) {
    homer_flat_decode(&l->flat, features, labels, d);
}
static void flat_deinit(struct homer_learner *l) {
    homer_flat_deinit(&l->flat);
}

static int sparse_reserve(struct homer_learner *l, uint32_t features, uint32_t labels) {
    return homer_sparse_reserve(&l->sparse, features, labels);
}
static const float *sparse_predict(struct homer_learner *l, const struct homer_instance *x) {
    return homer_sparse_predict(&l->sparse, x);
}
static int sparse_prepare(struct homer_learner *l, const struct homer_instance *x, uint32_t features,
                          uint32_t labels, uint64_t seq) {
    (void)features;
    return homer_sparse_prepare(&l->sparse, x, labels, seq);
}
static void sparse_cancel(struct homer_learner *l) {
    homer_sparse_cancel(&l->sparse);
}
static const float *sparse_learn(struct homer_learner *l, const struct homer_instance *x, uint32_t features,
                                 uint32_t labels) {
    return homer_sparse_learn(&l->sparse, x, features, labels);
}
static uint32_t sparse_labels(const struct homer_learner *l) {
    return l->sparse.labels;
}
static const uint32_t *sparse_scored(const struct homer_learner *l, uint32_t *n) {
    *n = l->sparse.candidates;
    return l->sparse.column;
}
static const double *sparse_label_counts(const struct homer_learner *l) {
    return homer_grid_f64(&l->sparse.prior.count, 0);
}
static double sparse_feature_count(const struct homer_learner *l, uint32_t feature) {
    return l->sparse.scale.moments[feature].n;
}
static void sparse_encode(const struct homer_learner *l, struct homer_codec *c) {
    homer_sparse_encode(&l->sparse, c);
}
static void sparse_decode(struct homer_learner *l, uint32_t features, uint32_t labels,
                          struct homer_decoder *d) {
    homer_sparse_decode(&l->sparse, features, labels, d);
}
static void sparse_deinit(struct homer_learner *l) {
    homer_sparse_deinit(&l->sparse);
}

static int paper_reserve(struct homer_learner *l, uint32_t features, uint32_t labels) {
    return homer_paper_reserve(&l->paper, features, labels);
}
static const float *paper_predict(struct homer_learner *l, const struct homer_instance *x) {
    return homer_paper_predict(&l->paper, x);
}
static int paper_prepare(struct homer_learner *l, const struct homer_instance *x, uint32_t features,
                         uint32_t labels, uint64_t seq) {
    (void)features;
    return homer_paper_prepare(&l->paper, x, labels, seq);
}
static void paper_cancel(struct homer_learner *l) {
    homer_paper_cancel(&l->paper);
}
static const float *paper_learn(struct homer_learner *l, const struct homer_instance *x, uint32_t features,
                                uint32_t labels) {
    return homer_paper_learn(&l->paper, x, features, labels);
}
static uint32_t paper_labels(const struct homer_learner *l) {
    return l->paper.labels;
}
static const double *paper_label_counts(const struct homer_learner *l) {
    return homer_grid_f64(&l->paper.label_count, 0);
}
static double paper_feature_count(const struct homer_learner *l, uint32_t feature) {
    return homer_grid_f64(&l->paper.feature_count, 0)[feature];
}
static void paper_encode(const struct homer_learner *l, struct homer_codec *c) {
    homer_paper_encode(&l->paper, c);
}
static void paper_decode(struct homer_learner *l, uint32_t features, uint32_t labels,
                         struct homer_decoder *d) {
    homer_paper_decode(&l->paper, features, labels, d);
}
static void paper_deinit(struct homer_learner *l) {
    homer_paper_deinit(&l->paper);
}

static const struct homer_learner_ops flat_ops = {
    .reserve = flat_reserve,
    .predict = flat_predict,
    .prepare = flat_prepare,
    .cancel = flat_cancel,
    .learn = flat_learn,
    .labels = flat_labels,
    .scored = flat_scored,
    .label_counts = flat_label_counts,
    .feature_count = flat_feature_count,
    .encode = flat_encode,
    .decode = flat_decode,
    .deinit = flat_deinit,
};

static const struct homer_learner_ops sparse_ops = {
    .reserve = sparse_reserve,
    .predict = sparse_predict,
    .prepare = sparse_prepare,
    .cancel = sparse_cancel,
    .learn = sparse_learn,
    .labels = sparse_labels,
    .scored = sparse_scored,
    .label_counts = sparse_label_counts,
    .feature_count = sparse_feature_count,
    .encode = sparse_encode,
    .decode = sparse_decode,
    .deinit = sparse_deinit,
};

static const struct homer_learner_ops paper_ops = {
    .reserve = paper_reserve,
    .predict = paper_predict,
    .prepare = paper_prepare,
    .cancel = paper_cancel,
    .learn = paper_learn,
    .labels = paper_labels,
    .scored = flat_scored,
    .label_counts = paper_label_counts,
    .feature_count = paper_feature_count,
    .encode = paper_encode,
    .decode = paper_decode,
    .deinit = paper_deinit,
};

int homer_learner_init_ihomer(struct homer_learner *l, struct homer_mem *mem, bool absent_missing,
                              enum homer_profile profile, const struct homer_clusters_config *clusters) {
    l->ops = &flat_ops;
    l->next = NULL;
    return homer_flat_init(&l->flat, mem, absent_missing, profile, clusters);
}

int homer_learner_init_sparse(struct homer_learner *l, struct homer_mem *mem, bool absent_missing,
                              enum homer_profile profile, const struct homer_clusters_config *clusters) {
    l->ops = &sparse_ops;
    l->next = NULL;
    return homer_sparse_init(&l->sparse, mem, absent_missing, profile >= HOMER_FAST, clusters);
}

int homer_learner_plan_sparse(struct homer_learner *l, uint32_t features, uint32_t labels) {
    return homer_sparse_plan(&l->next, &l->flat, features, labels);
}

void homer_learner_turn_sparse(struct homer_learner *l) {
    struct homer_sparse s;
    homer_sparse_take(&s, l->next, &l->flat);
    l->ops = &sparse_ops;
    l->next = NULL;
    l->sparse = s;
}

int homer_learner_init_paper(struct homer_learner *l, struct homer_mem *mem, uint64_t seed) {
    struct homer_paper_config config;
    homer_paper_config_default(&config);
    config.seed = seed;
    l->ops = &paper_ops;
    l->next = NULL;
    return homer_paper_init(&l->paper, mem, &config);
}

const struct homer_flat *homer_learner_flat(const struct homer_learner *l) {
    return l->ops == &flat_ops ? &l->flat : NULL;
}

const struct homer_sparse *homer_learner_sparse(const struct homer_learner *l) {
    return l->ops == &sparse_ops ? &l->sparse : NULL;
}

const struct homer_paper *homer_learner_paper(const struct homer_learner *l) {
    return l->ops == &paper_ops ? &l->paper : NULL;
}
