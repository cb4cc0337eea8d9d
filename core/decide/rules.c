#include "core/decide/rules.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/ids.h"
#include "core/base/num.h"

#define START_CUT 0.3f
#define HELP_POSITIVES 5.0
#define LAYERED_HELP_POSITIVES 1.0
#define HELP_FROM 10.0 /* positives that a pool of young labels must have to help */
#define HARD 0.1       /* what the truth counts in layered histograms; the rest is its score's */

enum { SHORT = 24 }; /* labels that the posterior is asked about */

void homer_rules_init(struct homer_rules *r, struct homer_mem *mem, const uint8_t hash_key[16],
                      bool layered) {
    *r = (struct homer_rules){.mem = mem, .layered = layered};
    homer_labelsets_init(&r->sets, mem, hash_key);
    homer_subset_init(&r->subset, mem, layered);
}

static void release(struct homer_rules *r) {
    homer_mem_free(r->mem, r->label, r->cap, sizeof *r->label);
    homer_mem_free(r->mem, r->seen, r->cap, sizeof *r->seen);
    homer_mem_free(r->mem, r->rank, r->cap, sizeof *r->rank);
    homer_mem_free(r->mem, r->out, r->cap, sizeof *r->out);
    homer_mem_free(r->mem, r->place, r->cap, sizeof *r->place);
}

void homer_rules_deinit(struct homer_rules *r) {
    release(r);
    homer_labelsets_deinit(&r->sets);
    homer_subset_deinit(&r->subset);
}

static int reserve_labels(struct homer_rules *r, uint32_t labels) {
    if (labels <= r->cap) return 0;
    struct homer_rules g = *r;
    g.cap = r->cap ? r->cap : 16;
    while (g.cap < labels) g.cap += g.cap / 2;
    g.label = homer_mem_alloc(r->mem, g.cap, sizeof *g.label);
    g.seen = homer_mem_alloc(r->mem, g.cap, sizeof *g.seen);
    g.rank = homer_mem_alloc(r->mem, g.cap, sizeof *g.rank);
    g.out = homer_mem_alloc(r->mem, g.cap, sizeof *g.out);
    g.place = homer_mem_alloc(r->mem, g.cap, sizeof *g.place);
    if (!g.label || !g.seen || !g.rank || !g.out || !g.place) {
        release(&g);
        return -ENOMEM;
    }
    if (r->cap) memcpy(g.label, r->label, r->cap * sizeof *g.label);
    if (r->cap) memcpy(g.seen, r->seen, r->cap * sizeof *g.seen);
    release(r);
    *r = g;
    return 0;
}

int homer_rules_reserve(struct homer_rules *r, const struct homer_instance *x, uint32_t labels) {
    int rc = homer_labelsets_reserve(&r->sets, x->positive, x->partial ? 0 : x->positive_n, labels);
    if (!rc) rc = homer_subset_reserve(&r->subset, labels);
    return rc ? rc : reserve_labels(r, labels);
}

void homer_rules_rank(struct homer_rules *r, const float *p, uint32_t labels) {
    r->some = NULL;
    r->ranks = labels ? homer_rank(p, labels, r->rank) : 0;
}

void homer_rules_rank_some(struct homer_rules *r, const float *p, const uint32_t *some, uint32_t n) {
    r->some = some;
    r->some_n = n;
    r->ranks = homer_rank_of(p, some, n, r->rank);
}

/* How many labels may have p > 0, and which the i-th is. */
static inline uint32_t scored(const struct homer_rules *r, uint32_t labels) {
    return r->some ? r->some_n : labels;
}

static inline uint32_t scored_at(const struct homer_rules *r, uint32_t i) {
    return r->some ? r->some[i] : i;
}

static float probability_of_none(const struct homer_rules *r, const float *p, uint32_t labels) {
    float sum = 0;
    for (uint32_t i = 0, n = scored(r, labels); i < n; i++) {
        uint32_t l = scored_at(r, i);
        sum += p[l] < 0.999999f ? homer_log(1.0f - p[l]) : -14.0f;
    }
    return homer_exp(sum);
}

