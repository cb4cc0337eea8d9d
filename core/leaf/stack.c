#include "core/leaf/stack.h"

#include <errno.h>
#include <math.h>
#include "core/base/num.h"

enum { E = HOMER_EXPERTS }; /* of room; config.experts of them are in use */

#define FORGET 0.999
#define RIDGE 0.005
#define RIDGE_START 5.0
#define MAX_STEP 0.1
#define SMALL_ERROR 0.003f
#define MIN_CURVATURE 0.01f
#define OFFSET_VARIANCE 0.005f
#define OFFSET_BIAS_VARIANCE 0.02f
#define OFFSET_NOISE 5e-8f

static const double start[E] = {
    [HOMER_X_BIAS] = 0,          [HOMER_X_PRIOR] = 1,         [HOMER_X_LINEAR] = 0.4,
    [HOMER_X_TRACKING] = 0.2,    [HOMER_X_RECENT_FAST] = 0.1, [HOMER_X_RECENT_SLOW] = 0.1,
    [HOMER_X_MARKOV] = 0.5,      [HOMER_X_TREE_COUNTS] = 0.1, [HOMER_X_TREE_BAYES] = 0.1,
    [HOMER_X_TREE_BETTER] = 0.1, [HOMER_X_RESIDUAL] = 0,      [HOMER_X_NEIGHBOURS] = 0.2,
    [HOMER_X_SHARP] = 0.1,       [HOMER_X_RLS] = 0.3,         [HOMER_X_STIFF] = 0.1,
    [HOMER_X_STIFFEST] = 0.1,    [HOMER_X_PRODUCTS] = 0.1,    [HOMER_X_PRODUCTS_STIFF] = 0.1,
    [HOMER_X_EXTRA_TREES] = 0.3,
};

void homer_stack_config_default(struct homer_stack_config *c, int experts) {
    *c = (struct homer_stack_config){.experts = experts};
    for (int e = 0; e < experts; e++) {
        c->start[e] = start[e];
        c->curvature[e] = RIDGE_START;
        c->variance[e] = e == HOMER_X_BIAS ? OFFSET_BIAS_VARIANCE : OFFSET_VARIANCE;
    }
}

void homer_stack_init(struct homer_stack *s, struct homer_mem *mem, const struct homer_stack_config *c) {
    *s = (struct homer_stack){.config = *c};
    for (int e = 0; e < c->experts; e++) {
        s->w[e] = c->start[e];
        s->h[e][e] = c->curvature[e];
    }
    homer_grid_init(&s->offset, mem, 2 * (uint32_t)c->experts, sizeof(float));
}

void homer_stack_deinit(struct homer_stack *s) {
    homer_grid_deinit(&s->offset);
}

int homer_stack_reserve(struct homer_stack *s, uint32_t columns) {
    uint32_t before = s->offset.cap;
    int n = s->config.experts;
    int rc = homer_grid_reserve(&s->offset, columns);
    for (int e = 0; e < n && !rc; e++) {
        float *v = homer_grid_f32(&s->offset, (uint32_t)(n + e));
        for (uint32_t l = before; l < s->offset.cap; l++) v[l] = s->config.variance[e];
    }
    return rc;
}

HOMER_WIDE void homer_stack_predict(const struct homer_stack *s, const struct homer_prior *prior,
                                    const struct homer_frame *f, float *const *evidence, float *p) {
    int n = s->config.experts;
    for (uint32_t l = 0; l < f->stride; l++) p[l] = 0;
    for (int e = 0; e < n; e++) {
        const float *u = homer_grid_f32(&s->offset, (uint32_t)e), *x = evidence[e];
        float w = (float)s->w[e];
        for (uint32_t l = 0; l < f->stride; l++) p[l] += (w + u[l]) * x[l];
    }
    const double *c = homer_grid_f64(&prior->count, 0);
    for (uint32_t l = 0; l < f->stride; l++) p[l] = c[l] > 0 ? homer_sigmoid(p[l]) : 0.0f;
}

