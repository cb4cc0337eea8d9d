#include "core/clusters.h"

#include <errno.h>
#include <string.h>
#include "core/base/num.h"
#include "core/base/rng.h"
#include "core/clusters_impl.h"

#define STAGE_EVERY                                                                                          \
    50 /* instances between regroupings, fewer at the start: a new tree is a copy, and labels often arrive   \
          in a row */
#define STAGE_AGAIN 1000 /* instances after which refused clusters are tried again */
#define SHARE_OF_RISE .3 /* of what the loss of all labels rose by: clusters whose own rose by it drifted */
#define PRUNE_EVERY 1000 /* instances between looks at the trees' memory */

void homer_clusters_config_default(struct homer_clusters_config *c) {
    *c = (struct homer_clusters_config){.drift_delta = 0.002, .scope = HOMER_DRIFT_BOTH};
    homer_hierarchy_config_default(&c->hierarchy);
    homer_tree_config_default(&c->tree);
}

int homer_clusters_init(struct homer_clusters *c, struct homer_mem *mem,
                        const struct homer_clusters_config *config) {
    *c = (struct homer_clusters){.mem = mem, .config = *config};
    homer_clusters_watch(c, &c->loss);
    homer_rng_seed(&c->rng, config->tree.seed);
    return homer_hierarchy_init(&c->hierarchy, mem, &config->hierarchy);
}

static void clusters_deinit(void *self) {
    struct homer_clusters *c = self;
    homer_clusters_unstage(c);
    for (uint32_t i = 0; i < c->n; i++) homer_cluster_deinit(c, &c->cluster[i]);
    homer_mem_free(c->mem, c->cluster, c->n, sizeof *c->cluster);
    homer_mem_free(c->mem, c->event, c->event ? HOMER_EVENTS_KEPT : 0, sizeof *c->event);
    homer_mem_free(c->mem, c->softened, c->label_cap, sizeof *c->softened);
    homer_mem_free(c->mem, c->on, c->label_cap, sizeof *c->on);
    homer_mem_free(c->mem, c->of, c->label_cap, sizeof *c->of);
    homer_mem_free(c->mem, c->log, c->label_cap, sizeof *c->log);
    homer_hierarchy_deinit(&c->hierarchy);
}

static int clusters_reserve(void *self, uint32_t features, uint32_t columns) {
    struct homer_clusters *c = self;
    (void)features;
    if (!c->event && !(c->event = homer_mem_alloc(c->mem, HOMER_EVENTS_KEPT, sizeof *c->event)))
        return -ENOMEM;
    if (columns <= c->label_cap) return 0;
    uint32_t cap = columns + columns / 2;
    uint32_t *softened = homer_mem_alloc(c->mem, cap, sizeof *softened),
             *on = homer_mem_alloc(c->mem, cap, sizeof *on);
    uint32_t *of = homer_mem_alloc(c->mem, cap, sizeof *of);
    float *log = homer_mem_alloc(c->mem, cap, sizeof *log);
    if (!softened || !on || !of || !log) {
        homer_mem_free(c->mem, softened, cap, sizeof *softened);
        homer_mem_free(c->mem, on, cap, sizeof *on);
        homer_mem_free(c->mem, of, cap, sizeof *of);
        homer_mem_free(c->mem, log, cap, sizeof *log);
        return -ENOMEM;
    }
    if (c->label_cap) memcpy(of, c->of, c->label_cap * sizeof *of);
    homer_mem_free(c->mem, c->softened, c->label_cap, sizeof *c->softened);
    homer_mem_free(c->mem, c->on, c->label_cap, sizeof *c->on);
    homer_mem_free(c->mem, c->of, c->label_cap, sizeof *c->of);
    homer_mem_free(c->mem, c->log, c->label_cap, sizeof *c->log);
    c->softened = softened;
    c->on = on;
    c->of = of;
    c->log = log;
    c->label_cap = cap;
    return 0;
}

void homer_cluster_predict(struct homer_cluster *k, const struct homer_frame *f) {
    for (uint32_t i = 0; i < k->m; i++) k->forest->prior[i] = f->prior[k->label[i]];
    homer_forest_predict(k->forest, f);
}

