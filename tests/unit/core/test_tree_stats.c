/* A leaf's counts against counting again from the instances, and copies of them: remapped, seeded. */
#include <errno.h>
#include "tree_fixture.h"

enum { INSTANCES = 700 };

static struct sample kept[INSTANCES];

/* Moments of the values that were seen as numbers, of all instances or of those where a label is true. */
struct recount {
    double n, mean, m2;
};

static struct recount recount_numbers(uint32_t n, uint32_t feature, uint32_t label) {
    struct recount r = {0};
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < n; i++) {
            const struct sample *s = &kept[i];
            if (!s->is_dense[feature] || s->state[feature] == HOMER_NULL) continue;
            if (label != UINT32_MAX && !s->y[label]) continue;
            double x = sample_gives(s, feature) ? (double)s->given[feature] : 0;
            if (pass == 0) {
                r.n += s->w;
                r.mean += s->w * x;
            } else {
                r.m2 += s->w * (x - r.mean) * (x - r.mean);
            }
        }
        if (pass == 0 && r.n > 0) r.mean /= r.n;
    }
    return r;
}

/* Weight of the instances that had a sparse feature, or of those where a label is true; UINT32_MAX as the
 * feature: of all. */
static double recount_weight(uint32_t n, uint32_t feature, uint32_t label) {
    double w = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct sample *s = &kept[i];
        if (label != UINT32_MAX && !s->y[label]) continue;
        if (feature != UINT32_MAX) {
            bool zero = !(s->given[feature] < 0 || s->given[feature] > 0);
            if (s->is_dense[feature] || !sample_gives(s, feature) || zero) continue;
        }
        w += s->w;
    }
    return w;
}

static void assert_gauss(const struct homer_stats *s, uint32_t n, uint32_t feature) {
    uint32_t place = homer_stats_find(s, feature, true);
    struct recount all = recount_numbers(n, feature, UINT32_MAX);
    if (all.n == 0) {
        assert_int_equal(place, UINT32_MAX);
        return;
    }
    const struct homer_gauss *g = &s->gauss[place];
    double spread = 1 + sqrt(all.m2 / all.n);
    assert_int_equal(g->feature, feature);
    assert_same(g->n, all.n);
    assert_true(fabs((double)g->mean + (double)g->shift - all.mean) <= 1e-4 * spread);
    assert_close(g->m2, all.m2, 1e-3);
    for (uint32_t l = 0; l < s->m; l++) {
        struct recount one = recount_numbers(n, feature, l);
        assert_same(homer_stats_gauss(s, place, HOMER_N1)[l], one.n);
        if (one.n == 0) continue;
        double mean = (double)homer_stats_gauss(s, place, HOMER_MEAN1)[l] + (double)g->shift;
        assert_true(fabs(mean - one.mean) <= 1e-4 * spread);
        assert_close(homer_stats_gauss(s, place, HOMER_M2_1)[l], one.m2, 1e-3);
    }
    for (uint32_t l = s->m; l < s->stride; l++)
        for (int row = HOMER_N1; row <= HOMER_M2_1; row++)
            assert_same(homer_stats_gauss(s, place, row)[l], 0);
}

static void assert_presence(const struct homer_stats *s, uint32_t n, uint32_t feature) {
    uint32_t place = homer_stats_find(s, feature, false);
    double t = recount_weight(n, feature, UINT32_MAX);
    if (t == 0) {
        assert_int_equal(place, UINT32_MAX);
        return;
    }
    assert_int_equal(s->presence[place].feature, feature);
    assert_same(s->presence[place].t, t);
    for (uint32_t l = 0; l < s->m; l++)
        assert_same(homer_stats_presence(s, place, HOMER_WITH)[l], recount_weight(n, feature, l));
    for (uint32_t l = s->m; l < s->stride; l++) assert_same(homer_stats_presence(s, place, HOMER_WITH)[l], 0);
}

static void assert_counts(const struct homer_stats *s, uint32_t n) {
    assert_same(s->n, recount_weight(n, UINT32_MAX, UINT32_MAX));
    for (uint32_t l = 0; l < s->m; l++) assert_same(s->c[l], recount_weight(n, UINT32_MAX, l));
    for (uint32_t l = s->m; l < s->stride; l++) assert_same(s->c[l], 0);
    for (uint32_t j = 0; j < TREE_X; j++) {
        assert_gauss(s, n, j);
        assert_presence(s, n, j);
    }
}

/* Features that come late; one that is dense no more, one that has become so: each kind counts while it was
 * that. */
