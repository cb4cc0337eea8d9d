/* One instance as the experts see it: scaled features, priors, and when learning the truth.
 *
 * Columns: labels 0..labels-1 and behind them the virtual column (index `labels`), which stands for every
 * label not seen yet: it learns "false" from every completely labelled instance, and a new label starts as
 * its copy. All per-column arrays have `stride` elements (a multiple of 8; the padding holds harmless
 * numbers). Borrowed from the model. */
#ifndef HOMER_LEAF_FRAME_H
#define HOMER_LEAF_FRAME_H

#include <stdbool.h>
#include <stdint.h>

enum { HOMER_LANES = 8 }; /* columns are laid out and computed in groups of this many */

/* Whether an instance gives a feature. */
enum homer_presence_state { HOMER_ABSENT = 0, HOMER_GIVEN, HOMER_NULL };

/* What the stack weighs, in this order. */
enum homer_evidence {
    HOMER_X_BIAS = 0,
    HOMER_X_PRIOR,
    HOMER_X_LINEAR,
    HOMER_X_TRACKING,
    HOMER_X_RECENT_FAST,
    HOMER_X_RECENT_SLOW,
    HOMER_X_MARKOV,
    HOMER_X_TREE_COUNTS, /* from here on not in profile linear */
    HOMER_X_TREE_BAYES,
    HOMER_X_TREE_BETTER,
    HOMER_X_RESIDUAL,
    HOMER_X_NEIGHBOURS, /* from here on only in profile accurate */
    HOMER_X_SHARP,
    HOMER_X_RLS,
    HOMER_X_STIFF,
    HOMER_X_STIFFEST,
    HOMER_X_PRODUCTS,
    HOMER_X_PRODUCTS_STIFF,
    HOMER_X_EXTRA_TREES,
    HOMER_EXPERTS,
    HOMER_FLAT_ONLY = HOMER_X_TREE_COUNTS, /* how many there are without trees */
    HOMER_FAST_ONLY = HOMER_X_NEIGHBOURS   /* and without those of profile accurate */
};

struct homer_frame {
    uint32_t labels;         /* known labels */
    uint32_t known_features; /* ids below this were learned before: what predictions may depend on */
    uint32_t stride;         /* labels + 1 rounded up to HOMER_LANES */

    const uint32_t *feature; /* [n] */
    const float *x;          /* [n] scaled */
    uint32_t n;

    /* the same instance unscaled, as trees test it; by feature id, of the features that exist: */
    const uint8_t *state;  /* HOMER_ABSENT, HOMER_GIVEN, HOMER_NULL */
    const float *given;    /* value where given */
    bool absent_missing;   /* an absent feature is missing rather than 0 */
    const uint32_t *dense; /* [dense_n] the dense features, ascending */
    const float *raw;      /* [dense_n] their values, NaN = missing */
    uint32_t dense_n;
    const uint32_t *present; /* [present_n] the sparse features that are not 0 */
    uint32_t present_n;

    float *prior;                   /* pi_l */
    float *prior_logit;             /* lam_l */
    float *evidence[HOMER_EXPERTS]; /* X_el: log-odds minus lam_l, clipped to +-8; bias 1; prior lam_l */

    /* learning only */
    uint32_t features;        /* ids known with this instance */
    const float *p;           /* what the stack predicted; 0 for labels new since */
    uint64_t seq;             /* number of this instance */
    uint32_t set;             /* which of the complete labelsets seen it has; HOMER_NO_NUMBER: not said */
    float *y;                 /* 1 or 0; 0 where unknown */
    float *weight;            /* the instance's weight where the label is known, else 0 */
    const uint32_t *positive; /* [positive_n] ascending */
    uint32_t positive_n;
    int complete; /* every label known (the virtual column learns) */
    double w;     /* the instance's weight */
};

#define HOMER_EVIDENCE_CLIP 8.0f
#define HOMER_NO_NUMBER UINT32_MAX

#endif
