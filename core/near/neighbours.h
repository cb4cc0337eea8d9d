/* Expert `neighbours`: what the nearest of the last 1,000 instances had.
 *
 *   wide   the 10 nearest, weights w_i = D/(d_i^2 + .05 D), D the mean squared distance in the window:
 *          p = (sum w_i y_i + e pi)/(sum w_i + e), e = .1 sum w_i + .3
 *   sharp  the 3 nearest: p = (sum y_i + .5 pi)/(3 + .5)
 * Sums run over the neighbours that know the label. Distances between scaled features; ties: the later one is
 * nearer. It owns the window, which the second layer searches too. One thread. */
#ifndef HOMER_NEAR_NEIGHBOURS_H
#define HOMER_NEAR_NEIGHBOURS_H

#include "core/base/grid.h"
#include "core/leaf/expert.h"
#include "core/near/window.h"

enum { HOMER_NEIGHBOURS = 10 };

struct homer_near {
    uint32_t slot[HOMER_NEIGHBOURS]; /* [n] nearest first */
    float distance[HOMER_NEIGHBOURS];
    uint32_t n;
    float mean; /* of all distances searched */
};

struct homer_neighbours {
    struct homer_window *window;
    struct homer_grid votes; /* f32 scratch: rows sum of w y, sum of w */
    struct homer_near near;  /* of the instance at hand */
};

/* The k nearest (at most HOMER_NEIGHBOURS) of the last `among` instances, by a distance for each slot. */
void homer_near_find(struct homer_near *n, const struct homer_window *w, const float *distance,
                     uint32_t among, uint32_t k);
/* yes[stride], all[stride]: sum of w_i y_i and of w_i over the first k neighbours that know a label. */
void homer_near_vote(const struct homer_near *n, const struct homer_window *w, const float *weight,
                     uint32_t k, uint32_t stride, float *yes, float *all);

/* Their share of positives, shrunk to the prior by e = share * all + plus; share and plus of `wide`. */
#define HOMER_NEAR_SHARE 0.1f
#define HOMER_NEAR_PLUS 0.3f
static inline float homer_near_shrunk(float yes, float all, float prior, float share, float plus) {
    float e = share * all + plus;
    return (yes + e * prior) / (all + e);
}

/* 0 or -ENOMEM with nothing to deinit. Everything else through homer_neighbours_ops. */
int homer_neighbours_init(struct homer_neighbours *n, struct homer_mem *mem);

#endif
