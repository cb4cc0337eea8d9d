/* What a leaf of a tree knows about its instances, for m labels: class counts, and per feature an observer.
 *
 *   dense features    Gaussian: weight, mean, sum of squared deviations of all values, and of those where
 * label l is true sparse features   presence: weight T of the instances that had it, and a_l of those where l
 * is true; an absent one is an implicit zero and costs nothing What naive Bayes needs of them is kept
 * computed, because a leaf is asked far more often than it changes: a Gaussian's three coefficients are
 * renewed whenever the leaf's weight has grown by a quarter, a presence observer's evidence
 * whenever a count of a label changes or T has grown by a quarter. Renewal happens in homer_stats_add only,
 * so that asking changes nothing. A feature is what it was when the leaf first saw it as such. All counts are
 * halved when the leaf's weight passes 2^22, so that float32 never stops counting. Per-label arrays have
 * `stride` elements, m rounded up to 8. Memory is charged to the forest's mem; growth happens only in
 * homer_stats_reserve. One thread. */
#ifndef HOMER_TREE_STATS_H
#define HOMER_TREE_STATS_H

#include "core/base/codec.h"
#include "core/base/mem.h"
#include "core/leaf/frame.h"

/* Per label and Gaussian observer: weight, mean and squared deviations of the positives' values (less the
 * shift); evidence: the log-likelihood ratio of a value is k0 + k1 x + k2 x^2, x = value - shift. Per label
 * and presence observer: a_l; evidence ln (a+2q)/(T-a+2q). */
enum { HOMER_N1 = 0, HOMER_MEAN1, HOMER_M2_1, HOMER_K0, HOMER_K1, HOMER_K2, HOMER_GAUSS_ROWS };
enum { HOMER_WITH = 0, HOMER_EVIDENCE, HOMER_PRESENCE_ROWS };

struct homer_gauss {
    uint32_t feature;
    float shift; /* first value seen: moments are of value - shift, which keeps them exact */
    float n, mean, m2;
    float told; /* n when its evidence was computed */
};

struct homer_presence {
    uint32_t feature;
    float t;    /* weight of instances that had it */
    float next; /* t at which its evidence is computed anew although no label's count has changed */
};

struct homer_stats {
    struct homer_mem *mem;
    uint32_t m, stride;
    double n;     /* weight */
    float *c;     /* [stride] weight of positives */
    float *loss;  /* [2][stride] faded log-loss of class counts, of naive Bayes */
    float *prior; /* [stride] share of positives that the parent expected here */
    float *base;  /* [stride] ln (n-c+2)/(c+2): what presence evidence has in common */

    struct homer_gauss *gauss; /* [gauss_n] of gauss_cap */
    float *moments;            /* [gauss_cap][HOMER_GAUSS_ROWS][stride] */
    double refresh;            /* weight at which the curves are computed anew */
    uint32_t gauss_n, gauss_cap;

    struct homer_presence *presence; /* [presence_n] of presence_cap */
    float *with;                     /* [presence_cap][HOMER_PRESENCE_ROWS][stride] */
    uint32_t presence_n, presence_cap;

    uint64_t
        *index; /* [index_n], a power of two: feature << 32 | (place + 1) << 1 | (1 for gauss); 0 = free */
    uint32_t index_n;
};

int homer_stats_new(struct homer_stats **out, struct homer_mem *mem, uint32_t m);
struct homer_stats *homer_stats_free(struct homer_stats *s);

/* Room for the frame's observers. 0, or -ENOMEM; nothing visible changes. */
int homer_stats_reserve(struct homer_stats *s, const struct homer_frame *f);
/* Counts the frame's instance; on[on_n]: the columns that are true, the others are false. Features without an
 * observer get one while there is room. */
void homer_stats_add(struct homer_stats *s, const struct homer_frame *f, const uint32_t *on, uint32_t on_n,
                     double weight);

/* Computes all evidence anew, as after counts were set from outside. */
void homer_stats_refresh(struct homer_stats *s);

/* Returns how many features of the frame have no observer. Naive Bayes: llr[stride] = sum over features of
 * the clipped log-likelihood ratios of present evidence, clipped to +-10. Gaussian moments are shrunk to the
 * totals with 3 pseudo-instances, variances at least 1 % of the total; presence: log (a+2q)/(c+2) over
 * (T-a+2q)/(n-c+2), q = (T+.5)/(n+1). */
uint32_t homer_stats_bayes(const struct homer_stats *s, const struct homer_frame *f, float *llr);

/* A copy whose m columns are source[k] of s, or neutral where source[k] is UINT32_MAX: share[k] of the totals
 * are true there. */
int homer_stats_remap(struct homer_stats **out, const struct homer_stats *s, const uint32_t *source,
                      uint32_t m, const float *share);
/* Empty counts, but with the Gaussian observers of s, scaled later; not the one of `without`. Presence
 * observers start anew. */
int homer_stats_seed(struct homer_stats **out, const struct homer_stats *s, uint32_t without);
/* Scales the seeded Gaussian observers to the weight n and the class counts c that were set since. */
void homer_stats_rescale(struct homer_stats *s);
/* Frees the observers; class counts stay. */
void homer_stats_drop(struct homer_stats *s);
/* Of what it holds, spare room left out: the same for the same history. */
size_t homer_stats_bytes(const struct homer_stats *s);
/* stats_codec.c; decode: into one just made, of as many labels, in a model that knows so many features. */
void homer_stats_encode(const struct homer_stats *s, struct homer_codec *c);
void homer_stats_decode(struct homer_stats *s, uint32_t features, struct homer_decoder *d);

/* Place of a feature's observer of that kind in gauss or presence; UINT32_MAX when it has none. */
uint32_t homer_stats_find(const struct homer_stats *s, uint32_t feature, bool gauss);

/* The same of a dense feature, the i-th of its frame: mostly the observers stand in the frame's order. */
static inline uint32_t homer_stats_find_gauss(const struct homer_stats *s, uint32_t feature, uint32_t i) {
    return i < s->gauss_n && s->gauss[i].feature == feature ? i : homer_stats_find(s, feature, true);
}

/* [stride] row of a Gaussian observer. */
static inline float *homer_stats_gauss(const struct homer_stats *s, uint32_t place, int row) {
    return s->moments + ((size_t)place * HOMER_GAUSS_ROWS + (size_t)row) * s->stride;
}

/* [stride] row of a presence observer. */
static inline float *homer_stats_presence(const struct homer_stats *s, uint32_t place, int row) {
    return s->with + ((size_t)place * HOMER_PRESENCE_ROWS + (size_t)row) * s->stride;
}

/* bytes of one observer's rows */
#define HOMER_GAUSS_BYTES(s) (HOMER_GAUSS_ROWS * (s)->stride * sizeof(float))
#define HOMER_PRESENCE_BYTES(s) (HOMER_PRESENCE_ROWS * (s)->stride * sizeof(float))
enum {
    HOMER_STATS_FIRST = 8,  /* observers there is room for at first; more by halves */
    HOMER_STATS_AHEAD = 32, /* looked up before any is read: their rows lie scattered, and memory can fetch
                               several at a time */
};

/* Enters an observer of that kind, 1 for gauss, into the index, where there is a place free. */
void homer_stats_enter(struct homer_stats *s, uint32_t feature, uint32_t gauss, uint32_t place);

/* For homer_stats_add: the evidence of presence observers place[n]; the bases, and the curves when it is
 * time.
 */
void homer_stats_refresh_presence(struct homer_stats *s, const uint32_t *place, uint32_t n);
void homer_stats_refresh_curves(struct homer_stats *s);

#endif
