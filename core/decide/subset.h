/* Decision rule for subset accuracy: a softmax over candidate labelsets.
 *
 * Candidates: the empty set, {p > 1/2}, the example-F1 set, the best 1..6 labels, the previous labelset, and
 * for each of the three best labels the 8 most frequent and the 6 most recent labelsets that hold it; if they
 * are given, those of neighbours and of trees. A candidate S scores sum_i w_i f_i(S), with start weights
 * [without / with neighbours and trees]:
 *   0 sum of logit p over S [.8 / .6]            5 log P(|S|), P(size) = (n_size+.2)/(t+12.8) [.3]
 *   1 half log((count+.1)/(t+1)) [.3]            6 is {p > 1/2} [.3]
 *   2 half log((faded+.05)/100) [.2]             7 is empty [0]
 *   3 is the previous [.2]                       8 its share of the neighbours [0 / 1]
 *   4 seen before [.5 / .8]                      9 log((its share of the trees' leaves+.02)/1.02) [0 / .4]
 * The w learn by AdaGrad on the log-likelihood of the true set, skipped when it is no candidate; rate .15, G0
 * .01, gradient clip 8, w_0 >= .1. */
#ifndef HOMER_DECIDE_SUBSET_H
#define HOMER_DECIDE_SUBSET_H

#include "core/decide/labelsets.h"

enum {
    HOMER_SUBSET_FEATURES = 10,
    HOMER_SUBSET_PREFIXES = 6,
    HOMER_NEAR_SETS = 10,
    HOMER_TREE_SETS = 10,
    HOMER_SUBSET_TOP = 3,                         /* labels whose frequent and recent sets are candidates */
    HOMER_SUBSET_OWN = 3 + HOMER_SUBSET_PREFIXES, /* candidates made from scores */
    HOMER_SUBSET_CANDIDATES = HOMER_SUBSET_OWN + 1 + HOMER_SUBSET_TOP * (HOMER_FREQUENT + HOMER_RECENT) +
                              HOMER_NEAR_SETS + HOMER_TREE_SETS
};

/* Complete labelsets of similar instances, and what each counts among them. */
struct homer_near_sets {
    const uint32_t *y[HOMER_NEAR_SETS]; /* [n], ascending; borrowed until the posterior has learned */
    uint32_t n[HOMER_NEAR_SETS];
    float share[HOMER_NEAR_SETS]; /* sums to at most 1 */
    uint32_t sets;
    uint32_t tree_set[HOMER_TREE_SETS]; /* numbers of the likeliest labelsets after trees, each once */
    float tree_share[HOMER_TREE_SETS];  /* sums to at most 1 */
    uint32_t tree_sets;
};

struct homer_candidate {
    const uint32_t *y; /* ascending */
    uint32_t n;
    uint32_t set; /* id in the labelsets, or HOMER_NO_SET */
    float f[HOMER_SUBSET_FEATURES];
    float score;
    float p; /* filled by homer_subset_posterior */
};

struct homer_subset {
    struct homer_mem *mem;
    float w[HOMER_SUBSET_FEATURES];
    float g[HOMER_SUBSET_FEATURES]; /* sums of squared gradients */

    /* scratch: the candidates of the last homer_subset_propose */
    struct homer_candidate candidate[HOMER_SUBSET_CANDIDATES];
    uint32_t candidates;
    uint32_t set[HOMER_SUBSET_CANDIDATES]; /* of each, for searching */
    uint32_t *own; /* [HOMER_SUBSET_OWN][cap] ids of the candidates made from scores */
    uint32_t cap;
};

/* near: labelsets of neighbours will be among the candidates. */
void homer_subset_init(struct homer_subset *s, struct homer_mem *mem, bool near);
void homer_subset_deinit(struct homer_subset *s);
int homer_subset_reserve(struct homer_subset *s, uint32_t labels);

/* Fills candidate[] and scores them. rank: labels best first; half: how many of them have p > 1/2; f1: how
 * many the example-F1 rule takes; near: NULL when there are none. */
void homer_subset_propose(struct homer_subset *s, const struct homer_labelsets *sets, const uint32_t *rank,
                          uint32_t ranks, uint32_t half, uint32_t f1, const float *p,
                          const struct homer_near_sets *near);
/* The best candidate of the last propose; ties: the earlier one. */
const struct homer_candidate *homer_subset_best(const struct homer_subset *s);
/* Fills p of the candidates: the softmax of their scores. */
void homer_subset_posterior(struct homer_subset *s);
/* Learns from the true labelset y[n], given the last propose. */
void homer_subset_learn(struct homer_subset *s, const uint32_t *y, uint32_t n);
void homer_subset_encode(const struct homer_subset *s, struct homer_codec *c);
/* Into an empty one, with room for `labels` at least. */
void homer_subset_decode(struct homer_subset *s, uint32_t labels, struct homer_decoder *d);

#endif
