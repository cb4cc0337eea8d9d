/* Random instances in ids for the flat learner: dense and sparse features that come late, empty x and empty
 * labelsets, partial labellings, weights. Whoever draws them says how many features and labels exist by now.
 */
#ifndef HOMER_TESTS_FLAT_FIXTURE_H
#define HOMER_TESTS_FLAT_FIXTURE_H

#include "core_fixture.h"
#include "core/instance.h"

enum { FLAT_X = 64, FLAT_Y = 160 };

struct drawn {
    struct homer_instance x;
    uint32_t feature[FLAT_X], missing[FLAT_X], positive[FLAT_Y], negative[FLAT_Y];
    float value[FLAT_X];
};

struct drawing {
    double partial, weighted, empty, null; /* shares */
    bool busy;                             /* every label in half of the instances */
    double noise;                          /* share of truths that do not depend on x */
};

/* A third of the features is in nearly every instance. */
static inline void draw_x(struct drawn *out, struct dice *d, const struct drawing *how, uint32_t features) {
    uint32_t n = 0, missing = 0;
    if (!dice_chance(d, 0.03))
        for (uint32_t j = 0; j < features && n < FLAT_X; j++) {
            if (dice_chance(d, how->null)) {
                out->missing[missing++] = j;
                continue;
            }
            if (!dice_chance(d, j % 3 == 0 ? 0.95 : 0.1)) continue;
            out->feature[n] = j;
            out->value[n++] = j % 3 == 1 ? 1 : (float)dice_normal(d);
        }
    out->x =
        (struct homer_instance){.feature = out->feature,
                                .value = out->value,
                                .feature_n = n,
                                .missing = out->missing,
                                .missing_n = missing,
                                .weight = dice_chance(d, how->weighted) ? 0.25 * (1 + dice_below(d, 12)) : 1};
}

/* Truths about labels below `labels`, those from `born` on being true (new). */
static inline void draw_y(struct drawn *out, struct dice *d, const struct drawing *how, uint32_t born,
                          uint32_t labels) {
    uint32_t positive = 0, negative = 0;
    bool partial = dice_chance(d, how->partial), empty = dice_chance(d, how->empty);
    double lean = 0;
    for (uint32_t i = 0; i < out->x.feature_n; i++)
        lean += (double)out->value[i] * (out->feature[i] % 2 ? 1 : -1);
    for (uint32_t l = 0; l < labels; l++) {
        double rate = l % 4 == 0 ? 0.4 : 0.04;
        if (!dice_chance(d, how->noise)) rate = (l % 2 ? lean : -lean) > 0.5 * l ? 0.9 : 0.02;
        if (how->busy) rate = 0.5;
        bool now = l >= born || (!empty && dice_chance(d, rate));
        if (partial && l < born && !dice_chance(d, 0.5)) continue;
        if (now)
            out->positive[positive++] = l;
        else if (partial)
            out->negative[negative++] = l;
    }
    out->x.partial = partial;
    out->x.positive = out->positive;
    out->x.positive_n = positive;
    out->x.negative = out->negative;
    out->x.negative_n = negative;
}

#endif
