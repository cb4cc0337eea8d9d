/* Rows of linear filters that are made when their feature is met, and at most so many: by themselves, beside
 * filters that have all rows, when refused. */
#include "expert_fixture.h"
#include "core/leaf/linear.h"

enum { FEATURES = 120 };

static struct homer_linear_input own(const struct homer_frame *f) {
    return (struct homer_linear_input){f->feature, f->x, f->n};
}

static int reserve(void *self, uint32_t features, uint32_t columns) {
    (void)features; /* as experts do that hash: every row may be met from the start */
    return homer_linear_reserve(self, FEATURES, columns);
}
static int prepare(void *self, const struct homer_frame *f) {
    struct homer_linear_input x = own(f);
    return homer_linear_prepare(self, &x, f->labels + 1);
}
static void cancel(void *self) {
    homer_linear_cancel(self);
}

static struct homer_expert lazy_pair(struct homer_linear *l, struct homer_mem *mem, uint32_t max_groups) {
    static struct homer_expert_ops ops;
    struct homer_linear_config c;
    homer_linear_config_default(&c);
    c.max_groups = max_groups;
    homer_linear_init(l, mem, &c);
    ops = homer_linear_ops;
    ops.reserve = reserve;
    ops.truncate = NULL;
    ops.prepare = prepare;
    ops.cancel = cancel;
    return (struct homer_expert){&ops, l};
}

static bool has_row(const struct homer_linear *l, uint32_t j) {
    return l->row[j] != l->fresh;
}

/* One instance of the bench, of `features` features. */
static void learn(const struct homer_expert *e, struct bench *b, uint32_t features, uint32_t room) {
    uint32_t labels = b->f.labels;
    bench_predict(b, features);
    assert_int_equal(e->ops->reserve(e->self, features, room), 0);
    e->ops->predict(e->self, &b->f);
    bench_truth(b, true);
    if (e->ops->prepare) assert_int_equal(e->ops->prepare(e->self, &b->f), 0);
    expert_learn(e, &b->f, labels);
}

/* While there is room, a row that comes late is as one that was there from the start. */
static void a_late_row_is_as_an_early_one(void **state) {
    (void)state;
    static struct bench b, again;
    struct homer_mem mem = {0};
    struct homer_linear lazy, full;
    struct homer_linear_config c;
    struct homer_expert e = lazy_pair(&lazy, &mem, 1u << 20), other = {&homer_linear_ops, &full};
    uint32_t met = 0;
    bool seen[FEATURES] = {false};
    homer_linear_config_default(&c);
    homer_linear_init(&full, &mem, &c);
    assert_int_equal(homer_linear_reserve(&full, FEATURES, 1), 0);
    bench_init(&b, 900, 60);
    for (uint32_t t = 0; t < 500; t++) {
        uint32_t features = 1 + t / 5 < FEATURES ? 1 + t / 5 : FEATURES;
        again = b;
        bench_point(&again);
        learn(&e, &b, features, b.most + 1);
        learn(&other, &again, features, b.most + 1);
        for (uint32_t i = 0; i < b.f.n; i++) {
            met += !seen[b.feature[i]];
            seen[b.feature[i]] = true;
        }
        assert_int_equal(lazy.made, met);
        for (uint32_t o = 0; o < 2; o++)
            for (uint32_t l = 0; l <= b.f.labels; l++)
                assert_same(b.evidence[HOMER_X_LINEAR + o][l], again.evidence[HOMER_X_LINEAR + o][l]);
        for (uint32_t j = 0; j < FEATURES; j++) {
            assert_int_equal(has_row(&lazy, j), seen[j]);
            for (uint32_t k = 0; k <= b.f.labels; k++)
                for (int o = 0; o < 2; o++) {
                    uint32_t g = k / HOMER_LANES, i = k % HOMER_LANES;
                    assert_same(lazy.row[j][g].w[o][i], full.row[j][g].w[o][i]);
                    assert_same(lazy.row[j][g].var[o][i], full.row[j][g].var[o][i]);
                }
        }
    }
    assert_true(met > 90 && b.f.labels == 60);
    homer_linear_deinit(&lazy);
    homer_linear_deinit(&full);
    assert_int_equal(mem.used_bytes, 0);
}

