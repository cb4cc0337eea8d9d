/* Each decision rule against its wording. */
#include <errno.h>
#include "rules_fixture.h"

static const float *sorted_by;

static int by_score(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (sorted_by[x] != sorted_by[y]) return sorted_by[x] < sorted_by[y] ? 1 : -1;
    return (x > y) - (x < y);
}

/* All labels, best first. */
static void ranking(const float *p, uint32_t labels, uint32_t *out) {
    for (uint32_t l = 0; l < labels; l++) out[l] = l;
    sorted_by = p;
    qsort(out, labels, sizeof *out, by_score);
}

static const uint32_t *choose(struct homer_rules *r, const struct judged *j, enum homer_objective objective,
                              uint32_t k, double threshold, uint32_t *n) {
    const struct homer_decide d = {.objective = objective, .threshold = threshold, .k = k};
    homer_rules_rank(r, j->p, j->scored);
    return homer_rules_choose(r, j->p, j->scored, &d, n);
}

static void assert_ids(const uint32_t *got, uint32_t n, const uint32_t *expected, uint32_t m) {
    assert_int_equal(n, m);
    for (uint32_t i = 0; i < n; i++) assert_int_equal(got[i], expected[i]);
}

/* Everything that was learned, pair by pair. */
enum { PAIRS = 200000 };
static struct pair {
    uint32_t label;
    float p;
    double weight;
    bool y;
    uint32_t seen; /* positives of the label before */
} pair[PAIRS];
static uint32_t pairs, seen[RULE_LABELS];

static void record(const struct judged *j) {
    for (uint32_t l = 0; l < j->labels; l++) {
        bool y = bsearch(&l, j->positive, j->x.positive_n, sizeof l, fixture_by_id);
        if (j->x.partial && !y && !bsearch(&l, j->negative, j->x.negative_n, sizeof l, fixture_by_id))
            continue;
        assert_true(pairs < PAIRS);
        pair[pairs++] = (struct pair){l, l < j->scored ? j->p[l] : 0, j->x.weight, y, seen[l]};
        seen[l] += y;
    }
}

/* Of one label, or of all with label = UINT32_MAX, while it had least to most positives. */
static struct homer_histogram histogram_while(uint32_t label, uint32_t least, uint32_t most) {
    struct homer_histogram h = {0};
    for (uint32_t i = 0; i < pairs; i++) {
        if (label != UINT32_MAX && pair[i].label != label) continue;
        if (pair[i].seen < least || pair[i].seen > most) continue;
        uint32_t bin = homer_histogram_bin(pair[i].p);
        if (pair[i].y)
            h.positive[bin] += pair[i].weight;
        else if (bin)
            h.negative[bin] += pair[i].weight;
    }
    return h;
}

static struct homer_histogram histogram_of(uint32_t label) {
    return histogram_while(label, 0, UINT32_MAX);
}

static void assert_same_histogram(const struct homer_histogram *got, const struct homer_histogram *expected) {
    for (int b = 0; b < HOMER_BINS; b++) {
        assert_close(got->positive[b], expected->positive[b], 1e-12);
        assert_close(got->negative[b], expected->negative[b], 1e-12);
    }
}

