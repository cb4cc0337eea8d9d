#include "core/tree/alternate.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"
#include "core/tree/hoeffding.h"

#define WATCH_DELTA 0.002
#define SIGNIFICANCE 0.05
#define TRIAL_FROM 2.0 /* grace periods: a decision from here */
#define TRIAL_TO 10.0  /* to here */

int homer_alternate_init(struct homer_tree *t) {
    struct homer_alternate *a = t->alternate;
    *a = (struct homer_alternate){.node = HOMER_NOWHERE, .wanted = HOMER_NOWHERE};
    a->logits = homer_mem_alloc(t->mem, (size_t)4 * t->stride, sizeof *a->logits);
    return a->logits ? 0 : -ENOMEM;
}

void homer_alternate_deinit(struct homer_tree *t) {
    struct homer_alternate *a = t->alternate;
    homer_alternate_cancel(t);
    homer_alternate_drop(t);
    homer_mem_free(t->mem, a->logits, (size_t)4 * t->stride, sizeof *a->logits);
    for (uint32_t i = 0; i < t->node_n; i++)
        if (!t->node[i].stats) homer_mem_free(t->mem, t->node[i].watch, 1, sizeof *t->node[i].watch);
}

struct homer_adwin *homer_alternate_watch(struct homer_tree *t) {
    struct homer_adwin *watch = homer_mem_alloc(t->mem, 1, sizeof *watch);
    struct homer_adwin_config config;
    homer_adwin_config_default(&config);
    config.delta = WATCH_DELTA;
    if (watch) homer_adwin_init(watch, &config);
    return watch;
}

static bool is_passed(const struct homer_tree *t, uint32_t node, uint32_t leaf, const struct homer_frame *f) {
    uint32_t i = 0;
    while (i != leaf && i != node) i = homer_tree_step(t, i, f);
    return i == node;
}

/* A fresh tree for the node where one is wanted. */
static int stage_tree(struct homer_tree *t) {
    struct homer_alternate *a = t->alternate;
    if (homer_tree_new(&a->staged, t->mem, t->config, t->m)) return -ENOMEM;
    a->staged->alternate->within = true;
    a->staged->mask = t->mask;
    a->staged->node[0].depth = t->node[a->wanted].depth;
    return 0;
}

/* The alternate's own preparation, and room for its nodes in the tree should it take the place: both may
 * split before. */
static int prepare_trial(struct homer_tree *t, const struct homer_frame *f, double weight) {
    struct homer_alternate *a = t->alternate;
    a->leaf = homer_tree_leaf(a->tree, f);
    uint32_t lacks = homer_tree_predict(a->tree, a->leaf, f, a->logits + (size_t)3 * t->stride, a->logits);
    int rc = homer_tree_prepare(a->tree, a->leaf, f, lacks, weight);
    if (rc) return rc;
    a->passes = true;
    return homer_tree_reserve_nodes(t, t->node_n + a->tree->node_n + 4);
}

int homer_alternate_prepare(struct homer_tree *t, uint32_t leaf, const struct homer_frame *f, double weight) {
    struct homer_alternate *a = t->alternate;
    uint64_t capped = t->mem->capped;
    int rc = 0;
    if (t->node[leaf].staged[0] && !(a->staged_watch = homer_alternate_watch(t))) rc = -ENOMEM;
    if (t->mem->capped > capped) rc = 0;
    if (!rc && a->wanted != HOMER_NOWHERE) rc = stage_tree(t);
    if (!rc && a->tree && is_passed(t, a->node, leaf, f)) rc = prepare_trial(t, f, weight);
    if (t->mem->capped > capped) rc = 0;
    if (rc) homer_tree_cancel(t, leaf);
    return rc;
}

void homer_alternate_cancel(struct homer_tree *t) {
    struct homer_alternate *a = t->alternate;
    a->staged = homer_tree_free(a->staged);
    a->staged_watch = homer_mem_free(t->mem, a->staged_watch, 1, sizeof *a->staged_watch);
    if (a->passes) homer_tree_cancel(a->tree, a->leaf);
    a->passes = false;
}

