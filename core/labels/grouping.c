/* The graph of a set of labels, and what a grouping of it is worth; grouping_link.c and grouping_move.c look
 * for groupings. */
#include "core/labels/grouping.h"

#include <errno.h>
#include <string.h>

void homer_grouping_init(struct homer_grouping *g, struct homer_mem *mem,
                         const struct homer_grouping_limits *limits) {
    *g = (struct homer_grouping){.mem = mem, .limits = *limits};
}

static void free_labels(struct homer_grouping *g) {
    g->label = homer_mem_free(g->mem, g->label, g->cap, sizeof *g->label);
    g->rank = homer_mem_free(g->mem, g->rank, g->cap, sizeof *g->rank);
    g->first = homer_mem_free(g->mem, g->first, g->cap, sizeof *g->first);
    g->degree = homer_mem_free(g->mem, g->degree, g->cap, sizeof *g->degree);
    g->volume = homer_mem_free(g->mem, g->volume, g->cap, sizeof *g->volume);
    g->group = homer_mem_free(g->mem, g->group, g->cap, sizeof *g->group);
    g->joint = homer_mem_free(g->mem, g->joint, g->cap, sizeof *g->joint);
    g->head = homer_mem_free(g->mem, g->head, g->cap, sizeof *g->head);
    g->next = homer_mem_free(g->mem, g->next, g->cap, sizeof *g->next);
    g->tail = homer_mem_free(g->mem, g->tail, g->cap, sizeof *g->tail);
    g->size = homer_mem_free(g->mem, g->size, g->cap, sizeof *g->size);
    g->state = homer_mem_free(g->mem, g->state, g->cap, sizeof *g->state);
    g->height = homer_mem_free(g->mem, g->height, g->cap, sizeof *g->height);
    g->node = homer_mem_free(g->mem, g->node, g->cap, sizeof *g->node);
    g->mass = homer_mem_free(g->mem, g->mass, g->cap, sizeof *g->mass);
    g->near = homer_mem_free(g->mem, g->near, g->cap, sizeof *g->near);
    g->both = homer_mem_free(g->mem, g->both, g->cap, sizeof *g->both);
    g->seen = homer_mem_free(g->mem, g->seen, g->cap, sizeof *g->seen);
    g->heap = homer_mem_free(g->mem, g->heap, 2 * (size_t)g->cap, sizeof *g->heap);
    g->cap = g->m = g->groups = 0;
}

void homer_grouping_deinit(struct homer_grouping *g) {
    free_labels(g);
    g->edge = homer_mem_free(g->mem, g->edge, g->edge_cap, sizeof *g->edge);
    g->edge_cap = 0;
}

static int widen(struct homer_grouping *g, uint32_t cap) {
    struct homer_grouping grown = {.mem = g->mem, .limits = g->limits, .cap = cap};
    bool ok = (grown.label = homer_mem_alloc(g->mem, cap, sizeof *g->label)) &&
              (grown.rank = homer_mem_alloc(g->mem, cap, sizeof *g->rank)) &&
              (grown.first = homer_mem_alloc(g->mem, cap, sizeof *g->first)) &&
              (grown.degree = homer_mem_alloc(g->mem, cap, sizeof *g->degree)) &&
              (grown.volume = homer_mem_alloc(g->mem, cap, sizeof *g->volume)) &&
              (grown.group = homer_mem_alloc(g->mem, cap, sizeof *g->group)) &&
              (grown.joint = homer_mem_alloc(g->mem, cap, sizeof *g->joint)) &&
              (grown.head = homer_mem_alloc(g->mem, cap, sizeof *g->head)) &&
              (grown.next = homer_mem_alloc(g->mem, cap, sizeof *g->next)) &&
              (grown.tail = homer_mem_alloc(g->mem, cap, sizeof *g->tail)) &&
              (grown.size = homer_mem_alloc(g->mem, cap, sizeof *g->size)) &&
              (grown.state = homer_mem_alloc(g->mem, cap, sizeof *g->state)) &&
              (grown.height = homer_mem_alloc(g->mem, cap, sizeof *g->height)) &&
              (grown.node = homer_mem_alloc(g->mem, cap, sizeof *g->node)) &&
              (grown.mass = homer_mem_alloc(g->mem, cap, sizeof *g->mass)) &&
              (grown.near = homer_mem_alloc(g->mem, cap, sizeof *g->near)) &&
              (grown.both = homer_mem_alloc(g->mem, cap, sizeof *g->both)) &&
              (grown.seen = homer_mem_alloc(g->mem, cap, sizeof *g->seen)) &&
              (grown.heap = homer_mem_alloc(g->mem, 2 * (size_t)cap, sizeof *g->heap));
    if (!ok) {
        free_labels(&grown);
        return -ENOMEM;
    }
    memset(grown.rank, 0xff, cap * sizeof *grown.rank);
    grown.edge = g->edge;
    grown.edge_cap = g->edge_cap;
    free_labels(g);
    *g = grown;
    return 0;
}