static void thresholds_follow_the_past(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_rules r;
    struct dice d = {220};
    uint32_t known = 0, differed = 0, helped = 0;
    static const uint32_t ages[HOMER_YOUNG_POOLS + 1] = {0, 1, 5, 20};
    homer_rules_init(&r, &mem, fixture_key, false);
    pairs = 0;
    memset(seen, 0, sizeof seen);
    for (uint32_t t = 0; t < 500; t++) {
        struct judged j;
        judge(&j, &d, known, 60, 0.2);
        if (known && (t < 60 || t % 20 == 0)) {
            uint32_t order[RULE_LABELS], expected[RULE_LABELS], m = 0, n;
            struct homer_histogram all = histogram_of(UINT32_MAX);
            assert_same_histogram(&r.all, &all);
            ranking(j.p, known, order);
            float cut = homer_histogram_cut(&all, NULL, 0, 0.3f);
            for (uint32_t i = 0; i < known; i++)
                if (j.p[order[i]] >= cut) expected[m++] = order[i];
            const uint32_t *got = choose(&r, &j, HOMER_MICRO_F1, 0, (double)NAN, &n);
            assert_ids(got, n, expected, m);

            uint32_t micro = m;
            struct homer_histogram pool[HOMER_YOUNG_POOLS];
            for (int a = 0; a < HOMER_YOUNG_POOLS; a++) {
                pool[a] = histogram_while(UINT32_MAX, ages[a] + 1, ages[a + 1]);
                assert_same_histogram(&r.young[a], &pool[a]);
            }
            m = 0;
            for (uint32_t i = 0; i < known; i++) {
                struct homer_histogram own = histogram_of(order[i]);
                assert_same_histogram(&r.label[order[i]], &own);
                const struct homer_histogram *help = &all;
                for (int a = 0; a < HOMER_YOUNG_POOLS; a++)
                    if (seen[order[i]] > ages[a] && seen[order[i]] <= ages[a + 1] &&
                        homer_histogram_positives(&pool[a]) >= 10)
                        help = &pool[a];
                double positives = homer_histogram_positives(help);
                float with = homer_histogram_cut(&own, help, positives > 0 ? 5 / positives : 0, 0.3f);
                if (j.p[order[i]] >= with) expected[m++] = order[i];
                positives = homer_histogram_positives(&all);
                float without = homer_histogram_cut(&own, &all, positives > 0 ? 5 / positives : 0, 0.3f);
                helped += (j.p[order[i]] >= with) != (j.p[order[i]] >= without);
            }
            got = choose(&r, &j, HOMER_MACRO_F1, 0, (double)NAN, &n);
            assert_ids(got, n, expected, m);
            differed += m != micro;
        }
        rules_learn(&r, &j);
        record(&j);
        known = j.labels;
    }
    assert_true(differed > 10);
    assert_true(helped > 10);
    homer_rules_deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

static void plain_rules_do_as_they_say(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_rules r;
    struct dice d = {221};
    uint32_t known = 0;
    homer_rules_init(&r, &mem, fixture_key, false);
    for (uint32_t t = 0; t < 800; t++) {
        struct judged j;
        judge(&j, &d, known, RULE_LABELS, 0.1);
        rules_learn(&r, &j);
        known = j.labels;
        judge(&j, &d, known, known, 0);
        uint32_t order[RULE_LABELS], expected[RULE_LABELS], m, n;
        ranking(j.p, known, order);

        for (m = 0; m < known && j.p[order[m]] > 0.5f;) m++;
        const uint32_t *got = choose(&r, &j, HOMER_HAMMING, 0, (double)NAN, &n);
        assert_ids(got, n, order, m);

        uint32_t k = 1 + dice_below(&d, known + 5);
        got = choose(&r, &j, HOMER_SUBSET, k, 0.1, &n); /* k goes before both */
        assert_ids(got, n, order, k < known ? k : known);

        double threshold = dice_chance(&d, 0.1) ? 0 : dice_chance(&d, 0.1) ? 0.5 : dice_unit(&d) * 0.2;
        for (uint32_t i = m = 0; i < known; i++)
            if (j.p[order[i]] > 0 && (double)j.p[order[i]] >= threshold) expected[m++] = order[i];
        got = choose(&r, &j, HOMER_MICRO_F1, 0, threshold, &n);
        assert_ids(got, n, expected, m);
    }
    homer_rules_deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

/* All subsets of the ranked labels, by the expected-F1 surrogate; and the empty set. */
static void example_f1_is_the_best_of_all_subsets(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_rules r;
    struct dice d = {222};
    unsigned empty = 0, full = 0;
    for (uint32_t round = 0; round < 40; round++) {
        uint32_t known = 0;
        homer_rules_init(&r, &mem, fixture_key, false);
        for (uint32_t t = 0; t < 120; t++) {
            struct judged j;
            judge(&j, &d, known, 1 + round % 10, 0.1);
            if (round % 3 == 0) j.x.positive_n = j.x.positive_n > 1 ? 1 : j.x.positive_n;
            rules_learn(&r, &j);
            known = j.labels;
            if (!known) continue;
            for (uint32_t l = 0; l < known; l++) /* all kinds of levels */
                j.p[l] = (float)(dice_chance(&d, 0.1) ? 0
                                                      : dice_unit(&d) * (t % 4 == 0   ? 1
                                                                         : t % 4 == 1 ? 0.2
                                                                                      : 0.03));
            j.scored = known;
            uint32_t n, usable[16], m = 0, above = 0;
            double mass = 0, best = 0, none = 1;
            for (uint32_t l = 0; l < known; l++) {
                mass += (double)j.p[l];
                none *= 1 - (double)j.p[l];
                above += j.p[l] > 0.02f;
            }
            for (uint32_t l = 0; l < known; l++)
                if (j.p[l] > 0 && (above < 5 || j.p[l] > 0.02f)) usable[m++] = l;
            for (uint32_t set = 1; set < 1u << m; set++) {
                double sum = 0, size = 0;
                for (uint32_t i = 0; i < m; i++)
                    if (set >> i & 1) sum += (double)j.p[usable[i]], size++;
                if (2 * sum / (size + mass) > best) best = 2 * sum / (size + mass);
            }
            double p_empty = homer_emptiness_probability(&r.emptiness),
                   value = none * (20 * p_empty < 1 ? 20 * p_empty : 1);
            const uint32_t *got = choose(&r, &j, HOMER_EXAMPLE_F1, 0, (double)NAN, &n);
            if (n == 0) {
                assert_true(m == 0 || value > best - 1e-5);
                empty += m > 0;
                continue;
            }
            double sum = 0;
            for (uint32_t i = 0; i < n; i++) sum += (double)j.p[got[i]];
            assert_close(2 * sum / (n + mass), best, 1e-5);
            assert_true(value < best + 1e-5);
            full++;
        }
        homer_rules_deinit(&r);
    }
    assert_true(empty > 50);
    assert_true(full > 500);
    assert_int_equal(mem.used_bytes, 0);
}

static void choosing_teaches_nothing(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_rules r, undisturbed;
    struct dice d = {223};
    char a[33], b[33];
    uint32_t known = 0, n;
    homer_rules_init(&r, &mem, fixture_key, false);
    homer_rules_init(&undisturbed, &mem, (const uint8_t *)"another hash key", false);
    for (uint32_t t = 0; t < 400; t++) {
        struct judged j;
        judge(&j, &d, known, 30, 0.2);
        assert_int_equal(homer_rules_reserve(&r, &j.x, j.labels), 0);
        for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++)
            choose(&r, &j, (enum homer_objective)o, 0, (double)NAN, &n);
        homer_rules_learn(&r, j.p, &j.x, j.labels);
        rules_learn(&undisturbed, &j);
        known = j.labels;
        rules_hash(&r, known, a);
        rules_hash(&undisturbed, known, b);
        assert_string_equal(a, b);
    }
    homer_rules_deinit(&r);
    homer_rules_deinit(&undisturbed);
    assert_int_equal(mem.used_bytes, 0);
}

static void a_label_or_none(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_rules r;
    uint32_t zero = 0, n;
    homer_rules_init(&r, &mem, fixture_key, false);
    struct judged j = {.x = {.positive = &zero, .weight = 1}};
    for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++) { /* before there is any room */
        homer_rules_rank(&r, NULL, 0);
        const struct homer_decide decide = {
            .objective = (enum homer_objective)o, .threshold = (double)NAN, .k = (uint32_t)o % 2};
        homer_rules_choose(&r, NULL, 0, &decide, &n);
        assert_int_equal(n, 0);
    }
    for (uint32_t t = 0; t < 60; t++) {
        j.x.positive_n = t > 20 && t % 3 == 0;
        j.labels = t > 20;
        j.p[0] = t > 40 ? (t % 2 ? 1.0f : 0.0f) : 0.4f;
        rules_learn(&r, &j);
        j.scored = j.labels;
        for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++) {
            const uint32_t *got = choose(&r, &j, (enum homer_objective)o, 0, (double)NAN, &n);
            assert_true(n <= j.scored);
            if (n) assert_int_equal(got[0], 0);
            if (n) assert_true(j.p[0] > 0 || o == HOMER_SUBSET);
        }
    }
    homer_rules_deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

