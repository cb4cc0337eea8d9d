/* Learning: what moves, and the entries it needs; then the update. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"
#include "core/sparse/impl.h"

#define SMALL_GRADIENT 0.03f
#define MIN_CURVATURE 1e-4f
#define LEAST_P 1e-6f
#define WORST_LOSS 7.0f /* -ln p that counts as the worst */

enum {
    E = HOMER_SPARSE_FILTERS,
    BATCH = 16,
    SHARE = 2, /* of the memory cap: one in two bytes may be lists' */
};

const float homer_sparse_variance[E] = {3.0f, 20.0f};

static void add_columns(struct homer_sparse *s, const uint32_t *label, uint32_t n) {
    homer_sparse_touch(s, label, n);
    for (uint32_t i = 0; i < n; i++) {
        if (s->column_of[label[i]]) continue;
        s->column[s->columns++] = label[i];
        s->column_of[label[i]] = s->columns;
    }
}

static void tell(struct homer_sparse *s, const uint32_t *label, uint32_t n, float y, float w) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c = s->column_of[label[i]] - 1;
        s->frame.y[c] = y;
        s->frame.weight[c] = w;
    }
}

/* Columns for all labels that are told, and their truth; column_of is all 0 again afterwards. */
static int make_columns(struct homer_sparse *s, const struct homer_instance *x) {
    struct homer_frame *f = &s->frame;
    uint32_t told = x->positive_n + (x->partial ? x->negative_n : 0);
    s->columns = s->candidates;
    if (homer_sparse_reserve_columns(s, s->candidates + told)) return -ENOMEM;
    for (uint32_t c = 0; c < s->columns; c++) s->column_of[s->column[c]] = c + 1;
    add_columns(s, x->positive, x->positive_n);
    if (x->partial) add_columns(s, x->negative, x->negative_n);
    f->w = x->weight;
    f->complete = !x->partial;
    for (uint32_t c = 0; c < s->columns; c++) {
        f->y[c] = 0;
        f->weight[c] = x->partial ? 0.0f : (float)x->weight;
    }
    tell(s, x->positive, x->positive_n, 1, (float)x->weight);
    if (x->partial) tell(s, x->negative, x->negative_n, 0, (float)x->weight);
    for (uint32_t c = 0; c < s->columns; c++) s->column_of[s->column[c]] = 0;
    return 0;
}

/* Which columns the first filter is wrong about. */
static void find_moving(struct homer_sparse *s) {
    const struct homer_frame *f = &s->frame;
    const float *own = homer_sparse_row(s, HOMER_SPARSE_OWN);
    s->moving_n = 0;
    for (uint32_t c = 0; c < s->columns; c++)
        if (f->weight[c] > 0 && fabsf(f->y[c] - homer_sigmoid(own[c])) > SMALL_GRADIENT)
            s->moving[s->moving_n++] = c;
}

static int more_hits(struct homer_sparse *s, uint32_t n) {
    if (n <= s->hit_cap) return 0;
    uint32_t cap = n + n / 2;
    struct homer_sparse_hit *hit = homer_mem_grow(s->mem, s->hit, s->hit_cap, cap, sizeof *hit);
    if (!hit) return -ENOMEM;
    s->hit = hit;
    s->hit_cap = cap;
    return 0;
}

static int more_hits_of(struct homer_sparse *s, uint32_t n) {
    if (n <= s->hits_of_cap) return 0;
    uint32_t cap = n + n / 2, *hits_of = homer_mem_grow(s->mem, s->hits_of, s->hits_of_cap, cap, sizeof n);
    if (!hits_of) return -ENOMEM;
    s->hits_of = hits_of;
    s->hits_of_cap = cap;
    return 0;
}

/* Finds the entries of the moving columns in one list, and adds up what they say of the variance of a score.
 */
static int find_in_list(struct homer_sparse *s, const struct homer_sparse_list *l, float x, float *const v[E],
                        float *const xx[E]) {
    float square = x * x;
    bool stale = l->softened < s->softened;
    if (more_hits(s, s->hits + s->moving_n)) return -ENOMEM;
    for (uint32_t k = 0; k < l->n; k++) {
        uint32_t c = s->column_of[l->entry[k].label];
        if (!c) continue;
        s->hit[s->hits++] = (struct homer_sparse_hit){k, c - 1};
        for (int e = 0; e < E; e++) {
            float var = l->var[k][e];
            v[e][c - 1] +=
                square * (stale && var < homer_sparse_variance[e] ? homer_sparse_variance[e] : var);
            xx[e][c - 1] += square;
        }
    }
    return 0;
}

