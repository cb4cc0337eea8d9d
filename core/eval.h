/* Prequential metrics of one stream for three predictors: the model, NO-CHANGE (the labelset before) and MAJORITY (the
 * most frequent labelset so far); since the start, over a sliding window, and faded exponentially.
 *
 * Definitions (n instances, Y true, P predicted, L labels known): see each field. A partially labelled instance is scored on its known
 * labels only. Counts are integers or doubles, sums of ratios are doubles. One thread; memory bounded by
 * labels + window x labels per instance. */
#ifndef HOMER_EVAL_H
#define HOMER_EVAL_H

#include "core/base/codec.h"
#include "core/base/mem.h"
#include "core/instance.h"

enum homer_predictor { HOMER_BY_MODEL = 0, HOMER_BY_NO_CHANGE, HOMER_BY_MAJORITY, HOMER_PREDICTORS };
enum homer_span { HOMER_TOTAL = 0, HOMER_WINDOW, HOMER_FADED, HOMER_SPANS };

/* What homer_eval_metrics computes. Ratios with nothing in the denominator are 0, except where said. */
struct homer_metrics {
    uint64_t n;               /* instances counted */
    double subset;            /* share of P == Y */
    double hamming;           /* |P xor Y| summed / (n |L|), L known now; lower is better */
    double example_f1;        /* mean of 2|P and Y| / (|P| + |Y|), 1 when both are empty */
    double example_precision; /* mean of |P and Y| / |P|; P empty: 1 if Y is empty, else 0 */
    double example_recall;    /* mean of |P and Y| / |Y|; Y empty: 1 if P is empty, else 0 */
    double micro_f1;          /* 2TP / (2TP + FP + FN) over all */
    double macro_f1;          /* mean over the labels known now of their F1, 0 where a label has no TP, FP, FN */
    double cardinality;       /* mean |P| */

    /* of the model's scores: HOMER_BY_MODEL in HOMER_TOTAL and HOMER_FADED only, else NaN (not reported) */
    double precision_at[3];   /* P@1, P@3, P@5 */
    double ndcg_at[3];        /* nDCG@1, @3, @5 */
    double psp_at[3];         /* propensity-scored P@1, 3, 5 (Jain et al. 2016; A = .55, B = 1.5) */
    double log_loss;          /* mean over instances and labels known then, natural logarithm */
    double calibration_error; /* expected calibration error of the scores, 20 equal bins */
};

struct homer_eval;

/* Metrics of a predictor over a span. */
void homer_eval_metrics(const struct homer_eval *e, enum homer_predictor by, enum homer_span span, struct homer_metrics *out);

#endif
