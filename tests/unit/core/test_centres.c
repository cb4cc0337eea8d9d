/* Expert `centres` against online k-means in double, step by step, and its radial basis functions. */
#include "expert_fixture.h"
#include "core/leaf/centres.h"

enum { FEATURES = 20, MOST = 20, CENTRES = HOMER_CENTRES };

struct means {
    double at[FEATURES][CENTRES], n[CENTRES], least_sum, seen;
    uint32_t used;
};

static void read_means(const struct homer_centres *c, struct means *out) {
    memset(out, 0, sizeof *out);
    out->used = c->used;
    out->least_sum = c->least_sum;
    out->seen = c->seen;
    for (uint32_t i = 0; i < c->used; i++) out->n[i] = c->n[i];
    for (uint32_t j = 0; j < FEATURES && j < c->at.cap; j++)
        for (uint32_t i = 0; i < c->used && c->at.column[j]; i++) out->at[j][i] = (double)c->at.column[j][i];
}

static uint32_t dense_of(const struct homer_frame *f) {
    return f->n - f->present_n;
}

/* Over the dense features that the instance has. */
static double distance_of(const struct means *m, const struct homer_frame *f, uint32_t centre) {
    double sum = 0;
    for (uint32_t k = 0; k < dense_of(f); k++) {
        double d = (double)f->x[k] - m->at[f->feature[k]][centre];
        sum += d * d;
    }
    return sum;
}

static uint32_t nearest_of(const struct means *m, const struct homer_frame *f, double *least) {
    uint32_t nearest = 0;
    *least = m->used ? distance_of(m, f, 0) : 0;
    for (uint32_t i = 1; i < m->used; i++) {
        double d = distance_of(m, f, i);
        if (d < *least) *least = d, nearest = i;
    }
    return nearest;
}

/* phi = exp(-(d^2 - min d^2)/(2 s)), s the mean least squared distance so far; below .01: left out. */
static void assert_functions(const struct homer_centres *c, const struct means *m,
                             const struct homer_frame *f) {
    double got[CENTRES] = {0}, phi[CENTRES] = {0}, norm = 0, least;
    for (uint32_t i = 0; i < c->input.n; i++) {
        assert_true(c->input.feature[i] < m->used);
        assert_same(got[c->input.feature[i]], 0);
        got[c->input.feature[i]] = (double)c->input.x[i];
    }
    if (dense_of(f) < 4) {
        assert_int_equal(c->input.n, 0);
        return;
    }
    nearest_of(m, f, &least);
    double scale = m->seen > 0 ? m->least_sum / m->seen : 0;
    if (scale < 1e-9) scale = 1e-9;
    for (uint32_t i = 0; i < m->used; i++) {
        double e = exp(-(distance_of(m, f, i) - least) / (2 * scale));
        if (fabs(e - 0.01) < 1e-4) return; /* rounding decides */
        if (scale < 1e-6 && e < 1 && e > 1e-6) return;
        phi[i] = e < 0.01 ? 0 : e;
        norm += phi[i] * phi[i];
    }
    for (uint32_t i = 0; i < m->used; i++) assert_close(got[i], phi[i] / sqrt(norm), 2e-4);
}

/* False: rounding decides which centre moves, or whether there is a new one. */
static bool naive_learn(struct means *m, const struct homer_frame *f) {
    double least, second = 1e9, rate;
    uint32_t nearest = nearest_of(m, f, &least);
    if (dense_of(f) < 4) return true;
    for (uint32_t i = 0; i < m->used; i++)
        if (i != nearest && distance_of(m, f, i) < second) second = distance_of(m, f, i);
    bool certain = second - least > 1e-5;
    if (m->used) {
        m->least_sum += least;
        m->seen++;
        certain = certain && (m->used == CENTRES || fabs(least - 0.5 * m->least_sum / m->seen) > 1e-5);
    }
    if (m->used == 0 || (m->used < CENTRES && least > 0.5 * m->least_sum / m->seen)) {
        nearest = m->used++;
        rate = m->n[nearest] = 1;
        if (m->used == 1) m->seen = 1;
    } else {
        m->n[nearest]++;
        rate = 1 / m->n[nearest] > 0.003 ? 1 / m->n[nearest] : 0.003;
    }
    for (uint32_t k = 0; k < dense_of(f); k++) {
        double *at = &m->at[f->feature[k]][nearest];
        *at += rate * ((double)f->x[k] - *at);
    }
    return certain;
}

static void assert_means(const struct means *got, const struct means *expected) {
    assert_int_equal(got->used, expected->used);
    assert_close(got->least_sum, expected->least_sum, 1e-5);
    assert_same(got->seen, expected->seen);
    for (uint32_t i = 0; i < got->used; i++) {
        assert_same(got->n[i], expected->n[i]);
        for (uint32_t j = 0; j < FEATURES; j++) assert_close(got->at[j][i], expected->at[j][i], 1e-5);
    }
}

