#include "core/drift/adwin.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/base/num.h"

void homer_adwin_config_default(struct homer_adwin_config *c) {
    *c = (struct homer_adwin_config){.delta = 0.002, .clock = 32, .min_window = 5, .grace = 10};
}

void homer_adwin_init(struct homer_adwin *a, const struct homer_adwin_config *c) {
    assert(c->delta > 0 && c->delta < 1 && c->clock > 0 && c->min_window > 0);
    a->config = *c;
    homer_adwin_reset(a);
}

void homer_adwin_reset(struct homer_adwin *a) {
    struct homer_adwin_config config = a->config;
    memset(a, 0, sizeof *a);
    a->config = config;
}

/* Closes the gap that the n oldest buckets of a row leave. */
static void row_shift(struct homer_adwin_row *r, uint32_t n) {
    r->n -= n;
    for (uint32_t k = 0; k < r->n; k++) {
        r->sum[k] = r->sum[k + n];
        r->m2[k] = r->m2[k + n];
    }
}

/* Takes the oldest bucket, n1 values, off the window of n1 + n values: the variance of a union, solved for
 * one part. */
static void drop_oldest(struct homer_adwin *a) {
    struct homer_adwin_row *r = &a->row[a->rows - 1];
    a->width -= 1u << (a->rows - 1);
    a->sum -= r->sum[0];
    double n1 = (double)(1u << (a->rows - 1)), n = (double)a->width;
    double gap = r->sum[0] / n1 - a->sum / n;
    a->m2 -= r->m2[0] + n1 * n * gap * gap / (n1 + n);
    row_shift(r, 1);
    if (r->n == 0) a->rows--; /* smaller sizes are never without a bucket */
}

/* Appends a bucket of one value. Where a row is full its two oldest merge, and the result goes on to the next
 * row. */
static void append(struct homer_adwin *a, double sum) {
    double m2 = 0;
    for (uint32_t i = 0;; i++) {
        if (i == a->rows) a->rows++; /* its n is 0: never used, or emptied */
        struct homer_adwin_row *r = &a->row[i];
        if (i == HOMER_ADWIN_ROWS - 1 && r->n == HOMER_ADWIN_BUCKETS) drop_oldest(a);
        bool full = r->n == HOMER_ADWIN_BUCKETS;
        double merged = 0, merged_m2 = 0;
        if (full) {
            double size = (double)(1u << i), gap = r->sum[0] / size - r->sum[1] / size;
            merged = r->sum[0] + r->sum[1];
            merged_m2 = r->m2[0] + r->m2[1] + size * 0.5 * gap * gap;
            row_shift(r, 2);
        }
        r->sum[r->n] = sum;
        r->m2[r->n++] = m2;
        if (!full) return;
        sum = merged;
        m2 = merged_m2;
    }
}

/* Does any border split the window into parts with different means? From the oldest border on. */
static bool differs(const struct homer_adwin *a) {
    double width = (double)a->width, least = (double)a->config.min_window;
    if (width < 2 * least) return false;
    double log_term = homer_log_double(2 * homer_log_double(width) / a->config.delta);
    double spread = 2 * homer_adwin_variance(a) * log_term, range = 2.0 / 3.0 * log_term;
    double n0 = 0, n1 = width, sum0 = 0, sum1 = a->sum;
    for (uint32_t i = a->rows; i-- > 0;) {
        const struct homer_adwin_row *r = &a->row[i];
        double size = (double)(1u << i);
        for (uint32_t k = 0; k < r->n; k++) {
            n0 += size;
            n1 -= size;
            sum0 += r->sum[k];
            sum1 -= r->sum[k];
            if (n1 < least) return false;
            if (n0 < least) continue;
            double m = 1 / (n0 - least + 1) + 1 / (n1 - least + 1); /* 1/m of the paper */
            if (fabs(sum0 / n0 - sum1 / n1) > sqrt(spread * m) + range * m) return true;
        }
    }
    return false;
}

