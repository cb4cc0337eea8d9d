#include "core/leaf/residual.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

#define START_VARIANCE 3.0f
#define START_BIAS_VARIANCE 1.0f
#define MIN_CURVATURE 1e-4f
#define PROCESS_NOISE 1e-4f
#define CLIP 4.0f
#define USUAL_OVER 1000.0 /* instances */
#define SPREAD_OVER 2000.0f
#define BEGIN_AT 0.5 /* of D */
#define REPLACE_AT 3.0
#define FADE 0.9995f
#define MIN_RATE 0.003f

enum {
    K = HOMER_PROTOTYPES,
    LANES = HOMER_LANES,
    LEAST_TERMS = 4,
    FIRST = 16,
    FIRST_FEATURES = 64,
    FIRST_SLOTS = 8
};

typedef struct homer_residual_group group;

void homer_residual_init(struct homer_residual *r, struct homer_mem *mem) {
    *r = (struct homer_residual){.mem = mem};
}

static void free_slots(struct homer_residual *r) {
    homer_mem_free(r->mem, r->slot, r->slot_cap, sizeof *r->slot);
    homer_mem_free(r->mem, r->prototype, r->slot_cap, K * sizeof *r->prototype);
    homer_mem_free(r->mem, r->row, r->slot_cap, r->groups_cap * sizeof *r->row);
    homer_mem_free(r->mem, r->term, r->slot_cap, sizeof *r->term);
    homer_mem_free(r->mem, r->bias, r->groups_cap, sizeof *r->bias);
    homer_mem_free(r->mem, r->sum, r->groups_cap, sizeof *r->sum);
}

static void residual_deinit(void *self) {
    struct homer_residual *r = self;
    free_slots(r);
    homer_mem_free(r->mem, r->of, r->feature_cap, sizeof *r->of);
    homer_residual_init(r, r->mem);
}

static void start_groups(group *g, uint32_t from, uint32_t to, float variance) {
    for (uint32_t i = from; i < to; i++)
        for (int c = 0; c < LANES; c++) g[i].var[c] = variance;
}

static void copy(void *to, const void *from, size_t bytes) {
    if (bytes) memcpy(to, from, bytes);
}

/* Room for that many slots and groups, both at least as many as there are: all or nothing. */
static int grow(struct homer_residual *r, uint32_t slots, uint32_t groups) {
    struct homer_residual to = *r;
    uint32_t had = r->groups_cap;
    to.slot_cap = slots;
    to.groups_cap = groups;
    to.slot = homer_mem_alloc(r->mem, slots, sizeof *to.slot);
    to.prototype = homer_mem_alloc(r->mem, slots, K * sizeof *to.prototype);
    to.row = homer_mem_alloc(r->mem, slots, groups * sizeof *to.row);
    to.term = homer_mem_alloc(r->mem, slots, sizeof *to.term);
    to.bias = homer_mem_alloc(r->mem, groups, sizeof *to.bias);
    to.sum = homer_mem_alloc(r->mem, groups, sizeof *to.sum);
    if (!to.slot || !to.prototype || !to.row || !to.term || !to.bias || !to.sum) {
        free_slots(&to);
        return -ENOMEM;
    }
    copy(to.slot, r->slot, r->slots * sizeof *to.slot);
    copy(to.prototype, r->prototype, r->slots * K * sizeof *to.prototype);
    copy(to.term, r->term, r->terms * sizeof *to.term);
    copy(to.bias, r->bias, had * sizeof *to.bias);
    copy(to.sum, r->sum, had * sizeof *to.sum);
    start_groups(to.bias, had, groups, START_BIAS_VARIANCE);
    for (uint32_t i = 0; i < slots; i++) {
        group *row = to.row + (size_t)i * groups;
        if (i < r->slots) copy(row, r->row + (size_t)i * had, had * sizeof *row);
        start_groups(row, i < r->slots ? had : 0, groups, START_VARIANCE);
    }
    free_slots(r);
    *r = to;
    return 0;
}

static int residual_reserve(void *self, uint32_t features, uint32_t columns) {
    struct homer_residual *r = self;
    uint32_t groups = (columns + LANES - 1) / LANES, n = r->groups_cap;
    if (features > r->feature_cap) {
        uint32_t cap = r->feature_cap ? r->feature_cap : FIRST_FEATURES;
        while (cap < features) cap += cap / 2;
        void *of = homer_mem_grow(r->mem, r->of, r->feature_cap, cap, sizeof *r->of);
        if (!of) return -ENOMEM;
        r->of = of;
        r->feature_cap = cap;
    }
    if (groups <= n) return 0;
    while (n < groups) n += n < 4 ? 1 : n / 4;
    return grow(r, r->slot_cap ? r->slot_cap : FIRST_SLOTS, n);
}

