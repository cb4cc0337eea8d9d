/* Prequential metrics of one stream for three predictors: the model, NO-CHANGE (the labelset before) and
 * MAJORITY (the most frequent complete labelset so far); since the start, over a sliding window, and faded
 * exponentially (by 1 - 1/window per instance).
 *
 * A partially labelled instance is scored on its known labels only; NO-CHANGE then repeats its positives,
 * MAJORITY does not count it. Ratios with nothing in the denominator are 0, except where said. Memory: labels
 * + window x labels per instance. Computed without libm, so that every machine gives the same bits. One
 * thread. */
#ifndef HOMER_EVAL_H
#define HOMER_EVAL_H

#include "core/base/codec.h"
#include "core/base/grid.h"
#include "core/instance.h"

enum homer_predictor { HOMER_BY_MODEL = 0, HOMER_BY_NO_CHANGE, HOMER_BY_MAJORITY, HOMER_PREDICTORS };
enum homer_span { HOMER_TOTAL = 0, HOMER_WINDOW, HOMER_FADED, HOMER_SPANS };

/* Y true, P predicted, L labels known now, n instances. */
struct homer_metrics {
    double n;       /* instances counted (faded: their faded weight) */
    double subset;  /* share of P == Y */
    double hamming; /* |P xor Y| summed / (n |L|); a partial labelling counts its known labels for |L|; lower
                       is better */
    double example_f1;        /* mean of 2|P and Y| / (|P| + |Y|), 1 when both are empty */
    double example_precision; /* mean of |P and Y| / |P|; P empty: 1 if Y is empty, else 0 */
    double example_recall;    /* mean of |P and Y| / |Y|; Y empty: 1 if P is empty, else 0 */
    double micro_f1;          /* 2TP / (2TP + FP + FN) over all */
    double macro_f1;          /* mean over L of each label's F1, 0 where a label has no TP, FP, FN */
    double cardinality;       /* mean |P| */

    /* of the model's scores; of HOMER_BY_MODEL in HOMER_TOTAL and HOMER_FADED only, else NaN (not reported)
     */
    double precision_at[3]; /* P@1, P@3, P@5: |top k and Y| / k, mean */
    double ndcg_at[3]; /* nDCG@1, 3, 5: gain 1/log2(rank + 1), over the best possible for |Y|; Y empty: not
                          counted */
    double psp_at[3]; /* propensity-scored P@k (Jain et al. 2016): sum of 1/q over hits, over the same for the
                         best k of Y; q_l = 1/(1 + C (N_l + B)^-A), C = max(0, ln N - 1)(B + 1)^A, A = .55, B
                         = 1.5, N, N_l from before the instance; ratio of sums */
    double log_loss;  /* mean over (instance, label known before it) of -ln of the truth's score, clipped to
                         [1e-6, 1 - 1e-6] */
    double calibration_error; /* total only: sum over 20 equal bins of share x |mean score - share of
                                 positives|, the same pairs */
};

/* What is added up for one predictor over one span. Sums of ratios are multiples of 2^-32, so that adding and
 * subtracting them in a window is exact. */
struct homer_tally {
    double n, subset, f1, precision, recall, cardinality;
    double wrong;         /* |P xor Y| */
    double complete;      /* instances with complete labellings */
    double partial_pairs; /* known labels of the others */
    double tp, fp, fn;
};

struct homer_score_tally {
    double n, pairs, log_loss;
    double precision[3], ndcg[3], ndcg_n, psp[3], psp_best[3];
};

enum { HOMER_CALIBRATION_BINS = 20 };

struct homer_eval {
    struct homer_mem *mem;
    uint32_t window; /* instances */
    uint32_t labels;
    double grown; /* weight of the present instance in the faded per-label counts */
    struct homer_tally tally[HOMER_PREDICTORS][HOMER_SPANS];
    struct homer_score_tally score[2]; /* total, faded */
    double bin_n[HOMER_CALIBRATION_BINS], bin_p[HOMER_CALIBRATION_BINS], bin_y[HOMER_CALIBRATION_BINS];
    struct homer_grid label; /* f64 rows [predictor][span][tp, fp, fn] */

    uint32_t *previous; /* [previous_n] of label.cap: positives of the instance before */
    uint32_t previous_n;

    /* the window: a ring of words; per instance its known-label mark, then for Y and each predictor's P:
     * count, ids */
    uint32_t *ring;                     /* of ring_cap */
    size_t ring_cap, ring_head, ring_n; /* first word in use, words in use */
    uint32_t ring_instances;
    uint32_t *scratch; /* [6 * label.cap] */
};

/* What is known of one instance when it is counted. */
struct homer_outcome {
    const struct homer_instance *truth;
    const uint32_t *predicted; /* [predicted_n] by the model, any order */
    uint32_t predicted_n;
    const uint32_t *majority; /* [majority_n] ascending */
    uint32_t majority_n;
    const float *p; /* [scored] the model's scores of the labels known before */
    uint32_t scored;
    const uint32_t *some; /* [some_n] ascending: all others of them have p = 0; NULL: that is said of none */
    uint32_t some_n;
    const uint32_t *rank; /* [ranks] their ids, best first, at least the best five with p > 0 */
    uint32_t ranks;
    const double *label_count; /* [scored] positives before */
    double seen;               /* instances before */
};

/* What the faded sums keep per instance. A window of one still keeps half, so that they never divide by zero.
 */
static inline double homer_eval_keep(const struct homer_eval *e) {
    return e->window > 1 ? 1.0 - 1.0 / e->window : 0.5;
}

void homer_eval_init(struct homer_eval *e, struct homer_mem *mem, uint32_t window);
void homer_eval_deinit(struct homer_eval *e);
/* Room for one more instance with ids below `labels`, whatever is predicted. 0 or -ENOMEM, nothing visible
 * changed. */
int homer_eval_reserve(struct homer_eval *e, const struct homer_outcome *o, uint32_t labels);
/* Counts it; `labels` are known now. */
void homer_eval_count(struct homer_eval *e, const struct homer_outcome *o, uint32_t labels);
/* Metrics of a predictor over a span. */
void homer_eval_metrics(const struct homer_eval *e, enum homer_predictor by, enum homer_span span,
                        struct homer_metrics *out);
/* Adds the model's faded counts of one known label to *tp, *fp, *fn: labels together give a micro F1, which
 * their common unit does not change. */
void homer_eval_add_label(const struct homer_eval *e, uint32_t label, double *tp, double *fp, double *fn);
void homer_eval_encode(const struct homer_eval *e, struct homer_codec *c);
/* Into an empty one; so many labels are known. */
void homer_eval_decode(struct homer_eval *e, uint32_t labels, struct homer_decoder *d);

#endif
