/* Naive Bayes at a leaf against its formulae in double, from the instances. */
#include "tree_fixture.h"

enum { INSTANCES = 600, M = 9 };

static struct sample kept[INSTANCES];

static double clip(double x, double most) {
    return fmax(-most, fmin(most, x));
}

/* Of the values of a dense feature, where it was no null: those of label l's positives (1), of the others
 * (0), of all (2). */
struct numbers {
    double n[3], mean[3], m2[3];
};

static struct numbers numbers_of(uint32_t n, uint32_t feature, uint32_t l) {
    struct numbers r = {.n = {0}};
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < n; i++) {
            if (kept[i].state[feature] == HOMER_NULL) continue;
            double x = sample_gives(&kept[i], feature) ? (double)kept[i].given[feature] : 0, w = kept[i].w;
            const int groups[] = {kept[i].y[l], 2};
            for (int k = 0; k < 2; k++) {
                int g = groups[k];
                if (pass == 0) {
                    r.n[g] += w;
                    r.mean[g] += w * (x - r.mean[g]) / r.n[g];
                } else {
                    r.m2[g] += w * (x - r.mean[g]) * (x - r.mean[g]);
                }
            }
        }
    return r;
}

/* Log-likelihood ratio of a value: two Gaussians, shrunk to all values by 3 instances. */
static double gauss_evidence(uint32_t n, uint32_t feature, uint32_t l, double x) {
    struct numbers r = numbers_of(n, feature, l);
    double variance = r.n[2] > 0 ? r.m2[2] / r.n[2] : 0, density[2];
    if (!(variance > 1e-12)) return 0;
    for (int k = 0; k < 2; k++) {
        double mean = (r.n[k] * r.mean[k] + 3 * r.mean[2]) / (r.n[k] + 3);
        double var = fmax((r.m2[k] + 3 * variance) / (r.n[k] + 3), 0.01 * variance);
        density[k] = -0.5 * log(var) - 0.5 * (x - mean) * (x - mean) / var;
    }
    return clip(density[1] - density[0], 5);
}

static double presence_evidence(uint32_t n, uint32_t feature, uint32_t l) {
    double all = 0, c = 0, t = 0, a = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool has = sample_gives(&kept[i], feature) && fabsf(kept[i].given[feature]) > 0;
        all += kept[i].w;
        c += kept[i].y[l] * kept[i].w;
        t += has * kept[i].w;
        a += has * kept[i].y[l] * kept[i].w;
    }
    double q = (t + 0.5) / (all + 1);
    if (t == 0) return 0;
    return clip(log(((a + 2 * q) / (c + 2)) / ((t - a + 2 * q) / (all - c + 2))), 5);
}

static double evidence(uint32_t n, const struct sample *s, uint32_t features, uint32_t l) {
    double sum = 0;
    for (uint32_t j = 0; j < features; j++) {
        bool given = sample_gives(s, j);
        if (s->is_dense[j] && s->state[j] != HOMER_NULL)
            sum += gauss_evidence(n, j, l, given ? (double)s->given[j] : 0);
        if (!s->is_dense[j] && given && fabsf(s->given[j]) > 0) sum += presence_evidence(n, j, l);
    }
    return clip(sum, 10);
}

/* Right after everything was computed anew. */
static void evidence_is_as_the_formulae_say(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct homer_mem mem;
        struct homer_stats *s = stats_start(&mem, M);
        struct drawn_from from = {
            .dice = {seed}, .m = M, .dense = 6, .sparse = 12, .null = 0.05, .weighted = seed % 2};
        float llr[TREE_STRIDE];
        double largest = 0;
        for (uint32_t i = 0; i < INSTANCES; i++) {
            struct view v;
            sample_next(&from, &kept[i]);
            stats_take(s, &kept[i]);
            if (i % 40) continue;
            struct sample probe;
            homer_stats_refresh(s);
            sample_next(&from, &probe);
            homer_stats_bayes(s, view_of(&v, &probe), llr);
            for (uint32_t l = 0; l < M; l++) {
                double expected = evidence(i + 1, &probe, 18, l);
                if (!(fabs((double)llr[l] - expected) <= 0.01))
                    fail_msg("after %u: label %u has %g, not %g", i + 1, l, (double)llr[l], expected);
                largest = fmax(largest, fabs(expected));
            }
        }
        assert_true(largest > 3);
        stats_stop(s);
    }
}

/* What is kept computed follows the counts: presence at once where a label's count changed, curves when the
 * leaf has grown by a quarter at most. */
