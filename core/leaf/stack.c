#include "core/leaf/stack.h"

#include <errno.h>
#include <math.h>
#include "core/base/num.h"

enum { E = HOMER_EXPERTS, ROW = HOMER_STACK_ROW }; /* of room; config.experts of them are in use */
enum { LANES = 4, BLOCK = 64 };
_Static_assert((int)E < (int)ROW, "solve needs one place more");

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

/* to[0..) += factor x[0..), a few blocks of LANES. */
static inline void add_row(double *restrict to, const double *restrict x, double factor, int blocks) {
    for (int i = 0; i < blocks * LANES; i++) to[i] += factor * x[i];
}

static inline void subtract_row(double *restrict to, const double *restrict x, double factor, int blocks) {
    for (int i = 0; i < blocks * LANES; i++) to[i] -= factor * x[i];
}

/* Solves h d = g for symmetric positive definite h (lower triangle given): Cholesky, a column at a time, so
 * that what can be done side by side is. c[j] is column j of the factor; g goes along as one more row, which
 * makes of it the solution of the forward substitution. What stands above the diagonal is never read. */
static inline void solve(int n, double h[E][ROW], const double g[E], double d[E]) {
    double c[E][ROW] = {0};
    for (int j = 0; j < n; j++) {
        for (int i = j; i < n; i++) c[j][i] = h[i][j];
        c[j][n] = g[j];
    }
    for (int j = 0; j < n; j++) {
        double root = sqrt(c[j][j] > 1e-12 ? c[j][j] : 1e-12);
        for (int i = 0; i < (n / LANES + 1) * LANES; i++) c[j][i] /= root;
        c[j][j] = root;
        for (int k = j + 1; k < n; k++) {
            int block = k / LANES, first = block * LANES;
            subtract_row(&c[k][first], &c[j][first], c[j][k], n / LANES + 1 - block);
        }
    }
    for (int i = n - 1; i >= 0; i--) {
        double sum = c[i][n];
        for (int k = i + 1; k < n; k++) sum -= c[i][k] * d[k];
        d[i] = sum / c[i][i];
    }
}

/* What some labels in a row have to teach, those that `told` is not 0 for. */
struct lesson {
    uint32_t from, n; /* first label; how many, a multiple of HOMER_LANES */
    float error[BLOCK], h[BLOCK], weight[BLOCK], q[BLOCK]; /* q: as in the comment of the header */
    uint32_t told[BLOCK];
};

/* True when there is anything. */
static inline bool ask(struct lesson *restrict s, const struct homer_frame *f, const double *c,
                       const float *p) {
    const float *y = f->y + s->from, *weight = f->weight + s->from;
    uint32_t any = 0, known = f->labels - s->from;
    for (uint32_t i = 0; i < s->n; i++) {
        float error = y[i] - p[i], h = p[i] * (1.0f - p[i]);
        s->error[i] = error;
        s->h[i] = h < MIN_CURVATURE ? MIN_CURVATURE : h;
        s->weight[i] = weight[i];
        s->told[i] = (fabsf(error) >= SMALL_ERROR) & (weight[i] > 0) & (c[i] > 0) & (i < known);
    }
    for (uint32_t i = 0; i < s->n; i++) any |= s->told[i];
    return any;
}

/* spread += v x^2 */
static inline void add_spread(float *restrict spread, const float *v, const float *x, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) spread[i] += v[i] * x[i] * x[i];
}

/* The offsets u of an expert, and their variances v. */
static inline void learn_offset(float *restrict u, float *restrict v, const float *restrict x,
                                const struct lesson *restrict s) {
    for (uint32_t i = 0; i < s->n; i++) {
        float vx = v[i] * x[i], to = u[i] + vx * (s->weight[i] * s->error[i]) * s->q[i];
        float left = v[i] - (s->weight[i] * s->h[i]) * s->q[i] * vx * vx + OFFSET_NOISE;
        u[i] = s->told[i] ? to : u[i];
        v[i] = s->told[i] ? left : v[i];
    }
}

