#include "proto/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t homer_num_u64(char *out, uint64_t v) {
    char digits[20];
    size_t n = 0;
    do digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    for (size_t i = 0; i < n; i++) out[i] = digits[n - 1 - i];
    return n;
}

/* Copies what printf wrote, its decimal separator (whatever bytes the locale has for it) replaced by a point.
 */
static size_t copy(char *out, const char *text) {
    size_t n = 0;
    while (*text) {
        if (strchr("0123456789+-e", *text)) {
            out[n++] = *text++;
        } else {
            out[n++] = '.';
            while (*text && !strchr("0123456789+-e", *text)) text++;
        }
    }
    return n;
}

size_t homer_num_double(char *out, double v) {
    char text[HOMER_NUM_MAX];
    for (int p = 15; p <= 17; p++) {
        snprintf(text, sizeof text, "%.*g", p, v);
        if (strtod(text, NULL) == v) break;
    }
    return copy(out, text);
}

/* Scores are most of what a reply holds, so probabilities avoid printf: the fewest decimals p whose nearest m
 * / 10^p reads back as v. m < 2^53 and 10^p are exact in double; the two-sided check keeps away from decimals
 * that lie so close to the middle between two floats that a reader which rounds once might choose the other.
 * 0 when no p will do. */
static size_t probability(char *out, float v) {
    static const double power[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
    for (unsigned p = 1; p < sizeof power / sizeof *power; p++) {
        double m = nearbyint((double)v * power[p]);
        double q = m / power[p];
        if ((float)(q * (1 - 0x1p-50)) != v || (float)(q * (1 + 0x1p-50)) != v) continue;
        char digits[HOMER_NUM_MAX];
        size_t n = homer_num_u64(digits, (uint64_t)m);
        memcpy(out, "0.000000000000", 2 + p);
        memcpy(out + 2 + p - n, digits, n);
        return 2 + p;
    }
    return 0;
}

size_t homer_num_float(char *out, float v) {
    if (v > 1e-4f && v < 1.0f) {
        size_t n = probability(out, v);
        if (n) return n;
    }
    char text[HOMER_NUM_MAX];
    for (int p = 6; p <= 9; p++) {
        snprintf(text, sizeof text, "%.*g", p, (double)v);
        if (strtof(text, NULL) == v) break;
    }
    return copy(out, text);
}
