/* What nodes see of an instance, and drift in it. */
#include "core/labels/hierarchy_impl.h"

enum { RENEWALS = 3 };

static double pairs_of(uint32_t n) {
    return (double)n * (n - 1) / 2;
}

/* Takes the instance in at one node that has at least two of its labels; true when its cut began to separate
 * more. */
static bool take_in(struct homer_hierarchy *h, uint32_t slot) {
    struct homer_hierarchy_node *n = &h->node[slot];
    double pairs = pairs_of(n->hits), weight = h->counts.weight;
    n->visits += weight;
    n->pairs += weight * pairs;
    n->new_visits++;
    n->new_pairs += (uint64_t)n->hits * (n->hits - 1) / 2;
    if (n->child[0] == HOMER_NO_NODE) return false;
    uint32_t left = h->node[n->child[0]].hits;
    double cut = (double)left * (n->hits - left);
    n->cut += weight * cut;
    if (n->watch == HOMER_NO_NODE) return false;
    struct homer_adwin *a = &h->watch[n->watch];
    return homer_adwin_add(a, cut / pairs) && homer_adwin_mean(a) > a->before;
}

/* The counts of the node's labels shrink to what the instances since the change amount to; then new evidence
 * decides: soon, for what is left of the counts is still mostly old. The nodes above, whose counts are now of
 * two ages, are not judged before their own ADWINs had the time to see the drift, which a new cut would end.
 */
static void answer(struct homer_hierarchy *h, uint32_t slot, uint64_t seq) {
    struct homer_hierarchy_node *n = &h->node[slot];
    struct homer_bipartition *b = &h->cutter;
    const struct homer_adwin *a = &h->watch[n->watch];
    double before = a->before, since = homer_adwin_mean(a);
    double interval = (h->counts.seen - n->before) / n->visits; /* instances a visit */
    struct homer_cut cut;
    n->drifted = false;
    n->renewals = RENEWALS;
    homer_hierarchy_load(h, slot);
    homer_cooccur_forget(&h->counts, b->label, b->m, b->rank, homer_adwin_newest(a) * interval);
    homer_hierarchy_rebuild(h, slot, &cut);
    for (uint32_t s = n->parent; s != HOMER_NO_NODE; s = h->node[s].parent)
        h->node[s].new_pairs = h->node[s].new_visits = 0;
    homer_hierarchy_tell(h, seq, slot, HOMER_HIERARCHY_DRIFT, before, since);
}

uint32_t homer_hierarchy_observe(struct homer_hierarchy *h, const uint32_t *y, uint32_t n, uint64_t seq) {
    uint32_t *touched = h->touched, all = 0, kept = 0, drifted = 0;
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t s = h->leaf[y[k]]; s != HOMER_NO_NODE; s = h->node[s].parent)
            if (h->node[s].hits++ == 0) touched[all++] = s;
    uint32_t flagged = 0;
    for (uint32_t t = 0; t < all; t++) {
        struct homer_hierarchy_node *node = &h->node[touched[t]];
        if (node->hits < 2) continue;
        node->drifted = take_in(h, touched[t]);
        flagged += node->drifted;
    }
    for (uint32_t t = 0; t < all; t++) {
        struct homer_hierarchy_node *node = &h->node[touched[t]];
        if (node->hits >= 2) touched[kept++] = touched[t];
        node->hits = 0;
    }
    if (!flagged) return kept;
    for (uint32_t t = 0; t < kept; t++) {
        bool top = h->node[touched[t]].drifted;
        for (uint32_t s = h->node[touched[t]].parent; top && s != HOMER_NO_NODE; s = h->node[s].parent)
            top = !h->node[s].drifted;
        if (top) touched[drifted++] = touched[t];
    }
    for (uint32_t t = 0; t < drifted; t++) answer(h, touched[t], seq);
    return 0;
}
