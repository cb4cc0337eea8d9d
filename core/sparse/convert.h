/* From the flat learner to the sparse one, with what was learned: all that may fail first, then the rest.
 *
 * Of the weights of `linear` those go into lists that differ from the virtual column's (flat.h) by more than
 * .1, the largest HOMER_SPARSE_LIST of a feature at most: what labels have in common with it is in the prior.
 * The second filter gets what it would know by the same evidence, see fill_list. Counts, scaling, recent
 * frequencies, hierarchy and events go on; trees end, and the stack begins anew, for its experts differ.
 */
#ifndef HOMER_SPARSE_CONVERT_H
#define HOMER_SPARSE_CONVERT_H

#include "core/flat.h"
#include "core/sparse/sparse.h"

/* A sparse learner with the lists that f's weights need, and those of the instance that f has prepared and
 * that brings the counts to `features` and `labels`; f stays as it is. 0 and *out, or -ENOMEM. */
int homer_sparse_plan(struct homer_sparse **out, struct homer_flat *f, uint32_t features, uint32_t labels);
/* Frees a plan. Returns NULL. */
struct homer_sparse *homer_sparse_plan_free(struct homer_sparse *plan);
/* Completes the plan by what f, which has learned that instance, knows, and moves it into *s; both are gone
 * afterwards. */
void homer_sparse_take(struct homer_sparse *s, struct homer_sparse *plan, struct homer_flat *f);

#endif
