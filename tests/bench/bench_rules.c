#include "bench_rules.h"

#include <stdlib.h>
#include <string.h>
#include "bench_lib.h"
#include "proto/reply.h"

void bench_rules_init(struct bench_rules *r, uint32_t window) {
    *r = (struct bench_rules){0};
    for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++) homer_eval_init(&r->eval[k], &r->mem, window);
}

void bench_rules_deinit(struct bench_rules *r) {
    for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++) {
        homer_eval_deinit(&r->eval[k]);
        free(r->label[k]);
    }
}

void bench_rules_predict(struct bench_rules *r, struct homer_model *m, const struct homer_instance *x) {
    struct homer_prediction p;
    struct homer_decide decide = homer_model_decide_default(m);
    homer_model_predict(m, x, &decide, &p);
    if (p.score_n > r->cap) {
        r->cap = p.score_n;
        for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++)
            r->label[k] = bench_more(r->label[k], r->cap, sizeof *r->label[k]);
    }
    for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++) {
        decide.objective = (enum homer_objective)k;
        homer_model_redecide(m, &decide, &p);
        r->n[k] = p.label_n;
        if (p.label_n) memcpy(r->label[k], p.label, p.label_n * sizeof *p.label);
    }
}

void bench_rules_count(struct bench_rules *r, const struct homer_instance *x, uint32_t labels) {
    for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++) {
        struct homer_outcome out = {.truth = x, .predicted = r->label[k], .predicted_n = r->n[k]};
        if (homer_eval_reserve(&r->eval[k], &out, labels)) bench_die("start", "out of memory");
        homer_eval_count(&r->eval[k], &out, labels);
    }
}

void bench_rules_record(const struct bench_rules *r, FILE *out) {
    for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++) {
        if (k) putc('\t', out);
        for (uint32_t i = 0; i < r->n[k]; i++) fprintf(out, i ? " %u" : "%u", r->label[k][i]);
    }
    putc('\n', out);
}

void bench_rules_record_end(FILE *out, struct homer_model *m) {
    struct homer_mem mem = {0};
    struct homer_buf text;
    struct homer_reply json;
    const struct homer_schema *s = homer_model_schema(m);
    homer_buf_init(&text, &mem);
    homer_reply_init(&json, &text);
    homer_reply_open(&json, NULL, '{');
    homer_reply_open(&json, "by", '[');
    for (int k = 0; k < HOMER_OBJECTIVE_COUNT; k++) {
        const char *word = homer_objective_word((enum homer_objective)k);
        homer_reply_string(&json, NULL, word, strlen(word));
    }
    homer_reply_close(&json, ']');
    homer_reply_open(&json, "labels", '[');
    for (uint32_t l = 0; l < s->labels.n; l++) {
        size_t n;
        const char *name = homer_schema_label_name(s, l, &n);
        homer_reply_string(&json, NULL, name, n);
    }
    homer_reply_close(&json, ']');
    homer_reply_close(&json, '}');
    if (text.failed) bench_die("record", "out of memory");
    fprintf(out, "%.*s\n", (int)text.n, text.data);
    homer_buf_deinit(&text);
}
