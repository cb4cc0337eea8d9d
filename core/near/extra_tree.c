#include "core/near/extra_tree.h"

#include <errno.h>

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
