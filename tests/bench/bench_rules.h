/* One model's predictions under every decision rule at once: their metrics, and a record of them. What a
 * model learns does not depend on the rule it is configured to use, so one pass serves all. */
#ifndef HOMER_TESTS_BENCH_RULES_H
#define HOMER_TESTS_BENCH_RULES_H

#include <stdio.h>
#include "core/model.h"

struct bench_rules {
    struct homer_mem mem;
    struct homer_eval eval[HOMER_OBJECTIVE_COUNT];
    uint32_t *label[HOMER_OBJECTIVE_COUNT]; /* [n] of cap: predicted last, best first */
    uint32_t n[HOMER_OBJECTIVE_COUNT], cap;
};

void bench_rules_init(struct bench_rules *r, uint32_t window);
void bench_rules_deinit(struct bench_rules *r);
/* Predicts x by every rule. */
void bench_rules_predict(struct bench_rules *r, struct homer_model *m, const struct homer_instance *x);
/* Counts what was predicted last against the truth of x; `labels` are known now. */
void bench_rules_count(struct bench_rules *r, const struct homer_instance *x, uint32_t labels);
/* The record: per prediction a line, per rule in the order of enum homer_objective the ids predicted,
 * separated by spaces, the rules by tabs. */
void bench_rules_record(const struct bench_rules *r, FILE *out);
/* And its end: one line of JSON, {"by":[the rules],"labels":[names by id]}. */
void bench_rules_record_end(FILE *out, struct homer_model *m);

#endif
