#include "core/learners/ihomer_paper.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/learners/ihomer_paper_impl.h"

#define STAGE_AGAIN 1000 /* instances after which a refused partition is tried again */

/* Rows of the scratch grids; the first stand together, as homer_mlhat_scratch wants them. */
enum { F32 = 0, OWN = 2 * HOMER_BAG_MODELS, OF_PART, P, Y, F32_ROWS, F64_ROWS = 3 };

void homer_paper_config_default(struct homer_paper_config *c) {
    *c = (struct homer_paper_config){.drift_delta = 0.002, .seed = 1};
    homer_odac_config_default(&c->odac);
    homer_mlhat_config_default(&c->tree);
}

int homer_paper_init(struct homer_paper *p, struct homer_mem *mem, const struct homer_paper_config *config) {
    *p = (struct homer_paper){.mem = mem, .config = *config};
    homer_paper_watch(p, &p->loss);
    homer_query_init(&p->query, mem);
    homer_grid_init(&p->label_count, mem, 1, sizeof(double));
    homer_grid_init(&p->feature_count, mem, 1, sizeof(double));
    homer_grid_init(&p->map, mem, HOMER_PAPER_MAPS, sizeof(uint32_t));
    homer_grid_init(&p->f32, mem, F32_ROWS, sizeof(float));
    homer_grid_init(&p->f64, mem, F64_ROWS, sizeof(double));
    int rc = homer_odac_init(&p->odac, mem, &config->odac);
    if (rc) return rc;
    p->part = homer_mem_alloc(mem, 1, sizeof *p->part);
    p->event = homer_mem_alloc(mem, HOMER_EVENTS_KEPT, sizeof *p->event);
    if (p->part && p->event && homer_paper_part_new(p, p->part, p->odac.node[0].id, 0) == 0)
        p->trees = p->parts = 1;
    if (p->parts) return 0;
    homer_mem_free(mem, p->part, 1, sizeof *p->part);
    p->part = NULL;
    homer_paper_deinit(p);
    return -ENOMEM;
}

void homer_paper_deinit(struct homer_paper *p) {
    homer_paper_unstage(p);
    p->memo = homer_memo_drop(p->memo, p->mem);
    for (uint32_t i = 0; i < p->parts; i++) homer_paper_part_deinit(p, &p->part[i]);
    homer_mem_free(p->mem, p->part, p->parts, sizeof *p->part);
    homer_mem_free(p->mem, p->event, HOMER_EVENTS_KEPT, sizeof *p->event);
    homer_query_deinit(&p->query);
    homer_odac_deinit(&p->odac);
    homer_grid_deinit(&p->label_count);
    homer_grid_deinit(&p->feature_count);
    homer_grid_deinit(&p->map);
    homer_grid_deinit(&p->f32);
    homer_grid_deinit(&p->f64);
}

int homer_paper_reserve(struct homer_paper *p, uint32_t features, uint32_t labels) {
    if ((features > p->features || labels > p->labels) && homer_memory_short(p->mem)) return -ENOMEM;
    int rc = homer_query_reserve(&p->query, features);
    if (!rc) rc = homer_grid_reserve(&p->feature_count, features);
    if (!rc) rc = homer_grid_reserve(&p->label_count, labels + 1);
    if (!rc) rc = homer_grid_reserve(&p->map, labels + 1);
    if (!rc) rc = homer_grid_reserve(&p->f32, labels + 1);
    if (!rc) rc = homer_grid_reserve(&p->f64, labels + 1);
    return rc ? rc : homer_odac_reserve(&p->odac, labels);
}

static struct homer_mlhat_scratch scratch_of(const struct homer_paper *p) {
    return (struct homer_mlhat_scratch){homer_grid_f32(&p->f32, F32), homer_grid_f32(&p->f32, OWN),
                                        homer_grid_f64(&p->f64, 0)};
}

static struct homer_mlhat_columns columns_of(const struct homer_paper *p, uint32_t part) {
    return (struct homer_mlhat_columns){homer_paper_map(p, HOMER_PAPER_PART),
                                        homer_paper_map(p, HOMER_PAPER_COLUMN), part};
}

const float *homer_paper_predict(struct homer_paper *p, const struct homer_instance *x) {
    if (!p->f32.cap) return NULL; /* nothing was ever reserved */
    float *out = homer_grid_f32(&p->f32, P), *own = homer_grid_f32(&p->f32, OF_PART);
    struct homer_mlhat_scratch scratch = scratch_of(p);
    homer_query_set(&p->query, x, p->query.given.cap);
    for (uint32_t i = 0; i < p->parts; i++) {
        const struct homer_paper_part *part = &p->part[i];
        struct homer_mlhat_columns columns = columns_of(p, i);
        homer_mlhat_predict(part->tree, &p->query, &columns, part->m, own, &scratch);
        for (uint32_t k = 0; k < part->m; k++) out[part->label[k]] = own[k];
    }
    return out;
}

