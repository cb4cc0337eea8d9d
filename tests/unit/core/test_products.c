/* Expert `products`: which features it pairs, where it puts the pairs, and that its filters get just that. */
#include "expert_fixture.h"
#include "core/leaf/products.h"

enum { FEATURES = 60, MOST = 30, PLACES = 8192 };

/* The filters whose weights say what matters: filled at random, they learn nothing here. */
static void source_init(struct homer_linear *source, struct homer_mem *mem, uint64_t seed) {
    struct homer_linear_config c;
    struct dice d = {seed};
    homer_linear_config_default(&c);
    homer_linear_init(source, mem, &c);
    assert_int_equal(homer_linear_reserve(source, 600, 64), 0);
    for (uint32_t j = 0; j < 600; j++)
        for (uint32_t l = 0; l < 64; l++)
            for (int e = 0; e < 2; e++)
                source->row[j][l / HOMER_LANES].w[e][l % HOMER_LANES] =
                    (float)(dice_normal(&d) * (j % 5 == 0 ? 0.5 : 0.02));
}

static double matter_of(const struct homer_linear *source, uint32_t j, uint32_t labels) {
    double sum = 0.05;
    for (uint32_t l = 0; l < labels; l++)
        sum += fabs((double)source->row[j][l / HOMER_LANES].w[0][l % HOMER_LANES]);
    return sum;
}

struct looked {
    double matter[FEATURES];
    uint32_t features;
};

struct factor {
    uint32_t feature;
    double x, size;
};

static int by_size(const void *a, const void *b) {
    double x = ((const struct factor *)a)->size, y = ((const struct factor *)b)->size;
    return (x < y) - (x > y);
}

/* The factors, largest first; returns how many. */
static uint32_t factors_of(const struct homer_frame *f, const struct looked *k, struct factor *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n; i++)
        if (f->feature[i] < k->features)
            out[n++] = (struct factor){f->feature[i], (double)f->x[i],
                                       fabs((double)f->x[i]) * k->matter[f->feature[i]]};
    qsort(out, n, sizeof *out, by_size);
    return n < HOMER_FACTORS ? n : HOMER_FACTORS;
}

/* Where a pair goes, as shown when an instance has that pair only. */
static uint32_t place[FEATURES][FEATURES];

static void show_places(struct homer_products *p, struct bench *b) {
    for (uint32_t i = 0; i < FEATURES; i++)
        for (uint32_t j = 0; j < i; j++) {
            b->f.n = 2;
            b->feature[0] = i;
            b->feature[1] = j;
            b->x[0] = -0.5f;
            b->x[1] = 2;
            homer_products_ops.predict(p, &b->f);
            assert_int_equal(p->input.n, 1);
            assert_true(p->input.feature[0] < PLACES);
            assert_same(p->input.x[0], -1);
            place[i][j] = place[j][i] = p->input.feature[0];
            b->feature[0] = j;
            b->feature[1] = i;
            homer_products_ops.predict(p, &b->f);
            assert_int_equal(p->input.feature[0], place[i][j]);
        }
}

/* Pairs of the factors at their places, of unit length together, every place once. */
static void assert_input(const struct homer_products *p, const struct homer_frame *f,
                         const struct looked *k) {
    static double at[PLACES], got[PLACES];
    struct factor factor[GIVEN];
    uint32_t n = factors_of(f, k, factor), distinct = 0;
    double norm = 0, length = 0;
    memset(at, 0, sizeof at);
    memset(got, 0, sizeof got);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < i; j++)
            at[place[factor[i].feature][factor[j].feature]] += factor[i].x * factor[j].x;
    for (uint32_t i = 0; i < PLACES; i++) {
        distinct += fabs(at[i]) > 0;
        norm += at[i] * at[i];
    }
    assert_true(p->input.n <= HOMER_PRODUCTS);
    for (uint32_t i = 0; i < p->input.n; i++) {
        assert_same(got[p->input.feature[i]], 0); /* each place once */
        got[p->input.feature[i]] = (double)p->input.x[i];
        length += (double)p->input.x[i] * (double)p->input.x[i];
    }
    assert_true(p->input.n >= distinct);
    if (distinct) assert_close(length, 1, 1e-5);
    for (uint32_t i = 0; i < PLACES; i++) assert_close(got[i], norm > 0 ? at[i] / sqrt(norm) : 0, 1e-5);
}

