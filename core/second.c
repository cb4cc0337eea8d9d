#include "core/second.h"

#include <errno.h>
#include <string.h>
#include "core/base/num.h"

_Static_assert((int)HOMER_TREE_SETS == (int)HOMER_EXTRA_SETS, "the posterior has room for them");

enum { BIAS = 0, FIRST, POSTERIOR, NEIGHBOURS, YES, ALL, P2, MARGINAL, ROWS };

#define CLIP 4.0f
#define WIDTH_X 0.5f
#define WEIGHT 1.5f
#define NEAREST 0.075f
#define MARGINAL_SHARE 0.8f

void homer_second_init(struct homer_second *s, struct homer_mem *mem) {
    static const struct homer_stack_config config = {
        .experts = HOMER_SECOND_INPUTS,
        .start = {[FIRST] = 1, [POSTERIOR] = 0.3, [NEIGHBOURS] = 0.1},
        .curvature = {[BIAS] = 200, [FIRST] = 200, [POSTERIOR] = 50, [NEIGHBOURS] = 50},
        .variance = {[BIAS] = 0.01f, [POSTERIOR] = 0.01f, [NEIGHBOURS] = 0.01f},
    };
    *s = (struct homer_second){0};
    homer_stack_init(&s->stack, mem, &config);
    homer_grid_init(&s->scratch, mem, ROWS, sizeof(float));
}

void homer_second_deinit(struct homer_second *s) {
    homer_stack_deinit(&s->stack);
    homer_grid_deinit(&s->scratch);
}

int homer_second_reserve(struct homer_second *s, uint32_t labels) {
    uint32_t columns = labels + HOMER_LANES; /* a frame's stride is at most that */
    int rc = homer_stack_reserve(&s->stack, columns);
    return rc ? rc : homer_grid_reserve(&s->scratch, columns);
}

/* The oldest slot takes no part: the instance at hand may soon take its place. */
static void find(struct homer_second *s, struct homer_window *w, const float *p, uint32_t labels) {
    float sum_x = 0, sum_z = 0;
    homer_window_measure_z(w, p, labels);
    for (uint32_t age = 0; age < w->n; age++) {
        uint32_t slot = homer_window_slot(w, age);
        sum_x += w->distance_x[slot];
        sum_z += w->distance_z[slot];
    }
    float n = (float)w->n, per_x = sum_x > 1e-9f ? WIDTH_X * n / sum_x : 0,
          per_z = sum_z > 1e-9f ? n / sum_z : 0;
    for (uint32_t i = 0; i < w->used; i++)
        s->distance[i] = per_z * w->distance_z[i] + per_x * w->distance_x[i];
    homer_near_find(&s->near, w, s->distance, HOMER_WINDOW_SLOTS - 1, HOMER_NEIGHBOURS);
}

static struct homer_near_sets sets_of(const struct homer_near *n, const struct homer_window *w,
                                      const float *weight) {
    struct homer_near_sets sets = {.sets = 0};
    float total = 0;
    for (uint32_t i = 0; i < n->n; i++) total += weight[i];
    for (uint32_t i = 0; i < n->n; i++) {
        const struct homer_window_slot *slot = &w->slot[n->slot[i]];
        if (slot->partial) continue;
        sets.y[sets.sets] = slot->label;
        sets.n[sets.sets] = slot->positive_n;
        sets.share[sets.sets++] = weight[i] / total;
    }
    return sets;
}

static void add_tree_sets(struct homer_near_sets *sets, struct homer_extra_trees *trees) {
    struct homer_extra_set best[HOMER_EXTRA_SETS];
    sets->tree_sets = homer_extra_trees_sets(trees, best);
    for (uint32_t i = 0; i < sets->tree_sets; i++) {
        sets->tree_set[i] = best[i].set;
        sets->tree_share[i] = best[i].share;
    }
}

static void marginals(const struct homer_subset *s, uint32_t stride, float *m) {
    memset(m, 0, stride * sizeof *m);
    for (uint32_t i = 0; i < s->candidates; i++) {
        const struct homer_candidate *c = &s->candidate[i];
        for (uint32_t k = 0; k < c->n; k++) m[c->y[k]] += c->p;
    }
}

HOMER_WIDE static void fill_inputs(float *const *row, const struct homer_frame *f, const float *p) {
    for (uint32_t l = 0; l < f->stride; l++) {
        float a = homer_logit(p[l]);
        float q = homer_near_shrunk(row[YES][l], row[ALL][l], f->prior[l], HOMER_NEAR_SHARE, HOMER_NEAR_PLUS);
        float m = MARGINAL_SHARE * row[MARGINAL][l] + (1 - MARGINAL_SHARE) * p[l];
        row[BIAS][l] = 1;
        row[FIRST][l] = a;
        row[POSTERIOR][l] = homer_clip(homer_logit(m) - a, -CLIP, CLIP);
        row[NEIGHBOURS][l] = homer_clip(homer_logit(q) - a, -CLIP, CLIP);
    }
}

static void point(struct homer_second *s) {
    for (uint32_t e = 0; e < HOMER_SECOND_INPUTS; e++) s->input[e] = homer_grid_f32(&s->scratch, e);
}

const float *homer_second_predict(struct homer_second *s, struct homer_flat *f, struct homer_rules *r,
                                  const float *p) {
    struct homer_window *w = f->neighbours.window;
    const struct homer_frame *v = &f->frame;
    float weight[HOMER_NEIGHBOURS], *row[ROWS];
    r->subset.candidates = 0;
    if (f->labels == 0) return p;
    for (uint32_t i = 0; i < ROWS; i++) row[i] = homer_grid_f32(&s->scratch, i);
    find(s, w, p, f->labels);
    for (uint32_t i = 0; i < s->near.n; i++) weight[i] = WEIGHT / (s->near.distance[i] + NEAREST);
    struct homer_near_sets sets = sets_of(&s->near, w, weight);
    add_tree_sets(&sets, &f->extra_trees);
    homer_rules_rank(r, p, f->labels);
    homer_rules_propose(r, p, f->labels, &sets);
    marginals(&r->subset, v->stride, row[MARGINAL]);
    homer_near_vote(&s->near, w, weight, HOMER_NEIGHBOURS, v->stride, row[YES], row[ALL]);
    fill_inputs(row, v, p);
    point(s);
    homer_stack_predict(&s->stack, &f->prior, v, s->input, row[P2]);
    return row[P2];
}

const float *homer_second_learn(struct homer_second *s, const struct homer_flat *f, uint32_t labels) {
    for (uint32_t r = 0; r < ROWS; r++)
        for (uint32_t l = f->labels; l < labels; l++) homer_grid_f32(&s->scratch, r)[l] = 0;
    point(s);
    homer_stack_learn(&s->stack, &f->prior, &f->frame, s->input, homer_grid_f32(&s->scratch, P2));
    return homer_grid_f32(&s->scratch, P2);
}

void homer_second_encode(const struct homer_second *s, uint32_t labels, struct homer_codec *c) {
    homer_stack_encode(&s->stack, labels, c);
    homer_grid_put_room(&s->scratch, c);
}

void homer_second_decode(struct homer_second *s, uint32_t labels, struct homer_decoder *d) {
    homer_stack_decode(&s->stack, labels, d);
    homer_grid_get_room(&s->scratch, labels, d);
    if (!d->error && labels && homer_second_reserve(s, labels)) homer_get_fail(d, -ENOMEM);
}
