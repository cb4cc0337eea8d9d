/* What nodes see of an instance, and drift in it. */
#include "core/labels/hierarchy_impl.h"

#define KEPT                                                                                                 \
    .2 /* of the evidence since a drift, as old evidence: holds clusters together until there is new, and    \
           is soon outweighed */

enum { WAIT = 64 }; /* instances with pairs: two tests of the other ADWINs, which a new tree would end */

static double pairs_of(uint32_t n) {
    return (double)n * (n - 1) / 2;
}

/* Takes the instance in at one node that has at least two of its labels; true when what the node watches
 * began to rise: at the root the share of pairs that clusters separate, `apart` pairs of this instance, below
 * it the share that its cut does. */
static bool take_in(struct homer_hierarchy *h, uint32_t slot, double apart) {
    struct homer_hierarchy_node *n = &h->node[slot];
    double pairs = pairs_of(n->hits), weight = h->counts.weight;
    n->visits += weight;
    n->pairs += weight * pairs;
    if (n->child[0] == HOMER_NO_NODE) return false;
    uint32_t left = h->node[n->child[0]].hits;
    double cut = (double)left * (n->hits - left);
    n->cut += weight * cut;
    if (n->watch == HOMER_NO_NODE) return false;
    struct homer_adwin *a = &h->watch[n->watch];
    return homer_adwin_add(a, (slot == 0 ? apart : cut) / pairs) && homer_adwin_mean(a) > a->before;
}

/* The counts of the node's labels shrink to what the instances since the change amount to. */
static void answer(struct homer_hierarchy *h, uint32_t slot, uint64_t seq) {
    const struct homer_hierarchy_node *n = &h->node[slot];
    struct homer_grouping *g = &h->grouper;
    struct homer_adwin *a = &h->watch[n->watch];
    double interval = (h->counts.seen - n->before) / n->visits; /* instances a visit */
    homer_grouping_load(g, &h->counts, h->order + n->first, n->labels);
    homer_cooccur_forget(&h->counts, g->label, g->m, g->rank, homer_adwin_newest(a) * interval * KEPT);
    h->new_pairs = h->new_visits = h->since_drift = 0;
    h->due_pairs = 0;
    h->due_visits = WAIT;
    homer_hierarchy_tell(h, &(struct homer_hierarchy_event){.seq = seq,
                                                            .node = n->id,
                                                            .change = HOMER_HIERARCHY_DRIFT,
                                                            .labels = n->labels,
                                                            .before = a->before,
                                                            .after = homer_adwin_mean(a)});
    uint32_t end = n->first + n->labels; /* slots are in preorder: those below follow */
    for (uint32_t s = slot; s < h->slots && h->node[s].first < end; s++)
        if (h->node[s].watch != HOMER_NO_NODE) homer_adwin_reset(&h->watch[h->node[s].watch]);
}

static bool is_topmost(const struct homer_hierarchy *h, uint32_t slot) {
    bool top = h->node[slot].drifted;
    for (uint32_t s = h->node[slot].parent; top && s != HOMER_NO_NODE; s = h->node[s].parent)
        top = !h->node[s].drifted;
    return top;
}

void homer_hierarchy_observe(struct homer_hierarchy *h, const uint32_t *y, uint32_t n, uint64_t seq) {
    uint32_t *touched = h->touched, all = 0;
    double apart = pairs_of(n);
    bool flagged = false;
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t s = h->leaf[y[k]]; s != HOMER_NO_NODE; s = h->node[s].parent)
            if (h->node[s].hits++ == 0) touched[all++] = s;
    for (uint32_t t = 0; t < all; t++)
        if (homer_hierarchy_is_leaf(h, touched[t])) apart -= pairs_of(h->node[touched[t]].hits);
    for (uint32_t t = 0; t < all; t++) {
        struct homer_hierarchy_node *node = &h->node[touched[t]];
        if (node->hits < 2) continue;
        node->drifted = take_in(h, touched[t], apart);
        flagged = flagged || node->drifted;
    }
    for (uint32_t t = 0; t < all; t++) h->node[touched[t]].hits = 0;
    if (!flagged) return;
    for (uint32_t t = 0; t < all; t++)
        if (is_topmost(h, touched[t])) answer(h, touched[t], seq);
    for (uint32_t t = 0; t < all; t++) h->node[touched[t]].drifted = false;
}
