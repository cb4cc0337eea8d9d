/* What MLHAT's leaves use when they are heavy and mixed: binary relevance of bagged logistic regressions
 * (Esteban, Cano, Zafra, Ventura, "Hoeffding adaptive trees for multi-label classification on data streams",
 * arXiv 2410.20242; bagging: Oza and Russell 2001).
 *
 * Ten models a label; each learns an instance k times, k ~ Poisson(1) drawn per model and instance, by
 * stochastic gradient descent on the log-loss: w_j -= .3 (p - y) x_j, b -= .01 (p - y), on unscaled features.
 * A label's probability is the mean of its ten. Columns 1..m are the labels; column 0 stands for labels not
 * seen yet: it learns "false" from completely labelled instances, and a new label begins as its copy. One
 * thread; memory charged to mem. */
#ifndef HOMER_LEARNERS_BAGGED_H
#define HOMER_LEARNERS_BAGGED_H

#include "core/base/rng.h"
#include "core/learners/query.h"

enum { HOMER_BAG_MODELS = 10 };

struct homer_bagged_row {
    uint32_t columns, cap; /* columns there are, and have room; a column that is not there is as column 0 */
    bool learned;          /* false: reserved for an instance that may not come */
    float w[];             /* [cap][HOMER_BAG_MODELS] */
};

struct homer_bagged {
    struct homer_mem *mem;
    struct homer_bagged_row **row; /* [row_cap] by feature, NULL: all weights 0 */
    uint32_t row_cap;
    struct homer_bagged_row *bias;
};

void homer_bagged_init(struct homer_bagged *b, struct homer_mem *mem);
void homer_bagged_deinit(struct homer_bagged *b);

/* Adds to p[m] the probability of each label. scratch: (m + 1) * HOMER_BAG_MODELS floats. */
void homer_bagged_predict(const struct homer_bagged *b, const struct homer_query *q, uint32_t m, float *p,
                          float *scratch);
/* Room to learn the query with m labels; 0 or -ENOMEM, nothing visible changed. Where the memory cap refuses
 * a known feature more columns, the labels that it has none for stay as column 0 there. */
int homer_bagged_reserve(struct homer_bagged *b, const struct homer_query *q, uint32_t m);
/* Frees what a reserve for this query added that nothing has learned. */
void homer_bagged_cancel(struct homer_bagged *b, const struct homer_query *q);
/* y[m + 1]: by column 1 or 0; NaN = unknown, left as it is. scratch: 2 * (m + 1) * HOMER_BAG_MODELS floats.
 */
void homer_bagged_learn(struct homer_bagged *b, const struct homer_query *q, uint32_t m, const float *y,
                        struct homer_rng *rng, float *scratch);
void homer_bagged_encode(const struct homer_bagged *b, uint32_t m, struct homer_codec *c);
/* Into one just made; m labels and so many features are known. */
void homer_bagged_decode(struct homer_bagged *b, uint32_t m, uint32_t features, struct homer_decoder *d);

/* Knuth's Poisson(1). */
uint32_t homer_poisson(struct homer_rng *rng);

#endif
