/* What ihomer_paper.c and ihomer_paper_stage.c share. */
#ifndef HOMER_LEARNERS_IHOMER_PAPER_IMPL_H
#define HOMER_LEARNERS_IHOMER_PAPER_IMPL_H

#include "core/learners/ihomer_paper.h"

/* Rows of `map`: which part and column a label is, now and staged; scratch. */
enum {
    HOMER_PAPER_PART = 0,
    HOMER_PAPER_COLUMN,
    HOMER_PAPER_NEW_PART,
    HOMER_PAPER_NEW_COLUMN,
    HOMER_PAPER_ON,
    HOMER_PAPER_GROUP,
    HOMER_PAPER_MAPS
};

static inline uint32_t *homer_paper_map(const struct homer_paper *p, int row) {
    return homer_grid_row(&p->map, (uint32_t)row);
}

/* A detector of losses that has seen none. */
void homer_paper_watch(const struct homer_paper *p, struct homer_adwin *watch);
/* A part's beginning: a fresh tree for m labels. 0 or -ENOMEM. */
int homer_paper_part_new(struct homer_paper *p, struct homer_paper_part *part, uint64_t id, uint32_t m);
void homer_paper_part_deinit(struct homer_paper *p, struct homer_paper_part *part);
/* The partition of the known labels that the clustering shows, trees kept where the labels are the same:
 * p->staged, and the staged rows of `map`. 0 or -ENOMEM with nothing staged. */
int homer_paper_stage(struct homer_paper *p);
void homer_paper_unstage(struct homer_paper *p);
/* What is staged takes the place of what there is. */
void homer_paper_swap(struct homer_paper *p);

#endif
