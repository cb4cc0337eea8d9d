/* Instances for a leaf or a tree by itself: dense and sparse features, zeros and nulls; kept, for naive
 * versions to count in. */
#ifndef HOMER_TESTS_TREE_FIXTURE_H
#define HOMER_TESTS_TREE_FIXTURE_H

#include "written_fixture.h"
#include "core/tree/hoeffding.h"

enum { TREE_X = 64, TREE_Y = 24, TREE_STRIDE = 24 };

/* An instance, and which of its features were dense when it came. */
struct sample {
    uint8_t state[TREE_X];
    float given[TREE_X];
    bool is_dense[TREE_X];
    bool y[TREE_Y];
    double w;
};

/* The frame of a sample, and the columns that are true in it. */
struct view {
    struct homer_frame f;
    uint32_t dense[TREE_X], present[TREE_X], on[TREE_Y], on_n;
    float raw[TREE_X];
};

static inline bool sample_gives(const struct sample *s, uint32_t feature) {
    return s->state[feature] == HOMER_GIVEN;
}

static inline void sample_set(struct sample *s, uint32_t feature, double value) {
    s->state[feature] = HOMER_GIVEN;
    s->given[feature] = (float)value;
}

/* A dense feature's value is missing when null; absent is 0. */
static inline const struct homer_frame *view_of(struct view *v, const struct sample *s) {
    v->f = (struct homer_frame){.state = s->state,
                                .given = s->given,
                                .dense = v->dense,
                                .raw = v->raw,
                                .present = v->present,
                                .w = s->w};
    v->on_n = 0;
    for (uint32_t j = 0; j < TREE_X; j++) {
        bool given = sample_gives(s, j);
        if (s->is_dense[j]) {
            v->raw[v->f.dense_n] = s->state[j] == HOMER_NULL ? NAN : given ? s->given[j] : 0;
            v->dense[v->f.dense_n++] = j;
        } else if (given && (s->given[j] < 0 || s->given[j] > 0)) {
            v->present[v->f.present_n++] = j;
        }
    }
    for (uint32_t l = 0; l < TREE_Y; l++)
        if (s->y[l]) v->on[v->on_n++] = l;
    return &v->f;
}

/* Reserves and adds. */
static inline void stats_take(struct homer_stats *s, const struct sample *sample) {
    struct view v;
    view_of(&v, sample);
    assert_int_equal(homer_stats_reserve(s, &v.f), 0);
    homer_stats_add(s, &v.f, v.on, v.on_n, sample->w);
}

static inline struct homer_stats *stats_start(struct homer_mem *mem, uint32_t m) {
    struct homer_stats *s = NULL;
    *mem = (struct homer_mem){0};
    assert_int_equal(homer_stats_new(&s, mem, m), 0);
    return s;
}

static inline void stats_stop(struct homer_stats *s) {
    struct homer_mem *mem = s->mem;
    assert_null(homer_stats_free(s));
    assert_int_equal(mem->used_bytes, 0);
}

static inline struct written stats_written(const struct homer_stats *s) {
    struct written w = {0};
    struct homer_codec c = {.sink = collect_bytes, .ctx = &w, .bare = true};
    homer_stats_encode(s, &c);
    return w;
}

static inline struct written tree_written(const struct homer_tree *t) {
    struct written w = {0};
    struct homer_codec c = {.sink = collect_bytes, .ctx = &w, .bare = true};
    homer_tree_encode(t, &c);
    return w;
}

/* What random samples are drawn from: dense features that lie apart by label and sparse ones that lean to
 * some, by the dice alone where `noise`. */
struct drawn_from {
    struct dice dice;
    uint32_t m, dense, sparse; /* labels; dense features 0.., sparse ones behind them */
    double null;               /* share of values that are null */
    bool noise, weighted;
};

