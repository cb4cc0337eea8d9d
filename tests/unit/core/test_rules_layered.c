/* The rules as the second layer uses them: the posterior over candidates that labelsets of neighbours and of
 * trees join, the F1 expected under it, soft histograms and the cuts from them. */
#include "rules_fixture.h"
#include "core/base/num.h"

enum { MOST = 40, KEPT = 400, SHORT = 24 };

/* Complete labelsets of the stream: the last ones play the neighbours. */
static struct { uint32_t y[RULE_LABELS], n; } past[KEPT];
static uint32_t times;
static double told; /* shares of the labels that labellings told, summed; complete ones: `times` */

static struct homer_near_sets neighbours(struct dice *d, const struct homer_labelsets *sets) {
    struct homer_near_sets near = {.sets = 0};
    uint32_t n = dice_below(d, HOMER_NEAR_SETS + 1);
    for (; near.sets < n && near.sets < times; near.sets++) {
        uint32_t t = times - 1 - dice_below(d, times);
        near.y[near.sets] = past[t].y;
        near.n[near.sets] = past[t].n;
        near.share[near.sets] = (float)(dice_unit(d) / HOMER_NEAR_SETS);
    }
    n = dice_below(d, HOMER_TREE_SETS + 1);
    uint32_t set = dice_below(d, 3); /* each once */
    for (; near.tree_sets < n && set < sets->map.n; set += 1 + dice_below(d, 9)) {
        near.tree_set[near.tree_sets] = set;
        near.tree_share[near.tree_sets++] = (float)(dice_unit(d) / HOMER_TREE_SETS);
    }
    return near;
}

static bool same_set(const struct homer_candidate *c, const uint32_t *y, uint32_t n) {
    return c->n == n && (n == 0 || memcmp(c->y, y, n * sizeof *y) == 0);
}

/* Every set of a neighbour or of the trees is a candidate once; feature 8 is what such neighbours count,
 * feature 9 what the trees say; p is a softmax. */
static void assert_posterior(const struct homer_rules *r, const struct homer_near_sets *near) {
    const struct homer_subset *s = &r->subset;
    double total = 0, sum = 0, top = -HUGE_VAL;
    for (uint32_t i = 0; i < s->candidates; i++)
        if ((double)s->candidate[i].score > top) top = (double)s->candidate[i].score;
    for (uint32_t i = 0; i < s->candidates; i++) total += exp((double)s->candidate[i].score - top);
    for (uint32_t k = 0; k < near->sets; k++) {
        unsigned found = 0;
        for (uint32_t i = 0; i < s->candidates; i++)
            found += same_set(&s->candidate[i], near->y[k], near->n[k]);
        assert_int_equal(found, 1);
    }
    for (uint32_t k = 0; k < near->tree_sets; k++) {
        unsigned found = 0;
        uint32_t size;
        const uint32_t *y = homer_labelsets_get(&r->sets, near->tree_set[k], &size);
        for (uint32_t i = 0; i < s->candidates; i++) found += same_set(&s->candidate[i], y, size);
        assert_int_equal(found, 1);
    }
    assert_true(s->candidates <= HOMER_SUBSET_CANDIDATES);
    for (uint32_t i = 0; i < s->candidates; i++) {
        const struct homer_candidate *c = &s->candidate[i];
        double share = 0, trees = 0;
        for (uint32_t k = 0; k < near->sets; k++)
            share += same_set(c, near->y[k], near->n[k]) ? (double)near->share[k] : 0;
        for (uint32_t k = 0; k < near->tree_sets; k++) {
            uint32_t size;
            const uint32_t *y = homer_labelsets_get(&r->sets, near->tree_set[k], &size);
            trees += same_set(c, y, size) ? (double)near->tree_share[k] : 0;
        }
        assert_close(c->f[8], share, 1e-6);
        assert_close(c->f[9], log((trees + 0.02) / 1.02), 1e-5);
        assert_close(c->p, exp((double)c->score - top) / total, 1e-5);
        sum += (double)c->p;
    }
    assert_close(sum, 1, 1e-5);
}

/* 2 sum p / (k + mass) and the expected F1 of the k best, the latter times the share of complete labellings,
 * both summed; k = 0: the empty set. */
