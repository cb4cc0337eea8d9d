/* Events per second over the last ten seconds, in constant space: one counter a second. Times are monotonic
 * milliseconds from the caller; pure; one thread. */
#ifndef HOMER_DAEMON_RATE_H
#define HOMER_DAEMON_RATE_H

#include <stdint.h>

enum { HOMER_RATE_SECONDS = 10, HOMER_RATE_SLOTS = 16 };

struct homer_rate {
    uint64_t started_ms;
    uint64_t total;
    uint64_t second[HOMER_RATE_SLOTS]; /* which second a slot counts */
    uint64_t count[HOMER_RATE_SLOTS];
};

static inline void homer_rate_init(struct homer_rate *r, uint64_t now_ms) {
    *r = (struct homer_rate){.started_ms = now_ms};
}

static inline void homer_rate_add(struct homer_rate *r, uint64_t now_ms) {
    uint64_t second = now_ms / 1000;
    unsigned i = (unsigned)(second % HOMER_RATE_SLOTS);
    if (r->second[i] != second) r->second[i] = second, r->count[i] = 0;
    r->count[i]++;
    r->total++;
}

/* Per second since the start; 0 in the first millisecond. */
static inline double homer_rate_overall(const struct homer_rate *r, uint64_t now_ms) {
    return now_ms > r->started_ms ? (double)r->total * 1e3 / (double)(now_ms - r->started_ms) : 0;
}

/* Per second over the last ten whole seconds and the one that runs (or since the start, if that is later). */
static inline double homer_rate_recent(const struct homer_rate *r, uint64_t now_ms) {
    uint64_t now = now_ms / 1000, first = now > HOMER_RATE_SECONDS ? now - HOMER_RATE_SECONDS : 0, n = 0;
    for (int i = 0; i < HOMER_RATE_SLOTS; i++)
        if (r->second[i] >= first && r->second[i] <= now) n += r->count[i];
    uint64_t from = first * 1000 > r->started_ms ? first * 1000 : r->started_ms;
    return now_ms > from ? (double)n * 1e3 / (double)(now_ms - from) : 0;
}

#endif
