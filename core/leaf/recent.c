#include "core/leaf/recent.h"

#include "core/base/num.h"

enum { ROWS = HOMER_RECENT_ROWS };
const float homer_recent_decay[ROWS] = {0.9f, 0.98f};

void homer_recent_init(struct homer_recent *r, struct homer_mem *mem) {
    homer_grid_init(&r->frequency, mem, ROWS, sizeof(float));
}

static void recent_deinit(void *self) {
    homer_grid_deinit(&((struct homer_recent *)self)->frequency);
}

static int recent_reserve(void *self, uint32_t features, uint32_t columns) {
    (void)features;
    return homer_grid_reserve(&((struct homer_recent *)self)->frequency, columns);
}

HOMER_WIDE static void recent_predict(void *self, struct homer_frame *f) {
    const struct homer_recent *r = self;
    for (uint32_t i = 0; i < ROWS; i++) {
        const float *frequency = homer_grid_f32(&r->frequency, i);
        float *out = f->evidence[HOMER_X_RECENT_FAST + i];
        for (uint32_t l = 0; l < f->stride; l++) {
            float p = 0.97f * frequency[l] + 0.03f * f->prior[l];
            out[l] =
                homer_clip(homer_logit(p) - f->prior_logit[l], -HOMER_EVIDENCE_CLIP, HOMER_EVIDENCE_CLIP);
        }
    }
}

HOMER_WIDE static void recent_learn(void *self, const struct homer_frame *f) {
    struct homer_recent *r = self;
    for (uint32_t i = 0; i < ROWS; i++) {
        float *frequency = homer_grid_f32(&r->frequency, i);
        for (uint32_t l = 0; l < f->stride; l++) {
            float step = f->weight[l] > 0 ? 1.0f - homer_recent_decay[i] : 0.0f;
            frequency[l] += step * (f->y[l] - frequency[l]);
        }
    }
}

static void recent_add_label(void *self, uint32_t from) {
    homer_grid_copy_column(&((struct homer_recent *)self)->frequency, from, from + 1);
}

static void recent_encode(const void *self, uint32_t columns, struct homer_codec *c) {
    const struct homer_recent *r = self;
    homer_grid_put_room(&r->frequency, c);
    for (uint32_t i = 0; i < ROWS; i++) homer_put_f32s(c, homer_grid_f32(&r->frequency, i), columns);
}

static void recent_decode(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d) {
    struct homer_recent *r = self;
    (void)features;
    if (!homer_grid_get_room(&r->frequency, columns, d)) return;
    for (uint32_t i = 0; i < ROWS; i++) homer_get_f32s(d, homer_grid_f32(&r->frequency, i), columns);
}

const struct homer_expert_ops homer_recent_ops = {
    .reserve = recent_reserve,
    .predict = recent_predict,
    .learn = recent_learn,
    .add_label = recent_add_label,
    .encode = recent_encode,
    .decode = recent_decode,
    .deinit = recent_deinit,
};
