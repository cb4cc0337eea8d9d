#include "core/learners/mlhat.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

enum { REACH = 64 }; /* leaves that one instance reaches: its own, and one for each branch above it */

/* A leaf that the instance reaches. */
struct reach {
    struct homer_mlhat_node *node;
    struct homer_mlhat_branch
        *above; /* [0]: the branch next above, or NULL; else whose alternate's leaf it is */
    uint32_t depth;
};

void homer_mlhat_config_default(struct homer_mlhat_config *c) {
    *c = (struct homer_mlhat_config){.grace = 200,
                                     .delta = 1e-5,
                                     .tau = 0.05,
                                     .cardinality = 750,
                                     .entropy = 0.3,
                                     .pure = 0.99,
                                     .drift_window = 50,
                                     .significance = 0.05,
                                     .drift_delta = 0.002,
                                     .max_depth = 20};
}

int homer_mlhat_new(struct homer_mlhat **out, struct homer_mem *mem, const struct homer_mlhat_config *config,
                    uint64_t seed) {
    struct homer_mlhat *t = homer_mem_alloc(mem, 1, sizeof *t);
    if (!t) return -ENOMEM;
    t->mem = mem;
    t->config = config;
    homer_rng_seed(&t->rng, seed);
    if (homer_mlhat_leaf_new(&t->root.leaf, mem)) {
        homer_mem_free(mem, t, 1, sizeof *t);
        return -ENOMEM;
    }
    *out = t;
    return 0;
}

static void node_free(struct homer_mem *mem, struct homer_mlhat_node *n);

/* Depth is bounded, so recursion is. */
static struct homer_mlhat_branch *branch_free(struct homer_mem *mem, struct homer_mlhat_branch *b) {
    if (!b) return NULL;
    for (int i = 0; i < 2; i++) node_free(mem, &b->child[i]);
    node_free(mem, &b->alternate);
    homer_mlhat_leaf_free(b->staged);
    return homer_mem_free(mem, b, 1, sizeof *b);
}

static void node_free(struct homer_mem *mem, struct homer_mlhat_node *n) {
    n->leaf = homer_mlhat_leaf_free(n->leaf);
    n->branch = branch_free(mem, n->branch);
    n->staged = branch_free(mem, n->staged);
}

struct homer_mlhat *homer_mlhat_free(struct homer_mlhat *t) {
    if (!t) return NULL;
    node_free(t->mem, &t->root);
    return homer_mem_free(t->mem, t, 1, sizeof *t);
}

static struct homer_mlhat_node *next(struct homer_mlhat_branch *b, const struct homer_query *q) {
    return &b->child[homer_query_value(q, b->feature) > b->threshold];
}

static struct homer_mlhat_node *descend(struct homer_mlhat_node *n, const struct homer_query *q,
                                        uint32_t *depth) {
    for (; n->branch; n = next(n->branch, q)) ++*depth;
    return n;
}

/* The leaf of the query first, then those of the alternates on its path, topmost first. */
static uint32_t reach_of(struct homer_mlhat *t, const struct homer_query *q, struct reach r[REACH]) {
    struct homer_mlhat_node *n = &t->root;
    uint32_t reached = 1, depth = 0;
    r[0].above = NULL;
    for (; n->branch; n = next(n->branch, q), depth++) {
        struct homer_mlhat_branch *b = n->branch;
        r[0].above = b;
        if (!b->alternate.leaf && !b->alternate.branch) continue;
        r[reached] = (struct reach){.above = b, .depth = depth};
        r[reached].node = descend(&b->alternate, q, &r[reached].depth);
        reached++;
    }
    r[0].node = n;
    r[0].depth = depth;
    return reached;
}

static double mean(double sum, double weight) {
    return weight > 0 ? sum / weight : 0;
}

void homer_mlhat_predict(struct homer_mlhat *t, const struct homer_query *q,
                         const struct homer_mlhat_columns *columns, uint32_t m, float *p,
                         struct homer_mlhat_scratch *scratch) {
    struct reach r[REACH];
    uint32_t n = reach_of(t, q, r);
    float *own = scratch->p, total = 0;
    if (m) memset(p, 0, m * sizeof *p);
    for (uint32_t i = 0; i < n; i++) {
        const struct homer_mlhat_branch *b = r[i].above;
        if (i && b->alternate_weight <= t->config->drift_window) continue;
        if (!homer_mlhat_leaf_predict(r[i].node->leaf, t->config, q, columns, m, own, scratch)) continue;
        double loss = !b ? 0 : i ? mean(b->alternate_loss, b->alternate_weight) : mean(b->loss, b->weight);
        float weight = (float)(n > 1 && loss > 1e-6 ? 1 / (loss * loss) : 1);
        for (uint32_t c = 0; c < m; c++) p[c] += weight * own[c];
        total += weight;
    }
    for (uint32_t c = 0; c < m && total > 0; c++) p[c] = homer_clip(p[c] / total, 0, 1);
}