static void clusters_predict(void *self, struct homer_frame *f) {
    struct homer_clusters *c = self;
    for (int e = 0; e < 3; e++) memset(f->evidence[HOMER_X_TREE_COUNTS + e], 0, f->stride * sizeof(float));
    for (uint32_t i = 0; i < c->n; i++) {
        struct homer_cluster *k = &c->cluster[i];
        homer_cluster_predict(k, f);
        for (int e = 0; e < 3; e++) {
            const float *logit = k->forest->logits + (size_t)e * k->forest->stride;
            float *out = f->evidence[HOMER_X_TREE_COUNTS + e];
            for (uint32_t j = 0; j < k->m; j++) {
                uint32_t l = k->label[j];
                out[l] = homer_clip(logit[j] - f->prior_logit[l], -HOMER_EVIDENCE_CLIP, HOMER_EVIDENCE_CLIP);
            }
        }
    }
}

/* Whether an instance tells enough of its labels, a third, for the others to be filled in. */
static bool is_known(const struct homer_cluster *k, const struct homer_frame *f) {
    uint32_t known = 0;
    for (uint32_t i = 0; i < k->m && !f->complete; i++) known += f->weight[k->label[i]] > 0;
    return f->complete || 3 * known >= k->m;
}

static void clusters_cancel(void *self) {
    struct homer_clusters *c = self;
    for (uint32_t i = 0; i < c->n; i++) homer_forest_cancel(c->cluster[i].forest);
    homer_clusters_unstage(c);
}

/* Where the memory cap refuses new clusters, the old ones go on; it is tried again after a while. */
static int stage(struct homer_clusters *c, const struct homer_frame *f) {
    uint64_t capped = c->mem->capped;
    int rc = homer_clusters_stage(c, f);
    c->stage_refused = rc && c->mem->capped > capped;
    return c->stage_refused ? 0 : rc;
}

static int clusters_prepare(void *self, const struct homer_frame *f) {
    struct homer_clusters *c = self;
    int rc = homer_hierarchy_reserve(&c->hierarchy, f->positive_n, f->labels);
    if (!rc && c->generation != c->hierarchy.generation && f->seq >= c->stage_next) rc = stage(c, f);
    struct homer_cluster *k = c->staged ? c->staged : c->cluster;
    c->drawn = c->rng;
    for (uint32_t i = 0, n = c->staged ? c->staged_n : c->n; i < n && !rc; i++) {
        if (c->staged) homer_cluster_predict(&k[i], f);
        k[i].known = is_known(&k[i], f);
        if (k[i].known) rc = homer_forest_prepare(k[i].forest, f, &c->drawn);
    }
    if (rc) clusters_cancel(c);
    return rc;
}

static void note(struct homer_clusters *c, struct homer_event e) {
    c->event[c->events++ % HOMER_EVENTS_KEPT] = e;
    c->counted[e.kind]++;
}

/* A label that is not told is true with the probability that the whole model gives it. */
static void learn_trees(struct homer_clusters *c, struct homer_cluster *k, const struct homer_frame *f,
                        struct homer_rng *rng) {
    uint32_t on_n = 0;
    if (!k->known) return;
    for (uint32_t i = 0; i < k->m; i++) {
        uint32_t l = k->label[i];
        bool told = f->complete || f->weight[l] > 0;
        if (told ? f->y[l] > 0 : homer_rng_unit(rng) < (double)f->p[l]) c->on[on_n++] = i;
    }
    struct homer_event e = {.seq = f->seq, .node = k->id, .kind = HOMER_EVENT_TREE_SPLIT, .labels = k->m};
    for (uint32_t n = homer_forest_learn(k->forest, f, c->on, on_n); n; n--) note(c, e);
}

HOMER_WIDE static void take_logs(float *restrict out, const struct homer_frame *f) {
    const float *y = f->y, *q = f->p;
    for (uint32_t l = 0; l < f->labels; l++) {
        float p = y[l] > 0 ? q[l] : 1.0f - q[l];
        out[l] = homer_log(p > 1e-6f ? p : 1e-6f);
    }
}

/* min(1, 4/7 of the mean log-loss) of these labels, of which the truth is known; -1 when none is. */
static double loss_of(const struct homer_clusters *c, const struct homer_frame *f, const uint32_t *label,
                      uint32_t n) {
    double sum = 0, known = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t l = label ? label[i] : i;
        if (!(f->weight[l] > 0)) continue;
        sum -= (double)c->log[l];
        known++;
    }
    if (known == 0) return -1;
    double loss = 4.0 / 7.0 * sum / known;
    return loss < 1 ? loss : 1;
}