/* Groups of instances; which features are dense changes, and some have too few of them. */
static void next_x(struct bench *b, uint32_t t, uint32_t features) {
    bench_predict(b, features);
    for (uint32_t i = 0; i < b->f.n; i++)
        b->x[i] = b->x[i] * 0.3f + (float)(b->feature[i] * 7 % (3 + t % 5)) - 1;
    bench_dense(b, 0, t % 17 == 0 ? 3 : t < 60 ? 0 : 8 + t / 100 < FEATURES ? 8 + t / 100 : FEATURES);
}

static void learn(struct homer_centres *c, const struct bench *b, uint32_t labels) {
    assert_int_equal(homer_centres_ops.prepare(c, &b->f), 0);
    expert_learn(&(struct homer_expert){&homer_centres_ops, c}, &b->f, labels);
}

static void centres_follow_k_means(void **state) {
    (void)state;
    static struct bench b;
    static struct means before, now;
    struct homer_mem mem = {0};
    struct homer_centres c;
    unsigned certain = 0, few = 0;
    homer_centres_init(&c, &mem);
    bench_init(&b, 1400, MOST);
    for (uint32_t t = 0; t < 3000; t++) {
        uint32_t labels = b.f.labels;
        assert_int_equal(homer_centres_ops.reserve(&c, FEATURES, MOST + 1), 0);
        next_x(&b, t, FEATURES);
        read_means(&c, &before);
        homer_centres_ops.predict(&c, &b.f);
        assert_functions(&c, &before, &b.f);
        b.n = 0;
        bench_truth(&b, true);
        learn(&c, &b, labels);
        read_means(&c, &now);
        few += dense_of(&b.f) < 4;
        if (!naive_learn(&before, &b.f)) continue;
        certain++;
        assert_means(&now, &before);
    }
    assert_int_equal(c.used, CENTRES);
    assert_true(certain > 2500 && few > 100);
    homer_centres_ops.deinit(&c);
    assert_int_equal(mem.used_bytes, 0);
}

/* The filters are a pair of filters on the functions; without functions they learn their bias alone. */
static void filters_learn_the_functions(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_linear own;
    struct homer_centres c;
    homer_centres_init(&c, &mem);
    homer_linear_init(&own, &mem, &c.filters.config);
    bench_init(&b, 1410, MOST);
    for (uint32_t t = 0; t < 400; t++) {
        uint32_t labels = b.f.labels;
        float evidence[2][COLUMNS];
        assert_int_equal(homer_centres_ops.reserve(&c, FEATURES, MOST + 1), 0);
        assert_int_equal(homer_linear_reserve(&own, CENTRES, MOST + 1), 0);
        next_x(&b, t, FEATURES);
        homer_centres_ops.predict(&c, &b.f);
        for (int e = 0; e < 2; e++) memcpy(evidence[e], b.evidence[HOMER_X_CENTRES + e], sizeof evidence[e]);
        homer_linear_predict(&own, &b.f, &c.input);
        for (uint32_t l = 0; l <= labels; l++)
            for (int e = 0; e < 2; e++) assert_same(evidence[e][l], b.evidence[HOMER_X_CENTRES + e][l]);
        bench_truth(&b, true);
        for (uint32_t l = labels; l < b.f.labels; l++) homer_linear_add_label(&own, l);
        homer_linear_learn(&own, &b.f, &c.input);
        learn(&c, &b, labels);
        for (uint32_t j = 0; j <= CENTRES; j++)
            for (uint32_t l = 0; l <= b.f.labels; l++)
                for (int e = 0; e < 2; e++) {
                    uint32_t g = l / HOMER_LANES, i = l % HOMER_LANES;
                    const struct homer_linear_group *x = j < CENTRES ? own.row[j] : own.bias,
                                                    *y = j < CENTRES ? c.filters.row[j] : c.filters.bias;
                    assert_same(x[g].w[e][i], y[g].w[e][i]);
                    assert_same(x[g].var[e][i], y[g].var[e][i]);
                }
    }
    homer_centres_ops.deinit(&c);
    homer_linear_deinit(&own);
    assert_int_equal(mem.used_bytes, 0);
}

static void refused_memory_shows_nowhere(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_centres c, calm;
    homer_centres_init(&c, &mem);
    homer_centres_init(&calm, &mem);
    bench_init(&b, 1420, 60);
    struct homer_expert e = {&homer_centres_ops, &c}, other = {&homer_centres_ops, &calm};
    assert_true(expert_refuse(&e, &other, &mem, &b, 100, FEATURES, FEATURES) > 100);
    assert_true(c.used > 5);
    homer_centres_ops.deinit(&c);
    homer_centres_ops.deinit(&calm);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(centres_follow_k_means),
        cmocka_unit_test(filters_learn_the_functions),
        cmocka_unit_test(refused_memory_shows_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
