/* The two class-conditional Gaussians of a feature and a label, shrunk to the totals: 3 pseudo-instances,
 * variances at least 1 % of the total. For naive Bayes and for split gains. Inline: it runs in the innermost
 * loops. */
#ifndef HOMER_TREE_GAUSS_H
#define HOMER_TREE_GAUSS_H

#include "core/tree/stats.h"

#define HOMER_SHRINK 3.0f
#define HOMER_VARIANCE_FLOOR 0.01f

struct homer_gauss_view {
    const struct homer_gauss *g;
    const float *n1, *mean1, *m2_1; /* [stride] */
    float variance;                 /* of all values */
};

static inline struct homer_gauss_view homer_gauss_view(const struct homer_stats *s, uint32_t place) {
    const struct homer_gauss *g = &s->gauss[place];
    return (struct homer_gauss_view){
        .g = g,
        .n1 = homer_stats_gauss(s, place, HOMER_N1),
        .mean1 = homer_stats_gauss(s, place, HOMER_MEAN1),
        .m2_1 = homer_stats_gauss(s, place, HOMER_M2_1),
        .variance = g->m2 / (g->n + 1e-9f),
    };
}

/* Of label l: weight, mean (less the shift) and variance of the values where it is true (1) and false (0). */
struct homer_sides {
    float n1, mean1, var1, n0, mean0, var0;
};

/* n1, mean1, m2_1: the label's; n, mean, m2, variance: of all values. Plain numbers, so that loops over
 * labels vectorise. */
static inline struct homer_sides homer_sides_of(float n1, float mean1, float m2_1, float n, float mean,
                                                float m2, float variance) {
    float n0 = n - n1;
    n0 = n0 > 0 ? n0 : 0;
    float raw0 = (n * mean - n1 * mean1) / (n0 > 1e-6f ? n0 : 1e-6f); /* mean of the negatives, not shrunk */
    raw0 = n0 > 1e-6f ? raw0 : mean;
    float apart = mean1 - raw0;
    float m2_0 = m2 - m2_1 - n1 * n0 / (n + 1e-9f) * apart * apart;
    m2_0 = m2_0 > 0 ? m2_0 : 0;
    float a1 = 1.0f / (n1 + HOMER_SHRINK), a0 = 1.0f / (n0 + HOMER_SHRINK),
          floor = HOMER_VARIANCE_FLOOR * variance;
    float var1 = (m2_1 + HOMER_SHRINK * variance) * a1, var0 = (m2_0 + HOMER_SHRINK * variance) * a0;
    return (struct homer_sides){
        .n1 = n1,
        .mean1 = (n1 * mean1 + HOMER_SHRINK * mean) * a1,
        .var1 = var1 > floor ? var1 : floor,
        .n0 = n0,
        .mean0 = (n0 * raw0 + HOMER_SHRINK * mean) * a0,
        .var0 = var0 > floor ? var0 : floor,
    };
}

static inline struct homer_sides homer_gauss_sides(const struct homer_gauss_view *v, uint32_t l) {
    return homer_sides_of(v->n1[l], v->mean1[l], v->m2_1[l], v->g->n, v->g->mean, v->g->m2, v->variance);
}

#endif
