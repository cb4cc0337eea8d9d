#include "core/eval_scores.h"

#include <math.h>
#include "core/base/ids.h"
#include "core/base/num.h"

enum { DEPTHS = 3, DEEPEST = 5 };
static const uint32_t depth[DEPTHS] = {1, 3, 5};
static const double gain[DEEPEST] = {1.0, 0.63092975357145742, 0.5, 0.43067655807339306, 0.38685280723454163};

#define PROPENSITY_A 0.55f
#define PROPENSITY_B 1.5f

static double inverse_propensity(double label_count, double c) {
    return 1.0 + c * (double)homer_exp(-PROPENSITY_A * homer_log((float)label_count + PROPENSITY_B));
}

static int is_positive(const struct homer_instance *x, uint32_t label) {
    uint32_t low = 0, high = x->positive_n;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (x->positive[mid] < label)
            low = mid + 1;
        else
            high = mid;
    }
    return low < x->positive_n && x->positive[low] == label;
}

/* Inverse propensities of the five rarest true labels, largest first. Labels new with this instance count as
 * never seen. */
static void best_propensities(const struct homer_outcome *o, double c, double best[DEEPEST]) {
    for (int i = 0; i < DEEPEST; i++) best[i] = 0;
    for (uint32_t i = 0; i < o->truth->positive_n; i++) {
        uint32_t l = o->truth->positive[i];
        double v = inverse_propensity(l < o->scored ? o->label_count[l] : 0, c);
        for (int k = 0; k < DEEPEST; k++)
            if (v > best[k]) {
                double t = best[k];
                best[k] = v;
                v = t;
            }
    }
}

static void count_ranks(struct homer_score_tally *s, const struct homer_outcome *o) {
    double c = o->seen > 0 ? (double)homer_log((float)o->seen) - 1 : 0;
    c = c > 0 ? c * (double)homer_exp(PROPENSITY_A * homer_log(PROPENSITY_B + 1)) : 0;
    double best[DEEPEST], hits = 0, dcg = 0, ideal = 0, psp = 0, psp_best = 0;
    best_propensities(o, c, best);
    for (uint32_t k = 0, d = 0; k < DEEPEST; k++) {
        if (k < o->ranks && is_positive(o->truth, o->rank[k])) {
            hits++;
            dcg += gain[k];
            psp += inverse_propensity(o->label_count[o->rank[k]], c);
        }
        if (k < o->truth->positive_n) ideal += gain[k];
        psp_best += best[k];
        if (k + 1 != depth[d]) continue;
        s->precision[d] += hits / depth[d];
        if (ideal > 0) s->ndcg[d] += dcg / ideal;
        s->psp[d] += psp;
        s->psp_best[d] += psp_best;
        d++;
    }
    s->ndcg_n += o->truth->positive_n > 0;
}

static void count_pair(struct homer_eval *e, double *loss, float p, int y) {
    float at = p * (float)HOMER_CALIBRATION_BINS;
    uint32_t b = at < (float)HOMER_CALIBRATION_BINS ? (uint32_t)at : HOMER_CALIBRATION_BINS - 1;
    e->bin_n[b] += 1;
    e->bin_p[b] += (double)p;
    e->bin_y[b] += y;
    float q = homer_clip(y ? p : 1.0f - p, 1e-6f, 0.999999f);
    *loss -= (double)homer_log(q);
}

/* Complete labelling: the negatives' terms in one loop without branches, then the positives put right. */
static double count_all_pairs(struct homer_eval *e, const struct homer_outcome *o) {
    double loss = 0;
    const uint32_t *positive = o->truth->positive, *end = positive + o->truth->positive_n;
    for (uint32_t l = 0; l < o->scored; l++) {
        int y = positive < end && *positive == l;
        positive += y;
        count_pair(e, &loss, o->p[l], y);
    }
    return loss;
}

/* The same where few labels have a score: the others are alike but for those that are true. */
static double count_some_pairs(struct homer_eval *e, const struct homer_outcome *o) {
    const struct homer_instance *x = o->truth;
    uint32_t known = x->positive_n, l;
    double loss = 0, others = o->scored;
    bool y;
    while (known && x->positive[known - 1] >= o->scored) known--;
    struct homer_union labels = {o->some, x->positive, o->some_n, known};
    for (; homer_union_next(&labels, &l, &y); others--) count_pair(e, &loss, o->p[l], y);
    e->bin_n[0] += others;
    return loss - others * (double)homer_log(0.999999f);
}

static double count_known_pairs(struct homer_eval *e, const struct homer_outcome *o, double *pairs) {
    const struct homer_instance *x = o->truth;
    double loss = 0;
    for (int y = 0; y < 2; y++) {
        const uint32_t *label = y ? x->positive : x->negative;
        for (uint32_t i = 0, n = y ? x->positive_n : x->negative_n; i < n; i++) {
            if (label[i] >= o->scored) continue;
            count_pair(e, &loss, o->p[label[i]], y);
            *pairs += 1;
        }
    }
    return loss;
}

void homer_eval_count_scores(struct homer_eval *e, const struct homer_outcome *o) {
    double pairs = 0, loss, fade = homer_eval_keep(e);
    if (o->truth->partial) {
        loss = count_known_pairs(e, o, &pairs);
    } else {
        loss = o->some ? count_some_pairs(e, o) : count_all_pairs(e, o);
        pairs = o->scored;
    }
    struct homer_score_tally *faded = &e->score[1];
    for (double *v = &faded->n; v < (double *)(faded + 1); v++) *v *= fade;
    for (int i = 0; i < 2; i++) {
        e->score[i].pairs += pairs;
        e->score[i].log_loss += loss;
        if (o->truth->partial) continue; /* a rank needs the whole truth */
        e->score[i].n += 1;
        count_ranks(&e->score[i], o);
    }
}

static double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

void homer_eval_score_metrics(const struct homer_eval *e, enum homer_span span, struct homer_metrics *out) {
    const struct homer_score_tally *s = &e->score[span == HOMER_FADED];
    for (int d = 0; d < DEPTHS; d++) {
        out->precision_at[d] = ratio(s->precision[d], s->n);
        out->ndcg_at[d] = ratio(s->ndcg[d], s->ndcg_n);
        out->psp_at[d] = ratio(s->psp[d], s->psp_best[d]);
    }
    out->log_loss = ratio(s->log_loss, s->pairs);
    out->calibration_error = (double)NAN;
    if (span != HOMER_TOTAL) return;
    double gap = 0, n = 0;
    for (int b = 0; b < HOMER_CALIBRATION_BINS; b++) {
        gap += fabs(e->bin_p[b] - e->bin_y[b]);
        n += e->bin_n[b];
    }
    out->calibration_error = ratio(gap, n);
}
