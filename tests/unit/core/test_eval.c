/* The prequential metrics of labelsets against a recount of the recorded stream, after every instance. */
#include <errno.h>
#include "eval_fixture.h"

/* What the header says, from rows first..n-1, each faded by keep per instance that came after it. */
struct recount {
    struct homer_tally tally;
    double macro;
};

static double fixed(double ratio) {
    return floor(ratio * 4294967296.0 + 0.5) / 4294967296.0;
}

static void recount(const struct recorded *r, int by, uint32_t first, double keep, struct recount *out) {
    double tp[EVAL_LABELS] = {0}, fp[EVAL_LABELS] = {0}, fn[EVAL_LABELS] = {0}, weight = 1;
    struct homer_tally *t = &out->tally;
    memset(out, 0, sizeof *out);
    for (uint32_t i = r->n; i-- > first; weight *= keep) {
        const struct row *w = &r->row[i];
        double both = 0, y = 0, p = 0, known = 0;
        for (uint32_t l = 0; l < EVAL_LABELS; l++) {
            if (!w->known[l]) continue;
            bool a = w->truth[l], b = w->by[by][l];
            y += a, p += b, both += a && b, known += 1;
            tp[l] += weight * (a && b);
            fp[l] += weight * (b && !a);
            fn[l] += weight * (a && !b);
        }
        t->n += weight;
        t->subset += weight * (both == y && both == p);
        t->f1 += weight * fixed(y + p > 0 ? 2 * both / (y + p) : 1);
        t->precision += weight * fixed(p > 0 ? both / p : y == 0);
        t->recall += weight * fixed(y > 0 ? both / y : p == 0);
        t->cardinality += weight * p;
        t->wrong += weight * (y + p - 2 * both);
        t->complete += weight * !w->partial;
        t->partial_pairs += w->partial ? weight * known : 0;
        t->tp += weight * both;
        t->fp += weight * (p - both);
        t->fn += weight * (y - both);
    }
    uint32_t labels = r->n ? r->row[r->n - 1].labels : 0;
    for (uint32_t l = 0; l < labels; l++)
        if (tp[l] + fp[l] + fn[l] > 0) out->macro += 2 * tp[l] / (2 * tp[l] + fp[l] + fn[l]) / labels;
}

static double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

static void assert_metrics(const struct homer_eval *e, const struct recorded *r, int by, int span) {
    struct recount c;
    struct homer_metrics m;
    double keep = 1 - 1.0 / e->window;
    uint32_t first = span == HOMER_WINDOW && r->n > e->window ? r->n - e->window : 0;
    recount(r, by, first, span != HOMER_FADED ? 1 : keep < 0.5 ? 0.5 : keep, &c);
    homer_eval_metrics(e, (enum homer_predictor)by, (enum homer_span)span, &m);
    const struct homer_tally *got = &e->tally[by][span];
    const double *a = &got->n, *b = &c.tally.n;
    for (size_t i = 0; i < sizeof *got / sizeof *a; i++) {
        if (span == HOMER_FADED)
            assert_close(a[i], b[i], 1e-9);
        else
            assert_same(a[i], b[i]); /* a window slides without a rest */
    }
    double labels = r->row[r->n - 1].labels;
    assert_close(m.n, c.tally.n, 1e-9);
    assert_close(m.subset, ratio(c.tally.subset, c.tally.n), 1e-9);
    assert_close(m.hamming, ratio(c.tally.wrong, c.tally.complete * labels + c.tally.partial_pairs), 1e-9);
    assert_close(m.example_f1, ratio(c.tally.f1, c.tally.n), 1e-9);
    assert_close(m.example_precision, ratio(c.tally.precision, c.tally.n), 1e-9);
    assert_close(m.example_recall, ratio(c.tally.recall, c.tally.n), 1e-9);
    assert_close(m.micro_f1, ratio(2 * c.tally.tp, 2 * c.tally.tp + c.tally.fp + c.tally.fn), 1e-9);
    assert_close(m.macro_f1, c.macro, 1e-9);
    assert_close(m.cardinality, ratio(c.tally.cardinality, c.tally.n), 1e-9);
    if (by != HOMER_BY_MODEL || span == HOMER_WINDOW) {
        assert_true(isnan(m.log_loss) && isnan(m.calibration_error));
        for (int d = 0; d < 3; d++)
            assert_true(isnan(m.precision_at[d]) && isnan(m.ndcg_at[d]) && isnan(m.psp_at[d]));
    }
}

