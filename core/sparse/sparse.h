/* The learner for very many labels: cost and memory of an instance go with the weights that it touches, not
 * with the labels there are. From an instance to a probability for the few labels that may be true, and back;
 * every other label has probability 0.
 *
 * Labels have priors as in flat.h, and features are scaled as there, but all of them as sparse ones: a dense
 * feature would have every instance walk through its list, and costs accuracy here (bibtex .447 to .437 of
 * example F1). Two logistic regressions per label, trained as
 * diagonal Kalman filters as in leaf/linear.h (A = 3 and A = 20), whose scores are log-odds above the
 * prior's:
 *
 *   s_l = lam_l + sum_j w_jl x_j
 *
 * Weights stand in one list per feature (lists.h); an entry is made when a label moves: |y - p| > .03 under
 * the first filter. Candidates are the labels that a list of the instance, the previous labelset or the 64
 * most frequent labels name, and whose score is promising: the stack's, without what candidates alone have,
 * above ln(.005/.995), or that of the first filter where it would move; at least 16 and at most 256 of them.
 * They are the columns of a frame over which the dense experts `recent` and `markov` and the stack run as in
 * the flat learner, with what is kept per label gathered: decay is lazy, counts that follow from others are
 * not kept.
 *
 * A label has no column before it was true; true labels that were no candidates become columns when the
 * instance is learned. Labels named as false by a partial labelling move the filters only.
 *
 * With `grouped` (profiles fast and accurate) the hierarchy of labels goes on, and a detector of drift over
 * all of them; there are no trees and no detectors of clusters. Labels join the hierarchy in batches: when a
 * sixteenth more are waiting, or that many instances later. The detector watches the mean over true labels of
 * -ln p/7 and over candidates of p where false, at most 1; when that rises, the variances of all weights go
 * back up, each list's when it is learned next.
 *
 * Deterministic as everything here: sums run in the order of features and of entries. One thread; memory
 * charged to mem. */
#ifndef HOMER_SPARSE_H
#define HOMER_SPARSE_H

#include "core/clusters.h"
#include "core/leaf/markov.h"
#include "core/leaf/prior.h"
#include "core/leaf/recent.h"
#include "core/leaf/stack.h"
#include "core/scale.h"
#include "core/sparse/lists.h"

enum {
    HOMER_SPARSE_LEAST = 16, /* candidates */
    HOMER_SPARSE_MOST = 256,
    HOMER_SPARSE_FREQUENT = 64,
    HOMER_SPARSE_PREVIOUS = 64,
};

/* What is kept of a label besides its counts and weights. */
struct homer_sparse_label {
    double again;                    /* weight of the instances that had it, as the one before them had */
    uint64_t at;                     /* complete instances, when it was true last */
    float recent[HOMER_RECENT_ROWS]; /* its decayed frequencies then */
};

/* An entry of a list that belongs to a column that moves. */
struct homer_sparse_hit {
    uint32_t at, column;
};

/* What the walk through the lists needs of a label: a quarter of a cache line. */
struct homer_sparse_score {
    homer_sparse_pair sum; /* of w x; 0 where not touched */
    float log_count;       /* ln of its count + .1 */
    uint32_t touched;      /* whether the instance at hand does */
};

struct homer_sparse {
    struct homer_mem *mem;
    struct homer_scale scale;
    struct homer_prior prior;
    struct homer_sparse_lists lists;
    struct homer_sparse_label *label; /* [labels] of label_cap */
    struct homer_sparse_score *score; /* the same */
    uint32_t labels, label_cap;
    uint32_t frequent[HOMER_SPARSE_FREQUENT], frequent_n; /* no order */
    uint32_t previous[HOMER_SPARSE_PREVIOUS], previous_n; /* of the last complete labelset, ascending */
    double again;                                         /* sum over the labels */
    uint64_t complete;                                    /* complete instances */
    uint32_t softened;                                    /* global drifts that raised variances */
    struct homer_stack stack;                             /* shared weights; a column has no offsets */
    bool grouped;
    struct homer_clusters clusters; /* where grouped: the hierarchy, the detector, no clusters */

    /* scratch of the instance at hand */
    float *p;          /* [label_cap] 0 but at candidates */
    bool handed_on;    /* p holds the last scores of the flat learner, of every label */
    uint32_t *touched; /* [touched_n] of label_cap + 1: labels */
    float *promise;    /* [label_cap] of the touched; > 0: a candidate */
    uint32_t touched_n;
    uint32_t *pick;      /* [label_cap] */
    uint32_t *column;    /* [columns] of column_cap: its label; the candidates first, ascending */
    uint32_t *column_of; /* [label_cap] all 0 between calls: its column + 1 */
    uint32_t candidates, columns, column_cap;
    struct homer_grid grid;     /* f32 rows of the frame, the filters' sums, gradients and shrinkage */
    struct homer_prior seen;    /* the columns' */
    struct homer_recent recent; /* the columns' */
    struct homer_markov markov; /* the columns' */
    struct homer_frame frame;
    struct homer_sparse_hit *hit; /* [hits] of hit_cap, feature by feature */
    uint32_t *hits_of;            /* [frame.n] of hits_of_cap: how many of them are this feature's */
    uint32_t *moving;             /* [moving_n] of column_cap: columns */
    uint32_t hits, hit_cap, hits_of_cap, moving_n;
    enum homer_sparse_room room; /* for its new entries */
    uint32_t placed;             /* labels that the hierarchy has after the instance */
};

struct homer_flat;

/* clusters: read where grouped. 0, or -ENOMEM and nothing to deinit. */
int homer_sparse_init(struct homer_sparse *s, struct homer_mem *mem, bool absent_missing, bool grouped,
                      const struct homer_clusters_config *clusters);
void homer_sparse_deinit(struct homer_sparse *s);

/* As those of flat.h. */
int homer_sparse_reserve(struct homer_sparse *s, uint32_t features, uint32_t labels);
void homer_sparse_cancel(struct homer_sparse *s);
/* p[labels], 0 but at the candidates: s->column[s->candidates], ascending. */
const float *homer_sparse_predict(struct homer_sparse *s, const struct homer_instance *x);
int homer_sparse_prepare(struct homer_sparse *s, const struct homer_instance *x, uint32_t labels,
                         uint64_t seq);
const float *homer_sparse_learn(struct homer_sparse *s, const struct homer_instance *x, uint32_t features,
                                uint32_t labels);
void homer_sparse_encode(const struct homer_sparse *s, struct homer_codec *c);
void homer_sparse_decode(struct homer_sparse *s, uint32_t features, uint32_t labels, struct homer_decoder *d);

#endif
