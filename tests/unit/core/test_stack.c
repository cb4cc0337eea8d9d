/* The stack against its formula in double, each step from the state before it. */
#include "expert_fixture.h"
#include "core/leaf/stack.h"

enum { E = HOMER_FLAT_ONLY };

struct naive {
    double w[E], h[E][E], u[E][COLUMNS], v[E][COLUMNS];
    double z[E], zh[E][E], r[COLUMNS]; /* of young labels */
};

static void read_state(const struct homer_stack *s, uint32_t labels, struct naive *out) {
    memset(out, 0, sizeof *out);
    for (int e = 0; e < E; e++) {
        out->w[e] = s->w[e];
        out->z[e] = s->young_w[e];
        for (int k = 0; k <= e; k++) out->h[e][k] = out->h[k][e] = s->h[e][k];
        for (int k = 0; k <= e; k++) out->zh[e][k] = out->zh[k][e] = s->young_h[e][k];
        for (uint32_t l = 0; l < labels; l++) {
            out->u[e][l] = (double)homer_grid_f32(&s->offset, (uint32_t)e)[l];
            out->v[e][l] = (double)homer_grid_f32(&s->offset, (uint32_t)(E + e))[l];
        }
    }
    for (uint32_t l = 0; l < labels; l++) out->r[l] = (double)homer_grid_f32(&s->offset, 2 * E)[l];
}

static void init(struct homer_stack *s, struct homer_mem *mem) {
    struct homer_stack_config c;
    homer_stack_config_default(&c, E);
    homer_stack_init(s, mem, &c);
}

/* Gauss-Jordan with the largest pivot. */
static void solve(double a[E][E], const double g[E], double x[E]) {
    double m[E][E + 1];
    for (int i = 0; i < E; i++) {
        memcpy(m[i], a[i], E * sizeof(double));
        m[i][E] = g[i];
    }
    for (int c = 0; c < E; c++) {
        int best = c;
        for (int r = c; r < E; r++)
            if (fabs(m[r][c]) > fabs(m[best][c])) best = r;
        for (int k = 0; k <= E; k++) {
            double swap = m[c][k];
            m[c][k] = m[best][k];
            m[best][k] = swap;
        }
        for (int r = 0; r < E; r++) {
            double factor = r == c ? 0 : m[r][c] / m[c][c];
            for (int k = c; k <= E && r != c; k++) m[r][k] -= factor * m[c][k];
        }
    }
    for (int i = 0; i < E; i++) x[i] = m[i][E] / m[i][i];
}

static double score(const struct naive *k, const struct bench *b, uint32_t l) {
    double sum = 0;
    for (int e = 0; e < E; e++) sum += (k->w[e] + k->u[e][l] + k->r[l] * k->z[e]) * (double)b->evidence[e][l];
    return 1 / (1 + exp(-sum));
}

/* False: an error is so near .003 that rounding decides. told: weight of the instances that tell about each
 * label. */
static bool naive_learn(struct naive *k, const struct bench *b, const double *count, const double *told,
                        const double *p) {
    double g[E] = {0}, zg[E] = {0}, d[E];
    bool certain = true, young = false;
    for (int i = 0; i < E; i++) {
        for (int j = 0; j < E; j++) k->h[i][j] *= 0.999;
        k->h[i][i] += 0.005;
    }
    for (uint32_t l = 0; l < b->f.labels; l++) {
        double error = (double)b->y[l] - p[l], weight = (double)b->weight[l], spread = 0;
        if (!(weight > 0) || !(count[l] > 0)) continue;
        if (fabs(fabs(error) - 0.003) < 1e-6) certain = false;
        if (fabs(error) < 0.003) continue;
        double h = p[l] * (1 - p[l]) > 0.01 ? p[l] * (1 - p[l]) : 0.01;
        for (int i = 0; i < E; i++) {
            double x = (double)b->evidence[i][l];
            g[i] += weight * x * error;
            for (int j = 0; j < E; j++) k->h[i][j] += weight * h * x * (double)b->evidence[j][l];
            spread += k->v[i][l] * x * x;
        }
        for (int i = 0; i < E && k->r[l] > 0; i++) {
            double x = k->r[l] * (double)b->evidence[i][l];
            zg[i] += weight * x * error;
            for (int j = 0; j < E; j++) {
                if (!young) k->zh[i][j] = 0.999 * k->zh[i][j] + (i == j ? 0.02 : 0);
                k->zh[i][j] += weight * h * x * k->r[l] * (double)b->evidence[j][l];
            }
        }
        young = young || k->r[l] > 0;
        double q = 1 / (1 + weight * h * spread);
        for (int i = 0; i < E; i++) {
            double vx = k->v[i][l] * (double)b->evidence[i][l];
            k->u[i][l] += vx * weight * error * q;
            k->v[i][l] += 5e-8 - weight * h * q * vx * vx;
        }
    }
    solve(k->h, g, d);
    for (int i = 0; i < E; i++) k->w[i] += d[i] > 0.1 ? 0.1 : d[i] < -0.1 ? -0.1 : d[i];
    if (young) solve(k->zh, zg, d);
    for (int i = 0; i < E && young; i++) k->z[i] += d[i] > 0.1 ? 0.1 : d[i] < -0.1 ? -0.1 : d[i];
    for (uint32_t l = 0; l < b->f.labels; l++) {
        if (!(b->y[l] > 0)) continue;
        double c = count[l] + (double)b->weight[l], t = told[l] + (double)b->weight[l];
        k->r[l] = c < 80 ? (20 / (20 + c) - 0.2) * t / (t + 200) : 0;
    }
    return certain;
}