/* How a detector saw the loss rise: by how much, since how many instances. */
struct rise {
    double by;
    uint32_t since;
};

/* Feeds a detector; true when the loss has risen: *e says from what to what, *r how. The window then begins
 * anew: one event a drift. */
static bool has_risen(struct homer_adwin *a, double loss, struct homer_event *e, struct rise *r) {
    if (loss < 0 || !homer_adwin_add(a, loss)) return false;
    e->before = a->before;
    e->after = homer_adwin_mean(a);
    r->since = homer_adwin_newest(a);
    r->by = homer_adwin_rise(a, r->since);
    homer_adwin_reset(a);
    return e->after > e->before;
}

/* Names the columns of a cluster, once. */
static void soften(struct homer_clusters *c, struct homer_cluster *k) {
    for (uint32_t j = 0; j < k->m && !k->softened; j++) c->softened[c->softened_n++] = k->label[j];
    k->softened = true;
}

/* Feeds a cluster's detector; true when its columns are to learn anew. */
static bool has_drifted(struct homer_clusters *c, struct homer_cluster *k, const struct homer_frame *f) {
    struct homer_event e = {.seq = f->seq, .node = k->id, .kind = HOMER_EVENT_CLUSTER_DRIFT, .labels = k->m};
    struct rise rise;
    double loss = loss_of(c, f, k->label, k->m);
    if (loss < 0) return false;
    bool again = homer_recovery_add(&k->recovery, loss);
    if (!has_risen(&k->loss, loss, &e, &rise)) return again;
    k->drifts++;
    note(c, e);
    homer_recovery_begin(&k->recovery, e.before);
    return true;
}

static void watch(struct homer_clusters *c, const struct homer_frame *f) {
    enum homer_drift_scope scope = c->config.scope;
    struct rise rise;
    c->softened_n = 0;
    take_logs(c->log, f);
    for (uint32_t i = 0; i < c->n; i++) {
        struct homer_cluster *k = &c->cluster[i];
        k->softened = false;
        if (has_drifted(c, k, f) && (scope == HOMER_DRIFT_CLUSTER || scope == HOMER_DRIFT_BOTH)) soften(c, k);
    }
    struct homer_event e = {.seq = f->seq, .kind = HOMER_EVENT_GLOBAL_DRIFT, .labels = f->labels};
    if (!has_risen(&c->loss, loss_of(c, f, NULL, f->labels), &e, &rise)) return;
    note(c, e);
    for (uint32_t i = 0; i < c->n && scope == HOMER_DRIFT_BOTH; i++) {
        struct homer_cluster *k = &c->cluster[i];
        double by = homer_adwin_rise(&k->loss, rise.since);
        if (!(by > SHARE_OF_RISE * rise.by)) continue;
        homer_recovery_begin(&k->recovery, homer_adwin_mean(&k->loss));
        soften(c, k);
    }
    if (scope != HOMER_DRIFT_GLOBAL) return;
    c->softened_n = f->labels;
    for (uint32_t l = 0; l < f->labels; l++) c->softened[l] = l;
}

/* As many labels as the instance has, drawn from all by its number, ascending. */
static const uint32_t *random_labelset(struct homer_clusters *c, const struct homer_frame *f) {
    struct homer_rng rng;
    uint32_t n = 0;
    homer_rng_seed(&rng, f->seq);
    while (n < f->positive_n) {
        uint32_t label = (uint32_t)(homer_rng_next(&rng) % f->labels), i = n;
        while (i > 0 && c->on[i - 1] >= label) i--;
        if (i < n && c->on[i] == label) continue;
        memmove(c->on + i + 1, c->on + i, (n++ - i) * sizeof *c->on);
        c->on[i] = label;
    }
    return c->on;
}

static void grow_hierarchy(struct homer_clusters *c, const struct homer_frame *f) {
    const uint32_t *y = c->config.random_groups ? random_labelset(c, f) : f->positive;
    homer_hierarchy_learn(&c->hierarchy, y, f->positive_n, f->labels, f->seq);
    for (uint32_t i = 0; i < c->hierarchy.events_n; i++) {
        const struct homer_hierarchy_event *h = &c->hierarchy.events[i];
        note(c, (struct homer_event){h->seq, h->node, HOMER_EVENT_STRUCTURE, h->change, h->labels, h->before,
                                     h->after});
    }
}

