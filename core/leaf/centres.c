#include "core/leaf/centres.h"

#include <errno.h>
#include <math.h>
#include "core/base/num.h"

enum { CENTRES = HOMER_CENTRES, LEAST_DENSE = 4 };

#define FAR 0.5
#define LEAST_RATE 0.003
#define SMALL 0.01f

void homer_centres_init(struct homer_centres *c, struct homer_mem *mem) {
    *c = (struct homer_centres){0};
    struct homer_linear_config config;
    homer_linear_config_default(&config);
    config.out = HOMER_X_CENTRES;
    config.variance[0] = 10;
    config.noise[0] = 1e-3f;
    config.variance[1] = 1;
    config.noise[1] = 0;
    config.offset = true;
    homer_linear_init(&c->filters, mem, &config);
    homer_columns_init(&c->at, mem, CENTRES);
}

static void centres_deinit(void *self) {
    struct homer_centres *c = self;
    homer_linear_deinit(&c->filters);
    homer_columns_deinit(&c->at);
}

static int centres_reserve(void *self, uint32_t features, uint32_t columns) {
    struct homer_centres *c = self;
    int rc = homer_linear_reserve(&c->filters, CENTRES, columns);
    return rc ? rc : homer_columns_reserve(&c->at, features);
}

static uint32_t dense_of(const struct homer_frame *f) {
    return f->n - f->present_n;
}

HOMER_WIDE static void measure(struct homer_centres *c, const struct homer_frame *f) {
    float *restrict distance = c->distance;
    for (uint32_t i = 0; i < CENTRES; i++) distance[i] = 0;
    for (uint32_t k = 0, n = dense_of(f); k < n; k++) {
        const float *restrict at = c->at.column[f->feature[k]];
        float x = f->x[k];
        for (uint32_t i = 0; i < CENTRES; i++) {
            float d = x - (at ? at[i] : 0.0f);
            distance[i] += d * d;
        }
    }
}

static void centres_predict(void *self, struct homer_frame *f) {
    struct homer_centres *c = self;
    uint32_t n = 0;
    c->nearest = 0;
    if (dense_of(f) >= LEAST_DENSE && c->used) {
        measure(c, f);
        for (uint32_t i = 1; i < c->used; i++)
            if (c->distance[i] < c->distance[c->nearest]) c->nearest = i;
        float scale = (float)(c->least_sum / c->seen), norm = 0;
        if (!(scale > 1e-9f)) scale = 1e-9f;
        for (uint32_t i = 0; i < c->used; i++) {
            float phi = homer_exp(-0.5f * (c->distance[i] - c->distance[c->nearest]) / scale);
            if (phi < SMALL) continue;
            norm += phi * phi;
            c->place[n] = i;
            c->x[n++] = phi;
        }
        float unit = 1.0f / sqrtf(norm);
        for (uint32_t i = 0; i < n; i++) c->x[i] *= unit;
    }
    c->input = (struct homer_linear_input){c->place, c->x, n};
    homer_linear_predict(&c->filters, f, &c->input);
}

static int centres_prepare(void *self, const struct homer_frame *f) {
    struct homer_centres *c = self;
    uint64_t capped = c->at.mem->capped;
    int rc = 0;
    for (uint32_t k = 0; k < dense_of(f) && !rc; k++) rc = homer_columns_prepare(&c->at, f->feature[k]);
    return c->at.mem->capped > capped ? 0 : rc; /* then those features stay at 0 in all centres */
}

/* Moves a centre's coordinates by `rate` towards the instance. */
static void move(struct homer_centres *c, const struct homer_frame *f, uint32_t centre, float rate) {
    for (uint32_t k = 0; k < dense_of(f); k++) {
        float *at = c->at.column[f->feature[k]];
        if (at) at[centre] += rate * (f->x[k] - at[centre]);
    }
}

static void centres_learn(void *self, const struct homer_frame *f) {
    struct homer_centres *c = self;
    homer_linear_learn(&c->filters, f, &c->input);
    if (dense_of(f) < LEAST_DENSE) return;
    double least = c->used ? (double)c->distance[c->nearest] : 0;
    if (c->used) {
        c->least_sum += least;
        c->seen++;
    }
    if (c->used < CENTRES && (c->used == 0 || least > FAR * c->least_sum / c->seen)) {
        c->n[c->used] = 1;
        move(c, f, c->used++, 1);
        if (c->seen == 0) c->seen = 1;
        return;
    }
    c->n[c->nearest]++;
    double rate = 1 / c->n[c->nearest];
    move(c, f, c->nearest, (float)(rate > LEAST_RATE ? rate : LEAST_RATE));
}

static void centres_add_label(void *self, uint32_t from) {
    homer_linear_add_label(&((struct homer_centres *)self)->filters, from);
}

/* A column of zeros is as none: a refused prepare may have left it. */
static bool is_set(const struct homer_centres *c, uint32_t feature) {
    const float *at = c->at.column[feature];
    for (uint32_t i = 0; i < c->used && at; i++)
        if (at[i] < 0 || at[i] > 0) return true;
    return false;
}

static void centres_encode(const void *self, uint32_t columns, struct homer_codec *codec) {
    const struct homer_centres *c = self;
    homer_put_u32(codec, c->used);
    homer_put_f64s(codec, c->n, c->used);
    homer_put_f64(codec, c->least_sum);
    homer_put_f64(codec, c->seen);
    for (uint32_t j = 0; j < c->at.cap; j++) {
        if (!is_set(c, j)) continue;
        homer_put_u32(codec, j);
        homer_put_f32s(codec, c->at.column[j], c->used);
    }
    homer_linear_encode(&c->filters, columns, codec);
}

const struct homer_expert_ops homer_centres_ops = {
    .reserve = centres_reserve,
    .predict = centres_predict,
    .prepare = centres_prepare,
    .learn = centres_learn,
    .add_label = centres_add_label,
    .encode = centres_encode,
    .deinit = centres_deinit,
};