bool homer_alternate_drop(struct homer_tree *t) {
    struct homer_alternate *a = t->alternate;
    bool any = a->tree != NULL;
    a->tree = homer_tree_free(a->tree);
    a->node = HOMER_NOWHERE;
    return any;
}

/* Tells the watches on the path; where the topmost has risen an alternate is wanted. */
static void watch_path(struct homer_tree *t, uint32_t leaf, const struct homer_frame *f, double loss) {
    struct homer_alternate *a = t->alternate;
    for (uint32_t i = 0; i != leaf; i = homer_tree_step(t, i, f)) {
        struct homer_adwin *watch = t->node[i].watch;
        if (!watch || !homer_adwin_add(watch, loss)) continue;
        bool risen = homer_adwin_mean(watch) > watch->before;
        homer_adwin_reset(watch);
        if (risen && !a->within && a->wanted == HOMER_NOWHERE) a->wanted = i;
    }
}

/* Removes all below the node, which is left without content. Siblings lie side by side and behind their
 * parent, so that nodes that stay keep their order and only close up. */
static void cut_below(struct homer_tree *t, uint32_t node) {
    struct homer_tree_node *n = &t->node[node];
    if (n->stats) {
        n->stats = homer_stats_free(n->stats);
        return;
    }
    uint32_t first = n->child[0];
    cut_below(t, first + 1);
    cut_below(t, first);
    n->watch = homer_mem_free(t->mem, n->watch, 1, sizeof *n->watch);
    t->node_n -= 2;
    memmove(&t->node[first], &t->node[first + 2], (t->node_n - first) * sizeof *t->node);
    for (uint32_t i = 0; i < t->node_n; i++)
        for (int k = 0; k < 2 && !t->node[i].stats; k++)
            if (t->node[i].child[k] > first) t->node[i].child[k] -= 2;
}

/* The alternate takes its node's place: its root there, its other nodes at the end. */
static void take_place(struct homer_tree *t) {
    struct homer_alternate *a = t->alternate;
    struct homer_tree *alt = a->tree;
    cut_below(t, a->node);
    uint32_t shift = t->node_n - 1;
    for (uint32_t i = 0; i < alt->node_n; i++) {
        struct homer_tree_node *n = &t->node[i ? shift + i : a->node];
        *n = alt->node[i];
        for (int k = 0; k < 2 && !n->stats; k++) n->child[k] += shift;
    }
    t->node_n += alt->node_n - 1;
    struct homer_stats *alone = t->node[a->node].stats; /* as a root it expected the labels' priors */
    if (alone) memcpy(alone->prior, a->logits + (size_t)3 * t->stride, t->m * sizeof *alone->prior);
    alt->node_n = 0;
    homer_alternate_drop(t);
    a->taken++;
}

static void decide(struct homer_tree *t) {
    struct homer_alternate *a = t->alternate;
    double grace = t->config->grace, old = a->counted > 0 ? a->loss[0] / a->counted : 0,
           gain = a->counted > 0 ? old - a->loss[1] / a->counted : 0;
    if (a->weight < TRIAL_FROM * grace || !(a->counted > 0)) return;
    double bound = sqrt(2 * old * (1 - old) * homer_log_double(2 / SIGNIFICANCE) * 2 / a->counted);
    if (gain > bound && t->node_n + a->tree->node_n <= t->node_cap)
        take_place(t);
    else if (-gain > bound || a->weight >= TRIAL_TO * grace)
        homer_alternate_drop(t);
}

static void learn_trial(struct homer_tree *t, const struct homer_frame *f, const uint32_t *on, uint32_t on_n,
                        double weight, double loss) {
    struct homer_alternate *a = t->alternate;
    a->passes = false;
    if (a->weight >= t->config->grace) {
        a->counted++;
        a->loss[0] += loss;
        a->loss[1] += homer_tree_loss(a->tree, on, on_n, a->logits);
    }
    a->weight += weight;
    homer_tree_learn(a->tree, a->leaf, f, on, on_n, weight, a->logits);
    decide(t);
}

