/* A leaf of MLHAT (arXiv 2410.20242): class counts, observers, and two classifiers that both learn
 * everything.
 *
 * A prediction is
 *   - the one labelset, while the leaf has seen no other;
 *   - by labelset k nearest neighbours (k = 4, the last 170 instances, votes 1/distance; an exact match alone
 * decides) while the leaf has a weight below 750, or the summed Bernoulli entropy of its labels is below .3
 * bits;
 *   - else by binary relevance of bagged logistic regressions (bagged.h).
 * A leaf that has seen nothing predicts nothing. Where the memory cap refuses, it forgets neighbours, tells
 * labelsets less well apart, or stops observing (and so growing). One thread; memory charged to mem. */
#ifndef HOMER_LEARNERS_MLHAT_LEAF_H
#define HOMER_LEARNERS_MLHAT_LEAF_H

#include "core/base/map.h"
#include "core/learners/bagged.h"
#include "core/learners/observe.h"

enum {
    HOMER_MLHAT_WINDOW = 170,
    HOMER_MLHAT_K = 4,
    HOMER_MLHAT_SETS = 65536 /* labelsets told apart at a leaf */
};

struct homer_mlhat_config {
    double grace;        /* weight between attempts to split a leaf; 200 */
    double delta;        /* of the Hoeffding bound; 1e-5 */
    double tau;          /* a bound below this splits on any lead; .05 */
    double cardinality;  /* weight from which entropy chooses a leaf's classifier; 750 */
    double entropy;      /* bits below which it is the neighbours; .3 */
    double pure;         /* a label on more than this share of a leaf makes it stop growing; .99 */
    double drift_window; /* weight that an alternate tree must have; 50 */
    double significance; /* of its advantage; .05 */
    double drift_delta;  /* of the ADWINs; .002 */
    uint32_t max_depth;  /* of a leaf; 20 (the papers have no bound) */
};

/* The truth about the query, by columns of the tree. */
struct homer_mlhat_truth {
    uint32_t m;         /* columns, new labels included */
    const uint32_t *on; /* [on_n] true ones, ascending */
    uint32_t on_n;
    const float *y; /* [m + 1] 1, 0, NaN = unknown; first the column of labels not seen yet */
    bool known;     /* all of them are */
    double weight;
    struct homer_memo *memo; /* NULL: refused by the memory cap */
};

/* Which columns the labels of a memo are. */
struct homer_mlhat_columns {
    const uint32_t *part_of, *column_of; /* by label */
    uint32_t part;                       /* the tree's */
};

/* Scratch of the caller: so many elements each. */
struct homer_mlhat_scratch {
    float *f32;  /* 2 (m + 1) HOMER_BAG_MODELS */
    float *p;    /* m */
    double *f64; /* 3 (m + 1) */
};

struct homer_mlhat_leaf {
    struct homer_mem *mem;
    double weight, tried; /* learned here; at the last attempt to split */
    double none;          /* of the instances without label */
    double *count;        /* [m] of the positives, of cap; columns from m on have none */
    uint32_t m, cap;
    struct homer_map sets;                       /* distinct labelsets: columns, 4 bytes each */
    struct homer_memo *memo[HOMER_MLHAT_WINDOW]; /* [memo_n], a ring */
    uint32_t memo_n, oldest;
    struct homer_bagged bagged;
    struct homer_observers observers;
    bool inactive;       /* does not grow any more */
    bool starved;        /* prepared: shall become so, for lack of memory */
    uint32_t sets_known; /* of `sets` that were learned; one more while an instance is prepared */
};

int homer_mlhat_leaf_new(struct homer_mlhat_leaf **out, struct homer_mem *mem);
struct homer_mlhat_leaf *homer_mlhat_leaf_free(struct homer_mlhat_leaf *l);
/* p[m]: probabilities; false when the leaf predicts nothing. */
bool homer_mlhat_leaf_predict(const struct homer_mlhat_leaf *l, const struct homer_mlhat_config *config,
                              const struct homer_query *q, const struct homer_mlhat_columns *columns,
                              uint32_t m, float *p, struct homer_mlhat_scratch *scratch);
/* What learning needs; 0 or -ENOMEM, then (or when it is not learned) cancel. */
int homer_mlhat_leaf_prepare(struct homer_mlhat_leaf *l, const struct homer_query *q,
                             const struct homer_mlhat_truth *y);
void homer_mlhat_leaf_cancel(struct homer_mlhat_leaf *l, const struct homer_query *q);
/* weight: the instance's times its Poisson draw. */
void homer_mlhat_leaf_learn(struct homer_mlhat_leaf *l, const struct homer_mlhat_config *config,
                            const struct homer_query *q, const struct homer_mlhat_truth *y, double weight,
                            struct homer_rng *rng, struct homer_mlhat_scratch *scratch);
/* Whether it is time to try a split, and what comes of it: true and *split when it is sure. */
bool homer_mlhat_leaf_due(const struct homer_mlhat_leaf *l, const struct homer_mlhat_config *config);
bool homer_mlhat_leaf_split(const struct homer_mlhat_leaf *l, const struct homer_mlhat_config *config,
                            struct homer_mlhat_scratch *scratch, struct homer_best_split *split);
void homer_mlhat_leaf_encode(const struct homer_mlhat_leaf *l, uint32_t m, struct homer_codec *c);

/* What is known where a leaf is read. */
struct homer_mlhat_known {
    struct homer_memos *memos;
    uint32_t m;                /* columns */
    uint32_t features, labels; /* of the whole model */
};
/* Into a leaf just made. */
void homer_mlhat_leaf_decode(struct homer_mlhat_leaf *l, const struct homer_mlhat_known *known,
                             struct homer_decoder *d);

#endif
