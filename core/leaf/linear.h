/* Experts that are linear in some features: per label a logistic regression, trained as a diagonal extended
 * Kalman filter. Two side by side, which share their features and the pass through memory:
 *
 *   s = b + sum_j w_j x_j        score (log-odds; with `offset` those above the prior's)
 *   v = B + sum_j x_j^2 A_j      its variance; A, B: variances of w, b
 *   p = sigmoid(s), q = max(p(1-p), 1e-4), z = 1/(1 + q v), g = (y - p) z
 *   w_j += A_j x_j g,  A_j -= q z (A_j x_j)^2;  the same for b, B with x = 1.  Start: w = b = 0, A, B as
 * configured. An instance weight multiplies q and g. Process noise is added to each A and B touched, so that
 * it forgets; such a filter updates every column, one without only those with |g| > .03 when they are fewer
 * than a quarter. The pair on the instance's own features is the experts `linear` (A = 3, B = 1) and
 * `linear-tracking` (noise 3e-4).
 *
 * Layout: one row per feature, one group of 8 columns after another, in each w[8] A[8] of the first and w[8]
 * A[8] of the second: a pass over an instance streams through contiguous memory, and sums run over features
 * in one fixed order per column, so that vector width cannot change a result. Memory: 128 bytes per feature
 * and group of 8 labels. */
#ifndef HOMER_LEAF_LINEAR_H
#define HOMER_LEAF_LINEAR_H

#include "core/base/mem.h"
#include "core/leaf/expert.h"

struct homer_linear_config {
    enum homer_evidence out; /* evidence row of the first; the second has the next */
    float variance[2], bias_variance[2];
    float noise[2];
    bool offset;
    uint32_t max_groups; /* 0: every feature has its row from the reserve on. Else a row is made when prepare
                            meets its feature, while rows x groups of the known columns stay within this;
                            features without one are not learned. So it is where the memory cap
                            refuses a row */
};

struct homer_linear_group {
    float w[2][HOMER_LANES];   /* weights */
    float var[2][HOMER_LANES]; /* their variances A */
};

struct homer_linear {
    struct homer_mem *mem;
    struct homer_linear_config config;
    struct homer_linear_group **row; /* [features] of row_cap, each [groups_cap]; `fresh` while not made */
    uint32_t features;               /* rows that exist */
    uint32_t made;                   /* of them not fresh */
    uint32_t *prepared;              /* [prepared_n] of prepared_cap: rows made for the instance at hand */
    uint32_t prepared_n, prepared_cap;
    uint32_t row_cap;
    uint32_t groups_cap;              /* groups every row has room for */
    struct homer_linear_group *bias;  /* [groups_cap] b and B */
    struct homer_linear_group *fresh; /* [groups_cap] a row that has learned nothing */
    float *sum;                       /* scratch [2][2][8 groups_cap]: of either expert s, v of the instance
                                         at hand */
};

/* Some features of an instance, each once: x[n] of rows feature[n]. */
struct homer_linear_input {
    const uint32_t *feature;
    const float *x;
    uint32_t n;
};

void homer_linear_config_default(struct homer_linear_config *c);
void homer_linear_init(struct homer_linear *l, struct homer_mem *mem, const struct homer_linear_config *c);
void homer_linear_deinit(struct homer_linear *l);

/* The operations of expert.h, for experts that bring features of their own; prepare is told how many columns
 * the instance makes known, and its cancel is needed with max_groups only. A failed reserve may leave wider
 * rows, which no result can show. */
int homer_linear_reserve(struct homer_linear *l, uint32_t features, uint32_t columns);
void homer_linear_predict(struct homer_linear *l, struct homer_frame *f, const struct homer_linear_input *x);
int homer_linear_prepare(struct homer_linear *l, const struct homer_linear_input *x, uint32_t columns);
void homer_linear_cancel(struct homer_linear *l);
void homer_linear_learn(struct homer_linear *l, const struct homer_frame *f,
                        const struct homer_linear_input *x);
void homer_linear_add_label(struct homer_linear *l, uint32_t from);
/* linear_codec.c; features: that it has rows for, where columns is not 0 */
void homer_linear_encode(const struct homer_linear *l, uint32_t columns, struct homer_codec *c);
void homer_linear_decode(struct homer_linear *l, uint32_t features, uint32_t columns,
                         struct homer_decoder *d);
/* Parts of reserve: room for the rows and columns; the row of a feature there is room for. 0 or -ENOMEM. */
int homer_linear_make_room(struct homer_linear *l, uint32_t features, uint32_t columns);
int homer_linear_make_row(struct homer_linear *l, uint32_t feature);

/* Lets these columns learn anew: their variances go up to at least `variance`, the bias's to `bias_variance`;
 * weights stay. */
void homer_linear_soften(struct homer_linear *l, const uint32_t *column, uint32_t n, float variance,
                         float bias_variance);

#endif
