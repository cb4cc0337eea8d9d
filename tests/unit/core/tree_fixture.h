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
    struct homer_codec c = {.sink = collect_bytes, .ctx = &w};
    homer_stats_encode(s, &c);
    return w;
}

static inline struct written tree_written(const struct homer_tree *t) {
    struct written w = {0};
    struct homer_codec c = {.sink = collect_bytes, .ctx = &w};
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

#endif
