/* Experts `linear` and `linear-tracking`: per label a logistic regression, trained as a diagonal extended
 * Kalman filter.
 *
 *   s = b + sum_j w_j x_j        score (log-odds)
 *   v = B + sum_j x_j^2 A_j      its variance; A, B: variances of w, b
 *   p = sigmoid(s), q = max(p(1-p), 1e-4), z = 1/(1 + q v), g = (y - p) z
 *   w_j += A_j x_j g,  A_j -= q z (A_j x_j)^2;  the same for b, B with x = 1.   Start: w = b = 0, A = 3, B
 * = 1. An instance weight multiplies q and g. `tracking` adds process noise 3e-4 to each A and B it touches,
 * so that it forgets; it updates every column. `linear` updates only the columns with |g| > .03 when those
 * are fewer than a quarter.
 *
 * Layout: one row per feature, one group of 8 columns after another, in each w[8] A[8] of linear and w[8]
 * A[8] of tracking: a pass over an instance streams through contiguous memory, and sums run over features in
 * one fixed order per column, so that vector width cannot change a result. Memory: 128 bytes per feature and
 * group of 8 labels. */
#ifndef HOMER_LEAF_LINEAR_H
#define HOMER_LEAF_LINEAR_H

#include "core/base/mem.h"
#include "core/base/mem.h"
#include "core/leaf/expert.h"

struct homer_linear_group {
    float w[2][HOMER_LANES];   /* weights: 0 linear, 1 tracking */
    float var[2][HOMER_LANES]; /* their variances A */
};

struct homer_linear {
    struct homer_mem *mem;
    struct homer_linear_group **row; /* [features] of row_cap, each [groups_cap] */
    uint32_t features;               /* rows that exist */
    uint32_t row_cap;
    uint32_t groups_cap;             /* groups every row has room for */
    struct homer_linear_group *bias; /* [groups_cap] b and B */
    struct homer_linear_group *sum;  /* scratch [groups_cap]: w = s, var = v of the instance at hand */
};

void homer_linear_init(struct homer_linear *l, struct homer_mem *mem);
/* Lets these columns learn anew: their variances go up to at least `variance`, the bias's to `bias_variance`;
 * weights stay. */
void homer_linear_soften(struct homer_linear *l, const uint32_t *column, uint32_t n, float variance,
                         float bias_variance);
/* Everything else through homer_linear_ops (expert.h). A failed reserve may leave wider rows, which no result
 * can show. */

#endif
