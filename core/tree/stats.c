#include "core/tree/stats.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { BLOCKS = 5 }; /* per-label arrays of a leaf */

#define HALVE_AT 4194304.0 /* 2^22 */

int homer_stats_new(struct homer_stats **out, struct homer_mem *mem, uint32_t m) {
    struct homer_stats *s = homer_mem_alloc(mem, 1, sizeof *s);
    if (!s) return -ENOMEM;
    s->mem = mem;
    s->m = m;
    s->stride = (m + HOMER_LANES - 1) / HOMER_LANES * HOMER_LANES;
    s->c = homer_mem_alloc(mem, (size_t)BLOCKS * s->stride,
                           sizeof *s->c); /* c, two losses, prior, base in one block */
    if (!s->c) {
        homer_mem_free(mem, s, 1, sizeof *s);
        return -ENOMEM;
    }
    s->loss = s->c + s->stride;
    s->prior = s->c + (size_t)3 * s->stride;
    s->base = s->c + (size_t)4 * s->stride;
    *out = s;
    return 0;
}

static void free_observers(struct homer_stats *s) {
    s->gauss = homer_mem_free(s->mem, s->gauss, s->gauss_cap, sizeof *s->gauss);
    s->moments = homer_mem_free(s->mem, s->moments, s->gauss_cap, HOMER_GAUSS_BYTES(s));
    s->presence = homer_mem_free(s->mem, s->presence, s->presence_cap, sizeof *s->presence);
    s->with = homer_mem_free(s->mem, s->with, s->presence_cap, HOMER_PRESENCE_BYTES(s));
    s->index = homer_mem_free(s->mem, s->index, s->index_n, sizeof *s->index);
}

struct homer_stats *homer_stats_free(struct homer_stats *s) {
    if (!s) return NULL;
    free_observers(s);
    homer_mem_free(s->mem, s->c, (size_t)BLOCKS * s->stride, sizeof *s->c);
    return homer_mem_free(s->mem, s, 1, sizeof *s);
}

static uint32_t hash_of(uint32_t feature, uint32_t gauss) {
    return (feature * 2 + gauss) * 2654435769u;
}

/* The slot of a feature's observer of that kind, or the free one where it would go. Ids are the schema's,
 * given in order: no client chooses them, so that a plain multiplicative hash is enough. */
static uint32_t slot_of(const struct homer_stats *s, uint32_t feature, uint32_t gauss) {
    uint32_t mask = s->index_n - 1, i = hash_of(feature, gauss) >> 7 & mask;
    for (; s->index[i]; i = (i + 1) & mask) {
        if (s->index[i] >> 32 == feature && (s->index[i] & 1) == gauss) break;
    }
    return i;
}

uint32_t homer_stats_find(const struct homer_stats *s, uint32_t feature, bool gauss) {
    if (!s->index_n) return UINT32_MAX;
    uint64_t e = s->index[slot_of(s, feature, gauss)];
    return e ? ((uint32_t)e >> 1) - 1 : UINT32_MAX;
}

void homer_stats_enter(struct homer_stats *s, uint32_t feature, uint32_t gauss, uint32_t place) {
    s->index[slot_of(s, feature, gauss)] = (uint64_t)feature << 32 | (place + 1) << 1 | gauss;
}

static uint32_t larger(uint32_t cap, uint32_t need) {
    if (cap >= need) return cap;
    if (cap < HOMER_STATS_FIRST) cap = HOMER_STATS_FIRST;
    while (cap < need) cap += cap / 2;
    return cap;
}

struct need {
    uint32_t gauss, presence; /* observers in all */
};

static struct need need_of(const struct homer_stats *s, const struct homer_frame *f) {
    struct need need = {s->gauss_n, s->presence_n};
    for (uint32_t i = 0; i < f->dense_n; i++)
        need.gauss += homer_stats_find_gauss(s, f->dense[i], i) == UINT32_MAX;
    for (uint32_t i = 0; i < f->present_n; i++)
        need.presence += homer_stats_find(s, f->present[i], false) == UINT32_MAX;
    return need;
}

