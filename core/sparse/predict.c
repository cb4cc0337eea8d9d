/* From an instance to its candidates, and to their probabilities. */
#include <errno.h>
#include <string.h>
#include "core/base/num.h"
#include "core/base/ids.h"
#include "core/decide/rank.h"
#include "core/sparse/impl.h"

#define FLOOR -5.29330f /* logit(.005): of a candidate's promise */
#define MOVES -3.47610f /* logit(.03) */

enum { FAR = 8, NEAR = 4, LINES = 4, LINE = 64 }; /* lists to fetch ahead; cache lines */

void homer_sparse_point(struct homer_sparse *s) {
    struct homer_frame *f = &s->frame;
    f->y = homer_sparse_row(s, HOMER_SPARSE_Y);
    f->weight = homer_sparse_row(s, HOMER_SPARSE_WEIGHT);
    f->prior = homer_sparse_row(s, HOMER_SPARSE_PRIOR);
    f->prior_logit = homer_sparse_row(s, HOMER_SPARSE_LOGIT);
    for (uint32_t e = 0; e < HOMER_FLAT_ONLY; e++)
        f->evidence[e] = homer_sparse_row(s, HOMER_SPARSE_EVIDENCE + e);
}

int homer_sparse_reserve_columns(struct homer_sparse *s, uint32_t columns) {
    if (columns < HOMER_SPARSE_MOST) columns = HOMER_SPARSE_MOST;
    if (columns <= s->column_cap) return 0;
    uint32_t cap = columns + columns / 2, stride = cap + HOMER_LANES; /* with a virtual column behind them */
    uint32_t *column = homer_mem_alloc(s->mem, cap, sizeof *column);
    uint32_t *moving = homer_mem_alloc(s->mem, cap, sizeof *moving);
    int rc = column && moving ? homer_grid_reserve(&s->grid, stride) : -ENOMEM;
    if (!rc) rc = homer_prior_reserve(&s->seen, stride);
    if (!rc) rc = homer_stack_reserve(&s->stack, stride);
    if (!rc) rc = homer_recent_ops.reserve(&s->recent, 0, stride);
    if (!rc) rc = homer_markov_ops.reserve(&s->markov, 0, stride);
    if (rc) {
        homer_mem_free(s->mem, column, cap, sizeof *column);
        homer_mem_free(s->mem, moving, cap, sizeof *moving);
        homer_sparse_point(s);
        return -ENOMEM;
    }
    if (s->columns) memcpy(column, s->column, s->columns * sizeof *column);
    homer_mem_free(s->mem, s->column, s->column_cap, sizeof *column);
    homer_mem_free(s->mem, s->moving, s->column_cap, sizeof *moving);
    s->column = column;
    s->moving = moving;
    s->column_cap = cap;
    homer_sparse_point(s);
    return 0;
}

/* Forgets the instance before. */
static void clear(struct homer_sparse *s) {
    for (uint32_t i = 0; i < s->touched_n; i++) {
        struct homer_sparse_score *t = &s->score[s->touched[i]];
        for (int e = 0; e < HOMER_SPARSE_FILTERS; e++) t->sum[e] = 0;
        t->touched = 0;
    }
    for (uint32_t i = 0; i < s->candidates; i++) s->p[s->column[i]] = 0;
    if (s->handed_on) memset(s->p, 0, s->label_cap * sizeof *s->p);
    s->handed_on = false;
    s->touched_n = s->candidates = s->columns = 0;
}

/* Without branches: which labels come first is unpredictable. */
static void walk(struct homer_sparse *s, const struct homer_sparse_list *l, float x) {
    uint32_t n = s->touched_n;
    for (const struct homer_sparse_entry *e = l->entry, *end = e + l->n; e < end; e++) {
        struct homer_sparse_score *t = &s->score[e->label];
        s->touched[n] = e->label;
        n += 1 - t->touched;
        t->touched = 1;
        for (int i = 0; i < HOMER_SPARSE_FILTERS; i++) t->sum[i] += x * e->w[i];
    }
    s->touched_n = n;
}

