/* The stack: combines the experts' evidence into one probability per label.
 *
 *   logit p_l = sum_e (w_e + u_el + r_l z_e) X_el      X_bias = 1, X_prior = lam_l
 * Shared weights w by online Newton: H <- .999 H + .005 I + sum_l h X X^T, w += H^-1 sum_l X (y - p), h =
 * max(p(1-p), .01), sums over the known labels with |y - p| >= .003 that were positive before (a first
 * positive would drag the shared weights: it costs up to .1 of micro F1 on streams with many labels); H
 * starts at 5 I, no step above .1. Per-label offsets u by a diagonal Kalman filter of variance v (start .005,
 * bias .02): q = 1/(1 + h sum v X^2), u += v X (y-p) q, v -= h q (v X)^2, v += 5e-8. A label that was never
 * positive has p = 0.
 *
 * Young labels, those with few positives, have experts that are less sure than they could be, each in the
 * same way; so all of them share the correction z, learned as w is, but with H at 20 I and + .02 I, and with
 * r_l X_l in the place of X_l. r_l = max(20/(20 + c_l) - .2, 0) t_l/(t_l + 200), c_l and t_l as of prior.h,
 * when l was positive last: nothing from 80 positives on, and little at the start of a stream, when every
 * label is young and w itself learns from them. */
#ifndef HOMER_LEAF_STACK_H
#define HOMER_LEAF_STACK_H

#include "core/base/grid.h"
#include "core/leaf/expert.h"
#include "core/leaf/prior.h"

enum { HOMER_STACK_ROW = (HOMER_EXPERTS + 3) / 4 * 4 };

struct homer_stack_config {
    int experts;                     /* rows of evidence; at most HOMER_EXPERTS */
    bool young;                      /* whether young labels are corrected */
    double start[HOMER_EXPERTS];     /* shared weights */
    double curvature[HOMER_EXPERTS]; /* diagonal of H */
    float variance[HOMER_EXPERTS];   /* of the offsets; 0: the row has none */
};

struct homer_stack {
    struct homer_stack_config config; /* how it starts */
    bool fixed;                       /* for measuring: learns nothing, the weights stay at the start */
    bool no_offsets;                  /* for measuring: shared weights only */
    double w[HOMER_EXPERTS];
    double h[HOMER_EXPERTS][HOMER_STACK_ROW]; /* lower triangle */
    double young_w[HOMER_EXPERTS];            /* z */
    double young_h[HOMER_EXPERTS][HOMER_STACK_ROW];
    struct homer_grid offset; /* f32: rows u_e, then v_e, then r */
};

/* Of the first `experts` rows of enum homer_evidence. */
void homer_stack_config_default(struct homer_stack_config *c, int experts);
void homer_stack_init(struct homer_stack *s, struct homer_mem *mem, const struct homer_stack_config *c);
void homer_stack_deinit(struct homer_stack *s);
int homer_stack_reserve(struct homer_stack *s, uint32_t columns);
/* p[stride] from evidence[experts][stride]; of the frame it reads the sizes and the truth only. */
void homer_stack_predict(const struct homer_stack *s, const struct homer_prior *prior,
                         const struct homer_frame *f, float *const *evidence, float *p);
/* Learns with the p that predict gave for this evidence (0 for labels new since). */
void homer_stack_learn(struct homer_stack *s, const struct homer_prior *prior, const struct homer_frame *f,
                       float *const *evidence, const float *p);
void homer_stack_encode(const struct homer_stack *s, uint32_t labels, struct homer_codec *c);
/* Into one that has learned nothing, and no room yet. */
void homer_stack_decode(struct homer_stack *s, uint32_t labels, struct homer_decoder *d);

#endif
