#include "core/near/extra_trees.h"

#include <errno.h>
#include <string.h>
#include "core/base/num.h"

enum { TREES = HOMER_EXTRA_TREES, GENERATIONS = 100 };

void homer_extra_trees_init(struct homer_extra_trees *f, struct homer_mem *mem,
                            const struct homer_window *window, uint64_t seed) {
    *f = (struct homer_extra_trees){.mem = mem};
    homer_grower_init(&f->grower, mem, window, seed);
}

static void extra_deinit(void *self) {
    struct homer_extra_trees *f = self;
    for (int i = 0; i < TREES; i++) {
        struct homer_extra_tree *t = &f->tree[i];
        homer_mem_free(f->mem, t->node, HOMER_TREE_NODES, sizeof *t->node);
        homer_mem_free(f->mem, t->share, t->share_cap, sizeof *t->share);
    }
    homer_mem_free(f->mem, f->value, f->cap, sizeof *f->value);
    homer_grower_deinit(&f->grower);
}

static int extra_reserve(void *self, uint32_t features, uint32_t columns) {
    struct homer_extra_trees *f = self;
    if (features > f->cap) {
        uint32_t cap = features + features / 2;
        float *value = homer_mem_alloc(f->mem, cap, sizeof *value);
        if (!value) return -ENOMEM;
        homer_mem_free(f->mem, f->value, f->cap, sizeof *value);
        f->value = value;
        f->cap = cap;
    }
    return homer_grower_reserve(&f->grower, columns);
}

static const struct homer_extra_node *leaf_of(const struct homer_extra_tree *t, const float *value) {
    const struct homer_extra_node *n = t->node;
    while (n->child) n = &t->node[n->child + (value[n->feature] > n->threshold)];
    return n;
}

HOMER_WIDE static void evidence(const struct homer_frame *f, float trees, float *out) {
    float plus = 0.05f * trees + 1;
    for (uint32_t l = 0; l < f->stride; l++) {
        float p = (out[l] + plus * f->prior[l]) / (trees + plus);
        out[l] = homer_clip(homer_logit(p) - f->prior_logit[l], -HOMER_EVIDENCE_CLIP, HOMER_EVIDENCE_CLIP);
    }
}

static void extra_predict(void *self, struct homer_frame *f) {
    struct homer_extra_trees *o = self;
    float *out = f->evidence[HOMER_X_EXTRA_TREES];
    memset(out, 0, f->stride * sizeof *out);
    for (uint32_t i = 0; i < f->n; i++) o->value[f->feature[i]] = f->x[i];
    for (uint32_t i = 0; i < o->trees; i++) {
        const struct homer_extra_tree *t = &o->tree[i];
        const struct homer_extra_node *n = leaf_of(t, o->value);
        for (uint32_t k = n->share; k < n->share + n->shares; k++)
            out[t->share[k].label] += t->share[k].share;
    }
    for (uint32_t i = 0; i < f->n; i++) o->value[f->feature[i]] = 0;
    if (o->trees) evidence(f, (float)o->trees, out);
}

static int extra_prepare(void *self, const struct homer_frame *f) {
    struct homer_extra_trees *o = self;
    uint64_t capped = o->mem->capped;
    o->due = false;
    if (o->wait > 0) return 0;
    int rc = homer_grower_prepare(&o->grower, &o->tree[o->next], f);
    o->due = rc == 0;
    return o->mem->capped > capped ? 0 : rc;
}

static void extra_learn(void *self, const struct homer_frame *f) {
    struct homer_extra_trees *o = self;
    if (o->wait > 0) {
        o->wait--;
        return;
    }
    o->wait = o->grower.window->n / GENERATIONS;
    if (!o->due) return;
    homer_grower_grow(&o->grower, &o->tree[o->next], f);
    if (o->trees < TREES) o->trees++;
    o->next = (o->next + 1) % TREES;
}

static void extra_add_label(void *self, uint32_t from) {
    (void)self; /* leaves list labels by id; a new one has no share anywhere */
    (void)from;
}

