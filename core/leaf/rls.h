/* Expert `rls`: multi-output recursive least squares, one covariance shared by all labels.
 *
 *   k = w P x/(1 + w x'Px),  W += k (y - W'x)',  P -= k (P x)'        start P = 20 I, W = 0; x with a
 * constant 1, w the instance's weight times its share of known labels, at most 100; columns of unknown labels
 * keep their W. Process noise: P_jj += 1e-9 for every x_j that is given. In float32 P loses its last digits
 * to the 20 it started from: without noise it stops being positive definite, and W leaves all bounds, when
 * some 1e7 of weight has come.
 * Exact up to 511 features; when there are more, every feature goes with a random sign to two of 255 places
 * (times .7071), and it starts anew. The output is clipped to [.1 pi, 1 - .1 (1 - pi)]. Memory: 1 MiB and 2
 * KiB a column. */
#ifndef HOMER_LEAF_RLS_H
#define HOMER_LEAF_RLS_H

#include "core/base/grid.h"
#include "core/leaf/expert.h"

enum { HOMER_RLS_DIM = 512 };

struct homer_rls {
    struct homer_mem *mem;
    float *p;            /* [dim][HOMER_RLS_DIM] of HOMER_RLS_DIM rows, symmetric */
    struct homer_grid w; /* f32 rows: one per dimension */
    uint32_t dim;        /* in use: 1 (the constant) + features, or 256 when hashed */
    bool hashed;

    /* scratch */
    float *px;               /* [HOMER_RLS_DIM] P x */
    struct homer_grid error; /* f32 [1]: W'x, then the errors */
    uint32_t *place;         /* [n] dimensions of the instance at hand, with */
    float *x;                /* [n] their values; of cap */
    uint32_t n, cap;
};

/* Everything else through homer_rls_ops. */
void homer_rls_init(struct homer_rls *r, struct homer_mem *mem);

#endif
