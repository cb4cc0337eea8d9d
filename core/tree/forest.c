#include "core/tree/forest.h"

#include <errno.h>
#include <string.h>

static uint32_t padded(uint32_t m) {
    return (m + HOMER_LANES - 1) / HOMER_LANES * HOMER_LANES;
}

/* prior, logits, and with several trees each one's own */
static size_t floats(uint32_t n, uint32_t stride) {
    return (size_t)stride * (4 + (n > 1 ? 3 * (size_t)n : 0));
}

static struct homer_forest *bare(struct homer_mem *mem, uint32_t n, uint32_t m) {
    struct homer_forest *f = homer_mem_alloc(mem, 1, sizeof *f);
    if (!f) return NULL;
    *f = (struct homer_forest){.mem = mem, .n = n, .m = m, .stride = padded(m)};
    f->tree = homer_mem_alloc(mem, n, sizeof *f->tree);
    f->prior = homer_mem_alloc(mem, floats(n, f->stride), sizeof *f->prior);
    if (!f->tree || !f->prior) return homer_forest_free(f);
    f->logits = f->prior + f->stride;
    f->each = n > 1 ? f->logits + (size_t)3 * f->stride : f->logits;
    return f;
}

/* Which half of the features a tree leaves aside: none where it is alone. */
static uint64_t mask_of(const struct homer_forest *f, const struct homer_tree_config *config, uint32_t tree) {
    return f->n > 1 ? homer_rng_mix(config->seed + tree) | 1 : 0;
}

int homer_forest_new(struct homer_forest **out, struct homer_mem *mem, const struct homer_tree_config *config,
                     uint32_t m) {
    struct homer_forest *f = bare(mem, config->trees ? config->trees : 1, m);
    if (!f) return -ENOMEM;
    for (uint32_t i = 0; i < f->n; i++) {
        if (homer_tree_new(&f->tree[i].tree, mem, config, m)) {
            homer_forest_free(f);
            return -ENOMEM;
        }
        f->tree[i].tree->mask = mask_of(f, config, i);
    }
    *out = f;
    return 0;
}

struct homer_forest *homer_forest_free(struct homer_forest *f) {
    if (!f) return NULL;
    for (uint32_t i = 0; i < f->n && f->tree; i++) homer_tree_free(f->tree[i].tree);
    homer_mem_free(f->mem, f->tree, f->n, sizeof *f->tree);
    homer_mem_free(f->mem, f->prior, floats(f->n, f->stride), sizeof *f->prior);
    return homer_mem_free(f->mem, f, 1, sizeof *f);
}

int homer_forest_clone(struct homer_forest **out, const struct homer_forest *f, const uint32_t *source,
                       uint32_t m, const float *share) {
    struct homer_forest *g = bare(f->mem, f->n, m);
    if (!g) return -ENOMEM;
    for (uint32_t i = 0; i < f->n; i++) {
        if (!homer_tree_clone(&g->tree[i].tree, f->tree[i].tree, source, m, share)) continue;
        homer_forest_free(g);
        return -ENOMEM;
    }
    *out = g;
    return 0;
}

static float *own_logits(const struct homer_forest *f, uint32_t tree) {
    return f->each + (size_t)3 * f->stride * tree;
}

void homer_forest_predict(struct homer_forest *f, const struct homer_frame *x) {
    for (uint32_t i = 0; i < f->n; i++) {
        struct homer_forest_tree *t = &f->tree[i];
        t->leaf = homer_tree_leaf(t->tree, x);
        t->lacks = homer_tree_predict(t->tree, t->leaf, x, f->prior, own_logits(f, i));
    }
    if (f->n == 1) return;
    size_t rows = (size_t)3 * f->stride;
    memcpy(f->logits, f->each, rows * sizeof *f->logits);
    for (uint32_t i = 1; i < f->n; i++) {
        const float *own = own_logits(f, i);
        for (size_t k = 0; k < rows; k++) f->logits[k] += own[k];
    }
    float share = 1.0f / (float)f->n;
    for (size_t k = 0; k < rows; k++) f->logits[k] *= share;
}

uint32_t homer_poisson4(struct homer_rng *rng) {
    double u = homer_rng_unit(rng), p = 0.018315638888734179, below = p; /* e^-4 */
    uint32_t k = 0;
    for (; u >= below && k < 15; below += p) p *= 4.0 / ++k;
    return k;
}

int homer_forest_prepare(struct homer_forest *f, const struct homer_frame *x, struct homer_rng *rng) {
    int rc = 0;
    for (uint32_t i = 0; i < f->n; i++) f->tree[i].weight = f->n > 1 ? x->w * homer_poisson4(rng) : x->w;
    for (uint32_t i = 0; i < f->n && !rc; i++) {
        struct homer_forest_tree *t = &f->tree[i];
        if (t->weight > 0) rc = homer_tree_prepare(t->tree, t->leaf, x, t->lacks, t->weight);
    }
    if (rc) homer_forest_cancel(f);
    return rc;
}

void homer_forest_cancel(struct homer_forest *f) {
    for (uint32_t i = 0; i < f->n; i++) homer_tree_cancel(f->tree[i].tree, f->tree[i].leaf);
}

uint32_t homer_forest_learn(struct homer_forest *f, const struct homer_frame *x, const uint32_t *on,
                            uint32_t on_n) {
    uint32_t splits = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        struct homer_forest_tree *t = &f->tree[i];
        if (t->weight > 0)
            splits += homer_tree_learn(t->tree, t->leaf, x, on, on_n, t->weight, own_logits(f, i));
    }
    return splits;
}

bool homer_forest_deactivate(struct homer_forest *f) {
    uint64_t tried = 0;
    for (uint32_t k = 0; k < f->n; k++) {
        uint32_t largest = f->n;
        size_t most = 0;
        for (uint32_t i = 0; i < f->n; i++) {
            size_t bytes = homer_tree_bytes(f->tree[i].tree);
            if (tried >> i & 1 || bytes <= most) continue;
            most = bytes;
            largest = i;
        }
        if (homer_tree_deactivate(f->tree[largest].tree)) return true;
        tried |= (uint64_t)1 << largest;
    }
    return false;
}

void homer_forest_activate(struct homer_forest *f) {
    for (uint32_t i = 0; i < f->n; i++) homer_tree_activate(f->tree[i].tree);
}

size_t homer_forest_bytes(const struct homer_forest *f) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < f->n; i++) bytes += homer_tree_bytes(f->tree[i].tree);
    return bytes;
}

void homer_forest_encode(const struct homer_forest *f, struct homer_codec *c) {
    for (uint32_t i = 0; i < f->n; i++) homer_tree_encode(f->tree[i].tree, c);
}

struct homer_forest *homer_forest_decode(struct homer_mem *mem, const struct homer_tree_config *config,
                                         uint32_t m, uint32_t features, struct homer_decoder *d) {
    struct homer_forest *f = d->error ? NULL : bare(mem, config->trees ? config->trees : 1, m);
    if (!f) {
        homer_get_fail(d, -ENOMEM);
        return NULL;
    }
    for (uint32_t i = 0; i < f->n && !d->error; i++)
        f->tree[i].tree = homer_tree_decode(mem, config, m, mask_of(f, config, i), 0, false, features, d);
    return d->error ? homer_forest_free(f) : f;
}
