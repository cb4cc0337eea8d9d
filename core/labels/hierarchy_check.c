/* The tests of ODAC, repaired: split a leaf, replace an inner node's cut, aggregate sibling leaves. */
#include "core/labels/hierarchy_impl.h"

static bool check_leaf(struct homer_hierarchy *h, uint32_t slot, uint64_t seq) {
    struct homer_cut cut;
    if (!homer_hierarchy_rebuild(h, slot, &cut)) return false;
    homer_hierarchy_tell(h, seq, slot, HOMER_HIERARCHY_SPLIT, 0, cut.cut);
    return true;
}

static bool check_inner(struct homer_hierarchy *h, uint32_t slot, uint64_t seq) {
    const struct homer_hierarchy_config *c = &h->config;
    struct homer_hierarchy_node *n = &h->node[slot];
    struct homer_bipartition *b = &h->cutter;
    struct homer_cut now, best;
    homer_hierarchy_load(h, slot);
    homer_bipartition_rate(b, h->log_delta, &now);
    homer_bipartition_find(b, h->log_delta);
    homer_bipartition_rate(b, h->log_delta, &best);
    homer_hierarchy_pace(h, slot, now.pairs);
    bool leaves = homer_hierarchy_is_leaf(h, n->child[0]) && homer_hierarchy_is_leaf(h, n->child[1]);
    bool aggregate =
        leaves && n->labels <= c->max_leaf && now.gain < c->aggregate && best.gain < best.error + c->effect;
    bool renew = n->renewals > 0;
    n->renewals -= renew;
    if (!renew && !aggregate && best.gain - now.gain <= best.error + c->replace) return false;
    /* comes to the same: a leaf, or the best cut */
    if (!homer_hierarchy_rebuild(h, slot, &best) && renew) return true;
    homer_hierarchy_tell(
        h, seq, slot, homer_hierarchy_is_leaf(h, slot) ? HOMER_HIERARCHY_AGGREGATE : HOMER_HIERARCHY_REPLACE,
        now.cut, best.cut);
    return true;
}

static bool due(const struct homer_hierarchy *h, uint32_t slot) {
    const struct homer_hierarchy_node *n = &h->node[slot];
    if (n->new_pairs < n->due_pairs || n->new_visits < n->labels) return false;
    return n->labels >= h->config.min_split || !homer_hierarchy_is_leaf(h, slot);
}

void homer_hierarchy_check(struct homer_hierarchy *h, uint32_t touched, uint64_t seq) {
    uint32_t *slot = h->touched, all = 0;
    for (uint32_t t = 0; t < touched; t++)
        if (due(h, slot[t])) slot[all++] = slot[t];
    while (all) {
        uint32_t top = 0;
        for (uint32_t t = 1; t < all; t++) {
            const struct homer_hierarchy_node *x = &h->node[slot[t]], *y = &h->node[slot[top]];
            if (x->depth < y->depth || (x->depth == y->depth && x->id < y->id)) top = t;
        }
        uint32_t s = slot[top];
        slot[top] = slot[--all];
        if (homer_hierarchy_is_leaf(h, s) ? check_leaf(h, s, seq) : check_inner(h, s, seq)) return;
    }
}
