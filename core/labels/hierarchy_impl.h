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

/* hierarchy.c */

/* Room for `cap` labels, at least as many as there are: 0, or -ENOMEM with nothing changed. */
int homer_hierarchy_widen(struct homer_hierarchy *h, uint32_t cap);
/* Frees all but counts, grouper and events. */
void homer_hierarchy_free_places(struct homer_hierarchy *h);

/* hierarchy_grow.c */

/* The only node, an empty leaf. There is room. */
void homer_hierarchy_plant(struct homer_hierarchy *h);
/* The tree of the grouping in the grouper, which has all labels loaded, takes the place of the present one.
 * Returns how many labels are in a new cluster. */
uint32_t homer_hierarchy_grow(struct homer_hierarchy *h);

/* hierarchy_regroup.c */

/* Loads all labels into the grouper, grouped by the present clusters, and rates that. */
void homer_hierarchy_load(struct homer_hierarchy *h, struct homer_grouping_rating *now);
/* Groups all labels anew, if that is better. */
void homer_hierarchy_regroup(struct homer_hierarchy *h, uint64_t seq);
/* Groups the labels of each leaf that has grown too large; the other clusters stay. */
void homer_hierarchy_relieve(struct homer_hierarchy *h, uint64_t seq);
/* There is room, by reserve. */
void homer_hierarchy_tell(struct homer_hierarchy *h, const struct homer_hierarchy_event *e);

/* hierarchy_arrive.c: places the labels h->labels .. labels - 1. */
void homer_hierarchy_arrive(struct homer_hierarchy *h, const uint32_t *y, uint32_t n, uint32_t labels,
                            uint64_t seq);

/* hierarchy_drift.c: takes in the pairs of an instance at every node that sees one. Where drift is found,
 * what was known of the labels concerned counts less from now on, and regrouping waits for as many instances
 * as there have been since. */
void homer_hierarchy_observe(struct homer_hierarchy *h, const uint32_t *y, uint32_t n, uint64_t seq);

#endif