bool homer_adwin_add(struct homer_adwin *a, double x) {
    if (!isfinite(x)) return false;
    if (a->width > 0) { /* Welford: before x joins the sum */
        double n = (double)a->width, gap = x - a->sum / n;
        a->m2 += n * gap * gap / (n + 1);
    }
    a->width++;
    a->sum += x;
    append(a, x);

    if (++a->since < a->config.clock) return false;
    a->since = 0;
    if (a->width <= a->config.grace) return false;
    double before = homer_adwin_mean(a);
    bool changed = false;
    while (differs(a)) {
        drop_oldest(a);
        changed = true;
    }
    if (changed) a->before = before;
    return changed;
}

uint32_t homer_adwin_width(const struct homer_adwin *a) {
    return a->width;
}

double homer_adwin_mean(const struct homer_adwin *a) {
    return a->width ? a->sum / (double)a->width : 0;
}

double homer_adwin_variance(const struct homer_adwin *a) {
    return a->m2 > 0 ? a->m2 / (double)a->width : 0;
}

uint32_t homer_adwin_newest(const struct homer_adwin *a) {
    double n0 = 0, n1 = (double)a->width, sum0 = 0, sum1 = a->sum, most = 0, newest = n1;
    for (uint32_t i = a->rows; i-- > 0;) {
        const struct homer_adwin_row *r = &a->row[i];
        double size = (double)(1u << i);
        for (uint32_t k = 0; k < r->n; k++) {
            n0 += size;
            n1 -= size;
            sum0 += r->sum[k];
            sum1 -= r->sum[k];
            if (n1 < (double)a->config.min_window) return (uint32_t)newest;
            double gap = sum0 / n0 - sum1 / n1, between = gap * gap * n0 * n1;
            if (between <= most) continue;
            most = between;
            newest = n1;
        }
    }
    return (uint32_t)newest;
}

double homer_adwin_rise(const struct homer_adwin *a, uint32_t n) {
    double newer = 0, sum = 0;
    for (uint32_t i = 0; i < a->rows && newer < n; i++) {
        const struct homer_adwin_row *r = &a->row[i];
        for (uint32_t k = r->n; k-- > 0 && newer < n;) {
            newer += (double)(1u << i);
            sum += r->sum[k];
        }
    }
    double older = (double)a->width - newer;
    return older > 0 && newer > 0 ? sum / newer - (a->sum - sum) / older : 0;
}

void homer_adwin_encode(const struct homer_adwin *a, struct homer_codec *c) {
    homer_put_f64(c, a->sum);
    homer_put_f64(c, a->m2);
    homer_put_f64(c, a->before);
    homer_put_u32(c, a->width);
    homer_put_u32(c, a->since);
    homer_put_u32(c, a->rows);
    for (uint32_t i = 0; i < a->rows; i++) {
        homer_put_u32(c, a->row[i].n);
        homer_put_f64s(c, a->row[i].sum, a->row[i].n);
        homer_put_f64s(c, a->row[i].m2, a->row[i].n);
    }
}

void homer_adwin_decode(struct homer_adwin *a, struct homer_decoder *d) {
    a->sum = homer_get_f64(d);
    a->m2 = homer_get_f64(d);
    a->before = homer_get_f64(d);
    a->width = homer_get_u32(d);
    a->since = homer_get_most(d, a->config.clock - 1);
    a->rows = homer_get_most(d, HOMER_ADWIN_ROWS);
    uint32_t width = 0;
    for (uint32_t i = 0; i < a->rows; i++) {
        a->row[i].n = homer_get_most(d, HOMER_ADWIN_BUCKETS);
        homer_get_holds(d, a->row[i].n > 0);
        homer_get_f64s(d, a->row[i].sum, a->row[i].n);
        homer_get_f64s(d, a->row[i].m2, a->row[i].n);
        width += a->row[i].n << i;
    }
    homer_get_holds(d, width == a->width);
}
