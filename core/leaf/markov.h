/* Expert `markov`: what the previous truth about label l says about l now. The previous truth is that of the
 * latest instance that told it: one that leaves l unknown is passed over, in predicting and in counting
 * alike.
 *
 *   l was present: p = (n11 + 4 max(pi, G11)) / (n11 + n10 + 4)      n11: present then present, n10: then
 * absent l was absent:  p = (n01 + 4 pi g0) / (n01 + n00 + 4) G11 = pooled P(1|1), g0 = min(1, pooled P(1|0)
 * / P(1)), over all labels. No evidence before the first truth about l. */
#ifndef HOMER_LEAF_MARKOV_H
#define HOMER_LEAF_MARKOV_H

#include "core/base/grid.h"
#include "core/leaf/expert.h"

struct homer_markov {
    struct homer_grid count;    /* f64: rows n11, n10, n01, n00 */
    struct homer_grid previous; /* f32: row 0 last known truth, row 1: 1 where there is one */
    double pooled[4];           /* sums of the counts over the known labels */
};

/* Everything else through homer_markov_ops. */
void homer_markov_init(struct homer_markov *k, struct homer_mem *mem);

#endif
