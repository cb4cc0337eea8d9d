#include "core/decide/subset.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include "core/base/num.h"

#define RATE 0.15f
#define G0 0.01f
#define GRADIENT_CLIP 8.0f
#define MIN_FIRST_WEIGHT 0.1f
#define LEAST_SHARE 0.02f
#define NONE ((uint32_t)HOMER_NO_SET)

enum { F = HOMER_SUBSET_FEATURES, MOST = HOMER_SUBSET_CANDIDATES, BATCH = 256 };

/* the second: with labelsets of neighbours among the candidates */
static const float start[2][F] = {{0.8f, 0.3f, 0.2f, 0.2f, 0.5f, 0.3f, 0.3f, 0, 0, 0},
                                  {0.6f, 0.3f, 0.2f, 0.2f, 0.8f, 0.3f, 0.3f, 0, 1, 0.4f}};

void homer_subset_init(struct homer_subset *s, struct homer_mem *mem, bool near) {
    *s = (struct homer_subset){.mem = mem};
    for (int i = 0; i < F; i++) {
        s->w[i] = start[near][i];
        s->g[i] = G0;
    }
}

void homer_subset_deinit(struct homer_subset *s) {
    s->own = homer_mem_free(s->mem, s->own, (size_t)HOMER_SUBSET_OWN * s->cap, sizeof *s->own);
    s->cap = 0;
}

int homer_subset_reserve(struct homer_subset *s, uint32_t labels) {
    if (labels <= s->cap) return 0;
    uint32_t cap = s->cap ? s->cap : 16;
    while (cap < labels) cap += cap / 2;
    uint32_t *own = homer_mem_alloc(s->mem, (size_t)HOMER_SUBSET_OWN * cap, sizeof *own);
    if (!own) return -ENOMEM;
    homer_mem_free(s->mem, s->own, (size_t)HOMER_SUBSET_OWN * s->cap, sizeof *own);
    s->own = own;
    s->cap = cap;
    return 0;
}

static bool same(const struct homer_candidate *c, const uint32_t *y, uint32_t n) {
    return c->n == n && (n == 0 || memcmp(c->y, y, n * sizeof *y) == 0);
}

/* Adds a candidate unless it is there already; returns its place. */
static struct homer_candidate *add(struct homer_subset *s, const uint32_t *y, uint32_t n, uint32_t set) {
    uint32_t at = s->candidates;
    for (uint32_t i = 0; i < s->candidates && set == NONE; i++)
        if (s->set[i] == NONE && same(&s->candidate[i], y, n)) at = i;
    /* no early exit: the loop vectorises */
    for (uint32_t i = 0; i < s->candidates && set != NONE; i++) at = s->set[i] == set ? i : at;
    struct homer_candidate *c = &s->candidate[at];
    if (at < s->candidates) return c;
    *c = (struct homer_candidate){.y = y, .n = n, .set = set};
    s->set[s->candidates++] = set;
    return c;
}

/* Adds the set of the n best labels, ascending in row `own` of the scratch. */
static struct homer_candidate *add_prefix(struct homer_subset *s, const struct homer_labelsets *sets,
                                          const uint32_t *rank, uint32_t n, uint32_t own) {
    uint32_t *y = s->own + (size_t)own * s->cap;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = i;
        for (; j > 0 && y[j - 1] > rank[i]; j--) y[j] = y[j - 1];
        y[j] = rank[i];
    }
    return add(s, y, n, homer_labelsets_find(sets, y, n));
}

/* Adds those of the n best, of the f1 best, and of none to the most that are tried; each size is looked up
 * once. */
static void add_prefixes(struct homer_subset *s, const struct homer_labelsets *sets, const uint32_t *rank,
                         uint32_t ranks, uint32_t half, uint32_t f1) {
    uint32_t own = 0;
    add_prefix(s, sets, rank, half, own++)->f[6] = 1;
    if (half) add_prefix(s, sets, rank, 0, own++);
    if (f1 && f1 != half) add_prefix(s, sets, rank, f1, own++);
    for (uint32_t k = 1; k <= HOMER_SUBSET_PREFIXES && k <= ranks; k++)
        if (k != half && k != f1) add_prefix(s, sets, rank, k, own++);
}

static void add_listed(struct homer_subset *s, const struct homer_labelsets *sets, const uint32_t *list,
                       int n) {
    for (int i = 0; i < n && list[i]; i++) {
        uint32_t k;
        const uint32_t *y = homer_labelsets_get(sets, list[i] - 1, &k);
        add(s, y, k, list[i] - 1);
    }
}

HOMER_WIDE static void to_logits(float *v, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) v[i] = homer_logit(v[i]);
}

HOMER_WIDE static void to_logs(float *v, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) v[i] = homer_log(v[i]);
}

/* e^(score - the best one's) of every candidate. */
HOMER_WIDE static void to_shares(float *v, float top, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) v[i] = homer_exp(v[i] - top);
}

/* Sums of the members' log-odds, a batch of members at a time: many are the same, but looking up which
 * costs more. */
static void add_logits(struct homer_subset *s, const float *p) {
    float logit[BATCH];
    uint32_t of[BATCH], n = 0;
    for (uint32_t i = 0, j = 0; i < s->candidates; j = 0, i++) do {
            for (; j < s->candidate[i].n && n < BATCH; j++) {
                logit[n] = p[s->candidate[i].y[j]];
                of[n++] = i;
            }
            if (n < BATCH && i + 1 < s->candidates) continue;
            to_logits(logit, n);
            for (uint32_t k = 0; k < n; k++) s->candidate[of[k]].f[0] += logit[k];
            n = 0;
        } while (j < s->candidate[i].n);
}

