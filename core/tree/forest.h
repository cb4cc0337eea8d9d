/* The trees of a cluster, over its m labels.
 *
 * A single tree learns every instance with its own weight. Of several, each learns an instance with its
 * weight times a draw from Poisson(4) (online bagging as in Bifet, Holmes and Pfahringer's leveraging
 * bagging, 2010, there with 6), 0 of which passes it by, and leaves half of the features aside when it
 * splits, others in every leaf. What they say is averaged: log-odds, each of the three kinds by itself. The
 * draws are made in homer_forest_prepare; the caller keeps the generator as it was until the instance is
 * learned, so that one that is not learned changes nothing. Ownership, thread and failure as of a homer_tree.
 */
#ifndef HOMER_TREE_FOREST_H
#define HOMER_TREE_FOREST_H

#include "core/base/rng.h"
#include "core/tree/hoeffding.h"

struct homer_forest_tree {
    struct homer_tree *tree;
    uint32_t leaf,
        lacks;     /* of the instance at hand, as homer_tree_predict and homer_tree_prepare have them */
    double weight; /* that it learns it with; 0: it does not */
};

struct homer_forest {
    struct homer_mem *mem;
    uint32_t n, m, stride;
    struct homer_forest_tree *tree; /* [n] */

    /* of the instance at hand */
    float *prior;  /* [stride] pi of the labels */
    float *logits; /* [3][stride] mean log-odds: counts, bayes, better */
    float *each;   /* [n][3][stride] the trees' own; with one tree the same as logits */
};

enum { HOMER_FOREST_MAX = 64 };

/* 0 or -ENOMEM. config outlives the forest; its `trees` says how many. */
int homer_forest_new(struct homer_forest **out, struct homer_mem *mem, const struct homer_tree_config *config,
                     uint32_t m);
struct homer_forest *homer_forest_free(struct homer_forest *f);
/* As homer_tree_clone, of every tree. */
int homer_forest_clone(struct homer_forest **out, const struct homer_forest *f, const uint32_t *source,
                       uint32_t m, const float *share);

/* logits of the frame's instance, and all that the rest needs of it. prior was set before. */
void homer_forest_predict(struct homer_forest *f, const struct homer_frame *x);
/* Draws the trees' weights and takes what learning may need. 0, or -ENOMEM and nothing of it is left. */
int homer_forest_prepare(struct homer_forest *f, const struct homer_frame *x, struct homer_rng *rng);
/* Undoes prepare; without one it does nothing. */
void homer_forest_cancel(struct homer_forest *f);
/* Learns the instance prepared last; on[on_n] are the columns that are true. Returns how many trees split. */
uint32_t homer_forest_learn(struct homer_forest *f, const struct homer_frame *x, const uint32_t *on,
                            uint32_t on_n);

/* homer_tree_deactivate of the largest tree that can; homer_tree_activate of all. */
bool homer_forest_deactivate(struct homer_forest *f);
void homer_forest_activate(struct homer_forest *f);
/* Of what the trees hold, spare room left out. */
size_t homer_forest_bytes(const struct homer_forest *f);
void homer_forest_encode(const struct homer_forest *f, struct homer_codec *c);
/* As homer_forest_new, from what was written; NULL when there is an error. */
struct homer_forest *homer_forest_decode(struct homer_mem *mem, const struct homer_tree_config *config,
                                         uint32_t m, uint32_t features, struct homer_decoder *d);

/* A draw from Poisson(4), by inversion; at most 15, past which lies less than 5e-6 of it. One number of the
 * generator. */
uint32_t homer_poisson4(struct homer_rng *rng);

#endif