static void refused_room_shows_nowhere(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_rules r;
    struct dice d = {224};
    char before[33], after[33];
    uint32_t known = 0, refused = 0;
    homer_rules_init(&r, &mem, fixture_key, false);
    for (uint32_t t = 0; t < 300; t++) {
        struct judged j;
        judge(&j, &d, known, RULE_LABELS, 0.2);
        rules_hash(&r, known, before);
        for (uint64_t k = 1;; k++) {
            mem.fail_in = k;
            int rc = homer_rules_reserve(&r, &j.x, j.labels);
            bool injected = mem.fail_in == 0;
            mem.fail_in = 0;
            rules_hash(&r, known, after);
            assert_string_equal(before, after);
            assert_int_equal(rc, injected ? -ENOMEM : 0);
            if (!injected) break;
            refused++;
        }
        mem.fail_in = 1; /* all the room was made */
        homer_rules_rank(&r, j.p, j.scored);
        homer_rules_learn(&r, j.p, &j.x, j.labels);
        assert_int_equal(mem.fail_in, 1);
        mem.fail_in = 0;
        known = j.labels;
    }
    assert_true(refused > 30);
    homer_rules_deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

/* Told which labels have a score, they choose and learn as if they had looked at all. */
static void rules_that_look_at_some(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_rules all, some;
    struct dice d = {47};
    struct judged j = {0};
    uint32_t id[RULE_LABELS], known = 60;
    homer_rules_init(&all, &mem, fixture_key, false);
    homer_rules_init(&some, &mem, fixture_key, false);
    for (int t = 0; t < 600; t++, known = j.labels) {
        uint32_t n = 0, best[2];
        char a[33], b[33];
        judge(&j, &d, known, RULE_LABELS, 0.2);
        for (uint32_t l = 0; l < j.scored; l++)
            if (j.p[l] > 0 || l % 5 == 0) id[n++] = l;
        assert_int_equal(homer_rules_reserve(&all, &j.x, j.labels), 0);
        assert_int_equal(homer_rules_reserve(&some, &j.x, j.labels), 0);
        homer_rules_rank(&all, j.p, j.scored);
        homer_rules_rank_some(&some, j.p, id, n);
        for (int o = 0; o < HOMER_OBJECTIVE_COUNT + 2; o++) {
            struct homer_decide decide = {.objective = o < HOMER_OBJECTIVE_COUNT ? (enum homer_objective)o
                                                                                 : HOMER_HAMMING,
                                          .threshold = o == HOMER_OBJECTIVE_COUNT ? 0 : (double)NAN,
                                          .k = o > HOMER_OBJECTIVE_COUNT ? 17 : 0};
            const uint32_t *x = homer_rules_choose(&all, j.p, j.scored, &decide, &best[0]);
            const uint32_t *y = homer_rules_choose(&some, j.p, j.scored, &decide, &best[1]);
            assert_int_equal(best[0], best[1]);
            assert_memory_equal(x, y, best[0] * sizeof *x);
        }
        homer_rules_learn(&all, j.p, &j.x, j.labels);
        homer_rules_learn(&some, j.p, &j.x, j.labels);
        rules_hash(&all, j.labels, a);
        rules_hash(&some, j.labels, b);
        assert_string_equal(a, b);
    }
    homer_rules_deinit(&all);
    homer_rules_deinit(&some);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_that_look_at_some),    cmocka_unit_test(thresholds_follow_the_past),
        cmocka_unit_test(plain_rules_do_as_they_say), cmocka_unit_test(example_f1_is_the_best_of_all_subsets),
        cmocka_unit_test(choosing_teaches_nothing),   cmocka_unit_test(a_label_or_none),
        cmocka_unit_test(refused_room_shows_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
