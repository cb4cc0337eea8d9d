#include "core/tree/hoeffding.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"
#include "core/base/rng.h"

#define STRENGTH 5.0f /* pseudo-instances of a leaf's prior */
#define OWN_SHARE 0.9f
#define LOSS_FADE 0.995f

void homer_tree_config_default(struct homer_tree_config *c) {
    *c = (struct homer_tree_config){
        .split = {.level = 1e-3f, .delta = 1e-5f, .range = 0.3f, .min_share = 0.01f, .min_weight = 5},
        .grace = 100,
        .patience = 0.5,
        .max_depth = 14,
        .start = 20,
        .seed = 1,
    };
}

static uint32_t padded(uint32_t m) {
    return (m + HOMER_LANES - 1) / HOMER_LANES * HOMER_LANES;
}

static size_t tree_size(const struct homer_tree_config *config) {
    return sizeof(struct homer_tree) + (config->alternate ? sizeof(struct homer_alternate) : 0);
}

struct homer_tree *homer_tree_bare(struct homer_mem *mem, const struct homer_tree_config *config, uint32_t m,
                                   uint32_t nodes) {
    struct homer_tree *t = homer_mem_alloc(mem, 1, tree_size(config));
    if (!t) return NULL;
    *t = (struct homer_tree){.mem = mem, .config = config, .m = m, .stride = padded(m)};
    t->node = homer_mem_alloc(mem, nodes, sizeof *t->node);
    t->node_cap = t->node ? nodes : 0;
    t->scratch = homer_mem_alloc(mem, (size_t)HOMER_SPLIT_SCRATCH * t->stride, sizeof *t->scratch);
    int rc = config->alternate ? homer_alternate_init(t) : 0;
    return t->node && t->scratch && !rc ? t : homer_tree_free(t);
}

int homer_tree_new(struct homer_tree **out, struct homer_mem *mem, const struct homer_tree_config *config,
                   uint32_t m) {
    struct homer_tree *t = homer_tree_bare(mem, config, m, 8);
    if (!t) return -ENOMEM;
    if (homer_stats_new(&t->node[0].stats, mem, m)) {
        homer_tree_free(t);
        return -ENOMEM;
    }
    t->node[0].next = config->grace;
    t->node_n = 1;
    *out = t;
    return 0;
}

struct homer_tree *homer_tree_free(struct homer_tree *t) {
    if (!t) return NULL;
    if (t->config->alternate) homer_alternate_deinit(t);
    for (uint32_t i = 0; i < t->node_n; i++) {
        homer_stats_free(t->node[i].stats);
        for (int k = 0; k < 2; k++) homer_stats_free(t->node[i].staged[k]);
    }
    homer_mem_free(t->mem, t->node, t->node_cap, sizeof *t->node);
    homer_mem_free(t->mem, t->scratch, (size_t)HOMER_SPLIT_SCRATCH * t->stride, sizeof *t->scratch);
    return homer_mem_free(t->mem, t, 1, tree_size(t->config));
}

int homer_tree_clone(struct homer_tree **out, const struct homer_tree *t, const uint32_t *source, uint32_t m,
                     const float *share) {
    struct homer_tree *u = homer_tree_bare(t->mem, t->config, m, t->node_n);
    if (!u) return -ENOMEM;
    u->mask = t->mask;
    for (; u->node_n < t->node_n; u->node_n++) {
        struct homer_tree_node *n = &u->node[u->node_n];
        *n = t->node[u->node_n];
        n->due = false;
        n->staged[0] = n->staged[1] = NULL;
        const struct homer_stats *stats = n->stats;
        n->stats = NULL;
        bool watched = !stats && t->config->alternate && n->watch;
        if ((stats && homer_stats_remap(&n->stats, stats, source, m, share)) ||
            (watched && !(n->watch = homer_alternate_watch(u)))) {
            homer_tree_free(u);
            return -ENOMEM;
        }
    }
    *out = u;
    return 0;
}

/* Which child the instance goes to. */
static bool branch(const struct homer_tree_node *n, const struct homer_frame *f) {
    uint8_t state = f->state[n->feature];
    if (state == HOMER_NULL || (state == HOMER_ABSENT && f->absent_missing && !n->presence))
        return n->heavier;
    if (n->presence) return state == HOMER_GIVEN && (f->given[n->feature] < 0 || f->given[n->feature] > 0);
    return (state == HOMER_GIVEN ? f->given[n->feature] : 0.0f) > n->threshold;
}

uint32_t homer_tree_step(const struct homer_tree *t, uint32_t node, const struct homer_frame *f) {
    return t->node[node].child[branch(&t->node[node], f)];
}

uint32_t homer_tree_leaf(const struct homer_tree *t, const struct homer_frame *f) {
    uint32_t i = 0;
    while (!t->node[i].stats) i = homer_tree_step(t, i, f);
    return i;
}

