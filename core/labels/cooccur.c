#include "core/labels/cooccur.h"

#include <errno.h>

#define WEIGHT_MAX 1e6

void homer_cooccur_init(struct homer_cooccur *c, struct homer_mem *mem, double lambda, uint32_t k,
                        uint64_t seed) {
    *c = (struct homer_cooccur){.mem = mem, .lambda = lambda, .weight = 1, .k = k};
    homer_rng_seed(&c->rng, seed);
}

void homer_cooccur_deinit(struct homer_cooccur *c) {
    size_t cells = (size_t)c->cap * c->k;
    c->n = homer_mem_free(c->mem, c->n, c->cap, sizeof *c->n);
    c->unknown = homer_mem_free(c->mem, c->unknown, c->cap, sizeof *c->unknown);
    c->used = homer_mem_free(c->mem, c->used, c->cap, sizeof *c->used);
    c->least = homer_mem_free(c->mem, c->least, c->cap, sizeof *c->least);
    c->neighbour = homer_mem_free(c->mem, c->neighbour, cells, sizeof *c->neighbour);
    c->count = homer_mem_free(c->mem, c->count, cells, sizeof *c->count);
    c->cap = c->labels = 0;
}

static int widen(struct homer_cooccur *c, uint32_t cap) {
    struct homer_cooccur grown = *c;
    grown.cap = cap;
    size_t old = (size_t)c->cap * c->k, cells = (size_t)cap * c->k;
    grown.n = homer_mem_alloc(c->mem, cap, sizeof *c->n);
    grown.unknown = homer_mem_alloc(c->mem, cap, sizeof *c->unknown);
    grown.used = homer_mem_alloc(c->mem, cap, sizeof *c->used);
    grown.least = homer_mem_alloc(c->mem, cap, sizeof *c->least);
    grown.neighbour = homer_mem_alloc(c->mem, cells, sizeof *c->neighbour);
    grown.count = homer_mem_alloc(c->mem, cells, sizeof *c->count);
    if (!grown.n || !grown.unknown || !grown.used || !grown.least || !grown.neighbour || !grown.count) {
        homer_cooccur_deinit(&grown);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < c->cap; i++)
        grown.n[i] = c->n[i], grown.unknown[i] = c->unknown[i], grown.used[i] = c->used[i],
        grown.least[i] = c->least[i];
    for (size_t i = 0; i < old; i++) grown.neighbour[i] = c->neighbour[i], grown.count[i] = c->count[i];
    homer_cooccur_deinit(c);
    *c = grown;
    return 0;
}

int homer_cooccur_reserve(struct homer_cooccur *c, uint32_t labels) {
    if (labels <= c->cap) return 0;
    return widen(c, labels < 16 ? 16 : labels + labels / 2);
}

uint32_t homer_cooccur_find(const struct homer_cooccur *c, uint32_t i, uint32_t j) {
    const uint32_t *neighbour = c->neighbour + (size_t)i * c->k;
    uint32_t at = c->k;
    /* No early exit: the loop vectorises, and most searches among few neighbours fail. */
    for (uint32_t k = 0; k < c->used[i]; k++) at = neighbour[k] == j ? k : at;
    return at;
}

static void find_least(struct homer_cooccur *c, uint32_t i) {
    const uint32_t *neighbour = c->neighbour + (size_t)i * c->k;
    const double *count = c->count + (size_t)i * c->k;
    uint32_t at = 0;
    if (c->used[i] < c->k) return;
    for (uint32_t k = 1; k < c->k; k++)
        if (count[k] < count[at] || (count[k] <= count[at] && neighbour[k] < neighbour[at])) at = k;
    c->least[i] = at;
}

/* One more instance with i and j, seen from i. */
static void count_neighbour(struct homer_cooccur *c, uint32_t i, uint32_t j) {
    uint32_t *neighbour = c->neighbour + (size_t)i * c->k;
    double *count = c->count + (size_t)i * c->k;
    uint32_t at = homer_cooccur_find(c, i, j);
    if (at == c->k && c->used[i] < c->k) {
        at = c->used[i]++;
        c->pairs++;
        neighbour[at] = j;
        count[at] = c->weight;
        find_least(c, i);
    } else {
        if (at == c->k) {
            at = c->least[i];
            if (homer_rng_unit(&c->rng) * (count[at] + c->weight) >= c->weight) return;
            neighbour[at] = j;
        }
        count[at] += c->weight;
        if (at == c->least[i]) find_least(c, i);
    }
}

double homer_cooccur_learn(struct homer_cooccur *c, const uint32_t *y, uint32_t n, uint32_t labels) {
    double factor = 1;
    c->labels = labels;
    c->weight /= c->lambda;
    if (c->weight > WEIGHT_MAX) {
        factor = 1 / c->weight;
        c->weight = 1;
        c->seen *= factor;
        for (uint32_t i = 0; i < c->labels; i++) {
            c->n[i] *= factor;
            c->unknown[i] *= factor;
            for (uint32_t k = 0; k < c->used[i]; k++) c->count[(size_t)i * c->k + k] *= factor;
            find_least(c, i); /* as what is read back has it: rounding may have made ties */
        }
    }
    c->seen += c->weight;
    for (uint32_t a = 0; a < n; a++) {
        c->n[y[a]] += c->weight;
        for (uint32_t b = 0; b < n; b++)
            if (b != a) count_neighbour(c, y[a], y[b]);
    }
    return factor;
}

