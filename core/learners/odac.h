/* ODAC, online divisive-agglomerative clustering (Rodrigues, Gama, Pedroso 2008), of labels by Jaccard
 * dissimilarity, as iHOMER uses it (arXiv 2507.20894).
 *
 * Every n_min completely labelled instances each leaf of the hierarchy is tested, on the counts since it
 * became one. With d1 the largest dissimilarity of two of its labels (its diameter; they are the pivots), d2
 * the second largest, d0 the least, d the mean of all pairs, and e = sqrt(ln(1/confidence)/(2n)): aggregate
 * when d1 - (its parent's d1 at the split) > max(e, the parent's): the parent becomes a leaf again; split
 * when (d1 - d2 > e or e < tau) and (d1 - d0)|d1 + d0 - 2 d| > e: the pivots part, every other label joins
 *              the nearer one (ties: the second; pairs that never met have dissimilarity 1).
 * Counts of a new leaf begin at 0. One triangle of counts serves all leaves, because they partition the
 * labels: memory and each test are quadratic in the labels. A new label joins the leaf that has the fewest.
 * Instances count once whatever their weight. One thread; memory charged to mem. */
#ifndef HOMER_LEARNERS_ODAC_H
#define HOMER_LEARNERS_ODAC_H

#include "core/base/codec.h"
#include "core/base/mem.h"

enum { HOMER_ODAC_NONE = -1 /* as uint32_t */ };

struct homer_odac_config {
    uint32_t n_min;    /* 1,500 */
    double confidence; /* .9 */
    double tau;        /* .1 */
};

struct homer_odac_node {
    uint64_t id;               /* never used twice */
    uint32_t parent, child[2]; /* slots; HOMER_ODAC_NONE: a root, a leaf */
    uint32_t depth;
    uint32_t labels;    /* of it and below */
    uint64_t n;         /* instances counted in it as a leaf */
    double diameter, e; /* at its last test */
    bool tested, used;
};

struct homer_odac_change {
    uint64_t node;
    bool split; /* else it was aggregated */
    uint32_t labels;
    double before, after; /* split: the diameter of the leaf, the larger one of its halves; aggregated: of the
                             part that outgrew its parent, of the parent */
};

struct homer_odac {
    struct homer_mem *mem;
    struct homer_odac_config config;
    struct homer_odac_node *node;     /* [2 cap - 1] slots, 0 the root */
    uint32_t *leaf_of;                /* [labels] of cap */
    uint32_t *count;                  /* [labels] of cap: instances of its leaf that have it */
    uint32_t *pair;                   /* [labels (labels-1)/2]: of i < j at j (j-1)/2 + i */
    uint32_t *member;                 /* scratch [cap] */
    struct homer_odac_change *change; /* [changes] by the last learn, of cap */
    uint32_t labels, cap, leaves, changes;
    uint32_t timer;      /* instances until the next test */
    uint64_t ids;        /* given so far */
    uint64_t generation; /* goes up when the leaves change */
};

void homer_odac_config_default(struct homer_odac_config *c);
/* 0 or -ENOMEM; a root without labels. */
int homer_odac_init(struct homer_odac *o, struct homer_mem *mem, const struct homer_odac_config *config);
void homer_odac_deinit(struct homer_odac *o);
/* Room for so many labels; 0 or -ENOMEM, nothing visible changed. */
int homer_odac_reserve(struct homer_odac *o, uint32_t labels);
/* The leaf that new labels would join; they come with homer_odac_arrive, when `labels` are known. */
uint32_t homer_odac_target(const struct homer_odac *o);
void homer_odac_arrive(struct homer_odac *o, uint32_t labels);
/* Counts a complete labelling, positives on[n] ascending, and tests when it is time. True: the leaves
 * changed. */
bool homer_odac_learn(struct homer_odac *o, const uint32_t *on, uint32_t n);
/* Begins anew: all labels in the root, no counts. */
void homer_odac_restart(struct homer_odac *o);
/* Preorder: the slot behind this one; the first is 0; HOMER_ODAC_NONE behind the last. */
uint32_t homer_odac_next(const struct homer_odac *o, uint32_t slot);
static inline bool homer_odac_is_leaf(const struct homer_odac *o, uint32_t slot) {
    return o->node[slot].child[0] == (uint32_t)HOMER_ODAC_NONE;
}
/* 1 - Jaccard similarity of two labels of one leaf. */
double homer_odac_dissimilarity(const struct homer_odac *o, uint32_t a, uint32_t b);
void homer_odac_encode(const struct homer_odac *o, struct homer_codec *c);
/* Into one just made. */
void homer_odac_decode(struct homer_odac *o, uint32_t labels, struct homer_decoder *d);

#endif