/* Fills y by label: 1, 0, NaN = not known. */
static void read_truth(struct homer_paper *p, const struct homer_instance *x, uint32_t labels) {
    float *y = homer_grid_f32(&p->f32, Y);
    for (uint32_t l = 0; l < labels; l++) y[l] = x->partial ? (float)NAN : 0;
    for (uint32_t i = 0; i < x->negative_n; i++) y[x->negative[i]] = 0;
    for (uint32_t i = 0; i < x->positive_n; i++) y[x->positive[i]] = 1;
}

/* The truth in a part's columns, the `labels` from p->labels on being its last ones if it is the target. */
static struct homer_mlhat_truth truth_of(const struct homer_paper *p, const struct homer_paper_part *part,
                                         bool target, uint32_t labels, const struct homer_instance *x) {
    const float *by_label = homer_grid_f32(&p->f32, Y);
    float *y = homer_grid_f32(&p->f32, OF_PART);
    uint32_t *on = homer_paper_map(p, HOMER_PAPER_ON), more = target ? labels - p->labels : 0;
    struct homer_mlhat_truth t = {
        .m = part->m + more, .on = on, .y = y, .known = true, .weight = x->weight, .memo = p->memo};
    y[0] = x->partial ? (float)NAN : 0;
    for (uint32_t c = 0; c < t.m; c++) {
        y[c + 1] = by_label[c < part->m ? part->label[c] : p->labels + (c - part->m)];
        if (isnan(y[c + 1])) t.known = false;
        if (y[c + 1] > 0) on[t.on_n++] = c;
    }
    return t;
}

/* The part that new labels join: that of the clustering's smallest leaf. map: a row of parts by label. */
static uint32_t target_of(const struct homer_paper *p, const uint32_t *map) {
    uint32_t leaf = homer_odac_target(&p->odac);
    for (uint32_t l = 0; l < p->labels; l++)
        if (p->odac.leaf_of[l] == leaf) return map[l];
    return 0;
}

static int reserve_labels(struct homer_paper *p, struct homer_paper_part *part, uint32_t more) {
    uint32_t need = part->m + more;
    if (need <= part->cap) return 0;
    struct homer_paper_part *owner =
        part->borrowed ? &p->part[homer_paper_map(p, HOMER_PAPER_PART)[part->label[0]]] : part;
    uint32_t cap = need + need / 4;
    uint32_t *label = homer_mem_grow(p->mem, part->label, part->cap, cap, sizeof *label);
    if (!label) return -ENOMEM;
    owner->label = part->label = label;
    owner->cap = part->cap = cap;
    return 0;
}

/* Where the memory cap refuses a new partition, the old one goes on; it is tried again after a while. */
static int stage(struct homer_paper *p, uint64_t seq) {
    if (p->clustered == p->odac.generation || seq < p->stage_next) return 0;
    uint64_t capped = p->mem->capped;
    int rc = homer_memory_short(p->mem) ? -ENOMEM : homer_paper_stage(p);
    p->stage_refused = rc && (p->mem->capped > capped || homer_memory_short(p->mem));
    return p->stage_refused ? 0 : rc;
}

void homer_paper_cancel(struct homer_paper *p) {
    for (uint32_t i = 0; i < p->parts; i++) homer_mlhat_cancel(p->part[i].tree, &p->query);
    homer_paper_unstage(p);
    p->memo = homer_memo_drop(p->memo, p->mem);
    p->stage_refused = false;
}

int homer_paper_prepare(struct homer_paper *p, const struct homer_instance *x, uint32_t labels,
                        uint64_t seq) {
    struct homer_mlhat_scratch scratch = scratch_of(p);
    p->seq = seq;
    int rc = stage(p, seq);
    uint64_t capped = p->mem->capped;
    if (!rc && !homer_memory_short(p->mem) &&
        homer_memo_new(&p->memo, &p->query, x->positive, x->positive_n) && p->mem->capped == capped)
        rc = -ENOMEM;
    if (p->memo) p->memo->born = seq;
    if (rc) return rc;
    struct homer_paper_part *part = p->staged ? p->staged : p->part;
    uint32_t n = p->staged ? p->staged_n : p->parts;
    uint32_t target = target_of(p, homer_paper_map(p, p->staged ? HOMER_PAPER_NEW_PART : HOMER_PAPER_PART));
    rc = reserve_labels(p, &part[target], labels - p->labels);
    read_truth(p, x, labels);
    for (uint32_t i = 0; i < n && !rc; i++) {
        struct homer_mlhat_truth t = truth_of(p, &part[i], i == target, labels, x);
        rc = homer_mlhat_prepare(part[i].tree, &p->query, &t, &scratch);
    }
    return rc;
}

static void note(struct homer_paper *p, struct homer_event e) {
    e.seq = p->seq;
    p->event[p->events++ % HOMER_EVENTS_KEPT] = e;
    p->counted[e.kind]++;
}

/* Hamming loss of the scores above 1/2 on these labels (NULL: the first n), as far as the truth is known; -1:
 * it is not. */
