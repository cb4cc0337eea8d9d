/* Cuts a set of labels in two by how they co-occur, and rates such cuts.
 *
 * The set is loaded as a graph: one vertex a label, ranked by frequency (ties: smaller id), one edge a pair
 * that has co-occurred, with its weight of instances and its Jaccard similarity J. Everything below speaks in
 * ranks, so that renaming the labels does not change a result unless frequencies tie.
 *
 * find: ODAC's pivots with support. p = the most frequent label; q maximises 1 - J_pq - sqrt(ln(1/delta) / (2
 * min(n_p, n_q))); a second start takes the farthest from q in place of p. The others join the side of larger
 * average linkage, largest difference first; labels without links join the smaller side, most frequent first.
 * Each side holds at least a fifth. Passes of single moves then lower the normalised cut; the better start
 * wins.
 *
 * Cost: O(m K) to load, about O(m K + 64 m) to find. Scratch only: no state outlives a call of the owner;
 * nothing here allocates but reserve. One thread. */
#ifndef HOMER_LABELS_BIPARTITION_H
#define HOMER_LABELS_BIPARTITION_H

#include "core/labels/cooccur.h"

struct homer_edge {
    uint32_t to;      /* rank */
    float similarity; /* J */
    double both;      /* weight of the instances with both labels */
};

struct homer_ranked {
    double key;
    uint32_t of;
};

struct homer_bipartition {
    struct homer_mem *mem;
    const struct homer_cooccur *counts; /* as of the last load */
    uint32_t m;                         /* labels in the set */
    uint32_t cap;                       /* labels there is room for */
    size_t edge_cap;
    uint32_t *label;           /* [m] by rank */
    uint32_t *rank;            /* [cap] by label; UINT32_MAX: not in the set */
    uint8_t *side;             /* [m] 0 or 1: the cut that find made, or that rate is to judge */
    uint8_t *other;            /* [m] the other start */
    size_t *first;             /* [m] where the edges of a rank start */
    uint32_t *degree;          /* [m] and how many they are */
    struct homer_edge *edge;   /* [edge_cap] */
    uint32_t *open;            /* [m] ranks that have no side yet */
    double *strength;          /* [m] sum of the J of a rank's edges */
    double *link[2];           /* [m] sum of J to either side */
    struct homer_ranked *heap; /* [cap] */
};

/* What a cut is worth. Pair events are in instances, faded. */
struct homer_cut {
    double pairs;      /* P: pair events inside the set */
    double cut;        /* f: share of them that the cut separates */
    double expected;   /* f0: share that a random graph of the same degrees would lose */
    double gain;       /* f0 - f; 0 without pairs */
    double error;      /* sqrt(ln(1/delta) / (2 P)); very large without pairs */
    double normalised; /* cut/vol_A + cut/vol_B in J */
};

void homer_bipartition_init(struct homer_bipartition *b, struct homer_mem *mem);
void homer_bipartition_deinit(struct homer_bipartition *b);

/* Room for sets of `labels` labels that have `pairs` neighbours stored; 0, or -ENOMEM with nothing changed.
 */
int homer_bipartition_reserve(struct homer_bipartition *b, uint32_t labels, uint64_t pairs);

/* Loads the set[0..m), m >= 1. */
void homer_bipartition_load(struct homer_bipartition *b, const struct homer_cooccur *c, const uint32_t *set,
                            uint32_t m);

/* Cuts the loaded set, m >= 2, into `side`. log_delta = ln(1/delta). */
void homer_bipartition_find(struct homer_bipartition *b, double log_delta);

/* Rates the cut in `side` of the loaded set. */
void homer_bipartition_rate(const struct homer_bipartition *b, double log_delta, struct homer_cut *out);

/* Labels a side must hold at least in a set of m. */
static inline uint32_t homer_bipartition_least(uint32_t m) {
    return (m + 4) / 5;
}

#endif
