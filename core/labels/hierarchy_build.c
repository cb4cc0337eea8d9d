/* Making and unmaking of nodes. */
#include "core/labels/hierarchy_impl.h"

enum { CHECK_PAIRS = 64 };

static uint32_t new_node(struct homer_hierarchy *h, uint32_t parent, uint32_t first, uint32_t labels) {
    uint32_t slot = h->free_n ? h->free_slot[--h->free_n] : h->slots++;
    h->node[slot] = (struct homer_hierarchy_node){
        .id = h->next_id++,
        .parent = parent,
        .child = {HOMER_NO_NODE, HOMER_NO_NODE},
        .depth = parent == HOMER_NO_NODE ? 0 : h->node[parent].depth + 1,
        .first = first,
        .labels = labels,
        .watch = HOMER_NO_NODE,
    };
    homer_hierarchy_pace(h, slot, 0);
    h->leaves++;
    return slot;
}

void homer_hierarchy_plant(struct homer_hierarchy *h) {
    new_node(h, HOMER_NO_NODE, 0, 0);
}

void homer_hierarchy_pace(struct homer_hierarchy *h, uint32_t slot, double pairs) {
    struct homer_hierarchy_node *n = &h->node[slot];
    uint64_t half = (uint64_t)((pairs < h->memory ? pairs : h->memory) / 2);
    n->new_pairs = n->new_visits = 0;
    n->due_pairs = CHECK_PAIRS;
    if (n->due_pairs < 2 * (uint64_t)n->labels) n->due_pairs = 2 * (uint64_t)n->labels;
    if (n->due_pairs < half) n->due_pairs = half;
}

void homer_hierarchy_tell(struct homer_hierarchy *h, uint64_t seq, uint32_t slot,
                          enum homer_hierarchy_change change, double before, double after) {
    h->events[h->events_n++] = (struct homer_hierarchy_event){
        .seq = seq,
        .node = h->node[slot].id,
        .change = change,
        .labels = h->node[slot].labels,
        .before = before,
        .after = after,
    };
}

void homer_hierarchy_load(struct homer_hierarchy *h, uint32_t slot) {
    const struct homer_hierarchy_node *n = &h->node[slot];
    struct homer_bipartition *b = &h->cutter;
    homer_bipartition_load(b, &h->counts, h->order + n->first, n->labels);
    if (homer_hierarchy_is_leaf(h, slot)) return;
    uint32_t border = h->node[n->child[1]].first;
    for (uint32_t r = 0; r < n->labels; r++) b->side[r] = h->place[b->label[r]] >= border;
}

/* Makes an inner node a leaf; below it nothing remains. */
static void fell(struct homer_hierarchy *h, uint32_t slot) {
    struct homer_hierarchy_node *n = &h->node[slot];
    if (n->child[0] == HOMER_NO_NODE) return;
    for (int s = 0; s < 2; s++) {
        fell(h, n->child[s]);
        h->free_slot[h->free_n++] = n->child[s];
        n->child[s] = HOMER_NO_NODE;
    }
    h->leaves--;
    if (n->watch != HOMER_NO_NODE) h->free_watch[h->free_watch_n++] = n->watch;
    n->watch = HOMER_NO_NODE;
    n->cut = 0;
}

/* Gives a leaf two children, the sides of the cut in the cutter. */
static void divide(struct homer_hierarchy *h, uint32_t slot) {
    const struct homer_bipartition *b = &h->cutter;
    struct homer_hierarchy_node *n = &h->node[slot]; /* never moves: only reserve does that */
    uint32_t at = n->first, size[2] = {0, 0};
    for (uint8_t s = 0; s < 2; s++)
        for (uint32_t r = 0; r < b->m; r++) {
            if (b->side[r] != s) continue;
            h->order[at++] = b->label[r];
            size[s]++;
        }
    n->child[0] = new_node(h, slot, n->first, size[0]);
    n->child[1] = new_node(h, slot, n->first + size[0], size[1]);
    h->leaves--;
    n->visits = n->pairs = 0; /* of this cut from now on */
    n->before = h->counts.seen;
    if (h->watches - h->free_watch_n >= homer_hierarchy_watches(h->labels)) return;
    n->watch = h->free_watch_n ? h->free_watch[--h->free_watch_n] : h->watches++;
    struct homer_adwin_config config;
    homer_adwin_config_default(&config);
    config.delta = h->config.drift_delta;
    homer_adwin_init(&h->watch[n->watch], &config);
}

static void sort_ids(uint32_t *id, uint32_t n) {
    for (uint32_t i = 1; i < n; i++) {
        uint32_t moved = id[i], k = i;
        for (; k && id[k - 1] > moved; k--) id[k] = id[k - 1];
        id[k] = moved;
    }
}

/* Settles a leaf; true when there was none of the same labels before. */
static bool settle(struct homer_hierarchy *h, uint32_t slot) {
    struct homer_hierarchy_node *n = &h->node[slot];
    uint32_t *label = h->order + n->first;
    bool same = h->was_n[label[0]] == n->labels;
    sort_ids(label, n->labels);
    for (uint32_t i = 0; i < n->labels; i++) {
        same = same && h->was[label[i]] == h->was[label[0]];
        h->place[label[i]] = n->first + i;
        h->leaf[label[i]] = slot;
    }
    if (same) n->id = h->was[label[0]];
    return !same;
}

static bool build(struct homer_hierarchy *h, uint32_t slot, struct homer_cut *top) {
    const struct homer_hierarchy_config *c = &h->config;
    struct homer_hierarchy_node *n = &h->node[slot];
    struct homer_cut cut = {0};
    *top = (struct homer_cut){0};
    if (n->labels < c->min_split) return settle(h, slot);
    homer_hierarchy_load(h, slot);
    homer_bipartition_find(&h->cutter, h->log_delta);
    homer_bipartition_rate(&h->cutter, h->log_delta, &cut);
    homer_hierarchy_pace(h, slot, cut.pairs);
    if (n->labels <= c->max_leaf && cut.gain <= cut.error + c->effect) return settle(h, slot);
    divide(h, slot);
    struct homer_cut below;
    bool left = build(h, n->child[0], &below), right = build(h, n->child[1], &below);
    *top = cut;
    return left || right;
}

bool homer_hierarchy_rebuild(struct homer_hierarchy *h, uint32_t slot, struct homer_cut *top) {
    struct homer_hierarchy_node *n = &h->node[slot];
    for (uint32_t i = n->first; i < n->first + n->labels; i++) {
        const struct homer_hierarchy_node *leaf = &h->node[h->leaf[h->order[i]]];
        h->was[h->order[i]] = leaf->id;
        h->was_n[h->order[i]] = leaf->labels;
    }
    fell(h, slot);
    bool changed = build(h, slot, top);
    h->generation += changed;
    return changed;
}
