/* Which test would split a leaf best, and whether the evidence is strong enough.
 *
 * Gain G = drop, summed over the labels, of n times the Bernoulli entropy in nats (multivariate Bernoulli).
 * Tests: presence of a sparse feature; value <= threshold of a dense one, at mean + {0, +-.35, +-.67, +-1,
 * +-1.5} standard deviations, the class masses on either side from the label's two Gaussians. Each child
 * needs max(1 %, 5) of the weight. */
#ifndef HOMER_TREE_SPLIT_H
#define HOMER_TREE_SPLIT_H

#include "core/tree/stats.h"

struct homer_split_config {
    float level;     /* d: chance of a chi-square split on noise; 1e-3 */
    float delta;     /* of the Hoeffding bound */
    float range;     /* R of the Hoeffding bound, in nats summed over labels */
    float min_share; /* of the weight in each child; .01 */
    float min_weight;
};

struct homer_split {
    uint32_t feature; /* UINT32_MAX: no test is possible */
    bool presence;    /* present goes right; otherwise value <= threshold goes left */
    float threshold;
    float gain;   /* G of the best test */
    float second; /* G of the best test on another feature; 0 = none */
    uint32_t tests;
    uint32_t active; /* labels that are neither never nor always true here */
};

enum { HOMER_SPLIT_SCRATCH = 7 };

/* mask: a number that chooses the half of the features that are not tested; 0: all are.
 * scratch[HOMER_SPLIT_SCRATCH][stride]. */
void homer_split_find(const struct homer_stats *s, const struct homer_split_config *c, uint64_t mask,
                      float *scratch, struct homer_split *best);

/* Chi-square tail: 2G > a + 2 sqrt(a ln(T/d)) + 2 ln(T/d); or Hoeffding: (G - G2)/n > R
 * sqrt(ln(1/delta)/(2n)). */
bool homer_split_is_sure(const struct homer_split *b, double n, const struct homer_split_config *c);

/* Class masses of the two children: left[stride] and right[stride] positives, and the weights of either side.
 */
void homer_split_masses(const struct homer_stats *s, const struct homer_split *b, float *left, float *right,
                        float *n_left, float *n_right);

#endif