static void pairs_are_of_what_matters(void **state) {
    (void)state;
    static struct bench b, mixed;
    static struct looked k;
    struct homer_mem mem = {0};
    struct homer_linear source;
    struct homer_products p;
    unsigned full = 0, collided = 0;
    source_init(&source, &mem, 1300);
    homer_products_init(&p, &mem, &source);
    assert_int_equal(homer_products_ops.reserve(&p, FEATURES, MOST + 1), 0);
    bench_init(&b, 1301, MOST);
    /* a first instance that has everything shows the places */
    b.f.features = FEATURES;
    b.f.stride = stride_of(0);
    b.f.w = 1;
    homer_products_ops.predict(&p, &b.f);
    assert_int_equal(p.input.n, 0); /* nothing is known to matter yet */
    assert_int_equal(homer_products_ops.prepare(&p, &b.f), 0);
    homer_products_ops.learn(&p, &b.f);
    show_places(&p, &b);
    uint32_t twice = 0;
    for (uint32_t i = 0; i < FEATURES * FEATURES; i++)
        for (uint32_t j = 0; j < i; j++) {
            uint32_t a = i / FEATURES, c = i % FEATURES, d = j / FEATURES, e = j % FEATURES;
            twice += a > c && d > e && place[a][c] == place[d][e];
        }
    assert_true(twice > 50 && twice < 400); /* 191 are expected of random places */
    homer_products_ops.deinit(&p);

    homer_products_init(&p, &mem, &source);
    bench_init(&b, 1302, MOST);
    for (uint32_t t = 0; t < 700; t++) {
        uint32_t features = 10 + t / 8 < FEATURES ? 10 + t / 8 : FEATURES, labels = b.f.labels;
        assert_int_equal(homer_products_ops.reserve(&p, features, MOST + 1), 0);
        bench_predict(&b, features);
        homer_products_ops.predict(&p, &b.f);
        assert_input(&p, &b.f, &k);
        full += p.input.n == HOMER_PRODUCTS;
        float evidence[2][COLUMNS];
        for (int e = 0; e < 2; e++) memcpy(evidence[e], b.evidence[HOMER_X_PRODUCTS + e], sizeof evidence[e]);
        mixed = b; /* the order in which features come is no matter */
        bench_point(&mixed);
        for (uint32_t i = 0; i < b.f.n; i++) {
            mixed.feature[i] = b.feature[b.f.n - 1 - i];
            mixed.x[i] = b.x[b.f.n - 1 - i];
        }
        homer_products_ops.predict(&p, &mixed.f);
        assert_input(&p, &b.f, &k);
        for (uint32_t l = 0; l <= labels; l++)
            for (int e = 0; e < 2; e++)
                assert_close(mixed.evidence[HOMER_X_PRODUCTS + e][l], evidence[e][l], 1e-4);
        homer_products_ops.predict(&p, &b.f);
        struct factor factor[GIVEN];
        uint32_t n = factors_of(&b.f, &k, factor);
        collided += n > 1 && p.input.n < n * (n - 1) / 2;
        bench_truth(&b, true);
        assert_int_equal(homer_products_ops.prepare(&p, &b.f), 0);
        expert_learn(&(struct homer_expert){&homer_products_ops, &p}, &b.f, labels);
        if (t % 64 == 0) {
            k.features = features;
            for (uint32_t j = 0; j < features; j++) k.matter[j] = matter_of(&source, j, b.f.labels);
        }
    }
    assert_true(full > 5 && collided > 5);
    homer_products_ops.deinit(&p);
    homer_linear_deinit(&source);
    assert_int_equal(mem.used_bytes, 0);
}

/* Its filters are a pair of filters on those pairs, no more. */
static void filters_learn_the_pairs(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_linear source, own;
    struct homer_products p;
    char x[33], y[33];
    source_init(&source, &mem, 1310);
    homer_products_init(&p, &mem, &source);
    homer_linear_init(&own, &mem, &p.filters.config);
    bench_init(&b, 1311, MOST);
    for (uint32_t t = 0; t < 200; t++) {
        uint32_t features = 3 + t < FEATURES ? 3 + t : FEATURES, labels = b.f.labels;
        assert_int_equal(homer_products_ops.reserve(&p, features, MOST + 1), 0);
        assert_int_equal(homer_linear_reserve(&own, PLACES, MOST + 1), 0);
        bench_predict(&b, features);
        homer_products_ops.predict(&p, &b.f);
        float evidence[2][COLUMNS];
        for (int e = 0; e < 2; e++) memcpy(evidence[e], b.evidence[HOMER_X_PRODUCTS + e], sizeof evidence[e]);
        homer_linear_predict(&own, &b.f, &p.input);
        for (uint32_t l = 0; l <= labels; l++)
            for (int e = 0; e < 2; e++) assert_same(evidence[e][l], b.evidence[HOMER_X_PRODUCTS + e][l]);
        bench_truth(&b, true);
        assert_int_equal(homer_linear_prepare(&own, &p.input, b.f.labels + 1), 0);
        for (uint32_t l = labels; l < b.f.labels; l++) homer_linear_add_label(&own, l);
        homer_linear_learn(&own, &b.f, &p.input);
        assert_int_equal(homer_products_ops.prepare(&p, &b.f), 0);
        expert_learn(&(struct homer_expert){&homer_products_ops, &p}, &b.f, labels);
        struct homer_codec c;
        struct homer_hasher *h = homer_hasher_new(&c);
        homer_linear_encode(&own, b.f.labels + 1, &c);
        homer_hasher_free(h, x);
        h = homer_hasher_new(&c);
        homer_linear_encode(&p.filters, b.f.labels + 1, &c);
        homer_hasher_free(h, y);
        assert_string_equal(x, y);
    }
    assert_true(own.made > 500);
    homer_products_ops.deinit(&p);
    homer_linear_deinit(&own);
    homer_linear_deinit(&source);
    assert_int_equal(mem.used_bytes, 0);
}

static void refused_memory_shows_nowhere(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_linear source;
    struct homer_products p, calm;
    source_init(&source, &mem, 1320);
    homer_products_init(&p, &mem, &source);
    homer_products_init(&calm, &mem, &source);
    bench_init(&b, 1321, 60);
    struct homer_expert e = {&homer_products_ops, &p}, other = {&homer_products_ops, &calm};
    assert_true(expert_refuse(&e, &other, &mem, &b, 100, FEATURES, FEATURES) > 500);
    homer_products_ops.deinit(&p);
    homer_products_ops.deinit(&calm);
    homer_linear_deinit(&source);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_of_what_matters),
        cmocka_unit_test(filters_learn_the_pairs),
        cmocka_unit_test(refused_memory_shows_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
