/* What the files of the hierarchy share. Private to core/labels/hierarchy*.c. */
#ifndef HOMER_LABELS_HIERARCHY_IMPL_H
#define HOMER_LABELS_HIERARCHY_IMPL_H

#include "core/labels/hierarchy.h"

/* ADWINs that so many labels may have. One is two kilobytes: of few labels every inner node has its own; of
 * many too, as long as leaves have four labels on average; else the nodes made last go without. Depends on
 * nothing else, so that what is watched does not depend on how memory grew. */
static inline uint32_t homer_hierarchy_watches(uint32_t labels) {
    return labels < 64 ? labels : 48 + labels / 4;
}

/* hierarchy_build.c */

/* The only node, an empty leaf. There is room. */
void homer_hierarchy_plant(struct homer_hierarchy *h);
/* Loads the labels of a node into the cutter, and into its `side` the node's own cut, if it has one. */
void homer_hierarchy_load(struct homer_hierarchy *h, uint32_t slot);
/* Makes everything below the node anew from the counts; `top` is its own new cut (all 0: it is a leaf).
 * Leaves that are the same set of labels as before keep their ids. Returns whether the partition changed, and
 * then raises generation. */
bool homer_hierarchy_rebuild(struct homer_hierarchy *h, uint32_t slot, struct homer_cut *top);
/* Starts counting anew for the node's next check. pairs: its P now. */
void homer_hierarchy_pace(struct homer_hierarchy *h, uint32_t slot, double pairs);
/* There is room, by reserve. */
void homer_hierarchy_tell(struct homer_hierarchy *h, uint64_t seq, uint32_t slot,
                          enum homer_hierarchy_change change, double before, double after);

/* hierarchy_arrive.c: places the labels h->labels .. labels - 1 and mends what has grown too large or
 * lopsided. */
void homer_hierarchy_arrive(struct homer_hierarchy *h, const uint32_t *y, uint32_t n, uint32_t labels,
                            uint64_t seq);

/* hierarchy_drift.c: takes in the pairs of an instance at every node that sees one. Leaves the slots it
 * touched in h->touched, and returns their number; 0 when drift was found and answered (then slots may have
 * changed hands). */
uint32_t homer_hierarchy_observe(struct homer_hierarchy *h, const uint32_t *y, uint32_t n, uint64_t seq);

/* hierarchy_check.c: checks those of the touched nodes that are due, topmost first, until one changes. */
void homer_hierarchy_check(struct homer_hierarchy *h, uint32_t touched, uint64_t seq);

#endif