static uint32_t index_for(const struct homer_stats *s, struct need need) {
    uint32_t n = s->index_n ? s->index_n : 16;
    while ((uint64_t)n * 2 < (uint64_t)(need.gauss + need.presence) * 3 + 3) n *= 2;
    return n;
}

/* Two blocks that share a capacity grow together or not at all. */
static int grow_pair(struct homer_mem *mem, void **a, size_t a_size, void **b, size_t b_size, uint32_t *cap,
                     uint32_t need) {
    uint32_t to = larger(*cap, need);
    if (to == *cap) return 0;
    void *p = homer_mem_alloc(mem, to, a_size), *q = homer_mem_alloc(mem, to, b_size);
    if (!p || !q) {
        homer_mem_free(mem, p, to, a_size);
        homer_mem_free(mem, q, to, b_size);
        return -ENOMEM;
    }
    if (*cap) {
        memcpy(p, *a, *cap * a_size);
        memcpy(q, *b, *cap * b_size);
    }
    homer_mem_free(mem, *a, *cap, a_size);
    homer_mem_free(mem, *b, *cap, b_size);
    *a = p;
    *b = q;
    *cap = to;
    return 0;
}

static int reserve(struct homer_stats *s, struct need need) {
    void *gauss = s->gauss, *moments = s->moments, *presence = s->presence, *with = s->with;
    int rc = grow_pair(s->mem, &gauss, sizeof *s->gauss, &moments, HOMER_GAUSS_BYTES(s), &s->gauss_cap,
                       need.gauss);
    s->gauss = gauss;
    s->moments = moments;
    if (!rc)
        rc = grow_pair(s->mem, &presence, sizeof *s->presence, &with, HOMER_PRESENCE_BYTES(s),
                       &s->presence_cap, need.presence);
    s->presence = presence;
    s->with = with;
    uint32_t index_n = index_for(s, need);
    if (rc || index_n == s->index_n) return rc;
    uint64_t *index = homer_mem_alloc(s->mem, index_n, sizeof *index);
    if (!index) return -ENOMEM;
    homer_mem_free(s->mem, s->index, s->index_n, sizeof *index);
    s->index = index;
    s->index_n = index_n;
    for (uint32_t i = 0; i < s->gauss_n; i++) homer_stats_enter(s, s->gauss[i].feature, 1, i);
    for (uint32_t i = 0; i < s->presence_n; i++) homer_stats_enter(s, s->presence[i].feature, 0, i);
    return 0;
}

int homer_stats_reserve(struct homer_stats *s, const struct homer_frame *f) {
    return reserve(s, need_of(s, f));
}

/* The rows of a place that was never in use are 0. */
static uint32_t add_gauss(struct homer_stats *s, uint32_t feature, float shift) {
    uint32_t i = s->gauss_n++;
    s->gauss[i] = (struct homer_gauss){.feature = feature, .shift = shift};
    homer_stats_enter(s, feature, 1, i);
    return i;
}

static uint32_t add_presence(struct homer_stats *s, uint32_t feature) {
    uint32_t i = s->presence_n++;
    s->presence[i] = (struct homer_presence){.feature = feature};
    homer_stats_enter(s, feature, 0, i);
    return i;
}

/* Whether one more observer fits: where memory was refused the arrays may have more places than the index, in
 * which a search ends at a free slot only. */
static bool has_room(const struct homer_stats *s, uint32_t n, uint32_t cap) {
    return n < cap && index_for(s, (struct need){s->gauss_n + 1, s->presence_n}) == s->index_n;
}

/* Welford's update with weight w. */
static void welford(float *n, float *mean, float *m2, float x, float w) {
    float d = x - *mean;
    *n += w;
    *mean += d * w / *n;
    *m2 += w * d * (x - *mean);
}

static void halve(struct homer_stats *s) {
    s->n *= 0.5;
    for (uint32_t l = 0; l < s->stride; l++) s->c[l] *= 0.5f;
    for (uint32_t i = 0; i < s->gauss_n; i++) {
        s->gauss[i].n *= 0.5f;
        s->gauss[i].m2 *= 0.5f;
        float *n1 = homer_stats_gauss(s, i, HOMER_N1), *m2 = homer_stats_gauss(s, i, HOMER_M2_1);
        for (uint32_t l = 0; l < s->stride; l++) {
            n1[l] *= 0.5f;
            m2[l] *= 0.5f;
        }
    }
    for (uint32_t i = 0; i < s->presence_n; i++) {
        s->presence[i].t *= 0.5f;
        for (uint32_t l = 0; l < s->stride; l++) homer_stats_presence(s, i, HOMER_WITH)[l] *= 0.5f;
    }
    homer_stats_refresh(s); /* the weights at which it is renewed would be too far off now */
}