static void one_stream(uint64_t seed, uint32_t most, uint32_t window, uint32_t times) {
    static struct recorded r;
    static struct told told;
    struct homer_mem mem = {0};
    struct homer_eval e;
    struct homer_metrics m;
    memset(&r, 0, sizeof r);
    r.dice.state = seed;
    r.most = most;
    homer_eval_init(&e, &mem, window);
    for (int by = 0; by < HOMER_PREDICTORS; by++)
        for (int span = 0; span < HOMER_SPANS;
             span++) { /* before the first instance there is nothing to divide by */
            homer_eval_metrics(&e, (enum homer_predictor)by, (enum homer_span)span, &m);
            assert_same(m.n, 0);
            assert_same(m.subset, 0);
            assert_same(m.macro_f1, 0);
        }
    while (r.n < times) {
        bool majority[EVAL_LABELS];
        naive_majority(&r, majority);
        const struct row *w = eval_draw(&r, majority);
        eval_tell(&told, w, r.n, &r.dice);
        assert_int_equal(homer_eval_reserve(&e, &told.o, w->labels), 0);
        homer_eval_count(&e, &told.o, w->labels);
        r.n++;
        if (times > 300 && r.n > 100 && r.n % 37) continue;
        for (int by = 0; by < HOMER_PREDICTORS; by++)
            for (int span = 0; span < HOMER_SPANS; span++) assert_metrics(&e, &r, by, span);
    }
    assert_int_equal(r.row[r.n - 1].labels, most);
    homer_eval_deinit(&e);
    assert_int_equal(mem.used_bytes, 0);
}

static void equals_a_recount_after_every_instance(void **state) {
    (void)state;
    const uint32_t windows[] = {1, 2, 3, 10, 64, 1000};
    for (uint32_t i = 0; i < sizeof windows / sizeof *windows; i++)
        one_stream(300 + i, 3 + 7 * i, windows[i], 200);
    one_stream(310, EVAL_LABELS, 50, 300);
}

/* Long enough that the faded counts per label are scaled back. */
static void equals_a_recount_of_a_long_stream(void **state) {
    (void)state;
    one_stream(311, 12, 7, EVAL_TIMES);
}

static void hash(const struct homer_eval *e, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    homer_eval_encode(e, &c);
    homer_hasher_free(h, hex);
}

static void refused_room_shows_nowhere(void **state) {
    (void)state;
    static struct recorded r;
    static struct told told;
    struct homer_mem mem = {0};
    struct homer_eval e, roomy;
    char before[33], after[33];
    uint32_t refused = 0;
    memset(&r, 0, sizeof r);
    r.dice.state = 320;
    r.most = EVAL_LABELS;
    homer_eval_init(&e, &mem, 40);
    homer_eval_init(&roomy, &mem, 40);
    while (r.n < 300) {
        bool majority[EVAL_LABELS];
        naive_majority(&r, majority);
        const struct row *w = eval_draw(&r, majority);
        eval_tell(&told, w, r.n, &r.dice);
        hash(&e, before);
        for (uint64_t k = 1;; k++) {
            mem.fail_in = k;
            int rc = homer_eval_reserve(&e, &told.o, w->labels);
            bool injected = mem.fail_in == 0;
            mem.fail_in = 0;
            hash(&e, after);
            assert_string_equal(before, after);
            assert_int_equal(rc, injected ? -ENOMEM : 0);
            if (!injected) break;
            refused++;
        }
        homer_eval_count(&e, &told.o, w->labels);
        /* the same without refusals, and with room for labels that are far from coming */
        assert_int_equal(homer_eval_reserve(&roomy, &told.o, EVAL_LABELS), 0);
        homer_eval_count(&roomy, &told.o, w->labels);
        hash(&e, before);
        hash(&roomy, after);
        assert_string_equal(before, after);
        r.n++;
    }
    assert_true(refused > 8);
    homer_eval_deinit(&e);
    homer_eval_deinit(&roomy);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_a_recount_after_every_instance),
        cmocka_unit_test(equals_a_recount_of_a_long_stream),
        cmocka_unit_test(refused_room_shows_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