/* All of that; column_of is all 0 again afterwards. */
static int find_entries(struct homer_sparse *s) {
    const struct homer_frame *f = &s->frame;
    float *v[E], *xx[E];
    int rc = 0;
    if (more_hits_of(s, f->n)) return -ENOMEM;
    for (uint32_t e = 0; e < E; e++) {
        v[e] = homer_sparse_row(s, HOMER_SPARSE_GRADIENT + e);
        xx[e] = homer_sparse_row(s, HOMER_SPARSE_SHRINK + e);
        for (uint32_t i = 0; i < s->moving_n; i++) v[e][s->moving[i]] = xx[e][s->moving[i]] = 0;
    }
    for (uint32_t i = 0; i < s->moving_n; i++) s->column_of[s->column[s->moving[i]]] = s->moving[i] + 1;
    s->hits = 0;
    for (uint32_t i = 0; i < f->n && s->moving_n && !rc; i++) {
        uint32_t before = s->hits;
        rc = find_in_list(s, &s->lists.list[f->feature[i]], f->x[i], v, xx);
        s->hits_of[i] = s->hits - before;
    }
    for (uint32_t i = 0; i < s->moving_n; i++) s->column_of[s->column[s->moving[i]]] = 0;
    return rc;
}

/* Gradient g and shrinkage q z of the moving columns; weights that have no entry have their first variance.
 */
static void find_steps(struct homer_sparse *s) {
    const struct homer_frame *f = &s->frame;
    float length = 0;
    for (uint32_t i = 0; i < f->n; i++) length += f->x[i] * f->x[i];
    for (uint32_t e = 0; e < E; e++) {
        const float *own = homer_sparse_row(s, HOMER_SPARSE_OWN + e);
        float *v = homer_sparse_row(s, HOMER_SPARSE_GRADIENT + e),
              *xx = homer_sparse_row(s, HOMER_SPARSE_SHRINK + e);
        for (uint32_t i = 0; i < s->moving_n; i++) {
            uint32_t c = s->moving[i];
            float rest = length - xx[c] > 0 ? length - xx[c] : 0;
            float p = homer_sigmoid(own[c]), q = p * (1.0f - p);
            q = f->weight[c] * (q < MIN_CURVATURE ? MIN_CURVATURE : q);
            float z = 1.0f / (1.0f + q * (v[c] + rest * homer_sparse_variance[e]));
            v[c] = f->weight[c] * (f->y[c] - p) * z;
            xx[c] = q * z;
        }
    }
}

/* Entries that feature i of the frame needs, beyond those that its list has. */
static uint32_t new_entries(const struct homer_sparse *s, uint32_t i) {
    return s->moving_n - s->hits_of[i];
}

/* Whether the lists would take more than their share of memory if all of them grew as they are to. */
static bool are_full(const struct homer_sparse *s) {
    const struct homer_frame *f = &s->frame;
    uint64_t room = s->lists.room, most = s->mem->max_bytes / SHARE / homer_sparse_entry_bytes;
    for (uint32_t i = 0; i < f->n && most; i++) {
        const struct homer_sparse_list *l = &s->lists.list[f->feature[i]];
        uint32_t n = homer_sparse_list_intake(l, new_entries(s, i), HOMER_SPARSE_ROOMY).after;
        if (n > l->room) room += homer_sparse_list_grown(l->room, n) - l->room;
    }
    return s->mem->max_bytes && room > most;
}

static int reserve_lists(struct homer_sparse *s) {
    const struct homer_frame *f = &s->frame;
    int rc = 0;
    for (uint32_t i = 0; i < f->n && !rc; i++) {
        const struct homer_sparse_list *l = &s->lists.list[f->feature[i]];
        uint32_t n = homer_sparse_list_intake(l, new_entries(s, i), s->room).after;
        rc = homer_sparse_list_reserve(&s->lists, f->feature[i], n);
    }
    return rc;
}

static int reserve_entries(struct homer_sparse *s) {
    uint64_t capped = s->mem->capped;
    if (!s->moving_n) return 0;
    s->room = are_full(s) ? HOMER_SPARSE_FULL : HOMER_SPARSE_ROOMY;
    int rc = reserve_lists(s);
    if (!rc || s->mem->capped == capped) return rc;
    s->room = HOMER_SPARSE_STUCK;
    return reserve_lists(s);
}

/* Labels that wait for the hierarchy join it together, which costs as much as there are labels: when they are
 * a sixteenth of those that it has, or as many instances have passed. */
static uint32_t to_place(const struct homer_sparse *s, uint32_t labels, uint64_t seq) {
    uint32_t placed = s->clusters.hierarchy.labels;
    bool due = (uint64_t)(labels - placed) * BATCH >= placed || seq % (1 + placed / BATCH) == 0;
    return due ? labels : placed;
}

static uint32_t count_below(const uint32_t *id, uint32_t n, uint32_t below) {
    while (n && id[n - 1] >= below) n--;
    return n;
}