/* The memory cap refusing growth is no failure. */
static int grown(const struct homer_mem *mem, int rc, uint64_t capped) {
    return rc && mem->capped > capped ? 0 : rc;
}

static int stage_split(struct homer_mlhat *t, struct homer_mlhat_node *n,
                       const struct homer_best_split *split) {
    struct homer_mlhat_branch *b = homer_mem_alloc(t->mem, 1, sizeof *b);
    if (!b) return -ENOMEM;
    b->feature = split->feature;
    b->threshold = split->threshold;
    struct homer_adwin_config watch;
    homer_adwin_config_default(&watch);
    watch.delta = t->config->drift_delta;
    homer_adwin_init(&b->watch, &watch);
    if (homer_mlhat_leaf_new(&b->child[0].leaf, t->mem) || homer_mlhat_leaf_new(&b->child[1].leaf, t->mem)) {
        branch_free(t->mem, b);
        return -ENOMEM;
    }
    n->staged = b;
    return 0;
}

static int try_split(struct homer_mlhat *t, const struct reach *r, struct homer_mlhat_scratch *scratch) {
    struct homer_best_split split;
    struct homer_mlhat_leaf *l = r->node->leaf;
    if (r->depth >= t->config->max_depth || !homer_mlhat_leaf_due(l, t->config)) return 0;
    r->node->tried = true;
    if (homer_memory_short(t->mem)) return 0;
    if (!homer_mlhat_leaf_split(l, t->config, scratch, &split)) return 0;
    uint64_t capped = t->mem->capped;
    return grown(t->mem, stage_split(t, r->node, &split), capped);
}

/* Alternates begin with the instance after this one. */
static int stage_alternates(struct homer_mlhat *t, const struct homer_query *q) {
    int rc = 0;
    for (struct homer_mlhat_node *n = &t->root; n->branch && !rc; n = next(n->branch, q)) {
        struct homer_mlhat_branch *b = n->branch;
        uint64_t capped = t->mem->capped;
        if (b->wanted && !b->staged && !homer_memory_short(t->mem))
            rc = grown(t->mem, homer_mlhat_leaf_new(&b->staged, t->mem), capped);
    }
    return rc;
}

int homer_mlhat_prepare(struct homer_mlhat *t, const struct homer_query *q, const struct homer_mlhat_truth *y,
                        struct homer_mlhat_scratch *scratch) {
    struct reach r[REACH];
    uint32_t n = reach_of(t, q, r);
    int rc = stage_alternates(t, q);
    for (uint32_t i = 0; i < n && !rc; i++) {
        rc = homer_mlhat_leaf_prepare(r[i].node->leaf, q, y);
        if (!rc && y->known) rc = try_split(t, &r[i], scratch);
    }
    return rc;
}

void homer_mlhat_cancel(struct homer_mlhat *t, const struct homer_query *q) {
    struct reach r[REACH];
    uint32_t n = reach_of(t, q, r);
    for (uint32_t i = 0; i < n; i++) {
        homer_mlhat_leaf_cancel(r[i].node->leaf, q);
        r[i].node->staged = branch_free(t->mem, r[i].node->staged);
        r[i].node->tried = false;
    }
    for (struct homer_mlhat_node *at = &t->root; at->branch; at = next(at->branch, q))
        at->branch->staged = homer_mlhat_leaf_free(at->branch->staged);
}

/* Share of the columns that the leaf would get wrong; -1: it predicts nothing. */
static double loss_of(const struct homer_mlhat *t, const struct homer_mlhat_leaf *l,
                      const struct homer_query *q, const struct homer_mlhat_columns *columns,
                      const struct homer_mlhat_truth *y, uint32_t m, struct homer_mlhat_scratch *scratch) {
    uint32_t wrong = 0;
    if (!m || !homer_mlhat_leaf_predict(l, t->config, q, columns, m, scratch->p, scratch)) return -1;
    for (uint32_t c = 0; c < m; c++) wrong += (scratch->p[c] > 0.5f) != (y->y[c + 1] > 0.5f);
    return (double)wrong / m;
}

