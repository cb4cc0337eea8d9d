/* Pairs of linear filters against the formula in double, step by step and over a whole stream: `linear` with
 * `linear-tracking`, and pairs with other variances, noises and the prior as offset. */
#include <errno.h>
#include "expert_fixture.h"
#include "core/leaf/linear.h"

enum { FEATURES = 40 };

static struct homer_linear_config config; /* of the pair under test */

/* Weights and variances of all features and, last, of the bias. */
struct weights {
    double w[2][FEATURES + 1][COLUMNS], var[2][FEATURES + 1][COLUMNS];
};

static void start_weights(struct weights *k) {
    memset(k, 0, sizeof *k);
    for (int e = 0; e < 2; e++)
        for (uint32_t j = 0; j <= FEATURES; j++)
            for (uint32_t c = 0; c < COLUMNS; c++)
                k->var[e][j][c] = (double)(j < FEATURES ? config.variance[e] : config.bias_variance[e]);
}

static const struct homer_linear_group *group_of(const struct homer_linear *l, uint32_t j, uint32_t column) {
    return &(j < l->features ? l->row[j] : l->bias)[column / HOMER_LANES];
}

/* The bias is put at place FEATURES; rows that do not exist yet are as they will start. */
static void read_weights(const struct homer_linear *l, uint32_t columns, struct weights *out) {
    start_weights(out);
    for (uint32_t j = 0; j <= l->features; j++)
        for (uint32_t c = 0; c < columns; c++)
            for (int e = 0; e < 2; e++) {
                const struct homer_linear_group *g = group_of(l, j, c);
                uint32_t at = j < l->features ? j : FEATURES;
                out->w[e][at][c] = (double)g->w[e][c % HOMER_LANES];
                out->var[e][at][c] = (double)g->var[e][c % HOMER_LANES];
            }
}

static double score(const struct weights *k, int e, uint32_t c, const struct homer_frame *f,
                    double *variance) {
    double s = k->w[e][FEATURES][c], v = k->var[e][FEATURES][c];
    for (uint32_t i = 0; i < f->n; i++) {
        double x = (double)f->x[i];
        s += x * k->w[e][f->feature[i]][c];
        v += x * x * k->var[e][f->feature[i]][c];
    }
    *variance = v;
    return s;
}

struct step {
    double gradient, shrink;
};

static struct step step_of(const struct weights *k, int e, uint32_t c, const struct homer_frame *f) {
    double v, s = score(k, e, c, f, &v) + (config.offset ? (double)f->prior_logit[c] : 0);
    double p = 1 / (1 + exp(-s));
    double weight = (double)f->weight[c], q = p * (1 - p) > 1e-4 ? p * (1 - p) : 1e-4;
    q *= weight;
    double z = 1 / (1 + q * v);
    return (struct step){((double)f->y[c] - p) * z * weight, q * z};
}

static void update(struct weights *k, int e, uint32_t c, const struct homer_frame *f, struct step s) {
    for (uint32_t i = 0; i <= f->n; i++) {
        uint32_t j = i < f->n ? f->feature[i] : FEATURES;
        double x = i < f->n ? (double)f->x[i] : 1, ax = k->var[e][j][c] * x;
        k->w[e][j][c] += ax * s.gradient;
        k->var[e][j][c] -= s.shrink * ax * ax;
        if (f->weight[c] > 0) k->var[e][j][c] += (double)config.noise[e];
    }
}

/* Learns one frame. lazy[e]: few columns moved, only those learned; certain[e]: no gradient is so near .03
 * that rounding decides whether it counts. */
static void naive_learn(struct weights *k, const struct homer_frame *f, bool lazy[2], bool certain[2]) {
    uint32_t columns = f->labels + 1;
    for (int e = 0; e < 2; e++) {
        static struct step s[COLUMNS];
        uint32_t moving = 0;
        certain[e] = true;
        for (uint32_t c = 0; c < columns; c++) {
            s[c] = step_of(k, e, c, f);
            moving += fabs(s[c].gradient) > 0.03;
            certain[e] = certain[e] && fabs(fabs(s[c].gradient) - 0.03) > 1e-5;
        }
        lazy[e] = !(config.noise[e] > 0) && 4 * moving < columns;
        certain[e] = certain[e] || config.noise[e] > 0;
        for (uint32_t c = 0; c < columns; c++)
            if (!lazy[e] || fabs(s[c].gradient) > 0.03) update(k, e, c, f, s[c]);
    }
}

static void assert_weights(const struct weights *got, const struct weights *expected, uint32_t columns, int e,
                           double within) {
    for (uint32_t j = 0; j <= FEATURES; j++)
        for (uint32_t c = 0; c < columns; c++) {
            assert_close(got->w[e][j][c], expected->w[e][j][c], within);
            assert_close(got->var[e][j][c], expected->var[e][j][c], within);
        }
}