/* Counts the present features from number `first` on, at most HOMER_STATS_AHEAD of them. */
static void count_present(struct homer_stats *s, const struct homer_frame *f, uint32_t first,
                          const uint32_t *on, uint32_t on_n, float weight) {
    uint32_t place[HOMER_STATS_AHEAD], left = f->present_n - first, due = 0,
                                       n = left < HOMER_STATS_AHEAD ? left : HOMER_STATS_AHEAD;
    for (uint32_t i = 0; i < n; i++) {
        place[i] = homer_stats_find(s, f->present[first + i], false);
        if (place[i] != UINT32_MAX) __builtin_prefetch(homer_stats_presence(s, place[i], HOMER_WITH), 1);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = place[i];
        if (at == UINT32_MAX) {
            if (!has_room(s, s->presence_n, s->presence_cap)) continue;
            at = add_presence(s, f->present[first + i]);
        }
        s->presence[at].t += weight;
        for (uint32_t k = 0; k < on_n; k++) homer_stats_presence(s, at, HOMER_WITH)[on[k]] += weight;
        if (on_n || s->presence[at].t >= s->presence[at].next) place[due++] = at;
    }
    homer_stats_refresh_presence(s, place, due);
}

void homer_stats_add(struct homer_stats *s, const struct homer_frame *f, const uint32_t *on, uint32_t on_n,
                     double weight) {
    s->n += weight;
    float fw = (float)weight;
    for (uint32_t k = 0; k < on_n; k++) s->c[on[k]] += fw;
    for (uint32_t i = 0; i < f->dense_n; i++) {
        float x = f->raw[i];
        if (isnan(x)) continue;
        uint32_t place = homer_stats_find_gauss(s, f->dense[i], i);
        if (place == UINT32_MAX) {
            if (!has_room(s, s->gauss_n, s->gauss_cap)) continue;
            place = add_gauss(s, f->dense[i], x);
        }
        struct homer_gauss *g = &s->gauss[place];
        x -= g->shift;
        welford(&g->n, &g->mean, &g->m2, x, fw);
        float *n1 = homer_stats_gauss(s, place, HOMER_N1);
        float *mean = homer_stats_gauss(s, place, HOMER_MEAN1), *m2 = homer_stats_gauss(s, place, HOMER_M2_1);
        for (uint32_t k = 0; k < on_n; k++) welford(&n1[on[k]], &mean[on[k]], &m2[on[k]], x, fw);
    }
    for (uint32_t i = 0; i < f->present_n; i += HOMER_STATS_AHEAD) count_present(s, f, i, on, on_n, fw);
    if (s->n > HALVE_AT) halve(s);
    homer_stats_refresh_curves(s);
}

/* to[k] = from[source[k]] where there is a source, in each of the rows. */
static inline void gather(float *to, uint32_t to_stride, const float *from, uint32_t from_stride, int rows,
                          const uint32_t *source, uint32_t m) {
    for (int row = 0; row < rows; row++, to += to_stride, from += from_stride)
        for (uint32_t k = 0; k < m; k++)
            if (source[k] != UINT32_MAX) to[k] = from[source[k]];
}

