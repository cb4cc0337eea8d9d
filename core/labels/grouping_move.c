/* Moves of single labels, and swaps, that raise the quality of a grouping. All gains here are in pair events;
 * that of a label with v events from group a to b is
 *   links to b - links to a - a v (V_b - V_a + v) / T, V_a with and V_b without the label. */
#include "core/labels/grouping.h"

#define NONE UINT32_MAX

enum { PASSES = 4 };

#define LEAST 1e-9 /* gain that counts, as a share of all pair events: more than rounding */

static void put(struct homer_grouping *g, uint32_t r, uint32_t group) {
    g->next[r] = g->head[group];
    g->head[group] = r;
    g->group[r] = group;
    g->size[group]++;
    g->mass[group] += g->volume[r];
}

static void take(struct homer_grouping *g, uint32_t r) {
    uint32_t group = g->group[r], *at = &g->head[group];
    while (*at != r) at = &g->next[*at];
    *at = g->next[r];
    g->size[group]--;
    g->mass[group] -= g->volume[r];
}

static double by_chance(const struct homer_grouping *g, double v, double from, double to) {
    return g->limits.apart * v * (to - from + v) / g->total;
}

/* Gain of moving x from group b to a once r has moved from a to b. */
static double back(const struct homer_grouping *g, uint32_t x, uint32_t r) {
    uint32_t a = g->group[r], b = g->group[x];
    double links = 0;
    for (uint32_t k = 0; k < g->degree[x]; k++) {
        const struct homer_edge *e = &g->edge[g->first[x] + k];
        if (e->to == r)
            links -= e->both;
        else if (g->group[e->to] == a)
            links += e->both;
        else if (g->group[e->to] == b)
            links -= e->both;
    }
    return links - by_chance(g, g->volume[x], g->mass[b] + g->volume[r], g->mass[a] - g->volume[r]);
}

/* The best move of one label; true when it was made. */
static bool move(struct homer_grouping *g, uint32_t r) {
    uint32_t most = g->limits.most, a = g->group[r], open = NONE, full = NONE, swap = NONE;
    double own = 0, v = g->volume[r], best = LEAST * g->total, best_full = best;
    for (uint32_t k = 0; k < g->degree[r]; k++) {
        const struct homer_edge *e = &g->edge[g->first[r] + k];
        uint32_t to = g->group[e->to];
        if (to == a) own += e->both;
        if (to == a || e->both <= 0) continue;
        if (g->both[to] <= 0) g->seen[g->seen_n++] = to;
        g->both[to] += e->both;
    }
    for (uint32_t i = 0; i < g->seen_n; i++) {
        uint32_t to = g->seen[i];
        double gain = g->both[to] - own - by_chance(g, v, g->mass[a], g->mass[to]);
        g->both[to] = 0;
        if (g->size[to] < most && g->size[a] > 1 && (gain > best || (gain >= best && to < open)))
            best = gain, open = to;
        if (g->size[to] >= most && (gain > best_full || (gain >= best_full && to < full)))
            best_full = gain, full = to;
    }
    g->seen_n = 0;
    for (uint32_t x = full != NONE && best_full > best ? g->head[full] : NONE; x != NONE; x = g->next[x]) {
        double gain = best_full + back(g, x, r);
        if (gain > best || (gain >= best && swap != NONE && x < swap)) best = gain, swap = x;
    }
    if (swap == NONE && open == NONE) return false;
    take(g, r);
    if (swap != NONE) {
        take(g, swap);
        put(g, swap, a);
        open = full;
    }
    put(g, r, open);
    return true;
}

void homer_grouping_move(struct homer_grouping *g) {
    if (g->total <= 0) return;
    for (uint32_t k = 0; k < g->groups; k++) {
        g->head[k] = NONE;
        g->size[k] = 0;
        g->mass[k] = 0;
    }
    for (uint32_t r = g->m; r-- > 0;) put(g, r, g->group[r]);
    bool moved = true;
    for (int pass = 0; pass < PASSES && moved; pass++) {
        moved = false;
        for (uint32_t r = 0; r < g->m; r++) moved = move(g, r) || moved;
    }
    homer_grouping_number(g);
}
