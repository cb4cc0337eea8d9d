#include "proto/number.h"

#include <stddef.h>
#include "proto/number_powers.h"
#include "proto/scan.h"

enum {
    DIGITS_MAX = 19, /* of a mantissa: below 2^64 */
    FAR = 100000,    /* digits of a fraction, powers of ten: sums stay far from overflow */
};

/* Not inlined: what is common then needs few registers. */
#define RARE __attribute__((noinline))

static const uint64_t ten_to[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
static const double exact_power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { EXACT_LAST = sizeof exact_power / sizeof *exact_power - 1 };

/* The value of the first n (1..8) of eight digits: the others leave the register, zeros come before these. */
static inline uint64_t value_of(uint64_t digits, unsigned n) {
    uint64_t v = (digits & HOMER_BYTES(0x0f)) << (64 - 8 * n);
    v = (v * 10 + (v >> 8)) & 0x00ff00ff00ff00ffu;   /* pairs */
    v = (v * 100 + (v >> 16)) & 0x0000ffff0000ffffu; /* fours */
    return (v * 10000 + (v >> 32)) & 0xffffffffu;
}

/* A run of digits appended to *w, which wraps when there are too many; returns its length. */
static inline size_t run(const char *s, uint64_t *w) {
    size_t length = 0;
    for (;;) {
        uint64_t v = homer_load8(s + length), end = homer_no_digit(v);
        unsigned n = end ? homer_first_byte(end) : 8;
        if (n) *w = *w * ten_to[n] + value_of(v, n);
        length += n;
        if (n < 8) return length;
    }
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

static double as_double(uint64_t bits) {
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* -d where negative; without a branch, for signs are hard to predict. */
static double with_sign(double d, bool negative) {
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return as_double(bits ^ (uint64_t)negative << 63);
}

/* w * 10^q rounded to nearest, ties to even: section 5 of the paper. w > 0, POWER_FIRST <= q <= POWER_LAST,
 * so that the result is neither subnormal nor infinite. False: not settled. */
RARE static bool round_product(uint64_t w, int q, double *out) {
    const uint64_t *five = power_of_five[q - POWER_FIRST];
    int shift = __builtin_clzll(w);
    w <<= shift;
    uint64_t low, rest, high = homer_multiply(w, five[0], &low);
    if ((high & 0x1ff) == 0x1ff) { /* the lower half of the power may carry into the bits that count */
        uint64_t more = homer_multiply(w, five[1], &rest);
        low += more;
        high += low < more;
    }
    if (low == UINT64_MAX && (q < -27 || q > 55)) return false;
    unsigned top = (unsigned)(high >> 63);
    uint64_t mantissa = high >> (top + 9); /* 53 bits and one to round by */
    /* Half way between two doubles; can only be where 5^|q| fits 64 bits. Then the even one is right. */
    if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << (top + 9) == high)
        mantissa &= ~UINT64_C(1);
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    /* floor(log2(5^q)) + q as 217706 q / 2^16, exact for these q */
    int exponent = ((217706 * q) >> 16) + 63 + (int)top - shift;
    if (mantissa >> 53) {
        mantissa >>= 1;
        exponent++;
    }
    *out = as_double((mantissa & ~(UINT64_C(1) << 52)) | (uint64_t)(exponent + 1023) << 52);
    return true;
}

/* w * 10^q. */
static inline bool scale(uint64_t w, int q, double *out) {
    if (w == 0) {
        *out = 0;
        return true;
    }
    if (w >> 53 == 0 && q >= -EXACT_LAST && q <= EXACT_LAST) {
        *out = q < 0 ? (double)w / exact_power[-q] : (double)w * exact_power[q];
        return true;
    }
    return q >= POWER_FIRST && q <= POWER_LAST && round_product(w, q, out);
}

/* As scale for a mantissa of more digits than a register holds: digits s[0..n), one '.' may be among them;
 * q belongs to the last one. What is cut off lies between this mantissa and the next one: when both give the
 * same double, so does everything between. */
RARE static bool scale_long(const char *s, size_t n, int q, double *out) {
    uint64_t w = 0;
    unsigned kept = 0;
    int cut = 0;
    double next;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '.') continue;
        if (kept == DIGITS_MAX) {
            cut++;
            continue;
        }
        w = w * 10 + (uint64_t)(s[i] - '0');
        kept += w != 0;
    }
    return scale(w, q + cut, out) && (cut == 0 || (scale(w + 1, q + cut, &next) && next <= *out));
}

/* The power behind 'e': *q grows by it. NULL: none, or one far beyond any table. */
RARE static const char *read_power(const char *s, int *q) {
    bool negative = *s == '-';
    int power = 0;
    if (*s == '-' || *s == '+') s++;
    if (!digit(*s)) return NULL;
    for (; digit(*s); s++) {
        if (power >= FAR) return NULL;
        power = power * 10 + (*s - '0');
    }
    *q += negative ? -power : power;
    return s;
}

const char *homer_number_read(const char *s, struct homer_number *out) {
    bool negative = *s == '-';
    s += negative;
    const char *begin = s;
    if (!digit(*s)) return NULL;
    uint64_t w = (uint64_t)(*s++ - '0');
    size_t whole = 1, fraction = 0;
    if (digit(*s)) {
        if (w == 0) return NULL;
        whole += run(s, &w);
        s = begin + whole;
    }
    out->is_integer = *s != '.' && *s != 'e' && *s != 'E';
    if (out->is_integer) {
        if (whole > DIGITS_MAX || w > (uint64_t)INT64_MAX + negative) return NULL;
        out->i = negative ? (int64_t)(0 - w) : (int64_t)w;
        out->d = (double)out->i;
        return s;
    }
    if (*s == '.') {
        fraction = run(++s, &w);
        if (fraction == 0 || fraction > FAR) return NULL;
        s += fraction;
    }
    size_t digits = (size_t)(s - begin);
    int q = -(int)fraction;
    if ((*s == 'e' || *s == 'E') && !(s = read_power(s + 1, &q))) return NULL;
    bool ok = whole + fraction <= DIGITS_MAX ? scale(w, q, &out->d) : scale_long(begin, digits, q, &out->d);
    if (!ok) return NULL;
    out->d = with_sign(out->d, negative);
    return s;
}
