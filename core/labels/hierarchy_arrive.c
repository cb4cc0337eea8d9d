/* New labels. They are placed one by one, then leaves that have grown too large are grouped anew at once, so
 * that many at a time cost little more than one. */
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
    /* The path to the leaf starts before `at`, or all is empty. */
    for (uint32_t s = 0; at && s < h->slots; s++) h->node[s].first += h->node[s].first >= at;
    for (uint32_t s = slot; s != HOMER_NO_NODE; s = h->node[s].parent) h->node[s].labels++;
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
    homer_hierarchy_tell(h, &(struct homer_hierarchy_event){.seq = seq,
                                                            .node = h->node[first].id,
                                                            .change = HOMER_HIERARCHY_ARRIVAL,
                                                            .labels = h->node[first].labels,
                                                            .before = known,
                                                            .after = labels});
    homer_hierarchy_relieve(h, seq);
}
