/* What the files of the sparse learner share. */
#ifndef HOMER_SPARSE_IMPL_H
#define HOMER_SPARSE_IMPL_H

#include "core/sparse/sparse.h"

enum homer_sparse_row {
    HOMER_SPARSE_P = 0,
    HOMER_SPARSE_Y,
    HOMER_SPARSE_WEIGHT,
    HOMER_SPARSE_PRIOR,
    HOMER_SPARSE_LOGIT,
    HOMER_SPARSE_OWN,                                                   /* s of each filter */
    HOMER_SPARSE_GRADIENT = HOMER_SPARSE_OWN + HOMER_SPARSE_FILTERS,    /* variance v, then g */
    HOMER_SPARSE_SHRINK = HOMER_SPARSE_GRADIENT + HOMER_SPARSE_FILTERS, /* sum of x^2 in v, then q z */
    HOMER_SPARSE_EVIDENCE = HOMER_SPARSE_SHRINK + HOMER_SPARSE_FILTERS,
    HOMER_SPARSE_ROWS = HOMER_SPARSE_EVIDENCE + HOMER_FLAT_ONLY
};

extern const float homer_sparse_variance[HOMER_SPARSE_FILTERS]; /* where a weight starts */

static inline float *homer_sparse_row(const struct homer_sparse *s, uint32_t row) {
    return homer_grid_f32(&s->grid, row);
}

/* predict.c */

/* Points the frame at the rows of the grid, which has moved. */
void homer_sparse_point(struct homer_sparse *s);

/* Gives slots to labels that have none. */
void homer_sparse_touch(struct homer_sparse *s, const uint32_t *label, uint32_t n);
/* Room for so many columns. 0, or -ENOMEM with nothing changed. */
int homer_sparse_reserve_columns(struct homer_sparse *s, uint32_t columns);
/* Scores the columns: fills the frame, from what is kept of their labels and the sums of the touched. */
void homer_sparse_score(struct homer_sparse *s);

/* learn.c: a label whose count went up joins the most frequent ones, if it is one of them, in the place of
 * the least. */
void homer_sparse_rank_frequent(struct homer_sparse *s, uint32_t label);

#endif
