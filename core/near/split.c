#include "core/near/split.h"

#include "core/base/num.h"

enum { WORDS = HOMER_SAMPLE_WORDS };

static uint32_t below(struct homer_rng *r, uint32_t n) {
    return (uint32_t)((homer_rng_next(r) >> 32) * n >> 32);
}

static float unit(struct homer_rng *r) {
    return (float)(homer_rng_next(r) >> 40) * 0x1p-24f;
}

struct homer_sight homer_split_look(struct homer_grower *g, const struct homer_part *p) {
    const struct homer_sample *s = &g->sample;
    struct homer_sight v = {.pure = true};
    for (uint32_t k = 0; k < p->size; k++) {
        uint32_t i = p->id[k];
        const struct homer_window_slot *w = &g->window->slot[s->slot[i]];
        v.set[i / 64] |= (uint64_t)1 << (i % 64);
        g->upto[k] = v.entries += w->feature_n - w->sparse;
        if (g->told.partial) homer_told_enter(&g->told, w);
        for (uint32_t j = s->first_label[i]; j < s->first_label[i + 1]; j++)
            if (g->all[s->label[j]]++ == 0) g->label[v.labels++] = s->label[j];
    }
    for (uint32_t k = 0; k < v.labels; k++) {
        double c = (double)g->all[g->label[k]], n = (double)homer_split_told_by(g, g->label[k], p->size);
        v.squares += c * c;
        v.trues += (uint32_t)c;
        v.worth += c * c / n;
        v.pure = v.pure && c == n;
    }
    return v;
}

static inline uint32_t count(const uint64_t *set) {
    uint32_t n = 0;
    for (int w = 0; w < WORDS; w++) n += (uint32_t)__builtin_popcountll(set[w]);
    return n;
}

void homer_split_mark(struct homer_grower *g, const struct homer_part *p, const struct homer_split *s) {
    if (s->dense) {
        const float *column = g->window->dense.column[s->feature];
        for (uint32_t k = 0; k < p->n; k++) g->right[p->slot[k]] = column[p->slot[k]] > s->threshold;
        return;
    }
    const struct homer_posting_list *l = &g->window->sparse.list[s->feature];
    for (uint32_t k = 0; k < p->n; k++) g->right[p->slot[k]] = 0 > s->threshold;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct homer_posting *e = &l->ring[(l->head + i) & (l->cap - 1)];
        g->right[e->slot] = e->x > s->threshold;
    }
}

/* Whether both sides have enough instances for a leaf; of the sample's, both have HOMER_LEAST. */
static bool fits(struct homer_grower *g, const struct homer_part *p, const struct homer_split *s) {
    uint32_t right = 0;
    if (p->size == p->n || g->least == HOMER_LEAST) return true;
    homer_split_mark(g, p, s);
    for (uint32_t k = 0; k < p->n; k++) right += g->right[p->slot[k]];
    return right >= g->least && p->n - right >= g->least;
}

/* Of the counts on one side: the sum of their squares, and of their products with the whole node's. */
struct overlap {
    uint64_t own, cross;
};

/* By label: cheap where a few labels are true of many instances. */
static inline struct overlap overlap_of_labels(const struct homer_grower *g, const struct homer_sight *v,
                                               const uint64_t side[WORDS]) {
    struct overlap o = {0, 0};
    for (uint32_t k = 0; k < v->labels; k++) {
        const uint64_t *having = g->sample.having[g->label[k]];
        uint64_t c = 0;
        for (int w = 0; w < WORDS; w++) c += (uint64_t)__builtin_popcountll(having[w] & side[w]);
        o.own += c * c;
        o.cross += c * (uint64_t)g->all[g->label[k]];
    }
    return o;
}