/* expected[most + 1]: F1 of the k best labels, expected under the labelset posterior; times `share`. */
static void expect_f1(struct homer_rules *r, uint32_t most, float share, float *expected) {
    for (uint32_t k = 0; k <= most; k++) expected[k] = 0;
    for (uint32_t i = 0; i < most; i++) r->place[r->rank[i]] = i + 1;
    for (uint32_t i = 0; i < r->subset.candidates; i++) {
        const struct homer_candidate *c = &r->subset.candidate[i];
        uint8_t holds[SHORT + 1] = {0};
        float hits = 0;
        for (uint32_t j = 0; j < c->n; j++) {
            uint32_t at = r->place[c->y[j]];
            if (at) holds[at] = 1;
        }
        if (c->n == 0) expected[0] += share * c->p;
        for (uint32_t k = 1; k <= most; k++) {
            hits += holds[k];
            expected[k] += share * c->p * 2 * hits / (float)(k + c->n);
        }
    }
    for (uint32_t i = 0; i < most; i++) r->place[r->rank[i]] = 0;
}

static float share_of_none(const struct homer_rules *r) {
    float empty = (float)(20 * homer_emptiness_probability(&r->emptiness));
    return empty < 1 ? empty : 1;
}

/* How many labels the rule takes; expected NULL: without the posterior's part. */
static uint32_t best_f1_size(const struct homer_rules *r, const float *p, uint32_t labels, uint32_t most,
                             const float *expected) {
    float mass = 0, taken = 0, best = 0, none = expected ? expected[0] : 0;
    uint32_t size = 0;
    for (uint32_t i = 0, n = scored(r, labels); i < n; i++) mass += p[scored_at(r, i)];
    for (uint32_t k = 1; k <= most && p[r->rank[k - 1]] > 0; k++) {
        taken += p[r->rank[k - 1]];
        float f1 = 2 * taken / ((float)k + mass) + (expected ? expected[k] : 0);
        if (f1 > best) {
            best = f1;
            size = k;
        }
    }
    float empty = share_of_none(r);
    bool may_be = size && none + (1 - p[r->rank[0]]) * empty > best; /* a bound that is cheap */
    return may_be && none + probability_of_none(r, p, labels) * empty > best ? 0 : size;
}

static uint32_t example_f1_size(const struct homer_rules *r, const float *p, uint32_t labels) {
    return best_f1_size(r, p, labels, r->ranks, NULL);
}

static uint32_t layered_f1_size(struct homer_rules *r, const float *p, uint32_t labels) {
    float expected[SHORT + 1];
    uint32_t most = r->ranks < SHORT ? r->ranks : SHORT;
    float share = (float)homer_emptiness_complete(&r->emptiness); /* what the posterior could learn from */
    if (!r->subset.candidates || !(share > 0)) return example_f1_size(r, p, labels);
    expect_f1(r, most, share, expected);
    return best_f1_size(r, p, labels, most, expected);
}

static uint32_t half_size(const struct homer_rules *r, const float *p) {
    uint32_t k = 0;
    while (k < r->ranks && p[r->rank[k]] > 0.5f) k++;
    return k;
}

/* The n best labels; more than were ranked when asked for. */
static uint32_t take(struct homer_rules *r, const float *p, uint32_t labels, uint32_t n) {
    if (n > r->ranks) return homer_rank_top_of(p, r->some, scored(r, labels), n, r->out);
    if (n) memcpy(r->out, r->rank, n * sizeof *r->out);
    return n;
}

static uint32_t take_above(struct homer_rules *r, const float *p, uint32_t labels, double threshold) {
    uint32_t n = 0;
    for (uint32_t i = 0, all = scored(r, labels); i < all; i++) {
        uint32_t l = scored_at(r, i);
        if ((double)p[l] >= threshold && p[l] > 0) r->out[n++] = l;
    }
    homer_rank_sort(p, r->out, n);
    return n;
}

static uint32_t take_micro(struct homer_rules *r, const float *p) {
    float cut = homer_histogram_cut(&r->all, NULL, 0, START_CUT);
    uint32_t n = 0;
    for (; n < r->ranks && p[r->rank[n]] >= cut; n++) r->out[n] = r->rank[n];
    return n;
}

