#include "core/scale.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

#define DENSE_SHARE 0.3
#define CLIP 4.0f
#define UNSEEN UINT32_MAX /* a feature without an id */

void homer_scale_init(struct homer_scale *s, struct homer_mem *mem, bool absent_missing) {
    *s = (struct homer_scale){.mem = mem, .absent_missing = absent_missing};
}

static void release(struct homer_scale *s) {
    homer_mem_free(s->mem, s->moments, s->cap, sizeof *s->moments);
    homer_mem_free(s->mem, s->is_dense, s->cap, sizeof *s->is_dense);
    homer_mem_free(s->mem, s->dense, s->cap, sizeof *s->dense);
    homer_mem_free(s->mem, s->fresh, s->cap, sizeof *s->fresh);
    homer_mem_free(s->mem, s->given, s->cap, sizeof *s->given);
    homer_mem_free(s->mem, s->state, s->cap, sizeof *s->state);
    homer_mem_free(s->mem, s->touched, s->cap, sizeof *s->touched);
    homer_mem_free(s->mem, s->raw, s->cap, sizeof *s->raw);
    homer_mem_free(s->mem, s->out_feature, s->cap, sizeof *s->out_feature);
    homer_mem_free(s->mem, s->out_x, s->cap, sizeof *s->out_x);
}

void homer_scale_deinit(struct homer_scale *s) {
    release(s);
    homer_scale_init(s, s->mem, s->absent_missing);
}

int homer_scale_reserve(struct homer_scale *s, uint32_t features) {
    if (features > s->cap) {
        struct homer_scale g = *s;
        g.cap = s->cap ? s->cap : 64;
        while (g.cap < features) g.cap += g.cap / 2;
        g.moments = homer_mem_alloc(s->mem, g.cap, sizeof *g.moments);
        g.is_dense = homer_mem_alloc(s->mem, g.cap, sizeof *g.is_dense);
        g.dense = homer_mem_alloc(s->mem, g.cap, sizeof *g.dense);
        g.fresh = homer_mem_alloc(s->mem, g.cap, sizeof *g.fresh);
        g.given = homer_mem_alloc(s->mem, g.cap, sizeof *g.given);
        g.state = homer_mem_alloc(s->mem, g.cap, sizeof *g.state);
        g.touched = homer_mem_alloc(s->mem, g.cap, sizeof *g.touched);
        g.raw = homer_mem_alloc(s->mem, g.cap, sizeof *g.raw);
        g.out_feature = homer_mem_alloc(s->mem, g.cap, sizeof *g.out_feature);
        g.out_x = homer_mem_alloc(s->mem, g.cap, sizeof *g.out_x);
        if (!g.moments || !g.is_dense || !g.dense || !g.fresh || !g.given || !g.state || !g.touched ||
            !g.raw || !g.out_feature || !g.out_x) {
            release(&g);
            return -ENOMEM;
        }
        if (s->cap) {
            memcpy(g.moments, s->moments, s->cap * sizeof *g.moments);
            memcpy(g.is_dense, s->is_dense, s->cap * sizeof *g.is_dense);
            memcpy(g.dense, s->dense, s->cap * sizeof *g.dense);
        }
        g.touched_n = 0;
        release(s);
        *s = g;
    }
    return 0;
}

/* Welford's update with weight w. */
static struct homer_moments moments_with(struct homer_moments m, double x, double w) {
    double d = x - m.mean;
    m.n += w;
    m.mean += d * w / m.n;
    m.m2 += w * d * (x - m.mean);
    return m;
}

/* What the instance gives, and the moments that would be with it. */
static void take_in(struct homer_scale *s, const struct homer_instance *x) {
    for (uint32_t i = 0; i < s->touched_n; i++) s->state[s->touched[i]] = HOMER_ABSENT;
    s->touched_n = 0;
    for (uint32_t i = 0; i < x->missing_n; i++) {
        uint32_t j = x->missing[i];
        s->touched[s->touched_n++] = j;
        s->state[j] = HOMER_NULL;
    }
    for (uint32_t i = 0; i < x->feature_n; i++) {
        uint32_t j = x->feature[i];
        if (j == UNSEEN || (x->value[i] == 0 && !s->absent_missing)) continue;
        s->fresh[j] = moments_with(s->moments[j], (double)x->value[i], x->weight);
        s->given[j] = x->value[i];
        s->touched[s->touched_n++] = j;
        s->state[j] = HOMER_GIVEN;
    }
}

enum { BLOCK = 64 };

/* Some dense features of an instance, side by side. */
struct block {
    uint32_t feature[BLOCK], n;
    double count[BLOCK], mean[BLOCK], m2[BLOCK], total[BLOCK]; /* moments; over how many instances */
    double raw[BLOCK];
    double centre[BLOCK], variance[BLOCK]; /* over all of these */
    float z[BLOCK];                        /* standardised, clipped, in units of the block */
};

HOMER_WIDE static void standardise(struct block *restrict b, double widen, float unit) {
    for (uint32_t i = 0; i < b->n; i++) {
        double n = b->count[i], mean = b->mean[i], total = b->total[i];
        double centre = mean * n / total,
               variance = (b->m2[i] + mean * mean * n * (total - n) / total) / total;
        b->centre[i] = centre;
        b->variance[i] = variance;
        b->z[i] = homer_clip((float)((b->raw[i] - centre) / sqrt(variance * widen)), -CLIP, CLIP) * unit;
    }
}

