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

static inline struct homer_sides homer_gauss_sides(const struct homer_gauss_view *v, uint32_t l) {
    const struct homer_gauss *g = v->g;
    float n1 = v->n1[l], n0 = g->n - n1;
    n0 = n0 > 0 ? n0 : 0;
    float raw0 = (g->n * g->mean - n1 * v->mean1[l]) /
                 (n0 > 1e-6f ? n0 : 1e-6f); /* mean of the negatives, not shrunk */
    raw0 = n0 > 1e-6f ? raw0 : g->mean;
    float apart = v->mean1[l] - raw0;
    float m2_0 = g->m2 - v->m2_1[l] - n1 * n0 / (g->n + 1e-9f) * apart * apart;
    m2_0 = m2_0 > 0 ? m2_0 : 0;
    float a1 = 1.0f / (n1 + HOMER_SHRINK), a0 = 1.0f / (n0 + HOMER_SHRINK),
          floor = HOMER_VARIANCE_FLOOR * v->variance;
    float var1 = (v->m2_1[l] + HOMER_SHRINK * v->variance) * a1,
          var0 = (m2_0 + HOMER_SHRINK * v->variance) * a0;
    return (struct homer_sides){
        .n1 = n1,
        .mean1 = (n1 * v->mean1[l] + HOMER_SHRINK * g->mean) * a1,
        .var1 = var1 > floor ? var1 : floor,
        .n0 = n0,
        .mean0 = (n0 * raw0 + HOMER_SHRINK * g->mean) * a0,
        .var0 = var0 > floor ? var0 : floor,
    };
}

#endif
