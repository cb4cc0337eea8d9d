/* A recorded stream of truths, predictions and scores, fed to the metrics, and all of it kept for recounts.
 */
#ifndef HOMER_TESTS_EVAL_FIXTURE_H
#define HOMER_TESTS_EVAL_FIXTURE_H

#include "core_fixture.h"
#include "core/eval.h"

enum { EVAL_LABELS = 130, EVAL_TIMES = 1600, EVAL_RANKS = 5 };

struct row {
    bool truth[EVAL_LABELS], known[EVAL_LABELS]; /* known: told by this labelling */
    bool by[HOMER_PREDICTORS][EVAL_LABELS];
    bool partial;
    float p[EVAL_LABELS];
    double count[EVAL_LABELS]; /* positives before */
    uint32_t rank[EVAL_RANKS], ranks, scored, labels;
};

struct recorded {
    struct dice dice;
    uint32_t most, n;
    struct row row[EVAL_TIMES];
    double count[EVAL_LABELS];
    uint32_t times[EVAL_TIMES]; /* of row t: complete labelsets like it until then; 0: partial */
};

/* The most frequent complete labelset so far, the first to get there. Called before every draw. */
static inline void naive_majority(struct recorded *r, bool out[EVAL_LABELS]) {
    uint32_t best = 0;
    memset(out, 0, EVAL_LABELS * sizeof *out);
    if (r->n) { /* how often the newest row's labelset came up to now */
        uint32_t *times = &r->times[r->n - 1];
        *times = 0;
        for (uint32_t i = 0; i < r->n && !r->row[r->n - 1].partial; i++)
            *times += !r->row[i].partial && memcmp(r->row[i].truth, r->row[r->n - 1].truth, EVAL_LABELS) == 0;
    }
    for (uint32_t t = 0; t < r->n; t++) {
        if (r->times[t] <= best) continue;
        best = r->times[t];
        memcpy(out, r->row[t].truth, EVAL_LABELS);
    }
}

static inline uint32_t ids_of(const bool *set, uint32_t *out) {
    uint32_t n = 0;
    for (uint32_t l = 0; l < EVAL_LABELS; l++)
        if (set[l]) out[n++] = l;
    return n;
}

/* Draws the next row. */
static inline struct row *eval_draw(struct recorded *r, const bool *majority) {
    struct dice *d = &r->dice;
    struct row *w = &r->row[r->n];
    memset(w, 0, sizeof *w);
    uint32_t known = r->n ? r->row[r->n - 1].labels : 0;
    w->scored = w->labels = known;
    if (known < r->most && dice_chance(d, 0.4)) w->labels += 1 + dice_below(d, 3);
    if (w->labels > r->most) w->labels = r->most;
    w->partial = dice_chance(d, 0.25);
    uint32_t kind = dice_below(d, 5); /* 0: empty; labelsets come again */
    for (uint32_t l = 0; l < w->labels; l++) {
        bool y = l >= known || (kind && (l % (kind + 4) == 0 ? l < 12 : dice_chance(d, 0.01)));
        w->known[l] = !w->partial || l >= known || dice_chance(d, 0.5);
        w->truth[l] = y && w->known[l];
        if (l >= known) continue;
        w->by[HOMER_BY_MODEL][l] = dice_chance(d, y ? 0.8 : 0.03);
        w->p[l] = dice_chance(d, 0.1) ? 0 : dice_chance(d, 0.02) ? 1 : (float)dice_unit(d);
    }
    if (r->n) memcpy(w->by[HOMER_BY_NO_CHANGE], r->row[r->n - 1].truth, EVAL_LABELS);
    memcpy(w->by[HOMER_BY_MAJORITY], majority, EVAL_LABELS);
    memcpy(w->count, r->count, sizeof w->count);
    bool taken[EVAL_LABELS] = {false};
    for (w->ranks = 0; w->ranks < EVAL_RANKS && w->ranks < known; w->ranks++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t l = 0; l < known; l++)
            if (!taken[l] && (best == UINT32_MAX || w->p[l] > w->p[best])) best = l;
        w->rank[w->ranks] = best;
        taken[best] = true;
    }
    for (uint32_t l = 0; l < EVAL_LABELS; l++) r->count[l] += w->truth[l];
    return w;
}

/* Arrays of an outcome. */
struct told {
    struct homer_instance x;
    struct homer_outcome o;
    uint32_t positive[EVAL_LABELS], negative[EVAL_LABELS], predicted[EVAL_LABELS], majority[EVAL_LABELS];
};

static inline void eval_tell(struct told *out, const struct row *w, uint32_t seen, struct dice *d) {
    *out = (struct told){
        .x = {.positive = out->positive, .negative = out->negative, .partial = w->partial, .weight = 1}};
    out->x.positive_n = ids_of(w->truth, out->positive);
    for (uint32_t l = 0; l < EVAL_LABELS && w->partial; l++)
        if (w->known[l] && !w->truth[l]) out->negative[out->x.negative_n++] = l;
    uint32_t n = ids_of(w->by[HOMER_BY_MODEL], out->predicted);
    for (uint32_t i = n; i-- > 1;) { /* any order */
        uint32_t k = dice_below(d, i + 1), swap = out->predicted[k];
        out->predicted[k] = out->predicted[i];
        out->predicted[i] = swap;
    }
    out->o = (struct homer_outcome){.truth = &out->x,
                                    .predicted = out->predicted,
                                    .predicted_n = n,
                                    .majority = out->majority,
                                    .majority_n = ids_of(w->by[HOMER_BY_MAJORITY], out->majority),
                                    .p = w->p,
                                    .scored = w->scored,
                                    .rank = w->rank,
                                    .ranks = w->ranks,
                                    .label_count = w->count,
                                    .seen = seen};
}

#endif
