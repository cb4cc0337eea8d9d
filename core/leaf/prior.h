/* Label priors: pi_l = (c_l + rho + .001)/(t_l + 1.002), at most .999, with c_l the weight of l's positives,
 * t_l the weight of the instances whose truth about l is known (complete labellings from before l's first
 * appearance included: it was false in all of them), rho the mean label density (.1 at the start). lam_l =
 * logit(pi_l). */
#ifndef HOMER_LEAF_PRIOR_H
#define HOMER_LEAF_PRIOR_H

#include "core/base/grid.h"
#include "core/leaf/expert.h"

struct homer_prior {
    struct homer_grid count; /* f64: row 0 c_l, row 1 weight of partial labellings that tell about l */
    double complete;         /* weight of complete labellings */
    double positives;        /* sum of c_l */
    double observed;         /* sum of t_l over the known labels */
};

void homer_prior_init(struct homer_prior *p, struct homer_mem *mem);
void homer_prior_deinit(struct homer_prior *p);
int homer_prior_reserve(struct homer_prior *p, uint32_t columns);
/* Fills f->prior and f->prior_logit, virtual column included. */
void homer_prior_predict(const struct homer_prior *p, struct homer_frame *f);
void homer_prior_add_label(struct homer_prior *p);
void homer_prior_learn(struct homer_prior *p, const struct homer_frame *f);
void homer_prior_encode(const struct homer_prior *p, uint32_t labels, struct homer_codec *c);
void homer_prior_decode(struct homer_prior *p, uint32_t labels, struct homer_decoder *d);

/* Mean label density: share of known (instance, label) pairs that are positive; .1 before there is one. */
double homer_prior_density(const struct homer_prior *p);
static inline double homer_prior_count(const struct homer_prior *p, uint32_t label) {
    return homer_grid_f64(&p->count, 0)[label];
}
/* t_l */
static inline double homer_prior_told(const struct homer_prior *p, uint32_t label) {
    return p->complete + homer_grid_f64(&p->count, 1)[label];
}

#endif
