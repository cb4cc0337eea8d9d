/* Numbers: exponential, logarithm, sigmoid, logit in float32, written out so that loops over them vectorise
 * and every machine gives the same bits (libm's differ between versions and processors). Relative error below
 * 3e-7 for exp, 2e-7 for log; monotone but for one unit in the last place between neighbouring floats. The
 * logarithm in double, for decisions: relative error below 5e-16. Pure. */
#ifndef HOMER_BASE_NUM_H
#define HOMER_BASE_NUM_H

#include <stdint.h>
#include <string.h>

/* Marks a function whose loops run over labels, one label a lane: it is compiled for AVX2 as well and the
 * machine's better version is chosen at start. Lanes do not touch each other and AVX2 has no fused
 * multiply-add, so that both give the same bits. Left out under sanitizers, which are not ready when the
 * choice is made, and by clang, whose choice has a name that other files do not find. */
#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)
#define HOMER_WIDE
#endif
#if !defined(HOMER_WIDE) && defined(__x86_64__) && defined(__linux__)
#define HOMER_WIDE __attribute__((target_clones("avx2", "default")))
#elif !defined(HOMER_WIDE)
#define HOMER_WIDE
#endif

static inline float homer_bits_to_float(uint32_t u) {
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline uint32_t homer_float_to_bits(float f) {
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline float homer_clip(float x, float low, float high) {
    float a = x < low ? low : x;
    return a > high ? high : a;
}

/* e^x, x clipped to [-87, 88], what is no number to -87. Range reduction by powers of two, then the degree-6
 * Taylor polynomial. */
static inline float homer_exp(float x) {
    x = x > -87.0f ? x : -87.0f;
    x = x < 88.0f ? x : 88.0f;
    float k = (x * 1.44269504f + 12582912.0f) - 12582912.0f; /* nearest integer of x / ln 2 */
    float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;   /* ln 2 in two parts; |r| <= .35 */
    float p = 1.3888889e-3f;
    p = p * r + 8.3333333e-3f;
    p = p * r + 4.1666667e-2f;
    p = p * r + 1.6666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return p * homer_bits_to_float((uint32_t)((int32_t)k + 127) << 23);
}

/* ln x for normal x > 0: ln m + e ln 2 with m in [sqrt(.5), sqrt(2)), ln m = 2 artanh((m-1)/(m+1)) as a
 * series. */
static inline float homer_log(float x) {
    uint32_t u = homer_float_to_bits(x) - 0x3f3504f3u;
    float e = (float)((int32_t)u >> 23);
    float m = homer_bits_to_float((u & 0x007fffffu) + 0x3f3504f3u);
    float s = (m - 1.0f) / (m + 1.0f), t = s * s;
    float p = 1.1111111e-1f;
    p = p * t + 1.4285714e-1f;
    p = p * t + 2.0e-1f;
    p = p * t + 3.3333333e-1f;
    return (2.0f * s + 2.0f * s * t * p) + e * 0.693147181f;
}

/* The same in double, for normal x > 0: ten terms of the series. */
static inline double homer_log_double(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    u -= 0x3fe6a09e667f3bcdu; /* sqrt(.5) */
    double e = (double)((int64_t)u >> 52), m;
    u = (u & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu;
    memcpy(&m, &u, sizeof m);
    double s = (m - 1) / (m + 1), t = s * s, p = 0;
    for (int k = 21; k > 1; k -= 2) p = p * t + 1.0 / k;
    return (2 * s + 2 * s * t * p) + e * 0.693147180559945309417;
}

static inline float homer_sigmoid(float x) {
    return 1.0f / (1.0f + homer_exp(-x));
}

/* ln(p / (1 - p)), p clipped to [1e-6, 1 - 1e-6]. */
static inline float homer_logit(float p) {
    p = homer_clip(p, 1e-6f, 0.999999f);
    return homer_log(p / (1.0f - p));
}

#endif
