/* Writes the hierarchy, and reads it. */
#include <errno.h>
#include "core/labels/hierarchy_impl.h"

enum { DEEPEST = 40 }; /* depth <= 2 + ceil(log2(leaves)), with fewer than 2^32 of them */

void homer_hierarchy_encode(const struct homer_hierarchy *h, struct homer_codec *c) {
    homer_cooccur_encode(&h->counts, c);
    homer_put_u32(c, h->labels);
    homer_grouping_put_room(&h->grouper, c);
    homer_put_room(c, h->cap);
    homer_put_room(c, h->events_cap);
    homer_put_room(c, h->slots);
    homer_put_u64(c, h->next_id);
    homer_put_u64(c, h->generation);
    homer_put_u64(c, h->new_pairs);
    homer_put_u64(c, h->new_visits);
    homer_put_u64(c, h->due_pairs);
    homer_put_u64(c, h->due_visits);
    homer_put_u64(c, h->since_drift);
    homer_put_u32s(c, h->order, h->labels);
    for (uint32_t s = 0; s != HOMER_NO_NODE; s = homer_hierarchy_next(h, s)) {
        const struct homer_hierarchy_node *n = &h->node[s];
        homer_put_u64(c, n->id);
        homer_put_u32(c, n->depth); /* with preorder: the shape */
        homer_put_u32(c, n->first);
        homer_put_u32(c, n->labels);
        homer_put_f64(c, n->visits);
        homer_put_f64(c, n->before);
        homer_put_f64(c, n->pairs);
        homer_put_f64(c, n->cut);
        homer_put_u8(c, n->watch != HOMER_NO_NODE);
        if (n->watch != HOMER_NO_NODE) homer_adwin_encode(&h->watch[n->watch], c);
    }
}

/* The tree is written in preorder: where the node of a slot hangs follows from its depth and the one before.
 */
static void hang(struct homer_hierarchy *h, uint32_t slot, struct homer_decoder *d) {
    struct homer_hierarchy_node *n = &h->node[slot];
    uint32_t up = slot - 1;
    if (!homer_get_holds(d, slot > 0 || n->depth == 0) || slot == 0) return;
    if (!homer_get_holds(d, n->depth > 0 && n->depth <= h->node[up].depth + 1)) return;
    while (h->node[up].depth >= n->depth) up = h->node[up].parent;
    int side = h->node[up].child[0] != HOMER_NO_NODE;
    homer_get_holds(d, h->node[up].child[side] == HOMER_NO_NODE);
    n->parent = up;
    h->node[up].child[side] = slot;
}

static void decode_watch(struct homer_hierarchy *h, struct homer_hierarchy_node *n, struct homer_decoder *d) {
    struct homer_adwin_config config;
    homer_adwin_config_default(&config);
    config.delta = h->config.drift_delta;
    if (!homer_get_u8(d, 1) || !homer_get_holds(d, h->watches < h->watch_cap)) return;
    n->watch = h->watches++;
    homer_adwin_init(&h->watch[n->watch], &config);
    homer_adwin_decode(&h->watch[n->watch], d);
}

static void decode_node(struct homer_hierarchy *h, uint32_t slot, struct homer_decoder *d) {
    struct homer_hierarchy_node *n = &h->node[slot];
    *n = (struct homer_hierarchy_node){
        .parent = HOMER_NO_NODE, .child = {HOMER_NO_NODE, HOMER_NO_NODE}, .watch = HOMER_NO_NODE};
    n->id = homer_get_u64(d);
    n->depth = homer_get_most(d, DEEPEST);
    hang(h, slot, d);
    n->first = homer_get_most(d, h->labels);
    n->labels = homer_get_most(d, h->labels - n->first);
    n->visits = homer_get_f64(d);
    n->before = homer_get_f64(d);
    n->pairs = homer_get_f64(d);
    n->cut = homer_get_f64(d);
    decode_watch(h, n, d);
}

/* A leaf has its labels, ascending, and one at least unless there are none. */
static void place_leaf(struct homer_hierarchy *h, uint32_t slot, struct homer_decoder *d) {
    const struct homer_hierarchy_node *n = &h->node[slot];
    h->leaves++;
    homer_get_holds(d, n->labels > 0 || h->labels == 0);
    for (uint32_t i = n->first; i < n->first + n->labels; i++) {
        homer_get_holds(d, i == n->first || h->order[i - 1] < h->order[i]);
        h->leaf[h->order[i]] = slot;
    }
}

/* Children share the labels of their node, side by side. */
static void check_tree(struct homer_hierarchy *h, struct homer_decoder *d) {
    homer_get_holds(d, h->node[0].first == 0 && h->node[0].labels == h->labels);
    h->leaves = 0;
    for (uint32_t s = 0; s < h->slots && !d->error; s++) {
        const struct homer_hierarchy_node *n = &h->node[s];
        if (n->child[0] == HOMER_NO_NODE) {
            place_leaf(h, s, d);
            continue;
        }
        if (!homer_get_holds(d, n->child[1] != HOMER_NO_NODE)) return;
        const struct homer_hierarchy_node *a = &h->node[n->child[0]], *b = &h->node[n->child[1]];
        homer_get_holds(d, a->first == n->first && b->first == a->first + a->labels &&
                               a->labels + b->labels == n->labels);
    }
}

static void decode_order(struct homer_hierarchy *h, struct homer_decoder *d) {
    homer_get_ids(d, h->order, h->labels, h->labels);
    for (uint32_t i = 0; i < h->labels; i++) h->place[i] = UINT32_MAX;
    for (uint32_t i = 0; i < h->labels && !d->error; i++) {
        homer_get_holds(d, h->place[h->order[i]] == UINT32_MAX);
        h->place[h->order[i]] = i;
    }
}

/* In the place of the room it began with. */
static void decode_room(struct homer_hierarchy *h, struct homer_decoder *d) {
    homer_grouping_get_room(&h->grouper, h->labels, d);
    homer_hierarchy_free_places(h);
    h->slots = h->watches = h->free_watch_n = 0;
    uint32_t cap = homer_get_room(d, h->labels ? h->labels : 1), labels = h->labels;
    h->labels = 0; /* none to keep */
    if (!d->error && homer_hierarchy_widen(h, cap)) homer_get_fail(d, -ENOMEM);
    h->labels = labels;
    h->events = homer_mem_free(h->mem, h->events, h->events_cap, sizeof *h->events);
    h->events_cap = homer_get_room(d, 0);
    h->events = homer_get_block(d, h->mem, h->events_cap, sizeof *h->events);
}

void homer_hierarchy_decode(struct homer_hierarchy *h, uint32_t labels, struct homer_decoder *d) {
    homer_cooccur_decode(&h->counts, labels, d);
    if (!homer_get_holds(d, homer_get_u32(d) == labels)) return;
    h->labels = labels;
    decode_room(h, d);
    uint32_t slots = homer_get_room(d, 1);
    if (!homer_get_holds(d, slots < h->node_cap)) return;
    h->next_id = homer_get_u64(d);
    h->generation = homer_get_u64(d);
    h->new_pairs = homer_get_u64(d);
    h->new_visits = homer_get_u64(d);
    h->due_pairs = homer_get_u64(d);
    h->due_visits = homer_get_u64(d);
    h->since_drift = homer_get_u64(d);
    decode_order(h, d);
    for (; h->slots < slots && !d->error; h->slots++) decode_node(h, h->slots, d);
    check_tree(h, d);
}