int homer_grouping_reserve(struct homer_grouping *g, uint32_t labels, uint64_t pairs) {
    size_t edges =
        2 * (size_t)pairs; /* a pair is seen from both ends, even when only one end has stored it */
    if (edges > g->edge_cap) {
        size_t cap = edges + edges / 2;
        struct homer_edge *edge = homer_mem_alloc(g->mem, cap, sizeof *edge);
        if (!edge) return -ENOMEM;
        homer_mem_free(g->mem, g->edge, g->edge_cap, sizeof *g->edge);
        g->edge = edge;
        g->edge_cap = cap;
    }
    if (labels <= g->cap) return 0;
    return widen(g, labels < 16 ? 16 : labels + labels / 2);
}

/* Heapsort, most frequent label first, then the smaller id: sorts without memory of its own, unlike qsort. */
static bool before(const struct homer_link *x, const struct homer_link *y) {
    if (x->key < y->key) return false;
    return x->key > y->key || x->of < y->of;
}

static void sink(struct homer_link *a, uint32_t at, uint32_t n) {
    struct homer_link moved = a[at];
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(&a[child], &a[child + 1])) child++;
        if (!before(&moved, &a[child])) break;
        a[at] = a[child];
    }
    a[at] = moved;
}

static void sort(struct homer_link *a, uint32_t n) {
    for (uint32_t i = n / 2; i-- > 0;) sink(a, i, n);
    for (uint32_t i = n; i-- > 1;) {
        struct homer_link last = a[0];
        a[0] = a[i];
        a[i] = last;
        sink(a, 0, i);
    }
}

static void rank_labels(struct homer_grouping *g, const uint32_t *set, uint32_t m) {
    for (uint32_t r = 0; r < g->m; r++) g->rank[g->label[r]] = UINT32_MAX;
    for (uint32_t i = 0; i < m; i++)
        g->heap[i] = (struct homer_link){.key = g->counts->n[set[i]], .of = set[i]};
    sort(g->heap, m);
    g->m = m;
    for (uint32_t r = 0; r < m; r++) {
        g->label[r] = g->heap[r].of;
        g->rank[g->label[r]] = r;
    }
}

/* Room in the list of every rank for what it has stored, and for what others have stored of it. */
static void lay_out(struct homer_grouping *g) {
    const struct homer_cooccur *c = g->counts;
    for (uint32_t r = 0; r < g->m; r++) g->degree[r] = 0;
    for (uint32_t r = 0; r < g->m; r++) {
        const uint32_t *neighbour = c->neighbour + (size_t)g->label[r] * c->k;
        for (uint32_t k = 0; k < c->used[g->label[r]]; k++) {
            uint32_t to = g->rank[neighbour[k]];
            if (to != UINT32_MAX) g->degree[to]++, g->degree[r]++;
        }
    }
    size_t at = 0;
    for (uint32_t r = 0; r < g->m; r++) {
        g->first[r] = at;
        at += g->degree[r];
        g->degree[r] = 0;
    }
}

/* Both copies of a pair known, the larger one counts. */
static void finish_edge(struct homer_grouping *g, uint32_t r, struct homer_edge *e, double copy) {
    const struct homer_cooccur *c = g->counts;
    uint32_t rarer = e->to > r ? e->to : r; /* ranks fall with frequency */
    if (copy > e->both) e->both = copy;
    if (e->both > c->n[g->label[rarer]]) e->both = c->n[g->label[rarer]];
    e->similarity = (float)homer_cooccur_similarity(c, g->label[r], g->label[e->to], e->both);
    g->volume[r] += e->both;
}

