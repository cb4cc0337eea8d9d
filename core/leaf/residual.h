/* Expert `residual`: per label a logistic regression on how far each dense feature lies from what is usual
 * for instances of this kind. It sees what neither a linear model nor a tree does: kinds of instances that
 * say nothing about the labels by themselves, while departures from them do.
 *
 * Kinds are K = 64 prototypes, found without labels by sequential k-means (MacQueen 1967) on the standardised
 * dense features z. With the nearest prototype c, d = mean_j (z_j - c_j)^2, and D the mean of d (over the
 * last 1,000 or so): while there are fewer than K, z becomes a prototype itself if d > D/2; later, if d > 3
 * D, in the place of the one that was least used (uses fade by .9995); otherwise c += max(1/n_c, .003) (z -
 * c), n_c its uses. Regressors: r_j = min(|z_j - c_j|, 4), standardised by their running mean and variance
 * (over the last 2,000 or so), clipped to +-4, over the root of how many there are; an extended Kalman filter
 * as of linear.h, start A = 3, B = 1, process noise 1e-4. Evidence: score - lam; 0 where an instance has
 * fewer than four dense features, which then teaches nothing.
 *
 * A feature takes part from the instance after the one, number 16 at the earliest, at which it was dense and
 * the memory cap left room. Memory: 4 K bytes and 64
 * per group of 8 labels for each feature that ever was dense. Ownership, thread and failure: expert.h. */
#ifndef HOMER_LEAF_RESIDUAL_H
#define HOMER_LEAF_RESIDUAL_H

#include "core/base/mem.h"
#include "core/leaf/expert.h"

enum { HOMER_PROTOTYPES = 64 };

struct homer_residual_group {
    float w[HOMER_LANES]; /* weights */
    float var[HOMER_LANES];
};

/* A feature that takes part. */
struct homer_residual_slot {
    uint32_t feature;
    float n;              /* instances it took part in, at most 2,000 */
    float mean, variance; /* of r */
};

/* A feature of the instance at hand. */
struct homer_residual_term {
    uint32_t slot;
    float z, r, x; /* standardised value; its distance; the regressor */
};

struct homer_residual {
    struct homer_mem *mem;
    uint32_t *of; /* [feature_cap] slot of a feature + 1; 0: none yet */
    uint32_t feature_cap;

    struct homer_residual_slot *slot; /* [slots] of slot_cap */
    float *prototype;                 /* [slot_cap][HOMER_PROTOTYPES] */
    struct homer_residual_group *row; /* [slot_cap][groups_cap] */
    struct homer_residual_group *bias,
        *sum;                         /* [groups_cap] b and B; scratch: s and v of the instance at hand */
    struct homer_residual_term *term; /* scratch [terms] of slot_cap */
    uint32_t slots, slot_cap, groups_cap, terms;

    float used[HOMER_PROTOTYPES]; /* faded uses */
    uint32_t prototypes;
    double usual, seen; /* D; instances it is the mean of */
    uint32_t nearest;   /* of the instance at hand */
    float distance;     /* d to it */
};

void homer_residual_init(struct homer_residual *r, struct homer_mem *mem);
/* Lets these columns learn anew: their variances go up to at least `variance`, the bias's to `bias_variance`;
 * weights stay. */
void homer_residual_soften(struct homer_residual *r, const uint32_t *column, uint32_t n, float variance,
                           float bias_variance);
/* Everything else through homer_residual_ops (expert.h). */

#endif