/* Which pool a label seen that often is in; HOMER_YOUNG_POOLS: it is not young. */
static int young_pool(uint32_t seen) {
    return seen == 0 ? HOMER_YOUNG_POOLS : seen <= 1 ? 0 : seen <= 5 ? 1 : seen <= 20 ? 2 : HOMER_YOUNG_POOLS;
}

static uint32_t take_macro(struct homer_rules *r, const float *p) {
    const struct homer_histogram *help[HOMER_YOUNG_POOLS + 1];
    double scale[HOMER_YOUNG_POOLS + 1], worth = r->layered ? LAYERED_HELP_POSITIVES : HELP_POSITIVES;
    uint32_t n = 0;
    for (int i = 0; i <= HOMER_YOUNG_POOLS; i++) {
        help[i] = i < HOMER_YOUNG_POOLS ? &r->young[i] : &r->all;
        double positives = homer_histogram_positives(help[i]);
        if (i < HOMER_YOUNG_POOLS && positives < HELP_FROM)
            positives = homer_histogram_positives(help[i] = &r->all);
        scale[i] = positives > 0 ? worth / positives : 0;
    }
    for (uint32_t i = 0; i < r->ranks; i++) {
        uint32_t l = r->rank[i];
        int pool = young_pool(r->seen[l]);
        if (p[l] >= homer_histogram_cut(&r->label[l], help[pool], scale[pool], START_CUT)) r->out[n++] = l;
    }
    return n;
}

void homer_rules_propose(struct homer_rules *r, const float *p, uint32_t labels,
                         const struct homer_near_sets *near) {
    homer_subset_propose(&r->subset, &r->sets, r->rank, r->ranks, half_size(r, p),
                         example_f1_size(r, p, labels), p, near);
    homer_subset_posterior(&r->subset);
}

static uint32_t take_subset(struct homer_rules *r, const float *p, uint32_t labels) {
    if (!r->layered) homer_rules_propose(r, p, labels, NULL);
    const struct homer_candidate *best = homer_subset_best(&r->subset);
    if (best->n) memcpy(r->out, best->y, best->n * sizeof *r->out);
    homer_rank_sort(p, r->out, best->n);
    return best->n;
}

const uint32_t *homer_rules_choose(struct homer_rules *r, const float *p, uint32_t labels,
                                   const struct homer_decide *d, uint32_t *n) {
    *n = 0;
    if (labels == 0) return NULL;
    if (d->k > 0)
        *n = take(r, p, labels, d->k);
    else if (!isnan(d->threshold))
        *n = take_above(r, p, labels, d->threshold);
    else if (d->objective == HOMER_MICRO_F1)
        *n = take_micro(r, p);
    else if (d->objective == HOMER_MACRO_F1)
        *n = take_macro(r, p);
    else if (d->objective == HOMER_SUBSET)
        *n = take_subset(r, p, labels);
    else
        *n = take(r, p, labels,
                  d->objective == HOMER_HAMMING ? half_size(r, p)
                  : r->layered                  ? layered_f1_size(r, p, labels)
                                                : example_f1_size(r, p, labels));
    return r->out;
}

static void count_score(struct homer_rules *r, uint32_t l, float p, int y, double weight) {
    uint32_t bin = homer_histogram_bin(p);
    double soft = r->layered ? HARD * y + (1 - HARD) * (double)p : y;
    if (bin == 0 && !y) {
        if (soft > 0) homer_histogram_add(&r->label[l], 0, 1, weight * soft);
        return;
    }
    int pool = young_pool(r->seen[l]);
    if (pool < HOMER_YOUNG_POOLS) homer_histogram_add(&r->young[pool], bin, y, weight);
    if (y && r->seen[l] < UINT32_MAX) r->seen[l]++;
    if (soft > 0) homer_histogram_add(&r->all, bin, 1, weight * soft);
    if (soft < 1) homer_histogram_add(&r->all, bin, 0, weight * (1 - soft));
    if (soft > 0) homer_histogram_add(&r->label[l], bin, 1, weight * soft);
    if (soft < 1) homer_histogram_add(&r->label[l], bin, 0, weight * (1 - soft));
}

