#include "core/leaf/stack.h"

#include <errno.h>
#include <math.h>
#include "core/base/num.h"

enum { E = HOMER_EXPERTS, ROW = HOMER_STACK_ROW }; /* of room; config.experts of them are in use */
enum { LANES = 4 };

#define FORGET 0.999
#define RIDGE 0.005
#define RIDGE_START 5.0
#define MAX_STEP 0.1
#define SMALL_ERROR 0.003f
#define MIN_CURVATURE 0.01f
#define OFFSET_VARIANCE 0.005f
#define OFFSET_BIAS_VARIANCE 0.02f
#define OFFSET_NOISE 5e-8f
#define YOUNG 20.0f      /* positives at which half of a young label's correction is left */
#define GROWN 0.2f       /* of it that is taken off, so that it ends */
#define BEGINNING 200.0f /* instances; all labels are young then */
#define YOUNG_RIDGE 0.02
#define YOUNG_RIDGE_START 20.0

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
    *c = (struct homer_stack_config){.experts = experts, .young = true};
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
        s->young_h[e][e] = YOUNG_RIDGE_START;
    }
    homer_grid_init(&s->offset, mem, 2 * (uint32_t)c->experts + 1, sizeof(float));
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
    const float *r = homer_grid_f32(&s->offset, 2 * (uint32_t)n);
    for (uint32_t l = 0; l < f->stride; l++) p[l] = 0;
    for (int e = 0; e < n; e++) {
        const float *u = homer_grid_f32(&s->offset, (uint32_t)e), *x = evidence[e];
        float w = (float)s->w[e], young = (float)s->young_w[e];
        for (uint32_t l = 0; l < f->stride; l++) p[l] += (w + u[l] + r[l] * young) * x[l];
    }
    const double *c = homer_grid_f64(&prior->count, 0);
    for (uint32_t l = 0; l < f->stride; l++) p[l] = c[l] > 0 ? homer_sigmoid(p[l]) : 0.0f;
}

/* Solves h d = g for symmetric positive definite h (lower triangle given): Cholesky. */
static void solve(int n, double h[E][ROW], const double g[E], double d[E]) {
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

/* The label's offsets u lie `cap` apart, behind them the variances v. */
static inline void learn_offset(int n, float *u, size_t cap, const double x[ROW], float error, float h) {
    float *v = u + (size_t)n * cap, spread = 0;
    for (int e = 0; e < n; e++) spread += v[e * cap] * (float)x[e] * (float)x[e];
    float q = 1.0f / (1.0f + h * spread);
    for (int e = 0; e < n; e++) {
        float vx = v[e * cap] * (float)x[e];
        u[e * cap] += vx * error * q;
        v[e * cap] = v[e * cap] - h * q * vx * vx + OFFSET_NOISE;
    }
}

static void forget(int n, double h[E][ROW], double ridge) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) h[i][j] *= FORGET;
        h[i][i] += ridge;
    }
}

/* x has zeros behind its n numbers. Whole vectors are added: h gets more than its lower triangle. */
static inline void add(int n, double h[E][ROW], double g[E], const double x[ROW], double error,
                       double curvature) {
    for (int i = 0; i < n; i++) {
        double s = curvature * x[i];
        g[i] += error * x[i];
        for (int j = 0; j <= i; j += LANES)
            for (int k = 0; k < LANES; k++) h[i][j + k] += s * x[j + k];
    }
}

static void step(int n, double h[E][ROW], const double g[E], double w[E]) {
    double d[E];
    solve(n, h, g, d);
    for (int e = 0; e < n; e++) w[e] += d[e] > MAX_STEP ? MAX_STEP : d[e] < -MAX_STEP ? -MAX_STEP : d[e];
}

static float young_share(double positives, double told) {
    float c = (float)positives, t = (float)told, share = YOUNG / (YOUNG + c) - GROWN;
    return share > 0 ? share * t / (t + BEGINNING) : 0;
}

HOMER_WIDE void homer_stack_learn(struct homer_stack *s, const struct homer_prior *prior,
                                  const struct homer_frame *f, float *const *evidence, const float *p) {
    const double *c = homer_grid_f64(&prior->count, 0);
    double g[E] = {0}, young_g[E] = {0}, x[ROW] = {0};
    int n = s->config.experts;
    float *u = homer_grid_f32(&s->offset, 0), *r = homer_grid_f32(&s->offset, 2 * (uint32_t)n);
    bool young = false;
    if (s->fixed) return;
    forget(n, s->h, RIDGE);
    for (uint32_t l = 0; l < f->labels; l++) {
        float error = f->y[l] - p[l], weight = f->weight[l];
        if (fabsf(error) < SMALL_ERROR || weight == 0 || c[l] == 0) continue;
        float h = p[l] * (1.0f - p[l]);
        if (h < MIN_CURVATURE) h = MIN_CURVATURE;

        for (int e = 0; e < n; e++) x[e] = (double)evidence[e][l];
        add(n, s->h, g, x, (double)(weight * error), (double)(weight * h));
        if (r[l] > 0) {
            if (!young) forget(n, s->young_h, YOUNG_RIDGE);
            young = true;
            add(n, s->young_h, young_g, x, (double)(r[l] * weight * error),
                (double)(r[l] * r[l] * weight * h));
        }
        if (!s->no_offsets) learn_offset(n, u + l, s->offset.cap, x, weight * error, weight * h);
    }
    step(n, s->h, g, s->w);
    if (young) step(n, s->young_h, young_g, s->young_w);
    for (uint32_t i = 0; i < f->positive_n && s->config.young; i++) {
        uint32_t l = f->positive[i];
        double weight = (double)f->weight[l];
        r[l] = young_share(c[l] + weight, homer_prior_told(prior, l) + weight);
    }
}

void homer_stack_encode(const struct homer_stack *s, uint32_t labels, struct homer_codec *c) {
    uint32_t n = (uint32_t)s->config.experts;
    homer_grid_put_room(&s->offset, c);
    homer_put_f64s(c, s->w, n);
    homer_put_f64s(c, s->young_w, n);
    for (uint32_t i = 0; i < n; i++) homer_put_f64s(c, s->h[i], i + 1);
    for (uint32_t i = 0; i < n; i++) homer_put_f64s(c, s->young_h[i], i + 1);
    for (uint32_t r = 0; r < 2 * n + 1; r++) homer_put_f32s(c, homer_grid_f32(&s->offset, r), labels);
}

void homer_stack_decode(struct homer_stack *s, uint32_t labels, struct homer_decoder *d) {
    uint32_t n = (uint32_t)s->config.experts, cap = homer_get_room(d, labels);
    if (homer_stack_reserve(s, cap)) homer_get_fail(d, -ENOMEM);
    if (!homer_get_holds(d, s->offset.cap == cap)) return;
    homer_get_f64s(d, s->w, n);
    homer_get_f64s(d, s->young_w, n);
    for (uint32_t i = 0; i < n; i++) homer_get_f64s(d, s->h[i], i + 1);
    for (uint32_t i = 0; i < n; i++) homer_get_f64s(d, s->young_h[i], i + 1);
    for (uint32_t r = 0; r < 2 * n + 1; r++) homer_get_f32s(d, homer_grid_f32(&s->offset, r), labels);
}