/* The other features, which the labelsets' history gives. */
static void describe(struct homer_subset *s, const struct homer_labelsets *sets) {
    enum { COUNT, FADED, SIZE, LOGS };
    float log[LOGS][MOST];
    double t = (double)sets->n;
    for (uint32_t i = 0; i < s->candidates; i++) {
        const struct homer_candidate *c = &s->candidate[i];
        double count = c->set == NONE ? 0 : (double)sets->count[c->set];
        double faded = c->set == NONE ? 0 : homer_labelsets_faded(sets, c->set);
        double size = (double)sets->size_count[c->n < HOMER_SIZES ? c->n : HOMER_SIZES - 1];
        log[COUNT][i] = (float)((count + 0.1) / (t + 1));
        log[FADED][i] = (float)((faded + 0.05) / 100);
        log[SIZE][i] = (float)((size + 0.2) / (t + 12.8));
    }
    for (int k = 0; k < LOGS; k++) to_logs(log[k], s->candidates);
    for (uint32_t i = 0; i < s->candidates; i++) {
        struct homer_candidate *c = &s->candidate[i];
        c->f[1] = 0.5f * log[COUNT][i];
        c->f[2] = 0.5f * log[FADED][i];
        c->f[3] = c->set != NONE && c->set == sets->previous;
        c->f[4] = c->set != NONE;
        c->f[5] = log[SIZE][i];
        c->f[7] = c->n == 0;
    }
}

static float share_among_trees(const struct homer_near_sets *near, uint32_t set) {
    for (uint32_t i = 0; i < near->tree_sets && set != NONE; i++)
        if (near->tree_set[i] == set) return near->tree_share[i];
    return 0;
}

void homer_subset_propose(struct homer_subset *s, const struct homer_labelsets *sets, const uint32_t *rank,
                          uint32_t ranks, uint32_t half, uint32_t f1, const float *p,
                          const struct homer_near_sets *near) {
    s->candidates = 0;
    add_prefixes(s, sets, rank, ranks, half, f1);
    if (sets->previous != NONE) add_listed(s, sets, &(uint32_t){sets->previous + 1}, 1);
    for (uint32_t i = 0; i < HOMER_SUBSET_TOP && i < ranks; i++) {
        const struct homer_labelset_lists *lists = &sets->lists[rank[i]];
        add_listed(s, sets, lists->frequent, HOMER_FREQUENT);
        add_listed(s, sets, lists->recent, HOMER_RECENT);
    }
    for (uint32_t i = 0; near && i < near->sets; i++)
        add(s, near->y[i], near->n[i], homer_labelsets_find(sets, near->y[i], near->n[i]))->f[8] +=
            near->share[i];
    for (uint32_t i = 0; near && i < near->tree_sets; i++)
        add_listed(s, sets, &(uint32_t){near->tree_set[i] + 1}, 1);
    add_logits(s, p);
    describe(s, sets);
    for (uint32_t i = 0; i < s->candidates; i++) {
        struct homer_candidate *c = &s->candidate[i];
        if (near) c->f[9] = homer_log((share_among_trees(near, c->set) + LEAST_SHARE) / (1 + LEAST_SHARE));
        c->score = 0;
        for (int k = 0; k < F; k++) c->score += s->w[k] * c->f[k];
    }
}

/* share[candidates]: e^(score - the best one's). */
static void shares_of(const struct homer_subset *s, float share[MOST]) {
    for (uint32_t i = 0; i < s->candidates; i++) share[i] = s->candidate[i].score;
    to_shares(share, homer_subset_best(s)->score, s->candidates);
}

void homer_subset_posterior(struct homer_subset *s) {
    float share[MOST], total = 0;
    shares_of(s, share);
    for (uint32_t i = 0; i < s->candidates; i++) total += share[i];
    for (uint32_t i = 0; i < s->candidates; i++) s->candidate[i].p = share[i] / total;
}

const struct homer_candidate *homer_subset_best(const struct homer_subset *s) {
    const struct homer_candidate *best = &s->candidate[0];
    for (uint32_t i = 1; i < s->candidates; i++)
        if (s->candidate[i].score > best->score) best = &s->candidate[i];
    return best;
}

void homer_subset_learn(struct homer_subset *s, const uint32_t *y, uint32_t n) {
    const struct homer_candidate *truth = NULL;
    for (uint32_t i = 0; i < s->candidates && !truth; i++)
        if (same(&s->candidate[i], y, n)) truth = &s->candidate[i];
    if (!truth) return;
    float share[MOST], total = 0, mean[F] = {0};
    shares_of(s, share);
    for (uint32_t i = 0; i < s->candidates; i++) {
        total += share[i];
        for (int k = 0; k < F; k++) mean[k] += share[i] * s->candidate[i].f[k];
    }
    for (int k = 0; k < F; k++) {
        float g = homer_clip(truth->f[k] - mean[k] / total, -GRADIENT_CLIP, GRADIENT_CLIP);
        s->g[k] += g * g;
        s->w[k] += RATE * g / sqrtf(s->g[k]);
    }
    if (s->w[0] < MIN_FIRST_WEIGHT) s->w[0] = MIN_FIRST_WEIGHT;
}

void homer_subset_encode(const struct homer_subset *s, struct homer_codec *c) {
    homer_put_f32s(c, s->w, F);
    homer_put_f32s(c, s->g, F);
    homer_put_room(c, s->cap);
}

void homer_subset_decode(struct homer_subset *s, uint32_t labels, struct homer_decoder *d) {
    homer_get_f32s(d, s->w, F);
    homer_get_f32s(d, s->g, F);
    uint32_t cap = homer_get_room(d, labels);
    if (homer_subset_reserve(s, cap)) homer_get_fail(d, -ENOMEM);
    homer_get_holds(d, s->cap == cap);
}
