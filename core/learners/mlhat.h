/* Multi-label Hoeffding adaptive tree, MLHAT (Esteban, Cano, Zafra, Ventura, arXiv 2410.20242), for the m
 * labels of one partition (columns 0..m-1; they may grow).
 *
 * A leaf tries a split every 200 of weight: the best feature must lead the second by the Hoeffding bound
 * sqrt(R^2 ln(1/delta)/(2n)), R = log2(labelsets seen at the leaf), or the bound be below tau. Children begin
 * with nothing. An instance counts w times, w = max(1, Poisson(1)), as in the authors' program. Every branch
 * watches the Hamming loss of its subtree by ADWIN; when it rises, a fresh alternate subtree grows beside it,
 * and takes its place or is given up when its loss differs by sqrt(2 e (1-e) ln(2/s) (1/n0 + 1/n1)), e the
 * subtree's mean loss, s = .05, both sides having more than 50 of weight. Predictions of the leaf and of the
 * alternates' leaves on its path are averaged with weights 1/loss^2. With the published range R few trees
 * ever split.
 *
 * What learning needs is taken in homer_mlhat_prepare, which may fail and shows nothing; where the memory cap
 * refuses a split or an alternate, the tree grows less instead. One thread. */
#ifndef HOMER_LEARNERS_MLHAT_H
#define HOMER_LEARNERS_MLHAT_H

#include "core/drift/adwin.h"
#include "core/learners/mlhat_leaf.h"

struct homer_mlhat_node {
    struct homer_mlhat_leaf *leaf; /* one of the two, or neither: no node */
    struct homer_mlhat_branch *branch;
    struct homer_mlhat_branch *staged; /* what takes the leaf's place with the coming learn */
    bool tried;                        /* prepare tried a split */
};

struct homer_mlhat_branch {
    uint32_t feature;
    float threshold; /* value <= threshold goes to child 0 */
    struct homer_mlhat_node child[2];
    struct homer_mlhat_node alternate; /* has no alternates itself */
    struct homer_mlhat_leaf *staged;   /* an alternate's beginning, for the coming learn */
    bool wanted;                       /* the loss has risen: an alternate shall begin */
    struct homer_adwin watch;
    double loss, weight;                     /* sum of losses since they last fell, and of weights */
    double alternate_loss, alternate_weight; /* the alternate's */
};

struct homer_mlhat {
    struct homer_mem *mem;
    const struct homer_mlhat_config *config;
    struct homer_rng rng;
    struct homer_mlhat_node root;
};

void homer_mlhat_config_default(struct homer_mlhat_config *c);
/* config stays the caller's. 0 or -ENOMEM. */
int homer_mlhat_new(struct homer_mlhat **out, struct homer_mem *mem, const struct homer_mlhat_config *config,
                    uint64_t seed);
struct homer_mlhat *homer_mlhat_free(struct homer_mlhat *t);
/* p[m]: probabilities; all 0 while it has seen nothing. */
void homer_mlhat_predict(struct homer_mlhat *t, const struct homer_query *q,
                         const struct homer_mlhat_columns *columns, uint32_t m, float *p,
                         struct homer_mlhat_scratch *scratch);
/* 0 or -ENOMEM; then, or when the query is not learned, cancel. */
int homer_mlhat_prepare(struct homer_mlhat *t, const struct homer_query *q, const struct homer_mlhat_truth *y,
                        struct homer_mlhat_scratch *scratch);
void homer_mlhat_cancel(struct homer_mlhat *t, const struct homer_query *q);
/* Learns the query prepared last; of its columns the first m_before were there when it was predicted. True
 * when a leaf of the tree was split. */
bool homer_mlhat_learn(struct homer_mlhat *t, const struct homer_query *q,
                       const struct homer_mlhat_columns *columns, const struct homer_mlhat_truth *y,
                       uint32_t m_before, struct homer_mlhat_scratch *scratch);

struct homer_mlhat_size {
    uint32_t nodes, leaves, depth; /* alternates left out */
};
struct homer_mlhat_size homer_mlhat_size(const struct homer_mlhat *t);
/* mlhat_codec.c; decode: as homer_mlhat_new, from what was written; NULL when there is an error. */
void homer_mlhat_encode(const struct homer_mlhat *t, uint32_t m, struct homer_codec *c);
struct homer_mlhat *homer_mlhat_decode(struct homer_mem *mem, const struct homer_mlhat_config *config,
                                       const struct homer_mlhat_known *known, struct homer_decoder *d);

#endif