static void assert_evidence(const struct weights *k, const struct homer_frame *f) {
    for (uint32_t c = 0; c <= f->labels; c++)
        for (int e = 0; e < 2; e++) {
            double v, x = score(k, e, c, f, &v) - (config.offset ? 0 : (double)f->prior_logit[c]);
            assert_close(f->evidence[config.out + (unsigned)e][c], x > 8 ? 8 : x < -8 ? -8 : x, 2e-5);
        }
}

static void new_columns(struct weights *k, uint32_t from, uint32_t to) {
    for (uint32_t c = from; c < to; c++)
        for (uint32_t j = 0; j <= FEATURES; j++)
            for (int e = 0; e < 2; e++) {
                k->w[e][j][c + 1] = k->w[e][j][c];
                k->var[e][j][c + 1] = k->var[e][j][c];
            }
}

static void init(struct homer_linear *l, struct homer_mem *mem) {
    homer_linear_init(l, mem, &config);
}

static void one_stream(uint64_t seed, uint32_t most, bool weighted, unsigned lazy_steps[2]) {
    static struct bench b;
    static struct weights now, before, whole;
    struct homer_mem mem = {0};
    struct homer_linear l;
    uint32_t features = 0;
    init(&l, &mem);
    bench_init(&b, seed, most);
    start_weights(&whole);
    for (uint32_t t = 0; t < 400; t++) {
        if (features < FEATURES && dice_chance(&b.dice, 0.3)) features += 1 + dice_below(&b.dice, 3);
        if (features > FEATURES) features = FEATURES;
        assert_int_equal(homer_linear_ops.reserve(&l, features, b.most + 1), 0);
        bench_predict(&b, features);
        uint32_t labels = b.f.labels;
        read_weights(&l, labels + 1, &before);
        homer_linear_ops.predict(&l, &b.f);
        assert_evidence(&before, &b.f);

        bench_truth(&b, weighted);
        for (uint32_t c = labels; c < b.f.labels; c++) homer_linear_ops.add_label(&l, c);
        new_columns(&before, labels, b.f.labels);
        new_columns(&whole, labels, b.f.labels);
        read_weights(&l, b.f.labels + 1, &now);
        for (int e = 0; e < 2; e++) assert_weights(&now, &before, b.f.labels + 1, e, 0);

        homer_linear_ops.learn(&l, &b.f);
        bool lazy[2], certain[2], ignored[2][2];
        naive_learn(&before, &b.f, lazy, certain);
        naive_learn(&whole, &b.f, ignored[0], ignored[1]);
        read_weights(&l, b.f.labels + 1, &now);
        for (int e = 0; e < 2; e++) {
            double within = config.variance[e] > 3 ? 1e-3 : 1e-5; /* 1 - p is rough when p is near 1 */
            if (certain[e]) assert_weights(&now, &before, b.f.labels + 1, e, within);
            lazy_steps[e] += certain[e] && lazy[e];
        }
    }
    assert_int_equal(b.f.labels, most);
    for (int e = 0; e < 2; e++) /* rounding adds up over the whole stream */
        if (config.noise[e] > 0) assert_weights(&now, &whole, most + 1, e, 5e-3);
    homer_linear_ops.deinit(&l);
    assert_int_equal(mem.used_bytes, 0);
}

static void many_streams(uint64_t seed, unsigned lazy_steps[2]) {
    const uint32_t sizes[] = {1, 6, 7, 8, 15, 16, 17, 127, LABELS};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        one_stream(seed + i, sizes[i], i % 2, lazy_steps);
}

static void follows_the_formula(void **state) {
    (void)state;
    unsigned lazy_steps[2] = {0};
    many_streams(20, lazy_steps);
    assert_true(lazy_steps[0] > 20); /* the rule for few moving labels was exercised */
    assert_int_equal(lazy_steps[1], 0);
}

static void so_does_any_other_pair(void **state) {
    (void)state;
    static const struct homer_linear_config pairs[] = {
        {.out = HOMER_X_STIFF, .variance = {0.3f, 30}, .bias_variance = {2, 0.5f}, .offset = true},
        {.out = HOMER_X_PRODUCTS,
         .variance = {10, 1},
         .bias_variance = {1, 1},
         .noise = {1e-3f, 0},
         .offset = true},
        {.out = HOMER_X_LINEAR, .variance = {1, 2}, .bias_variance = {3, 4}, .noise = {1e-3f, 1e-2f}},
    };
    const struct homer_linear_config own = config;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        unsigned lazy_steps[2] = {0};
        config = pairs[i];
        many_streams(700 + 20 * i, lazy_steps);
        for (int e = 0; e < 2; e++) assert_int_equal(lazy_steps[e] > 20, !(config.noise[e] > 0));
    }
    config = own;
}

