#include "core/tree/split.h"

#include <math.h>
#include "core/base/num.h"
#include "core/base/rng.h"
#include "core/tree/gauss.h"

enum { THRESHOLDS = 9, COARSE = 3 };
static const float at_sd[THRESHOLDS] = {0, -0.67f, 0.67f, -0.35f, 0.35f, -1, 1, -1.5f, 1.5f};

static inline float x_log_x(float x) {
    return x > 1e-12f ? x * homer_log(x > 1e-12f ? x : 1e-12f) : 0.0f;
}

/* n H(p) for p positives and q negatives. */
static inline float entropy(float p, float q) {
    p = p > 0 ? p : 0;
    q = q > 0 ? q : 0;
    return x_log_x(p + q) - x_log_x(p) - x_log_x(q);
}

/* Normal distribution function, within 2e-4: a logistic with a cubic argument. */
static inline float phi(float z) {
    z = homer_clip(z, -6.0f, 6.0f);
    return homer_sigmoid(z * (1.5976f + 0.070566f * z * z));
}

static void offer(struct homer_split *best, uint32_t feature, bool presence, float threshold, float gain) {
    best->tests++;
    if (best->feature != UINT32_MAX && gain <= best->gain) {
        if (feature != best->feature && gain > best->second) best->second = gain;
        return;
    }
    if (best->feature != UINT32_MAX && best->feature != feature) best->second = best->gain;
    best->feature = feature;
    best->presence = presence;
    best->threshold = threshold;
    best->gain = gain;
}

static bool both_sides(float n_left, float n_right, const struct homer_split_config *c) {
    float need = c->min_share * (n_left + n_right);
    if (need < c->min_weight) need = c->min_weight;
    return n_left >= need && n_right >= need;
}

/* Sums are taken over whole arrays, one label a lane: a running sum would keep the compiler from computing
 * lanes side by side. */
static float total(const float *lane, uint32_t n) {
    float sum = 0;
    for (uint32_t l = 0; l < n; l++) sum += lane[l];
    return sum;
}

HOMER_WIDE static void presence_lanes(const struct homer_stats *s, uint32_t place, float *restrict lane) {
    const float *a = homer_stats_presence(s, place, HOMER_WITH), *c = s->c;
    float t = s->presence[place].t, n = (float)s->n;
    for (uint32_t l = 0; l < s->stride; l++)
        lane[l] = entropy(a[l], t - a[l]) + entropy(c[l] - a[l], n - c[l] - (t - a[l]));
}

/* The two Gaussians of every label, as rows of lanes: weight, mean and 1/sd of either. */
enum { W1 = 0, AT1, PER1, W0, AT0, PER0, SIDES };

static inline void take_sides(const struct homer_gauss_view *v, uint32_t n, float *restrict w1,
                              float *restrict at1, float *restrict per1, float *restrict w0,
                              float *restrict at0, float *restrict per0) {
    const float *restrict n1 = v->n1, *restrict mean1 = v->mean1, *restrict m2_1 = v->m2_1;
    float all = v->g->n, mean = v->g->mean, m2 = v->g->m2, variance = v->variance;
    for (uint32_t l = 0; l < n; l++) {
        struct homer_sides d = homer_sides_of(n1[l], mean1[l], m2_1[l], all, mean, m2, variance);
        w1[l] = d.n1;
        at1[l] = d.mean1;
        per1[l] = 1.0f / sqrtf(d.var1);
        w0[l] = d.n0;
        at0[l] = d.mean0;
        per0[l] = 1.0f / sqrtf(d.var0);
    }
}

HOMER_WIDE static void gauss_sides(const struct homer_stats *s, const struct homer_gauss_view *v,
                                   float *side) {
    uint32_t n = s->stride / HOMER_LANES * HOMER_LANES; /* known to be whole vectors: the loop is short */
    take_sides(v, n, side + W1 * n, side + AT1 * n, side + PER1 * n, side + W0 * n, side + AT0 * n,
               side + PER0 * n);
}

HOMER_WIDE static void gauss_lanes(const float *restrict side, uint32_t stride, float cut,
                                   float *restrict lane) {
    uint32_t n = stride / HOMER_LANES * HOMER_LANES; /* known to be whole vectors: the loop is short */
    for (uint32_t l = 0; l < n; l++) {
        float p = side[W1 * n + l] * phi((cut - side[AT1 * n + l]) * side[PER1 * n + l]);
        float q = side[W0 * n + l] * phi((cut - side[AT0 * n + l]) * side[PER0 * n + l]);
        lane[l] = entropy(p, q) + entropy(side[W1 * n + l] - p, side[W0 * n + l] - q);
    }
}