/* Into out[] from number `out` on, without those that hardly vary; returns how many there are then. */
static uint32_t put_block(struct homer_scale *s, struct block *b, double widen, float unit, uint32_t out) {
    standardise(b, widen, unit);
    for (uint32_t i = 0; i < b->n; i++) {
        if (!(b->variance[i] > 1e-10 * b->centre[i] * b->centre[i])) continue;
        s->out_feature[out] = b->feature[i];
        s->out_x[out++] = b->z[i];
    }
    b->n = 0;
    return out;
}

/* The dense block: scaled into out, unscaled into raw. */
static uint32_t scale_dense(struct homer_scale *s, double t) {
    float unit = s->dense_n ? 1.0f / sqrtf((float)s->dense_n) : 0.0f;
    double widen = t < 10 ? 2 : 1;
    struct block b;
    uint32_t out = 0;
    b.n = 0;
    for (uint32_t i = 0; i < s->dense_n; i++) {
        uint32_t j = s->dense[i], k = b.n;
        uint8_t state = s->state[j];
        s->raw[i] = NAN;
        if (state == HOMER_NULL || (state == HOMER_ABSENT && s->absent_missing)) continue;
        s->raw[i] = state == HOMER_GIVEN ? s->given[j] : 0.0f;
        const struct homer_moments *m = state == HOMER_GIVEN ? &s->fresh[j] : &s->moments[j];
        b.feature[k] = j;
        b.raw[k] = (double)s->raw[i];
        b.count[k] = m->n;
        b.mean[k] = m->mean;
        b.m2[k] = m->m2;
        b.total[k] = s->absent_missing ? m->n : t - m->missing;
        if (++b.n == BLOCK) out = put_block(s, &b, widen, unit, out);
    }
    return put_block(s, &b, widen, unit, out);
}

uint32_t homer_scale_apply(struct homer_scale *s, const struct homer_instance *x) {
    take_in(s, x);
    uint32_t out = scale_dense(s, s->t + x->weight);
    uint32_t words = x->feature_n - x->text_n; /* where they begin */
    float norm = 0;
    s->sparse = out;
    for (uint32_t i = 0; i < x->feature_n; i++) {
        uint32_t j = x->feature[i];
        if (x->value[i] == 0 || (j != UNSEEN && s->is_dense[j])) continue;
        float v = x->value[i];
        if (j == UNSEEN) {
            norm += i < words ? 1.0f : v * v; /* its own root mean square is |v| */
            continue;
        }
        if (i < words) {
            const struct homer_moments *m = &s->fresh[j];
            v = homer_clip(v / (float)sqrt(m->mean * m->mean + m->m2 / m->n), -CLIP, CLIP);
        }
        norm += v * v;
        s->out_feature[out] = j;
        s->out_x[out++] = v;
    }
    if (norm > 0) {
        float unit = 1.0f / sqrtf(norm);
        for (uint32_t i = s->sparse; i < out; i++) s->out_x[i] *= unit;
    }
    return out;
}

void homer_scale_commit(struct homer_scale *s, const struct homer_instance *x) {
    for (uint32_t i = 0; i < s->touched_n; i++) {
        uint32_t j = s->touched[i];
        if (s->state[j] == HOMER_GIVEN)
            s->moments[j] = s->fresh[j];
        else
            s->moments[j].missing += x->weight;
    }
    s->t += x->weight;
    s->n++;
}

void homer_scale_redecide(struct homer_scale *s) {
    if ((s->n & (s->n - 1)) != 0 && s->n % 1000 != 0) return;
    s->dense_n = 0;
    for (uint32_t j = 0; j < s->features; j++) {
        s->is_dense[j] = s->moments[j].n > DENSE_SHARE * (s->t - s->moments[j].missing);
        if (s->is_dense[j]) s->dense[s->dense_n++] = j;
    }
}

void homer_scale_make_sparse(struct homer_scale *s) {
    for (uint32_t i = 0; i < s->dense_n; i++) s->is_dense[s->dense[i]] = 0;
    s->dense_n = 0;
}

void homer_scale_encode(const struct homer_scale *s, struct homer_codec *c) {
    homer_put_u64(c, s->n);
    homer_put_f64(c, s->t);
    homer_put_u32(c, s->features);
    homer_put_room(c, s->cap);
    for (uint32_t j = 0; j < s->features; j++) {
        homer_put_f64s(c, &s->moments[j].n, 4);
        homer_put_u8(c, s->is_dense[j]);
    }
}

void homer_scale_decode(struct homer_scale *s, uint32_t features, struct homer_decoder *d) {
    s->n = homer_get_u64(d);
    s->t = homer_get_f64(d);
    homer_get_holds(d, homer_get_u32(d) == features);
    uint32_t cap = homer_get_room(d, features);
    if (homer_scale_reserve(s, cap)) homer_get_fail(d, -ENOMEM);
    if (!homer_get_holds(d, s->cap == cap)) return;
    s->features = features;
    for (uint32_t j = 0; j < features; j++) {
        homer_get_f64s(d, &s->moments[j].n, 4);
        s->is_dense[j] = homer_get_u8(d, 1);
        if (s->is_dense[j]) s->dense[s->dense_n++] = j;
    }
}