/* How many scaled values of the frame are dense features': they come first. */
static uint32_t dense_of(const struct homer_frame *f) {
    return f->n - f->present_n;
}

/* Of the first instances nearly every feature is dense. */
static bool too_early(const struct homer_frame *f) {
    return f->seq < FIRST;
}

static uint32_t lacking(const struct homer_residual *r, const struct homer_frame *f) {
    uint32_t n = 0;
    if (too_early(f)) return 0;
    for (uint32_t i = 0; i < dense_of(f); i++) n += !r->of[f->feature[i]];
    return n;
}

static int residual_prepare(void *self, const struct homer_frame *f) {
    struct homer_residual *r = self;
    uint32_t need = r->slots + lacking(r, f), cap = r->slot_cap;
    if (need <= cap) return 0;
    while (cap < need) cap += cap / 2;
    uint64_t capped = r->mem->capped;
    int rc = grow(r, cap, r->groups_cap);
    return r->mem->capped > capped ? 0 : rc; /* then features without a slot do not take part */
}

/* Mean squared distances of the instance to all prototypes, and the nearest. */
HOMER_WIDE static void find_nearest(struct homer_residual *r) {
    float distance[K] = {0};
    for (uint32_t i = 0; i < r->terms; i++) {
        const float *c = r->prototype + (size_t)r->term[i].slot * K;
        float z = r->term[i].z;
        for (int k = 0; k < K; k++) distance[k] += (z - c[k]) * (z - c[k]);
    }
    r->nearest = 0;
    for (uint32_t k = 1; k < r->prototypes; k++)
        if (distance[k] < distance[r->nearest]) r->nearest = k;
    r->distance = distance[r->nearest] / (float)r->terms;
}

/* The terms of the instance; none when it has too few. */
static void measure(struct homer_residual *r, const struct homer_frame *f) {
    float scale = sqrtf((float)f->dense_n); /* of the dense block: see scale.h */
    r->terms = 0;
    if (!r->slots) return;
    for (uint32_t i = 0; i < dense_of(f); i++) {
        uint32_t slot = r->of[f->feature[i]];
        if (slot) r->term[r->terms++] = (struct homer_residual_term){.slot = slot - 1, .z = f->x[i] * scale};
    }
    if (r->terms < LEAST_TERMS) r->terms = 0;
    if (!r->terms) return;
    find_nearest(r);
    float unit = 1.0f / sqrtf((float)r->terms);
    for (uint32_t i = 0; i < r->terms; i++) {
        struct homer_residual_term *t = &r->term[i];
        const struct homer_residual_slot *s = &r->slot[t->slot];
        t->r = homer_clip(fabsf(t->z - r->prototype[(size_t)t->slot * K + r->nearest]), 0, CLIP);
        t->x = homer_clip((t->r - s->mean) / sqrtf(s->variance + 1e-6f), -CLIP, CLIP) * unit;
    }
}

HOMER_WIDE static void residual_predict(void *self, struct homer_frame *f) {
    struct homer_residual *r = self;
    float *out = f->evidence[HOMER_X_RESIDUAL];
    measure(r, f);
    if (!r->terms) memset(out, 0, f->stride * sizeof *out);
    for (uint32_t g = 0; g < f->stride / LANES && r->terms; g++) {
        group acc = r->bias[g];
        for (uint32_t i = 0; i < r->terms; i++) {
            const group *row = &r->row[(size_t)r->term[i].slot * r->groups_cap + g];
            float x = r->term[i].x, xx = x * x;
            for (int c = 0; c < LANES; c++) {
                acc.w[c] += x * row->w[c];
                acc.var[c] += xx * row->var[c];
            }
        }
        r->sum[g] = acc;
        for (int c = 0; c < LANES; c++) {
            uint32_t l = g * LANES + (uint32_t)c;
            out[l] = homer_clip(acc.w[c] - f->prior_logit[l], -HOMER_EVIDENCE_CLIP, HOMER_EVIDENCE_CLIP);
        }
    }
}

