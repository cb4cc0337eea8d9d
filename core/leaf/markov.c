#include "core/leaf/markov.h"

#include "core/base/num.h"

enum { N11 = 0, N10, N01, N00, COUNTS };
enum { TRUTH = 0, KNOWN, STATES };
#define STRENGTH 4.0

void homer_markov_init(struct homer_markov *k, struct homer_mem *mem) {
    *k = (struct homer_markov){0};
    homer_grid_init(&k->count, mem, COUNTS, sizeof(double));
    homer_grid_init(&k->previous, mem, STATES, sizeof(float));
}

static void markov_deinit(void *self) {
    struct homer_markov *k = self;
    homer_grid_deinit(&k->count);
    homer_grid_deinit(&k->previous);
}

static int markov_reserve(void *self, uint32_t features, uint32_t columns) {
    struct homer_markov *k = self;
    (void)features;
    int rc = homer_grid_reserve(&k->count, columns);
    return rc ? rc : homer_grid_reserve(&k->previous, columns);
}

HOMER_WIDE static void markov_predict(void *self, struct homer_frame *f) {
    const struct homer_markov *k = self;
    const double *n11 = homer_grid_f64(&k->count, N11), *n10 = homer_grid_f64(&k->count, N10);
    const double *n01 = homer_grid_f64(&k->count, N01), *n00 = homer_grid_f64(&k->count, N00);
    const float *was = homer_grid_f32(&k->previous, TRUTH), *known = homer_grid_f32(&k->previous, KNOWN);
    const double *s = k->pooled;
    double present = s[N11] + s[N01], all = present + s[N10] + s[N00];
    double g11 = s[N11] / (s[N11] + s[N10] + 1e-9);
    double g0 = present > 0 ? s[N01] / (s[N01] + s[N00] + 1e-9) / (present / all) : 1.0;
    if (g0 > 1) g0 = 1;
    float *out = f->evidence[HOMER_X_MARKOV];
    for (uint32_t l = 0; l < f->stride; l++) {
        double pi = (double)f->prior[l];
        double p1 = (n11[l] + STRENGTH * (pi > g11 ? pi : g11)) / (n11[l] + n10[l] + STRENGTH);
        double p0 = (n01[l] + STRENGTH * pi * g0) / (n01[l] + n00[l] + STRENGTH);
        float x = homer_logit((float)(was[l] > 0 ? p1 : p0)) - f->prior_logit[l];
        out[l] = known[l] * homer_clip(x, -HOMER_EVIDENCE_CLIP, HOMER_EVIDENCE_CLIP);
    }
}

static void markov_learn(void *self, const struct homer_frame *f) {
    struct homer_markov *k = self;
    float *was = homer_grid_f32(&k->previous, TRUTH), *known = homer_grid_f32(&k->previous, KNOWN);
    double *n[COUNTS];
    for (uint32_t r = 0; r < COUNTS; r++) n[r] = homer_grid_f64(&k->count, r);
    for (uint32_t l = 0; l < f->stride; l++) {
        float w = f->weight[l] * known[l]; /* 0 where there is no truth now, or has been none */
        float now = f->y[l], before = was[l];
        float both = w * now * before, left = w * before - both, came = w * now - both;
        float neither = w - both - left - came;
        n[N11][l] += (double)both;
        n[N10][l] += (double)left;
        n[N01][l] += (double)came;
        n[N00][l] += (double)neither;
        if (l < f->labels) {
            k->pooled[N11] += (double)both;
            k->pooled[N10] += (double)left;
            k->pooled[N01] += (double)came;
            k->pooled[N00] += (double)neither;
        }
        bool told = f->weight[l] > 0; /* else the last known truth stays */
        was[l] = told ? now : before;
        known[l] = told ? 1.0f : known[l];
    }
}

static void markov_add_label(void *self, uint32_t from) {
    struct homer_markov *k = self;
    homer_grid_copy_column(&k->count, from, from + 1);
    homer_grid_copy_column(&k->previous, from, from + 1);
    for (uint32_t r = 0; r < COUNTS; r++) k->pooled[r] += homer_grid_f64(&k->count, r)[from];
}

static void markov_encode(const void *self, uint32_t columns, struct homer_codec *c) {
    const struct homer_markov *k = self;
    homer_grid_put_room(&k->count, c);
    homer_grid_put_room(&k->previous, c);
    for (uint32_t r = 0; r < COUNTS; r++) homer_put_f64s(c, homer_grid_f64(&k->count, r), columns);
    for (uint32_t r = 0; r < STATES; r++) homer_put_f32s(c, homer_grid_f32(&k->previous, r), columns);
    homer_put_f64s(c, k->pooled, COUNTS);
}

static void markov_decode(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d) {
    struct homer_markov *k = self;
    (void)features;
    if (!homer_grid_get_room(&k->count, columns, d) || !homer_grid_get_room(&k->previous, columns, d)) return;
    for (uint32_t r = 0; r < COUNTS; r++) homer_get_f64s(d, homer_grid_f64(&k->count, r), columns);
    for (uint32_t r = 0; r < STATES; r++) homer_get_f32s(d, homer_grid_f32(&k->previous, r), columns);
    homer_get_f64s(d, k->pooled, COUNTS);
}

const struct homer_expert_ops homer_markov_ops = {
    .reserve = markov_reserve,
    .predict = markov_predict,
    .learn = markov_learn,
    .add_label = markov_add_label,
    .encode = markov_encode,
    .decode = markov_decode,
    .deinit = markov_deinit,
};
