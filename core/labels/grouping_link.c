/* Average linkage, for the groups and for the tree above them. */
#include "core/labels/grouping.h"

#include <math.h>

#define NONE UINT32_MAX

/* What forbids a merge: within find, the limits; within join, the room that is left in a tree of limited
 * depth. */
struct linking {
    struct homer_grouping *g;
    bool in_tree;  /* join */
    uint64_t room; /* of join: 2^depth less the sum of 2^height (Kraft) */
    uint32_t joined;
};

/* ---- groups ---- */

static void start(struct homer_grouping *g, uint32_t group) {
    g->head[group] = g->tail[group] = NONE;
    g->size[group] = g->state[group] = g->height[group] = 0;
    g->mass[group] = 0;
}

static void add(struct homer_grouping *g, uint32_t group, uint32_t r) {
    g->next[r] = NONE;
    if (g->head[group] == NONE)
        g->head[group] = r;
    else
        g->next[g->tail[group]] = r;
    g->tail[group] = r;
    g->group[r] = group;
    g->size[group]++;
    g->mass[group] += g->volume[r];
}

/* Adds the links of a group's members to what is seen. */
static void look(struct homer_grouping *g, uint32_t group) {
    for (uint32_t r = g->head[group]; r != NONE; r = g->next[r])
        for (uint32_t k = 0; k < g->degree[r]; k++) {
            const struct homer_edge *e = &g->edge[g->first[r] + k];
            uint32_t to = g->group[e->to];
            if (e->similarity <= 0) continue; /* faded away */
            if (g->near[to] <= 0) g->seen[g->seen_n++] = to;
            g->near[to] += (double)e->similarity;
            g->both[to] += e->both;
        }
}

static void look_away(struct homer_grouping *g) {
    for (uint32_t i = 0; i < g->seen_n; i++) g->near[g->seen[i]] = g->both[g->seen[i]] = 0;
    g->seen_n = 0;
}

/* ---- merges ---- */

static uint64_t cost(const struct linking *l, uint32_t a, uint32_t b) {
    uint32_t x = l->g->height[a], y = l->g->height[b];
    return x < y ? ((uint64_t)1 << y) - ((uint64_t)1 << x) : ((uint64_t)1 << x) - ((uint64_t)1 << y);
}

static bool may_merge(const struct linking *l, uint32_t a, uint32_t b, double both) {
    const struct homer_grouping *g = l->g;
    if (l->in_tree) return cost(l, a, b) <= l->room;
    if (g->size[a] + g->size[b] > g->limits.most) return false;
    double chance = g->total > 0 ? g->limits.apart * g->mass[a] * g->mass[b] / g->total : 0;
    return both > 0 ? both >= chance : chance <= g->limits.log_delta * g->counts->weight;
}

/* b becomes part of a, the one with the smaller first rank, which is returned. */
static uint32_t merge(struct linking *l, uint32_t a, uint32_t b) {
    struct homer_grouping *g = l->g;
    if (b < a) {
        uint32_t kept = a;
        a = b, b = kept;
    }
    if (l->in_tree) {
        l->room -= cost(l, a, b);
        g->joint[l->joined] = (struct homer_join){g->node[a], g->node[b]};
        g->node[a] = g->groups + l->joined++;
        g->height[a] = 1 + (g->height[a] > g->height[b] ? g->height[a] : g->height[b]);
    }
    for (uint32_t r = g->head[b]; r != NONE; r = g->next[r]) g->group[r] = a;
    g->next[g->tail[a]] = g->head[b];
    g->tail[a] = g->tail[b];
    g->size[a] += g->size[b];
    g->mass[a] += g->mass[b];
    g->size[b] = NONE;
    g->state[a]++;
    return a;
}

/* ---- the heap ---- */

static bool goes_first(const struct homer_link *x, const struct homer_link *y) {
    if (x->key > y->key) return true;
    return x->key >= y->key && (x->of < y->of || (x->of == y->of && x->with < y->with));
}

static void push(struct homer_grouping *g, struct homer_link link) {
    uint32_t at = g->heap_n++;
    for (; at && goes_first(&link, &g->heap[(at - 1) / 2]); at = (at - 1) / 2)
        g->heap[at] = g->heap[(at - 1) / 2];
    g->heap[at] = link;
}

