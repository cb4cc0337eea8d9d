/* The experts that look at the labels alone, and the prior, against counts over the whole history. */
#include <errno.h>
#include "expert_fixture.h"
#include "core/leaf/markov.h"
#include "core/leaf/prior.h"
#include "core/leaf/recent.h"

static int8_t truth_of(const struct bench *b, uint32_t t, uint32_t column) {
    return b->truth[t][column < b->f.labels ? column : LABELS];
}

static double clipped(double x) {
    return x > 8 ? 8 : x < -8 ? -8 : x;
}

static double logit(double p) {
    p = p < (double)1e-6f ? (double)1e-6f : p > (double)0.999999f ? (double)0.999999f : p;
    return log(p / (1 - p));
}

/* markov */

/* Of the latest instance before number t that told about the column. */
static int last_truth(const struct bench *b, uint32_t t, uint32_t column) {
    while (t > 0 && truth_of(b, t - 1, column) == UNKNOWN) t--;
    return t ? truth_of(b, t - 1, column) : UNKNOWN;
}

/* count[before][now] of a column over the history; an instance that does not tell is passed over. */
static void transitions(const struct bench *b, uint32_t column, double count[2][2]) {
    memset(count, 0, 4 * sizeof(double));
    for (uint32_t t = 1; t < b->n; t++) {
        int before = last_truth(b, t, column), now = truth_of(b, t, column);
        if (before != UNKNOWN && now != UNKNOWN) count[before][now] += b->w[t];
    }
}

static void assert_markov(const struct bench *b) {
    double all[2][2] = {{0}}, c[2][2];
    for (uint32_t l = 0; l < b->f.labels; l++) {
        transitions(b, l, c);
        for (int i = 0; i < 4; i++) all[i / 2][i % 2] += c[i / 2][i % 2];
    }
    double total = all[0][0] + all[0][1] + all[1][0] + all[1][1], present = all[0][1] + all[1][1];
    double stays = all[1][0] + all[1][1] > 0 ? all[1][1] / (all[1][0] + all[1][1]) : 0;
    double comes = present > 0 ? all[0][1] / (all[0][0] + all[0][1]) / (present / total) : 1;
    if (present > 0 && all[0][0] + all[0][1] <= 0) comes = 0;
    if (comes > 1) comes = 1;
    for (uint32_t l = 0; l <= b->f.labels; l++) {
        double pi = (double)b->prior[l], expected = 0;
        int before = last_truth(b, b->n, l);
        transitions(b, l, c);
        if (before == TRUE_LABEL)
            expected = (c[1][1] + 4 * (pi > stays ? pi : stays)) / (c[1][1] + c[1][0] + 4);
        else if (before == FALSE_LABEL)
            expected = (c[0][1] + 4 * pi * comes) / (c[0][1] + c[0][0] + 4);
        if (before != UNKNOWN) expected = clipped(logit(expected) - logit(pi));
        assert_close(b->evidence[HOMER_X_MARKOV][l], expected, 2e-5);
    }
}

static void markov_counts_transitions(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    for (uint32_t round = 0; round < 4; round++) {
        const uint32_t most[] = {1, 8, 17, 60};
        struct homer_markov k;
        homer_markov_init(&k, &mem);
        bench_init(&b, 50 + round, most[round]);
        assert_int_equal(homer_markov_ops.reserve(&k, 0, 1), 0);
        for (uint32_t t = 0; t < 300; t++) {
            bench_predict(&b, 0);
            homer_markov_ops.predict(&k, &b.f);
            assert_markov(&b);
            uint32_t labels = b.f.labels;
            bench_truth(&b, round % 2);
            assert_int_equal(homer_markov_ops.reserve(&k, 0, b.f.labels + 1), 0);
            for (uint32_t l = labels; l < b.f.labels; l++) homer_markov_ops.add_label(&k, l);
            homer_markov_ops.learn(&k, &b.f);
        }
        assert_int_equal(b.f.labels, most[round]);
        homer_markov_ops.deinit(&k);
        assert_int_equal(mem.used_bytes, 0);
    }
}

/* recent */