static void unknown_labels_stay_as_they_are(void **state) {
    (void)state;
    static struct bench b;
    static struct weights before, now;
    struct homer_mem mem = {0};
    struct homer_linear l;
    unsigned unknown = 0;
    init(&l, &mem);
    bench_init(&b, 40, 30);
    assert_int_equal(homer_linear_ops.reserve(&l, FEATURES, 31), 0);
    for (uint32_t t = 0; t < 300; t++) {
        bench_predict(&b, FEATURES);
        uint32_t labels = b.f.labels;
        homer_linear_ops.predict(&l, &b.f);
        bench_truth(&b, true);
        for (uint32_t c = labels; c < b.f.labels; c++) homer_linear_ops.add_label(&l, c);
        read_weights(&l, b.f.labels + 1, &before);
        homer_linear_ops.learn(&l, &b.f);
        read_weights(&l, b.f.labels + 1, &now);
        for (uint32_t c = 0; c <= b.f.labels; c++) {
            if (b.f.weight[c] > 0) continue;
            unknown++;
            for (uint32_t j = 0; j <= FEATURES; j++)
                for (int e = 0; e < 2; e++) {
                    assert_same(now.w[e][j][c], before.w[e][j][c]);
                    assert_same(now.var[e][j][c], before.var[e][j][c]);
                }
        }
    }
    assert_true(unknown > 500);
    homer_linear_ops.deinit(&l);
}

/* A refused or cancelled reserve shows nowhere, and the expert goes on as if it had never been tried. */
static void refused_room_shows_nowhere(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_linear l;
    struct homer_expert linear = {&homer_linear_ops, &l};
    char before[33], after[33];
    unsigned refused = 0;
    init(&l, &mem);
    bench_init(&b, 41, 60);
    for (uint32_t t = 0, features = 0; t < 60; t++, features += 3) {
        if (t) {
            expert_digest(&linear, b.f.labels + 1, before);
            for (uint64_t k = 1;; k++) {
                mem.fail_in = k;
                int rc = homer_linear_ops.reserve(&l, features + 3, b.f.labels + 8 + t);
                bool injected = mem.fail_in == 0;
                mem.fail_in = 0;
                assert_int_equal(rc, injected ? -ENOMEM : 0);
                homer_linear_ops.truncate(&l, features);
                expert_digest(&linear, b.f.labels + 1, after);
                assert_string_equal(before, after);
                if (!injected) break;
                refused++;
            }
        }
        assert_int_equal(homer_linear_ops.reserve(&l, features + 3, b.most + 1), 0);
        bench_predict(&b, features + 3);
        uint32_t labels = b.f.labels;
        homer_linear_ops.predict(&l, &b.f);
        bench_truth(&b, true);
        for (uint32_t c = labels; c < b.f.labels; c++) homer_linear_ops.add_label(&l, c);
        homer_linear_ops.learn(&l, &b.f);
    }
    assert_true(refused > 50);
    homer_linear_ops.deinit(&l);
    assert_int_equal(mem.used_bytes, 0);
}

/* The largest weight that the protocol lets in, again and again: variances stay positive, scores finite. */
static void heavy_instances_stay_sane(void **state) {
    (void)state;
    static struct bench b;
    static struct weights now;
    struct homer_mem mem = {0};
    struct homer_linear l;
    init(&l, &mem);
    assert_int_equal(homer_linear_ops.reserve(&l, FEATURES, 21), 0);
    for (uint64_t seed = 0; seed < 20; seed++) {
        bench_init(&b, 42 + seed, 20);
        homer_linear_ops.deinit(&l);
        assert_int_equal(homer_linear_ops.reserve(&l, FEATURES, 21), 0);
        for (uint32_t t = 0; t < 300; t++) {
            bench_predict(&b, seed % 2 ? 0 : 3);
            uint32_t labels = b.f.labels;
            homer_linear_ops.predict(&l, &b.f);
            bench_truth(&b, false);
            for (uint32_t c = labels; c < b.f.labels; c++) homer_linear_ops.add_label(&l, c);
            float w = dice_chance(&b.dice, 0.5) ? 1e6f : dice_chance(&b.dice, 0.5) ? 1e-6f : 1.0f;
            for (uint32_t c = 0; c < COLUMNS; c++) b.weight[c] *= w;
            homer_linear_ops.learn(&l, &b.f);
            read_weights(&l, b.f.labels + 1, &now);
            for (uint32_t c = 0; c <= b.f.labels; c++)
                for (uint32_t j = 0; j <= FEATURES; j++)
                    for (int e = 0; e < 2; e++) {
                        assert_true(isfinite(now.w[e][j][c]));
                        if (!(now.var[e][j][c] >= 0 && now.var[e][j][c] <= 4))
                            fail_msg("variance %g of expert %d at instance %u", now.var[e][j][c], e, t);
                    }
        }
    }
    homer_linear_ops.deinit(&l);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    homer_linear_config_default(&config);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_formula),
        cmocka_unit_test(so_does_any_other_pair),
        cmocka_unit_test(unknown_labels_stay_as_they_are),
        cmocka_unit_test(refused_room_shows_nowhere),
        cmocka_unit_test(heavy_instances_stay_sane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