/* The lists lie anywhere in memory: what comes soon is fetched meanwhile. */
static void walk_all(struct homer_sparse *s, const struct homer_frame *f) {
    const struct homer_sparse_list *list = s->lists.list;
    for (uint32_t i = 0; i < f->n && i < FAR; i++) __builtin_prefetch(&list[f->feature[i]]);
    for (uint32_t i = 0; i < f->n; i++) {
        if (i + FAR < f->n) __builtin_prefetch(&list[f->feature[i + FAR]]);
        if (i + NEAR < f->n)
            for (uint32_t line = 0; line < LINES; line++)
                __builtin_prefetch((const char *)list[f->feature[i + NEAR]].entry + line * LINE);
        walk(s, &list[f->feature[i]], f->x[i]);
    }
}

void homer_sparse_touch(struct homer_sparse *s, const uint32_t *label, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (s->score[label[i]].touched) continue;
        s->touched[s->touched_n++] = label[i];
        s->score[label[i]].touched = 1;
    }
}

static float clipped(float evidence) {
    return homer_clip(evidence, -HOMER_EVIDENCE_CLIP, HOMER_EVIDENCE_CLIP);
}

/* How far each touched label's score is above the floor: the larger of what the stack makes of the filters,
 * and of the first one's own. */
static void promise(struct homer_sparse *s) {
    float log_t = homer_log((float)(s->prior.complete + 1.002));
    float w[HOMER_X_TRACKING + 1];
    for (int e = 0; e <= HOMER_X_TRACKING; e++) w[e] = (float)s->stack.w[e];
    for (uint32_t i = 0; i < s->touched_n; i++) {
        const struct homer_sparse_score *t = &s->score[s->touched[i]];
        float lam = t->log_count - log_t, own = t->sum[0];
        float stacked = w[HOMER_X_BIAS] + w[HOMER_X_PRIOR] * lam + w[HOMER_X_LINEAR] * clipped(own) +
                        w[HOMER_X_TRACKING] * clipped(t->sum[1]);
        float a = stacked - FLOOR, b = lam + own - MOVES;
        s->promise[i] = a > b ? a : b;
    }
}

/* The candidates, ascending. */
static void pick(struct homer_sparse *s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->touched_n; i++) {
        s->pick[n] = i;
        n += s->promise[i] > 0;
    }
    if (n < HOMER_SPARSE_LEAST) n = homer_rank_top(s->promise, s->touched_n, HOMER_SPARSE_LEAST, s->pick);
    if (n > HOMER_SPARSE_MOST) n = homer_rank_top(s->promise, s->touched_n, HOMER_SPARSE_MOST, s->pick);
    for (uint32_t i = 0; i < n; i++) s->column[i] = s->touched[s->pick[i]];
    homer_sort_ids(s->column, n);
    s->candidates = s->columns = n;
}

/* What the frequencies of a label have decayed to; log_decay: ln of homer_recent_decay. */
static void gather_recent(const struct homer_sparse *s, const struct homer_sparse_label *l, uint32_t c,
                          const float log_decay[HOMER_RECENT_ROWS]) {
    float age = (float)(s->complete - l->at);
    for (uint32_t r = 0; r < HOMER_RECENT_ROWS; r++)
        homer_grid_f32(&s->recent.frequency, r)[c] = l->recent[r] * homer_exp(age * log_decay[r]);
}

/* How often a label was there, or not, after it was or not; the instance before the present one has no
 * successor yet. */
static void gather_markov(const struct homer_sparse *s, const struct homer_sparse_label *l, uint32_t c,
                          double count, double told, bool was) {
    double *n[4];
    for (uint32_t r = 0; r < 4; r++) n[r] = homer_grid_f64(&s->markov.count, r);
    double left = count - l->again - was, came = count - l->again, neither = told - count - left;
    n[0][c] = l->again;
    n[1][c] = left > 0 ? left : 0;
    n[2][c] = came;
    n[3][c] = neither > 0 ? neither : 0;
    homer_grid_f32(&s->markov.previous, 0)[c] = was;
    homer_grid_f32(&s->markov.previous, 1)[c] = 1;
}

