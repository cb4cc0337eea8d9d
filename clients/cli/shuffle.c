#include "clients/cli/shuffle.h"

enum { N = 624, M = 397 };

struct mt {
    uint32_t s[N];
    unsigned at; /* words used of s; N = all */
};

static void mt_seed(struct mt *m, uint32_t seed) {
    m->s[0] = seed;
    for (uint32_t i = 1; i < N; i++) m->s[i] = 1812433253u * (m->s[i - 1] ^ (m->s[i - 1] >> 30)) + i;
    m->at = N;
}

static void mt_seed_array(struct mt *m, const uint32_t *key, uint32_t key_n) {
    mt_seed(m, 19650218u);
    uint32_t i = 1, j = 0, *s = m->s;
    for (uint32_t k = N > key_n ? N : key_n; k; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + key[j] + j;
        if (++i == N) {
            s[0] = s[N - 1];
            i = 1;
        }
        if (++j == key_n) j = 0;
    }
    for (uint32_t k = N - 1; k; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) - i;
        if (++i == N) {
            s[0] = s[N - 1];
            i = 1;
        }
    }
    s[0] = 0x80000000u;
}

static uint32_t mt_next(struct mt *m) {
    if (m->at == N) {
        for (unsigned i = 0; i < N; i++) {
            uint32_t y = (m->s[i] & 0x80000000u) | (m->s[(i + 1) % N] & 0x7fffffffu);
            m->s[i] = m->s[(i + M) % N] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        m->at = 0;
    }
    uint32_t y = m->s[m->at++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* An index in [0, n): the bits that n needs, which Python counts for n itself, not for n - 1. */
static uint32_t below(struct mt *m, uint32_t n) {
    unsigned bits = 32 - (unsigned)__builtin_clz(n);
    uint32_t r;
    do r = mt_next(m) >> (32 - bits);
    while (r >= n);
    return r;
}

void homer_shuffle(uint64_t seed, uint32_t *order, uint32_t n) {
    struct mt m;
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    mt_seed_array(&m, key, key[1] ? 2 : 1);
    for (uint32_t i = 0; i < n; i++) order[i] = i;
    for (uint32_t i = n; i-- > 1;) {
        uint32_t j = below(&m, i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
}
