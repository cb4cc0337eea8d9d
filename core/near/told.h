/* What a tree that grows from partial labellings knows of each label: how many of a node's instances tell it.
 * A complete labelling tells every label; where all are complete, nothing is counted here and a tree grows as
 * if this did not exist.
 *
 * With c_l positives among the k_l instances of a node that tell label l, a split is worth sum_l (a_l^2/ka_l
 * + b_l^2/kb_l), a and b its two sides; a leaf's share is c_l/k_l, and that of the whole tree where k_l = 0:
 * what is not told is never false. Leaves have at least 2/r instances, r the mean share of the labels that is
 * told, so that they are told each label about twice; and there are at most HOMER_UNTOLD/labels of them,
 * which bounds the shares. Owner's thread. */
#ifndef HOMER_NEAR_TOLD_H
#define HOMER_NEAR_TOLD_H

#include "core/near/window.h"

enum { HOMER_UNTOLD = 32768 }; /* shares of labels that their leaf knows nothing about, in one tree */

struct homer_told {
    struct homer_mem *mem;
    bool partial;      /* whether a labelling of the tree at hand is; if not, only this is read */
    uint32_t labels;   /* known */
    uint32_t complete; /* complete labellings of the node at hand */
    uint32_t beside;   /* those on one side of the split at hand */
    float *node,
        *side;   /* [cap] partial labellings that tell the label, likewise; 0 between nodes, and splits */
    float *root; /* [cap] the label's share in the whole tree, 0 where nothing tells it */
    uint32_t cap;
};

void homer_told_init(struct homer_told *t, struct homer_mem *mem);
void homer_told_deinit(struct homer_told *t);
/* Room for labels below `labels`. 0 or -ENOMEM, nothing visible changed. */
int homer_told_reserve(struct homer_told *t, uint32_t labels);

/* Nothing of it outlives a tree's growth: its room is all there is to write, and to read. */
void homer_told_put_room(const struct homer_told *t, struct homer_codec *c);
void homer_told_get_room(struct homer_told *t, struct homer_decoder *d);

/* Starts a tree of the window's slots[n], with `labels` known. Returns the least instances of a leaf:
 * `least`, or more where labellings are partial. */
uint32_t homer_told_begin(struct homer_told *t, const struct homer_window *w, const uint32_t *slot,
                          uint32_t n, uint32_t labels, uint32_t least);
/* Only where t->partial: an instance of the node at hand; forget leaves the node. */
void homer_told_enter(struct homer_told *t, const struct homer_window_slot *s);
void homer_told_forget(struct homer_told *t);
/* And one on one side of the split at hand. */
void homer_told_beside(struct homer_told *t, const struct homer_window_slot *s);
/* What the split is worth, whose side has side[l] of the all[l] positives of label[n]; forgets the side. */
double homer_told_worth(struct homer_told *t, const uint32_t *label, uint32_t n, const float *all,
                        const float *side);

/* How many instances of the node tell the label. */
static inline float homer_told_by(const struct homer_told *t, uint32_t label) {
    return (float)t->complete + t->node[label];
}

#endif