/* bayes comes as what the observers say, and gets the counts' part. */
HOMER_WIDE static void log_odds(const struct homer_stats *s, float own, const float *restrict prior,
                                float *restrict counts, float *restrict bayes, float *restrict better) {
    const float *c = s->c, *expects = s->prior, *loss = s->loss;
    float n = (float)s->n;
    for (uint32_t l = 0; l < s->stride; l++) {
        float expected = own * expects[l] + (1 - own) * prior[l];
        counts[l] = homer_logit((c[l] + STRENGTH * expected) / (n + STRENGTH));
        bayes[l] += counts[l];
        better[l] = loss[s->stride + l] < loss[l] ? bayes[l] : counts[l];
    }
}

uint32_t homer_tree_predict(const struct homer_tree *t, uint32_t leaf, const struct homer_frame *f,
                            const float *prior, float *out) {
    const struct homer_stats *s = t->node[leaf].stats;
    float *bayes = out + t->stride;
    if (t->config->alternate)
        memcpy(t->alternate->logits + (size_t)3 * t->stride, prior, t->m * sizeof *prior);
    uint32_t lacks = homer_stats_bayes(s, f, bayes);
    log_odds(s, leaf ? OWN_SHARE : 0.0f, prior, out, bayes, out + (size_t)2 * t->stride);
    return lacks;
}

/* Statistics that a child begins with: weight `start` in the proportions of its side, Gaussian moments of the
 * parent. */
static int child_stats(struct homer_stats **out, const struct homer_stats *s, const struct homer_split *b,
                       const float *positives, float weight, float start) {
    struct homer_stats *child = NULL;
    if (homer_stats_seed(&child, s, b->presence ? UINT32_MAX : b->feature)) return -ENOMEM;
    if (start > weight) start = weight;
    child->n = (double)start;
    for (uint32_t l = 0; l < s->m; l++) {
        child->prior[l] = homer_clip(positives[l] / weight, 0, 1);
        child->c[l] = child->prior[l] * start;
    }
    homer_stats_rescale(child);
    *out = child;
    return 0;
}

static int stage_split(struct homer_tree *t, struct homer_tree_node *n) {
    float *left = t->scratch, *right = t->scratch + t->stride, n_left, n_right;
    homer_split_masses(n->stats, &n->split, left, right, &n_left, &n_right);
    n->heavier = n_right > n_left;
    if (child_stats(&n->staged[0], n->stats, &n->split, left, n_left, (float)t->config->start) ||
        child_stats(&n->staged[1], n->stats, &n->split, right, n_right, (float)t->config->start))
        return -ENOMEM;
    return homer_tree_reserve_nodes(t, t->node_n + 2);
}

int homer_tree_reserve_nodes(struct homer_tree *t, uint32_t n) {
    if (n <= t->node_cap) return 0;
    uint32_t cap = t->node_cap + t->node_cap / 2 + 2;
    if (cap < n) cap = n;
    void *node = homer_mem_grow(t->mem, t->node, t->node_cap, cap, sizeof *t->node);
    if (!node) return -ENOMEM;
    t->node = node;
    t->node_cap = cap;
    return 0;
}

/* Forgives a refusal by the memory cap: then the tree grows less. One by the system stands. */
static int forgive(const struct homer_tree *t, int rc, uint64_t capped_before) {
    return t->mem->capped > capped_before ? 0 : rc;
}

static int prepare_leaf(struct homer_tree *t, uint32_t leaf, const struct homer_frame *f, uint32_t lacks,
                        double weight) {
    struct homer_tree_node *n = &t->node[leaf];
    uint64_t capped = t->mem->capped;
    if (n->inactive) return 0;
    int rc = lacks ? forgive(t, homer_stats_reserve(n->stats, f), capped) : 0;
    if (rc) return rc;
    n->due = n->stats->n + weight >= n->next;
    if (!n->due || n->depth >= t->config->max_depth) return 0;
    homer_split_find(n->stats, &t->config->split, t->mask ? homer_rng_mix(t->mask + leaf) | 1 : 0, t->scratch,
                     &n->split);
    if (!homer_split_is_sure(&n->split, n->stats->n, &t->config->split)) return 0;
    rc = stage_split(t, n);
    if (!rc) return 0;
    n = &t->node[leaf];
    for (int k = 0; k < 2; k++) n->staged[k] = homer_stats_free(n->staged[k]);
    return forgive(t, rc, capped);
}

int homer_tree_prepare(struct homer_tree *t, uint32_t leaf, const struct homer_frame *f, uint32_t lacks,
                       double weight) {
    int rc = prepare_leaf(t, leaf, f, lacks, weight);
    return rc || !t->config->alternate ? rc : homer_alternate_prepare(t, leaf, f, weight);
}

void homer_tree_cancel(struct homer_tree *t, uint32_t leaf) {
    if (t->config->alternate) homer_alternate_cancel(t);
    if (leaf >= t->node_n) return; /* of an instance before an alternate with fewer nodes took its place */
    struct homer_tree_node *n = &t->node[leaf];
    for (int k = 0; k < 2; k++) n->staged[k] = homer_stats_free(n->staged[k]);
    n->due = false;
}

