/* A seeded random generator: xoshiro256** 1.0 (Blackman, Vigna 2018), its state filled by SplitMix64 (Steele,
 * Lea, Flood 2014) from one 64-bit seed. The same seed gives the same numbers on every machine. Not for
 * secrets. Owned by whoever holds the struct; one thread. */
#ifndef HOMER_BASE_RNG_H
#define HOMER_BASE_RNG_H

#include "core/base/codec.h"

struct homer_rng {
    uint64_t s[4]; /* never all zero */
};

void homer_rng_seed(struct homer_rng *r, uint64_t seed);

/* 64 uniform bits. */
uint64_t homer_rng_next(struct homer_rng *r);

/* Uniform in [0, 1): the upper 53 bits. */
double homer_rng_unit(struct homer_rng *r);

/* One step of SplitMix64 from the state z: scatters numbers that lie close. */
static inline uint64_t homer_rng_mix(uint64_t z) {
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void homer_rng_encode(const struct homer_rng *r, struct homer_codec *c);
void homer_rng_decode(struct homer_rng *r, struct homer_decoder *d);

#endif
