/* How often the labelset is empty, from complete and from partial labellings.
 *
 * A complete labelling tells. A partial one with a true label is not empty; one without may be. Non-empty
 * ones show themselves: with m the mean size of the non-empty, sizes 1 + Poisson(m - 1), and the share r of
 * the labels told at random, a non-empty labelset shows a true label with probability
 *     d = 1 - (1 - r) exp(-(m - 1) r),
 * so that of instances with sum D of d, of which s showed one, D - s is expected to be empty:
 *     P(empty) = (empty + max(D - s, 0) + .5)/(n + max(D, s) + 1),    empty of n complete labellings.
 * m = (cardinality)/(1 - r P(empty)), at least 1; cardinality: true labels told over the sum of r. Where
 * little is told, many empty labelsets and small other ones look the same; the factor r makes the estimate
 * the lower one then, and keeps early chance from feeding on itself. Plain data; one thread. */
#ifndef HOMER_DECIDE_EMPTINESS_H
#define HOMER_DECIDE_EMPTINESS_H

#include "core/base/codec.h"
#include "core/instance.h"

struct homer_emptiness {
    uint64_t n, empty;        /* complete labellings */
    double expected, shown;   /* D, s: of partial ones */
    double told, true_labels; /* of all: sum of r, true labels */
};

double homer_emptiness_probability(const struct homer_emptiness *e);
/* Complete labellings, as a share of all that was told (a partial one counts as much as it tells); 0 before
 * anything was. */
double homer_emptiness_complete(const struct homer_emptiness *e);
/* Learns the labelling of x when `labels` labels are known. */
void homer_emptiness_learn(struct homer_emptiness *e, const struct homer_instance *x, uint32_t labels);
void homer_emptiness_encode(const struct homer_emptiness *e, struct homer_codec *c);
void homer_emptiness_decode(struct homer_emptiness *e, struct homer_decoder *d);

#endif
