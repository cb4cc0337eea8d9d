/* Multi-label Hoeffding tree over the labels of one cluster (columns 0..m-1).
 *
 * Leaves hold statistics (stats.h) and try a split every `grace` of weight (split.h). Each leaf gives three
 * predictions per label: counts   (c + 5 pr)/(n + 5), pr = .9 of the share the parent expected here + .1 of
 * the label's prior (the root: the prior) bayes    counts with naive Bayes on top better   whichever has the
 * lower log-loss here, faded by .995 Children begin with a weight of 20 in the proportions of the split, and
 * with the parent's Gaussian moments. An inactive leaf (memory) keeps class counts only and does not split. A
 * missing value goes down the branch that had more weight. Subtrees may be replaced when their loss rises:
 * see alternate.h. All memory that learning needs is taken in homer_tree_prepare, which may fail and shows
 * nothing. One thread. */
#ifndef HOMER_TREE_HOEFFDING_H
#define HOMER_TREE_HOEFFDING_H

#include "core/tree/alternate.h"
#include "core/tree/split.h"

struct homer_tree_config {
    struct homer_split_config split;
    double grace;       /* weight between attempts to split a leaf */
    double patience;    /* at least this share of its weight, too */
    uint32_t max_depth; /* of a leaf; the root has 0 */
    double start;       /* weight that a child begins with */
    bool alternate;     /* subtrees whose loss rises get an alternate */
    uint32_t trees;     /* for forest.h: how many a cluster has; 0 is 1 */
    uint64_t seed;      /* for forest.h: of what is drawn */
};

void homer_tree_config_default(struct homer_tree_config *c);

struct homer_tree_node {
    struct homer_stats *stats; /* of a leaf; NULL in an inner node */
    uint32_t child[2];         /* of an inner node */
    uint32_t feature;
    float threshold;
    bool presence; /* test: present goes to child 1; otherwise value > threshold does */
    bool heavier;  /* the child that missing values go to */
    bool inactive; /* a leaf without observers */
    bool due;      /* prepared for the coming learn, as split and staged */
    uint16_t depth;
    double next; /* weight at which a split is tried */
    union {
        struct homer_split split;  /* of a leaf */
        struct homer_adwin *watch; /* of an inner node, with the option `alternate`; NULL: no memory */
    };
    struct homer_stats *staged[2]; /* children, when it is sure */
};

struct homer_tree {
    struct homer_mem *mem;
    const struct homer_tree_config *config;
    uint32_t m, stride;
    uint64_t mask; /* half of the features, another half in every leaf, are not split on; 0: all are */
    struct homer_tree_node *node; /* [node_n] of node_cap; 0 is the root */
    uint32_t node_n, node_cap;
    float *scratch;                     /* [HOMER_SPLIT_SCRATCH][stride] */
    struct homer_alternate alternate[]; /* one with the option, else none */
};

int homer_tree_new(struct homer_tree **out, struct homer_mem *mem, const struct homer_tree_config *config,
                   uint32_t m);
struct homer_tree *homer_tree_free(struct homer_tree *t);
/* A copy whose m columns are source[k] of t, or neutral where that is UINT32_MAX: share[k] of each node's
 * weight is true. It has no alternate, and its watches begin anew. */
int homer_tree_clone(struct homer_tree **out, const struct homer_tree *t, const uint32_t *source, uint32_t m,
                     const float *share);

/* The leaf of the frame's instance. */
uint32_t homer_tree_leaf(const struct homer_tree *t, const struct homer_frame *f);
/* Log-odds of the m columns at that leaf: out[3][stride] counts, bayes, better. prior[stride]: pi of
 * the columns' labels, behind them any numbers. */
uint32_t homer_tree_predict(const struct homer_tree *t, uint32_t leaf, const struct homer_frame *f,
                            const float *prior, float *out);

/* Takes what learning the frame's instance at that leaf may need: observers, and the children of a split that
 * is due and sure. 0 or -ENOMEM. Where the memory cap refuses, the tree grows less instead. lacks: what
 * homer_tree_predict returned. */
int homer_tree_prepare(struct homer_tree *t, uint32_t leaf, const struct homer_frame *f, uint32_t lacks,
                       double weight);
/* Undoes prepare; without one it does nothing, whatever leaf it names. */
void homer_tree_cancel(struct homer_tree *t, uint32_t leaf);
/* Learns the instance; on[on_n] are the columns that are true; logits: what homer_tree_predict gave at this
 * leaf. True when it split. */
bool homer_tree_learn(struct homer_tree *t, uint32_t leaf, const struct homer_frame *f, const uint32_t *on,
                      uint32_t on_n, double weight, const float *logits);

/* Gives up the alternate; without one the observers of the leaf that promises least (weight x loss); false
 * when none has any. */
bool homer_tree_deactivate(struct homer_tree *t);
/* Lets inactive leaves observe again, from nothing. */
void homer_tree_activate(struct homer_tree *t);
/* Of what it holds, spare room left out. */
size_t homer_tree_bytes(const struct homer_tree *t);
/* hoeffding_codec.c; decode: NULL when there is an error. depth: of the root; within: it is an alternate. */
void homer_tree_encode(const struct homer_tree *t, struct homer_codec *c);
struct homer_tree *homer_tree_decode(struct homer_mem *mem, const struct homer_tree_config *config,
                                     uint32_t m, uint64_t mask, uint32_t depth, bool within,
                                     uint32_t features, struct homer_decoder *d);
/* A tree without nodes, but room for some. NULL: no memory. */
struct homer_tree *homer_tree_bare(struct homer_mem *mem, const struct homer_tree_config *config, uint32_t m,
                                   uint32_t nodes);

/* For alternate.c: the child that the instance goes to; room for n nodes, 0 or -ENOMEM; min(1, 4/7 of the
 * mean log-loss) of `better`. */
uint32_t homer_tree_step(const struct homer_tree *t, uint32_t node, const struct homer_frame *f);
int homer_tree_reserve_nodes(struct homer_tree *t, uint32_t n);
double homer_tree_loss(const struct homer_tree *t, const uint32_t *on, uint32_t on_n, const float *logits);

#endif
