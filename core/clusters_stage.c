/* When the partition of the labels has changed: new clusters, with trees copied from the old ones that knew
 * most of their labels. */
#include <errno.h>
#include <string.h>
#include "core/clusters_impl.h"

void homer_cluster_deinit(struct homer_clusters *c, struct homer_cluster *k) {
    if (k->borrowed) return;
    homer_mem_free(c->mem, k->label, k->m, sizeof *k->label);
    homer_forest_free(k->forest);
}

void homer_clusters_unstage(struct homer_clusters *c) {
    for (uint32_t i = 0; i < c->staged_n; i++) homer_cluster_deinit(c, &c->staged[i]);
    c->staged = homer_mem_free(c->mem, c->staged, c->staged_n, sizeof *c->staged);
    c->staged_n = 0;
}

void homer_clusters_watch(const struct homer_clusters *c, struct homer_adwin *watch) {
    struct homer_adwin_config config;
    homer_adwin_config_default(&config);
    config.delta = c->config.drift_delta;
    homer_adwin_init(watch, &config);
}

/* The present cluster that has most of these labels; ties: the one met first. NULL: none has any. */
static struct homer_cluster *most_overlap(struct homer_clusters *c, const uint32_t *label, uint32_t m) {
    struct homer_cluster *best = NULL;
    uint32_t most = 0;
    for (uint32_t i = 0; i < m; i++) {
        if (!c->of[label[i]]) continue;
        struct homer_cluster *k = &c->cluster[c->of[label[i]] - 1];
        uint32_t shared = 0;
        if (k == best) continue;
        for (uint32_t j = 0; j < m; j++) shared += c->of[label[j]] == c->of[label[i]];
        if (shared > most) {
            most = shared;
            best = k;
        }
    }
    return best;
}

static int hand_on(struct homer_clusters *c, struct homer_cluster *k, const struct homer_cluster *from,
                   const float *prior) {
    if (!from) return homer_forest_new(&k->forest, c->mem, &c->config.tree, k->m);
    uint32_t *source = homer_mem_alloc(c->mem, k->m, sizeof *source);
    float *share = homer_mem_alloc(c->mem, k->m, sizeof *share);
    int rc = source && share ? 0 : -ENOMEM;
    for (uint32_t i = 0, j = 0; i < k->m && !rc; i++) {
        while (j < from->m && from->label[j] < k->label[i]) j++;
        source[i] = j < from->m && from->label[j] == k->label[i] ? j : UINT32_MAX;
        share[i] = prior[k->label[i]];
    }
    if (!rc) rc = homer_forest_clone(&k->forest, from->forest, source, k->m, share);
    homer_mem_free(c->mem, source, k->m, sizeof *source);
    homer_mem_free(c->mem, share, k->m, sizeof *share);
    return rc;
}

static int stage_cluster(struct homer_clusters *c, struct homer_cluster *k, uint32_t slot,
                         const float *prior) {
    const struct homer_hierarchy_node *node = homer_hierarchy_node(&c->hierarchy, slot);
    const uint32_t *label = homer_hierarchy_labels(&c->hierarchy, slot);
    k->id = node->id;
    k->m = node->labels;
    homer_clusters_watch(c, &k->loss);
    const struct homer_cluster *from = most_overlap(c, label, k->m);
    if (from && from->id == k->id) { /* the same leaf, perhaps with more labels */
        k->loss = from->loss;
        k->recovery = from->recovery;
        k->drifts = from->drifts;
    }
    if (from && from->m == k->m && memcmp(from->label, label, k->m * sizeof *label) == 0) {
        k->borrowed = true;
        k->label = from->label;
        k->forest = from->forest;
        return 0;
    }
    k->label = homer_mem_alloc(c->mem, k->m, sizeof *k->label);
    if (!k->label) return -ENOMEM;
    memcpy(k->label, label, k->m * sizeof *label);
    return hand_on(c, k, from, prior);
}

int homer_clusters_stage(struct homer_clusters *c, const struct homer_frame *f) {
    const struct homer_hierarchy *h = &c->hierarchy;
    struct homer_cluster *staged = homer_mem_alloc(c->mem, h->leaves, sizeof *staged);
    if (!staged) return -ENOMEM;
    c->staged = staged;
    c->staged_n = h->leaves;
    c->staged_generation = h->generation;
    uint32_t i = 0;
    for (uint32_t slot = 0; slot != HOMER_NO_NODE; slot = homer_hierarchy_next(h, slot)) {
        if (!homer_hierarchy_is_leaf(h, slot)) continue;
        if (stage_cluster(c, &staged[i++], slot, f->prior)) {
            homer_clusters_unstage(c);
            return -ENOMEM;
        }
    }
    return 0;
}

void homer_clusters_index(struct homer_clusters *c) {
    memset(c->of, 0, c->label_cap * sizeof *c->of);
    for (uint32_t i = 0; i < c->n; i++)
        for (uint32_t k = 0; k < c->cluster[i].m; k++) c->of[c->cluster[i].label[k]] = i + 1;
}

void homer_clusters_swap(struct homer_clusters *c) {
    for (uint32_t i = 0; i < c->staged_n; i++) {
        if (!c->staged[i].borrowed) continue;
        struct homer_cluster *owner = &c->cluster[c->of[c->staged[i].label[0]] - 1];
        owner->borrowed = true; /* the staged one owns forest and labels from here on */
        c->staged[i].borrowed = false;
    }
    for (uint32_t i = 0; i < c->n; i++) homer_cluster_deinit(c, &c->cluster[i]);
    homer_mem_free(c->mem, c->cluster, c->n, sizeof *c->cluster);
    c->cluster = c->staged;
    c->n = c->staged_n;
    c->staged = NULL;
    c->staged_n = 0;
    c->generation = c->staged_generation;
    homer_clusters_index(c);
}
