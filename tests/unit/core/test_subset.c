/* The labelset posterior: candidates against a list put together from their description, learning against
 * finite differences of the log-likelihood. */
#include "rules_fixture.h"

enum { F = HOMER_SUBSET_FEATURES, TIMES = 3000 };

/* Complete labelsets of the stream, in order. */
static struct { uint32_t y[RULE_LABELS], n; } past[TIMES];
static uint32_t times;

static bool same_set(const uint32_t *a, uint32_t n, const uint32_t *b, uint32_t m) {
    return n == m && (n == 0 || memcmp(a, b, n * sizeof *a) == 0);
}

static double logit(double p) {
    p = p < (double)1e-6f ? (double)1e-6f : p > (double)0.999999f ? (double)0.999999f : p;
    return log(p / (1 - p));
}

struct wanted {
    uint32_t y[RULE_LABELS], n;
};

static void want(struct wanted *list, uint32_t *n, const uint32_t *y, uint32_t k) {
    struct wanted w = {.n = k};
    if (k) memcpy(w.y, y, k * sizeof *y);
    qsort(w.y, k, sizeof *w.y, fixture_by_id);
    for (uint32_t i = 0; i < *n; i++)
        if (same_set(list[i].y, list[i].n, w.y, w.n)) return;
    list[(*n)++] = w;
}

static void want_listed(struct wanted *list, uint32_t *n, const struct homer_labelsets *sets,
                        const uint32_t *ids, int most) {
    for (int i = 0; i < most; i++) {
        uint32_t k;
        if (!ids[i]) continue;
        const uint32_t *y = homer_labelsets_get(sets, ids[i] - 1, &k);
        want(list, n, y, k);
    }
}

static void features_of(const struct wanted *w, const struct judged *j, uint32_t half, const uint32_t *rank,
                        double f[F]) {
    double count = 0, faded = 0, size = 0, weight = 1;
    memset(f, 0, F * sizeof *f);
    for (uint32_t i = 0; i < w->n; i++) f[0] += logit((double)j->p[w->y[i]]);
    for (uint32_t t = times; t-- > 0; weight *= 0.99) {
        bool same = same_set(past[t].y, past[t].n, w->y, w->n);
        count += same;
        faded += same ? weight : 0;
        size += past[t].n == w->n || (past[t].n >= 63 && w->n >= 63);
    }
    struct wanted best = {.n = half};
    if (half) memcpy(best.y, rank, half * sizeof *rank);
    qsort(best.y, half, sizeof *best.y, fixture_by_id);
    f[1] = 0.5 * log((count + 0.1) / (times + 1.0));
    f[2] = 0.5 * log((faded + 0.05) / 100);
    f[3] = times > 0 && same_set(past[times - 1].y, past[times - 1].n, w->y, w->n);
    f[4] = count > 0;
    f[5] = log((size + 0.2) / (times + 12.8));
    f[6] = same_set(best.y, best.n, w->y, w->n);
    f[7] = w->n == 0;
}

static void assert_candidates(struct homer_rules *r, const struct judged *j, uint32_t f1) {
    static struct wanted list[HOMER_SUBSET_CANDIDATES + 1];
    struct homer_subset *s = &r->subset;
    uint32_t n = 0, half = 0;
    while (half < r->ranks && j->p[r->rank[half]] > 0.5f) half++;
    homer_subset_propose(s, &r->sets, r->rank, r->ranks, half, f1, j->p, NULL);

    want(list, &n, r->rank, half);
    want(list, &n, NULL, 0);
    want(list, &n, r->rank, f1);
    for (uint32_t k = 1; k <= 6 && k <= r->ranks; k++) want(list, &n, r->rank, k);
    if (times) want(list, &n, past[times - 1].y, past[times - 1].n);
    for (uint32_t i = 0; i < 3 && i < r->ranks; i++) {
        want_listed(list, &n, &r->sets, r->sets.lists[r->rank[i]].frequent, HOMER_FREQUENT);
        want_listed(list, &n, &r->sets, r->sets.lists[r->rank[i]].recent, HOMER_RECENT);
    }
    assert_int_equal(s->candidates, n);
    assert_true(n <= HOMER_SUBSET_CANDIDATES);
    float top = -INFINITY;
    for (uint32_t i = 0; i < n; i++) {
        const struct homer_candidate *c = &s->candidate[i];
        double f[F], score = 0;
        if (!same_set(c->y, c->n, list[i].y, list[i].n)) fail_msg("candidate %u is another", i);
        features_of(&list[i], j, half, r->rank, f);
        for (int k = 0; k < F; k++) {
            assert_close(c->f[k], f[k], 2e-5);
            score += (double)s->w[k] * f[k];
        }
        assert_close(c->score, score, 1e-4);
        if (c->score > top) top = c->score;
    }
    const struct homer_candidate *best = homer_subset_best(s);
    assert_same(best->score, top);
    for (const struct homer_candidate *c = s->candidate; c < best; c++) assert_true(c->score < top);
}

