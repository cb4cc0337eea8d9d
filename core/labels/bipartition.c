/* The graph of a set of labels, and what a cut of it is worth; bipartition_find.c looks for cuts. */
#include "core/labels/bipartition.h"

#include <errno.h>
#include <math.h>
#include <string.h>

void homer_bipartition_init(struct homer_bipartition *b, struct homer_mem *mem) {
    *b = (struct homer_bipartition){.mem = mem};
}

static void free_labels(struct homer_bipartition *b) {
    b->label = homer_mem_free(b->mem, b->label, b->cap, sizeof *b->label);
    b->rank = homer_mem_free(b->mem, b->rank, b->cap, sizeof *b->rank);
    b->side = homer_mem_free(b->mem, b->side, b->cap, sizeof *b->side);
    b->other = homer_mem_free(b->mem, b->other, b->cap, sizeof *b->other);
    b->first = homer_mem_free(b->mem, b->first, b->cap, sizeof *b->first);
    b->degree = homer_mem_free(b->mem, b->degree, b->cap, sizeof *b->degree);
    b->open = homer_mem_free(b->mem, b->open, b->cap, sizeof *b->open);
    b->strength = homer_mem_free(b->mem, b->strength, b->cap, sizeof *b->strength);
    b->heap = homer_mem_free(b->mem, b->heap, b->cap, sizeof *b->heap);
    for (int s = 0; s < 2; s++) b->link[s] = homer_mem_free(b->mem, b->link[s], b->cap, sizeof *b->link[s]);
    b->cap = b->m = 0;
}

void homer_bipartition_deinit(struct homer_bipartition *b) {
    free_labels(b);
    b->edge = homer_mem_free(b->mem, b->edge, b->edge_cap, sizeof *b->edge);
    b->edge_cap = 0;
}

static int reserve_labels(struct homer_bipartition *b, uint32_t labels) {
    struct homer_bipartition grown = {.mem = b->mem, .cap = labels < 16 ? 16 : labels + labels / 2};
    uint32_t cap = grown.cap;
    bool ok = (grown.label = homer_mem_alloc(b->mem, cap, sizeof *b->label)) &&
              (grown.rank = homer_mem_alloc(b->mem, cap, sizeof *b->rank)) &&
              (grown.side = homer_mem_alloc(b->mem, cap, sizeof *b->side)) &&
              (grown.other = homer_mem_alloc(b->mem, cap, sizeof *b->other)) &&
              (grown.first = homer_mem_alloc(b->mem, cap, sizeof *b->first)) &&
              (grown.degree = homer_mem_alloc(b->mem, cap, sizeof *b->degree)) &&
              (grown.open = homer_mem_alloc(b->mem, cap, sizeof *b->open)) &&
              (grown.strength = homer_mem_alloc(b->mem, cap, sizeof *b->strength)) &&
              (grown.link[0] = homer_mem_alloc(b->mem, cap, sizeof *b->link[0])) &&
              (grown.link[1] = homer_mem_alloc(b->mem, cap, sizeof *b->link[1])) &&
              (grown.heap = homer_mem_alloc(b->mem, cap, sizeof *b->heap));
    if (!ok) {
        free_labels(&grown);
        return -ENOMEM;
    }
    memset(grown.rank, 0xff, cap * sizeof *grown.rank);
    grown.edge = b->edge;
    grown.edge_cap = b->edge_cap;
    free_labels(b);
    *b = grown;
    return 0;
}

int homer_bipartition_reserve(struct homer_bipartition *b, uint32_t labels, uint64_t pairs) {
    size_t edges =
        2 * (size_t)pairs; /* a pair is seen from both ends, even when only one end has stored it */
    if (edges > b->edge_cap) {
        size_t cap = edges + edges / 2;
        struct homer_edge *edge = homer_mem_alloc(b->mem, cap, sizeof *edge);
        if (!edge) return -ENOMEM;
        homer_mem_free(b->mem, b->edge, b->edge_cap, sizeof *b->edge);
        b->edge = edge;
        b->edge_cap = cap;
    }
    return labels > b->cap ? reserve_labels(b, labels) : 0;
}

/* Heapsort, largest key first, then smallest `of`: sorts without memory of its own, unlike qsort. */
static bool before(const struct homer_ranked *x, const struct homer_ranked *y) {
    if (x->key < y->key) return false;
    return x->key > y->key || x->of < y->of;
}

static void sink(struct homer_ranked *a, uint32_t at, uint32_t n) {
    struct homer_ranked moved = a[at];
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(&a[child], &a[child + 1])) child++;
        if (!before(&moved, &a[child])) break;
        a[at] = a[child];
    }
    a[at] = moved;
}

static void sort(struct homer_ranked *a, uint32_t n) {
    for (uint32_t i = n / 2; i-- > 0;) sink(a, i, n);
    for (uint32_t i = n; i-- > 1;) {
        struct homer_ranked last = a[0];
        a[0] = a[i];
        a[i] = last;
        sink(a, 0, i);
    }
}