void homer_clusters_drop(struct homer_clusters *c) {
    homer_clusters_unstage(c);
    for (uint32_t i = 0; i < c->n; i++) homer_cluster_deinit(c, &c->cluster[i]);
    c->cluster = homer_mem_free(c->mem, c->cluster, c->n, sizeof *c->cluster);
    c->n = 0;
    homer_clusters_watch(c, &c->loss);
}

int homer_clusters_reserve_groups(struct homer_clusters *c, uint32_t n, uint32_t labels) {
    int rc = clusters_reserve(c, 0, labels + 1);
    return rc ? rc : homer_hierarchy_reserve(&c->hierarchy, n, labels);
}

bool homer_clusters_learn_groups(struct homer_clusters *c, const struct homer_frame *f, double loss) {
    struct homer_event e = {.seq = f->seq, .kind = HOMER_EVENT_GLOBAL_DRIFT, .labels = f->labels};
    struct rise rise;
    bool risen = has_risen(&c->loss, loss, &e, &rise);
    if (risen) note(c, e);
    grow_hierarchy(c, f);
    return risen && (c->config.scope == HOMER_DRIFT_GLOBAL || c->config.scope == HOMER_DRIFT_BOTH);
}

/* Keeps the trees within tree_bytes: the largest cluster gives up the leaves that promise least; below three
 * quarters they come back. */
static void prune(struct homer_clusters *c) {
    size_t bytes = 0, most;
    for (uint32_t i = 0; i < c->n; i++) bytes += homer_forest_bytes(c->cluster[i].forest);
    for (uint32_t i = 0; i < c->n && bytes < c->config.tree_bytes / 4 * 3; i++)
        homer_forest_activate(c->cluster[i].forest);
    while (bytes > c->config.tree_bytes) {
        struct homer_forest *largest = NULL;
        most = 0;
        for (uint32_t i = 0; i < c->n; i++) {
            size_t b = homer_forest_bytes(c->cluster[i].forest);
            if (b <= most) continue;
            most = b;
            largest = c->cluster[i].forest;
        }
        if (!largest || !homer_forest_deactivate(largest)) return;
        bytes -= most - homer_forest_bytes(largest);
    }
}

static void clusters_learn(void *self, const struct homer_frame *f) {
    struct homer_clusters *c = self;
    c->rng = c->drawn;
    if (c->staged) {
        homer_clusters_swap(c);
        c->stage_next = f->seq + (f->seq < 8 * STAGE_EVERY ? f->seq / 8 : STAGE_EVERY);
    }
    if (c->stage_refused) c->stage_next = f->seq + STAGE_AGAIN;
    c->stage_refused = false;
    struct homer_rng fill;
    homer_rng_seed(&fill, f->seq);
    for (uint32_t i = 0; i < c->n; i++) learn_trees(c, &c->cluster[i], f, &fill);
    watch(c, f);
    grow_hierarchy(c, f);
    if (c->config.tree_bytes && f->seq % PRUNE_EVERY == 0) prune(c);
}

static void clusters_add_label(void *self, uint32_t from) {
    (void)self; /* the hierarchy places it, a tree gets its column with the next instance */
    (void)from;
}

const struct homer_cluster *homer_clusters_find(const struct homer_clusters *c, uint64_t id) {
    for (uint32_t i = 0; i < c->n; i++)
        if (c->cluster[i].id == id) return &c->cluster[i];
    return NULL;
}

const struct homer_event *homer_clusters_event(const struct homer_clusters *c, uint64_t i) {
    bool kept = i < c->events && c->events - i <= HOMER_EVENTS_KEPT;
    return kept ? &c->event[i % HOMER_EVENTS_KEPT] : NULL;
}

const struct homer_expert_ops homer_clusters_ops = {
    .reserve = clusters_reserve,
    .predict = clusters_predict,
    .prepare = clusters_prepare,
    .cancel = clusters_cancel,
    .learn = clusters_learn,
    .add_label = clusters_add_label,
    .encode = homer_clusters_encode,
    .decode = homer_clusters_decode,
    .deinit = clusters_deinit,
};