static int reserve_groups(struct homer_sparse *s, const struct homer_instance *x, uint32_t placed) {
    s->placed = placed;
    return homer_clusters_reserve_groups(&s->clusters, count_below(x->positive, x->positive_n, placed),
                                         placed);
}

int homer_sparse_prepare(struct homer_sparse *s, const struct homer_instance *x, uint32_t labels,
                         uint64_t seq) {
    uint32_t before = s->candidates;
    s->frame.seq = seq;
    int rc = make_columns(s, x);
    if (rc) return rc;
    if (s->columns > before) homer_sparse_score(s);
    find_moving(s);
    rc = find_entries(s);
    if (rc) return rc;
    find_steps(s);
    rc = reserve_entries(s);
    if (rc || !s->grouped) return rc;
    uint64_t capped = s->mem->capped;
    rc = reserve_groups(s, x, to_place(s, labels, seq));
    bool wait = rc && s->mem->capped > capped; /* where the memory cap says so */
    return wait ? reserve_groups(s, x, s->clusters.hierarchy.labels) : rc;
}

static void soften_list(struct homer_sparse *s, struct homer_sparse_list *l) {
    for (uint32_t k = 0; k < l->n && l->softened < s->softened; k++)
        for (int e = 0; e < E; e++)
            if (l->var[k][e] < homer_sparse_variance[e]) l->var[k][e] = homer_sparse_variance[e];
    l->softened = s->softened;
}

static void update(float *w, float *var, float x, float gradient, float shrink) {
    float ax = *var * x;
    *w += ax * gradient;
    *var -= shrink * ax * ax;
}

/* Adds at most *left entries to a list, for moving columns that have none (column_of tells those that have)
 * and whose truth is y; y < 0: either. */
static void add_entries(struct homer_sparse *s, uint32_t i, float y, uint32_t *left) {
    for (uint32_t m = 0; m < s->moving_n && *left; m++) {
        uint32_t c = s->moving[m], label = s->column[c];
        homer_sparse_pair w = {0}, var;
        if (s->column_of[label] || (y >= 0 && (y > 0) != (s->frame.y[c] > 0))) continue;
        for (uint32_t e = 0; e < E; e++) {
            var[e] = homer_sparse_variance[e];
            update(&w[e], &var[e], s->frame.x[i], homer_sparse_row(s, HOMER_SPARSE_GRADIENT + e)[c],
                   homer_sparse_row(s, HOMER_SPARSE_SHRINK + e)[c]);
        }
        homer_sparse_list_add(&s->lists, s->frame.feature[i], label, w, var);
        --*left;
    }
}

static void learn_feature(struct homer_sparse *s, uint32_t i, const struct homer_sparse_hit *hit) {
    uint32_t feature = s->frame.feature[i], added = new_entries(s, i);
    struct homer_sparse_list *l = &s->lists.list[feature];
    struct homer_sparse_intake in = homer_sparse_list_intake(l, added, s->room);
    float x = s->frame.x[i], *gradient[E], *shrink[E];
    soften_list(s, l);
    for (uint32_t e = 0; e < E; e++) {
        gradient[e] = homer_sparse_row(s, HOMER_SPARSE_GRADIENT + e);
        shrink[e] = homer_sparse_row(s, HOMER_SPARSE_SHRINK + e);
    }
    for (uint32_t h = 0; h < s->hits_of[i]; h++) {
        uint32_t k = hit[h].at, c = hit[h].column;
        s->column_of[s->column[c]] = 1;
        for (int e = 0; e < E; e++) update(&l->entry[k].w[e], &l->var[k][e], x, gradient[e][c], shrink[e][c]);
    }
    if (in.halves) homer_sparse_list_halve(&s->lists, feature);
    if (in.taken < added) { /* the true labels before the others */
        add_entries(s, i, 1, &in.taken);
        add_entries(s, i, 0, &in.taken);
    } else {
        add_entries(s, i, -1, &in.taken);
    }
    for (uint32_t h = 0; h < s->hits_of[i]; h++) s->column_of[s->column[hit[h].column]] = 0;
}

static void learn_filters(struct homer_sparse *s) {
    const struct homer_sparse_hit *hit = s->hit;
    for (uint32_t i = 0; i < s->frame.n && s->moving_n; i++) {
        learn_feature(s, i, hit);
        hit += s->hits_of[i];
    }
}

