#include "core/leaf/linear.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

#define START_VARIANCE 3.0f
#define START_BIAS_VARIANCE 1.0f
#define MIN_CURVATURE 1e-4f
#define PROCESS_NOISE 3e-4f
#define SMALL_GRADIENT 0.03f

enum { LINEAR = 0, TRACKING = 1, LANES = HOMER_LANES };

typedef struct homer_linear_group group;

void homer_linear_init(struct homer_linear *l, struct homer_mem *mem) {
    *l = (struct homer_linear){.mem = mem};
}

static void linear_truncate(void *self, uint32_t features) {
    struct homer_linear *l = self;
    while (l->features > features) {
        l->features--;
        l->row[l->features] = homer_mem_free(l->mem, l->row[l->features], l->groups_cap, sizeof(group));
    }
}

static void linear_deinit(void *self) {
    struct homer_linear *l = self;
    linear_truncate(l, 0);
    homer_mem_free(l->mem, l->row, l->row_cap, sizeof *l->row);
    homer_mem_free(l->mem, l->bias, l->groups_cap, sizeof(group));
    homer_mem_free(l->mem, l->sum, l->groups_cap, sizeof(group));
    homer_linear_init(l, l->mem);
}

static void fill_variance(group *g, uint32_t from, uint32_t to, float variance) {
    for (uint32_t i = from; i < to; i++)
        for (int c = 0; c < LANES; c++) g[i].var[LINEAR][c] = g[i].var[TRACKING][c] = variance;
}

/* A copy of old[old_n] with room for n groups, the new ones in their initial state. NULL when refused. */
static group *wider(struct homer_linear *l, const group *old, uint32_t old_n, uint32_t n, float variance) {
    group *g = homer_mem_alloc(l->mem, n, sizeof *g);
    if (!g) return NULL;
    if (old_n) memcpy(g, old, old_n * sizeof *g);
    fill_variance(g, old_n, n, variance);
    return g;
}

/* All rows get room for more columns; all or nothing. */
static int widen(struct homer_linear *l, uint32_t groups) {
    uint32_t old_n = l->groups_cap, n = old_n ? old_n : 1;
    while (n < groups) n += n < 4 ? 1 : n / 4;
    group *bias = wider(l, l->bias, old_n, n, START_BIAS_VARIANCE);
    group *sum = homer_mem_alloc(l->mem, n, sizeof *sum);
    group **row = l->row_cap ? homer_mem_alloc(l->mem, l->row_cap, sizeof *row) : NULL;
    if (!bias || !sum || (l->row_cap && !row)) goto refused;
    for (uint32_t j = 0; j < l->features; j++) {
        row[j] = wider(l, l->row[j], old_n, n, START_VARIANCE);
        if (!row[j]) goto refused;
    }
    for (uint32_t j = 0; j < l->features; j++) homer_mem_free(l->mem, l->row[j], old_n, sizeof(group));
    homer_mem_free(l->mem, l->row, l->row_cap, sizeof *row);
    homer_mem_free(l->mem, l->bias, old_n, sizeof *bias);
    homer_mem_free(l->mem, l->sum, old_n, sizeof *sum);
    l->row = row;
    l->bias = bias;
    l->sum = sum;
    l->groups_cap = n;
    return 0;
refused:
    for (uint32_t j = 0; row && j < l->features; j++) homer_mem_free(l->mem, row[j], n, sizeof(group));
    homer_mem_free(l->mem, row, l->row_cap, sizeof *row);
    homer_mem_free(l->mem, bias, n, sizeof *bias);
    homer_mem_free(l->mem, sum, n, sizeof *sum);
    return -ENOMEM;
}

static uint32_t groups_of(uint32_t columns) {
    return (columns + LANES - 1) / LANES;
}