/* Every branch above the leaf learns how its subtree did. */
static void watch(struct homer_mlhat *t, const struct homer_query *q, double loss, double weight) {
    for (struct homer_mlhat_node *n = &t->root; n->branch; n = next(n->branch, q)) {
        struct homer_mlhat_branch *b = n->branch;
        b->loss += loss * weight;
        b->weight += weight;
        if (!homer_adwin_add(&b->watch, loss)) continue;
        if (homer_adwin_mean(&b->watch) > b->watch.before)
            b->wanted = !b->alternate.leaf && !b->alternate.branch;
        else
            b->loss = b->weight = 0;
    }
}

/* Takes the alternate of a branch in, or gives it up, when one of the two is surely better. True: the tree
 * changed. */
static bool judge(struct homer_mlhat *t, struct homer_mlhat_node *n) {
    struct homer_mlhat_branch *b = n->branch;
    const struct homer_mlhat_config *c = t->config;
    if (b->alternate_weight <= c->drift_window || b->weight <= c->drift_window) return false;
    double e = mean(b->loss, b->weight), lead = e - mean(b->alternate_loss, b->alternate_weight);
    double bound = sqrt(2 * e * (1 - e) * homer_log_double(2 / c->significance) *
                        (1 / b->weight + 1 / b->alternate_weight));
    if (!(lead > bound) && !(-lead > bound)) return false;
    if (lead > bound) {
        struct homer_mlhat_node better = b->alternate;
        b->alternate = (struct homer_mlhat_node){0};
        branch_free(t->mem, b);
        *n = better;
        return true;
    }
    node_free(t->mem, &b->alternate);
    b->alternate_loss = b->alternate_weight = 0;
    return true;
}

/* Installs what was staged, then judges the alternates from the top. */
static bool restructure(struct homer_mlhat *t, const struct homer_query *q, const struct reach *r,
                        uint32_t reached) {
    bool split = false;
    for (uint32_t i = 0; i < reached; i++) {
        struct homer_mlhat_node *n = r[i].node;
        n->tried = false;
        if (!n->staged) continue;
        n->leaf = homer_mlhat_leaf_free(n->leaf);
        n->branch = n->staged;
        n->staged = NULL;
        split = true;
    }
    for (struct homer_mlhat_node *n = &t->root; n->branch; n = next(n->branch, q)) {
        struct homer_mlhat_branch *b = n->branch;
        if (b->staged) {
            b->alternate.leaf = b->staged;
            b->staged = NULL;
            b->wanted = false;
            b->alternate_loss = b->alternate_weight = 0;
        } else if ((b->alternate.leaf || b->alternate.branch) && judge(t, n)) {
            break;
        }
    }
    return split;
}

bool homer_mlhat_learn(struct homer_mlhat *t, const struct homer_query *q,
                       const struct homer_mlhat_columns *columns, const struct homer_mlhat_truth *y,
                       uint32_t m_before, struct homer_mlhat_scratch *scratch) {
    struct reach r[REACH];
    uint32_t n = reach_of(t, q, r), k = homer_poisson(&t->rng);
    double weight = y->weight * (k > 1 ? k : 1);
    for (uint32_t i = 0; i < n && t->root.branch && y->known; i++) {
        double loss = loss_of(t, r[i].node->leaf, q, columns, y, m_before, scratch);
        if (i) r[i].above->alternate_weight += weight;
        if (i && loss >= 0) r[i].above->alternate_loss += loss * weight;
        if (!i && loss >= 0) watch(t, q, loss, weight);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct homer_mlhat_leaf *l = r[i].node->leaf;
        if (r[i].node->tried) l->tried = l->weight;
        homer_mlhat_leaf_learn(l, t->config, q, y, weight, &t->rng, scratch);
    }
    return restructure(t, q, r, n);
}

static void measure(const struct homer_mlhat_node *n, uint32_t depth, struct homer_mlhat_size *s) {
    s->nodes++;
    s->leaves += n->leaf != NULL;
    if (depth > s->depth) s->depth = depth;
    for (int i = 0; i < 2 && n->branch; i++) measure(&n->branch->child[i], depth + 1, s);
}

struct homer_mlhat_size homer_mlhat_size(const struct homer_mlhat *t) {
    struct homer_mlhat_size s = {0};
    measure(&t->root, 0, &s);
    return s;
}
