/* Histogram of past (score, truth) pairs in 40 equal bins of [0, 1]: where F1 is best cut. Weighted counts.
 */
#ifndef HOMER_DECIDE_HISTOGRAM_H
#define HOMER_DECIDE_HISTOGRAM_H

#include <stdint.h>

enum { HOMER_BINS = 40 };

struct homer_histogram {
    double positive[HOMER_BINS];
    double negative[HOMER_BINS]; /* of bin 0 they are not counted: no cut lies below it */
};

static inline uint32_t homer_histogram_bin(float p) {
    float b = p * (float)HOMER_BINS;
    return b < (float)HOMER_BINS ? (uint32_t)b : HOMER_BINS - 1;
}

static inline void homer_histogram_add(struct homer_histogram *h, uint32_t bin, int y, double weight) {
    *(y ? &h->positive[bin] : &h->negative[bin]) += weight;
}

double homer_histogram_positives(const struct homer_histogram *h);

/* The threshold for F1 = 2TP/(2TP + FP + FN) on h + scale * more: the mean of the multiple of 1/40, from 1/40
 * on, that was best (among equals the one nearest above), and of half of the best F1, where the optimum of
 * calibrated scores lies (Lipton, Elkan, Naryanaswamy 2014); `start` when no cut has a true positive. more
 * may be NULL. */
float homer_histogram_cut(const struct homer_histogram *h, const struct homer_histogram *more, double scale,
                          float start);

#endif