static void counts_agree_with_a_recount(void **state) {
    (void)state;
    const uint32_t widths[] = {1, 7, 8, 9, 17};
    for (int k = 0; k < 5; k++) {
        struct homer_mem mem;
        struct homer_stats *s = stats_start(&mem, widths[k]);
        struct drawn_from from = {.dice = {widths[k]}, .m = widths[k], .null = 0.1, .weighted = true};
        assert_int_equal(s->stride % HOMER_LANES, 0);
        for (uint32_t i = 0; i < INSTANCES; i++) {
            from.dense = i < 200 ? 4 : 9;
            from.sparse = 5 + i / 20;
            sample_next(&from, &kept[i]);
            kept[i].is_dense[1] = i < 400;
            kept[i].is_dense[8] = i > 450;
            stats_take(s, &kept[i]);
            if (i % 50 == 0 || i == INSTANCES - 1) assert_counts(s, i + 1);
        }
        assert_true(homer_stats_find(s, 8, true) != UINT32_MAX);
        assert_true(homer_stats_find(s, 8, false) != UINT32_MAX);
        assert_true(homer_stats_bytes(s) <= mem.used_bytes);
        stats_stop(s);
    }
}

/* A column's numbers depend neither on its neighbours nor on what stands behind the last one. */
static void columns_and_paddings_do_not_mix(void **state) {
    (void)state;
    for (uint32_t m = 1; m <= 9; m += 4) {
        struct homer_mem mem[2];
        struct homer_stats *narrow = stats_start(&mem[0], m), *wide = stats_start(&mem[1], 17);
        struct drawn_from from = {.dice = {m}, .m = 17, .dense = 5, .sparse = 15};
        struct sample s;
        float a[TREE_STRIDE], b[TREE_STRIDE];
        struct view v;
        for (int i = 0; i < 300; i++) {
            sample_next(&from, &s);
            stats_take(wide, &s);
            for (uint32_t l = m; l < TREE_Y; l++) s.y[l] = false;
            stats_take(narrow, &s);
        }
        homer_stats_refresh(narrow);
        homer_stats_refresh(wide);
        for (uint32_t l = m; l < narrow->stride; l++) {
            narrow->c[l] = NAN;
            for (uint32_t p = 0; p < narrow->gauss_n; p++) homer_stats_gauss(narrow, p, HOMER_N1)[l] = NAN;
            for (uint32_t p = 0; p < narrow->presence_n; p++)
                homer_stats_presence(narrow, p, HOMER_WITH)[l] = NAN;
        }
        homer_stats_refresh(narrow);
        for (int i = 0; i < 50; i++) {
            sample_next(&from, &s);
            view_of(&v, &s);
            homer_stats_bayes(narrow, &v.f, a);
            homer_stats_bayes(wide, &v.f, b);
            for (uint32_t l = 0; l < m; l++) assert_same(a[l], b[l]);
        }
        stats_stop(narrow);
        stats_stop(wide);
    }
}

static void a_remap_keeps_columns_and_makes_neutral_ones(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_filled(&mem, 9, 3, kept, 500), *t = NULL;
    const uint32_t source[] = {8, UINT32_MAX, 0, 3, UINT32_MAX, 5, 4, 1, 2, UINT32_MAX, 7};
    const float share[] = {0, 0.3f, 0, 0, 0.01f, 0, 0, 0, 0, 0.9f, 0};
    const uint32_t m = sizeof source / sizeof *source;
    struct view v;
    float llr[2][TREE_STRIDE];
    for (uint32_t l = 0; l < 9; l++) {
        s->loss[l] = (float)l + 0.1f;
        s->loss[s->stride + l] = (float)l + 0.2f;
        s->prior[l] = 0.01f * (float)l;
    }
    homer_stats_refresh(s);
    assert_int_equal(homer_stats_remap(&t, s, source, m, share), 0);
    assert_int_equal(t->m, m);
    assert_same(t->n, s->n);
    assert_int_equal(t->gauss_n, s->gauss_n);
    assert_int_equal(t->presence_n, s->presence_n);
    for (uint32_t k = 0; k < m; k++) {
        uint32_t from = source[k];
        bool known = from != UINT32_MAX;
        assert_same(t->c[k], known ? s->c[from] : share[k] * (float)s->n);
        assert_same(t->base[k], known ? s->base[from] : t->base[k]);
        assert_same(t->loss[k], known ? s->loss[from] : 0);
        assert_same(t->loss[t->stride + k], known ? s->loss[s->stride + from] : 0);
        assert_same(t->prior[k], known ? s->prior[from] : share[k]);
        for (uint32_t i = 0; i < s->gauss_n; i++) {
            const struct homer_gauss *g = &s->gauss[i];
            assert_memory_equal(&t->gauss[i], g, sizeof *g);
            const float neutral[] = {share[k] * g->n, g->mean, share[k] * g->m2};
            for (int row = 0; row < (known ? HOMER_GAUSS_ROWS : 3); row++)
                assert_same(homer_stats_gauss(t, i, row)[k],
                            known ? homer_stats_gauss(s, i, row)[from] : neutral[row]);
        }
        for (uint32_t i = 0; i < s->presence_n; i++) {
            assert_same(t->presence[i].t, s->presence[i].t);
            for (int row = 0; row < (known ? HOMER_PRESENCE_ROWS : 1); row++)
                assert_same(homer_stats_presence(t, i, row)[k],
                            known ? homer_stats_presence(s, i, row)[from] : share[k] * s->presence[i].t);
        }
    }
    for (int i = 0; i < 100; i++) {
        view_of(&v, &kept[i]);
        homer_stats_bayes(s, &v.f, llr[0]);
        homer_stats_bayes(t, &v.f, llr[1]);
        for (uint32_t k = 0; k < m; k++)
            if (source[k] != UINT32_MAX)
                assert_same(llr[1][k], llr[0][source[k]]);
            else
                assert_true(fabsf(llr[1][k]) < 0.15f);
    }
    stats_take(t, &kept[3]); /* and it learns on */
    homer_stats_free(t);
    for (uint64_t k = 1;; k++) {
        size_t used = mem.used_bytes;
        mem.fail_in = k;
        int rc = homer_stats_remap(&t, s, source, m, share);
        mem.fail_in = 0;
        if (rc == 0) break;
        assert_int_equal(rc, -ENOMEM);
        assert_int_equal(mem.used_bytes, used);
    }
    homer_stats_free(t);
    stats_stop(s);
}