/* sign: 1 where a label is true, else -1. */
HOMER_WIDE static void fade_losses(float *restrict loss, const float *logit, const float *sign, uint32_t n) {
    for (uint32_t l = 0; l < n; l++) {
        float p = homer_sigmoid(sign[l] * logit[l]);
        loss[l] += (1 - LOSS_FADE) * (-homer_log(p > 1e-6f ? p : 1e-6f) - loss[l]);
    }
}

static void note_losses(const struct homer_tree *t, struct homer_stats *s, const uint32_t *on, uint32_t on_n,
                        const float *logits) {
    float *sign = t->scratch;
    for (uint32_t l = 0; l < t->stride; l++) sign[l] = -1;
    for (uint32_t k = 0; k < on_n; k++) sign[on[k]] = 1;
    for (uint32_t e = 0; e < 2; e++)
        fade_losses(s->loss + (size_t)e * t->stride, logits + (size_t)e * t->stride, sign, t->stride);
}

double homer_tree_loss(const struct homer_tree *t, const uint32_t *on, uint32_t on_n, const float *logits) {
    const float *better = logits + (size_t)2 * t->stride;
    double sum = 0;
    for (uint32_t l = 0, k = 0; l < t->m; l++) {
        bool y = k < on_n && on[k] == l;
        k += y;
        float p = homer_sigmoid(y ? better[l] : -better[l]);
        sum -= (double)homer_log(p > 1e-6f ? p : 1e-6f);
    }
    double loss = 4.0 / 7.0 * sum / t->m;
    return loss < 1 ? loss : 1;
}

/* Weight at which a leaf of weight n is tried next: a grace period on, later the more it has seen in vain. */
static double next_try(const struct homer_tree *t, double n) {
    double wait = n * t->config->patience;
    return n + (wait > t->config->grace ? wait : t->config->grace);
}

/* The leaf becomes an inner node with the two staged children. */
static void commit_split(struct homer_tree *t, uint32_t leaf) {
    struct homer_tree_node *n = &t->node[leaf];
    for (int k = 0; k < 2; k++) {
        n->child[k] = t->node_n;
        struct homer_tree_node *child = &t->node[t->node_n++];
        *child = (struct homer_tree_node){.stats = n->staged[k], .depth = (uint16_t)(n->depth + 1)};
        child->next = next_try(t, child->stats->n);
        n->staged[k] = NULL;
    }
    n->feature = n->split.feature;
    n->threshold = n->split.threshold;
    n->presence = n->split.presence;
    n->stats = homer_stats_free(n->stats);
    if (!t->config->alternate) return;
    n->watch = t->alternate->staged_watch; /* from here on in the place of the split */
    t->alternate->staged_watch = NULL;
}

bool homer_tree_learn(struct homer_tree *t, uint32_t leaf, const struct homer_frame *f, const uint32_t *on,
                      uint32_t on_n, double weight, const float *logits) {
    struct homer_tree_node *n = &t->node[leaf];
    note_losses(t, n->stats, on, on_n, logits);
    bool split = n->staged[0] != NULL;
    if (split) {
        commit_split(t, leaf);
        n = &t->node[homer_tree_leaf(t, f)];
    } else if (n->due) {
        n->next = next_try(t, n->stats->n + weight);
    }
    t->node[leaf].due = false;
    double now = n->stats->n + weight;
    homer_stats_add(n->stats, f, on, on_n, weight);
    if (n->stats->n < now) n->next *= 0.5; /* as its counts */
    if (t->config->alternate)
        homer_alternate_learn(t, leaf, f, on, on_n, weight, homer_tree_loss(t, on, on_n, logits));
    return split;
}

bool homer_tree_deactivate(struct homer_tree *t) {
    uint32_t worst = UINT32_MAX;
    double least = 0;
    if (t->config->alternate && homer_alternate_drop(t)) return true;
    for (uint32_t i = 0; i < t->node_n; i++) {
        const struct homer_tree_node *n = &t->node[i];
        if (!n->stats || n->inactive) continue;
        double loss = 0;
        for (uint32_t l = 0; l < t->m; l++) loss += (double)n->stats->loss[l];
        if (worst != UINT32_MAX && n->stats->n * loss >= least) continue;
        worst = i;
        least = n->stats->n * loss;
    }
    if (worst == UINT32_MAX) return false;
    homer_stats_drop(t->node[worst].stats);
    t->node[worst].inactive = true;
    return true;
}

void homer_tree_activate(struct homer_tree *t) {
    for (uint32_t i = 0; i < t->node_n; i++) t->node[i].inactive = false;
}

size_t homer_tree_bytes(const struct homer_tree *t) {
    size_t bytes = sizeof *t + t->node_n * sizeof *t->node;
    for (uint32_t i = 0; i < t->node_n; i++)
        if (t->node[i].stats) bytes += homer_stats_bytes(t->node[i].stats);
    return bytes + (t->config->alternate ? homer_alternate_bytes(t) : 0);
}
