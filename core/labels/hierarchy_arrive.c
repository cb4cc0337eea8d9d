/* New labels. They are placed one by one, then the tree is mended once, so that many at a time cost little
 * more than one. */
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

/* Appends the label h->labels, larger than all others, to a leaf. */
static void insert(struct homer_hierarchy *h, uint32_t slot) {
    uint32_t label = h->labels++, at = h->node[slot].first + h->node[slot].labels;
    for (uint32_t i = label; i > at; i--) {
        h->order[i] = h->order[i - 1];
        h->place[h->order[i]] = i;
    }
    h->order[at] = label;
    h->place[label] = at;
    h->leaf[label] = slot;
    /* Free slots are shifted with the rest; it does not matter. The path to the leaf starts before `at`, or
     * all is empty. */
    for (uint32_t s = 0; at && s < h->slots; s++) h->node[s].first += h->node[s].first >= at;
    for (uint32_t s = slot; s != HOMER_NO_NODE; s = h->node[s].parent) h->node[s].labels++;
}

static void mend(struct homer_hierarchy *h, uint32_t slot, uint64_t seq) {
    const struct homer_hierarchy_node *n = &h->node[slot];
    struct homer_cut before, after;
    if (homer_hierarchy_is_leaf(h, slot)) {
        if (n->labels <= 2 * h->config.max_leaf) return;
        homer_hierarchy_rebuild(h, slot, &after);
        homer_hierarchy_tell(h, seq, slot, HOMER_HIERARCHY_SPLIT, 0, after.cut);
        return;
    }
    uint32_t a = h->node[n->child[0]].labels, b = h->node[n->child[1]].labels;
    if (10 * (uint64_t)(a < b ? a : b) >= n->labels) {
        uint32_t right = n->child[1];
        mend(h, n->child[0], seq);
        mend(h, right, seq);
        return;
    }
    homer_hierarchy_load(h, slot);
    homer_bipartition_rate(&h->cutter, h->log_delta, &before);
    homer_hierarchy_rebuild(h, slot, &after);
    homer_hierarchy_tell(h, seq, slot, HOMER_HIERARCHY_BALANCE, before.cut, after.cut);
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
        insert(h, slot);
    }
    h->generation++;
    homer_hierarchy_tell(h, seq, first, HOMER_HIERARCHY_ARRIVAL, known, labels);
    mend(h, 0, seq);
}
