/* What the tests of the core share: cmocka, a seeded generator, closeness of numbers, an accounted memory
 * that must end empty. */
#ifndef HOMER_TESTS_CORE_FIXTURE_H
#define HOMER_TESTS_CORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

static const uint8_t fixture_key[16] = "core tests";

/* SplitMix64 (Steele, Lea, Flood 2014). */
struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *d) {
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Below n, n > 0. */
static inline uint32_t dice_below(struct dice *d, uint32_t n) {
    return (uint32_t)((dice_next(d) >> 32) * n >> 32);
}

/* In [0, 1). */
static inline double dice_unit(struct dice *d) {
    return (double)(dice_next(d) >> 11) * 0x1p-53;
}

static inline bool dice_chance(struct dice *d, double p) {
    return dice_unit(d) < p;
}

/* Near normal: mean 0, deviation 1. */
static inline double dice_normal(struct dice *d) {
    double sum = -6;
    for (int i = 0; i < 12; i++) sum += dice_unit(d);
    return sum;
}

static inline uint64_t bits_of(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

/* |got - expected| <= within * max(1, |expected|), and both numbers. */
#define assert_close(got, expected, within)                                                                  \
    do {                                                                                                     \
        double got_ = (double)(got), expected_ = (double)(expected);                                         \
        double room_ = (within) * (fabs(expected_) > 1 ? fabs(expected_) : 1);                               \
        if (!(fabs(got_ - expected_) <= room_))                                                              \
            fail_msg("%s = %.12g, expected %.12g (%s)", #got, got_, expected_, #expected);                   \
    } while (0)

/* The same bits. */
#define assert_same(got, expected)                                                                           \
    do {                                                                                                     \
        double got_ = (double)(got), expected_ = (double)(expected);                                         \
        if (bits_of(got_) != bits_of(expected_))                                                             \
            fail_msg("%s = %.17g, expected %.17g exactly", #got, got_, expected_);                           \
    } while (0)

static inline int fixture_by_id(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

#endif