static int linear_reserve(void *self, uint32_t features, uint32_t columns) {
    struct homer_linear *l = self;
    if (groups_of(columns) > l->groups_cap && widen(l, groups_of(columns))) return -ENOMEM;
    if (features > l->row_cap) {
        uint32_t cap = l->row_cap ? l->row_cap : 64;
        while (cap < features) cap += cap / 2;
        void *row = homer_mem_grow(l->mem, l->row, l->row_cap, cap, sizeof *l->row);
        if (!row) return -ENOMEM;
        l->row = row;
        l->row_cap = cap;
    }
    uint32_t before = l->features;
    for (; l->features < features; l->features++) {
        l->row[l->features] = wider(l, NULL, 0, l->groups_cap, START_VARIANCE);
        if (!l->row[l->features]) {
            linear_truncate(l, before);
            return -ENOMEM;
        }
    }
    return 0;
}

/* Scores and variances of one group of columns: s and v for both experts. */
static inline void sum_group(const struct homer_linear *l, const struct homer_frame *f, uint32_t g) {
    group acc = l->bias[g];
    for (uint32_t i = 0; i < f->n; i++) {
        const group *r = &l->row[f->feature[i]][g];
        float x = f->x[i], xx = x * x;
        for (int e = 0; e < 2; e++)
            for (int c = 0; c < LANES; c++) {
                acc.w[e][c] += x * r->w[e][c];
                acc.var[e][c] += xx * r->var[e][c];
            }
    }
    l->sum[g] = acc;
}

HOMER_WIDE static void linear_predict(void *self, struct homer_frame *f) {
    struct homer_linear *l = self;
    for (uint32_t g = 0; g < f->stride / LANES; g++) {
        sum_group(l, f, g);
        for (int e = 0; e < 2; e++) {
            const float *lam = f->prior_logit + g * LANES;
            float *out = f->evidence[HOMER_X_LINEAR + e] + g * LANES;
            for (int c = 0; c < LANES; c++)
                out[c] = homer_clip(l->sum[g].w[e][c] - lam[c], -HOMER_EVIDENCE_CLIP, HOMER_EVIDENCE_CLIP);
        }
    }
}

static void linear_add_label(void *self, uint32_t from) {
    struct homer_linear *l = self;
    uint32_t g = from / LANES, c = from % LANES, h = (from + 1) / LANES, d = (from + 1) % LANES;
    for (uint32_t j = 0; j <= l->features + 1; j++) {
        group *r = j < l->features ? l->row[j] : j == l->features ? l->bias : l->sum;
        for (int e = 0; e < 2; e++) {
            r[h].w[e][d] = r[g].w[e][c];
            r[h].var[e][d] = r[g].var[e][c];
        }
    }
}

/* Per column what an update needs: gradient[e] = g, shrink[e] = q z. */
struct step {
    float gradient[2][LANES];
    float shrink[2][LANES];
    float noise[LANES]; /* process noise of tracking: none where the label is unknown */
};

static inline struct step step_of(const group *sum, const float *y, const float *weight) {
    struct step s;
    for (int e = 0; e < 2; e++)
        for (int c = 0; c < LANES; c++) {
            float p = homer_sigmoid(sum->w[e][c]);
            float q = p * (1.0f - p);
            q = weight[c] * (q < MIN_CURVATURE ? MIN_CURVATURE : q);
            float z = 1.0f / (1.0f + q * sum->var[e][c]);
            s.gradient[e][c] = weight[c] * (y[c] - p) * z;
            s.shrink[e][c] = q * z;
        }
    for (int c = 0; c < LANES; c++) s.noise[c] = weight[c] > 0 ? PROCESS_NOISE : 0.0f;
    return s;
}

static inline void update_tracking(group *r, float x, const struct step *s) {
    for (int c = 0; c < LANES; c++) {
        float ax = r->var[TRACKING][c] * x;
        r->w[TRACKING][c] += ax * s->gradient[TRACKING][c];
        r->var[TRACKING][c] = r->var[TRACKING][c] - s->shrink[TRACKING][c] * ax * ax + s->noise[c];
    }
}

