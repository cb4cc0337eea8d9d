#include "core/labels/hierarchy_impl.h"

#include <errno.h>
#include "core/base/num.h"

void homer_hierarchy_config_default(struct homer_hierarchy_config *c) {
    *c = (struct homer_hierarchy_config){
        .lambda = 0.9998,
        .neighbours = 64,
        .delta = 0.05,
        .max_leaf = 16,
        .effect = 0,
        .replace = 0,
        .drift_delta = 0.002,
        .seed = 1,
    };
}

int homer_hierarchy_init(struct homer_hierarchy *h, struct homer_mem *mem,
                         const struct homer_hierarchy_config *config) {
    *h = (struct homer_hierarchy){.mem = mem, .config = *config, .next_id = 1};
    homer_cooccur_init(&h->counts, mem, config->lambda, config->neighbours, config->seed);
    homer_grouping_init(&h->grouper, mem,
                        &(struct homer_grouping_limits){config->max_leaf, 1 - config->effect,
                                                        -(double)homer_log((float)config->delta)});
    if (homer_hierarchy_reserve(h, 0, 1)) {
        homer_hierarchy_deinit(h);
        return -ENOMEM;
    }
    homer_hierarchy_plant(h);
    return 0;
}

void homer_hierarchy_free_places(struct homer_hierarchy *h) {
    h->order = homer_mem_free(h->mem, h->order, h->cap, sizeof *h->order);
    h->place = homer_mem_free(h->mem, h->place, h->cap, sizeof *h->place);
    h->leaf = homer_mem_free(h->mem, h->leaf, h->cap, sizeof *h->leaf);
    h->to = homer_mem_free(h->mem, h->to, h->cap, sizeof *h->to);
    h->members = homer_mem_free(h->mem, h->members, h->cap, sizeof *h->members);
    h->node = homer_mem_free(h->mem, h->node, h->node_cap, sizeof *h->node);
    h->spare = homer_mem_free(h->mem, h->spare, h->node_cap, sizeof *h->spare);
    h->twin = homer_mem_free(h->mem, h->twin, h->node_cap, sizeof *h->twin);
    h->touched = homer_mem_free(h->mem, h->touched, h->node_cap, sizeof *h->touched);
    h->watch = homer_mem_free(h->mem, h->watch, h->watch_cap, sizeof *h->watch);
    h->free_watch = homer_mem_free(h->mem, h->free_watch, h->watch_cap, sizeof *h->free_watch);
    h->cap = h->node_cap = h->watch_cap = 0;
}

void homer_hierarchy_deinit(struct homer_hierarchy *h) {
    homer_hierarchy_free_places(h);
    h->events = homer_mem_free(h->mem, h->events, h->events_cap, sizeof *h->events);
    h->events_cap = h->events_n = 0;
    homer_cooccur_deinit(&h->counts);
    homer_grouping_deinit(&h->grouper);
}

int homer_hierarchy_widen(struct homer_hierarchy *h, uint32_t cap) {
    struct homer_hierarchy g = *h;
    g.cap = cap;
    g.node_cap = 2 * cap;
    g.watch_cap = homer_hierarchy_watches(cap);
    g.order = homer_mem_alloc(h->mem, g.cap, sizeof *g.order);
    g.place = homer_mem_alloc(h->mem, g.cap, sizeof *g.place);
    g.leaf = homer_mem_alloc(h->mem, g.cap, sizeof *g.leaf);
    g.to = homer_mem_alloc(h->mem, g.cap, sizeof *g.to);
    g.members = homer_mem_alloc(h->mem, g.cap, sizeof *g.members);
    g.node = homer_mem_alloc(h->mem, g.node_cap, sizeof *g.node);
    g.spare = homer_mem_alloc(h->mem, g.node_cap, sizeof *g.spare);
    g.twin = homer_mem_alloc(h->mem, g.node_cap, sizeof *g.twin);
    g.touched = homer_mem_alloc(h->mem, g.node_cap, sizeof *g.touched);
    g.watch = homer_mem_alloc(h->mem, g.watch_cap, sizeof *g.watch);
    g.free_watch = homer_mem_alloc(h->mem, g.watch_cap, sizeof *g.free_watch);
    if (!g.order || !g.place || !g.leaf || !g.to || !g.members || !g.node || !g.spare || !g.twin ||
        !g.touched || !g.watch || !g.free_watch) {
        homer_hierarchy_free_places(&g);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < h->labels; i++)
        g.order[i] = h->order[i], g.place[i] = h->place[i], g.leaf[i] = h->leaf[i];
    for (uint32_t i = 0; i < h->slots; i++) g.node[i] = h->node[i];
    for (uint32_t i = 0; i < h->watches; i++) g.watch[i] = h->watch[i];
    for (uint32_t i = 0; i < h->free_watch_n; i++) g.free_watch[i] = h->free_watch[i];
    homer_hierarchy_free_places(h);
    *h = g;
    return 0;
}

int homer_hierarchy_reserve(struct homer_hierarchy *h, uint32_t n, uint32_t labels) {
    uint64_t pairs = h->counts.pairs + (uint64_t)n * n, most = (uint64_t)labels * h->config.neighbours;
    int rc = homer_cooccur_reserve(&h->counts, labels);
    if (!rc) rc = homer_grouping_reserve(&h->grouper, labels, pairs < most ? pairs : most);
    if (!rc && labels > h->cap) rc = homer_hierarchy_widen(h, labels < 16 ? 16 : labels + labels / 2);
    if (rc) return rc;
    /* One for the arrivals, one for the leaves they made too large, one for every other label (a drift needs
     * two of them), one for the regrouping. */
    uint64_t events = 3 + n / 2;
    if (events <= h->events_cap) return 0;
    uint32_t cap = (uint32_t)events + 14;
    struct homer_hierarchy_event *e =
        homer_mem_grow(h->mem, h->events, h->events_cap, cap, sizeof *h->events);
    if (!e) return -ENOMEM;
    h->events = e;
    h->events_cap = cap;
    return 0;
}

void homer_hierarchy_learn(struct homer_hierarchy *h, const uint32_t *y, uint32_t n, uint32_t labels,
                           uint64_t seq) {
    h->events_n = 0;
    double factor = homer_cooccur_learn(&h->counts, y, n, labels);
    for (uint32_t s = 0; factor < 1 && s < h->slots; s++) {
        h->node[s].visits *= factor;
        h->node[s].before *= factor;
        h->node[s].pairs *= factor;
        h->node[s].cut *= factor;
    }
    if (labels > h->labels) homer_hierarchy_arrive(h, y, n, labels, seq);
    if (n < 2) return;
    uint64_t pairs = (uint64_t)n * (n - 1) / 2;
    homer_hierarchy_observe(h, y, n, seq);
    h->since_drift += pairs;
    h->new_pairs += pairs;
    h->new_visits++;
    if (h->new_pairs >= h->due_pairs && h->new_visits >= h->due_visits) homer_hierarchy_regroup(h, seq);
}
