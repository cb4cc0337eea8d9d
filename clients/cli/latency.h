/* A histogram of durations whose relative error is bounded: buckets grow with the value, as in HdrHistogram.
 *
 * Values are nanoseconds. Below 128 each has a bucket of its own; above, every doubling is cut into 128 equal
 * buckets, so that a quantile, told as its bucket's middle, is wrong by at most 0.4 %. Values above 2^42 ns
 * (73 minutes) count in the last bucket; count, mean, least and most are exact. Fixed size, no allocation.
 * Pure.
 */
#ifndef HOMER_CLI_LATENCY_H
#define HOMER_CLI_LATENCY_H

#include <stddef.h>
#include <stdint.h>

enum {
    HOMER_LATENCY_CUT = 7,      /* log2 of the buckets a doubling */
    HOMER_LATENCY_HIGHEST = 42, /* log2 of the first value that has no bucket of its own */
    HOMER_LATENCY_BUCKETS = (HOMER_LATENCY_HIGHEST - HOMER_LATENCY_CUT + 1) << HOMER_LATENCY_CUT,
};

struct homer_latency {
    uint64_t bucket[HOMER_LATENCY_BUCKETS];
    uint64_t count, least, most; /* least and most of no value: 0 */
    double sum;
};

/* Zeroed memory is an empty histogram. */
void homer_latency_add(struct homer_latency *h, uint64_t ns);
/* Adds all of `other`. */
void homer_latency_merge(struct homer_latency *h, const struct homer_latency *other);

/* The least value that at least the share q (0 to 1) of all values does not pass; 0 of none. Between the
 * exact least and most. */
uint64_t homer_latency_quantile(const struct homer_latency *h, double q);
/* 0 of none. */
double homer_latency_mean(const struct homer_latency *h);
/* How many values are below `ns`, counted by whole buckets: exact where ns is a power of two from 128 on. */
uint64_t homer_latency_below(const struct homer_latency *h, uint64_t ns);
/* The first value of bucket i (0 to HOMER_LATENCY_BUCKETS; that of the bucket behind the last is where its
 * values end). */
uint64_t homer_latency_edge(size_t i);

#endif