static inline void learn_offsets(int n, const struct homer_grid *offset, float *const *evidence,
                                 struct lesson *s) {
    float *q = s->q;
    for (uint32_t i = 0; i < s->n; i++) q[i] = 0;
    for (int e = 0; e < n; e++)
        add_spread(q, homer_grid_f32(offset, (uint32_t)(n + e)) + s->from, evidence[e] + s->from, s->n);
    for (uint32_t i = 0; i < s->n; i++) q[i] = 1.0f / (1.0f + s->weight[i] * s->h[i] * q[i]);
    for (int e = 0; e < n; e++)
        learn_offset(homer_grid_f32(offset, (uint32_t)e) + s->from,
                     homer_grid_f32(offset, (uint32_t)(n + e)) + s->from, evidence[e] + s->from, s);
}

static inline void forget(int n, double h[E][ROW], double ridge) {
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
        add_row(h[i], x, s, i / LANES + 1);
    }
}

static inline void step(int n, double h[E][ROW], const double g[E], double w[E]) {
    double d[E];
    solve(n, h, g, d);
    for (int e = 0; e < n; e++) w[e] += d[e] > MAX_STEP ? MAX_STEP : d[e] < -MAX_STEP ? -MAX_STEP : d[e];
}

static float young_share(double positives, double told) {
    float c = (float)positives, t = (float)told, share = YOUNG / (YOUNG + c) - GROWN;
    return share > 0 ? share * t / (t + BEGINNING) : 0;
}

/* homer_stack_learn for a number of experts that the compiler knows: its loops are short. */
static inline __attribute__((always_inline)) void learn(const int n, struct homer_stack *s,
                                                        const struct homer_frame *f, float *const *evidence,
                                                        const double *c, const float *p) {
    double g[E] = {0}, young_g[E] = {0}, x[ROW] = {0};
    const float *r = homer_grid_f32(&s->offset, 2 * (uint32_t)n);
    bool young = false;
    forget(n, s->h, RIDGE);
    for (uint32_t from = 0; from < f->labels; from += BLOCK) {
        struct lesson lesson;
        lesson.from = from;
        lesson.n = f->stride - from < BLOCK ? f->stride - from : BLOCK;
        if (!ask(&lesson, f, c + from, p + from)) continue;
        for (uint32_t i = 0; i < lesson.n; i++) {
            if (!lesson.told[i]) continue;
            float error = lesson.error[i], h = lesson.h[i], weight = lesson.weight[i], share = r[from + i];
            for (int e = 0; e < n; e++) x[e] = (double)evidence[e][from + i];
            add(n, s->h, g, x, (double)(weight * error), (double)(weight * h));
            if (!(share > 0)) continue;
            if (!young) forget(n, s->young_h, YOUNG_RIDGE);
            young = true;
            add(n, s->young_h, young_g, x, (double)(share * weight * error),
                (double)(share * share * weight * h));
        }
        if (!s->no_offsets) learn_offsets(n, &s->offset, evidence, &lesson);
    }
    step(n, s->h, g, s->w);
    if (young) step(n, s->young_h, young_g, s->young_w);
}

HOMER_WIDE void homer_stack_learn(struct homer_stack *s, const struct homer_prior *prior,
                                  const struct homer_frame *f, float *const *evidence, const float *p) {
    const double *c = homer_grid_f64(&prior->count, 0);
    int n = s->config.experts;
    float *r = homer_grid_f32(&s->offset, 2 * (uint32_t)n);
    if (s->fixed) return;
    if (n == HOMER_FLAT_ONLY)
        learn(HOMER_FLAT_ONLY, s, f, evidence, c, p);
    else if (n == HOMER_FAST_ONLY)
        learn(HOMER_FAST_ONLY, s, f, evidence, c, p);
    else if (n == HOMER_EXPERTS)
        learn(HOMER_EXPERTS, s, f, evidence, c, p);
    else
        learn(n, s, f, evidence, c, p);
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
