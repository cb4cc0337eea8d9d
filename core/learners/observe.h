/* Attribute observers of an MLHAT leaf and the search for its best split.
 *
 * Per feature a Gaussian of its values over all instances of the leaf, and one over those where a label is
 * true; zeros are implicit: they are counted from the weights and cost nothing. A split `value <= threshold`
 * goes by the gain G = H(leaf) - sum over sides of share x H(side),  H = sum over labels of the entropy of a
 * Bernoulli, in bits (Read, Bifet, Holmes, Pfahringer 2012; arXiv 2410.20242), the shares of a side by the
 * Gaussians' distribution functions. "No label at all" counts as a label. Candidates: ten thresholds evenly
 * between the least and the largest value; each side must have 1 % of the weight. One thread; memory charged
 * to mem. */
#ifndef HOMER_LEARNERS_OBSERVE_H
#define HOMER_LEARNERS_OBSERVE_H

#include "core/learners/query.h"

enum { HOMER_THRESHOLDS = 10 };

struct homer_spread {
    uint32_t column; /* HOMER_NO_LABEL: the instances that have none */
    double n, mean, m2;
};

struct homer_observer {
    struct homer_spread all; /* of the non-zero values, as are the others */
    float least, most;
    uint32_t spread_n, spread_cap;
    struct homer_spread spread[]; /* [spread_n] ascending by column */
};

struct homer_observers {
    struct homer_mem *mem;
    struct homer_observer **observer; /* [cap] by feature; NULL: always 0 here */
    uint32_t cap;
};

struct homer_best_split {
    double gain, second; /* second best feature's; 0 when there is none */
    uint32_t feature;
    float threshold;
    bool found;
};

#define HOMER_NO_LABEL (UINT32_MAX - 1) /* the column that stands for "no label at all" */

void homer_observers_init(struct homer_observers *o, struct homer_mem *mem);
void homer_observers_deinit(struct homer_observers *o);
/* Room for the query with these true columns (HOMER_NO_LABEL alone when there are none). 0 or -ENOMEM,
 * nothing visible changed. */
int homer_observers_reserve(struct homer_observers *o, const struct homer_query *q, uint32_t on_n);
/* Frees what a reserve for this query added that nothing has learned. */
void homer_observers_cancel(struct homer_observers *o, const struct homer_query *q);
void homer_observers_add(struct homer_observers *o, const struct homer_query *q, const uint32_t *on,
                         uint32_t on_n, double weight);
/* count[m]: weight of each label's positives in a leaf of that weight, `none` of the instances without label.
 * scratch: 3 * (m + 1) doubles. */
void homer_observers_split(const struct homer_observers *o, double weight, const double *count, uint32_t m,
                           double none, double *scratch, struct homer_best_split *best);
/* H in bits. */
double homer_bernoulli_entropy(const double *count, uint32_t n, double weight);
void homer_observers_encode(const struct homer_observers *o, struct homer_codec *c);
/* Into one just made; m columns and so many features are known. */
void homer_observers_decode(struct homer_observers *o, uint32_t m, uint32_t features,
                            struct homer_decoder *d);

#endif
