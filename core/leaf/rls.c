#include "core/leaf/rls.h"

#include <errno.h>
#include <string.h>
#include "core/base/num.h"

#define START 20.0f
#define LEAST_SHARE 0.1f
#define MOST_WEIGHT 100.0f
#define PROCESS_NOISE 1e-9f

enum { DIM = HOMER_RLS_DIM, HASHED = 256, PLACES = HASHED - 1 };

void homer_rls_init(struct homer_rls *r, struct homer_mem *mem) {
    *r = (struct homer_rls){.mem = mem};
    homer_grid_init(&r->w, mem, DIM, sizeof(float));
    homer_grid_init(&r->error, mem, 1, sizeof(float));
}

static void rls_deinit(void *self) {
    struct homer_rls *r = self;
    homer_mem_free(r->mem, r->p, (size_t)DIM * DIM, sizeof *r->p);
    homer_mem_free(r->mem, r->px, DIM, sizeof *r->px);
    homer_mem_free(r->mem, r->place, r->cap, sizeof *r->place);
    homer_mem_free(r->mem, r->x, r->cap, sizeof *r->x);
    homer_grid_deinit(&r->w);
    homer_grid_deinit(&r->error);
}

static int reserve_inputs(struct homer_rls *r, uint32_t need) {
    if (need <= r->cap) return 0;
    uint32_t cap = need + need / 2;
    uint32_t *place = homer_mem_alloc(r->mem, cap, sizeof *place);
    float *x = homer_mem_alloc(r->mem, cap, sizeof *x);
    if (!place || !x) {
        homer_mem_free(r->mem, place, cap, sizeof *place);
        homer_mem_free(r->mem, x, cap, sizeof *x);
        return -ENOMEM;
    }
    homer_mem_free(r->mem, r->place, r->cap, sizeof *place);
    homer_mem_free(r->mem, r->x, r->cap, sizeof *x);
    r->place = place;
    r->x = x;
    r->cap = cap;
    return 0;
}

static int rls_reserve(void *self, uint32_t features, uint32_t columns) {
    struct homer_rls *r = self;
    if (!r->p && !(r->p = homer_mem_alloc(r->mem, (size_t)DIM * DIM, sizeof *r->p))) return -ENOMEM;
    if (!r->px && !(r->px = homer_mem_alloc(r->mem, DIM, sizeof *r->px))) return -ENOMEM;
    if (homer_grid_reserve(&r->w, columns) || homer_grid_reserve(&r->error, columns)) return -ENOMEM;
    return reserve_inputs(r, 1 + (features < DIM ? features : 2 * features));
}

/* Two places of a feature; bit 31 of each: negative. Any fixed mixing does: ids are given in order. */
static uint64_t places_of(uint32_t feature) {
    uint64_t z = feature * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* The dimensions that the frame's features below `known` touch. */
static void project(struct homer_rls *r, const struct homer_frame *f, uint32_t known) {
    r->n = 0;
    r->place[r->n] = 0;
    r->x[r->n++] = 1;
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->feature[i] >= known) continue;
        if (!r->hashed) {
            r->place[r->n] = 1 + f->feature[i];
            r->x[r->n++] = f->x[i];
            continue;
        }
        uint64_t h = places_of(f->feature[i]);
        for (int k = 0; k < 2; k++, h >>= 32) {
            r->place[r->n] = 1 + (uint32_t)(h & 0x7fffffff) % PLACES;
            r->x[r->n++] = (h & 0x80000000u ? -0.70710678f : 0.70710678f) * f->x[i];
        }
    }
}

HOMER_WIDE static void outputs(struct homer_rls *r, uint32_t stride, float *restrict out) {
    for (uint32_t l = 0; l < stride; l++) out[l] = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        const float *w = homer_grid_f32(&r->w, r->place[i]);
        float x = r->x[i];
        for (uint32_t l = 0; l < stride; l++) out[l] += x * w[l];
    }
}

HOMER_WIDE static void rls_predict(void *self, struct homer_frame *f) {
    struct homer_rls *r = self;
    float *out = f->evidence[HOMER_X_RLS];
    uint32_t known = r->hashed || f->known_features < r->dim ? f->known_features : r->dim - 1;
    if (r->dim == 0) known = 0;
    project(r, f, known);
    outputs(r, f->stride, out);
    for (uint32_t l = 0; l < f->stride; l++) {
        float pi = f->prior[l], least = LEAST_SHARE * pi, most = 1 - LEAST_SHARE * (1 - pi);
        out[l] = homer_clip(homer_logit(homer_clip(out[l], least, most)) - f->prior_logit[l],
                            -HOMER_EVIDENCE_CLIP, HOMER_EVIDENCE_CLIP);
    }
}

static void restart(struct homer_rls *r) {
    memset(r->p, 0, (size_t)DIM * DIM * sizeof *r->p);
    for (uint32_t d = 0; d < r->w.rows; d++) memset(homer_grid_f32(&r->w, d), 0, r->w.cap * sizeof(float));
    r->dim = 0;
}