static double value_of(const struct homer_rules *r, const float *p, uint32_t labels, uint32_t k) {
    double mass = 0, taken = 0, none = 1, expected = 0;
    bool in[RULE_LABELS] = {false};
    for (uint32_t l = 0; l < labels; l++) {
        mass += (double)p[l];
        none *= 1 - (double)(p[l] < 0.999999f ? p[l] : 0.999999f);
    }
    for (uint32_t i = 0; i < k; i++) {
        taken += (double)p[r->rank[i]];
        in[r->rank[i]] = true;
    }
    for (uint32_t i = 0; i < r->subset.candidates; i++) {
        const struct homer_candidate *c = &r->subset.candidate[i];
        double hits = 0;
        for (uint32_t j = 0; j < c->n; j++) hits += in[c->y[j]];
        expected += (double)c->p * (k + c->n ? 2 * hits / (k + c->n) : 1);
    }
    double empty = 20 * homer_emptiness_probability(&r->emptiness);
    expected *= told > 0 ? times / told : 0;
    return expected + (k ? 2 * taken / (k + mass) : none * (empty < 1 ? empty : 1));
}

/* What the histograms must hold. */
static struct homer_histogram own[MOST], all, young[HOMER_YOUNG_POOLS];
static uint32_t seen[MOST];
static const uint32_t ages[HOMER_YOUNG_POOLS + 1] = {0, 1, 5, 20};

static void count(struct homer_histogram *h, uint32_t bin, double positive, double weight) {
    h->positive[bin] += weight * positive;
    if (bin) h->negative[bin] += weight * (1 - positive);
}

static void count_truth(uint32_t l, float p, bool y, double weight) {
    uint32_t bin = homer_histogram_bin(p);
    double soft = 0.1 * y + 0.9 * (double)p;
    count(&own[l], bin, soft, weight);
    if (bin || y) count(&all, bin, soft, weight);
    for (int a = 0; a < HOMER_YOUNG_POOLS; a++)
        if (seen[l] > ages[a] && seen[l] <= ages[a + 1]) count(&young[a], bin, y, weight);
    seen[l] += y;
}

static void assert_histogram(const struct homer_histogram *got, const struct homer_histogram *expected) {
    for (int bin = 0; bin < HOMER_BINS; bin++) {
        assert_close(got->positive[bin], expected->positive[bin], 1e-7);
        if (bin) assert_close(got->negative[bin], expected->negative[bin], 1e-7);
    }
}

/* The labels of the ranking that pass the cuts; returns how many labels a pool of young ones helps. */
static uint32_t assert_cuts(struct homer_rules *r, const float *p, uint32_t known) {
    const struct homer_decide micro = {.objective = HOMER_MICRO_F1, .threshold = (double)NAN};
    const struct homer_decide macro = {.objective = HOMER_MACRO_F1, .threshold = (double)NAN};
    uint32_t n, at = 0, helped = 0;
    homer_rules_choose(r, p, known, &micro, &n);
    float cut = homer_histogram_cut(&r->all, NULL, 0, 0.3f);
    for (uint32_t i = 0; i < r->ranks; i++) assert_int_equal(i < n, p[r->rank[i]] >= cut);
    homer_rules_choose(r, p, known, &macro, &n);
    for (uint32_t i = 0; i < r->ranks; i++) {
        uint32_t l = r->rank[i];
        const struct homer_histogram *help = &r->all;
        for (int a = 0; a < HOMER_YOUNG_POOLS; a++)
            if (seen[l] > ages[a] && seen[l] <= ages[a + 1] && homer_histogram_positives(&r->young[a]) >= 10)
                help = &r->young[a];
        double positives = homer_histogram_positives(help);
        cut = homer_histogram_cut(&r->label[l], help, positives > 0 ? 1 / positives : 0, 0.3f);
        if (p[l] >= cut) assert_int_equal(r->out[at++], l);
        helped += help != &r->all;
    }
    assert_int_equal(at, n);
    return helped;
}