/* By instance; leaves the counts in side[few[*few]]. */
static inline struct overlap overlap_of_instances(struct homer_grower *g, const uint64_t side[WORDS],
                                                  uint32_t *few) {
    const struct homer_sample *sample = &g->sample;
    struct overlap o = {0, 0};
    uint32_t m = 0;
    for (uint32_t w = 0; w < WORDS; w++)
        for (uint64_t set = side[w]; set; set &= set - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(set);
            if (g->told.partial) homer_told_beside(&g->told, &g->window->slot[sample->slot[i]]);
            for (uint32_t j = sample->first_label[i]; j < sample->first_label[i + 1]; j++) {
                uint32_t l = sample->label[j];
                uint64_t c = (uint64_t)g->side[l]++;
                g->few[m] = l;
                m += c == 0;
                o.own += 2 * c + 1;
                o.cross += (uint64_t)g->all[l];
            }
        }
    *few = m;
    return o;
}

/* Offers the split with this right side. The counts of the smaller side tell those of the other. */
HOMER_WIDE static void offer(struct homer_grower *g, const struct homer_part *p, const struct homer_sight *v,
                             struct homer_split *best, struct homer_split *s) {
    uint32_t few = count(s->right), m = 0;
    uint64_t side[WORDS];
    struct overlap o;
    bool left = 2 * few > p->size;
    if (left) few = p->size - few;
    if (few < (p->size < p->n ? HOMER_LEAST : g->least)) return;
    for (int w = 0; w < WORDS; w++) side[w] = left ? v->set[w] & ~s->right[w] : s->right[w];
    if (!g->told.partial && (uint64_t)2 * v->labels * p->size <= (uint64_t)v->trues * few)
        o = overlap_of_labels(g, v, side);
    else
        o = overlap_of_instances(g, side, &m);
    if (g->told.partial)
        s->score = homer_told_worth(&g->told, g->label, v->labels, g->all, g->side);
    else
        s->score = (double)o.own / few + (v->squares - 2 * (double)o.cross + (double)o.own) / (p->size - few);
    for (uint32_t k = 0; k < m; k++) g->side[g->few[k]] = 0;
    if (s->score > best->score && fits(g, p, s)) *best = *s;
}

static void try_dense(struct homer_grower *g, const struct homer_part *p, const struct homer_sight *v,
                      struct homer_split *best) {
    struct homer_split s = {.dense = true, .feature = g->dense[below(&g->rng, g->dense_n)]};
    const float *column = g->window->dense.column[s.feature];
    const uint32_t *slot = g->sample.slot;
    float a = column[slot[p->id[below(&g->rng, p->size)]]], b = column[slot[p->id[below(&g->rng, p->size)]]];
    s.threshold = a + unit(&g->rng) * (b - a);
    for (uint32_t k = 0; k < p->size; k++) {
        uint32_t i = p->id[k];
        s.right[i / 64] |= (uint64_t)(column[slot[i]] > s.threshold) << (i % 64);
    }
    offer(g, p, v, best, &s);
}

static void try_sparse(struct homer_grower *g, const struct homer_part *p, const struct homer_sight *v,
                       uint32_t entry, struct homer_split *best) {
    uint32_t low = 0;
    for (uint32_t high = p->size - 1; low < high;) { /* whose entry it is */
        uint32_t middle = (low + high) / 2;
        if (g->upto[middle] > entry)
            high = middle;
        else
            low = middle + 1;
    }
    const struct homer_window_slot *w = &g->window->slot[g->sample.slot[p->id[low]]];
    uint32_t at = w->feature_n - (g->upto[low] - entry);
    struct homer_split s = {.feature = w->feature[at], .threshold = unit(&g->rng) * w->x[at]};
    if (!(s.threshold < 0) && !(s.threshold > 0))
        return; /* would not part what is absent from what is negative */
    homer_sample_beyond(&g->sample, s.feature, s.threshold, v->set, s.right);
    for (int k = 0; k < WORDS && s.threshold < 0; k++) s.right[k] = v->set[k] & ~s.right[k];
    offer(g, p, v, best, &s);
}

void homer_split_draw(struct homer_grower *g, const struct homer_part *p, const struct homer_sight *v,
                      struct homer_split *best) {
    uint32_t widths = g->dense_n * p->size + v->entries, at = widths ? below(&g->rng, widths) : 0;
    if (at < v->entries)
        try_sparse(g, p, v, at, best);
    else if (widths)
        try_dense(g, p, v, best);
}