static void some_evidence(struct bench *b) {
    for (uint32_t l = 0; l < COLUMNS; l++) {
        double lean = b->x[0] > 0 && l % 2 ? 2 : -2;
        for (int e = 0; e < E; e++)
            b->evidence[e][l] = homer_clip((float)(lean * (0.2 + 0.1 * e) + dice_normal(&b->dice)), -8, 8);
        b->evidence[HOMER_X_BIAS][l] = 1;
        b->evidence[HOMER_X_PRIOR][l] = b->logit[l];
    }
}

static void follows_the_formula(void **state) {
    (void)state;
    static struct bench b;
    static struct naive before, now;
    static float p[COLUMNS];
    static double exact[COLUMNS], told[COLUMNS];
    struct homer_mem mem = {0};
    unsigned certain_steps = 0, moved = 0, young = 0, grown = 0;
    for (uint32_t round = 0; round < 4; round++) {
        const uint32_t most[] = {1, 7, 16, LABELS};
        struct homer_stack s;
        struct homer_prior prior;
        init(&s, &mem);
        homer_prior_init(&prior, &mem);
        bench_init(&b, 90 + round, most[round]);
        for (uint32_t t = 0; t < 500; t++) {
            uint32_t labels = b.f.labels;
            assert_int_equal(homer_stack_reserve(&s, labels + 1), 0);
            assert_int_equal(homer_prior_reserve(&prior, labels + 1), 0);
            bench_predict(&b, 5);
            some_evidence(&b);
            homer_stack_predict(&s, &prior, &b.f, b.f.evidence, p);
            read_state(&s, labels, &before);
            const double *count = homer_grid_f64(&prior.count, 0);
            for (uint32_t l = 0; l < labels; l++) {
                exact[l] = count[l] > 0 ? score(&before, &b, l) : 0;
                assert_close(p[l], exact[l], 3e-6);
                if (!(count[l] > 0)) assert_same(p[l], 0);
            }
            bench_truth(&b, round % 2);
            assert_int_equal(homer_stack_reserve(&s, b.f.labels + 1), 0);
            assert_int_equal(homer_prior_reserve(&prior, b.f.labels + 1), 0);
            for (uint32_t l = labels; l < b.f.labels; l++) {
                homer_prior_add_label(&prior);
                p[l] = 0;
                exact[l] = 0;
            }
            read_state(&s, b.f.labels, &before);
            for (uint32_t l = labels; l < b.f.labels; l++) assert_same(before.r[l], 0);
            for (uint32_t l = labels; l < b.f.labels; l++)
                for (int e = 0; e < E; e++) {
                    assert_same(before.u[e][l], 0);
                    assert_same(before.v[e][l], e == HOMER_X_BIAS ? 0.02f : 0.005f);
                }
            homer_stack_learn(&s, &prior, &b.f, b.f.evidence, p);
            for (uint32_t l = 0; l < b.f.labels; l++) {
                told[l] = 0;
                for (uint32_t i = 0; i + 1 < b.n; i++) told[l] += b.truth[i][l] == UNKNOWN ? 0 : b.w[i];
            }
            bool certain = naive_learn(&before, &b, homer_grid_f64(&prior.count, 0), told, exact);
            read_state(&s, b.f.labels, &now);
            certain_steps += certain;
            for (int e = 0; e < E && certain; e++) {
                assert_close(now.w[e], before.w[e], 1e-5);
                assert_close(now.z[e], before.z[e], 1e-5);
                young += !(now.z[e] == 0);
                for (int k = 0; k < E; k++) assert_close(now.h[e][k], before.h[e][k], 1e-5);
                for (int k = 0; k < E; k++) assert_close(now.zh[e][k], before.zh[e][k], 1e-5);
                for (uint32_t l = 0; l < b.f.labels; l++) {
                    moved += !(now.u[e][l] == 0);
                    assert_close(now.u[e][l], before.u[e][l], 1e-5);
                    assert_close(now.v[e][l], before.v[e][l], 1e-7);
                }
            }
            for (uint32_t l = 0; l < b.f.labels && certain; l++) {
                assert_close(now.r[l], before.r[l], 1e-6);
                grown += homer_grid_f64(&prior.count, 0)[l] > 80 && now.r[l] == 0;
            }
            homer_prior_learn(&prior, &b.f);
        }
        homer_stack_deinit(&s);
        homer_prior_deinit(&prior);
        assert_int_equal(mem.used_bytes, 0);
    }
    assert_true(young > 5000 && grown > 1000);
    assert_true(certain_steps > 1500);
    assert_true(moved > 10000);
}

