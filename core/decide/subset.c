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

enum { F = HOMER_SUBSET_FEATURES };

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
    for (uint32_t i = 0; i < s->candidates; i++) {
        struct homer_candidate *c = &s->candidate[i];
        if (set != NONE ? c->set == set : c->set == NONE && same(c, y, n)) return c;
    }
    struct homer_candidate *c = &s->candidate[s->candidates++];
    *c = (struct homer_candidate){.y = y, .n = n, .set = set};
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

static void add_listed(struct homer_subset *s, const struct homer_labelsets *sets, const uint32_t *list,
                       int n) {
    for (int i = 0; i < n && list[i]; i++) {
        uint32_t k;
        const uint32_t *y = homer_labelsets_get(sets, list[i] - 1, &k);
        add(s, y, k, list[i] - 1);
    }
}

static void describe(struct homer_candidate *c, const struct homer_labelsets *sets, const float *p) {
    double t = (double)sets->n;
    double count = c->set == NONE ? 0 : (double)sets->count[c->set];
    double faded = c->set == NONE ? 0 : homer_labelsets_faded(sets, c->set);
    double size = (double)sets->size_count[c->n < HOMER_SIZES ? c->n : HOMER_SIZES - 1];
    for (uint32_t i = 0; i < c->n; i++) c->f[0] += homer_logit(p[c->y[i]]);
    c->f[1] = 0.5f * homer_log((float)((count + 0.1) / (t + 1)));
    c->f[2] = 0.5f * homer_log((float)((faded + 0.05) / 100));
    c->f[3] = c->set != NONE && c->set == sets->previous;
    c->f[4] = c->set != NONE;
    c->f[5] = homer_log((float)((size + 0.2) / (t + 12.8)));
    c->f[7] = c->n == 0;
}

static float share_among_trees(const struct homer_near_sets *near, uint32_t set) {
    for (uint32_t i = 0; i < near->tree_sets && set != NONE; i++)
        if (near->tree_set[i] == set) return near->tree_share[i];
    return 0;
}

void homer_subset_propose(struct homer_subset *s, const struct homer_labelsets *sets, const uint32_t *rank,
                          uint32_t ranks, uint32_t half, uint32_t f1, const float *p,
                          const struct homer_near_sets *near) {
    uint32_t own = 0;
    s->candidates = 0;
    add_prefix(s, sets, rank, half, own++)->f[6] = 1;
    add_prefix(s, sets, rank, 0, own++);
    add_prefix(s, sets, rank, f1, own++);
    for (uint32_t k = 1; k <= HOMER_SUBSET_PREFIXES && k <= ranks; k++) add_prefix(s, sets, rank, k, own++);
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
    for (uint32_t i = 0; i < s->candidates; i++) {
        struct homer_candidate *c = &s->candidate[i];
        describe(c, sets, p);
        if (near) c->f[9] = homer_log((share_among_trees(near, c->set) + LEAST_SHARE) / (1 + LEAST_SHARE));
        c->score = 0;
        for (int k = 0; k < F; k++) c->score += s->w[k] * c->f[k];
    }
}

void homer_subset_posterior(struct homer_subset *s) {
    float top = homer_subset_best(s)->score, total = 0;
    for (uint32_t i = 0; i < s->candidates; i++) {
        s->candidate[i].p = homer_exp(s->candidate[i].score - top);
        total += s->candidate[i].p;
    }
    for (uint32_t i = 0; i < s->candidates; i++) s->candidate[i].p /= total;
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
    float top = homer_subset_best(s)->score, total = 0, mean[F] = {0};
    for (uint32_t i = 0; i < s->candidates; i++) {
        float e = homer_exp(s->candidate[i].score - top);
        total += e;
        for (int k = 0; k < F; k++) mean[k] += e * s->candidate[i].f[k];
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