double homer_cooccur_label(const struct homer_cooccur *c, uint32_t i) {
    return c->n[i] / c->weight;
}

static double both_of(const struct homer_cooccur *c, uint32_t i, uint32_t j) {
    uint32_t a = homer_cooccur_find(c, i, j), b = homer_cooccur_find(c, j, i);
    double both = a < c->k ? c->count[(size_t)i * c->k + a] : 0;
    if (b < c->k && c->count[(size_t)j * c->k + b] > both) both = c->count[(size_t)j * c->k + b];
    double most = c->n[i] < c->n[j] ? c->n[i] : c->n[j];
    return both < most ? both : most;
}

double homer_cooccur_pair(const struct homer_cooccur *c, uint32_t i, uint32_t j) {
    return both_of(c, i, j) / c->weight;
}

double homer_cooccur_jaccard(const struct homer_cooccur *c, uint32_t i, uint32_t j) {
    return homer_cooccur_similarity(c, i, j, both_of(c, i, j));
}

/* What is left of a count that has a weight of `known` instances behind it. */
static double share(double known, double kept) {
    return known > kept ? kept / known : 1;
}

void homer_cooccur_forget(struct homer_cooccur *c, const uint32_t *set, uint32_t n, const uint32_t *rank,
                          double instances) {
    double kept = instances * c->weight;
    for (uint32_t s = 0; s < n; s++) {
        uint32_t i = set[s];
        double known = c->seen - c->unknown[i];
        for (uint32_t k = 0; k < c->used[i]; k++) {
            uint32_t j = c->neighbour[(size_t)i * c->k + k];
            double of_j = c->seen - c->unknown[j], factor = share(known < of_j ? known : of_j, kept);
            c->count[(size_t)i * c->k + k] *= factor;
            if (rank[j] != UINT32_MAX) continue;
            uint32_t copy = homer_cooccur_find(c, j, i);
            if (copy == c->k) continue;
            c->count[(size_t)j * c->k + copy] *= factor;
            find_least(c, j);
        }
        find_least(c, i); /* rounding may have made ties */
    }
    for (uint32_t s = 0; s < n; s++) {
        uint32_t i = set[s];
        double known = c->seen - c->unknown[i];
        c->n[i] *= share(known, kept);
        if (known > kept) c->unknown[i] = c->seen - kept;
    }
}

void homer_cooccur_encode(const struct homer_cooccur *c, struct homer_codec *codec) {
    homer_put_f64(codec, c->weight);
    homer_put_u32(codec, c->labels);
    homer_put_room(codec, c->cap);
    homer_put_f64(codec, c->seen);
    homer_put_f64s(codec, c->unknown, c->labels);
    homer_put_f64s(codec, c->n, c->labels);
    homer_put_u32s(codec, c->used, c->labels);
    for (uint32_t i = 0; i < c->labels; i++) {
        homer_put_u32s(codec, c->neighbour + (size_t)i * c->k, c->used[i]);
        homer_put_f64s(codec, c->count + (size_t)i * c->k, c->used[i]);
    }
    homer_rng_encode(&c->rng, codec);
}

/* The neighbours of label i. */
static void decode_neighbours(struct homer_cooccur *c, uint32_t i, struct homer_decoder *d) {
    uint32_t *neighbour = c->neighbour + (size_t)i * c->k;
    homer_get_ids(d, neighbour, c->used[i], c->labels);
    homer_get_weights(d, c->count + (size_t)i * c->k, c->used[i]);
    for (uint32_t k = 0; k < c->used[i]; k++) homer_get_holds(d, neighbour[k] != i);
    c->pairs += c->used[i];
    find_least(c, i);
}

void homer_cooccur_decode(struct homer_cooccur *c, uint32_t labels, struct homer_decoder *d) {
    homer_cooccur_deinit(c); /* the room it began with */
    homer_get_weights(d, &c->weight, 1);
    homer_get_holds(d, c->weight > 0 && homer_get_u32(d) == labels);
    uint32_t cap = homer_get_room(d, labels);
    if (!d->error && cap && widen(c, cap)) homer_get_fail(d, -ENOMEM);
    if (d->error) return;
    c->labels = labels;
    homer_get_weights(d, &c->seen, 1);
    homer_get_weights(d, c->unknown, labels);
    homer_get_weights(d, c->n, labels);
    homer_get_ids(d, c->used, labels, c->k + 1);
    for (uint32_t i = 0; i < labels && !d->error; i++) decode_neighbours(c, i, d);
    homer_rng_decode(&c->rng, d);
}
