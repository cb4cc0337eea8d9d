/* One expert by itself: frames of a random stream in which labels appear late, some labellings are partial or
 * empty and weights differ, and the whole history of truths for naive versions to count in. */
#ifndef HOMER_TESTS_EXPERT_FIXTURE_H
#define HOMER_TESTS_EXPERT_FIXTURE_H

#include "core_fixture.h"
#include "core/base/num.h"
#include "core/leaf/expert.h"

enum {
    LABELS = 136, /* at most; the column behind them in a history stands for a label that never comes */
    COLUMNS = 152,
    INSTANCES = 1200,
    GIVEN = 12, /* features in an instance, at most */
};

enum { FALSE_LABEL = 0, TRUE_LABEL = 1, UNKNOWN = -1 };

struct bench {
    struct dice dice;
    uint32_t most; /* labels in the end */
    struct homer_frame f;
    uint32_t feature[GIVEN], positive[LABELS];
    float x[GIVEN], prior[COLUMNS], logit[COLUMNS], evidence[HOMER_EXPERTS][COLUMNS], y[COLUMNS],
        weight[COLUMNS];

    uint32_t n; /* instances so far, this one included */
    int8_t truth[INSTANCES][LABELS + 1];
    double w[INSTANCES];
    bool complete[INSTANCES];
};

static inline uint32_t stride_of(uint32_t labels) {
    return (labels + HOMER_LANES) / HOMER_LANES * HOMER_LANES;
}

static inline void bench_init(struct bench *b, uint64_t seed, uint32_t most) {
    memset(b, 0, sizeof *b);
    b->dice.state = seed;
    b->most = most;
    b->f = (struct homer_frame){.feature = b->feature,
                                .x = b->x,
                                .prior = b->prior,
                                .prior_logit = b->logit,
                                .y = b->y,
                                .weight = b->weight,
                                .positive = b->positive};
    for (int e = 0; e < HOMER_EXPERTS; e++) b->f.evidence[e] = b->evidence[e];
}

/* The frame of the next instance as a prediction sees it: priors, and some of `features` features. */
static inline void bench_predict(struct bench *b, uint32_t features) {
    struct dice *d = &b->dice;
    b->f.stride = stride_of(b->f.labels);
    for (uint32_t l = 0; l < COLUMNS; l++) {
        b->prior[l] = (float)(0.001 + 0.9 * dice_unit(d) * dice_unit(d));
        b->logit[l] = homer_logit(b->prior[l]);
    }
    b->f.n = 0;
    for (uint32_t i = 0; i < GIVEN && features && dice_chance(d, 0.9); i++) {
        uint32_t j = dice_below(d, features);
        bool twice = false;
        for (uint32_t k = 0; k < b->f.n; k++) twice = twice || b->feature[k] == j;
        if (twice) continue;
        b->feature[b->f.n] = j;
        b->x[b->f.n++] = (float)(dice_normal(d) * 0.5);
    }
}

/* Tells its truth; labels may appear. */
static inline void bench_truth(struct bench *b, bool weighted) {
    struct dice *d = &b->dice;
    uint32_t before = b->f.labels, after = before;
    if (after < b->most && dice_chance(d, 0.2)) after += 1 + dice_below(d, 1 + b->most / 20);
    if (after > b->most) after = b->most;
    bool partial = dice_chance(d, 0.2), empty = dice_chance(d, 0.1);
    double w = weighted ? (double)(float)(0.25 + 2 * dice_unit(d)) : 1;
    int8_t *truth = b->truth[b->n];
    for (uint32_t l = 0; l <= LABELS; l++) truth[l] = partial ? UNKNOWN : FALSE_LABEL;
    for (uint32_t l = 0; l < after; l++) {
        if (partial && l < before && !dice_chance(d, 0.4)) continue;
        double rate = l % 3 == 0 ? 0.5 : 0.02 + 0.2 * (double)(l % 7) / 7;
        if (b->f.n && b->x[0] > 0 && l % 2) rate = 1 - rate;
        truth[l] = (l >= before && !partial) || (!empty && dice_chance(d, rate));
    }
    b->f.labels = after;
    b->f.stride = stride_of(after);
    b->f.positive_n = 0;
    for (uint32_t l = 0; l < COLUMNS; l++) {
        bool column = l <= after;
        int8_t t = column ? truth[l < after ? l : LABELS] : UNKNOWN;
        b->y[l] = t == TRUE_LABEL;
        b->weight[l] = t == UNKNOWN ? 0 : (float)w;
        if (t == TRUE_LABEL) b->positive[b->f.positive_n++] = l;
    }
    b->f.complete = !partial;
    b->f.w = w;
    b->w[b->n] = w;
    b->complete[b->n++] = !partial;
}

static inline void expert_digest(const struct homer_expert *e, uint32_t columns, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    e->ops->encode(e->self, columns, &c);
    homer_hasher_free(h, hex);
}

#endif
