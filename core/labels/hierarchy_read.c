/* The hierarchy for reading. */
#include "core/labels/hierarchy.h"

uint32_t homer_hierarchy_next(const struct homer_hierarchy *h, uint32_t slot) {
    const struct homer_hierarchy_node *n = &h->node[slot];
    if (n->child[0] != HOMER_NO_NODE) return n->child[0];
    for (uint32_t up = n->parent; up != HOMER_NO_NODE; slot = up, up = h->node[up].parent)
        if (h->node[up].child[0] == slot) return h->node[up].child[1];
    return HOMER_NO_NODE;
}

void homer_hierarchy_cohesion(const struct homer_hierarchy *h, uint32_t slot, double *within,
                              double *between) {
    const struct homer_hierarchy_node *n = &h->node[slot];
    const struct homer_cooccur *c = &h->counts;
    uint32_t end = n->first + n->labels, border = end;
    if (!homer_hierarchy_is_leaf(h, slot)) border = h->node[n->child[1]].first;
    double sum[2] = {0, 0};
    for (uint32_t at = n->first; at < end; at++) {
        uint32_t i = h->order[at];
        for (uint32_t k = 0; k < c->used[i]; k++) {
            uint32_t j = c->neighbour[(size_t)i * c->k + k], other = h->place[j];
            if (other < n->first || other >= end) continue;
            /* Once a pair: seen from the smaller id, unless that has lost sight of it. */
            if (i > j && homer_cooccur_find(c, j, i) < c->k) continue;
            sum[(at < border) != (other < border)] += homer_cooccur_jaccard(c, i, j);
        }
    }
    double a = border - n->first, b = end - border;
    double same = a * (a - 1) / 2 + b * (b - 1) / 2;
    *within = same > 0 ? sum[0] / same : 0;
    *between = a * b > 0 ? sum[1] / (a * b) : 0;
}

const char *homer_hierarchy_change_word(enum homer_hierarchy_change change) {
    static const char *const word[] = {
        [HOMER_HIERARCHY_REGROUP] = "regroup",     [HOMER_HIERARCHY_DRIFT] = "drift",
        [HOMER_HIERARCHY_ARRIVAL] = "arrival",     [HOMER_HIERARCHY_SPLIT] = "split",
        [HOMER_HIERARCHY_AGGREGATE] = "aggregate",
    };
    return word[change];
}
