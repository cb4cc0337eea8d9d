#include "core/leaf/products.h"

#include <errno.h>
#include <math.h>
#include "core/base/num.h"

enum { PLACES = HOMER_PRODUCT_PLACES, EVERY = 64, FIRST_ROOM = 64 };

#define LEAST 0.05f

void homer_products_init(struct homer_products *p, struct homer_mem *mem, const struct homer_linear *source) {
    *p = (struct homer_products){.mem = mem, .source = source};
    struct homer_linear_config c;
    homer_linear_config_default(&c);
    c.out = HOMER_X_PRODUCTS;
    c.variance[0] = 3;
    c.variance[1] = 0.3f;
    c.noise[1] = 0;
    c.offset = true;
    c.max_groups = 1u << 18;
    homer_linear_init(&p->filters, mem, &c);
}

static void products_deinit(void *self) {
    struct homer_products *p = self;
    homer_linear_deinit(&p->filters);
    p->matter = homer_mem_free(p->mem, p->matter, p->cap, sizeof *p->matter);
    p->cap = 0;
}

static int products_reserve(void *self, uint32_t features, uint32_t columns) {
    struct homer_products *p = self;
    if (homer_linear_reserve(&p->filters, PLACES, columns)) return -ENOMEM;
    if (features <= p->cap) return 0;
    uint32_t cap = p->cap ? p->cap : FIRST_ROOM;
    while (cap < features) cap += cap / 2;
    float *matter = homer_mem_grow(p->mem, p->matter, p->cap, cap, sizeof *matter);
    if (!matter) return -ENOMEM;
    p->matter = matter;
    p->cap = cap;
    return 0;
}

/* The features that matter most, and their values; returns how many. */
static uint32_t choose(const struct homer_products *p, const struct homer_frame *f, uint32_t *id, float *x) {
    float size[HOMER_FACTORS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        uint32_t j = f->feature[i], k;
        if (j >= p->matters) continue;
        float s = fabsf(f->x[i]) * p->matter[j];
        if (n == HOMER_FACTORS && s <= size[n - 1]) continue;
        if (n < HOMER_FACTORS) n++;
        for (k = n - 1; k > 0 && size[k - 1] < s; k--) {
            size[k] = size[k - 1];
            id[k] = id[k - 1];
            x[k] = x[k - 1];
        }
        size[k] = s;
        id[k] = j;
        x[k] = f->x[i];
    }
    return n;
}

static uint32_t place_of(uint32_t i, uint32_t j) {
    uint64_t z = ((uint64_t)(i < j ? i : j) << 32 | (i < j ? j : i)) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 29) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(z >> 32) % PLACES;
}

static void products_predict(void *self, struct homer_frame *f) {
    struct homer_products *p = self;
    uint32_t id[HOMER_FACTORS], n = 0;
    float x[HOMER_FACTORS], norm = 0;
    uint32_t factors = choose(p, f, id, x);
    for (uint32_t i = 0; i < factors; i++)
        for (uint32_t j = 0; j < i; j++) {
            uint32_t place = place_of(id[i], id[j]);
            if (!p->at[place]) {
                p->place[n] = place;
                p->x[n++] = 0;
                p->at[place] = (uint8_t)n;
            }
            p->x[p->at[place] - 1] += x[i] * x[j];
        }
    for (uint32_t i = 0; i < n; i++) {
        p->at[p->place[i]] = 0;
        norm += p->x[i] * p->x[i];
    }
    float unit = norm > 0 ? 1.0f / sqrtf(norm) : 0.0f;
    for (uint32_t i = 0; i < n; i++) p->x[i] *= unit;
    p->input = (struct homer_linear_input){p->place, p->x, n};
    homer_linear_predict(&p->filters, f, &p->input);
}

static int products_prepare(void *self, const struct homer_frame *f) {
    struct homer_products *p = self;
    return homer_linear_prepare(&p->filters, &p->input, f->labels + 1);
}

static void products_cancel(void *self) {
    homer_linear_cancel(&((struct homer_products *)self)->filters);
}

static float weight_of(const struct homer_linear *l, uint32_t feature, uint32_t labels) {
    float sum = LEAST;
    const struct homer_linear_group *row = l->row[feature];
    for (uint32_t k = 0; k < labels; k++) sum += fabsf(row[k / HOMER_LANES].w[0][k % HOMER_LANES]);
    return sum;
}

static void products_learn(void *self, const struct homer_frame *f) {
    struct homer_products *p = self;
    homer_linear_learn(&p->filters, f, &p->input);
    if (p->until-- > 0) return;
    p->until = EVERY - 1;
    p->matters = f->features;
    for (uint32_t j = 0; j < p->matters; j++) p->matter[j] = weight_of(p->source, j, f->labels);
}

static void products_add_label(void *self, uint32_t from) {
    homer_linear_add_label(&((struct homer_products *)self)->filters, from);
}

static void products_encode(const void *self, uint32_t columns, struct homer_codec *c) {
    const struct homer_products *p = self;
    homer_put_u32(c, p->matters);
    homer_put_room(c, p->cap);
    homer_put_f32s(c, p->matter, p->matters);
    homer_put_u64(c, p->until);
    homer_linear_encode(&p->filters, columns, c);
}

static void products_decode(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d) {
    struct homer_products *p = self;
    p->matters = homer_get_most(d, features);
    p->cap = homer_get_grown_room(d, FIRST_ROOM, p->matters);
    p->matter = homer_get_block(d, p->mem, p->cap, sizeof *p->matter);
    if (d->error) return;
    homer_get_f32s(d, p->matter, p->matters);
    p->until = homer_get_u64(d);
    homer_get_holds(d, p->until < EVERY);
    homer_linear_decode(&p->filters, PLACES, columns, d);
}

const struct homer_expert_ops homer_products_ops = {
    .reserve = products_reserve,
    .predict = products_predict,
    .prepare = products_prepare,
    .cancel = products_cancel,
    .learn = products_learn,
    .add_label = products_add_label,
    .encode = products_encode,
    .decode = products_decode,
    .deinit = products_deinit,
};