/* Rows are made while rows x groups of the known columns are below the bound; what found no room stays as it
 * started, and the rest goes on learning. */
static void rows_keep_to_their_bound(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_linear l;
    struct homer_expert e = lazy_pair(&l, &mem, 60);
    unsigned turned_away = 0, moved = 0;
    bench_init(&b, 910, 40);
    for (uint32_t t = 0; t < 400; t++) {
        bool had[FEATURES] = {false};
        float before = 0, after = 0;
        uint32_t expected = l.made, labels = b.f.labels;
        for (uint32_t j = 0; j < l.features; j++) had[j] = has_row(&l, j);
        bench_predict(&b, FEATURES);
        assert_int_equal(e.ops->reserve(e.self, FEATURES, b.most + 1), 0);
        e.ops->predict(e.self, &b.f);
        bench_truth(&b, true);
        uint32_t groups = (b.f.labels + HOMER_LANES) / HOMER_LANES;
        assert_int_equal(e.ops->prepare(e.self, &b.f), 0);
        for (uint32_t i = 0; i < b.f.n; i++) {
            bool makes = !had[b.feature[i]] && expected < 60 / groups;
            assert_int_equal(has_row(&l, b.feature[i]), had[b.feature[i]] || makes);
            expected += makes;
            turned_away += !had[b.feature[i]] && !makes;
        }
        assert_int_equal(l.made, expected);
        for (uint32_t i = 0; i < b.f.n; i++) before += fabsf(l.row[b.feature[i]][0].w[1][0]);
        expert_learn(&e, &b.f, labels);
        for (uint32_t i = 0; i < b.f.n; i++) after += fabsf(l.row[b.feature[i]][0].w[1][0]);
        moved += before != after;
        for (uint32_t k = 0; k <= b.f.labels; k++)
            for (int o = 0; o < 2; o++) {
                const struct homer_linear_group *fresh = &l.fresh[k / HOMER_LANES];
                assert_same(fresh->w[o][k % HOMER_LANES], 0);
                assert_same(fresh->var[o][k % HOMER_LANES], l.config.variance[o]);
            }
    }
    assert_true(turned_away > 500 && moved > 100 && l.made > 10);
    homer_linear_deinit(&l);
    assert_int_equal(mem.used_bytes, 0);
}

/* The bound asks how many columns are known, not for how many there is memory: that depends on what was
 * refused or cancelled before. */
static void spare_columns_show_nowhere(void **state) {
    (void)state;
    static struct bench b, again;
    struct homer_mem mem = {0};
    struct homer_linear wide, narrow;
    struct homer_expert e = lazy_pair(&wide, &mem, 90), other = lazy_pair(&narrow, &mem, 90);
    char x[33], y[33];
    bench_init(&b, 920, 30);
    assert_int_equal(homer_linear_reserve(&wide, FEATURES, 150), 0);
    for (uint32_t t = 0; t < 200; t++) {
        again = b;
        bench_point(&again);
        learn(&e, &b, FEATURES, 150);
        learn(&other, &again, FEATURES, 31);
        assert_int_equal(wide.made, narrow.made);
        expert_digest(&e, b.f.labels + 1, x);
        expert_digest(&other, b.f.labels + 1, y);
        assert_string_equal(x, y);
    }
    assert_true(wide.groups_cap > narrow.groups_cap);
    homer_linear_deinit(&wide);
    homer_linear_deinit(&narrow);
    assert_int_equal(mem.used_bytes, 0);
}

static void refused_rows_show_nowhere(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    for (uint32_t round = 0; round < 2; round++) {
        struct homer_linear l, calm;
        struct homer_expert e = lazy_pair(&l, &mem, round ? 40 : 1u << 20),
                            other = lazy_pair(&calm, &mem, round ? 40 : 1u << 20);
        bench_init(&b, 930 + round, 50);
        assert_true(expert_refuse(&e, &other, &mem, &b, 80, FEATURES, FEATURES) > 80);
        homer_linear_deinit(&l);
        homer_linear_deinit(&calm);
        assert_int_equal(mem.used_bytes, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_row_is_as_an_early_one),
        cmocka_unit_test(rows_keep_to_their_bound),
        cmocka_unit_test(spare_columns_show_nowhere),
        cmocka_unit_test(refused_rows_show_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
