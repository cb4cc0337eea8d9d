/* One expert by itself: frames of a random stream in which labels appear late, some labellings are partial or
 * empty and weights differ, and the whole history of truths for naive versions to count in. */
#ifndef HOMER_TESTS_EXPERT_FIXTURE_H
#define HOMER_TESTS_EXPERT_FIXTURE_H

#include <errno.h>
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
    float x[GIVEN], p[COLUMNS], prior[COLUMNS], logit[COLUMNS], evidence[HOMER_EXPERTS][COLUMNS], y[COLUMNS],
        weight[COLUMNS];

    uint32_t n; /* instances so far, this one included */
    int8_t truth[INSTANCES][LABELS + 1];
    double w[INSTANCES];
    bool complete[INSTANCES];
};

static inline uint32_t stride_of(uint32_t labels) {
    return (labels + HOMER_LANES) / HOMER_LANES * HOMER_LANES;
}

/* Points the frame at the bench's own arrays; again after the bench was copied. */
static inline void bench_point(struct bench *b) {
    struct homer_frame *f = &b->f;
    f->feature = b->feature;
    f->x = b->x;
    f->p = b->p;
    f->prior = b->prior;
    f->prior_logit = b->logit;
    f->y = b->y;
    f->weight = b->weight;
    f->positive = b->positive;
    for (int e = 0; e < HOMER_EXPERTS; e++) f->evidence[e] = b->evidence[e];
}

static inline void bench_init(struct bench *b, uint64_t seed, uint32_t most) {
    memset(b, 0, sizeof *b);
    b->dice.state = seed;
    b->most = most;
    bench_point(b);
}

/* The frame of the next instance as a prediction sees it: priors, and some of `features` features, all dense;
 * those that no earlier one could have are unknown. */
static inline void bench_predict(struct bench *b, uint32_t features) {
    struct dice *d = &b->dice;
    b->f.stride = stride_of(b->f.labels);
    for (uint32_t l = 0; l < COLUMNS; l++) {
        b->prior[l] = (float)(0.001 + 0.9 * dice_unit(d) * dice_unit(d));
        b->logit[l] = homer_logit(b->prior[l]);
    }
    b->f.known_features = b->f.features < features ? b->f.features : features;
    b->f.features = features;
    b->f.n = b->f.present_n = 0;
    for (uint32_t i = 0; i < GIVEN && features && dice_chance(d, 0.9); i++) {
        uint32_t j = dice_below(d, features);
        bool twice = false;
        for (uint32_t k = 0; k < b->f.n; k++) twice = twice || b->feature[k] == j;
        if (twice) continue;
        b->feature[b->f.n] = j;
        b->x[b->f.n++] = (float)(dice_normal(d) * 0.5);
    }
}

/* Only the features from..to-1 are dense: they come first. */
static inline void bench_dense(struct bench *b, uint32_t from, uint32_t to) {
    uint32_t feature[GIVEN], n = 0;
    float x[GIVEN];
    for (int sparse = 0; sparse < 2; sparse++) {
        if (sparse) b->f.present_n = b->f.n - n;
        for (uint32_t i = 0; i < b->f.n; i++) {
            if ((b->feature[i] < from || b->feature[i] >= to) != sparse) continue;
            feature[n] = b->feature[i];
            x[n++] = b->x[i];
        }
    }
    if (n) memcpy(b->feature, feature, n * sizeof *feature);
    if (n) memcpy(b->x, x, n * sizeof *x);
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
        b->p[l] = l < before ? (float)(dice_unit(d) * dice_unit(d) * dice_unit(d)) : 0;
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

/* The steps of one instance of which bench_truth told the truth, `labels` known before it. */
static inline void expert_learn(const struct homer_expert *e, const struct homer_frame *f, uint32_t labels) {
    for (uint32_t l = labels; l < f->labels; l++) e->ops->add_label(e->self, l);
    e->ops->learn(e->self, f);
}

static inline void expert_cancel(const struct homer_expert *e, uint32_t features) {
    if (e->ops->cancel) e->ops->cancel(e->self);
    if (e->ops->truncate) e->ops->truncate(e->self, features);
}

/* Learns n instances, each tried first with every allocation refused in turn, and once cancelled; `calm`
 * learns them undisturbed, on the same memory. Features below `dense` are dense. Returns how many were
 * refused. */
static inline unsigned expert_refuse(const struct homer_expert *e, const struct homer_expert *calm,
                                     struct homer_mem *mem, struct bench *b, uint32_t n, uint32_t features,
                                     uint32_t dense) {
    unsigned refused = 0;
    char before[33], after[33];
    for (uint32_t t = 0; t < n; t++) {
        uint32_t known = b->f.features, now = known + dice_below(&b->dice, 3), labels = b->f.labels;
        uint32_t columns = b->n ? labels + 1 : 0;
        if (now > features) now = features;
        static struct bench next, trial, start;
        next = *b; /* the labels that come are known only with the truth */
        bench_point(&next);
        bench_predict(&next, now);
        bench_truth(&next, true);
        uint32_t room = next.f.labels + 1;
        expert_digest(e, columns, before);
        bool learnt = false;
        for (uint64_t k = 1; !learnt; k++) {
            uint64_t failed = mem->failed;
            mem->fail_in = k;
            int rc = e->ops->reserve(e->self, now, room);
            trial = *b;
            bench_point(&trial);
            if (!rc) {
                bench_predict(&trial, now);
                bench_dense(&trial, 0, dense);
                e->ops->predict(e->self, &trial.f);
                bench_truth(&trial, true);
                if (e->ops->prepare) rc = e->ops->prepare(e->self, &trial.f);
            }
            learnt = mem->failed == failed;
            mem->fail_in = 0;
            assert_int_equal(rc, learnt ? 0 : -ENOMEM);
            refused += !learnt;
            expert_cancel(e, known);
            expert_digest(e, columns, after);
            assert_string_equal(before, after);
        }
        const struct homer_expert *both[] = {e, calm};
        start = *b;
        for (int i = 0; i < 2; i++) {
            *b = start;
            assert_int_equal(both[i]->ops->reserve(both[i]->self, now, room), 0);
            bench_predict(b, now);
            bench_dense(b, 0, dense);
            both[i]->ops->predict(both[i]->self, &b->f);
            bench_truth(b, true);
            if (both[i]->ops->prepare) assert_int_equal(both[i]->ops->prepare(both[i]->self, &b->f), 0);
            expert_learn(both[i], &b->f, labels);
        }
        expert_digest(e, b->f.labels + 1, before);
        expert_digest(calm, b->f.labels + 1, after);
        assert_string_equal(before, after);
    }
    return refused;
}

#endif