void homer_sparse_rank_frequent(struct homer_sparse *s, uint32_t label) {
    uint32_t least = 0;
    for (uint32_t i = 0; i < s->frequent_n; i++) {
        if (s->frequent[i] == label) return;
        if (homer_prior_count(&s->prior, s->frequent[i]) < homer_prior_count(&s->prior, s->frequent[least]))
            least = i;
    }
    if (s->frequent_n < HOMER_SPARSE_FREQUENT)
        s->frequent[s->frequent_n++] = label;
    else if (homer_prior_count(&s->prior, label) > homer_prior_count(&s->prior, s->frequent[least]))
        s->frequent[least] = label;
}

static void learn_prior(struct homer_sparse *s, const struct homer_instance *x) {
    struct homer_frame f = {.labels = s->labels,
                            .positive = x->positive,
                            .positive_n = x->positive_n,
                            .complete = !x->partial,
                            .w = x->weight};
    if (!x->partial) {
        homer_prior_learn(&s->prior, &f);
        return;
    }
    double *count = homer_grid_f64(&s->prior.count, 0), *partial = homer_grid_f64(&s->prior.count, 1);
    for (uint32_t i = 0; i < x->positive_n; i++) {
        count[x->positive[i]] += x->weight;
        partial[x->positive[i]] += x->weight;
    }
    for (uint32_t i = 0; i < x->negative_n; i++) partial[x->negative[i]] += x->weight;
    s->prior.positives += x->weight * x->positive_n;
    s->prior.observed += x->weight * (x->positive_n + x->negative_n);
}

/* What is kept of the true labels; homer_sparse_score gathered their decayed frequencies. */
static void learn_labels(struct homer_sparse *s, const struct homer_instance *x) {
    for (uint32_t i = 0; i < s->previous_n; i++) s->column_of[s->previous[i]] = 1;
    for (uint32_t i = 0; i < x->positive_n && !x->partial; i++) {
        if (!s->column_of[x->positive[i]]) continue;
        s->label[x->positive[i]].again += x->weight;
        s->again += x->weight;
    }
    for (uint32_t i = 0; i < s->previous_n; i++) s->column_of[s->previous[i]] = 0;
    for (uint32_t c = 0; c < s->columns; c++) {
        if (!(s->frame.y[c] > 0)) continue;
        struct homer_sparse_label *l = &s->label[s->column[c]];
        for (uint32_t r = 0; r < HOMER_RECENT_ROWS; r++) {
            float frequency = homer_grid_f32(&s->recent.frequency, r)[c];
            l->recent[r] = frequency + (1.0f - homer_recent_decay[r]) * (1.0f - frequency);
        }
        l->at = s->complete + !x->partial;
        s->score[s->column[c]].log_count =
            homer_log((float)homer_prior_count(&s->prior, s->column[c]) + 0.1f);
        homer_sparse_rank_frequent(s, s->column[c]);
    }
    if (x->partial) return;
    s->complete++;
    s->previous_n = x->positive_n < HOMER_SPARSE_PREVIOUS ? x->positive_n : HOMER_SPARSE_PREVIOUS;
    if (s->previous_n) memcpy(s->previous, x->positive, s->previous_n * sizeof *s->previous);
}

/* Of the labels that were known, see sparse.h. -1: there is no true one. */
static double loss_of(const struct homer_sparse *s) {
    const struct homer_frame *f = &s->frame;
    const double *count = homer_grid_f64(&s->seen.count, 0);
    const float *p = homer_sparse_row(s, HOMER_SPARSE_P);
    double sum = 0, positives = 0;
    for (uint32_t c = 0; c < s->columns; c++) {
        if (!(f->weight[c] > 0) || count[c] == 0) continue;
        positives += (double)f->y[c];
        sum += (double)(f->y[c] > 0 ? -homer_log(p[c] > LEAST_P ? p[c] : LEAST_P) / WORST_LOSS : p[c]);
    }
    return positives == 0 ? -1 : sum < positives ? sum / positives : 1;
}

const float *homer_sparse_learn(struct homer_sparse *s, const struct homer_instance *x, uint32_t features,
                                uint32_t labels) {
    double loss = loss_of(s);
    for (; s->labels < labels; s->labels++) {
        homer_prior_add_label(&s->prior);
        s->label[s->labels] = (struct homer_sparse_label){0};
        s->score[s->labels].log_count = homer_log(0.1f);
    }
    s->scale.features = features;
    homer_scale_commit(&s->scale, x);
    homer_stack_learn(&s->stack, &s->seen, &s->frame, s->frame.evidence, homer_sparse_row(s, HOMER_SPARSE_P));
    learn_filters(s);
    learn_prior(s, x);
    learn_labels(s, x);
    if (!s->grouped) return s->p;
    const struct homer_frame groups = {.labels = s->placed,
                                       .positive = x->positive,
                                       .positive_n = count_below(x->positive, x->positive_n, s->placed),
                                       .seq = s->frame.seq};
    s->softened += homer_clusters_learn_groups(&s->clusters, &groups, loss);
    return s->p;
}