static void layered_rules(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_rules r;
    struct dice d = {250};
    uint32_t known = 0, n;
    unsigned empty = 0, full = 0, differ = 0, near_in = 0, trees_in = 0, helped = 0;
    times = 0;
    told = 0;
    homer_rules_init(&r, &mem, fixture_key, true);
    const float start[] = {0.6f, 0.3f, 0.2f, 0.2f, 0.8f, 0.3f, 0.3f, 0, 1, 0.4f};
    assert_memory_equal(r.subset.w, start, sizeof start);
    for (uint32_t t = 0; t < KEPT; t++) {
        struct judged j, second;
        judge(&j, &d, known, MOST, 0.15);
        second = j; /* the scores that the other rules get */
        for (uint32_t l = 0; l < known; l++)
            second.p[l] = (float)(dice_unit(&d) * (t % 3 ? (double)j.p[l] : 0.02));
        struct homer_near_sets near = neighbours(&d, &r.sets);
        assert_int_equal(homer_rules_reserve(&r, &j.x, j.labels), 0);
        r.subset.candidates = 0;
        homer_rules_rank(&r, j.p, known);
        if (known) {
            homer_rules_propose(&r, j.p, known, &near);
            assert_posterior(&r, &near);
            near_in += near.sets;
            trees_in += near.tree_sets;
            homer_rules_rank(&r, second.p, known);
            helped += assert_cuts(&r, second.p, known);
            const struct homer_decide f1 = {.threshold = (double)NAN}; /* example_f1 */
            homer_rules_choose(&r, second.p, known, &f1, &n);
            double best = value_of(&r, second.p, known, 0), got = value_of(&r, second.p, known, n);
            uint32_t most = r.ranks < SHORT ? r.ranks : SHORT;
            for (uint32_t k = 1; k <= most && second.p[r.rank[k - 1]] > 0; k++)
                if (value_of(&r, second.p, known, k) > best) best = value_of(&r, second.p, known, k);
            assert_close(got, best, 1e-4);
            for (uint32_t i = 0; i < n; i++) assert_int_equal(r.out[i], r.rank[i]);
            for (uint32_t l = 0; l < r.cap; l++) assert_int_equal(r.place[l], 0);
            *(n ? &full : &empty) += 1;
            uint32_t layered = n; /* without candidates only the scores count */
            uint32_t candidates = r.subset.candidates;
            r.subset.candidates = 0;
            homer_rules_choose(&r, second.p, known, &f1, &n);
            r.subset.candidates = candidates;
            differ += n != layered;
        }
        for (uint32_t l = known; l < j.labels; l++) second.p[l] = 0;
        homer_rules_learn(&r, second.p, &j.x, j.labels);
        for (uint32_t l = 0; l < j.labels; l++) {
            bool y = bsearch(&l, j.positive, j.x.positive_n, sizeof l, fixture_by_id);
            bool no = bsearch(&l, j.negative, j.x.negative_n, sizeof l, fixture_by_id);
            if (!j.x.partial || y || no) count_truth(l, second.p[l], y, j.x.weight);
        }
        for (uint32_t l = 0; l < j.labels; l++) assert_histogram(&r.label[l], &own[l]);
        for (int a = 0; a < HOMER_YOUNG_POOLS; a++) assert_histogram(&r.young[a], &young[a]);
        assert_histogram(&r.all, &all);
        known = j.labels;
        told += j.x.partial ? (double)(j.x.positive_n + j.x.negative_n) / j.labels : 1;
        if (j.x.partial) continue;
        memcpy(past[times].y, j.positive, sizeof j.positive);
        past[times++].n = j.x.positive_n;
    }
    if (!(empty > 10 && full > 100 && differ > 10 && near_in > 500 && trees_in > 500 && helped > 500))
        fail_msg("%u empty, %u full, %u differ, %u and %u sets, %u helped", empty, full, differ, near_in,
                 trees_in, helped);
    homer_rules_deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

/* Who tells no complete labelling is not answered by a posterior that has learned nothing. */
static void partial_labellings_only(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_rules layered, plain;
    struct dice d = {251};
    uint32_t known = 0, n, m;
    unsigned sizes = 0;
    const struct homer_decide f1 = {.threshold = (double)NAN};
    homer_rules_init(&layered, &mem, fixture_key, true);
    homer_rules_init(&plain, &mem, fixture_key, false);
    for (uint32_t t = 0; t < 200; t++) {
        struct judged j;
        judge(&j, &d, known, MOST, 1);
        if (!j.labels) continue; /* where there is no label, nothing is left untold */
        assert_int_equal(homer_rules_reserve(&layered, &j.x, j.labels), 0);
        if (known) {
            homer_rules_rank(&layered, j.p, known);
            homer_rules_propose(&layered, j.p, known, NULL);
            const uint32_t *a = homer_rules_choose(&layered, j.p, known, &f1, &n);
            homer_rules_rank(&plain, j.p, known);
            const uint32_t *b = homer_rules_choose(&plain, j.p, known, &f1, &m);
            assert_int_equal(n, m);
            if (n) assert_memory_equal(a, b, n * sizeof *a);
            sizes += n;
        }
        rules_learn(&layered, &j);
        rules_learn(&plain, &j);
        known = j.labels;
    }
    assert_true(sizes > 200);
    homer_rules_deinit(&layered);
    homer_rules_deinit(&plain);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layered_rules),
        cmocka_unit_test(partial_labellings_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