static void extend(struct homer_rls *r, uint32_t dim) {
    for (; r->dim < dim; r->dim++) r->p[(size_t)r->dim * DIM + r->dim] = START;
}

HOMER_WIDE static void covariance_times_x(struct homer_rls *r) {
    float *restrict px = r->px;
    for (uint32_t d = 0; d < r->dim; d++) px[d] = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        const float *p = r->p + (size_t)r->place[i] * DIM;
        float x = r->x[i];
        for (uint32_t d = 0; d < r->dim; d++) px[d] += x * p[d];
    }
}

HOMER_WIDE static void update(struct homer_rls *r, const float *restrict error, uint32_t stride,
                              float scale) {
    const float *restrict px = r->px;
    for (uint32_t d = 0; d < r->dim; d++) {
        float k = scale * px[d];
        float *restrict p = r->p + (size_t)d * DIM, *restrict w = homer_grid_f32(&r->w, d);
        for (uint32_t e = 0; e < r->dim; e++) p[e] -= k * px[e];
        for (uint32_t l = 0; l < stride; l++) w[l] += k * error[l];
    }
}

static void rls_learn(void *self, const struct homer_frame *f) {
    struct homer_rls *r = self;
    float *error = homer_grid_f32(&r->error, 0), known = 0, spread = 0;
    if (!r->hashed && f->features >= DIM) {
        restart(r);
        r->hashed = true;
    }
    extend(r, r->hashed ? HASHED : 1 + f->features);
    project(r, f, f->features);
    outputs(r, f->stride, error);
    for (uint32_t l = 0; l < f->stride; l++) {
        bool is = f->weight[l] > 0;
        error[l] = is ? f->y[l] - error[l] : 0.0f;
        known += is && l < f->labels;
    }
    float w = (float)f->w * (f->labels ? known / (float)f->labels : 1);
    if (!(w > 0)) return;
    if (w > MOST_WEIGHT) w = MOST_WEIGHT;
    for (uint32_t i = 0; i < r->n; i++) r->p[(size_t)r->place[i] * (DIM + 1)] += PROCESS_NOISE;
    covariance_times_x(r);
    for (uint32_t i = 0; i < r->n; i++) spread += r->x[i] * r->px[r->place[i]];
    if (spread < 0) spread = 0; /* by rounding */
    update(r, error, f->stride, w / (1 + w * spread));
}

static void rls_add_label(void *self, uint32_t from) {
    struct homer_rls *r =
        self; /* the label's column is the virtual one, so far; the next virtual one is a copy */
    homer_grid_copy_column(&r->w, from, from + 1);
}

static void rls_encode(const void *self, uint32_t columns, struct homer_codec *c) {
    const struct homer_rls *r = self;
    homer_put_u8(c, r->hashed);
    homer_put_u32(c, r->dim);
    homer_put_room(c, r->p != NULL);
    homer_put_room(c, r->px != NULL);
    homer_grid_put_room(&r->w, c);
    homer_grid_put_room(&r->error, c);
    homer_put_room(c, r->cap);
    for (uint32_t d = 0; d < r->dim; d++) {
        homer_put_f32s(c, r->p + (size_t)d * DIM, r->dim);
        homer_put_f32s(c, homer_grid_f32(&r->w, d), columns);
    }
}

static void decode_room(struct homer_rls *r, uint32_t columns, struct homer_decoder *d) {
    if (homer_get_room(d, r->dim > 0)) r->p = homer_get_block(d, r->mem, (size_t)DIM * DIM, sizeof *r->p);
    if (homer_get_room(d, 0)) r->px = homer_get_block(d, r->mem, DIM, sizeof *r->px);
    if (!homer_grid_get_room(&r->w, columns, d) || !homer_grid_get_room(&r->error, 0, d)) return;
    r->cap = homer_get_room(d, 0);
    r->place = homer_get_block(d, r->mem, r->cap, sizeof *r->place);
    r->x = homer_get_block(d, r->mem, r->cap, sizeof *r->x);
}

static void rls_decode(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d) {
    struct homer_rls *r = self;
    r->hashed = homer_get_u8(d, 1);
    r->dim = homer_get_most(d, r->hashed ? HASHED : DIM);
    homer_get_holds(d, r->dim == (!columns ? 0 : r->hashed ? HASHED : 1 + features));
    decode_room(r, columns, d);
    for (uint32_t i = 0; i < r->dim && !d->error; i++) {
        homer_get_f32s(d, r->p + (size_t)i * DIM, r->dim);
        homer_get_f32s(d, homer_grid_f32(&r->w, i), columns);
    }
}

const struct homer_expert_ops homer_rls_ops = {
    .reserve = rls_reserve,
    .predict = rls_predict,
    .learn = rls_learn,
    .add_label = rls_add_label,
    .encode = rls_encode,
    .decode = rls_decode,
    .deinit = rls_deinit,
};