static struct homer_link pop(struct homer_grouping *g) {
    struct homer_link top = g->heap[0], moved = g->heap[--g->heap_n];
    uint32_t at = 0;
    for (uint32_t child; (child = 2 * at + 1) < g->heap_n; at = child) {
        if (child + 1 < g->heap_n && goes_first(&g->heap[child + 1], &g->heap[child])) child++;
        if (!goes_first(&g->heap[child], &moved)) break;
        g->heap[at] = g->heap[child];
    }
    g->heap[at] = moved;
    return top;
}

/* The nearest group that this one may be merged with. */
static void push_nearest(struct linking *l, uint32_t of) {
    struct homer_grouping *g = l->g;
    struct homer_link best = {.key = 0, .of = of, .with = NONE, .of_state = g->state[of]};
    look(g, of);
    for (uint32_t i = 0; i < g->seen_n; i++) {
        uint32_t to = g->seen[i];
        double key = g->near[to] / (l->in_tree ? (double)g->size[of] * g->size[to]
                                               : sqrt((double)g->size[of] * g->size[to]));
        if (to == of || key < best.key || (key <= best.key && to > best.with)) continue;
        if (!may_merge(l, of, to, g->both[to])) continue;
        best.key = key;
        best.with = to;
    }
    look_away(g);
    if (best.with == NONE) return;
    best.with_state = g->state[best.with];
    push(g, best);
}

/* Merges by average linkage until no two linked groups may be. A group has one entry; one that is no longer
 * true is an upper bound. */
static void link_all(struct linking *l) {
    struct homer_grouping *g = l->g;
    g->heap_n = 0;
    for (uint32_t r = 0; r < g->m; r++)
        if (g->size[r] != NONE) push_nearest(l, r);
    while (g->heap_n) {
        struct homer_link top = pop(g);
        if (g->size[top.of] == NONE || g->state[top.of] != top.of_state) continue;
        bool holds = g->size[top.with] != NONE && g->state[top.with] == top.with_state;
        if (holds && (!l->in_tree || may_merge(l, top.of, top.with, 0)))
            push_nearest(l, merge(l, top.of, top.with));
        else
            push_nearest(l, top.of);
    }
}

/* Fills the smallest groups with the next smallest ones. */
static void pack(struct linking *l) {
    struct homer_grouping *g = l->g;
    uint32_t n = 0, *by_size = g->height; /* free at this time */
    for (uint32_t r = 0; r < g->m; r++)
        if (g->size[r] != NONE) push(g, (struct homer_link){.key = -(double)g->size[r], .of = r});
    while (g->heap_n) by_size[n++] = pop(g).of;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t a = by_size[i];
        if (g->size[a] == NONE) continue;
        look(g, a);
        for (uint32_t k = i + 1; k < n; k++) {
            uint32_t b = by_size[k];
            if (g->size[b] == NONE) continue;
            if (g->size[a] + g->size[b] > g->limits.most) break;
            if (!may_merge(l, a, b, g->both[b])) continue;
            look(g, b);
            a = merge(l, a, b);
        }
        look_away(g);
    }
}

/* Joins what is left, lowest first: there is always room for that, as 2^depth and all heights but the lowest
 * are multiples of 2^(second lowest). */
static void join_rest(struct linking *l) {
    struct homer_grouping *g = l->g;
    for (uint32_t r = 0; r < g->m; r++)
        if (g->size[r] != NONE) push(g, (struct homer_link){.key = -(double)g->height[r], .of = r});
    while (g->heap_n > 1) {
        uint32_t a = pop(g).of, b = pop(g).of;
        a = merge(l, a, b);
        push(g, (struct homer_link){.key = -(double)g->height[a], .of = a});
    }
}

void homer_grouping_find(struct homer_grouping *g) {
    struct linking l = {.g = g};
    for (uint32_t r = 0; r < g->m; r++) {
        start(g, r);
        add(g, r, r);
    }
    link_all(&l);
    pack(&l);
    homer_grouping_number(g);
    homer_grouping_move(g);
}

void homer_grouping_join(struct homer_grouping *g) {
    struct linking l = {.g = g, .in_tree = true};
    uint32_t depth = 2, n = 0, *name = g->seen; /* by number, the first rank of a group; free at this time */
    while (((uint64_t)1 << (depth - 2)) < g->groups) depth++;
    l.room = ((uint64_t)1 << depth) - g->groups;
    for (uint32_t r = 0; r < g->m; r++) {
        uint32_t k = g->group[r];
        g->size[r] = NONE;
        if (k == n) {
            name[n++] = r;
            start(g, r);
            g->node[r] = k;
        }
        add(g, name[k], r);
    }
    link_all(&l);
    join_rest(&l);
}
