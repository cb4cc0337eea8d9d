/* The prequential metrics of scores and ranks against a recount. */
#include "eval_fixture.h"

static const uint32_t depth[] = {1, 3, 5};

static double inverse_propensity(double count, uint32_t seen) {
    double c = seen > 0 ? (log(seen) - 1) * pow(2.5, 0.55) : 0;
    return 1 + (c > 0 ? c : 0) * pow(count + 1.5, -0.55);
}

static int largest_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

struct sums {
    double n, pairs, loss, precision[3], ndcg[3], ndcg_n, psp[3], psp_best[3];
};

static void add_row(struct sums *s, const struct row *w, uint32_t seen, double weight) {
    double positives = 0, best[EVAL_LABELS] = {0};
    uint32_t rare = 0;
    for (uint32_t l = 0; l < EVAL_LABELS; l++) {
        positives += w->truth[l];
        if (w->truth[l]) best[rare++] = inverse_propensity(l < w->scored ? w->count[l] : 0, seen);
        if (!w->known[l] || l >= w->scored) continue;
        double p = w->truth[l] ? (double)w->p[l] : 1 - (double)w->p[l];
        p = p < (double)1e-6f ? (double)1e-6f : p > (double)0.999999f ? (double)0.999999f : p;
        s->pairs += weight;
        s->loss -= weight * log(p);
    }
    if (w->partial) return;
    qsort(best, rare, sizeof *best, largest_first);
    s->n += weight;
    s->ndcg_n += weight * (positives > 0);
    for (int d = 0; d < 3; d++) {
        double hits = 0, dcg = 0, ideal = 0, psp = 0;
        for (uint32_t k = 0; k < depth[d]; k++) {
            bool hit = k < w->ranks && w->truth[w->rank[k]];
            hits += hit;
            dcg += hit / log2(k + 2);
            ideal += k < positives ? 1 / log2(k + 2) : 0;
            if (hit) psp += inverse_propensity(w->count[w->rank[k]], seen);
            s->psp_best[d] += weight * (k < rare ? best[k] : 0);
        }
        s->precision[d] += weight * hits / depth[d];
        s->ndcg[d] += ideal > 0 ? weight * dcg / ideal : 0;
        s->psp[d] += weight * psp;
    }
}

static double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

static double calibration_error(const struct recorded *r) {
    double n[20] = {0}, p[20] = {0}, y[20] = {0}, all = 0, error = 0;
    for (uint32_t t = 0; t < r->n; t++)
        for (uint32_t l = 0; l < r->row[t].scored; l++) {
            const struct row *w = &r->row[t];
            if (!w->known[l]) continue;
            int b = (int)(w->p[l] * 20) < 20 ? (int)(w->p[l] * 20) : 19;
            n[b] += 1, p[b] += (double)w->p[l], y[b] += w->truth[l], all += 1;
        }
    for (int b = 0; b < 20; b++)
        if (n[b] > 0) error += n[b] / all * fabs(p[b] / n[b] - y[b] / n[b]);
    return error;
}

static void assert_scores(const struct homer_eval *e, const struct recorded *r, enum homer_span span) {
    struct sums s = {0};
    struct homer_metrics m;
    double weight = 1, keep = span == HOMER_TOTAL ? 1 : 1 - 1.0 / e->window;
    for (uint32_t t = r->n; t-- > 0; weight *= keep < 0.5 ? 0.5 : keep) add_row(&s, &r->row[t], t, weight);
    homer_eval_metrics(e, HOMER_BY_MODEL, span, &m);
    for (int d = 0; d < 3; d++) {
        assert_close(m.precision_at[d], ratio(s.precision[d], s.n), 1e-9);
        assert_close(m.ndcg_at[d], ratio(s.ndcg[d], s.ndcg_n), 1e-9);
        assert_close(m.psp_at[d], ratio(s.psp[d], s.psp_best[d]), 1e-5);
    }
    assert_close(m.log_loss, ratio(s.loss, s.pairs), 1e-5);
    if (span == HOMER_TOTAL)
        assert_close(m.calibration_error, calibration_error(r), 1e-6);
    else
        assert_true(isnan(m.calibration_error));
}

static void equals_a_recount_after_every_instance(void **state) {
    (void)state;
    static struct recorded r;
    static struct told told;
    const uint32_t most[] = {1, 3, 4, 5, 6, 30, EVAL_LABELS}, windows[] = {1, 2, 5, 20, 100, 1000, 40};
    struct homer_mem mem = {0};
    for (uint32_t i = 0; i < sizeof most / sizeof *most; i++) {
        struct homer_eval e, of_some; /* is told which labels have a score */
        uint32_t some[EVAL_LABELS];
        memset(&r, 0, sizeof r);
        r.dice.state = 330 + i;
        r.most = most[i];
        homer_eval_init(&e, &mem, windows[i]);
        homer_eval_init(&of_some, &mem, windows[i]);
        while (r.n < 200) {
            const bool majority[EVAL_LABELS] = {false};
            const struct row *w = eval_draw(&r, majority);
            eval_tell(&told, w, r.n, &r.dice);
            assert_int_equal(homer_eval_reserve(&e, &told.o, w->labels), 0);
            homer_eval_count(&e, &told.o, w->labels);
            told.o.some = some;
            for (uint32_t l = 0; l < w->scored; l++)
                if (w->p[l] > 0 || l % 7 == 3) some[told.o.some_n++] = l;
            assert_int_equal(homer_eval_reserve(&of_some, &told.o, w->labels), 0);
            homer_eval_count(&of_some, &told.o, w->labels);
            r.n++;
            assert_scores(&e, &r, HOMER_TOTAL);
            assert_scores(&e, &r, HOMER_FADED);
            assert_scores(&of_some, &r, HOMER_TOTAL);
            assert_scores(&of_some, &r, HOMER_FADED);
        }
        homer_eval_deinit(&e);
        homer_eval_deinit(&of_some);
        assert_int_equal(mem.used_bytes, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_a_recount_after_every_instance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
