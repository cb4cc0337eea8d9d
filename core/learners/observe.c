#include "core/learners/observe.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

#define LEAST_SHARE 0.01 /* of a side */
#define PER_LN2 1.4426950408889634

void homer_observers_init(struct homer_observers *o, struct homer_mem *mem) {
    *o = (struct homer_observers){.mem = mem};
}

static size_t bytes_of(uint32_t cap) {
    return sizeof(struct homer_observer) + (size_t)cap * sizeof(struct homer_spread);
}

static struct homer_observer *observer_free(struct homer_mem *mem, struct homer_observer *f) {
    return f ? homer_mem_free(mem, f, 1, bytes_of(f->spread_cap)) : NULL;
}

void homer_observers_deinit(struct homer_observers *o) {
    for (uint32_t f = 0; f < o->cap; f++) observer_free(o->mem, o->observer[f]);
    homer_mem_free(o->mem, o->observer, o->cap, sizeof(struct homer_observer *));
    *o = (struct homer_observers){.mem = o->mem};
}

static int observer_reserve(struct homer_mem *mem, struct homer_observer **observer, uint32_t more) {
    struct homer_observer *old = *observer;
    uint32_t need = (old ? old->spread_n : 0) + more;
    if (old && old->spread_cap >= need) return 0;
    uint32_t cap = old ? need + need / 2 : need;
    struct homer_observer *f = homer_mem_alloc(mem, 1, bytes_of(cap));
    if (!f) return -ENOMEM;
    if (old) memcpy(f, old, bytes_of(old->spread_n));
    f->spread_cap = cap;
    observer_free(mem, old);
    *observer = f;
    return 0;
}

int homer_observers_reserve(struct homer_observers *o, const struct homer_query *q, uint32_t on_n) {
    const uint32_t *feature = homer_query_features(q);
    uint32_t most = 0;
    for (uint32_t i = 0; i < q->n; i++)
        if (feature[i] >= most) most = feature[i] + 1;
    if (most > o->cap) {
        uint32_t cap = most + most / 2;
        struct homer_observer **observer =
            homer_mem_grow(o->mem, o->observer, o->cap, cap, sizeof(*observer));
        if (!observer) return -ENOMEM;
        o->observer = observer;
        o->cap = cap;
    }
    for (uint32_t i = 0; i < q->n; i++)
        if (observer_reserve(o->mem, &o->observer[feature[i]], on_n)) return -ENOMEM;
    return 0;
}

void homer_observers_cancel(struct homer_observers *o, const struct homer_query *q) {
    const uint32_t *feature = homer_query_features(q);
    for (uint32_t i = 0; i < q->n; i++)
        if (feature[i] < o->cap && o->observer[feature[i]] && !(o->observer[feature[i]]->all.n > 0))
            o->observer[feature[i]] = observer_free(o->mem, o->observer[feature[i]]);
}

static void spread_add(struct homer_spread *s, double v, double w) {
    double gap = v - s->mean;
    s->n += w;
    s->mean += gap * w / s->n;
    s->m2 += w * gap * (v - s->mean);
}

