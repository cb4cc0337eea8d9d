/* A histogram of durations whose relative error is bounded: buckets grow with the value, as in HdrHistogram.
 *
 * Values are nanoseconds. Below 128 each has a bucket of its own; above, every doubling is cut into 128 equal
 * buckets, so that a quantile, told as its bucket's middle, is wrong by at most 0.4 %. Values above 2^42 ns
 * (73 minutes) count in the last bucket; count, mean, least and most are exact. Fixed size, no allocation.
 * Pure.
 */
#ifndef HOMER_CLI_HISTOGRAM_H
#define HOMER_CLI_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HOMER_HISTOGRAM_CUT = 7,      /* log2 of the buckets a doubling */
    HOMER_HISTOGRAM_HIGHEST = 42, /* log2 of the first value that has no bucket of its own */
    HOMER_HISTOGRAM_BUCKETS = (HOMER_HISTOGRAM_HIGHEST - HOMER_HISTOGRAM_CUT + 1) << HOMER_HISTOGRAM_CUT,
};

struct homer_histogram {
    uint64_t bucket[HOMER_HISTOGRAM_BUCKETS];
    uint64_t count, least, most; /* least and most of no value: 0 */
    double sum;
};

/* Zeroed memory is an empty histogram. */
void homer_histogram_add(struct homer_histogram *h, uint64_t ns);
/* Adds all of `other`. */
void homer_histogram_merge(struct homer_histogram *h, const struct homer_histogram *other);

/* The least value that at least the share q (0 to 1) of all values does not pass; 0 of none. Between the
 * exact least and most. */
uint64_t homer_histogram_quantile(const struct homer_histogram *h, double q);
/* 0 of none. */
double homer_histogram_mean(const struct homer_histogram *h);
/* How many values are below `ns`, counted by whole buckets: exact where ns is a power of two from 128 on. */
uint64_t homer_histogram_below(const struct homer_histogram *h, uint64_t ns);
/* The first value of bucket i (0 to HOMER_HISTOGRAM_BUCKETS; that of the bucket behind the last is where its
 * values end). */
uint64_t homer_histogram_edge(size_t i);

#endif
