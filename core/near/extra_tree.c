#include "core/near/extra_tree.h"

#include <errno.h>
#include <string.h>

void homer_extra_tree_deinit(struct homer_extra_tree *t, struct homer_mem *mem) {
    homer_mem_free(mem, t->node, HOMER_TREE_NODES, sizeof *t->node);
    homer_mem_free(mem, t->share, t->share_cap, sizeof *t->share);
    homer_mem_free(mem, t->set, t->set_cap, sizeof *t->set);
}

int homer_extra_tree_reserve(struct homer_extra_tree *t, struct homer_mem *mem, uint32_t shares,
                             uint32_t sets) {
    if (!t->node && !(t->node = homer_mem_alloc(mem, HOMER_TREE_NODES, sizeof *t->node))) return -ENOMEM;
    if (sets > t->set_cap) {
        uint32_t cap = sets + sets / 2;
        void *set = homer_mem_grow(mem, t->set, t->set_cap, cap, sizeof *t->set);
        if (!set) return -ENOMEM;
        t->set = set;
        t->set_cap = cap;
    }
    if (shares > t->share_cap) {
        uint32_t cap = shares + shares / 2;
        void *share = homer_mem_grow(mem, t->share, t->share_cap, cap, sizeof *t->share);
        if (!share) return -ENOMEM;
        t->share = share;
        t->share_cap = cap;
    }
    return 0;
}

void homer_extra_tree_leaf(struct homer_extra_tree *t, uint32_t node) {
    t->node[node] = (struct homer_extra_node){.set = t->sets, .share = t->shares};
}

void homer_extra_tree_add_share(struct homer_extra_tree *t, uint32_t node, uint32_t label, float share) {
    t->share[t->shares++] = (struct homer_extra_share){label, share};
    t->node[node].shares++;
}

void homer_extra_tree_add_set(struct homer_extra_tree *t, uint32_t node, uint32_t set, float share) {
    struct homer_extra_node *leaf = &t->node[node];
    uint32_t i = leaf->set;
    while (i < t->sets && t->set[i].set != set) i++;
    if (i == t->sets) {
        if (leaf->sets == HOMER_LEAF_SETS) return;
        leaf->sets++;
        t->set[t->sets++] = (struct homer_extra_set){set, 0};
    }
    t->set[i].share += share;
}

const struct homer_extra_node *homer_extra_tree_reach(const struct homer_extra_tree *t, const float *value) {
    const struct homer_extra_node *n = t->node;
    while (n->child) n = &t->node[n->child + (value[n->feature] > n->threshold)];
    return n;
}

void homer_extra_tree_put_room(const struct homer_extra_tree *t, struct homer_codec *c) {
    homer_put_room(c, t->node != NULL);
    homer_put_room(c, t->share_cap);
    homer_put_room(c, t->set_cap);
}

void homer_extra_tree_encode(const struct homer_extra_tree *t, struct homer_codec *c) {
    homer_put_u32(c, t->nodes);
    for (uint32_t k = 0; k < t->nodes; k++) {
        homer_put_u32(c, t->node[k].feature);
        if (t->node[k].child)
            homer_put_f32(c, t->node[k].threshold);
        else
            homer_put_u32(c, t->node[k].sets);
        homer_put_u32(c, t->node[k].child);
        homer_put_u32(c, t->node[k].share);
        homer_put_u32(c, t->node[k].shares);
    }
    for (uint32_t k = 0; k < t->shares; k++) {
        homer_put_u32(c, t->share[k].label);
        homer_put_f32(c, t->share[k].share);
    }
    for (uint32_t k = 0; k < t->sets; k++) {
        homer_put_u32(c, t->set[k].set);
        homer_put_f32(c, t->set[k].share);
    }
}

void homer_extra_tree_get_room(struct homer_extra_tree *t, struct homer_mem *mem, bool grown,
                               struct homer_decoder *d) {
    if (homer_get_room(d, grown)) t->node = homer_get_block(d, mem, HOMER_TREE_NODES, sizeof *t->node);
    t->share_cap = homer_get_room(d, 0);
    t->share = homer_get_block(d, mem, t->share_cap, sizeof *t->share);
    t->set_cap = homer_get_room(d, 0);
    t->set = homer_get_block(d, mem, t->set_cap, sizeof *t->set);
}

/* Children lie behind their node, so that every way down ends. */
static void decode_node(struct homer_extra_tree *t, uint32_t at, uint32_t features, struct homer_decoder *d) {
    struct homer_extra_node *n = &t->node[at];
    uint32_t first = homer_get_u32(d), second = homer_get_u32(d);
    n->child = homer_get_u32(d);
    n->share = homer_get_most(d, t->share_cap);
    n->shares = homer_get_most(d, t->share_cap - n->share);
    if (n->child) {
        homer_get_holds(d, n->child > at && n->child < t->nodes - 1 && first < features && !n->shares);
        n->feature = first;
        memcpy(&n->threshold, &second, sizeof second);
        return;
    }
    homer_get_holds(d, second <= HOMER_LEAF_SETS && first <= t->set_cap && second <= t->set_cap - first);
    n->set = first;
    n->sets = second;
    if (n->share + n->shares > t->shares) t->shares = n->share + n->shares;
    if (first + second > t->sets) t->sets = first + second;
}

void homer_extra_tree_decode(struct homer_extra_tree *t, uint32_t features, uint32_t labels,
                             struct homer_decoder *d) {
    t->nodes = homer_get_most(d, HOMER_TREE_NODES);
    homer_get_holds(d, t->nodes > 0);
    for (uint32_t k = 0; k < t->nodes && !d->error; k++) decode_node(t, k, features, d);
    for (uint32_t k = 0; k < t->shares && !d->error; k++) {
        homer_get_ids(d, &t->share[k].label, 1, labels);
        t->share[k].share = homer_get_f32(d);
    }
    for (uint32_t k = 0; k < t->sets && !d->error; k++) {
        t->set[k].set = homer_get_u32(d);
        t->set[k].share = homer_get_f32(d);
    }
}
