/* ADWIN, adaptive windowing (Bifet and Gavalda, Learning from time-changing data with adaptive windowing,
 * SDM 2007; the version ADWIN2): tells when the mean of a sequence has changed, and keeps a window of the
 * values since then.
 *
 * The window is an exponential histogram: row r holds up to HOMER_ADWIN_BUCKETS buckets of 2^r consecutive
 * values each; one more, and the two oldest of the row become one of the next. Every `clock` values each
 * border between buckets is tested, oldest first, that leaves n0 older and n1 newer values, both at least
 * min_window. With W the width, s2 the variance of the window,
 *     L = ln(2 ln(W) / delta),
 *     1/m = 1/(n0 - min_window + 1) + 1/(n1 - min_window + 1),
 * its sides differ if
 *     |mean0 - mean1| > sqrt(2/m s2 L) + 2/3 1/m L.
 * Then the oldest bucket is dropped and all is tested again, until no sides differ. (That m leaves out
 * min_window - 1 values of each side is river's way, not the paper's.)
 *
 * A caller that resets after each detection sees detections, width, mean and variance of river.drift.ADWIN,
 * which does so; one that does not sees the paper's algorithm, the cut window living on: one change is then
 * often reported several times, as test by test more of the old values can go.
 *
 * Values should lie in [0, 1], for which the bound holds. Owns nothing: embed by value, copy, drop. Nothing
 * allocates or fails; the same bits on every machine. Owner's thread. */
#ifndef HOMER_DRIFT_ADWIN_H
#define HOMER_DRIFT_ADWIN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/codec.h"

enum {
    HOMER_ADWIN_BUCKETS = 5, /* of each size: M of the paper */
    HOMER_ADWIN_ROWS = 20,   /* room for 5.24 million values, then the oldest bucket makes room */
};

struct homer_adwin_config {
    double delta;        /* in (0, 1): smaller detects less; bounds the share of false alarms */
    uint32_t clock;      /* test every so many values, at least 1 */
    uint32_t min_window; /* values on either side of a border, at least 1 */
    uint32_t grace;      /* no test while the window is not longer than this */
};

struct homer_adwin_row {
    double sum[HOMER_ADWIN_BUCKETS]; /* of a bucket's values, oldest bucket first */
    double m2[HOMER_ADWIN_BUCKETS];  /* its sum of squared deviations from the bucket's mean */
    uint32_t n;                      /* buckets in use */
};

struct homer_adwin {
    struct homer_adwin_config config;
    double sum;    /* of the window's values */
    double m2;     /* their sum of squared deviations; may fall below 0 by rounding */
    double before; /* mean of the window just before the last cut, the value that led to it included; 0: never
                      cut */
    uint32_t width; /* values in the window */
    uint32_t since; /* values since the last test */
    uint32_t rows;  /* rows in use; the last one holds the oldest buckets */
    struct homer_adwin_row row[HOMER_ADWIN_ROWS];
};

/* delta .002, clock 32, min_window 5, grace 10, as in river. */
void homer_adwin_config_default(struct homer_adwin_config *c);

/* An empty window; c is copied, and must be in range. */
void homer_adwin_init(struct homer_adwin *a, const struct homer_adwin_config *c);

/* As after init with the same configuration. */
void homer_adwin_reset(struct homer_adwin *a);

/* Takes in x; true when a change shows, the window then having been cut: it rose if homer_adwin_mean() >
 * before. What is not finite would stay in the sums for good, so it is passed over. */
bool homer_adwin_add(struct homer_adwin *a, double x);

/* Of the window: number of values, their mean, their (population) variance, 0 when it is empty. */
uint32_t homer_adwin_width(const struct homer_adwin *a);
double homer_adwin_mean(const struct homer_adwin *a);
double homer_adwin_variance(const struct homer_adwin *a);

/* How many values there are since the likeliest change within the window: those newer than the border that
 * separates it best, by least squares. A window just cut still holds values from before the change. */
uint32_t homer_adwin_newest(const struct homer_adwin *a);

/* By how much the mean of the newest n values, to the next border between buckets, is above that of the
 * others; 0 when there are no others. */
double homer_adwin_rise(const struct homer_adwin *a, uint32_t n);

/* State, without the configuration. */
void homer_adwin_encode(const struct homer_adwin *a, struct homer_codec *c);
/* Into one just initialised. */
void homer_adwin_decode(struct homer_adwin *a, struct homer_decoder *d);

#endif
