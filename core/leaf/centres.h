/* Expert `centres`: a pair of linear filters on radial basis functions of the dense features.
 *
 * 128 centres c by online k-means: an instance farther from all than .5 of the mean of such least squared
 * distances becomes a new centre while there are free ones; else the nearest moves to it by max(1/n, .003).
 *   phi_c = exp(-(d_c^2 - min d^2)/(2 s)), s the mean least squared distance; below .01: 0; scaled to unit
 * length Nothing where fewer than four features are dense. Process noise 1e-3 lets the filters follow the
 * centres. Memory: 512 bytes per feature that was ever dense, 16 KiB per group of 8 labels. One thread. */
#ifndef HOMER_LEAF_CENTRES_H
#define HOMER_LEAF_CENTRES_H

#include "core/leaf/linear.h"
#include "core/near/columns.h"

enum { HOMER_CENTRES = 128 };

struct homer_centres {
    struct homer_linear filters;
    struct homer_columns at; /* by feature: its value in every centre */
    double n[HOMER_CENTRES]; /* instances of each centre */
    uint32_t used;
    double least_sum, seen; /* of least squared distances, and how many */

    /* of the instance at hand */
    float distance[HOMER_CENTRES]; /* squared */
    uint32_t nearest;
    uint32_t place[HOMER_CENTRES];
    float x[HOMER_CENTRES];
    struct homer_linear_input input;
};

/* Everything else through homer_centres_ops. */
void homer_centres_init(struct homer_centres *c, struct homer_mem *mem);

#endif