void homer_alternate_learn(struct homer_tree *t, uint32_t leaf, const struct homer_frame *f,
                           const uint32_t *on, uint32_t on_n, double weight, double loss) {
    struct homer_alternate *a = t->alternate;
    if (a->passes) {
        learn_trial(t, f, on, on_n, weight, loss);
        return;
    }
    if (a->tree) return;
    uint32_t wanted = a->wanted;
    a->wanted = HOMER_NOWHERE;
    if (a->staged) {
        a->tree = a->staged;
        a->staged = NULL;
        a->node = wanted;
        a->weight = a->counted = a->loss[0] = a->loss[1] = 0;
        a->begun++;
        return;
    }
    watch_path(t, leaf, f, loss);
}

size_t homer_alternate_bytes(const struct homer_tree *t) {
    const struct homer_alternate *a = t->alternate;
    size_t bytes = sizeof *a + (size_t)4 * t->stride * sizeof *a->logits;
    for (uint32_t i = 0; i < t->node_n; i++)
        if (!t->node[i].stats && t->node[i].watch) bytes += sizeof *t->node[i].watch;
    return bytes + (a->tree ? homer_tree_bytes(a->tree) : 0);
}

void homer_alternate_encode(const struct homer_tree *t, struct homer_codec *c) {
    const struct homer_alternate *a = t->alternate;
    for (uint32_t i = 0; i < t->node_n; i++) {
        if (t->node[i].stats) continue;
        homer_put_u8(c, t->node[i].watch != NULL);
        if (t->node[i].watch) homer_adwin_encode(t->node[i].watch, c);
    }
    homer_put_u8(c, (uint8_t)((a->tree != NULL) | a->within << 1));
    homer_put_u32(c, a->wanted);
    homer_put_u64(c, a->begun);
    homer_put_u64(c, a->taken);
    if (!a->tree) return;
    homer_put_u32(c, a->node);
    homer_put_f64(c, a->weight);
    homer_put_f64(c, a->counted);
    homer_put_f64s(c, a->loss, 2);
    homer_tree_encode(a->tree, c);
}

static void decode_watch(struct homer_tree *t, uint32_t node, struct homer_decoder *d) {
    if (!homer_get_u8(d, 1)) return;
    t->node[node].watch = homer_alternate_watch(t);
    if (!t->node[node].watch)
        homer_get_fail(d, -ENOMEM);
    else
        homer_adwin_decode(t->node[node].watch, d);
}

/* The number of an inner node. */
static uint32_t get_inner(const struct homer_tree *t, struct homer_decoder *d) {
    uint32_t i = homer_get_u32(d);
    return homer_get_holds(d, i < t->node_n && !t->node[i].stats) ? i : 0;
}

void homer_alternate_decode(struct homer_tree *t, bool within, uint32_t features, struct homer_decoder *d) {
    struct homer_alternate *a = t->alternate;
    for (uint32_t i = 0; i < t->node_n && !d->error; i++)
        if (!t->node[i].stats) decode_watch(t, i, d);
    uint8_t bits = homer_get_u8(d, within ? 2 : 1); /* an alternate has none itself */
    a->within = within;
    homer_get_holds(d, bits >> 1 == within);
    a->wanted = homer_get_u32(d);
    homer_get_holds(d, a->wanted == HOMER_NOWHERE || (a->wanted < t->node_n && !t->node[a->wanted].stats));
    a->begun = homer_get_u64(d);
    a->taken = homer_get_u64(d);
    if (d->error || !(bits & 1)) return;
    uint32_t node = get_inner(t, d);
    a->weight = homer_get_f64(d);
    a->counted = homer_get_f64(d);
    homer_get_f64s(d, a->loss, 2);
    a->tree = homer_tree_decode(t->mem, t->config, t->m, t->mask, t->node[node].depth, true, features, d);
    if (a->tree) a->node = node;
}