static void rank_labels(struct homer_bipartition *b, const uint32_t *set, uint32_t m) {
    for (uint32_t r = 0; r < b->m; r++) b->rank[b->label[r]] = UINT32_MAX;
    for (uint32_t i = 0; i < m; i++) b->heap[i] = (struct homer_ranked){b->counts->n[set[i]], set[i]};
    sort(b->heap, m);
    b->m = m;
    for (uint32_t r = 0; r < m; r++) {
        b->label[r] = b->heap[r].of;
        b->rank[b->label[r]] = r;
    }
}

/* Room in the list of every rank for what it has stored, and for what others have stored of it. */
static void lay_out(struct homer_bipartition *b) {
    const struct homer_cooccur *c = b->counts;
    for (uint32_t r = 0; r < b->m; r++) b->degree[r] = 0;
    for (uint32_t r = 0; r < b->m; r++) {
        const uint32_t *neighbour = c->neighbour + (size_t)b->label[r] * c->k;
        for (uint32_t k = 0; k < c->used[b->label[r]]; k++) {
            uint32_t to = b->rank[neighbour[k]];
            if (to != UINT32_MAX) b->degree[to]++, b->degree[r]++;
        }
    }
    size_t at = 0;
    for (uint32_t r = 0; r < b->m; r++) {
        b->first[r] = at;
        at += b->degree[r];
        b->degree[r] = 0;
    }
}

/* Both copies of a pair known, the larger one counts. */
static void finish_edge(struct homer_bipartition *b, uint32_t r, struct homer_edge *e, double copy) {
    const struct homer_cooccur *c = b->counts;
    uint32_t rarer = e->to > r ? e->to : r; /* ranks fall with frequency */
    if (copy > e->both) e->both = copy;
    if (e->both > c->n[b->label[rarer]]) e->both = c->n[b->label[rarer]];
    e->similarity = (float)homer_cooccur_similarity(c, b->label[r], b->label[e->to], e->both);
    b->strength[r] += (double)e->similarity;
}

void homer_bipartition_load(struct homer_bipartition *b, const struct homer_cooccur *c, const uint32_t *set,
                            uint32_t m) {
    b->counts = c;
    rank_labels(b, set, m);
    lay_out(b);
    /* First what others have stored of a rank: as ranks ascend here, so do the edges of each list. */
    for (uint32_t r = 0; r < m; r++) {
        size_t row = (size_t)b->label[r] * c->k;
        for (uint32_t k = 0; k < c->used[b->label[r]]; k++) {
            uint32_t to = b->rank[c->neighbour[row + k]];
            if (to == UINT32_MAX) continue;
            b->edge[b->first[to] + b->degree[to]++] = (struct homer_edge){.to = r, .both = c->count[row + k]};
        }
    }
    /* Then its own copies, at the end where the other side has lost the pair. */
    double *own = b->link[0]; /* free at this time */
    for (uint32_t r = 0; r < m; r++) own[r] = b->strength[r] = 0;
    for (uint32_t r = 0; r < m; r++) {
        size_t row = (size_t)b->label[r] * c->k;
        struct homer_edge *edge = b->edge + b->first[r];
        for (uint32_t k = 0; k < c->used[b->label[r]]; k++) {
            uint32_t to = b->rank[c->neighbour[row + k]];
            if (to != UINT32_MAX) own[to] = c->count[row + k];
        }
        for (uint32_t k = 0; k < b->degree[r]; k++) {
            finish_edge(b, r, &edge[k], own[edge[k].to]);
            own[edge[k].to] = 0;
        }
        for (uint32_t k = 0; k < c->used[b->label[r]]; k++) {
            uint32_t to = b->rank[c->neighbour[row + k]];
            if (to == UINT32_MAX || own[to] <= 0) continue;
            struct homer_edge *e = &edge[b->degree[r]++];
            *e = (struct homer_edge){.to = to, .both = own[to]};
            finish_edge(b, r, e, 0);
            own[to] = 0;
        }
    }
}

void homer_bipartition_rate(const struct homer_bipartition *b, double log_delta, struct homer_cut *out) {
    double volume[2] = {0, 0}, strength[2] = {0, 0}, squares = 0, cut = 0, cut_strength = 0;
    for (uint32_t r = 0; r < b->m; r++) {
        double v = 0;
        for (uint32_t k = 0; k < b->degree[r]; k++) {
            const struct homer_edge *e = &b->edge[b->first[r] + k];
            v += e->both;
            if (b->side[e->to] == b->side[r]) continue;
            cut += e->both;
            cut_strength += (double)e->similarity;
        }
        volume[b->side[r]] += v;
        strength[b->side[r]] += b->strength[r];
        squares += v * v;
    }
    double all = volume[0] + volume[1], by_chance = all * all - squares;
    cut_strength /= 2; /* seen from both ends, like `all` and `cut` */
    *out = (struct homer_cut){.pairs = all / 2 / b->counts->weight, .error = 1e9};
    for (int s = 0; s < 2; s++) out->normalised += strength[s] > 0 ? cut_strength / strength[s] : 1;
    if (all <= 0) return;
    out->cut = cut / all;
    out->expected = by_chance > 0 ? 2 * volume[0] * volume[1] / by_chance : 0;
    out->gain = out->expected - out->cut;
    out->error = sqrt(log_delta / (2 * out->pairs));
}
