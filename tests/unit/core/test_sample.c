/* A sample of a window against the instances themselves: which have a feature beyond a threshold, and their
 * labels; taken twice, so that nothing of the first is left. */
#include "expert_fixture.h"
#include "core/near/neighbours.h"
#include "core/near/sample.h"

enum { FEATURES = 40, DENSE = 10, MOST = 30, WORDS = HOMER_SAMPLE_WORDS };

static const uint32_t dense[DENSE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

static float value_of(const struct homer_window_slot *w, uint32_t feature) {
    for (uint32_t k = w->sparse; k < w->feature_n; k++)
        if (w->feature[k] == feature) return w->x[k];
    return 0;
}

/* Every feature that an instance of the sample has, with thresholds on both sides of 0. */
static void assert_beyond(const struct homer_sample *s, const uint64_t *of, unsigned *found) {
    static const float thresholds[] = {-1, -0.3f, -1e-3f, 1e-3f, 0.1f, 0.5f};
    for (uint32_t j = 0; j < s->features; j++) {
        uint32_t feature = s->feature[j].feature;
        for (size_t k = 0; k < sizeof thresholds / sizeof *thresholds; k++) {
            uint64_t out[WORDS];
            homer_sample_beyond(s, feature, thresholds[k], of, out);
            for (uint32_t i = 0; i < HOMER_SAMPLE_SIZE; i++) {
                uint64_t bit = (uint64_t)1 << (i % 64);
                float x = i < s->n ? value_of(&s->window->slot[s->slot[i]], feature) : 0;
                bool above = x > thresholds[k],
                     beyond = thresholds[k] > 0 ? above : !above && (x < 0 || x > 0);
                assert_int_equal((out[i / 64] & bit) != 0, (of[i / 64] & bit) && beyond);
                *found += (out[i / 64] & bit) != 0;
            }
        }
    }
}

static void assert_labels(const struct homer_sample *s) {
    for (uint32_t l = 0; l < s->having_cap; l++)
        for (uint32_t i = 0; i < HOMER_SAMPLE_SIZE; i++) {
            bool is = false;
            const struct homer_window_slot *w = i < s->n ? &s->window->slot[s->slot[i]] : NULL;
            for (uint32_t k = 0; w && k < w->positive_n; k++) is = is || w->label[k] == l;
            assert_int_equal(s->having[l][i / 64] >> (i % 64) & 1, is);
        }
    for (uint32_t i = 0; i < s->n; i++) {
        const struct homer_window_slot *w = &s->window->slot[s->slot[i]];
        assert_int_equal(s->first_label[i + 1] - s->first_label[i], w->positive_n);
        if (w->positive_n)
            assert_memory_equal(s->label + s->first_label[i], w->label, w->positive_n * sizeof *w->label);
    }
}

static void shows_the_window(void **state) {
    (void)state;
    static struct bench b;
    static struct homer_neighbours near;
    static struct homer_sample s;
    struct homer_mem mem = {0};
    const struct homer_expert e = {&homer_neighbours_ops, &near};
    uint64_t all[WORDS], some[WORDS];
    unsigned found = 0;
    memset(all, 0xff, sizeof all);
    memset(some, 0x5a, sizeof some);
    assert_int_equal(homer_neighbours_init(&near, &mem), 0);
    homer_sample_init(&s, &mem, near.window);
    bench_init(&b, 1400, MOST);
    assert_int_equal(homer_neighbours_ops.reserve(&near, FEATURES, MOST + 1), 0);
    for (uint32_t t = 0; t < 400; t++) {
        uint32_t labels = b.f.labels, slot[HOMER_SAMPLE_SIZE], n = 0;
        bench_predict(&b, FEATURES);
        bench_dense(&b, 0, DENSE);
        b.f.dense = dense;
        b.f.dense_n = DENSE;
        homer_neighbours_ops.predict(&near, &b.f);
        bench_truth(&b, true);
        assert_int_equal(homer_neighbours_ops.prepare(&near, &b.f), 0);
        if (t % 100 == 0) assert_int_equal(homer_sample_widen(&s, MOST + 1 + t), 0);
        assert_int_equal(homer_sample_reserve(&s, &b.f), 0);
        expert_learn(&e, &b.f, labels);
        if (t % 40) continue;
        for (uint32_t age = 0; age < near.window->n && n < HOMER_SAMPLE_SIZE; age += 1 + t % 3)
            slot[n++] = homer_window_slot(near.window, age);
        homer_sample_take(&s, slot, n);
        assert_int_equal(s.n, n);
        assert_labels(&s);
        assert_beyond(&s, all, &found);
        assert_beyond(&s, some, &found);
        homer_sample_take(&s, slot + n / 2, n - n / 2);
        assert_labels(&s);
        assert_beyond(&s, all, &found);
    }
    assert_true(found > 5000);
    homer_sample_deinit(&s);
    homer_neighbours_ops.deinit(&near);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows_the_window)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
