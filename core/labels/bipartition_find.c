#include "core/labels/bipartition.h"

#include <math.h>
#include <string.h>

enum { NOBODY = 2, PASSES = 6, ROUND = 64 };

/* The label farthest from `pivot` for sure, other than it and `but`: 1 - J less the bound on its error. Ties:
 * smaller rank. */
static uint32_t farthest(struct homer_bipartition *b, uint32_t pivot, uint32_t but, double log_delta) {
    const struct homer_cooccur *c = b->counts;
    double *similarity = b->link[0]; /* free at this time */
    for (uint32_t r = 0; r < b->m; r++) similarity[r] = 0;
    for (uint32_t k = 0; k < b->degree[pivot]; k++) {
        const struct homer_edge *e = &b->edge[b->first[pivot] + k];
        similarity[e->to] = (double)e->similarity;
    }
    uint32_t best = UINT32_MAX;
    double best_distance = 0;
    for (uint32_t r = 0; r < b->m; r++) {
        if (r == pivot || r == but) continue;
        double support =
            homer_cooccur_label(c, b->label[r > pivot ? r : pivot]); /* the rarer one ranks later */
        double distance = 1 - similarity[r] - sqrt(log_delta / (2 * (support + 1e-9)));
        if (best == UINT32_MAX || distance > best_distance) best = r, best_distance = distance;
    }
    return best;
}

struct start {
    uint8_t *side;
    uint32_t size[2];
};

static void join(struct homer_bipartition *b, struct start *s, uint32_t r, uint8_t side) {
    uint32_t most = b->m - homer_bipartition_least(b->m);
    if (s->size[side] >= most) side = !side;
    s->side[r] = side;
    s->size[side]++;
    for (uint32_t k = 0; k < b->degree[r]; k++) {
        const struct homer_edge *e = &b->edge[b->first[r] + k];
        b->link[side][e->to] += (double)e->similarity;
    }
}

/* Larger average linkage to side 0 than to side 1. */
static double lean(const struct homer_bipartition *b, const struct start *s, uint32_t r) {
    return b->link[0][r] / s->size[0] - b->link[1][r] / s->size[1];
}

/* Of the *left open ranks, the `want` with links that lean most, into the heap, the least of them on top.
 * Those that have a side by now are dropped from the open ones. */
static uint32_t leaning(struct homer_bipartition *b, const struct start *s, uint32_t want, uint32_t *left) {
    struct homer_ranked *heap = b->heap;
    uint32_t n = 0, kept = 0;
    for (uint32_t k = 0; k < *left; k++) {
        uint32_t r = b->open[k], at;
        if (s->side[r] != NOBODY) continue;
        b->open[kept++] = r;
        if (b->link[0][r] + b->link[1][r] <= 0) continue;
        double key = fabs(lean(b, s, r));
        if (n < want) {
            for (at = n++; at && heap[(at - 1) / 2].key > key; at = (at - 1) / 2)
                heap[at] = heap[(at - 1) / 2];
        } else {
            if (!(key > heap[0].key)) continue;
            at = 0;
            for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
                if (child + 1 < n && heap[child + 1].key < heap[child].key) child++;
                if (heap[child].key >= key) break;
                heap[at] = heap[child];
            }
        }
        heap[at] = (struct homer_ranked){key, r};
    }
    *left = kept;
    return n;
}

/* Fills s->side from two pivots. Where many are left, the largest 1/64 of the differences join at once: exact
 * below 128 labels, and never quadratic. */
static void grow(struct homer_bipartition *b, struct start *s, uint32_t p, uint32_t q) {
    for (uint32_t r = 0; r < b->m; r++) {
        b->link[0][r] = b->link[1][r] = 0;
        b->open[r] = r;
        s->side[r] = NOBODY;
    }
    s->size[0] = s->size[1] = 0;
    join(b, s, p, 0);
    join(b, s, q, 1);
    for (uint32_t left = b->m; s->size[0] + s->size[1] < b->m;) {
        uint32_t n = b->m - s->size[0] - s->size[1];
        n = leaning(b, s, n < ROUND ? 1 : n / ROUND, &left);
        if (!n) {
            join(b, s, b->open[0], s->size[1] < s->size[0]);
            continue;
        }
        /* Sides first: who joins together must not see each other. */
        for (uint32_t k = 0; k < n; k++) {
            double leans = lean(b, s, b->heap[k].of);
            b->heap[k].key = leans > 0 || (leans >= 0 && s->size[0] <= s->size[1]) ? 0 : 1;
        }
        for (uint32_t k = 0; k < n; k++) join(b, s, b->heap[k].of, b->heap[k].key > 0);
    }
}

static double normalised(double cut, double a, double b) {
    return (a > 0 ? cut / a : 1) + (b > 0 ? cut / b : 1);
}

/* Single moves, most frequent label first, as long as they lower the normalised cut. Returns it. */
static double improve(struct homer_bipartition *b, struct start *s) {
    uint32_t least = homer_bipartition_least(b->m);
    double volume[2] = {0, 0}, cut = 0;
    for (uint32_t r = 0; r < b->m; r++) {
        volume[s->side[r]] += b->strength[r];
        if (s->side[r] == 0) cut += b->link[1][r];
    }
    double now = normalised(cut, volume[0], volume[1]);
    for (int pass = 0; pass < PASSES; pass++) {
        bool moved = false;
        for (uint32_t r = 0; r < b->m; r++) {
            uint8_t from = s->side[r], to = !from;
            if (b->degree[r] == 0 || s->size[from] <= least) continue;
            double new_cut = cut + b->link[from][r] - b->link[to][r];
            if (new_cut < 0) new_cut = 0; /* rounding */
            double out = volume[from] - b->strength[r], in = volume[to] + b->strength[r];
            double then = normalised(new_cut, out > 1e-12 ? out : 0, in);
            if (then >= now - 1e-12) continue;
            now = then;
            cut = new_cut;
            volume[from] = out;
            volume[to] = in;
            s->side[r] = to;
            s->size[from]--;
            s->size[to]++;
            moved = true;
            for (uint32_t k = 0; k < b->degree[r]; k++) {
                const struct homer_edge *e = &b->edge[b->first[r] + k];
                b->link[from][e->to] -= (double)e->similarity;
                b->link[to][e->to] += (double)e->similarity;
            }
        }
        if (!moved) break;
    }
    return now;
}

void homer_bipartition_find(struct homer_bipartition *b, double log_delta) {
    struct start first = {.side = b->side}, second = {.side = b->other};
    uint32_t p = 0, q = farthest(b, p, p, log_delta);
    grow(b, &first, p, q);
    double best = improve(b, &first);
    if (b->m == 2) return;
    uint32_t other = farthest(b, q, p, log_delta);
    grow(b, &second, other, q);
    if (improve(b, &second) < best - 1e-12) memcpy(b->side, b->other, b->m);
}
