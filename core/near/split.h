/* Draws splits of a node of a growing tree, and judges them by the instances of a sample (sample.h) that are
 * in the node. Works in the grower's scratch, draws from its rng; one thread. */
#ifndef HOMER_NEAR_SPLIT_H
#define HOMER_NEAR_SPLIT_H

#include "core/near/grower.h"

enum { HOMER_LEAST = 2 }; /* instances of a leaf */

/* What is left to be split: its instances, and those of the sample among them. Where these are all, `slot` is
 * not kept in order any more. */
struct homer_part {
    uint32_t *slot;
    uint8_t *id;
    uint32_t n, size, take; /* take: of the sample that the ids are of */
};

/* A node's instances of the sample. */
struct homer_sight {
    uint64_t set[HOMER_SAMPLE_WORDS];
    uint32_t entries; /* sparse ones */
    uint32_t labels;  /* that have a count */
    uint32_t trues;   /* sum of the counts */
    double squares;   /* sum of squared counts of positives */
    double worth;     /* the score of the node unsplit */
    bool pure;
};

struct homer_split {
    uint32_t feature;
    float threshold;
    bool dense;
    double score;
    uint64_t right[HOMER_SAMPLE_WORDS];
};

/* How many of a node's n instances tell the label. */
static inline float homer_split_told_by(const struct homer_grower *g, uint32_t label, uint32_t n) {
    return g->told.partial ? homer_told_by(&g->told, label) : (float)n;
}

/* Counts the positives of the node's instances of the sample: all[label[labels]], which are 0 before. */
struct homer_sight homer_split_look(struct homer_grower *g, const struct homer_part *p);
/* Draws a feature and a threshold; they replace *best where they are worth more. */
void homer_split_draw(struct homer_grower *g, const struct homer_part *p, const struct homer_sight *v,
                      struct homer_split *best);
/* Fills right[slot] of all the node's instances. */
void homer_split_mark(struct homer_grower *g, const struct homer_part *p, const struct homer_split *s);

#endif
