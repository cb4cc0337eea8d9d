/* The whole flat learner with hierarchy and trees, over streams of planted groups of labels that depend on x.
 */
#ifndef HOMER_TESTS_CLUSTERS_FIXTURE_H
#define HOMER_TESTS_CLUSTERS_FIXTURE_H

#include "hierarchy_fixture.h"
#include "core/flat.h"

enum { GARDEN_DENSE = 6, GARDEN_SPARSE = 18, GARDEN_X = GARDEN_DENSE + GARDEN_SPARSE, GARDEN_Y = 64 };

struct one {
    struct homer_instance x;
    uint32_t feature[GARDEN_X], positive[GARDEN_Y], negative[GARDEN_Y];
    float value[GARDEN_X];
};

/* An instance is of one group, which a sparse feature tells; each label of it has a dense feature and is
 * likely where sign * value is above 0 or so. A few labels come from elsewhere. */
struct garden {
    struct dice dice;
    uint32_t labels, groups, known; /* in all; known so far: the others come by and by */
    uint32_t group[GARDEN_Y];
    double sign[GARDEN_Y]; /* by group */
};

static inline void garden_init(struct garden *g, uint64_t seed, uint32_t groups, uint32_t size, bool late) {
    *g = (struct garden){.dice = {seed}, .labels = groups * size, .groups = groups};
    g->known = late ? 3 : g->labels;
    for (uint32_t l = 0; l < g->labels; l++) g->group[l] = l % groups;
    for (uint32_t k = 0; k < groups; k++) g->sign[k] = 1;
}

static inline void garden_next(struct garden *g, struct one *out) {
    struct dice *d = &g->dice;
    uint32_t group = dice_below(d, g->groups), n = 0, on = 0;
    bool is_new = g->known < g->labels && dice_chance(d, 0.05);
    for (uint32_t j = 0; j < GARDEN_X; j++) {
        bool dense = j < GARDEN_DENSE;
        double chance = dense ? 1 : j == GARDEN_DENSE + group ? 0.9 : j < GARDEN_DENSE + g->groups ? 0 : 0.1;
        if (!dice_chance(d, chance)) continue;
        out->feature[n] = j;
        out->value[n++] = dense ? (float)dice_normal(d) : 1;
    }
    g->known += is_new;
    uint32_t stray = dice_chance(d, 0.1) ? dice_below(d, g->known) : UINT32_MAX;
    for (uint32_t l = 0; l < g->known; l++) {
        bool likely = g->sign[group] * (double)out->value[l / g->groups % GARDEN_DENSE] > -0.1;
        bool has = g->group[l] == group && dice_chance(d, likely ? 0.95 : 0.03);
        if (has || l == stray || (is_new && l + 1 == g->known)) out->positive[on++] = l;
    }
    out->x = (struct homer_instance){.feature = out->feature,
                                     .value = out->value,
                                     .feature_n = n,
                                     .positive = out->positive,
                                     .positive_n = on,
                                     .negative = out->negative,
                                     .weight = 1};
}

struct learner {
    struct homer_mem mem;
    struct homer_flat flat;
    uint64_t seq;
    double log_loss; /* mean over the labels of the last instance */
};

static inline void learner_start(struct learner *l, const struct homer_clusters_config *config) {
    struct homer_clusters_config standard;
    homer_clusters_config_default(&standard);
    memset(l, 0, sizeof *l);
    assert_int_equal(homer_flat_init(&l->flat, &l->mem, false, HOMER_FAST, config ? config : &standard), 0);
}

static inline void learner_stop(struct learner *l) {
    homer_flat_deinit(&l->flat);
    assert_int_equal(l->mem.used_bytes, 0);
}

/* Everything that may fail; 0, or the error and cancelled. */
static inline int learner_prepare(struct learner *l, const struct one *in, uint32_t labels) {
    int rc = homer_flat_reserve(&l->flat, GARDEN_X, labels);
    const float *p = rc ? NULL : homer_flat_predict(&l->flat, &in->x);
    if (!rc) rc = homer_flat_prepare(&l->flat, &in->x, GARDEN_X, labels, l->seq + 1);
    if (rc) {
        homer_flat_cancel(&l->flat);
        return rc;
    }
    double sum = 0;
    for (uint32_t k = 0, i = 0; k < l->flat.labels; k++) {
        bool y = i < in->x.positive_n && in->positive[i] == k;
        i += y;
        sum -= log(fmax(1e-6, (double)(y ? p[k] : 1 - p[k])));
    }
    l->log_loss = l->flat.labels ? sum / l->flat.labels : 0;
    return 0;
}

/* What had been predicted. */
static inline const float *learner_finish(struct learner *l, const struct one *in, uint32_t labels) {
    l->seq++;
    return homer_flat_learn(&l->flat, &in->x, GARDEN_X, labels);
}

static inline const float *learner_learn(struct learner *l, const struct one *in, uint32_t labels) {
    assert_int_equal(learner_prepare(l, in, labels), 0);
    return learner_finish(l, in, labels);
}

static inline struct written learner_written(const struct learner *l) {
    struct written w = {0};
    struct homer_codec c = {.sink = collect_bytes, .ctx = &w, .bare = true};
    homer_flat_encode(&l->flat, &c);
    return w;
}

static inline struct written cluster_tree_written(const struct homer_cluster *k) {
    struct written w = {0};
    struct homer_codec c = {.sink = collect_bytes, .ctx = &w, .bare = true};
    homer_forest_encode(k->forest, &c);
    return w;
}

#endif
