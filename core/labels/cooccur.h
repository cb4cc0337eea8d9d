/* How often labels occur and occur together: faded counts in bounded memory, and the Jaccard similarity from
 * them.
 *
 * Fading is implicit: the weight W of an instance grows by 1/lambda from one to the next, so that count / W
 * is sum lambda^age; at 1e6 everything is divided by W. Each label keeps at most K neighbours. When they are
 * full, a new one replaces the neighbour of the smallest count m with probability W / (m + W) and takes over
 * m + W (space-saving with randomised admission: Basat, Einziger, Friedman, Kassner 2017), so counts are
 * exact until then. Of a pair's two copies the larger one counts; it never counts more than the rarer label.
 *
 * Owner: one thread. Memory is charged to `mem`; only reserve allocates. */
#ifndef HOMER_LABELS_COOCCUR_H
#define HOMER_LABELS_COOCCUR_H

#include "core/base/mem.h"
#include "core/base/rng.h"

struct homer_cooccur {
    struct homer_mem *mem;
    double lambda;
    double weight;       /* W, of the latest instance */
    uint32_t k;          /* neighbours a label may have */
    uint32_t labels;     /* labels known */
    uint32_t cap;        /* labels there is room for */
    uint64_t pairs;      /* neighbours stored, over all labels */
    double seen;         /* weight of all instances */
    double *unknown;     /* [cap] and of those that the label's counts know nothing of any more */
    double *n;           /* [cap] weight of the instances with the label */
    uint32_t *used;      /* [cap] neighbours the label has */
    uint32_t *least;     /* [cap] of full lists: where the smallest count stands (ties: smaller id) */
    uint32_t *neighbour; /* [cap][k] */
    double *count;       /* [cap][k] weight of the instances with both */
    struct homer_rng rng;
};

void homer_cooccur_init(struct homer_cooccur *c, struct homer_mem *mem, double lambda, uint32_t k,
                        uint64_t seed);
void homer_cooccur_deinit(struct homer_cooccur *c);

/* Room for `labels` labels; 0, or -ENOMEM with nothing changed. */
int homer_cooccur_reserve(struct homer_cooccur *c, uint32_t labels);

/* Counts one instance: y[0..n) ascending, all below `labels`, for which there is room. Returns the factor by
 * which every count was just multiplied: 1 but for the rare rescaling; whoever holds sums of weights
 * multiplies them too. */
double homer_cooccur_learn(struct homer_cooccur *c, const uint32_t *y, uint32_t n, uint32_t labels);

/* Where j stands among the neighbours of i; c->k: nowhere. */
uint32_t homer_cooccur_find(const struct homer_cooccur *c, uint32_t i, uint32_t j);

/* Instances with label i; with both i and j; faded. */
double homer_cooccur_label(const struct homer_cooccur *c, uint32_t i);
double homer_cooccur_pair(const struct homer_cooccur *c, uint32_t i, uint32_t j);

/* The similarity that belongs to weight `both` of the pair i, j: both / (n_i + n_j - both + 2 W); 2 W smooths
 * rare labels. */
static inline double homer_cooccur_similarity(const struct homer_cooccur *c, uint32_t i, uint32_t j,
                                              double both) {
    return both / (c->n[i] + c->n[j] - both + 2 * c->weight);
}

/* Jaccard similarity of two labels, in [0, 1). */
double homer_cooccur_jaccard(const struct homer_cooccur *c, uint32_t i, uint32_t j);

/* What is known of the labels set[0..n), alone and with others, shrinks to what that many instances amount
 * to, where it is more: the past counts less. rank[l] == UINT32_MAX for labels outside the set. */
void homer_cooccur_forget(struct homer_cooccur *c, const uint32_t *set, uint32_t n, const uint32_t *rank,
                          double instances);

void homer_cooccur_encode(const struct homer_cooccur *c, struct homer_codec *codec);
/* Into one that has counted nothing. */
void homer_cooccur_decode(struct homer_cooccur *c, uint32_t labels, struct homer_decoder *d);

#endif
