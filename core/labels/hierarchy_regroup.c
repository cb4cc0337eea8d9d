/* Groups labels anew, and says so. */
#include "core/labels/hierarchy_impl.h"

enum {
    LEAST_PAIRS = 64,
    GROWTH = 8,
    EDGES = 32, /* stored pairs for which an instance is to come: bounds the cost per instance */
};

void homer_hierarchy_tell(struct homer_hierarchy *h, const struct homer_hierarchy_event *e) {
    h->events[h->events_n++] = *e;
}

void homer_hierarchy_load(struct homer_hierarchy *h, struct homer_grouping_rating *now) {
    struct homer_grouping *g = &h->grouper;
    homer_grouping_load(g, &h->counts, h->order, h->labels);
    for (uint32_t r = 0; r < g->m; r++) g->group[r] = g->rank[h->order[h->node[h->leaf[g->label[r]]].first]];
    homer_grouping_number(g);
    homer_grouping_rate(g, now);
}

static void change(struct homer_hierarchy *h, const struct homer_grouping_rating *now,
                   const struct homer_grouping_rating *then, uint64_t seq) {
    uint32_t moved = homer_hierarchy_grow(h);
    homer_hierarchy_tell(h, &(struct homer_hierarchy_event){.seq = seq,
                                                            .node = h->node[0].id,
                                                            .change = HOMER_HIERARCHY_REGROUP,
                                                            .labels = moved,
                                                            .before = now->apart,
                                                            .after = then->apart});
}

static bool has_leaf_above(const struct homer_hierarchy *h, uint32_t labels) {
    for (uint32_t s = 0; s < h->slots; s++)
        if (homer_hierarchy_is_leaf(h, s) && h->node[s].labels > labels) return true;
    return false;
}

void homer_hierarchy_regroup(struct homer_hierarchy *h, uint64_t seq) {
    struct homer_grouping_rating now, best;
    homer_hierarchy_load(h, &now);
    double more = (now.pairs < (double)h->since_drift ? now.pairs : (double)h->since_drift) / GROWTH;
    h->new_pairs = h->new_visits = 0;
    h->due_pairs = LEAST_PAIRS;
    if (h->due_pairs < (uint64_t)more) h->due_pairs = (uint64_t)more;
    h->due_visits = h->counts.pairs / EDGES;
    homer_grouping_find(&h->grouper);
    homer_grouping_rate(&h->grouper, &best);
    /* the least that is not rounding */
    bool better = best.quality > now.quality + h->config.replace + 1e-9;
    if (better || has_leaf_above(h, h->config.max_leaf)) change(h, &now, &best, seq);
}

void homer_hierarchy_relieve(struct homer_hierarchy *h, uint64_t seq) {
    struct homer_grouping *g = &h->grouper;
    struct homer_grouping_rating now, then;
    if (!has_leaf_above(h, 2 * h->config.max_leaf)) return;
    /* A group goes by one of its labels. */
    for (uint32_t i = 0; i < h->labels; i++) h->to[i] = h->order[h->node[h->leaf[i]].first];
    for (uint32_t s = 0; s < h->slots; s++) {
        const struct homer_hierarchy_node *n = &h->node[s];
        if (!homer_hierarchy_is_leaf(h, s) || n->labels <= 2 * h->config.max_leaf) continue;
        homer_grouping_load(g, &h->counts, h->order + n->first, n->labels);
        homer_grouping_find(g);
        for (uint32_t r = g->m; r-- > 0;) h->members[g->group[r]] = g->label[r];
        for (uint32_t r = 0; r < g->m; r++) h->to[g->label[r]] = h->members[g->group[r]];
    }
    homer_hierarchy_load(h, &now);
    for (uint32_t r = 0; r < g->m; r++) g->group[r] = g->rank[h->to[g->label[r]]];
    homer_grouping_number(g);
    homer_grouping_rate(g, &then);
    change(h, &now, &then, seq);
}