static void residual_add_label(void *self, uint32_t from) {
    struct homer_residual *r = self;
    uint32_t g = from / LANES, c = from % LANES, h = (from + 1) / LANES, d = (from + 1) % LANES;
    for (uint32_t i = 0; i < r->slots + 2; i++) {
        group *row = i < r->slots ? r->row + (size_t)i * r->groups_cap : i == r->slots ? r->bias : r->sum;
        row[h].w[d] = row[g].w[c];
        row[h].var[d] = row[g].var[c];
    }
}

/* One step of the filter for a group of columns. */
static inline void learn_group(struct homer_residual *r, const struct homer_frame *f, uint32_t g) {
    const float *y = f->y + g * LANES, *weight = f->weight + g * LANES;
    const group *sum = &r->sum[g];
    float gradient[LANES], shrink[LANES], noise[LANES];
    for (int c = 0; c < LANES; c++) {
        float p = homer_sigmoid(sum->w[c]), q = p * (1.0f - p);
        q = weight[c] * (q < MIN_CURVATURE ? MIN_CURVATURE : q);
        float z = 1.0f / (1.0f + q * sum->var[c]);
        gradient[c] = weight[c] * (y[c] - p) * z;
        shrink[c] = q * z;
        noise[c] = weight[c] > 0 ? PROCESS_NOISE : 0.0f;
    }
    for (uint32_t i = 0; i <= r->terms; i++) {
        bool bias = i == r->terms;
        group *row = bias ? &r->bias[g] : &r->row[(size_t)r->term[i].slot * r->groups_cap + g];
        float x = bias ? 1.0f : r->term[i].x;
        for (int c = 0; c < LANES; c++) {
            float ax = row->var[c] * x;
            row->w[c] += ax * gradient[c];
            row->var[c] = row->var[c] - shrink[c] * ax * ax + noise[c];
        }
    }
}

HOMER_WIDE static void learn_columns(struct homer_residual *r, const struct homer_frame *f) {
    for (uint32_t g = 0; g < f->stride / LANES; g++) learn_group(r, f, g);
}

static void begin_prototype(struct homer_residual *r, uint32_t k, float weight) {
    for (uint32_t i = 0; i < r->slots; i++) r->prototype[(size_t)i * K + k] = 0; /* as the mean */
    for (uint32_t i = 0; i < r->terms; i++) r->prototype[(size_t)r->term[i].slot * K + k] = r->term[i].z;
    r->used[k] = weight;
}

static uint32_t least_used(const struct homer_residual *r) {
    uint32_t least = 0;
    for (uint32_t k = 1; k < K; k++)
        if (r->used[k] < r->used[least]) least = k;
    return least;
}

static void learn_prototypes(struct homer_residual *r, float weight) {
    if (!r->prototypes) {
        begin_prototype(r, r->prototypes++, weight);
        return;
    }
    double d = (double)r->distance;
    if (r->seen < USUAL_OVER) r->seen++;
    r->usual += (d - r->usual) / r->seen;
    for (uint32_t k = 0; k < K; k++) r->used[k] *= FADE;
    if (r->prototypes < K && d > BEGIN_AT * r->usual) {
        begin_prototype(r, r->prototypes++, weight);
        return;
    }
    if (r->prototypes == K && d > REPLACE_AT * r->usual) {
        begin_prototype(r, least_used(r), weight);
        return;
    }
    float *used = &r->used[r->nearest];
    *used += weight;
    float rate = weight * homer_clip(1.0f / *used, MIN_RATE, 1.0f);
    if (rate > 1) rate = 1;
    for (uint32_t i = 0; i < r->terms; i++) {
        float *c = &r->prototype[(size_t)r->term[i].slot * K + r->nearest];
        *c += rate * (r->term[i].z - *c);
    }
}

static void learn_spread(struct homer_residual *r) {
    for (uint32_t i = 0; i < r->terms; i++) {
        struct homer_residual_slot *s = &r->slot[r->term[i].slot];
        if (s->n < SPREAD_OVER) s->n++;
        float w = 1.0f / s->n, d = r->term[i].r - s->mean;
        s->mean += w * d;
        s->variance += w * (d * d * (1.0f - w) - s->variance);
    }
}

static void residual_learn(void *self, const struct homer_frame *f) {
    struct homer_residual *r = self;
    if (r->terms) {
        learn_columns(r, f);
        learn_spread(r);
        learn_prototypes(r, (float)f->w);
    }
    for (uint32_t i = 0; i < dense_of(f) && !too_early(f); i++) {
        uint32_t j = f->feature[i];
        if (r->of[j] || r->slots == r->slot_cap) continue;
        r->slot[r->slots] = (struct homer_residual_slot){.feature = j, .variance = 1};
        r->of[j] = ++r->slots;
    }
}

