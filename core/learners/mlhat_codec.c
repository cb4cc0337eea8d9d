/* Writes an MLHAT, and reads it. */
#include <errno.h>
#include "core/learners/mlhat.h"

static void encode_node(const struct homer_mlhat_node *n, uint32_t m, struct homer_codec *c) {
    homer_put_u8(c, n->leaf ? 1 : n->branch ? 2 : 0);
    if (n->leaf) homer_mlhat_leaf_encode(n->leaf, m, c);
    const struct homer_mlhat_branch *b = n->branch;
    if (!b) return;
    homer_put_u32(c, b->feature);
    homer_put_f32(c, b->threshold);
    homer_put_u8(c, b->wanted);
    homer_put_f64(c, b->loss);
    homer_put_f64(c, b->weight);
    homer_put_f64(c, b->alternate_loss);
    homer_put_f64(c, b->alternate_weight);
    homer_adwin_encode(&b->watch, c);
    for (int i = 0; i < 2; i++) encode_node(&b->child[i], m, c);
    encode_node(&b->alternate, m, c);
}

void homer_mlhat_encode(const struct homer_mlhat *t, uint32_t m, struct homer_codec *c) {
    homer_rng_encode(&t->rng, c);
    encode_node(&t->root, m, c);
}

static void decode_node(const struct homer_mlhat *t, struct homer_mlhat_node *n, uint32_t depth, bool within,
                        const struct homer_mlhat_known *known, struct homer_decoder *d);

/* An alternate has none within. */
static void decode_branch(const struct homer_mlhat *t, struct homer_mlhat_branch *b, uint32_t depth,
                          bool within, const struct homer_mlhat_known *known, struct homer_decoder *d) {
    b->feature = homer_get_u32(d);
    homer_get_holds(d, b->feature < known->features && depth < t->config->max_depth);
    b->threshold = homer_get_f32(d);
    b->wanted = homer_get_u8(d, 1);
    b->loss = homer_get_f64(d);
    b->weight = homer_get_f64(d);
    b->alternate_loss = homer_get_f64(d);
    b->alternate_weight = homer_get_f64(d);
    struct homer_adwin_config watch;
    homer_adwin_config_default(&watch);
    watch.delta = t->config->drift_delta;
    homer_adwin_init(&b->watch, &watch);
    homer_adwin_decode(&b->watch, d);
    for (int i = 0; i < 2 && !d->error; i++) {
        decode_node(t, &b->child[i], depth + 1, within, known, d);
        homer_get_holds(d, b->child[i].leaf || b->child[i].branch);
    }
    if (within)
        homer_get_u8(d, 0);
    else if (!d->error)
        decode_node(t, &b->alternate, depth, true, known, d);
}

/* Depth is bounded, so recursion is. */
static void decode_node(const struct homer_mlhat *t, struct homer_mlhat_node *n, uint32_t depth, bool within,
                        const struct homer_mlhat_known *known, struct homer_decoder *d) {
    uint8_t kind = homer_get_u8(d, 2);
    if (d->error || !kind) return;
    if (kind == 1) {
        if (homer_mlhat_leaf_new(&n->leaf, t->mem)) homer_get_fail(d, -ENOMEM);
        if (!d->error) homer_mlhat_leaf_decode(n->leaf, known, d);
        return;
    }
    n->branch = homer_get_block(d, t->mem, 1, sizeof *n->branch);
    if (n->branch) decode_branch(t, n->branch, depth, within, known, d);
}

struct homer_mlhat *homer_mlhat_decode(struct homer_mem *mem, const struct homer_mlhat_config *config,
                                       const struct homer_mlhat_known *known, struct homer_decoder *d) {
    struct homer_mlhat *t = homer_get_block(d, mem, 1, sizeof *t);
    if (!t) return NULL;
    t->mem = mem;
    t->config = config;
    homer_rng_decode(&t->rng, d);
    decode_node(t, &t->root, 0, false, known, d);
    homer_get_holds(d, t->root.leaf || t->root.branch);
    return d->error ? homer_mlhat_free(t) : t;
}