/* A complete labelling where few labels have a score: the others are negatives of bin 0, which nothing
 * counts.
 */
static void count_some(struct homer_rules *r, const float *p, const struct homer_instance *x) {
    struct homer_union labels = {r->some, x->positive, r->some_n, x->positive_n};
    uint32_t l;
    bool y;
    while (homer_union_next(&labels, &l, &y)) count_score(r, l, p[l], y, x->weight);
}

static void count_all(struct homer_rules *r, const float *p, const struct homer_instance *x,
                      uint32_t labels) {
    const uint32_t *positive = x->positive, *end = positive + x->positive_n;
    for (uint32_t l = 0; l < labels; l++) {
        int y = positive < end && *positive == l;
        positive += y;
        count_score(r, l, p[l], y, x->weight);
    }
}

void homer_rules_learn(struct homer_rules *r, const float *p, const struct homer_instance *x,
                       uint32_t labels) {
    if (x->partial) {
        homer_emptiness_learn(&r->emptiness, x, labels);
        for (uint32_t i = 0; i < x->positive_n; i++)
            count_score(r, x->positive[i], p[x->positive[i]], 1, x->weight);
        for (uint32_t i = 0; i < x->negative_n; i++)
            count_score(r, x->negative[i], p[x->negative[i]], 0, x->weight);
        return;
    }
    if (r->some)
        count_some(r, p, x);
    else
        count_all(r, p, x, labels);
    if (labels && !r->layered) homer_rules_propose(r, p, labels, NULL);
    if (labels && r->subset.candidates) homer_subset_learn(&r->subset, x->positive, x->positive_n);
    homer_emptiness_learn(&r->emptiness, x, labels);
    homer_labelsets_add(&r->sets, x->positive, x->positive_n);
}

void homer_rules_encode(const struct homer_rules *r, uint32_t labels, struct homer_codec *c) {
    homer_put_f64s(c, r->all.positive, HOMER_BINS);
    homer_put_f64s(c, r->all.negative, HOMER_BINS);
    for (int i = 0; i < HOMER_YOUNG_POOLS; i++) {
        homer_put_f64s(c, r->young[i].positive, HOMER_BINS);
        homer_put_f64s(c, r->young[i].negative, HOMER_BINS);
    }
    homer_put_room(c, r->cap);
    homer_put_u32s(c, r->seen, labels);
    for (uint32_t l = 0; l < labels; l++) {
        homer_put_f64s(c, r->label[l].positive, HOMER_BINS);
        homer_put_f64s(c, r->label[l].negative, HOMER_BINS);
    }
    homer_labelsets_encode(&r->sets, labels, c);
    homer_emptiness_encode(&r->emptiness, c);
    homer_subset_encode(&r->subset, c);
}

void homer_rules_decode(struct homer_rules *r, uint32_t labels, struct homer_decoder *d) {
    homer_get_f64s(d, r->all.positive, HOMER_BINS);
    homer_get_f64s(d, r->all.negative, HOMER_BINS);
    for (int i = 0; i < HOMER_YOUNG_POOLS; i++) {
        homer_get_f64s(d, r->young[i].positive, HOMER_BINS);
        homer_get_f64s(d, r->young[i].negative, HOMER_BINS);
    }
    uint32_t cap = homer_get_room(d, labels);
    if (reserve_labels(r, cap)) homer_get_fail(d, -ENOMEM);
    if (!homer_get_holds(d, r->cap == cap)) return;
    homer_get_u32s(d, r->seen, labels);
    for (uint32_t l = 0; l < labels; l++) {
        homer_get_f64s(d, r->label[l].positive, HOMER_BINS);
        homer_get_f64s(d, r->label[l].negative, HOMER_BINS);
    }
    homer_labelsets_decode(&r->sets, labels, d);
    homer_emptiness_decode(&r->emptiness, d);
    homer_subset_decode(&r->subset, labels, d);
}
