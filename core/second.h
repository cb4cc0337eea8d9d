/* The second layer of profile accurate: corrects the first layer's probabilities p by what became of similar
 * instances with similar predictions, and by which labelsets are likely as a whole.
 *
 *   neighbours  the 10 nearest of the window by D = |z - z'|^2/mean + .5 |x - x'|^2/mean, z = sqrt(p), with
 *               weights 1.5/(D + .075); q as of `neighbours`; their labelsets are candidates (subset.h)
 *   posterior   m_l: probability of the candidates that hold l
 *   p2 = sigmoid(sum_e (w_e + u_el) X_el), learned as of stack.h, from the inputs X
 *     0  1                                 start 0,   curvature 200, variance of u .01
 *     1  a = logit p                             1              200                   0
 *     2  clip(logit(.8 m + .2 p) - a, +-4)       .3              50                 .01
 *     3  clip(logit q - a, +-4)                  .1              50                 .01
 * p2 is what a model answers, and what every decision rule but the posterior uses. One thread. */
#ifndef HOMER_SECOND_H
#define HOMER_SECOND_H

#include "core/decide/rules.h"
#include "core/flat.h"

enum { HOMER_SECOND_INPUTS = 4 };

struct homer_second {
    struct homer_stack stack;
    struct homer_grid scratch;          /* f32 rows by label: the inputs, then others */
    float distance[HOMER_WINDOW_SLOTS]; /* scratch */
    struct homer_near near;             /* of the instance at hand */
    float *input[HOMER_SECOND_INPUTS];  /* rows of scratch */
};

void homer_second_init(struct homer_second *s, struct homer_mem *mem);
void homer_second_deinit(struct homer_second *s);
/* Room for that many labels; 0, or -ENOMEM and nothing visible changed. */
int homer_second_reserve(struct homer_second *s, uint32_t labels);
/* p: what f predicted last. Returns p2[labels known], borrowed until the next call; proposes labelsets in r
 * on the way, whose ranking it changes. No label yet: p, and no candidate. */
const float *homer_second_predict(struct homer_second *s, struct homer_flat *f, struct homer_rules *r,
                                  const float *p);
/* Learns the truth that f has prepared, before f learns it; `labels` are known with it. Returns their p2 as
 * it was predicted, 0 for the new ones; borrowed until the next predict. */
const float *homer_second_learn(struct homer_second *s, const struct homer_flat *f, uint32_t labels);
void homer_second_encode(const struct homer_second *s, uint32_t labels, struct homer_codec *c);
/* Into one that has learned nothing. */
void homer_second_decode(struct homer_second *s, uint32_t labels, struct homer_decoder *d);

#endif
