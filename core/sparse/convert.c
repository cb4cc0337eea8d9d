#include "core/sparse/convert.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"
#include "core/sparse/impl.h"

#define HOMER_SPARSE_KEPT 0.1f

enum { LANES = HOMER_LANES, E = HOMER_SPARSE_FILTERS, N11 = 0, TRUTH = 0 };

static float weight_of(const struct homer_linear_group *row, uint32_t label) {
    return row[label / LANES].w[0][label % LANES];
}

static float variance_of(const struct homer_linear_group *row, uint32_t label) {
    return row[label / LANES].var[0][label % LANES];
}

/* How far a weight of the first filter is from the virtual column's. */
static float apart(const struct homer_flat *f, uint32_t feature, uint32_t label) {
    const struct homer_linear_group *row = f->linear.row[feature];
    return fabsf(weight_of(row, label) - weight_of(row, f->labels));
}

/* The labels of a feature's list, at least as far apart as makes them fit; *n of them. */
static float least_apart(const struct homer_flat *f, uint32_t feature, uint32_t *n) {
    float least = HOMER_SPARSE_KEPT;
    for (;; least *= 1.25f) {
        *n = 0;
        for (uint32_t l = 0; l < f->labels; l++) *n += apart(f, feature, l) > least;
        if (*n <= HOMER_SPARSE_LIST) return least;
    }
}

static int plan_list(struct homer_sparse *s, const struct homer_flat *f, uint32_t feature) {
    static const homer_sparse_pair none = {0};
    uint32_t n;
    float least = least_apart(f, feature, &n);
    if (homer_sparse_list_reserve(&s->lists, feature, n)) return -ENOMEM;
    for (uint32_t l = 0; l < f->labels; l++)
        if (apart(f, feature, l) > least) homer_sparse_list_add(&s->lists, feature, l, none, none);
    return 0;
}

/* The new labels of the instance that is prepared. */
static int plan_new(struct homer_sparse *s, const struct homer_flat *f, uint32_t feature) {
    static const homer_sparse_pair none = {0};
    const struct homer_frame *v = &f->frame;
    struct homer_sparse_list *l = &s->lists.list[feature];
    for (uint32_t i = 0; i < v->positive_n && l->n < HOMER_SPARSE_LIST; i++) {
        if (v->positive[i] < f->labels) continue;
        if (homer_sparse_list_reserve(&s->lists, feature, l->n + 1)) return -ENOMEM;
        homer_sparse_list_add(&s->lists, feature, v->positive[i], none, none);
    }
    return 0;
}

int homer_sparse_plan(struct homer_sparse **out, struct homer_flat *f, uint32_t features, uint32_t labels) {
    struct homer_sparse *s = homer_mem_alloc(f->mem, 1, sizeof *s);
    if (!s) return -ENOMEM;
    int rc = homer_sparse_init(s, f->mem, f->scale.absent_missing, false, NULL);
    if (!rc) rc = homer_sparse_reserve(s, features, labels);
    if (!rc) rc = homer_sparse_lists_reserve(&s->lists, features);
    for (uint32_t j = 0; j < f->scale.features && !rc; j++) rc = plan_list(s, f, j);
    for (uint32_t i = 0; i < f->frame.n && !rc; i++) rc = plan_new(s, f, f->frame.feature[i]);
    if (rc) s = homer_sparse_plan_free(s);
    *out = s;
    return rc;
}

struct homer_sparse *homer_sparse_plan_free(struct homer_sparse *plan) {
    if (!plan) return NULL;
    homer_sparse_deinit(plan);
    return homer_mem_free(plan->mem, plan, 1, sizeof *plan);
}

static void fill_list(struct homer_sparse_list *l, const struct homer_linear_group *row, uint32_t virtual) {
    for (uint32_t k = 0; k < l->n; k++) {
        uint32_t label = l->entry[k].label;
        float *w = l->entry[k].w, *var = l->var[k];
        w[0] = weight_of(row, label) - weight_of(row, virtual);
        var[0] = variance_of(row, label);
        /* the evidence, 1/A less the prior's, is the same; what it moved is in proportion to the variance */
        float learned = 1.0f / var[0] - 1.0f / homer_sparse_variance[0];
        var[1] = 1.0f / (1.0f / homer_sparse_variance[1] + (learned > 0 ? learned : 0));
        w[1] = w[0] * (var[1] / var[0]);
    }
}

static void fill_labels(struct homer_sparse *s, const struct homer_flat *f) {
    s->labels = f->labels;
    for (uint32_t l = 0; l < s->labels; l++) {
        s->label[l] = (struct homer_sparse_label){
            .again = homer_grid_f64(&f->markov.count, N11)[l],
            .recent = {homer_grid_f32(&f->recent.frequency, 0)[l],
                       homer_grid_f32(&f->recent.frequency, 1)[l]},
        };
        s->score[l].log_count = homer_log((float)homer_prior_count(&f->prior, l) + 0.1f);
        if (homer_grid_f32(&f->markov.previous, TRUTH)[l] > 0 && s->previous_n < HOMER_SPARSE_PREVIOUS)
            s->previous[s->previous_n++] = l;
    }
    s->again = f->markov.pooled[N11];
}

void homer_sparse_take(struct homer_sparse *s, struct homer_sparse *plan, struct homer_flat *f) {
    *s = *plan;
    homer_mem_free(f->mem, plan, 1, sizeof *plan);
    for (uint32_t j = 0; j < s->lists.n; j++) fill_list(&s->lists.list[j], f->linear.row[j], f->labels);
    fill_labels(s, f);
    homer_scale_deinit(&s->scale);
    s->scale = f->scale;
    homer_scale_make_sparse(&s->scale);
    homer_scale_init(&f->scale, f->mem, f->scale.absent_missing);
    homer_prior_deinit(&s->prior);
    s->prior = f->prior;
    homer_prior_init(&f->prior, f->mem);
    for (uint32_t l = 0; l < s->labels; l++)
        if (homer_prior_count(&s->prior, l) > 0) homer_sparse_rank_frequent(s, l);
    memcpy(s->p, f->frame.p, s->labels * sizeof *s->p);
    s->handed_on = true;
    if (f->profile >= HOMER_FAST) {
        homer_clusters_drop(&f->clusters);
        s->grouped = true;
        s->clusters = f->clusters;
        f->clusters = (struct homer_clusters){.mem = f->mem};
    }
    homer_flat_deinit(f);
}
