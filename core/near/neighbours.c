#include "core/near/neighbours.h"

#include <errno.h>
#include "core/base/num.h"

enum { AMONG = 1000, SHARP = 3 };
enum { YES = 0, ALL, ROWS };

#define WIDTH 0.05f /* of the kernel, in mean distances */

int homer_neighbours_init(struct homer_neighbours *n, struct homer_mem *mem) {
    *n = (struct homer_neighbours){0};
    homer_grid_init(&n->votes, mem, ROWS, sizeof(float));
    return homer_window_new(&n->window, mem);
}

static void neighbours_deinit(void *self) {
    struct homer_neighbours *n = self;
    n->window = homer_window_free(n->window);
    homer_grid_deinit(&n->votes);
}

static int neighbours_reserve(void *self, uint32_t features, uint32_t columns) {
    struct homer_neighbours *n = self;
    int rc = homer_window_reserve(n->window, features, columns);
    return rc ? rc : homer_grid_reserve(&n->votes, columns);
}

void homer_near_find(struct homer_near *n, const struct homer_window *w, const float *distance,
                     uint32_t among, uint32_t k) {
    if (among > w->n) among = w->n;
    n->n = 0;
    float sum = 0;
    for (uint32_t age = among; age-- > 0;) {
        uint32_t slot = homer_window_slot(w, age), i;
        float d = distance[slot];
        sum += d;
        if (n->n == k && d > n->distance[k - 1]) continue;
        if (n->n < k) n->n++;
        for (i = n->n - 1; i > 0 && n->distance[i - 1] >= d; i--) {
            n->slot[i] = n->slot[i - 1];
            n->distance[i] = n->distance[i - 1];
        }
        n->slot[i] = slot;
        n->distance[i] = d;
    }
    n->mean = among ? sum / (float)among : 0;
}

void homer_near_vote(const struct homer_near *n, const struct homer_window *w, const float *weight,
                     uint32_t k, uint32_t stride, float *yes, float *all) {
    float sum = 0;
    if (k > n->n) k = n->n;
    for (uint32_t i = 0; i < k; i++)
        if (!w->slot[n->slot[i]].partial) sum += weight[i];
    for (uint32_t l = 0; l < stride; l++) {
        yes[l] = 0;
        all[l] = sum;
    }
    for (uint32_t i = 0; i < k; i++) {
        const struct homer_window_slot *s = &w->slot[n->slot[i]];
        for (uint32_t j = 0; j < s->positive_n; j++) yes[s->label[j]] += weight[i];
        for (uint32_t j = 0; j < s->positive_n + s->negative_n && s->partial; j++)
            all[s->label[j]] += weight[i];
    }
}

HOMER_WIDE static void evidence(const struct homer_frame *f, const float *yes, const float *all, float share,
                                float plus, float *restrict out) {
    for (uint32_t l = 0; l < f->stride; l++) {
        float p = homer_near_shrunk(yes[l], all[l], f->prior[l], share, plus);
        out[l] = homer_clip(homer_logit(p) - f->prior_logit[l], -HOMER_EVIDENCE_CLIP, HOMER_EVIDENCE_CLIP);
    }
}

static void neighbours_predict(void *self, struct homer_frame *f) {
    struct homer_neighbours *n = self;
    float *yes = homer_grid_f32(&n->votes, YES), *all = homer_grid_f32(&n->votes, ALL);
    float weight[HOMER_NEIGHBOURS], one[SHARP] = {1, 1, 1};
    homer_window_measure_x(n->window, f);
    homer_near_find(&n->near, n->window, n->window->distance_x, AMONG, HOMER_NEIGHBOURS);
    float mean = n->near.mean > 1e-9f ? n->near.mean : 1e-9f;
    for (uint32_t i = 0; i < n->near.n; i++) weight[i] = mean / (n->near.distance[i] + WIDTH * mean);
    homer_near_vote(&n->near, n->window, weight, HOMER_NEIGHBOURS, f->stride, yes, all);
    evidence(f, yes, all, HOMER_NEAR_SHARE, HOMER_NEAR_PLUS, f->evidence[HOMER_X_NEIGHBOURS]);
    homer_near_vote(&n->near, n->window, one, SHARP, f->stride, yes, all);
    evidence(f, yes, all, 0, 0.5f, f->evidence[HOMER_X_SHARP]);
}

static int neighbours_prepare(void *self, const struct homer_frame *f) {
    struct homer_neighbours *n = self;
    return homer_window_prepare(n->window, f);
}

static void neighbours_learn(void *self, const struct homer_frame *f) {
    struct homer_neighbours *n = self;
    homer_window_add(n->window, f);
}

static void neighbours_add_label(void *self, uint32_t from) {
    (void)self; /* the window knows labels by id; complete labellings from before a label came did not have it
                 */
    (void)from;
}

static void neighbours_encode(const void *self, uint32_t columns, struct homer_codec *c) {
    const struct homer_neighbours *n = self;
    (void)columns;
    homer_window_encode(n->window, c);
    homer_grid_put_room(&n->votes, c);
}

static void neighbours_decode(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d) {
    struct homer_neighbours *n = self;
    homer_window_decode(n->window, features, columns ? columns - 1 : 0, d);
    homer_grid_get_room(&n->votes, columns, d);
}

const struct homer_expert_ops homer_neighbours_ops = {
    .reserve = neighbours_reserve,
    .predict = neighbours_predict,
    .prepare = neighbours_prepare,
    .learn = neighbours_learn,
    .add_label = neighbours_add_label,
    .encode = neighbours_encode,
    .decode = neighbours_decode,
    .deinit = neighbours_deinit,
};