static void starts_with_the_documented_weights(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_stack s;
    const double expected[E] = {0, 1, 0.4, 0.2, 0.1, 0.1, 0.5};
    init(&s, &mem);
    for (int e = 0; e < E; e++) {
        assert_same(s.w[e], expected[e]);
        assert_same(s.young_w[e], 0);
        for (int k = 0; k <= e; k++) assert_same(s.h[e][k], e == k ? 5 : 0);
        for (int k = 0; k <= e; k++) assert_same(s.young_h[e][k], e == k ? 20 : 0);
    }
    homer_stack_deinit(&s);
}

/* Collinear evidence, all errors alike, the heaviest weight: no step above .1, nothing but numbers. */
static void stays_finite(void **state) {
    (void)state;
    static struct bench b;
    static float p[COLUMNS];
    struct homer_mem mem = {0};
    struct homer_stack s;
    struct homer_prior prior;
    init(&s, &mem);
    homer_prior_init(&prior, &mem);
    bench_init(&b, 95, 20);
    assert_int_equal(homer_stack_reserve(&s, COLUMNS), 0);
    assert_int_equal(homer_prior_reserve(&prior, COLUMNS), 0);
    for (uint32_t t = 0; t < INSTANCES; t++) {
        double before[E];
        bench_predict(&b, 0);
        for (int e = 0; e < E; e++)
            for (uint32_t l = 0; l < COLUMNS; l++) b.evidence[e][l] = t % 2 ? 8 : -8;
        homer_stack_predict(&s, &prior, &b.f, b.f.evidence, p);
        for (uint32_t l = 0; l < b.f.labels; l++) assert_true(p[l] >= 0 && p[l] <= 1);
        bench_truth(&b, false);
        for (uint32_t l = 0; l < COLUMNS; l++) {
            b.y[l] = t / 7 % 2 ? 1.0f : 0.0f;
            b.weight[l] *= t % 3 ? 1e6f : 1e-6f;
        }
        memcpy(before, s.w, sizeof before);
        homer_stack_learn(&s, &prior, &b.f, b.f.evidence, p);
        for (int e = 0; e < E; e++) {
            assert_true(isfinite(s.w[e]) && fabs(s.w[e] - before[e]) <= 0.1 + 1e-12);
            assert_true(isfinite(s.young_w[e]) && fabs(s.young_w[e]) <= 0.1 * (t + 1));
            for (uint32_t l = 0; l < b.f.labels; l++) {
                assert_true(isfinite(homer_grid_f32(&s.offset, (uint32_t)e)[l]));
                float v = homer_grid_f32(&s.offset, (uint32_t)(E + e))[l];
                assert_true(v >= 0 && v <= 0.03f);
            }
        }
        homer_prior_learn(&prior, &b.f);
    }
    homer_stack_deinit(&s);
    homer_prior_deinit(&prior);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_formula),
        cmocka_unit_test(starts_with_the_documented_weights),
        cmocka_unit_test(stays_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