static void extra_encode(const void *self, uint32_t columns, struct homer_codec *c) {
    const struct homer_extra_trees *o = self;
    (void)columns;
    homer_rng_encode(&o->grower.rng, c);
    homer_put_u32(c, o->trees);
    homer_put_u32(c, o->next);
    homer_put_u32(c, o->wait);
    homer_put_room(c, o->cap);
    homer_grower_put_room(&o->grower, c);
    for (uint32_t i = 0; i < TREES; i++) {
        homer_put_room(c, o->tree[i].node != NULL);
        homer_put_room(c, o->tree[i].share_cap);
    }
    for (uint32_t i = 0; i < o->trees; i++) {
        const struct homer_extra_tree *t = &o->tree[i];
        homer_put_u32(c, t->nodes);
        for (uint32_t k = 0; k < t->nodes; k++) {
            homer_put_u32(c, t->node[k].feature);
            homer_put_f32(c, t->node[k].threshold);
            homer_put_u32(c, t->node[k].child);
            homer_put_u32(c, t->node[k].share);
            homer_put_u32(c, t->node[k].shares);
        }
        for (uint32_t k = 0; k < t->shares; k++) {
            homer_put_u32(c, t->share[k].label);
            homer_put_f32(c, t->share[k].share);
        }
    }
}

static void decode_room(struct homer_extra_trees *o, uint32_t features, struct homer_decoder *d) {
    o->cap = homer_get_room(d, features);
    o->value = homer_get_block(d, o->mem, o->cap, sizeof *o->value);
    homer_grower_get_room(&o->grower, d);
    for (uint32_t i = 0; i < TREES && !d->error; i++) {
        struct homer_extra_tree *t = &o->tree[i];
        if (homer_get_room(d, i < o->trees)) /* one that is grown has nodes */
            t->node = homer_get_block(d, o->mem, HOMER_TREE_NODES, sizeof *t->node);
        t->share_cap = homer_get_room(d, 0);
        t->share = homer_get_block(d, o->mem, t->share_cap, sizeof *t->share);
    }
}

/* Children lie behind their node, so that every way down ends. */
static void decode_node(struct homer_extra_tree *t, uint32_t at, uint32_t features, struct homer_decoder *d) {
    struct homer_extra_node *n = &t->node[at];
    n->feature = homer_get_u32(d);
    n->threshold = homer_get_f32(d);
    n->child = homer_get_u32(d);
    n->share = homer_get_most(d, t->share_cap);
    n->shares = homer_get_most(d, t->share_cap - n->share);
    bool inner = n->child > at && n->child < t->nodes - 1 && n->feature < features && !n->shares;
    homer_get_holds(d, inner || n->child == 0);
    if (n->share + n->shares > t->shares) t->shares = n->share + n->shares;
}

static void decode_tree(struct homer_extra_tree *t, uint32_t features, uint32_t labels,
                        struct homer_decoder *d) {
    t->nodes = homer_get_most(d, HOMER_TREE_NODES);
    homer_get_holds(d, t->nodes > 0);
    for (uint32_t k = 0; k < t->nodes && !d->error; k++) decode_node(t, k, features, d);
    for (uint32_t k = 0; k < t->shares && !d->error; k++) {
        homer_get_ids(d, &t->share[k].label, 1, labels);
        t->share[k].share = homer_get_f32(d);
    }
}

static void extra_decode(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d) {
    struct homer_extra_trees *o = self;
    homer_rng_decode(&o->grower.rng, d);
    o->trees = homer_get_most(d, TREES);
    o->next = homer_get_most(d, TREES - 1);
    homer_get_holds(d, o->trees == TREES || o->next == o->trees);
    o->wait = homer_get_u32(d);
    decode_room(o, features, d);
    for (uint32_t i = 0; i < o->trees && !d->error; i++)
        decode_tree(&o->tree[i], features, columns ? columns - 1 : 0, d);
}

const struct homer_expert_ops homer_extra_trees_ops = {
    .reserve = extra_reserve,
    .predict = extra_predict,
    .prepare = extra_prepare,
    .learn = extra_learn,
    .add_label = extra_add_label,
    .encode = extra_encode,
    .decode = extra_decode,
    .deinit = extra_deinit,
};