static double loss_of(const struct homer_paper *p, const uint32_t *label, uint32_t n) {
    const float *score = homer_grid_f32(&p->f32, P), *y = homer_grid_f32(&p->f32, Y);
    uint32_t wrong = 0, known = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t l = label ? label[i] : i;
        if (isnan(y[l])) continue;
        wrong += (score[l] > 0.5f) != (y[l] > 0);
        known++;
    }
    return known ? (double)wrong / known : -1;
}

/* Feeds a detector; true when the loss has risen, and *e says from what to what. */
static bool has_risen(struct homer_adwin *a, double loss, struct homer_event *e) {
    if (loss < 0 || !homer_adwin_add(a, loss)) return false;
    e->before = a->before;
    e->after = homer_adwin_mean(a);
    homer_adwin_reset(a);
    return e->after > e->before;
}

static void watch(struct homer_paper *p) {
    for (uint32_t i = 0; i < p->parts; i++) {
        struct homer_paper_part *part = &p->part[i];
        struct homer_event e = {.node = part->id, .kind = HOMER_EVENT_CLUSTER_DRIFT, .labels = part->m};
        if (!has_risen(&part->loss, loss_of(p, part->label, part->m), &e)) continue;
        note(p, e);
        part->drifts++;
    }
    struct homer_event e = {.kind = HOMER_EVENT_GLOBAL_DRIFT, .labels = p->labels};
    if (!has_risen(&p->loss, loss_of(p, NULL, p->labels), &e)) return;
    note(p, e);
    homer_odac_restart(&p->odac);
}

static void cluster(struct homer_paper *p, const struct homer_instance *x) {
    if (x->partial) return;
    p->sizes[x->positive_n < HOMER_PAPER_SIZES ? x->positive_n : HOMER_PAPER_SIZES - 1]++;
    homer_odac_learn(&p->odac, x->positive, x->positive_n);
    for (uint32_t i = 0; i < p->odac.changes; i++) {
        const struct homer_odac_change *c = &p->odac.change[i];
        note(p, (struct homer_event){.node = c->node,
                                     .kind = HOMER_EVENT_STRUCTURE,
                                     .change = c->split ? HOMER_HIERARCHY_SPLIT : HOMER_HIERARCHY_AGGREGATE,
                                     .labels = c->labels,
                                     .before = c->before,
                                     .after = c->after});
    }
}

/* The new labels take their columns. */
static void arrive(struct homer_paper *p, uint32_t target, uint32_t labels) {
    struct homer_paper_part *part = &p->part[target];
    if (labels == p->labels) return;
    struct homer_event e = {.node = part->id,
                            .kind = HOMER_EVENT_STRUCTURE,
                            .change = HOMER_HIERARCHY_ARRIVAL,
                            .labels = labels,
                            .before = p->labels,
                            .after = labels};
    for (uint32_t l = p->labels; l < labels; l++) {
        homer_paper_map(p, HOMER_PAPER_PART)[l] = target;
        homer_paper_map(p, HOMER_PAPER_COLUMN)[l] = part->m;
        part->label[part->m++] = l;
        homer_grid_f32(&p->f32, P)[l] = 0;
    }
    p->labels = labels;
    homer_odac_arrive(&p->odac, labels);
    note(p, e);
}

const float *homer_paper_learn(struct homer_paper *p, const struct homer_instance *x, uint32_t features,
                               uint32_t labels) {
    struct homer_mlhat_scratch scratch = scratch_of(p);
    uint32_t before = p->labels;
    if (p->staged) homer_paper_swap(p);
    if (p->stage_refused) p->stage_next = p->seq + STAGE_AGAIN;
    p->stage_refused = false;
    uint32_t target = target_of(p, homer_paper_map(p, HOMER_PAPER_PART));
    arrive(p, target, labels);
    p->features = features;
    for (uint32_t i = 0; i < p->parts; i++) {
        struct homer_paper_part *part = &p->part[i];
        struct homer_mlhat_truth t = truth_of(p, part, false, labels, x);
        struct homer_mlhat_columns columns = columns_of(p, i);
        uint32_t known = part->m - (i == target ? labels - before : 0);
        if (homer_mlhat_learn(part->tree, &p->query, &columns, &t, known, &scratch))
            note(p,
                 (struct homer_event){.node = part->id, .kind = HOMER_EVENT_TREE_SPLIT, .labels = part->m});
    }
    p->memo = homer_memo_drop(p->memo, p->mem);
    watch(p);
    cluster(p, x);
    for (uint32_t i = 0; i < x->positive_n; i++)
        homer_grid_f64(&p->label_count, 0)[x->positive[i]] += x->weight;
    for (uint32_t i = 0; i < p->query.n; i++)
        homer_grid_f64(&p->feature_count, 0)[homer_query_features(&p->query)[i]] += x->weight;
    return homer_grid_f32(&p->f32, P);
}

const struct homer_event *homer_paper_event(const struct homer_paper *p, uint64_t i) {
    bool kept = i < p->events && p->events - i <= HOMER_EVENTS_KEPT;
    return kept ? &p->event[i % HOMER_EVENTS_KEPT] : NULL;
}