static void gather(struct homer_sparse *s) {
    double *count = homer_grid_f64(&s->seen.count, 0), *partial = homer_grid_f64(&s->seen.count, 1);
    float *own = homer_sparse_row(s, HOMER_SPARSE_OWN), *own1 = homer_sparse_row(s, HOMER_SPARSE_OWN + 1);
    double present = s->prior.positives, all = s->prior.observed;
    float log_decay[HOMER_RECENT_ROWS];
    for (uint32_t r = 0; r < HOMER_RECENT_ROWS; r++) log_decay[r] = homer_log(homer_recent_decay[r]);
    s->seen.complete = s->prior.complete;
    s->seen.positives = s->prior.positives;
    s->seen.observed = s->prior.observed;
    s->markov.pooled[0] = s->again;
    s->markov.pooled[1] = s->markov.pooled[2] = present - s->again;
    s->markov.pooled[3] = all - 2 * present + s->again;
    for (uint32_t i = 0; i < s->previous_n; i++) s->column_of[s->previous[i]] = 1;
    for (uint32_t c = 0; c < s->columns; c++) {
        uint32_t l = s->column[c];
        const struct homer_sparse_label *label = &s->label[l];
        const float *sum = s->score[l].sum;
        count[c] = homer_prior_count(&s->prior, l);
        double told = homer_prior_told(&s->prior, l);
        partial[c] = told - s->prior.complete;
        own[c] = sum[0];
        own1[c] = sum[1];
        gather_recent(s, label, c, log_decay);
        gather_markov(s, label, c, count[c], told, s->column_of[l] != 0);
    }
    for (uint32_t i = 0; i < s->previous_n; i++) s->column_of[s->previous[i]] = 0;
}

void homer_sparse_score(struct homer_sparse *s) {
    struct homer_frame *f = &s->frame;
    f->labels = s->columns;
    f->stride = (s->columns + HOMER_LANES) / HOMER_LANES * HOMER_LANES;
    gather(s);
    homer_prior_predict(&s->seen, f);
    for (uint32_t c = 0; c < f->stride; c++) {
        f->evidence[HOMER_X_BIAS][c] = 1;
        f->evidence[HOMER_X_PRIOR][c] = f->prior_logit[c];
    }
    for (uint32_t e = 0; e < HOMER_SPARSE_FILTERS; e++) {
        float *own = homer_sparse_row(s, HOMER_SPARSE_OWN + e), *x = f->evidence[HOMER_X_LINEAR + e];
        for (uint32_t c = 0; c < f->stride; c++) {
            x[c] = clipped(own[c]);
            own[c] += f->prior_logit[c];
        }
    }
    homer_recent_ops.predict(&s->recent, f);
    homer_markov_ops.predict(&s->markov, f);
    homer_stack_predict(&s->stack, &s->seen, f, f->evidence, homer_sparse_row(s, HOMER_SPARSE_P));
}

const float *homer_sparse_predict(struct homer_sparse *s, const struct homer_instance *x) {
    if (!s->label_cap) return NULL; /* nothing was ever reserved */
    struct homer_frame *f = &s->frame;
    clear(s);
    f->n = homer_scale_apply(&s->scale, x);
    f->feature = s->scale.out_feature;
    f->x = s->scale.out_x;
    walk_all(s, f);
    homer_sparse_touch(s, s->frequent, s->frequent_n);
    homer_sparse_touch(s, s->previous, s->previous_n);
    promise(s);
    pick(s);
    homer_sparse_score(s);
    const float *p = homer_sparse_row(s, HOMER_SPARSE_P);
    for (uint32_t c = 0; c < s->candidates; c++) s->p[s->column[c]] = p[c];
    return s->p;
}
