#include "core/near/extra_trees.h"

#include <errno.h>
#include <string.h>
#include "core/base/num.h"

enum { TREES = HOMER_EXTRA_TREES, GENERATIONS = 100, VOTES = HOMER_EXTRA_VOTES };

void homer_extra_trees_init(struct homer_extra_trees *f, struct homer_mem *mem,
                            const struct homer_window *window, uint64_t seed) {
    *f = (struct homer_extra_trees){.mem = mem};
    homer_grower_init(&f->grower, mem, window, seed);
}

static void extra_deinit(void *self) {
    struct homer_extra_trees *f = self;
    for (int i = 0; i < TREES; i++) homer_extra_tree_deinit(&f->tree[i], f->mem);
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
        const struct homer_extra_node *n = homer_extra_tree_reach(t, o->value);
        o->leaf[i] = (uint32_t)(n - t->node);
        for (uint32_t k = n->share; k < n->share + n->shares; k++)
            out[t->share[k].label] += t->share[k].share;
    }
    for (uint32_t i = 0; i < f->n; i++) o->value[f->feature[i]] = 0;
    if (o->trees) evidence(f, (float)o->trees, out);
}

/* Where a labelset's votes are or, while it has none, would go. */
static uint32_t place_of(const struct homer_extra_set *vote, uint32_t set) {
    uint32_t i = set * 2654435761u % VOTES;
    while (vote[i].share > 0 && vote[i].set != set) i = (i + 1) % VOTES;
    return i;
}

static uint32_t keep_best(struct homer_extra_set *best, uint32_t n, struct homer_extra_set v) {
    uint32_t i = n < HOMER_EXTRA_SETS ? n++ : HOMER_EXTRA_SETS;
    for (; i > 0 && best[i - 1].share < v.share; i--)
        if (i < HOMER_EXTRA_SETS) best[i] = best[i - 1];
    if (i < HOMER_EXTRA_SETS) best[i] = v;
    return n;
}

uint32_t homer_extra_trees_sets(struct homer_extra_trees *f, struct homer_extra_set best[HOMER_EXTRA_SETS]) {
    uint32_t used[TREES * HOMER_LEAF_SETS], n = 0, sets = 0;
    for (uint32_t i = 0; i < f->trees; i++) {
        const struct homer_extra_tree *t = &f->tree[i];
        const struct homer_extra_node *leaf = &t->node[f->leaf[i]];
        for (uint32_t k = leaf->set; k < leaf->set + leaf->sets; k++) {
            uint32_t at = place_of(f->vote, t->set[k].set);
            if (!(f->vote[at].share > 0)) used[n++] = at;
            f->vote[at].set = t->set[k].set;
            f->vote[at].share += t->set[k].share / (float)f->trees;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        sets = keep_best(best, sets, f->vote[used[i]]);
        f->vote[used[i]] = (struct homer_extra_set){0};
    }
    return sets;
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
    for (uint32_t i = 0; i < TREES; i++) homer_extra_tree_put_room(&o->tree[i], c);
    for (uint32_t i = 0; i < o->trees; i++) homer_extra_tree_encode(&o->tree[i], c);
}

static void decode_room(struct homer_extra_trees *o, uint32_t features, struct homer_decoder *d) {
    o->cap = homer_get_room(d, features);
    o->value = homer_get_block(d, o->mem, o->cap, sizeof *o->value);
    homer_grower_get_room(&o->grower, d);
    for (uint32_t i = 0; i < TREES && !d->error; i++)
        homer_extra_tree_get_room(&o->tree[i], o->mem, i < o->trees, d);
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
        homer_extra_tree_decode(&o->tree[i], features, columns ? columns - 1 : 0, d);
}

bool homer_extra_trees_sets_hold(const struct homer_extra_trees *f, uint32_t sets) {
    for (uint32_t i = 0; i < f->trees; i++)
        for (uint32_t k = 0; k < f->tree[i].sets; k++)
            if (f->tree[i].set[k].set >= sets) return false;
    return true;
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