static void evidence_is_never_far_behind(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_start(&mem, M);
    struct drawn_from from = {.dice = {7}, .m = M, .dense = 3, .sparse = 12};
    struct view v;
    for (uint32_t i = 0; i < INSTANCES; i++) {
        sample_next(&from, &kept[i]);
        stats_take(s, &kept[i]);
        view_of(&v, &kept[i]);
        for (uint32_t p = 0; p < s->gauss_n; p++) {
            assert_true(s->gauss[p].told > 0);
            assert_true(s->gauss[p].n <= 1.2501f * s->gauss[p].told + 1);
        }
        for (uint32_t k = 0; k < v.f.present_n && v.on_n; k++) {
            uint32_t place = homer_stats_find(s, v.present[k], false);
            for (uint32_t l = 0; l < M; l++) {
                double now = (double)homer_stats_presence(s, place, HOMER_EVIDENCE)[l] + (double)s->base[l];
                assert_close(clip(now, 5), presence_evidence(i + 1, v.present[k], l), 1e-3);
            }
        }
        for (uint32_t p = 0; p < s->presence_n; p++) assert_true(s->presence[p].t <= s->presence[p].next);
    }
    stats_stop(s);
}

static void asking_changes_nothing(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_filled(&mem, M, 5, kept, 300);
    struct drawn_from from = {.dice = {6}, .m = M, .dense = 8, .sparse = 30, .null = 0.1};
    struct written before = stats_written(s);
    struct sample x;
    struct view v;
    float first[TREE_STRIDE], again[TREE_STRIDE];
    size_t used = mem.used_bytes;
    for (int i = 0; i < 200; i++) {
        sample_next(&from, &x);
        homer_stats_bayes(s, view_of(&v, &x), first);
        homer_stats_bayes(s, &v.f, again);
        assert_memory_equal(first, again, s->stride * sizeof *first);
    }
    assert_int_equal(mem.used_bytes, used);
    assert_true(same_bytes(before, stats_written(s)));
    stats_stop(s);
}

/* A null, a constant, a feature nobody has seen here: no evidence. */
static void what_tells_nothing_counts_nothing(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_start(&mem, 3);
    struct dice d = {3};
    struct sample x;
    struct view v;
    float llr[TREE_STRIDE];
    for (int i = 0; i < 200; i++) {
        x = (struct sample){.w = 1, .is_dense = {true, true}, .y = {i % 2, i % 3 == 0}};
        sample_set(&x, 0, 41.5);
        sample_set(&x, 1, dice_normal(&d) + 4 * x.y[0]);
        stats_take(s, &x);
    }
    x = (struct sample){.w = 1, .is_dense = {true, true, true}};
    sample_set(&x, 0, 41.5);
    x.state[1] = HOMER_NULL;
    sample_set(&x, 2, 3);
    sample_set(&x, 3, 1);
    homer_stats_bayes(s, view_of(&v, &x), llr);
    for (uint32_t l = 0; l < 3; l++) assert_same(llr[l], 0);
    sample_set(&x, 0, -1e6); /* even where the constant is broken */
    homer_stats_bayes(s, view_of(&v, &x), llr);
    for (uint32_t l = 0; l < 3; l++) assert_same(llr[l], 0);
    sample_set(&x, 1, 4);
    homer_stats_bayes(s, view_of(&v, &x), llr);
    assert_true(llr[0] > 2 && fabsf(llr[1]) < 1 && fabsf(llr[2]) < 1e-3f);
    stats_stop(s);
}

static void evidence_is_bounded(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_start(&mem, 2);
    struct sample x;
    struct view v;
    float llr[TREE_STRIDE];
    for (int i = 0; i < 400; i++) {
        x = (struct sample){.w = 1, .y = {i % 2, i % 2}};
        for (uint32_t j = 0; j < 8; j++) {
            x.is_dense[j] = j < 4;
            if (j < 4) sample_set(&x, j, 100 * (i % 2) + i % 5);
            if (j >= 4 && i % 2) sample_set(&x, j, 1);
        }
        stats_take(s, &x);
    }
    homer_stats_bayes(s, view_of(&v, &x), llr);
    assert_same(llr[0], 10);
    for (uint32_t j = 0; j < 8; j++) x.state[j] = HOMER_NULL;
    sample_set(&x, 0, 1e30);
    homer_stats_bayes(s, view_of(&v, &x), llr);
    assert_true(fabsf(llr[0]) <= 5); /* of one feature */
    sample_set(&x, 0, -1e30);
    homer_stats_bayes(s, view_of(&v, &x), llr);
    assert_true(fabsf(llr[0]) <= 5);
    x.state[0] = HOMER_NULL;
    sample_set(&x, 5, 1);
    homer_stats_bayes(s, view_of(&v, &x), llr);
    assert_true(llr[1] > 4 && llr[1] <= 5);
    stats_stop(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_is_as_the_formulae_say),
        cmocka_unit_test(evidence_is_never_far_behind),
        cmocka_unit_test(asking_changes_nothing),
        cmocka_unit_test(what_tells_nothing_counts_nothing),
        cmocka_unit_test(evidence_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
