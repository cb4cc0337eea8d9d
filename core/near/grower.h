/* Grows one extremely randomised tree from a window; see extra_trees.h.
 *
 * A node of more than 256 instances is split by what a sample of 64 to 256 of them shows. */
#ifndef HOMER_NEAR_GROWER_H
#define HOMER_NEAR_GROWER_H

#include "core/base/rng.h"
#include "core/near/extra_tree.h"
#include "core/near/sample.h"
#include "core/near/told.h"

struct homer_grower {
    struct homer_mem *mem;
    const struct homer_window *window;
    struct homer_rng rng;

    /* scratch */
    struct homer_sample sample;
    uint32_t takes;                /* how often the sample was taken anew for the tree at hand */
    uint32_t *slot;                /* [WINDOW] the tree's instances, a node's side by side */
    uint8_t *right;                /* [WINDOW] by slot: whether the split at hand sends it right */
    uint8_t id[HOMER_SAMPLE_SIZE]; /* the sample's instances, a node's side by side */
    uint8_t aside[HOMER_SAMPLE_SIZE];
    uint32_t upto[HOMER_SAMPLE_SIZE]; /* sparse entries of a node's instances up to this one */
    uint32_t *dense;                  /* [dense_n] of dense_cap: dense features with a column */
    uint32_t dense_n, dense_cap;
    float *all, *side;     /* [label_cap] counts of positives */
    uint32_t *label, *few; /* [label_cap] labels with a count */
    uint32_t label_cap;
    struct homer_told told;
    uint32_t least; /* instances of a leaf of the tree at hand */
};

void homer_grower_init(struct homer_grower *g, struct homer_mem *mem, const struct homer_window *w,
                       uint64_t seed);
void homer_grower_deinit(struct homer_grower *g);
/* Written for a snapshot only: what its scratch has room for. */
void homer_grower_put_room(const struct homer_grower *g, struct homer_codec *c);
void homer_grower_get_room(struct homer_grower *g, struct homer_decoder *d);
/* Room for labels below `labels`. 0 or -ENOMEM. */
int homer_grower_reserve(struct homer_grower *g, uint32_t labels);
/* Room to grow the tree anew from the window and one more instance of f. 0 or -ENOMEM; the tree stays as it
 * is. */
int homer_grower_prepare(struct homer_grower *g, struct homer_extra_tree *t, const struct homer_frame *f);
/* Grows it; `features` are known. Draws from rng. */
void homer_grower_grow(struct homer_grower *g, struct homer_extra_tree *t, const struct homer_frame *f);

#endif
