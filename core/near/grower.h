/* Grows one extremely randomised tree from a window; see extra_trees.h. */
#ifndef HOMER_NEAR_GROWER_H
#define HOMER_NEAR_GROWER_H

#include "core/base/rng.h"
#include "core/near/window.h"

enum { HOMER_TREE_NODES = 2 * HOMER_WINDOW_SLOTS };

struct homer_extra_node {
    uint32_t feature; /* inner: value > threshold goes to child + 1, else to child */
    float threshold;
    uint32_t child;         /* 0: a leaf */
    uint32_t share, shares; /* of a leaf: place and number of its label shares */
};

struct homer_extra_share {
    uint32_t label;
    float share; /* of the leaf's instances that have it; labels not listed: 0 */
};

struct homer_extra_tree {
    struct homer_extra_node *node; /* [nodes] of HOMER_TREE_NODES; NULL: never grown */
    struct homer_extra_share *share;
    uint32_t nodes, shares, share_cap;
};

/* A sparse feature of an instance. */
struct homer_grower_entry {
    uint32_t feature, slot;
    float x;
};

struct homer_grower {
    struct homer_mem *mem;
    const struct homer_window *window;
    struct homer_rng rng;

    /* scratch */
    uint32_t *slot; /* [WINDOW] the tree's instances, a node's side by side */
    uint8_t *right; /* [WINDOW] by slot: whether the split at hand sends it right; 2: not in the tree */
    struct homer_grower_entry *entry; /* [entry_cap] a node's side by side, by feature */
    struct homer_grower_entry *aside; /* [entry_cap] */
    uint32_t entry_cap;
    uint32_t *dense; /* [dense_n] of dense_cap: dense features with a column */
    uint32_t dense_n, dense_cap;
    float *all, *side;     /* [label_cap] counts of positives */
    uint32_t *label, *few; /* [label_cap] labels with a count */
    uint32_t label_cap;
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
