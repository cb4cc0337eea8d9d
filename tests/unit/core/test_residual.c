/* `residual` against its formula in double over whole streams; what it finds that a linear model cannot;
 * memory. */
#include <errno.h>
#include "expert_fixture.h"
#include "written_fixture.h"
#include "core/leaf/residual.h"

enum { J = 24, K = HOMER_PROTOTYPES };

/* The expert in double, as residual.h tells it. */
struct naive {
    bool takes_part[J];
    double c[J][K], mean[J], variance[J], n[J];
    double w[J + 1][COLUMNS], var[J + 1][COLUMNS]; /* the bias at J */
    double used[K], usual, seen;
    int prototypes;
};

/* Of the instance at hand. */
struct found {
    int terms, nearest;
    double z[J], r[J], x[J], d;
    bool in[J];
};

static void naive_init(struct naive *k) {
    memset(k, 0, sizeof *k);
    for (int j = 0; j <= J; j++)
        for (int c = 0; c < COLUMNS; c++) k->var[j][c] = j < J ? 3 : 1;
    for (int j = 0; j < J; j++) k->variance[j] = 1;
}

static double clip(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

static struct found naive_find(const struct naive *k, const struct homer_frame *f) {
    struct found o = {0};
    for (uint32_t i = 0; i < f->n; i++) {
        uint32_t j = f->feature[i];
        if (!k->takes_part[j]) continue;
        o.in[j] = true;
        o.z[j] = (double)f->x[i] * sqrt(f->dense_n);
        o.terms++;
    }
    if (o.terms < 4) return (struct found){0};
    for (int p = 0; p < k->prototypes || p == 0; p++) {
        double d = 0;
        for (int j = 0; j < J; j++)
            if (o.in[j]) d += (o.z[j] - k->c[j][p]) * (o.z[j] - k->c[j][p]) / o.terms;
        if (p && d >= o.d) continue;
        o.d = d;
        o.nearest = p;
    }
    for (int j = 0; j < J; j++) {
        if (!o.in[j]) continue;
        o.r[j] = fmin(fabs(o.z[j] - k->c[j][o.nearest]), 4);
        o.x[j] = clip((o.r[j] - k->mean[j]) / sqrt(k->variance[j] + 1e-6), -4, 4) / sqrt(o.terms);
    }
    return o;
}

static double naive_score(const struct naive *k, const struct found *o, uint32_t column, double *variance) {
    double s = k->w[J][column];
    *variance = k->var[J][column];
    for (int j = 0; j < J; j++) {
        s += o->x[j] * k->w[j][column];
        *variance += o->x[j] * o->x[j] * k->var[j][column];
    }
    return s;
}

static void naive_prototypes(struct naive *k, const struct found *o, double weight) {
    int begin = -1;
    if (!k->prototypes) {
        begin = k->prototypes++;
    } else {
        k->seen = fmin(k->seen + 1, 1000);
        k->usual += (o->d - k->usual) / k->seen;
        for (int p = 0; p < K; p++) k->used[p] *= 0.9995;
        if (k->prototypes < K && o->d > 0.5 * k->usual) {
            begin = k->prototypes++;
        } else if (k->prototypes == K && o->d > 3 * k->usual) {
            begin = 0;
            for (int p = 1; p < K; p++)
                if (k->used[p] < k->used[begin]) begin = p;
        }
    }
    if (begin >= 0) {
        for (int j = 0; j < J; j++) k->c[j][begin] = o->in[j] ? o->z[j] : 0;
        k->used[begin] = weight;
        return;
    }
    k->used[o->nearest] += weight;
    double rate = fmin(1, weight * clip(1 / k->used[o->nearest], 0.003, 1));
    for (int j = 0; j < J; j++)
        if (o->in[j]) k->c[j][o->nearest] += rate * (o->z[j] - k->c[j][o->nearest]);
}

static void naive_learn(struct naive *k, const struct found *o, const struct homer_frame *f) {
    for (uint32_t c = 0; c <= f->labels && o->terms; c++) {
        double v, p = 1 / (1 + exp(-naive_score(k, o, c, &v))), weight = (double)f->weight[c];
        double q = weight * fmax(p * (1 - p), 1e-4), z = 1 / (1 + q * v),
               g = weight * ((double)f->y[c] - p) * z;
        for (int j = 0; j <= J; j++) {
            if (j < J && !o->in[j]) continue;
            double ax = k->var[j][c] * (j < J ? o->x[j] : 1);
            k->w[j][c] += ax * g;
            k->var[j][c] += (weight > 0 ? 1e-4 : 0) - q * z * ax * ax;
        }
    }
    for (int j = 0; j < J && o->terms; j++) {
        if (!o->in[j]) continue;
        k->n[j] = fmin(k->n[j] + 1, 2000);
        double w = 1 / k->n[j], d = o->r[j] - k->mean[j];
        k->mean[j] += w * d;
        k->variance[j] += w * (d * d * (1 - w) - k->variance[j]);
    }
    if (o->terms) naive_prototypes(k, o, f->w);
    for (uint32_t i = 0; i < f->n && f->seq >= 16; i++) k->takes_part[f->feature[i]] = true;
}

/* A frame of dense features: kinds with a centre each, most features near it. `many`: how many kinds. */
static void kinds_next(struct bench *b, uint32_t features, uint32_t kinds, bool *departs) {
    struct dice *d = &b->dice, centre = {7 + dice_below(d, kinds)};
    bench_predict(b, 0);
    b->f.dense_n = features;
    b->f.seq++;
    for (uint32_t j = 0; j < features; j++) {
        double usual = 3 * dice_unit(&centre) - 1.5, value = usual + 0.05 * dice_normal(d);
        departs[j] = dice_chance(d, 0.1);
        if (departs[j]) value = 3 * dice_unit(d) - 1.5;
        b->feature[j] = j;
        b->x[j] = (float)(value / sqrt(features));
    }
    b->f.n = features;
}

/* As many features as a bench has room for in an instance. */
static void one_stream(uint64_t seed, uint32_t most, uint32_t kinds, uint32_t *taken, uint32_t *none) {
    static struct bench b;
    static struct naive k;
    struct homer_mem mem = {0};
    struct homer_residual r;
    bool departs[GIVEN];
    homer_residual_init(&r, &mem);
    bench_init(&b, seed, most);
    naive_init(&k);
    for (uint32_t t = 0; t < 700; t++) {
        uint32_t features = t < 60 ? t / 5 : GIVEN;
        assert_int_equal(homer_residual_ops.reserve(&r, features, b.most + 1), 0);
        kinds_next(&b, features, t < 400 ? kinds : 3 * kinds, departs);
        if (t % 9 == 0) b.f.n -= features > 3 ? 3 : 0; /* some are missing */
        uint32_t labels = b.f.labels;
        homer_residual_ops.predict(&r, &b.f);
        struct found o = naive_find(&k, &b.f);
        assert_int_equal(r.terms, o.terms);
        if (o.terms) assert_int_equal(r.nearest, o.nearest);
        *none += !o.terms;
        for (uint32_t c = 0; c <= labels; c++) {
            double v, x = clip(naive_score(&k, &o, c, &v) - (double)b.logit[c], -8, 8);
            assert_close(b.evidence[HOMER_X_RESIDUAL][c], o.terms ? x : 0, 2e-3);
        }
        bench_truth(&b, seed % 2);
        assert_int_equal(homer_residual_ops.prepare(&r, &b.f), 0);
        for (uint32_t c = labels; c < b.f.labels; c++) {
            homer_residual_ops.add_label(&r, c);
            for (int j = 0; j <= J; j++) {
                k.w[j][c + 1] = k.w[j][c];
                k.var[j][c + 1] = k.var[j][c];
            }
        }
        mem.fail_in = 1;
        homer_residual_ops.learn(&r, &b.f);
        assert_int_equal(mem.fail_in, 1);
        mem.fail_in = 0;
        naive_learn(&k, &o, &b.f);
        assert_int_equal(r.prototypes, k.prototypes);
        *taken += r.prototypes == K && o.terms && o.d > 3 * k.usual;
    }
    homer_residual_ops.deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

static void follows_the_formula(void **state) {
    (void)state;
    const uint32_t sizes[] = {1, 7, 8, 17, LABELS};
    uint32_t taken = 0, none = 0;
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        one_stream(30 + i, sizes[i], i % 2 ? 30 : 5, &taken, &none);
    assert_true(taken > 5 && none > 50);
}

static void learn_alone(struct homer_residual *r, struct bench *b) {
    assert_int_equal(homer_residual_ops.reserve(r, GIVEN, b->f.labels + 1), 0);
    homer_residual_ops.predict(r, &b->f);
    assert_int_equal(homer_residual_ops.prepare(r, &b->f), 0);
    homer_residual_ops.learn(r, &b->f);
}

/* Label l holds when feature l departs from what is usual for its kind: whatever the kinds are, and again
 * after they have all changed. */
static void departures_are_seen(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_residual r;
    bool departs[GIVEN];
    double right[2] = {0};
    homer_residual_init(&r, &mem);
    bench_init(&b, 3, LABELS);
    b.f.labels = GIVEN;
    b.f.stride = stride_of(GIVEN);
    for (uint32_t t = 0; t < 6000; t++) {
        kinds_next(&b, GIVEN, 12, departs);
        for (uint32_t j = 0; j < GIVEN && t >= 3000; j++) b.x[j] = -b.x[j]; /* other kinds */
        for (uint32_t c = 0; c < COLUMNS; c++) {
            b.y[c] = c < GIVEN && departs[c];
            b.weight[c] = c <= GIVEN;
        }
        b.f.w = 1;
        learn_alone(&r, &b);
        for (uint32_t l = 0; l < GIVEN && t % 3000 >= 1500; l++)
            right[t / 3000] += (b.evidence[HOMER_X_RESIDUAL][l] + b.logit[l] > 0) == departs[l];
    }
    print_message("right: %.3f before, %.3f after\n", right[0] / (1500 * GIVEN), right[1] / (1500 * GIVEN));
    for (int k = 0; k < 2; k++) assert_true(right[k] / (1500 * GIVEN) > 0.93); /* .9 are false */
    homer_residual_ops.deinit(&r);
}

static void softened_columns_learn_anew(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_residual r;
    bool departs[GIVEN];
    homer_residual_init(&r, &mem);
    bench_init(&b, 5, LABELS);
    b.f.labels = 10;
    for (uint32_t t = 0; t < 500; t++) {
        kinds_next(&b, GIVEN, 5, departs);
        for (uint32_t c = 0; c < COLUMNS; c++) {
            b.y[c] = c < 10 && departs[c];
            b.weight[c] = c <= 10;
        }
        b.f.w = 1;
        learn_alone(&r, &b);
    }
    const uint32_t column[] = {2, 9};
    homer_residual_soften(&r, column, 2, 7, 5);
    for (uint32_t i = 0; i <= r.slots; i++)
        for (uint32_t c = 0; c < 10; c++) {
            const struct homer_residual_group *row = i < r.slots ? r.row + i * r.groups_cap : r.bias;
            float v = row[c / HOMER_LANES].var[c % HOMER_LANES];
            if (c == 2 || c == 9)
                assert_same(v, i < r.slots ? 7 : 5);
            else
                assert_true(v < 3);
        }
    homer_residual_ops.deinit(&r);
}

static struct written residual_written(const struct homer_residual *r, uint32_t columns) {
    struct written w = {0};
    struct homer_codec c = {.sink = collect_bytes, .ctx = &w, .bare = true};
    homer_residual_ops.encode(r, columns, &c);
    return w;
}

/* Whatever is refused or given up, it goes on as if that had not been tried. */
static void refused_room_shows_nowhere(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_residual r;
    bool departs[GIVEN];
    uint32_t refused = 0;
    homer_residual_init(&r, &mem);
    bench_init(&b, 6, 60);
    for (uint32_t t = 0; t < 100; t++) {
        uint32_t features = 1 + t / 9;
        for (uint64_t k = 1;; k++) {
            struct written before = residual_written(&r, t ? b.f.labels + 1 : 0);
            mem.fail_in = k;
            int rc = homer_residual_ops.reserve(&r, features, b.f.labels + 9 + t);
            if (!rc) {
                struct bench other = b;
                other.f.feature = other.feature;
                other.f.x = other.x;
                kinds_next(&other, features, 5, departs);
                homer_residual_ops.predict(&r, &other.f);
                rc = homer_residual_ops.prepare(&r, &other.f);
            }
            bool injected = mem.fail_in == 0;
            mem.fail_in = 0;
            assert_int_equal(rc, injected ? -ENOMEM : 0);
            assert_true(same_bytes(before, residual_written(&r, t ? b.f.labels + 1 : 0)));
            if (!injected) break;
            refused++;
        }
        assert_int_equal(homer_residual_ops.reserve(&r, features, b.most + 1), 0);
        kinds_next(&b, features, 5, departs);
        uint32_t labels = b.f.labels;
        homer_residual_ops.predict(&r, &b.f);
        bench_truth(&b, true);
        assert_int_equal(homer_residual_ops.prepare(&r, &b.f), 0);
        for (uint32_t c = labels; c < b.f.labels; c++) homer_residual_ops.add_label(&r, c);
        homer_residual_ops.learn(&r, &b.f);
    }
    assert_true(refused > 20);
    homer_residual_ops.deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

/* At the memory cap no instance is refused: a feature without room does not take part, until there is some.
 */
static void the_cap_leaves_features_out(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_residual r;
    bool departs[GIVEN];
    homer_residual_init(&r, &mem);
    bench_init(&b, 8, 10);
    b.f.w = 1;
    for (uint32_t t = 0; t < 40; t++) {
        kinds_next(&b, GIVEN, 5, departs);
        assert_int_equal(homer_residual_ops.reserve(&r, GIVEN, b.f.labels + 1), 0);
        mem.max_bytes = t < 30 ? mem.used_bytes : 0;
        homer_residual_ops.predict(&r, &b.f);
        assert_int_equal(homer_residual_ops.prepare(&r, &b.f), 0);
        homer_residual_ops.learn(&r, &b.f);
        assert_int_equal(r.slots, t < 15 ? 0 : t < 30 ? r.slot_cap : GIVEN);
        mem.max_bytes = 0;
    }
    assert_true(mem.capped > 10);
    homer_residual_ops.deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_formula),         cmocka_unit_test(departures_are_seen),
        cmocka_unit_test(softened_columns_learn_anew), cmocka_unit_test(refused_room_shows_nowhere),
        cmocka_unit_test(the_cap_leaves_features_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
