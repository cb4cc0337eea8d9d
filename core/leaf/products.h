/* Expert `products`: a pair of linear filters on second-order features.
 *
 * Of an instance the 12 features with the largest |x_j| (.05 + sum_l |w_jl|), w the weights of `linear`;
 * their products x_i x_j hashed to 8,192 places (what meets at a place adds up), scaled to unit length. The
 * sums over labels are taken every 64 instances; features that came since do not take part. Memory: see
 * linear.h, at most 2^18 groups. One thread. */
#ifndef HOMER_LEAF_PRODUCTS_H
#define HOMER_LEAF_PRODUCTS_H

#include "core/leaf/linear.h"

enum {
    HOMER_FACTORS = 12,
    HOMER_PRODUCT_PLACES = 8192,
    HOMER_PRODUCTS = HOMER_FACTORS * (HOMER_FACTORS - 1) / 2
};

struct homer_products {
    struct homer_mem *mem;
    const struct homer_linear *source; /* whose weights tell which features matter */
    struct homer_linear filters;
    float *matter; /* [matters] of cap: .05 + sum of |w| */
    uint32_t matters, cap;
    uint64_t until; /* instances to the next look */

    /* of the instance at hand */
    uint32_t place[HOMER_PRODUCTS]; /* [input.n], each once */
    float x[HOMER_PRODUCTS];
    struct homer_linear_input input;
    uint8_t at[HOMER_PRODUCT_PLACES]; /* by place: 1 + its index while they are put together, else 0 */
};

/* Everything else through homer_products_ops. */
void homer_products_init(struct homer_products *p, struct homer_mem *mem, const struct homer_linear *source);

#endif
