/* Writes a tree, and reads it. */
#include <errno.h>
#include "core/tree/hoeffding.h"

enum { NO_DEPTH = UINT16_MAX }; /* of a node that none has named as its child yet */

void homer_tree_encode(const struct homer_tree *t, struct homer_codec *c) {
    homer_put_u32(c, t->m);
    homer_put_u32(c, t->node_n);
    homer_put_room(c, t->node_cap);
    for (uint32_t i = 0; i < t->node_n; i++) {
        const struct homer_tree_node *n = &t->node[i];
        homer_put_u8(c, (uint8_t)(n->stats ? 1 + n->inactive : 0));
        if (n->stats) {
            homer_put_f64(c, n->next);
            homer_stats_encode(n->stats, c);
            continue;
        }
        homer_put_u32s(c, n->child, 2);
        homer_put_u32(c, n->feature);
        homer_put_f32(c, n->threshold);
        homer_put_u8(c, (uint8_t)(n->presence | n->heavier << 1));
    }
    if (t->config->alternate) homer_alternate_encode(t, c);
}

/* Siblings lie side by side, behind their parent, which is read before them. */
static void decode_inner(struct homer_tree *t, uint32_t i, uint32_t features, struct homer_decoder *d) {
    struct homer_tree_node *n = &t->node[i];
    homer_get_u32s(d, n->child, 2);
    n->feature = homer_get_u32(d);
    n->threshold = homer_get_f32(d);
    uint8_t bits = homer_get_u8(d, 3);
    n->presence = bits & 1;
    n->heavier = bits >> 1;
    bool so = n->child[0] > i && n->child[0] < t->node_n - 1 && n->child[1] == n->child[0] + 1;
    if (!homer_get_holds(d, so && n->feature < features && n->depth < t->config->max_depth)) return;
    for (int k = 0; k < 2; k++) {
        homer_get_holds(d, t->node[n->child[k]].depth == NO_DEPTH);
        t->node[n->child[k]].depth = (uint16_t)(n->depth + 1);
    }
}

static void decode_node(struct homer_tree *t, uint32_t i, uint32_t features, struct homer_decoder *d) {
    struct homer_tree_node *n = &t->node[i];
    uint8_t kind = homer_get_u8(d, 2);
    if (!homer_get_holds(d, n->depth != NO_DEPTH)) return;
    if (!kind) {
        decode_inner(t, i, features, d);
        return;
    }
    n->inactive = kind == 2;
    n->next = homer_get_f64(d);
    if (homer_stats_new(&n->stats, t->mem, t->m)) homer_get_fail(d, -ENOMEM);
    if (!d->error) homer_stats_decode(n->stats, features, d);
}

struct homer_tree *homer_tree_decode(struct homer_mem *mem, const struct homer_tree_config *config,
                                     uint32_t m, uint64_t mask, uint32_t depth, bool within,
                                     uint32_t features, struct homer_decoder *d) {
    homer_get_holds(d, homer_get_u32(d) == m && depth < NO_DEPTH);
    uint32_t nodes = homer_get_u32(d), cap = homer_get_room(d, nodes);
    if (!homer_get_holds(d, nodes > 0 && config->max_depth < NO_DEPTH)) return NULL;
    struct homer_tree *t = homer_tree_bare(mem, config, m, cap);
    if (!t) {
        homer_get_fail(d, -ENOMEM);
        return NULL;
    }
    t->mask = mask;
    t->node_n = nodes;
    for (uint32_t i = 0; i < nodes; i++) t->node[i].depth = (uint16_t)(i ? NO_DEPTH : depth);
    for (uint32_t i = 0; i < nodes && !d->error; i++) decode_node(t, i, features, d);
    if (!d->error && config->alternate) homer_alternate_decode(t, within, features, d);
    return d->error ? homer_tree_free(t) : t;
}