int homer_stats_remap(struct homer_stats **out, const struct homer_stats *s, const uint32_t *source,
                      uint32_t m, const float *share) {
    struct homer_stats *t = NULL;
    int rc = homer_stats_new(&t, s->mem, m);
    if (!rc) rc = reserve(t, (struct need){s->gauss_n, s->presence_n});
    if (rc) {
        homer_stats_free(t);
        return rc;
    }
    t->n = s->n;
    bool any_new = false;
    for (uint32_t k = 0; k < m; k++) {
        uint32_t from = source[k];
        bool known = from != UINT32_MAX;
        any_new |= !known;
        t->c[k] = known ? s->c[from] : share[k] * (float)s->n;
        t->loss[k] = known ? s->loss[from] : 0;
        t->loss[t->stride + k] = known ? s->loss[s->stride + from] : 0;
        t->prior[k] = known ? s->prior[from] : share[k];
    }
    for (uint32_t i = 0; i < s->gauss_n; i++) {
        uint32_t to = add_gauss(t, s->gauss[i].feature, 0);
        struct homer_gauss *g = &t->gauss[to];
        *g = s->gauss[i];
        for (uint32_t k = 0; any_new && k < m; k++) {
            homer_stats_gauss(t, to, HOMER_N1)[k] = share[k] * g->n;
            homer_stats_gauss(t, to, HOMER_MEAN1)[k] = g->mean;
            homer_stats_gauss(t, to, HOMER_M2_1)[k] = share[k] * g->m2; /* and no evidence */
        }
        gather(homer_stats_gauss(t, to, 0), t->stride, homer_stats_gauss(s, i, 0), s->stride,
               HOMER_GAUSS_ROWS, source, m);
    }
    for (uint32_t i = 0; i < s->presence_n; i++) {
        uint32_t to = add_presence(t, s->presence[i].feature);
        t->presence[to] = s->presence[i];
        for (uint32_t k = 0; any_new && k < m; k++)
            homer_stats_presence(t, to, HOMER_WITH)[k] = share[k] * s->presence[i].t;
        gather(homer_stats_presence(t, to, 0), t->stride, homer_stats_presence(s, i, 0), s->stride,
               HOMER_PRESENCE_ROWS, source, m);
        if (any_new) homer_stats_refresh_presence(t, &to, 1);
    }
    t->refresh = s->refresh;
    homer_stats_refresh_curves(t);
    *out = t;
    return 0;
}

int homer_stats_seed(struct homer_stats **out, const struct homer_stats *s, uint32_t without) {
    struct homer_stats *t = NULL;
    int rc = homer_stats_new(&t, s->mem, s->m);
    if (!rc) rc = reserve(t, (struct need){.gauss = s->gauss_n});
    if (rc) {
        homer_stats_free(t);
        return rc;
    }
    for (uint32_t i = 0; i < s->gauss_n; i++) {
        if (s->gauss[i].feature == without) continue;
        uint32_t to = add_gauss(t, s->gauss[i].feature, 0);
        t->gauss[to] = s->gauss[i];
        memcpy(homer_stats_gauss(t, to, 0), homer_stats_gauss(s, i, 0), HOMER_GAUSS_BYTES(s));
    }
    *out = t;
    return 0;
}

void homer_stats_rescale(struct homer_stats *s) {
    for (uint32_t i = 0; i < s->gauss_n; i++) {
        struct homer_gauss *g = &s->gauss[i];
        float *n1 = homer_stats_gauss(s, i, HOMER_N1), *m2_1 = homer_stats_gauss(s, i, HOMER_M2_1);
        g->m2 *= g->n > 0 ? (float)s->n / g->n : 0;
        g->n = (float)s->n;
        g->told = -1;
        for (uint32_t l = 0; l < s->m; l++) {
            if (n1[l] > 0) {
                m2_1[l] *= s->c[l] / n1[l];
            } else if (s->c[l] > 0) { /* its positives had no value: they are taken to be as all others */
                homer_stats_gauss(s, i, HOMER_MEAN1)[l] = g->mean;
                m2_1[l] = s->c[l] / g->n * g->m2;
            }
            n1[l] = s->c[l];
        }
    }
    homer_stats_refresh(s);
}

void homer_stats_drop(struct homer_stats *s) {
    free_observers(s);
    s->gauss_n = s->gauss_cap = s->presence_n = s->presence_cap = s->index_n = 0;
}

size_t homer_stats_bytes(const struct homer_stats *s) {
    return sizeof *s + BLOCKS * s->stride * sizeof(float) +
           s->gauss_n * (sizeof *s->gauss + HOMER_GAUSS_BYTES(s)) +
           s->presence_n * (sizeof *s->presence + HOMER_PRESENCE_BYTES(s));
}