static double likelihood(const struct homer_subset *s, const double w[F],
                         const struct homer_candidate *truth) {
    double total = 0, own = 0;
    for (uint32_t i = 0; i < s->candidates; i++) {
        double score = 0;
        for (int k = 0; k < F; k++) score += w[k] * (double)s->candidate[i].f[k];
        total += exp(score);
        if (&s->candidate[i] == truth) own = score;
    }
    return own - log(total);
}

/* Learns once and compares with AdaGrad on the numeric gradient. Returns whether the truth was a candidate.
 */
static bool assert_learns(struct homer_subset *s, const uint32_t *y, uint32_t n) {
    const struct homer_candidate *truth = NULL;
    struct homer_subset before = *s;
    double w[F];
    for (uint32_t i = 0; i < s->candidates; i++)
        if (same_set(s->candidate[i].y, s->candidate[i].n, y, n)) truth = &s->candidate[i];
    homer_subset_learn(s, y, n);
    if (!truth) {
        assert_memory_equal(s->w, before.w, sizeof before.w);
        assert_memory_equal(s->g, before.g, sizeof before.g);
        return false;
    }
    for (int k = 0; k < F; k++) w[k] = (double)before.w[k];
    for (int k = 0; k < F; k++) {
        const double step = 1e-5;
        w[k] += step;
        double up = likelihood(s, w, truth);
        w[k] -= 2 * step;
        double down = likelihood(s, w, truth), g = (up - down) / (2 * step);
        w[k] = (double)before.w[k];
        g = g > 8 ? 8 : g < -8 ? -8 : g;
        double squares = (double)before.g[k] + g * g, moved = w[k] + 0.15 * g / sqrt(squares);
        if (k == 0 && moved < 0.1) moved = 0.1;
        assert_close(s->g[k], squares, 1e-4);
        assert_close(s->w[k], moved, 1e-4);
    }
    return true;
}

static void one_stream(uint64_t seed, uint32_t most, uint32_t instances, unsigned *learned,
                       unsigned *skipped) {
    struct homer_mem mem = {0};
    struct homer_rules r;
    struct dice d = {seed};
    uint32_t known = 0;
    times = 0;
    homer_rules_init(&r, &mem, fixture_key, false);
    const float start[F] = {0.8f, 0.3f, 0.2f, 0.2f, 0.5f, 0.3f, 0.3f, 0.0f};
    assert_memory_equal(r.subset.w, start, sizeof start);
    for (uint32_t t = 0; t < instances; t++) {
        struct judged j;
        uint32_t f1;
        judge(&j, &d, known, most, 0.15);
        assert_int_equal(homer_rules_reserve(&r, &j.x, j.labels), 0);
        homer_rules_rank(&r, j.p, j.scored);
        if (j.scored && (t < 100 || t % 9 == 0)) {
            const struct homer_decide decide = {.objective = HOMER_EXAMPLE_F1, .threshold = (double)NAN};
            homer_rules_choose(&r, j.p, j.scored, &decide, &f1);
            assert_candidates(&r, &j, f1);
            /* the rule returns the best candidate, best label first */
            uint32_t n;
            const struct homer_decide subset = {.objective = HOMER_SUBSET, .threshold = (double)NAN};
            const uint32_t *got = homer_rules_choose(&r, j.p, j.scored, &subset, &n);
            const struct homer_candidate *best = homer_subset_best(&r.subset);
            assert_int_equal(n, best->n);
            for (uint32_t i = 1; i < n; i++)
                assert_true(j.p[got[i - 1]] > j.p[got[i]] ||
                            (j.p[got[i - 1]] == j.p[got[i]] && got[i - 1] < got[i]));
            for (uint32_t i = 0; i < n; i++)
                assert_non_null(bsearch(&got[i], best->y, n, sizeof *got, fixture_by_id));
            if (!j.x.partial) {
                struct homer_subset kept = r.subset;
                *(assert_learns(&r.subset, j.positive, j.x.positive_n) ? learned : skipped) += 1;
                struct homer_subset after = r.subset;
                r.subset = kept; /* the rules learn it once more, on their own */
                homer_rules_learn(&r, j.p, &j.x, j.labels);
                assert_memory_equal(r.subset.w, after.w, sizeof after.w);
            } else {
                homer_rules_learn(&r, j.p, &j.x, j.labels);
            }
        } else {
            homer_rules_learn(&r, j.p, &j.x, j.labels);
        }
        known = j.labels;
        if (j.x.partial) continue;
        memcpy(past[times].y, j.positive, sizeof j.positive);
        past[times++].n = j.x.positive_n;
    }
    assert_true(r.subset.w[0] >= 0.1f);
    homer_rules_deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

static void candidates_and_learning(void **state) {
    (void)state;
    unsigned learned = 0, skipped = 0;
    one_stream(230, 1, 200, &learned, &skipped);
    one_stream(231, 6, 600, &learned, &skipped);
    one_stream(232, 17, 600, &learned, &skipped);
    one_stream(233, RULE_LABELS, 900, &learned, &skipped);
    assert_true(learned > 200 && skipped > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_and_learning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
