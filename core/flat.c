#include "core/flat.h"

#include <errno.h>
#include <string.h>

#define SOFT_VARIANCE 3.0f /* of linear weights whose cluster has drifted */
#define SOFT_BIAS_VARIANCE 0.3f
#define SOFT_RESIDUAL_VARIANCE 10.0f

#define LINEAR_ROWS (1u << HOMER_X_LINEAR | 1u << HOMER_X_TRACKING)
#define RECENT_ROWS (1u << HOMER_X_RECENT_FAST | 1u << HOMER_X_RECENT_SLOW)
#define MARKOV_ROWS (1u << HOMER_X_MARKOV)
#define RESIDUAL_ROWS (1u << HOMER_X_RESIDUAL)
#define NEIGHBOURS_ROWS (1u << HOMER_X_NEIGHBOURS | 1u << HOMER_X_SHARP)
#define RLS_ROWS (1u << HOMER_X_RLS)
#define SPREAD_ROWS (1u << HOMER_X_STIFF | 1u << HOMER_X_STIFFEST)
#define PRODUCTS_ROWS (1u << HOMER_X_PRODUCTS | 1u << HOMER_X_PRODUCTS_STIFF)
#define EXTRA_TREES_ROWS (1u << HOMER_X_EXTRA_TREES)

enum { P = 0, Y, WEIGHT, PRIOR, LOGIT, EVIDENCE, ROWS = EVIDENCE + HOMER_EXPERTS };

/* rows: of evidence that it fills, as bits; 0: it cannot be left out. */
static void add_expert(struct homer_flat *f, const struct homer_expert_ops *ops, void *self, uint32_t rows) {
    f->rows[f->experts] = rows;
    f->expert[f->experts++] = (struct homer_expert){ops, self};
}

/* Prior variances below that of `linear`: how far weights may go is not known beforehand. */
static void init_spread(struct homer_flat *f) {
    struct homer_linear_config c;
    homer_linear_config_default(&c);
    c.out = HOMER_X_STIFF;
    c.variance[0] = 0.3f;
    c.variance[1] = 0.03f;
    c.noise[1] = 0;
    c.offset = true;
    homer_linear_init(&f->spread, f->mem, &c);
}

static int init_accurate(struct homer_flat *f) {
    int rc = homer_neighbours_init(&f->neighbours, f->mem);
    if (rc) return rc;
    init_spread(f);
    homer_rls_init(&f->rls, f->mem);
    homer_products_init(&f->products, f->mem, &f->linear);
    add_expert(f, &homer_neighbours_ops, &f->neighbours, NEIGHBOURS_ROWS);
    add_expert(f, &homer_rls_ops, &f->rls, RLS_ROWS);
    add_expert(f, &homer_linear_ops, &f->spread, SPREAD_ROWS);
    add_expert(f, &homer_products_ops, &f->products, PRODUCTS_ROWS);
    homer_extra_trees_init(&f->extra_trees, f->mem, f->neighbours.window, f->clusters.config.tree.seed);
    add_expert(f, &homer_extra_trees_ops, &f->extra_trees, EXTRA_TREES_ROWS);
    return 0;
}

int homer_flat_init(struct homer_flat *f, struct homer_mem *mem, bool absent_missing,
                    enum homer_profile profile, const struct homer_clusters_config *clusters) {
    static const int experts[] = {HOMER_FLAT_ONLY, HOMER_FAST_ONLY, HOMER_EXPERTS};
    *f = (struct homer_flat){.mem = mem, .profile = profile};
    int rc = profile >= HOMER_FAST ? homer_clusters_init(&f->clusters, mem, clusters) : 0;
    if (rc) return rc;
    struct homer_linear_config linear;
    homer_linear_config_default(&linear);
    homer_scale_init(&f->scale, mem, absent_missing);
    homer_prior_init(&f->prior, mem);
    homer_linear_init(&f->linear, mem, &linear);
    homer_recent_init(&f->recent, mem);
    homer_markov_init(&f->markov, mem);
    struct homer_stack_config stack;
    homer_stack_config_default(&stack, experts[profile]);
    homer_stack_init(&f->stack, mem, &stack);
    homer_grid_init(&f->scratch, mem, ROWS, sizeof(float));
    add_expert(f, &homer_linear_ops, &f->linear, LINEAR_ROWS);
    add_expert(f, &homer_recent_ops, &f->recent, RECENT_ROWS);
    add_expert(f, &homer_markov_ops, &f->markov, MARKOV_ROWS);
    if (profile >= HOMER_FAST) {
        homer_residual_init(&f->residual, mem);
        add_expert(f, &homer_residual_ops, &f->residual, RESIDUAL_ROWS);
        add_expert(f, &homer_clusters_ops, &f->clusters, 0);
    }
    if (profile == HOMER_ACCURATE) rc = init_accurate(f);
    if (rc) homer_flat_deinit(f);
    return rc;
}

