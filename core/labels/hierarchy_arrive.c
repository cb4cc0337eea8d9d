/* New labels. Each finds its leaf, then all get their places and leaves that have grown too large are grouped
 * anew at once, so that many at a time cost little more than one. */
#include "core/labels/hierarchy_impl.h"

/* The leaf of the most frequent of y's labels that has a place, or going down to the smaller child each time.
 */
static uint32_t leaf_for(const struct homer_hierarchy *h, const uint32_t *y, uint32_t n, bool in_y) {
    uint32_t friend = UINT32_MAX, slot = 0;
    for (uint32_t k = 0; in_y && k < n && y[k] < h->labels; k++)
        if (friend == UINT32_MAX || h->counts.n[y[k]] > h->counts.n[friend]) friend = y[k];
    if (friend != UINT32_MAX) return h->leaf[friend];
    while (!homer_hierarchy_is_leaf(h, slot)) {
        const struct homer_hierarchy_node *node = &h->node[slot];
        slot = node->child[h->node[node->child[1]].labels < h->node[node->child[0]].labels];
    }
    return slot;
}

/* Puts the label h->labels, larger than all others, into a leaf; its place follows. */
static void join(struct homer_hierarchy *h, uint32_t slot) {
    h->leaf[h->labels++] = slot;
    for (uint32_t s = slot; s != HOMER_NO_NODE; s = h->node[s].parent) h->node[s].labels++;
}

/* Where labels stand, from the leaves that they are in. Slots are in preorder: a node's labels begin where
 * those of the leaves before it end. */
static void place_all(struct homer_hierarchy *h) {
    uint32_t at = 0, *next = h->touched;
    for (uint32_t s = 0; s < h->slots; s++) {
        h->node[s].first = next[s] = at;
        if (homer_hierarchy_is_leaf(h, s)) at += h->node[s].labels;
    }
    for (uint32_t l = 0; l < h->labels; l++) {
        h->place[l] = next[h->leaf[l]]++;
        h->order[h->place[l]] = l;
    }
}

void homer_hierarchy_arrive(struct homer_hierarchy *h, const uint32_t *y, uint32_t n, uint32_t labels,
                            uint64_t seq) {
    uint32_t known = h->labels, next = 0, first = HOMER_NO_NODE;
    while (next < n && y[next] < known) next++;
    while (h->labels < labels) {
        bool in_y = next < n && y[next] == h->labels;
        next += in_y;
        uint32_t slot = leaf_for(h, y, n, in_y);
        if (first == HOMER_NO_NODE) first = slot;
        join(h, slot);
    }
    place_all(h);
    h->generation++;
    homer_hierarchy_tell(h, &(struct homer_hierarchy_event){.seq = seq,
                                                            .node = h->node[first].id,
                                                            .change = HOMER_HIERARCHY_ARRIVAL,
                                                            .labels = h->node[first].labels,
                                                            .before = known,
                                                            .after = labels});
    homer_hierarchy_relieve(h, seq);
}