static inline void update_linear(group *r, float x, const struct step *s) {
    for (int c = 0; c < LANES; c++) {
        float ax = r->var[LINEAR][c] * x;
        r->w[LINEAR][c] += ax * s->gradient[LINEAR][c];
        r->var[LINEAR][c] -= s->shrink[LINEAR][c] * ax * ax;
    }
}

static inline void update_linear_lane(group *r, float x, const struct step *s, int c) {
    float ax = r->var[LINEAR][c] * x;
    r->w[LINEAR][c] += ax * s->gradient[LINEAR][c];
    r->var[LINEAR][c] -= s->shrink[LINEAR][c] * ax * ax;
}

static inline void learn_group(struct homer_linear *l, const struct homer_frame *f, uint32_t g,
                               const struct step *s, bool all) {
    uint8_t lane[LANES], lanes = 0;
    for (int c = 0; c < LANES; c++)
        if (fabsf(s->gradient[LINEAR][c]) > SMALL_GRADIENT) lane[lanes++] = (uint8_t)c;
    for (uint32_t i = 0; i <= f->n; i++) {
        group *r = i < f->n ? &l->row[f->feature[i]][g] : &l->bias[g];
        float x = i < f->n ? f->x[i] : 1.0f;
        update_tracking(r, x, s);
        if (all)
            update_linear(r, x, s);
        else
            for (int k = 0; k < lanes; k++) update_linear_lane(r, x, s, lane[k]);
    }
}

HOMER_WIDE static void linear_learn(void *self, const struct homer_frame *f) {
    struct homer_linear *l = self;
    /* the steps are computed twice: first to count the columns that matter, then to update */
    uint32_t moving = 0, columns = f->labels + 1;
    for (uint32_t g = 0; g < f->stride / LANES; g++) {
        struct step s = step_of(&l->sum[g], f->y + g * LANES, f->weight + g * LANES);
        for (int c = 0; c < LANES; c++)
            moving += g * LANES + (uint32_t)c < columns && fabsf(s.gradient[LINEAR][c]) > SMALL_GRADIENT;
    }
    bool all = moving * 4 >= columns;
    for (uint32_t g = 0; g < f->stride / LANES; g++) {
        struct step s = step_of(&l->sum[g], f->y + g * LANES, f->weight + g * LANES);
        learn_group(l, f, g, &s, all);
    }
}

static void soften_row(group *r, const uint32_t *column, uint32_t n, float variance) {
    for (int e = 0; e < 2; e++)
        for (uint32_t i = 0; i < n; i++) {
            float *v = &r[column[i] / LANES].var[e][column[i] % LANES];
            if (*v < variance) *v = variance;
        }
}

void homer_linear_soften(struct homer_linear *l, const uint32_t *column, uint32_t n, float variance,
                         float bias_variance) {
    for (uint32_t j = 0; j < l->features; j++) soften_row(l->row[j], column, n, variance);
    soften_row(l->bias, column, n, bias_variance);
}

static void linear_encode(const void *self, uint32_t columns, struct homer_codec *c) {
    const struct homer_linear *l = self;
    homer_put_u32(c, l->features);
    for (uint32_t j = 0; j <= l->features; j++) {
        const group *r = j < l->features ? l->row[j] : l->bias;
        for (int e = 0; e < 2; e++)
            for (uint32_t k = 0; k < columns; k++) {
                homer_put_f32(c, r[k / LANES].w[e][k % LANES]);
                homer_put_f32(c, r[k / LANES].var[e][k % LANES]);
            }
    }
}

const struct homer_expert_ops homer_linear_ops = {
    .reserve = linear_reserve,
    .truncate = linear_truncate,
    .predict = linear_predict,
    .learn = linear_learn,
    .add_label = linear_add_label,
    .encode = linear_encode,
    .deinit = linear_deinit,
};