void homer_flat_deinit(struct homer_flat *f) {
    for (int i = 0; i < f->experts; i++) f->expert[i].ops->deinit(f->expert[i].self);
    homer_scale_deinit(&f->scale);
    homer_prior_deinit(&f->prior);
    homer_stack_deinit(&f->stack);
    homer_grid_deinit(&f->scratch);
}

void homer_flat_leave_out(struct homer_flat *f, uint32_t parts) {
    int n = f->experts;
    f->left_out = parts;
    f->stack.fixed = (parts & HOMER_WITHOUT_STACK) != 0;
    f->stack.no_offsets = (parts & HOMER_WITHOUT_OFFSETS) != 0;
    f->experts = 0;
    for (int i = 0; i < n; i++) {
        struct homer_expert e = f->expert[i];
        /* products choose their features by the linear expert's weights */
        bool needed = e.self == &f->linear && f->profile == HOMER_ACCURATE && (PRODUCTS_ROWS & ~parts);
        needed = needed || e.self == &f->neighbours; /* the window is theirs */
        uint32_t rows = f->rows[i];
        if (!rows || (rows & ~parts) || needed)
            add_expert(f, e.ops, e.self, rows);
        else
            e.ops->deinit(e.self);
    }
}

int homer_flat_reserve(struct homer_flat *f, uint32_t features, uint32_t labels) {
    uint32_t columns = labels + 1; /* and the virtual one */
    int rc = homer_scale_reserve(&f->scale, features);
    if (!rc) rc = homer_prior_reserve(&f->prior, columns);
    if (!rc) rc = homer_stack_reserve(&f->stack, columns);
    for (int i = 0; i < f->experts && !rc; i++)
        rc = f->expert[i].ops->reserve(f->expert[i].self, features, columns);
    if (!rc)
        rc = homer_grid_reserve(&f->scratch,
                                columns); /* last: predict takes it as the sign that all have room */
    if (rc) homer_flat_cancel(f);
    return rc;
}

void homer_flat_cancel(struct homer_flat *f) {
    for (int i = 0; i < f->experts; i++) {
        const struct homer_expert *e = &f->expert[i];
        if (e->ops->cancel) e->ops->cancel(e->self);
        if (e->ops->truncate) e->ops->truncate(e->self, f->scale.features);
    }
}

/* Points the frame at the scratch rows, for that many labels. */
static struct homer_frame *frame_of(struct homer_flat *f, uint32_t labels) {
    struct homer_frame *v = &f->frame;
    v->labels = labels;
    v->stride = (labels + HOMER_LANES) / HOMER_LANES * HOMER_LANES;
    v->y = homer_grid_f32(&f->scratch, Y);
    v->weight = homer_grid_f32(&f->scratch, WEIGHT);
    v->prior = homer_grid_f32(&f->scratch, PRIOR);
    v->prior_logit = homer_grid_f32(&f->scratch, LOGIT);
    for (uint32_t e = 0; e < HOMER_EXPERTS; e++) v->evidence[e] = homer_grid_f32(&f->scratch, EVIDENCE + e);
    return v;
}

const float *homer_flat_predict(struct homer_flat *f, const struct homer_instance *x) {
    if (!f->scratch.cap) return NULL; /* nothing was ever reserved: no labels, no features */
    struct homer_frame *v = frame_of(f, f->labels);
    float *p = homer_grid_f32(&f->scratch, P);
    v->known_features = f->scale.features;
    const struct homer_scale *s = &f->scale;
    v->n = homer_scale_apply(&f->scale, x);
    v->feature = s->out_feature;
    v->x = s->out_x;
    v->state = s->state;
    v->given = s->given;
    v->absent_missing = s->absent_missing;
    v->dense = s->dense;
    v->raw = s->raw;
    v->dense_n = s->dense_n;
    v->present_n = v->n - s->sparse;
    v->present = v->present_n ? s->out_feature + s->sparse : NULL;
    homer_prior_predict(&f->prior, v);
    for (uint32_t l = 0; l < v->stride; l++) {
        v->evidence[HOMER_X_BIAS][l] = 1;
        v->evidence[HOMER_X_PRIOR][l] = v->prior_logit[l];
    }
    for (int i = 0; i < f->experts; i++) f->expert[i].ops->predict(f->expert[i].self, v);
    for (int e = 0; e < HOMER_EXPERTS && f->left_out; e++)
        if (f->left_out >> e & 1) memset(v->evidence[e], 0, v->stride * sizeof(float));
    homer_stack_predict(&f->stack, &f->prior, v, v->evidence, p);
    return p;
}

