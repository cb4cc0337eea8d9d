/* The flat learner: scaling, prior, experts and stack over all labels at once. From an instance to a
 * probability per label, and back. It owns every per-label state but the decision rules'. One thread. */
#ifndef HOMER_FLAT_H
#define HOMER_FLAT_H

#include "core/clusters.h"
#include "core/leaf/expert.h"
#include "core/leaf/linear.h"
#include "core/leaf/markov.h"
#include "core/leaf/prior.h"
#include "core/leaf/products.h"
#include "core/leaf/recent.h"
#include "core/leaf/residual.h"
#include "core/leaf/rls.h"
#include "core/leaf/stack.h"
#include "core/near/extra_trees.h"
#include "core/near/neighbours.h"
#include "core/scale.h"

enum { HOMER_FLAT_EXPERTS = 10 };

/* Which experts there are: the linear ones, recent and markov; also the trees; also all others. */
enum homer_profile { HOMER_LINEAR_ONLY = 0, HOMER_FAST, HOMER_ACCURATE };

#define HOMER_WITHOUT_STACK (UINT32_C(1) << 30)   /* its weights stay as they start */
#define HOMER_WITHOUT_OFFSETS (UINT32_C(1) << 31) /* the stack has no weights per label */

struct homer_flat {
    struct homer_mem *mem;
    struct homer_scale scale;
    struct homer_prior prior;
    struct homer_linear linear;
    struct homer_recent recent;
    struct homer_markov markov;
    struct homer_stack stack;
    struct homer_residual residual; /* from profile fast on, as the clusters */
    struct homer_clusters clusters;
    struct homer_linear spread; /* of profile accurate, as all below */
    struct homer_neighbours neighbours;
    struct homer_rls rls;
    struct homer_products products;
    struct homer_extra_trees extra_trees;
    enum homer_profile profile;
    struct homer_expert expert[HOMER_FLAT_EXPERTS]; /* [experts] */
    uint32_t rows[HOMER_FLAT_EXPERTS]; /* [experts] of evidence that each fills, as bits; 0: not said */
    int experts;
    uint32_t left_out; /* see homer_flat_leave_out */
    uint32_t labels;
    struct homer_grid scratch; /* f32 rows: p, y, weight, prior, prior logit, evidence of every expert */
    struct homer_frame frame;  /* of the last predict */
};

/* clusters: read from profile fast on. 0, or -ENOMEM and nothing to deinit. */
int homer_flat_init(struct homer_flat *f, struct homer_mem *mem, bool absent_missing,
                    enum homer_profile profile, const struct homer_clusters_config *clusters);
void homer_flat_deinit(struct homer_flat *f);

/* For measuring what a part is worth; before the first reserve. `parts`: bits 1 << enum homer_evidence, rows
 * of evidence that are held at 0, and HOMER_WITHOUT_*. An expert all of whose rows are left out is not run.
 */
void homer_flat_leave_out(struct homer_flat *f, uint32_t parts);

/* Room for an instance that brings the counts to `features` and `labels`. 0, or -ENOMEM and nothing has
 * changed that a result could show. Must precede predict and learn of ids that are new. */
int homer_flat_reserve(struct homer_flat *f, uint32_t features, uint32_t labels);

/* Undoes what reserve and prepare added, when the instance is not learned after all. */
void homer_flat_cancel(struct homer_flat *f);

/* p[labels known]: borrowed until the next call. Changes only scratch. */
const float *homer_flat_predict(struct homer_flat *f, const struct homer_instance *x);

/* After the predict of the same instance: takes what its learning needs beyond the reserve, with `features`
 * and `labels` known then. 0, or -ENOMEM and nothing visible has changed (then cancel). */
int homer_flat_prepare(struct homer_flat *f, const struct homer_instance *x, uint32_t features,
                       uint32_t labels, uint64_t seq);

/* Says which of the complete labelsets seen the instance prepared last has, for the trees that will be grown
 * from it; its learn comes next. */
void homer_flat_number_set(struct homer_flat *f, uint32_t set);

/* Learns the instance prepared last; `features` and `labels` ids are known now,
 * new labels start as copies of the virtual column. Returns p for all `labels` as it was before (0 for new
 * ones). */
const float *homer_flat_learn(struct homer_flat *f, const struct homer_instance *x, uint32_t features,
                              uint32_t labels);

/* Whether no labelset that a decoded state names is numbered `sets` or higher. */
bool homer_flat_sets_hold(const struct homer_flat *f, uint32_t sets);
void homer_flat_encode(const struct homer_flat *f, struct homer_codec *c);
/* Into one just made; so many features and labels are known. */
void homer_flat_decode(struct homer_flat *f, uint32_t features, uint32_t labels, struct homer_decoder *d);

#endif