/* Where the column stands, or would. */
static uint32_t place_of(const struct homer_observer *f, uint32_t column) {
    uint32_t low = 0, high = f->spread_n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (f->spread[mid].column < column)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void homer_observers_add(struct homer_observers *o, const struct homer_query *q, const uint32_t *on,
                         uint32_t on_n, double weight) {
    const uint32_t *feature = homer_query_features(q);
    for (uint32_t i = 0; i < q->n; i++) {
        struct homer_observer *f = o->observer[feature[i]];
        float v = homer_query_value(q, feature[i]);
        if (!(f->all.n > 0) || v < f->least) f->least = v;
        if (!(f->all.n > 0) || v > f->most) f->most = v;
        spread_add(&f->all, (double)v, weight);
        for (uint32_t k = 0; k < on_n; k++) {
            uint32_t at = place_of(f, on[k]);
            if (at == f->spread_n || f->spread[at].column != on[k]) {
                memmove(&f->spread[at + 1], &f->spread[at], (f->spread_n - at) * sizeof *f->spread);
                f->spread[at] = (struct homer_spread){.column = on[k]};
                f->spread_n++;
            }
            spread_add(&f->spread[at], (double)v, weight);
        }
    }
}

/* Distribution function of the standard normal: Abramowitz and Stegun 26.2.17, absolute error below 1e-6. */
static double normal_below(double z) {
    double a = fabs(z), t = 1 / (1 + 0.2316419 * a);
    double tail =
        0.3989422804014327 * (double)homer_exp((float)(-a * a / 2)) * t *
        (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    return z > 0 ? 1 - tail : tail;
}

/* Adds the zeros that make it `total` of weight, and leaves mean and deviation. */
static void with_zeros(const struct homer_spread *s, double total, double *mean, double *deviation) {
    double zeros = total > s->n ? total - s->n : 0, n = s->n + zeros;
    *mean = n > 0 ? s->mean * s->n / n : 0;
    double m2 = n > 0 ? s->m2 + s->mean * s->mean * s->n * zeros / n : 0;
    *deviation = n > 0 && m2 > 0 ? sqrt(m2 / n) : 0;
}

static double share_below(double threshold, double mean, double deviation) {
    if (deviation > 0) return normal_below((threshold - mean) / deviation);
    return threshold >= mean ? 1 : 0;
}

static double entropy(double p) {
    if (!(p > 1e-12) || !(p < 1 - 1e-7)) return 0; /* homer_log is exact to 2e-7 */
    return -PER_LN2 * (p * (double)homer_log((float)p) + (1 - p) * (double)homer_log((float)(1 - p)));
}

double homer_bernoulli_entropy(const double *count, uint32_t n, double weight) {
    double sum = 0;
    for (uint32_t i = 0; i < n && weight > 0; i++) sum += entropy(count[i] / weight);
    return sum;
}

/* The curves of one feature: means and deviations of the m + 1 counts; true when it has something to split.
 */
static bool curves_of(const struct homer_observer *f, double weight, const double *count, uint32_t m,
                      double *mean, double *deviation) {
    uint32_t at = 0;
    for (uint32_t l = 0; l <= m; l++) {
        uint32_t column = l < m ? l : HOMER_NO_LABEL;
        struct homer_spread none = {0};
        while (at < f->spread_n && f->spread[at].column < column) at++;
        bool has = at < f->spread_n && f->spread[at].column == column;
        with_zeros(has ? &f->spread[at] : &none, count[l], &mean[l], &deviation[l]);
    }
    bool zeros = f->all.n < weight;
    return f->least < f->most || (zeros && (f->least > 0 || f->most < 0));
}

static double gain_at(double threshold, const struct homer_spread *all, double weight, double before,
                      const double *count, uint32_t n, const double *mean, const double *deviation) {
    double m, d, below = 0, above = 0;
    with_zeros(all, weight, &m, &d);
    double left = weight * share_below(threshold, m, d), right = weight - left;
    if (left < LEAST_SHARE * weight || right < LEAST_SHARE * weight) return -1;
    for (uint32_t l = 0; l < n; l++) {
        if (!(count[l] > 0)) continue;
        double c = count[l] * share_below(threshold, mean[l], deviation[l]), rest = count[l] - c;
        below += entropy(c < left ? c / left : 1);
        above += entropy(rest < right ? rest / right : 1);
    }
    return before - (left * below + right * above) / weight;
}

void homer_observers_split(const struct homer_observers *o, double weight, const double *count, uint32_t m,
                           double none, double *scratch, struct homer_best_split *best) {
    double *all = scratch, *mean = all + m + 1, *deviation = mean + m + 1;
    *best = (struct homer_best_split){0};
    if (m) memcpy(all, count, m * sizeof *all);
    all[m] = none;
    double before = homer_bernoulli_entropy(all, m + 1, weight);
    for (uint32_t feature = 0; feature < o->cap; feature++) {
        const struct homer_observer *f = o->observer[feature];
        if (!f || !curves_of(f, weight, all, m, mean, deviation)) continue;
        bool zeros = f->all.n < weight;
        double least = (double)(zeros && f->least > 0 ? 0 : f->least);
        double most = (double)(zeros && f->most < 0 ? 0 : f->most), gain = 0, at = 0;
        for (uint32_t i = 1; i <= HOMER_THRESHOLDS; i++) {
            double threshold = least + (most - least) * i / (HOMER_THRESHOLDS + 1);
            double g = gain_at(threshold, &f->all, weight, before, all, m + 1, mean, deviation);
            if (!(g > gain)) continue;
            gain = g;
            at = threshold;
        }
        if (gain > best->gain) {
            best->second = best->gain;
            best->gain = gain;
            best->feature = feature;
            best->threshold = (float)at;
            best->found = true;
        } else if (gain > best->second) {
            best->second = gain;
        }
    }
}

static bool is_seen(const struct homer_observer *f) {
    return f && f->all.n > 0;
}

static void encode_spread(const struct homer_spread *s, struct homer_codec *c) {
    homer_put_f64(c, s->n);
    homer_put_f64(c, s->mean);
    homer_put_f64(c, s->m2);
}

void homer_observers_encode(const struct homer_observers *o, struct homer_codec *c) {
    uint32_t seen = 0;
    for (uint32_t feature = 0; feature < o->cap; feature++) seen += is_seen(o->observer[feature]);
    homer_put_room(c, o->cap);
    homer_put_room(c, seen);
    for (uint32_t feature = 0; feature < o->cap; feature++) {
        const struct homer_observer *f = o->observer[feature];
        if (!is_seen(f)) continue;
        homer_put_u32(c, feature);
        homer_put_room(c, f->spread_cap);
        homer_put_f32(c, f->least);
        homer_put_f32(c, f->most);
        encode_spread(&f->all, c);
        homer_put_u32(c, f->spread_n);
        for (uint32_t i = 0; i < f->spread_n; i++) {
            homer_put_u32(c, f->spread[i].column);
            encode_spread(&f->spread[i], c);
        }
    }
}

static void decode_spread(struct homer_spread *s, struct homer_decoder *d) {
    s->n = homer_get_f64(d);
    s->mean = homer_get_f64(d);
    s->m2 = homer_get_f64(d);
}

/* Columns ascend; the last may be that of no label. */
static void decode_observer(struct homer_observer *f, uint32_t m, struct homer_decoder *d) {
    f->least = homer_get_f32(d);
    f->most = homer_get_f32(d);
    decode_spread(&f->all, d);
    f->spread_n = homer_get_most(d, f->spread_cap);
    for (uint32_t i = 0; i < f->spread_n && !d->error; i++) {
        struct homer_spread *s = &f->spread[i];
        s->column = homer_get_u32(d);
        homer_get_holds(d,
                        (s->column < m || s->column == HOMER_NO_LABEL) && (!i || s[-1].column < s->column));
        decode_spread(s, d);
    }
    homer_get_holds(d, is_seen(f));
}

void homer_observers_decode(struct homer_observers *o, uint32_t m, uint32_t features,
                            struct homer_decoder *d) {
    uint32_t cap = homer_get_room(d, 0), seen = homer_get_room(d, 0);
    o->observer = homer_get_block(d, o->mem, cap, sizeof(struct homer_observer *));
    if (d->error) return;
    o->cap = cap;
    for (; seen && !d->error; seen--) {
        uint32_t feature = homer_get_u32(d), room = homer_get_room(d, 0);
        if (!homer_get_holds(d, feature < cap && feature < features && !o->observer[feature])) return;
        struct homer_observer *f = homer_get_block(d, o->mem, 1, bytes_of(room));
        o->observer[feature] = f;
        if (!f) return;
        f->spread_cap = room;
        decode_observer(f, m, d);
    }
}