void homer_grouping_load(struct homer_grouping *g, const struct homer_cooccur *c, const uint32_t *set,
                         uint32_t m) {
    g->counts = c;
    rank_labels(g, set, m);
    lay_out(g);
    /* First what others have stored of a rank: as ranks ascend here, so do the edges of each list. */
    for (uint32_t r = 0; r < m; r++) {
        size_t row = (size_t)g->label[r] * c->k;
        for (uint32_t k = 0; k < c->used[g->label[r]]; k++) {
            uint32_t to = g->rank[c->neighbour[row + k]];
            if (to == UINT32_MAX) continue;
            g->edge[g->first[to] + g->degree[to]++] = (struct homer_edge){.to = r, .both = c->count[row + k]};
        }
    }
    /* Then its own copies, at the end where the other side has lost the pair. */
    double *own = g->both; /* free at this time */
    for (uint32_t r = 0; r < m; r++) own[r] = g->volume[r] = 0;
    for (uint32_t r = 0; r < m; r++) {
        size_t row = (size_t)g->label[r] * c->k;
        struct homer_edge *edge = g->edge + g->first[r];
        for (uint32_t k = 0; k < c->used[g->label[r]]; k++) {
            uint32_t to = g->rank[c->neighbour[row + k]];
            if (to != UINT32_MAX) own[to] = c->count[row + k];
        }
        for (uint32_t k = 0; k < g->degree[r]; k++) {
            finish_edge(g, r, &edge[k], own[edge[k].to]);
            own[edge[k].to] = 0;
        }
        for (uint32_t k = 0; k < c->used[g->label[r]]; k++) {
            uint32_t to = g->rank[c->neighbour[row + k]];
            if (to == UINT32_MAX || own[to] <= 0) continue;
            struct homer_edge *e = &edge[g->degree[r]++];
            *e = (struct homer_edge){.to = to, .both = own[to]};
            finish_edge(g, r, e, 0);
            own[to] = 0;
        }
    }
    g->total = 0;
    for (uint32_t r = 0; r < m; r++) {
        g->total += g->volume[r];
        g->near[r] = g->both[r] = 0;
    }
    g->seen_n = 0;
}

void homer_grouping_number(struct homer_grouping *g) {
    uint32_t *to = g->seen; /* free at this time; cap, as there are numbers */
    memset(to, 0xff, g->cap * sizeof *to);
    g->groups = 0;
    for (uint32_t r = 0; r < g->m; r++) {
        if (to[g->group[r]] == UINT32_MAX) to[g->group[r]] = g->groups++;
        g->group[r] = to[g->group[r]];
    }
}

void homer_grouping_rate(struct homer_grouping *g, struct homer_grouping_rating *out) {
    double apart = 0, chance = 0;
    for (uint32_t k = 0; k < g->groups; k++) g->mass[k] = 0;
    for (uint32_t r = 0; r < g->m; r++) {
        g->mass[g->group[r]] += g->volume[r];
        for (uint32_t k = 0; k < g->degree[r]; k++) {
            const struct homer_edge *e = &g->edge[g->first[r] + k];
            if (g->group[e->to] != g->group[r]) apart += e->both;
        }
    }
    *out = (struct homer_grouping_rating){.pairs = g->total / 2 / g->counts->weight};
    if (g->total <= 0) return;
    for (uint32_t k = 0; k < g->groups; k++) chance += g->mass[k] / g->total * (g->mass[k] / g->total);
    out->apart = apart / g->total;
    out->quality = 1 - out->apart - g->limits.apart * chance;
}

void homer_grouping_put_room(const struct homer_grouping *g, struct homer_codec *c) {
    homer_put_room(c, g->cap);
    homer_put_room(c, g->edge_cap);
}

void homer_grouping_get_room(struct homer_grouping *g, uint32_t labels, struct homer_decoder *d) {
    homer_grouping_deinit(g);
    uint32_t cap = homer_get_room(d, labels);
    if (!d->error && cap && widen(g, cap)) homer_get_fail(d, -ENOMEM);
    g->edge_cap = homer_get_long_room(d, 0);
    g->edge = homer_get_block(d, g->mem, g->edge_cap, sizeof *g->edge);
}
