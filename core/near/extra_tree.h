/* One extremely randomised tree as it stands: its nodes, and what its leaves hold, side by side. Charged to
 * the mem of every call. */
#ifndef HOMER_NEAR_EXTRA_TREE_H
#define HOMER_NEAR_EXTRA_TREE_H

#include "core/near/window.h"

enum {
    HOMER_TREE_NODES = 2 * HOMER_WINDOW_SLOTS,
    HOMER_LEAF_SETS = 8, /* labelsets that a leaf keeps: the first it meets */
};

struct homer_extra_node {
    union {
        uint32_t feature; /* inner: value > threshold goes to child + 1, else to child */
        uint32_t set;     /* leaf: place of its labelsets */
    };
    union {
        float threshold;
        uint32_t sets; /* how many */
    };
    uint32_t child;         /* 0: a leaf */
    uint32_t share, shares; /* of a leaf: place and number of its label shares */
};

struct homer_extra_share {
    uint32_t label;
    float share; /* of the leaf's instances that have it; labels not listed: 0 */
};

/* A labelset, and the share of a leaf's instances that have it. */
struct homer_extra_set {
    uint32_t set;
    float share;
};

struct homer_extra_tree {
    struct homer_extra_node *node; /* [nodes] of HOMER_TREE_NODES; NULL: never grown */
    struct homer_extra_share *share;
    struct homer_extra_set *set; /* [sets] of set_cap */
    uint32_t nodes, shares, share_cap, sets, set_cap;
};

void homer_extra_tree_deinit(struct homer_extra_tree *t, struct homer_mem *mem);
/* Room for all nodes, and for shares of labels and of labelsets. 0, or -ENOMEM; it stays as it is. */
int homer_extra_tree_reserve(struct homer_extra_tree *t, struct homer_mem *mem, uint32_t shares,
                             uint32_t sets);

/* Makes a node a leaf that holds nothing yet. What the two calls below add is the last leaf's. */
void homer_extra_tree_leaf(struct homer_extra_tree *t, uint32_t node);
void homer_extra_tree_add_share(struct homer_extra_tree *t, uint32_t node, uint32_t label, float share);
/* Adds to the labelset's share; a new one is left out where the leaf keeps as many as it may. */
void homer_extra_tree_add_set(struct homer_extra_tree *t, uint32_t node, uint32_t set, float share);

/* The leaf of an instance: value by feature. */
const struct homer_extra_node *homer_extra_tree_reach(const struct homer_extra_tree *t, const float *value);

/* Written as its room, then the tree; read into one that was never grown, a grown one with nodes. What is
 * read of a tree may still name labelsets that do not exist. */
void homer_extra_tree_put_room(const struct homer_extra_tree *t, struct homer_codec *c);
void homer_extra_tree_encode(const struct homer_extra_tree *t, struct homer_codec *c);
void homer_extra_tree_get_room(struct homer_extra_tree *t, struct homer_mem *mem, bool grown,
                               struct homer_decoder *d);
void homer_extra_tree_decode(struct homer_extra_tree *t, uint32_t features, uint32_t labels,
                             struct homer_decoder *d);

#endif
