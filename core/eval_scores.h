/* The part of the prequential metrics that looks at scores and ranks; see eval.h. */
#ifndef HOMER_EVAL_SCORES_H
#define HOMER_EVAL_SCORES_H

#include "core/eval.h"

void homer_eval_count_scores(struct homer_eval *e, const struct homer_outcome *o);
void homer_eval_score_metrics(const struct homer_eval *e, enum homer_span span, struct homer_metrics *out);

#endif
