/* Decision rules: from the labels' probabilities to a labelset, one rule per objective.
 *
 *   example_f1  the k best labels that maximise 2 sum_{i<=k} p_i / (k + sum p); the empty set competes with
 *               prod(1 - p) min(1, 20 P(empty)), P(empty) as emptiness.h says
 *   micro_f1    one threshold: the F1 cut (histogram.h) of all past (p, y); .3 before there is any
 *   macro_f1    one threshold per label: the same on its own past, helped by 5 positives' worth of all; of a
 *               young label, which had 1, up to 5 or up to 20 positives: of those of all labels when they had
 *               as few (scores of young labels are lower), as soon as that pool has 10
 *   subset      see subset.h
 *   hamming     p > 1/2
 * Rules only choose: all of them learn from every instance whatever the objective is.
 *
 * Where they are `layered` (profile accurate) the labelset posterior is proposed for every instance, from
 * more candidates and from scores p of its own; the other rules get scores that know of it already. Then
 * example_f1 maximises the sum of the value above and of the F1 expected under the posterior, over the 24
 * best labels (the latter times the share of complete labellings in all that was told: the posterior learns
 * from no others), and both histograms, not the pools, count .1 y + .9 p as positive, the rest as negative:
 * truths are few where it matters, and scores are calibrated. A label is helped by 1 positive's worth, and
 * its own positives include the .9 p of scores in the lowest bin, which no cut reaches. */
#ifndef HOMER_DECIDE_RULES_H
#define HOMER_DECIDE_RULES_H

#include "core/decide/emptiness.h"
#include "core/decide/histogram.h"
#include "core/decide/labelsets.h"
#include "core/decide/rank.h"
#include "core/decide/subset.h"
#include "core/instance.h"

enum homer_objective {
    HOMER_EXAMPLE_F1 = 0,
    HOMER_MICRO_F1,
    HOMER_MACRO_F1,
    HOMER_SUBSET,
    HOMER_HAMMING,
    HOMER_OBJECTIVE_COUNT
};

struct homer_decide {
    enum homer_objective objective;
    double threshold; /* not NaN: labels with score >= threshold, instead of the objective's rule */
    uint32_t k;       /* > 0: the k best by score, before both */
};

enum { HOMER_YOUNG_POOLS = 3 };

struct homer_rules {
    struct homer_mem *mem;
    struct homer_histogram all;                      /* over all labels */
    struct homer_histogram young[HOMER_YOUNG_POOLS]; /* over all labels while they had 1, to 5, to 20 */
    struct homer_histogram *label;                   /* [labels] of cap */
    uint32_t *seen;                                  /* [labels] of cap: instances that had it */
    struct homer_labelsets sets;
    struct homer_emptiness emptiness;
    struct homer_subset subset;
    uint32_t cap;
    bool layered; /* profile accurate: homer_rules_propose comes before every decision, see above */

    const uint32_t
        *some; /* [some_n] ascending, borrowed: labels ranked last, all others have p = 0; NULL: all */
    uint32_t some_n;

    /* scratch, [cap] each */
    uint32_t *rank; /* labels of the last prediction, best first */
    uint32_t ranks;
    uint32_t *out;   /* the labelset chosen last */
    uint32_t *place; /* all 0: by label, 1 + its place in the ranking while that is needed */
};

void homer_rules_init(struct homer_rules *r, struct homer_mem *mem, const uint8_t hash_key[16], bool layered);
void homer_rules_deinit(struct homer_rules *r);
/* Room for `labels` labels and for counting the labelset of x. 0, or -ENOMEM and nothing visible changed. */
int homer_rules_reserve(struct homer_rules *r, const struct homer_instance *x, uint32_t labels);

/* Ranks p[labels]; every other call below refers to the last ranking. */
void homer_rules_rank(struct homer_rules *r, const float *p, uint32_t labels);
/* The same where only some[n], ascending, have p > 0, or may have it; borrowed as long as those calls come. A
 * label that is not among them is never chosen. */
void homer_rules_rank_some(struct homer_rules *r, const float *p, const uint32_t *some, uint32_t n);
/* Proposes labelsets from p[labels], ranked last, and what else tells: the posterior of r->subset. */
void homer_rules_propose(struct homer_rules *r, const float *p, uint32_t labels,
                         const struct homer_near_sets *near);
/* The labelset for that objective: ids best first, borrowed until the next call; *n. */
const uint32_t *homer_rules_choose(struct homer_rules *r, const float *p, uint32_t labels,
                                   const struct homer_decide *d, uint32_t *n);
/* Learns the truth of x, whose scores were p[labels] (ranked last; labels that are new since: p = 0). */
void homer_rules_learn(struct homer_rules *r, const float *p, const struct homer_instance *x,
                       uint32_t labels);
void homer_rules_encode(const struct homer_rules *r, uint32_t labels, struct homer_codec *c);
/* Into rules that have learned nothing. */
void homer_rules_decode(struct homer_rules *r, uint32_t labels, struct homer_decoder *d);

#endif