static void fill_truth(struct homer_frame *v, const struct homer_instance *x) {
    float w = (float)x->weight;
    for (uint32_t l = 0; l < v->stride; l++) {
        v->y[l] = 0;
        v->weight[l] = x->partial || l > v->labels ? 0.0f : w;
    }
    for (uint32_t i = 0; i < x->positive_n; i++) {
        v->y[x->positive[i]] = 1;
        v->weight[x->positive[i]] = w;
    }
    for (uint32_t i = 0; i < x->negative_n; i++) v->weight[x->negative[i]] = w;
    v->positive = x->positive;
    v->positive_n = x->positive_n;
    v->complete = !x->partial;
    v->w = (double)w;
}

int homer_flat_prepare(struct homer_flat *f, const struct homer_instance *x, uint32_t features,
                       uint32_t labels, uint64_t seq) {
    struct homer_frame *v = frame_of(f, labels);
    float *p = homer_grid_f32(&f->scratch, P);
    int rc = 0;
    v->seq = seq;
    v->set = HOMER_NO_NUMBER;
    v->features = features;
    v->p = p;
    for (uint32_t l = f->labels; l < labels; l++) p[l] = 0;
    fill_truth(v, x);
    for (int i = 0; i < f->experts && !rc; i++)
        if (f->expert[i].ops->prepare) rc = f->expert[i].ops->prepare(f->expert[i].self, v);
    return rc;
}

void homer_flat_number_set(struct homer_flat *f, uint32_t set) {
    f->frame.set = set;
}

static bool has(const struct homer_flat *f, const void *expert) {
    int i = 0;
    while (i < f->experts && f->expert[i].self != expert) i++;
    return i < f->experts;
}

/* Lets the columns that a detector has named learn anew. */
static void soften(struct homer_flat *f) {
    const struct homer_clusters *c = &f->clusters;
    if (f->profile < HOMER_FAST || !c->softened_n) return;
    if (has(f, &f->linear))
        homer_linear_soften(&f->linear, c->softened, c->softened_n, SOFT_VARIANCE, SOFT_BIAS_VARIANCE);
    if (has(f, &f->residual))
        homer_residual_soften(&f->residual, c->softened, c->softened_n, SOFT_RESIDUAL_VARIANCE,
                              SOFT_BIAS_VARIANCE);
}

const float *homer_flat_learn(struct homer_flat *f, const struct homer_instance *x, uint32_t features,
                              uint32_t labels) {
    float *p = homer_grid_f32(&f->scratch, P);
    for (uint32_t l = f->labels; l < labels; l++) {
        homer_prior_add_label(&f->prior);
        for (int i = 0; i < f->experts; i++) f->expert[i].ops->add_label(f->expert[i].self, l);
        homer_grid_copy_column(&f->scratch, l, l + 1);
        p[l] = p[l + 1] = 0;
    }
    f->labels = labels;
    f->scale.features = features;
    struct homer_frame *v = frame_of(f, labels);
    v->p = p;
    fill_truth(v, x); /* again: the new labels have their columns now */
    homer_scale_commit(&f->scale, x);
    homer_stack_learn(&f->stack, &f->prior, v, v->evidence, p);
    for (int i = 0; i < f->experts; i++) f->expert[i].ops->learn(f->expert[i].self, v);
    homer_prior_learn(&f->prior, v);
    soften(f);
    homer_scale_redecide(&f->scale);
    return p;
}

bool homer_flat_sets_hold(const struct homer_flat *f, uint32_t sets) {
    return homer_window_sets_hold(f->neighbours.window, sets) &&
           homer_extra_trees_sets_hold(&f->extra_trees, sets);
}

void homer_flat_encode(const struct homer_flat *f, struct homer_codec *c) {
    homer_put_u32(c, f->labels);
    homer_scale_encode(&f->scale, c);
    homer_prior_encode(&f->prior, f->labels, c);
    homer_stack_encode(&f->stack, f->labels, c);
    uint32_t columns = f->scale.n ? f->labels + 1 : 0; /* before the first instance there may be no rows */
    for (int i = 0; i < f->experts; i++) f->expert[i].ops->encode(f->expert[i].self, columns, c);
    homer_grid_put_room(&f->scratch, c);
}

void homer_flat_decode(struct homer_flat *f, uint32_t features, uint32_t labels, struct homer_decoder *d) {
    f->labels = labels;
    homer_get_holds(d, homer_get_u32(d) == labels);
    homer_scale_decode(&f->scale, features, d);
    homer_get_holds(d, f->scale.n || (!features && !labels));
    homer_prior_decode(&f->prior, labels, d);
    homer_stack_decode(&f->stack, labels, d);
    uint32_t columns = f->scale.n ? labels + 1 : 0;
    for (int i = 0; i < f->experts && !d->error; i++)
        f->expert[i].ops->decode(f->expert[i].self, features, columns, d);
    homer_grid_get_room(&f->scratch, columns, d);
    /* what an encoder wrote has this room already */
    if (!d->error && f->scratch.cap && homer_flat_reserve(f, features, labels)) homer_get_fail(d, -ENOMEM);
}