static void recent_fades(void **state) {
    (void)state;
    static struct bench b;
    static const double decay[] = {0.9, 0.98};
    struct homer_mem mem = {0};
    struct homer_recent r;
    homer_recent_init(&r, &mem);
    bench_init(&b, 60, 40);
    assert_int_equal(homer_recent_ops.reserve(&r, 0, 1), 0);
    for (uint32_t t = 0; t < 400; t++) {
        bench_predict(&b, 0);
        homer_recent_ops.predict(&r, &b.f);
        for (uint32_t l = 0; l <= b.f.labels; l++)
            for (int e = 0; e < 2; e++) {
                double frequency = 0, weight = 1 - decay[e];
                for (uint32_t i = b.n; i-- > 0;) {
                    if (truth_of(&b, i, l) == UNKNOWN) continue;
                    frequency += weight * (truth_of(&b, i, l) == TRUE_LABEL);
                    weight *= decay[e];
                }
                double pi = (double)b.prior[l];
                assert_close(b.evidence[HOMER_X_RECENT_FAST + e][l],
                             clipped(logit(0.97 * frequency + 0.03 * pi) - logit(pi)), 5e-5);
            }
        uint32_t labels = b.f.labels;
        bench_truth(&b, true);
        assert_int_equal(homer_recent_ops.reserve(&r, 0, b.f.labels + 1), 0);
        for (uint32_t l = labels; l < b.f.labels; l++) homer_recent_ops.add_label(&r, l);
        homer_recent_ops.learn(&r, &b.f);
    }
    homer_recent_ops.deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

/* prior */

static void assert_prior(const struct bench *b, const struct homer_prior *p) {
    double positives = 0, observed = 0;
    for (uint32_t l = 0; l < b->f.labels; l++) {
        double count = 0;
        for (uint32_t t = 0; t < b->n; t++) {
            observed += truth_of(b, t, l) == UNKNOWN ? 0 : b->w[t];
            count += truth_of(b, t, l) == TRUE_LABEL ? b->w[t] : 0;
        }
        positives += count;
        assert_close(homer_prior_count(p, l), count, 1e-9);
    }
    double rho = observed > 0 ? positives / observed : 0.1;
    assert_close(homer_prior_density(p), rho, 1e-9);
    for (uint32_t l = 0; l <= b->f.labels; l++) {
        double count = 0, known = 0;
        for (uint32_t t = 0; t < b->n; t++) {
            known += truth_of(b, t, l) == UNKNOWN ? 0 : b->w[t];
            count += truth_of(b, t, l) == TRUE_LABEL ? b->w[t] : 0;
        }
        double pi = (count + rho + 0.001) / (known + 1.002);
        if (pi > 0.999) pi = 0.999;
        assert_close(b->prior[l], pi, 1e-6);
        assert_close(b->logit[l], logit((double)(float)pi), 1e-4);
    }
}

static void prior_counts(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    for (uint32_t round = 0; round < 3; round++) {
        const uint32_t most[] = {1, 9, 50};
        struct homer_prior p;
        homer_prior_init(&p, &mem);
        bench_init(&b, 70 + round, most[round]);
        assert_int_equal(homer_prior_reserve(&p, 1), 0);
        for (uint32_t t = 0; t < 300; t++) {
            bench_predict(&b, 0);
            homer_prior_predict(&p, &b.f);
            assert_prior(&b, &p);
            uint32_t labels = b.f.labels;
            bench_truth(&b, round > 0);
            assert_int_equal(homer_prior_reserve(&p, b.f.labels + 1), 0);
            for (uint32_t l = labels; l < b.f.labels; l++) homer_prior_add_label(&p);
            homer_prior_learn(&p, &b.f);
        }
        homer_prior_deinit(&p);
        assert_int_equal(mem.used_bytes, 0);
    }
}

static void an_everlasting_label_stays_below_one(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_prior p;
    bench_init(&b, 80, 1);
    homer_prior_init(&p, &mem);
    assert_int_equal(homer_prior_reserve(&p, 2), 0);
    homer_prior_add_label(&p);
    b.f.labels = b.f.positive_n = 1;
    b.f.stride = stride_of(1);
    b.f.complete = 1;
    b.f.w = 1;
    for (int t = 0; t < 5000; t++) homer_prior_learn(&p, &b.f);
    homer_prior_predict(&p, &b.f);
    assert_same(b.prior[0], 0.999f);
    homer_prior_deinit(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markov_counts_transitions),
        cmocka_unit_test(recent_fades),
        cmocka_unit_test(prior_counts),
        cmocka_unit_test(an_everlasting_label_stays_below_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
