/* Naive Bayes over the observers of a leaf; see stats.h. */
#include <math.h>
#include "core/base/num.h"
#include "core/tree/gauss.h"

#define FEATURE_CLIP 5.0f
#define TOTAL_CLIP 10.0f

#define REFRESH 0.25 /* growth of a leaf's weight after which its curves are renewed */
#define REFRESH_T 1.25f

/* Rows are whole vectors, and one is never another: what the loops below are told, since they are short. */
static inline uint32_t whole(uint32_t stride) {
    return stride / HOMER_LANES * HOMER_LANES;
}

static inline void refresh_curve(const struct homer_gauss_view *v, float *restrict k0, float *restrict k1,
                                 float *restrict k2, uint32_t stride) {
    const float *restrict n1 = v->n1, *restrict mean1 = v->mean1, *restrict m2_1 = v->m2_1;
    float n = v->g->n, mean = v->g->mean, m2 = v->g->m2, variance = v->variance;
    float some = variance > 1e-12f ? 1.0f : 0.0f; /* a constant tells nothing */
    for (uint32_t l = 0; l < stride; l++) {
        struct homer_sides d = homer_sides_of(n1[l], mean1[l], m2_1[l], n, mean, m2, variance);
        float w1 = some > 0 ? 1.0f / d.var1 : 0.0f, w0 = some > 0 ? 1.0f / d.var0 : 0.0f;
        float at0 = 0.5f * (homer_log(d.var0 * w1) + d.mean0 * d.mean0 * w0 - d.mean1 * d.mean1 * w1);
        k0[l] = some > 0 ? at0 : 0.0f;
        k1[l] = d.mean1 * w1 - d.mean0 * w0;
        k2[l] = 0.5f * (w0 - w1);
    }
}

HOMER_WIDE static void refresh_gauss(struct homer_stats *s) {
    for (uint32_t i = 0; i < s->gauss_n; i++) {
        if (s->gauss[i].n == s->gauss[i].told) continue; /* of a feature that is dense no more */
        struct homer_gauss_view v = homer_gauss_view(s, i);
        refresh_curve(&v, homer_stats_gauss(s, i, HOMER_K0), homer_stats_gauss(s, i, HOMER_K1),
                      homer_stats_gauss(s, i, HOMER_K2), whole(s->stride));
        s->gauss[i].told = s->gauss[i].n;
    }
}

static inline void refresh_row(float *restrict evidence, const float *restrict a, float t, float q,
                               uint32_t n) {
    for (uint32_t l = 0; l < n; l++) evidence[l] = homer_log((a[l] + 2 * q) / (t - a[l] + 2 * q));
}

HOMER_WIDE void homer_stats_refresh_presence(struct homer_stats *s, const uint32_t *place, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        struct homer_presence *p = &s->presence[place[i]];
        p->next = p->t * REFRESH_T;
        refresh_row(homer_stats_presence(s, place[i], HOMER_EVIDENCE),
                    homer_stats_presence(s, place[i], HOMER_WITH), p->t, (p->t + 0.5f) / ((float)s->n + 1),
                    whole(s->stride));
    }
}

HOMER_WIDE static void refresh_base(struct homer_stats *s) {
    for (uint32_t l = 0; l < s->stride; l++)
        s->base[l] = homer_log(((float)s->n - s->c[l] + 2) / (s->c[l] + 2));
}

void homer_stats_refresh_curves(struct homer_stats *s) {
    refresh_base(s);
    if (s->n < s->refresh) return;
    refresh_gauss(s);
    s->refresh = s->n * (1 + REFRESH);
}

void homer_stats_refresh(struct homer_stats *s) {
    for (uint32_t i = 0; i < s->presence_n; i++) homer_stats_refresh_presence(s, &i, 1);
    for (uint32_t i = 0; i < s->gauss_n; i++) s->gauss[i].told = -1;
    s->refresh = 0;
    homer_stats_refresh_curves(s);
}

static inline void add_row(float *restrict llr, const float *restrict row, const float *restrict base,
                           uint32_t n) {
    for (uint32_t l = 0; l < n; l++) llr[l] += homer_clip(row[l] + base[l], -FEATURE_CLIP, FEATURE_CLIP);
}

static inline void add_curve(float *restrict llr, const float *restrict k0, const float *restrict k1,
                             const float *restrict k2, float x, uint32_t n) {
    for (uint32_t l = 0; l < n; l++)
        llr[l] += homer_clip(k0[l] + x * (k1[l] + x * k2[l]), -FEATURE_CLIP, FEATURE_CLIP);
}

/* Evidence of the present features from number `first` on, at most HOMER_STATS_AHEAD of them. Returns how
 * many have no observer. */
static inline uint32_t add_presence(const struct homer_stats *s, const struct homer_frame *f, uint32_t first,
                                    float *llr) {
    const float *row[HOMER_STATS_AHEAD];
    uint32_t left = f->present_n - first, n = left < HOMER_STATS_AHEAD ? left : HOMER_STATS_AHEAD, rows = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = homer_stats_find(s, f->present[first + i], false);
        if (place == UINT32_MAX) continue;
        row[rows] = homer_stats_presence(s, place, HOMER_EVIDENCE);
        __builtin_prefetch(row[rows++]);
    }
    for (uint32_t i = 0; i < rows; i++) add_row(llr, row[i], s->base, whole(s->stride));
    return n - rows;
}

HOMER_WIDE uint32_t homer_stats_bayes(const struct homer_stats *s, const struct homer_frame *f, float *llr) {
    uint32_t lacks = 0;
    for (uint32_t l = 0; l < s->stride; l++) llr[l] = 0;
    for (uint32_t i = 0; i < f->dense_n; i++) {
        if (isnan(f->raw[i])) continue;
        uint32_t place = homer_stats_find_gauss(s, f->dense[i], i);
        if (place == UINT32_MAX) {
            lacks++;
            continue;
        }
        add_curve(llr, homer_stats_gauss(s, place, HOMER_K0), homer_stats_gauss(s, place, HOMER_K1),
                  homer_stats_gauss(s, place, HOMER_K2), f->raw[i] - s->gauss[place].shift, whole(s->stride));
    }
    for (uint32_t i = 0; i < f->present_n; i += HOMER_STATS_AHEAD) lacks += add_presence(s, f, i, llr);
    for (uint32_t l = 0; l < s->stride; l++) llr[l] = homer_clip(llr[l], -TOTAL_CLIP, TOTAL_CLIP);
    return lacks;
}