/* n H of every label before a split. */
HOMER_WIDE static void whole_lanes(const float *restrict positives, float n, uint32_t stride,
                                   float *restrict lane) {
    for (uint32_t l = 0; l < stride; l++) lane[l] = entropy(positives[l], n - positives[l]);
}

static bool is_masked(uint64_t mask, uint32_t feature) {
    return mask && homer_rng_mix(mask ^ feature) >> 63;
}

void homer_split_find(const struct homer_stats *s, const struct homer_split_config *c, uint64_t mask,
                      float *scratch, struct homer_split *best) {
    float n = (float)s->n, *lane = scratch, *side = scratch + s->stride;
    *best = (struct homer_split){.feature = UINT32_MAX};
    for (uint32_t l = 0; l < s->m; l++) best->active += s->c[l] >= 1 && s->c[l] <= n - 1;
    if (!best->active) return;
    whole_lanes(s->c, n, s->stride, lane);
    float before = total(lane, s->m);
    for (uint32_t i = 0; i < s->presence_n; i++) {
        if (!both_sides(n - s->presence[i].t, s->presence[i].t, c)) continue;
        if (is_masked(mask, s->presence[i].feature)) continue;
        presence_lanes(s, i, lane);
        offer(best, s->presence[i].feature, true, 0, before - total(lane, s->m));
    }
    for (uint32_t i = 0; i < s->gauss_n; i++) {
        if (is_masked(mask, s->gauss[i].feature)) continue;
        struct homer_gauss_view v = homer_gauss_view(s, i);
        if (2 * v.g->n < n || !(v.variance > 1e-12f)) continue; /* hardly seen here, or constant */
        float sd = sqrtf(v.variance);
        gauss_sides(s, &v, side);
        whole_lanes(v.n1, v.g->n, s->stride, lane);
        before = total(lane, s->m);
        float most = 0;
        for (int k = 0; k < THRESHOLDS; k++) {
            if (k == 1 && 3 * most < best->gain) break;      /* no other cut will treble that of the mean, */
            if (k == COARSE && 2 * most < best->gain) break; /* no finer one double that of three */
            float cut = v.g->mean + at_sd[k] * sd, left = v.g->n * phi(at_sd[k]);
            if (!both_sides(left, v.g->n - left, c)) continue;
            gauss_lanes(side, s->stride, cut, lane);
            float gain = before - total(lane, s->m);
            if (gain > most) most = gain;
            offer(best, v.g->feature, false, cut + v.g->shift, gain);
        }
    }
}

bool homer_split_is_sure(const struct homer_split *b, double n, const struct homer_split_config *c) {
    if (b->feature == UINT32_MAX || !(b->gain > 0)) return false;
    float a = (float)b->active, tail = homer_log((float)b->tests / c->level);
    if (2 * b->gain > a + 2 * sqrtf(a * tail) + 2 * tail) return true;
    float bound = c->range * sqrtf(-homer_log(c->delta) / (2 * (float)n));
    return (b->gain - b->second) / (float)n > bound;
}

void homer_split_masses(const struct homer_stats *s, const struct homer_split *b, float *left, float *right,
                        float *n_left, float *n_right) {
    uint32_t place = homer_stats_find(s, b->feature, !b->presence);
    if (b->presence) {
        const float *a = homer_stats_presence(s, place, HOMER_WITH);
        *n_right = s->presence[place].t;
        *n_left = (float)s->n - *n_right;
        for (uint32_t l = 0; l < s->stride; l++) {
            right[l] = a[l];
            left[l] = s->c[l] - a[l] > 0 ? s->c[l] - a[l] : 0;
        }
        return;
    }
    struct homer_gauss_view v = homer_gauss_view(s, place);
    float cut = b->threshold - v.g->shift;
    *n_left = v.g->n * phi((cut - v.g->mean) / sqrtf(v.variance));
    *n_right = v.g->n - *n_left;
    for (uint32_t l = 0; l < s->stride; l++) {
        struct homer_sides d = homer_gauss_sides(&v, l);
        left[l] = d.n1 * phi((cut - d.mean1) / sqrtf(d.var1));
        right[l] = d.n1 - left[l];
    }
}