void homer_residual_soften(struct homer_residual *r, const uint32_t *column, uint32_t n, float variance,
                           float bias_variance) {
    for (uint32_t i = 0; i <= r->slots; i++) {
        group *row = i < r->slots ? r->row + (size_t)i * r->groups_cap : r->bias;
        float least = i < r->slots ? variance : bias_variance;
        for (uint32_t k = 0; k < n; k++) {
            float *v = &row[column[k] / LANES].var[column[k] % LANES];
            if (*v < least) *v = least;
        }
    }
}

/* Of a group the first n columns, or all, side by side. */
static void encode_group(const group *g, uint32_t n, struct homer_codec *c) {
    float pair[2 * LANES];
    for (int k = 0; k < LANES; k++) {
        pair[2 * k] = g->w[k];
        pair[2 * k + 1] = g->var[k];
    }
    homer_put_f32s(c, pair, n < LANES ? 2 * n : 2 * LANES);
}

static void decode_group(group *g, uint32_t n, struct homer_decoder *d) {
    float pair[2 * LANES];
    if (n > LANES) n = LANES;
    homer_get_f32s(d, pair, 2 * n);
    for (uint32_t k = 0; k < n; k++) {
        g->w[k] = pair[2 * k];
        g->var[k] = pair[2 * k + 1];
    }
}

static void residual_encode(const void *self, uint32_t columns, struct homer_codec *c) {
    const struct homer_residual *r = self;
    homer_put_u32(c, r->slots);
    homer_put_room(c, r->feature_cap);
    homer_put_room(c, r->slot_cap);
    homer_put_room(c, r->groups_cap);
    homer_put_u32(c, r->prototypes);
    homer_put_f32s(c, r->used, K);
    homer_put_f64(c, r->usual);
    homer_put_f64(c, r->seen);
    for (uint32_t i = 0; i <= r->slots; i++) {
        const group *row = i < r->slots ? r->row + (size_t)i * r->groups_cap : r->bias;
        for (uint32_t k = 0; k < columns; k += LANES) encode_group(&row[k / LANES], columns - k, c);
        if (i == r->slots) break;
        homer_put_u32(c, r->slot[i].feature);
        homer_put_f32s(c, &r->slot[i].n, 3);
        homer_put_f32s(c, r->prototype + (size_t)i * K, K);
    }
}

static void decode_slot(struct homer_residual *r, uint32_t i, uint32_t features, struct homer_decoder *d) {
    struct homer_residual_slot *s = &r->slot[i];
    s->feature = homer_get_u32(d);
    if (!homer_get_holds(d, s->feature < features && !r->of[s->feature])) return;
    r->of[s->feature] = i + 1;
    homer_get_f32s(d, &s->n, 3);
    homer_get_f32s(d, r->prototype + (size_t)i * K, K);
}

static void residual_decode(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d) {
    struct homer_residual *r = self;
    uint32_t slots = homer_get_most(d, features);
    r->feature_cap = homer_get_grown_room(d, FIRST_FEATURES, columns ? features : 0);
    r->of = homer_get_block(d, r->mem, r->feature_cap, sizeof *r->of);
    uint32_t slot_cap = homer_get_grown_room(d, FIRST_SLOTS, slots);
    uint32_t groups = homer_get_room(d, (columns + LANES - 1) / LANES);
    homer_get_holds(d, (slot_cap > 0) == (groups > 0));
    if (!d->error && slot_cap && grow(r, slot_cap, groups)) homer_get_fail(d, -ENOMEM);
    if (d->error) return;
    r->prototypes = homer_get_most(d, K);
    homer_get_f32s(d, r->used, K);
    r->usual = homer_get_f64(d);
    r->seen = homer_get_f64(d);
    for (uint32_t i = 0; i <= slots && !d->error; i++) {
        group *row = i < slots ? r->row + (size_t)i * groups : r->bias;
        for (uint32_t k = 0; k < columns; k += LANES) decode_group(&row[k / LANES], columns - k, d);
        if (i < slots) decode_slot(r, i, features, d);
    }
    r->slots = slots;
}

const struct homer_expert_ops homer_residual_ops = {
    .reserve = residual_reserve,
    .predict = residual_predict,
    .prepare = residual_prepare,
    .learn = residual_learn,
    .add_label = residual_add_label,
    .encode = residual_encode,
    .decode = residual_decode,
    .deinit = residual_deinit,
};
