#include "core/decide/rank.h"

#include <stdbool.h>
#include <stddef.h>

#define FLOOR 0.02f
enum { FEW = 5, SOME = 16, INSERTION = 24 };

static inline bool before(const float *p, uint32_t a, uint32_t b) {
    return p[a] > p[b] || (p[a] == p[b] && a < b);
}

/* id[n] is a heap with the last in order on top, but for place i: sinks what stands there. */
static void sink(const float *p, uint32_t *id, uint32_t n, uint32_t i) {
    uint32_t x = id[i];
    for (uint32_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(p, id[child], id[child + 1])) child++;
        if (!before(p, x, id[child])) break;
        id[i] = id[child];
    }
    id[i] = x;
}

static void heapify(const float *p, uint32_t *id, uint32_t n) {
    for (uint32_t i = n / 2; i-- > 0;) sink(p, id, n, i);
}

void homer_rank_sort(const float *p, uint32_t *id, uint32_t n) {
    if (n > INSERTION) {
        heapify(p, id, n);
        for (uint32_t k = n; k-- > 1;) {
            uint32_t last = id[0];
            id[0] = id[k];
            id[k] = last;
            sink(p, id, k, 0);
        }
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        uint32_t x = id[i], j = i;
        for (; j > 0 && before(p, x, id[j - 1]); j--) id[j] = id[j - 1];
        id[j] = x;
    }
}

uint32_t homer_rank_top_of(const float *p, const uint32_t *id, uint32_t labels, uint32_t n, uint32_t *out) {
    if (n > labels) n = labels;
    if (n == 0) return 0;
    for (uint32_t i = 0; i < n; i++) out[i] = id ? id[i] : i;
    heapify(p, out, n);
    for (uint32_t i = n; i < labels; i++) {
        uint32_t l = id ? id[i] : i;
        if (p[l] <= p[out[0]]) continue; /* ties keep the smaller id, which came first */
        out[0] = l;
        sink(p, out, n, 0);
    }
    homer_rank_sort(p, out, n);
    return n;
}

uint32_t homer_rank_of(const float *p, const uint32_t *id, uint32_t labels, uint32_t *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < labels; i++) {
        uint32_t l = id ? id[i] : i;
        if (p[l] > FLOOR) out[n++] = l;
    }
    if (n < FEW) return homer_rank_top_of(p, id, labels, SOME, out);
    homer_rank_sort(p, out, n);
    return n;
}

uint32_t homer_rank_top(const float *p, uint32_t labels, uint32_t n, uint32_t *out) {
    return homer_rank_top_of(p, NULL, labels, n, out);
}

uint32_t homer_rank(const float *p, uint32_t labels, uint32_t *out) {
    return homer_rank_of(p, NULL, labels, out);
}