static inline void sample_next(struct drawn_from *from, struct sample *s) {
    struct dice *d = &from->dice;
    *s = (struct sample){.w = from->weighted ? 0.25 * (1 + dice_below(d, 8)) : 1};
    for (uint32_t l = 0; l < from->m; l++) s->y[l] = dice_chance(d, 0.1 + 0.6 * (l % 3) / 2);
    for (uint32_t j = 0; j < from->dense + from->sparse; j++) {
        bool told = !from->noise && s->y[j % from->m];
        s->is_dense[j] = j < from->dense;
        if (dice_chance(d, from->null))
            s->state[j] = HOMER_NULL;
        else if (s->is_dense[j])
            sample_set(s, j, 1000.0 * (j % 3) + dice_normal(d) * (1 + j % 4) + (told ? 1.5 : 0));
        else if (dice_chance(d, told ? 0.4 : 0.15))
            sample_set(s, j, dice_chance(d, 0.1) ? 0 : 1 - 2.0 * dice_below(d, 2));
    }
}

/* The statistics of so many instances, which are kept. */
static inline struct homer_stats *stats_filled(struct homer_mem *mem, uint32_t m, uint64_t seed,
                                               struct sample *kept, uint32_t instances) {
    struct homer_stats *s = stats_start(mem, m);
    struct drawn_from from = {.dice = {seed}, .m = m, .dense = 6, .sparse = 20, .null = 0.05};
    for (uint32_t i = 0; i < instances; i++) {
        sample_next(&from, &kept[i]);
        stats_take(s, &kept[i]);
    }
    return s;
}

/* A tree by itself, its memory and the instance at hand. */
struct plant {
    struct homer_mem mem;
    struct homer_tree_config config;
    struct homer_tree *tree;
    struct view v;
    float prior[TREE_STRIDE], logits[3 * TREE_STRIDE];
    uint32_t leaf, lacks;
};

static inline void plant_start(struct plant *p, uint32_t m) {
    memset(p, 0, sizeof *p);
    homer_tree_config_default(&p->config);
    assert_int_equal(homer_tree_new(&p->tree, &p->mem, &p->config, m), 0);
    for (uint32_t l = 0; l < m; l++) p->prior[l] = 0.3f;
}

static inline void plant_stop(struct plant *p) {
    assert_null(homer_tree_free(p->tree));
    assert_int_equal(p->mem.used_bytes, 0);
}

static inline void plant_predict(struct plant *p, const struct sample *s) {
    view_of(&p->v, s);
    p->leaf = homer_tree_leaf(p->tree, &p->v.f);
    p->lacks = homer_tree_predict(p->tree, p->leaf, &p->v.f, p->prior, p->logits);
}

/* Of the sample predicted last. */
static inline int plant_prepare(struct plant *p, double w) {
    return homer_tree_prepare(p->tree, p->leaf, &p->v.f, p->lacks, w);
}

/* True when it split. Learning itself asks for no memory. */
static inline bool plant_learn(struct plant *p, const struct sample *s) {
    plant_predict(p, s);
    assert_int_equal(plant_prepare(p, s->w), 0);
    size_t used = p->mem.used_bytes;
    p->mem.fail_in = 1;
    bool split = homer_tree_learn(p->tree, p->leaf, &p->v.f, p->v.on, p->v.on_n, s->w, p->logits);
    assert_int_equal(p->mem.fail_in, 1);
    p->mem.fail_in = 0;
    assert_true(p->mem.used_bytes <= used);
    return split;
}

/* Weight of all leaves. */
static inline double plant_weight(const struct plant *p) {
    double n = 0;
    for (uint32_t i = 0; i < p->tree->node_n; i++)
        if (p->tree->node[i].stats) n += p->tree->node[i].stats->n;
    return n;
}

/* Three labels of two dense features and a sparse one: a threshold; an exclusive or, whose halves differ in
 * size so that either feature tells something by itself; presence within a range. And one of nothing. */
static inline void concept_next(struct dice *d, struct sample *s) {
    *s = (struct sample){.w = 1, .is_dense = {true, true, true}};
    for (uint32_t j = 0; j < 3; j++) sample_set(s, j, dice_normal(d));
    for (uint32_t j = 3; j < 12; j++)
        if (dice_chance(d, 0.3)) sample_set(s, j, 1);
    s->y[0] = s->given[0] > 0.3f;
    s->y[1] = (s->given[0] > 0) != (s->given[1] > 0.8f);
    s->y[2] = s->state[5] == HOMER_GIVEN && s->given[1] > -0.5f;
    s->y[3] = dice_chance(d, 0.3);
}

#endif
