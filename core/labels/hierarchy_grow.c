/* The tree, made from a grouping of the labels. */
#include "core/labels/hierarchy_impl.h"

void homer_hierarchy_plant(struct homer_hierarchy *h) {
    h->node[0] = (struct homer_hierarchy_node){.id = h->next_id++,
                                               .parent = HOMER_NO_NODE,
                                               .child = {HOMER_NO_NODE, HOMER_NO_NODE},
                                               .watch = HOMER_NO_NODE};
    h->slots = h->leaves = 1;
}

/* Makes the node of the grouper's tree, and all below, in preorder from *at on. members holds the sizes of
 * groups, and afterwards their slots. */
static uint32_t sow(struct homer_hierarchy *h, uint32_t of, uint32_t parent, uint32_t *at) {
    const struct homer_grouping *g = &h->grouper;
    uint32_t slot = h->slots++;
    struct homer_hierarchy_node *n = &h->spare[slot];
    *n = (struct homer_hierarchy_node){.parent = parent,
                                       .child = {HOMER_NO_NODE, HOMER_NO_NODE},
                                       .depth = parent == HOMER_NO_NODE ? 0 : h->spare[parent].depth + 1,
                                       .first = *at,
                                       .before = h->counts.seen,
                                       .watch = HOMER_NO_NODE};
    if (of < g->groups) {
        *at += h->members[of];
        h->members[of] = slot;
        return slot;
    }
    n->child[0] = sow(h, g->joint[of - g->groups].left, slot, at);
    n->child[1] = sow(h, g->joint[of - g->groups].right, slot, at);
    n->labels = *at - n->first;
    return slot;
}

/* The present node that the new one in a slot stands for: same labels, and in an inner node the same cut. */
static uint32_t find_twin(const struct homer_hierarchy *h, uint32_t slot) {
    const struct homer_hierarchy_node *n = &h->spare[slot];
    if (n->child[0] != HOMER_NO_NODE) {
        uint32_t a = h->twin[n->child[0]], b = h->twin[n->child[1]];
        if (a == HOMER_NO_NODE || b == HOMER_NO_NODE) return HOMER_NO_NODE;
        return h->node[a].parent == h->node[b].parent ? h->node[a].parent : HOMER_NO_NODE;
    }
    uint32_t leaf = h->leaf[h->order[n->first]];
    if (h->node[leaf].labels != n->labels) return HOMER_NO_NODE;
    for (uint32_t i = n->first; i < n->first + n->labels; i++)
        if (h->leaf[h->order[i]] != leaf) return HOMER_NO_NODE;
    return leaf;
}

/* What stays the same goes on: id, counts and ADWIN; the rest begins. Returns how many labels are in a new
 * leaf. */
static uint32_t hand_on(struct homer_hierarchy *h, uint32_t old_slots) {
    uint32_t moved = 0;
    for (uint32_t s = h->slots; s-- > 0;) h->twin[s] = find_twin(h, s);
    for (uint32_t s = 0; s < h->slots; s++) {
        struct homer_hierarchy_node *n = &h->spare[s];
        n->id = s == 0 ? h->node[0].id : 0;
        if (h->twin[s] == HOMER_NO_NODE) {
            if (s > 0) n->id = h->next_id++;
            if (n->child[0] == HOMER_NO_NODE) moved += n->labels;
            continue;
        }
        struct homer_hierarchy_node *twin = &h->node[h->twin[s]];
        if (s > 0) n->id = twin->id;
        n->visits = twin->visits;
        n->pairs = twin->pairs;
        n->before = twin->before;
        n->cut = twin->cut;
        n->watch = twin->watch;
        twin->watch = HOMER_NO_NODE;
    }
    for (uint32_t s = 0; s < old_slots; s++)
        if (h->node[s].watch != HOMER_NO_NODE) h->free_watch[h->free_watch_n++] = h->node[s].watch;
    return moved;
}

/* ADWINs for new inner nodes, as far as there are any: those above go first. */
static void watch(struct homer_hierarchy *h) {
    struct homer_adwin_config config;
    homer_adwin_config_default(&config);
    config.delta = h->config.drift_delta;
    for (uint32_t s = 0; s < h->slots; s++) {
        struct homer_hierarchy_node *n = &h->node[s];
        if (n->child[0] == HOMER_NO_NODE || n->watch != HOMER_NO_NODE) continue;
        if (h->watches - h->free_watch_n >= homer_hierarchy_watches(h->labels)) return;
        n->watch = h->free_watch_n ? h->free_watch[--h->free_watch_n] : h->watches++;
        homer_adwin_init(&h->watch[n->watch], &config);
    }
}

uint32_t homer_hierarchy_grow(struct homer_hierarchy *h) {
    struct homer_grouping *g = &h->grouper;
    uint32_t at = 0, old_slots = h->slots;
    for (uint32_t k = 0; k < g->groups; k++) h->members[k] = 0;
    for (uint32_t r = 0; r < g->m; r++) {
        h->to[g->label[r]] = g->group[r];
        h->members[g->group[r]]++;
    }
    homer_grouping_join(g);
    h->slots = 0;
    sow(h, g->groups > 1 ? 2 * g->groups - 2 : 0, HOMER_NO_NODE, &at);
    for (uint32_t l = 0; l < h->labels; l++) {
        struct homer_hierarchy_node *n = &h->spare[h->members[h->to[l]]];
        h->place[l] = n->first + n->labels++;
        h->order[h->place[l]] = l;
    }
    uint32_t moved = hand_on(h, old_slots);
    for (uint32_t l = 0; l < h->labels; l++) h->leaf[l] = h->members[h->to[l]];
    struct homer_hierarchy_node *old = h->node;
    h->node = h->spare;
    h->spare = old;
    h->leaves = g->groups;
    h->generation += moved > 0;
    watch(h);
    return moved;
}
