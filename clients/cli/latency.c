#include "clients/cli/latency.h"

enum { CUT = HOMER_LATENCY_CUT };

/* Value v >= 2^CUT with its highest bit at e: doubling e - CUT + 1, and in it the CUT bits behind the
 * highest. */
static size_t bucket_of(uint64_t v) {
    if (v >> HOMER_LATENCY_HIGHEST) return HOMER_LATENCY_BUCKETS - 1;
    if (v >> CUT == 0) return (size_t)v;
    unsigned shift = 63u - (unsigned)__builtin_clzll(v) - CUT;
    return ((size_t)shift << CUT) + (size_t)(v >> shift);
}

uint64_t homer_latency_edge(size_t i) {
    if (i >> CUT == 0) return i;
    size_t shift = (i >> CUT) - 1;
    return (uint64_t)(i - (shift << CUT)) << shift;
}

void homer_latency_add(struct homer_latency *h, uint64_t ns) {
    h->bucket[bucket_of(ns)]++;
    if (h->count == 0 || ns < h->least) h->least = ns;
    if (ns > h->most) h->most = ns;
    h->count++;
    h->sum += (double)ns;
}

void homer_latency_merge(struct homer_latency *h, const struct homer_latency *other) {
    if (other->count == 0) return;
    for (size_t i = 0; i < HOMER_LATENCY_BUCKETS; i++) h->bucket[i] += other->bucket[i];
    if (h->count == 0 || other->least < h->least) h->least = other->least;
    if (other->most > h->most) h->most = other->most;
    h->count += other->count;
    h->sum += other->sum;
}

uint64_t homer_latency_quantile(const struct homer_latency *h, double q) {
    double wanted = q * (double)h->count;
    uint64_t seen = 0;
    for (size_t i = 0; i < HOMER_LATENCY_BUCKETS && h->count; i++) {
        seen += h->bucket[i];
        if (h->bucket[i] == 0 || (double)seen < wanted) continue;
        if (seen == h->count && i == HOMER_LATENCY_BUCKETS - 1) break; /* its values have no end */
        uint64_t low = homer_latency_edge(i), high = homer_latency_edge(i + 1) - 1,
                 v = low + (high - low) / 2;
        return v < h->least ? h->least : v > h->most ? h->most : v;
    }
    return h->most;
}

double homer_latency_mean(const struct homer_latency *h) {
    return h->count ? h->sum / (double)h->count : 0;
}

uint64_t homer_latency_below(const struct homer_latency *h, uint64_t ns) {
    uint64_t seen = 0;
    for (size_t i = 0; i < HOMER_LATENCY_BUCKETS && homer_latency_edge(i + 1) <= ns; i++)
        seen += h->bucket[i];
    return seen;
}