static void a_seed_has_the_numbers_and_no_counts(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_filled(&mem, 7, 4, kept, 500), *t = NULL;
    assert_int_equal(homer_stats_seed(&t, s, 2), 0);
    assert_same(t->n, 0);
    assert_int_equal(t->gauss_n, s->gauss_n - 1);
    assert_int_equal(t->presence_n, 0);
    assert_int_equal(homer_stats_find(t, 2, true), UINT32_MAX);
    t->n = 20;
    for (uint32_t l = 0; l < 7; l++) t->c[l] = 2.5f * (float)l;
    homer_stats_rescale(t);
    for (uint32_t i = 0; i < t->gauss_n; i++) {
        const struct homer_gauss *g = &t->gauss[i];
        uint32_t from = homer_stats_find(s, g->feature, true);
        assert_same(g->n, 20);
        assert_same(g->mean, s->gauss[from].mean);
        assert_close(g->m2 / g->n, s->gauss[from].m2 / s->gauss[from].n, 1e-5);
        for (uint32_t l = 0; l < 7; l++) {
            assert_same(homer_stats_gauss(t, i, HOMER_N1)[l], t->c[l]);
            assert_same(homer_stats_gauss(t, i, HOMER_MEAN1)[l], homer_stats_gauss(s, from, HOMER_MEAN1)[l]);
            double var = (double)homer_stats_gauss(s, from, HOMER_M2_1)[l] /
                         (double)homer_stats_gauss(s, from, HOMER_N1)[l];
            assert_close(homer_stats_gauss(t, i, HOMER_M2_1)[l], var * (double)t->c[l], 1e-5);
        }
    }
    homer_stats_free(t);
    for (uint64_t k = 1;; k++) {
        size_t used = mem.used_bytes;
        mem.fail_in = k;
        int rc = homer_stats_seed(&t, s, UINT32_MAX);
        mem.fail_in = 0;
        if (rc == 0) break;
        assert_int_equal(rc, -ENOMEM);
        assert_int_equal(mem.used_bytes, used);
    }
    assert_int_equal(t->gauss_n, s->gauss_n);
    homer_stats_drop(t);
    assert_int_equal(t->gauss_n, 0);
    homer_stats_free(t);
    stats_stop(s);
}

/* A label whose positives never had a value of some number: a child that has such positives takes the number
 * to tell nothing about the label, wherever the first value happened to lie. */
static void a_seed_does_not_invent_values(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_start(&mem, 2), *t = NULL;
    struct dice d = {11};
    struct sample x;
    struct view v;
    float llr[TREE_STRIDE];
    for (int i = 0; i < 400; i++) {
        x = (struct sample){.w = 1, .is_dense = {true}, .y = {i % 4 == 0, i % 3 == 0}};
        sample_set(&x, 0, i == 1 ? 50 : dice_normal(&d) + 3 * x.y[1]);
        if (x.y[0]) x.state[0] = HOMER_NULL;
        stats_take(s, &x);
    }
    assert_int_equal(homer_stats_seed(&t, s, UINT32_MAX), 0);
    t->n = 20;
    t->c[0] = 12;
    t->c[1] = 10;
    homer_stats_rescale(t);
    sample_set(&x, 0, 2);
    homer_stats_bayes(t, view_of(&v, &x), llr);
    assert_true(fabsf(llr[0]) < 1e-3f && fabsf(llr[1]) > 0.01f);
    homer_stats_free(t);
    stats_stop(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_agree_with_a_recount),
        cmocka_unit_test(columns_and_paddings_do_not_mix),
        cmocka_unit_test(a_remap_keeps_columns_and_makes_neutral_ones),
        cmocka_unit_test(a_seed_has_the_numbers_and_no_counts),
        cmocka_unit_test(a_seed_does_not_invent_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