/* Solves h d = g for symmetric positive definite h (lower triangle given): Cholesky. */
static void solve(int n, double h[E][E], const double g[E], double d[E]) {
    double c[E][E];
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = h[i][j];
            for (int k = 0; k < j; k++) sum -= c[i][k] * c[j][k];
            c[i][j] = i == j ? sqrt(sum > 1e-12 ? sum : 1e-12) : sum / c[j][j];
        }
    }
    for (int i = 0; i < n; i++) {
        d[i] = g[i];
        for (int k = 0; k < i; k++) d[i] -= c[i][k] * d[k];
        d[i] /= c[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++) d[i] -= c[k][i] * d[k];
        d[i] /= c[i][i];
    }
}

static void learn_offset(struct homer_stack *s, uint32_t l, const float x[E], float error, float h,
                         float weight) {
    int n = s->config.experts;
    float spread = 0;
    for (int e = 0; e < n; e++) spread += homer_grid_f32(&s->offset, (uint32_t)(n + e))[l] * x[e] * x[e];
    h *= weight;
    float q = 1.0f / (1.0f + h * spread);
    for (int e = 0; e < n; e++) {
        float *u = homer_grid_f32(&s->offset, (uint32_t)e) + l,
              *v = homer_grid_f32(&s->offset, (uint32_t)(n + e)) + l;
        float vx = *v * x[e];
        *u += vx * weight * error * q;
        *v = *v - h * q * vx * vx + OFFSET_NOISE;
    }
}

void homer_stack_learn(struct homer_stack *s, const struct homer_prior *prior, const struct homer_frame *f,
                       float *const *evidence, const float *p) {
    const double *c = homer_grid_f64(&prior->count, 0);
    double g[E] = {0}, d[E];
    int n = s->config.experts;
    if (s->fixed) return;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) s->h[i][j] *= FORGET;
        s->h[i][i] += RIDGE;
    }
    for (uint32_t l = 0; l < f->labels; l++) {
        float error = f->y[l] - p[l], weight = f->weight[l];
        if (fabsf(error) < SMALL_ERROR || weight == 0 || c[l] == 0) continue;
        float x[E], h = p[l] * (1.0f - p[l]);
        if (h < MIN_CURVATURE) h = MIN_CURVATURE;
        for (int e = 0; e < n; e++) x[e] = evidence[e][l];
        for (int i = 0; i < n; i++) {
            g[i] += (double)(weight * error * x[i]);
            for (int j = 0; j <= i; j++) s->h[i][j] += (double)(weight * h * x[i] * x[j]);
        }
        if (!s->no_offsets) learn_offset(s, l, x, error, h, weight);
    }
    solve(n, s->h, g, d);
    for (int e = 0; e < n; e++) s->w[e] += d[e] > MAX_STEP ? MAX_STEP : d[e] < -MAX_STEP ? -MAX_STEP : d[e];
}

void homer_stack_encode(const struct homer_stack *s, uint32_t labels, struct homer_codec *c) {
    uint32_t n = (uint32_t)s->config.experts;
    homer_grid_put_room(&s->offset, c);
    homer_put_f64s(c, s->w, n);
    for (uint32_t i = 0; i < n; i++) homer_put_f64s(c, s->h[i], i + 1);
    for (uint32_t r = 0; r < 2 * n; r++) homer_put_f32s(c, homer_grid_f32(&s->offset, r), labels);
}

void homer_stack_decode(struct homer_stack *s, uint32_t labels, struct homer_decoder *d) {
    uint32_t n = (uint32_t)s->config.experts, cap = homer_get_room(d, labels);
    if (homer_stack_reserve(s, cap)) homer_get_fail(d, -ENOMEM);
    if (!homer_get_holds(d, s->offset.cap == cap)) return;
    homer_get_f64s(d, s->w, n);
    for (uint32_t i = 0; i < n; i++) homer_get_f64s(d, s->h[i], i + 1);
    for (uint32_t r = 0; r < 2 * n; r++) homer_get_f32s(d, homer_grid_f32(&s->offset, r), labels);
}
