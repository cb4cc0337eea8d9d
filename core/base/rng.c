#include "core/base/rng.h"

static inline uint64_t rotate(uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
}

void homer_rng_seed(struct homer_rng *r, uint64_t seed) {
    for (int i = 0; i < 4; i++, seed += 0x9e3779b97f4a7c15u) r->s[i] = homer_rng_mix(seed);
}

uint64_t homer_rng_next(struct homer_rng *r) {
    uint64_t *s = r->s;
    uint64_t out = rotate(s[1] * 5, 7) * 9, carried = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= carried;
    s[3] = rotate(s[3], 45);
    return out;
}

double homer_rng_unit(struct homer_rng *r) {
    return (double)(homer_rng_next(r) >> 11) * 0x1p-53;
}

void homer_rng_encode(const struct homer_rng *r, struct homer_codec *c) {
    homer_put_u64s(c, r->s, 4);
}

void homer_rng_decode(struct homer_rng *r, struct homer_decoder *d) {
    homer_get_u64s(d, r->s, 4);
    homer_get_holds(d, r->s[0] || r->s[1] || r->s[2] || r->s[3]);
}
