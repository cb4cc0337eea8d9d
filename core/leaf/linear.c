#include "core/leaf/linear.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

#define START_VARIANCE 3.0f
#define START_BIAS_VARIANCE 1.0f
#define MIN_CURVATURE 1e-4f
#define PROCESS_NOISE 3e-4f
#define SMALL_GRADIENT 0.03f

enum { LANES = HOMER_LANES };

typedef struct homer_linear_group group;

void homer_linear_config_default(struct homer_linear_config *c) {
    *c = (struct homer_linear_config){
        .out = HOMER_X_LINEAR,
        .variance = {START_VARIANCE, START_VARIANCE},
        .bias_variance = {START_BIAS_VARIANCE, START_BIAS_VARIANCE},
        .noise = {0, PROCESS_NOISE},
    };
}

void homer_linear_init(struct homer_linear *l, struct homer_mem *mem, const struct homer_linear_config *c) {
    *l = (struct homer_linear){.mem = mem, .config = *c};
}

static void free_row(struct homer_linear *l, uint32_t j) {
    if (l->row[j] == l->fresh) return;
    homer_mem_free(l->mem, l->row[j], l->groups_cap, sizeof(group));
    l->made--;
}

static void truncate(struct homer_linear *l, uint32_t features) {
    while (l->features > features) free_row(l, --l->features);
}

void homer_linear_deinit(struct homer_linear *l) {
    truncate(l, 0);
    homer_mem_free(l->mem, l->row, l->row_cap, sizeof *l->row);
    homer_mem_free(l->mem, l->bias, l->groups_cap, sizeof(group));
    homer_mem_free(l->mem, l->fresh, l->groups_cap, sizeof(group));
    homer_mem_free(l->mem, l->sum, l->groups_cap, sizeof(group));
    homer_mem_free(l->mem, l->prepared, l->prepared_cap, sizeof *l->prepared);
    homer_linear_init(l, l->mem, &l->config);
}

static void fill_variance(group *g, uint32_t from, uint32_t to, const float variance[2]) {
    for (uint32_t i = from; i < to; i++)
        for (int e = 0; e < 2; e++)
            for (int c = 0; c < LANES; c++) g[i].var[e][c] = variance[e];
}

/* A copy of old[old_n] with room for n groups, the new ones in their initial state. NULL when refused. */
static group *wider(struct homer_linear *l, const group *old, uint32_t old_n, uint32_t n,
                    const float variance[2]) {
    group *g = homer_mem_alloc(l->mem, n, sizeof *g);
    if (!g) return NULL;
    if (old_n) memcpy(g, old, old_n * sizeof *g);
    fill_variance(g, old_n, n, variance);
    return g;
}

/* All rows get room for more columns; all or nothing. */
static int widen(struct homer_linear *l, uint32_t groups) {
    uint32_t old_n = l->groups_cap, n = old_n ? old_n : 1;
    while (n < groups) n += n < 4 ? 1 : n / 4;
    group *bias = wider(l, l->bias, old_n, n, l->config.bias_variance);
    group *fresh = wider(l, l->fresh, old_n, n, l->config.variance);
    float *sum = homer_mem_alloc(l->mem, n, sizeof(group));
    group **row = l->row_cap ? homer_mem_alloc(l->mem, l->row_cap, sizeof *row) : NULL;
    if (!bias || !fresh || !sum || (l->row_cap && !row)) goto refused;
    for (uint32_t j = 0; j < l->features; j++) {
        row[j] = l->row[j] == l->fresh ? fresh : wider(l, l->row[j], old_n, n, l->config.variance);
        if (!row[j]) goto refused;
    }
    for (uint32_t j = 0; j < l->features; j++)
        if (l->row[j] != l->fresh) homer_mem_free(l->mem, l->row[j], old_n, sizeof(group));
    homer_mem_free(l->mem, l->row, l->row_cap, sizeof *row);
    homer_mem_free(l->mem, l->bias, old_n, sizeof *bias);
    homer_mem_free(l->mem, l->fresh, old_n, sizeof *fresh);
    homer_mem_free(l->mem, l->sum, old_n, sizeof(group));
    l->row = row;
    l->bias = bias;
    l->fresh = fresh;
    l->sum = sum;
    l->groups_cap = n;
    return 0;
refused:
    for (uint32_t j = 0; row && j < l->features; j++)
        if (row[j] != fresh) homer_mem_free(l->mem, row[j], n, sizeof(group));
    homer_mem_free(l->mem, row, l->row_cap, sizeof *row);
    homer_mem_free(l->mem, bias, n, sizeof *bias);
    homer_mem_free(l->mem, fresh, n, sizeof *fresh);
    homer_mem_free(l->mem, sum, n, sizeof(group));
    return -ENOMEM;
}

static uint32_t groups_of(uint32_t columns) {
    return (columns + LANES - 1) / LANES;
}

int homer_linear_make_row(struct homer_linear *l, uint32_t j) {
    group *row = wider(l, NULL, 0, l->groups_cap, l->config.variance);
    if (!row) return -ENOMEM;
    l->row[j] = row;
    l->made++;
    return 0;
}

int homer_linear_make_room(struct homer_linear *l, uint32_t features, uint32_t columns) {
    if (groups_of(columns) > l->groups_cap && widen(l, groups_of(columns))) return -ENOMEM;
    if (features > l->row_cap) {
        uint32_t cap = l->row_cap ? l->row_cap : 64;
        while (cap < features) cap += cap / 2;
        void *row = homer_mem_grow(l->mem, l->row, l->row_cap, cap, sizeof *l->row);
        if (!row) return -ENOMEM;
        l->row = row;
        l->row_cap = cap;
    }
    return 0;
}

int homer_linear_reserve(struct homer_linear *l, uint32_t features, uint32_t columns) {
    if (homer_linear_make_room(l, features, columns)) return -ENOMEM;
    uint32_t before = l->features;
    for (; l->features < features; l->features++) {
        l->row[l->features] = l->fresh;
        if (!l->config.max_groups && homer_linear_make_row(l, l->features)) {
            truncate(l, before);
            return -ENOMEM;
        }
    }
    return 0;
}

static int reserve_prepared(struct homer_linear *l, uint32_t n) {
    if (n <= l->prepared_cap) return 0;
    uint32_t *prepared = homer_mem_alloc(l->mem, n, sizeof *prepared);
    if (!prepared) return -ENOMEM;
    homer_mem_free(l->mem, l->prepared, l->prepared_cap, sizeof *prepared);
    l->prepared = prepared;
    l->prepared_cap = n;
    return 0;
}

int homer_linear_prepare(struct homer_linear *l, const struct homer_linear_input *x, uint32_t columns) {
    /* not what there is memory for: that depends on what was refused before */
    uint32_t room = l->config.max_groups / groups_of(columns);
    l->prepared_n = 0;
    if (!l->config.max_groups) return 0;
    if (reserve_prepared(l, x->n)) return -ENOMEM;
    for (uint32_t i = 0; i < x->n; i++) {
        uint32_t j = x->feature[i];
        if (l->row[j] != l->fresh || l->made >= room) continue;
        uint64_t capped = l->mem->capped;
        if (homer_linear_make_row(l, j)) {
            if (l->mem->capped > capped) return 0; /* no room, as if the bound were reached */
            homer_linear_cancel(l);
            return -ENOMEM;
        }
        l->prepared[l->prepared_n++] = j;
    }
    return 0;
}

void homer_linear_cancel(struct homer_linear *l) {
    while (l->prepared_n) {
        uint32_t j = l->prepared[--l->prepared_n];
        free_row(l, j);
        l->row[j] = l->fresh;
    }
}

/* A row of the scratch: [columns] scores s, or with `variance` their variances v, of expert e. Learning turns
 * them into the columns' gradients g and shrinkages q z. */
static inline float *sum_row(const struct homer_linear *l, int e, bool variance) {
    return l->sum + (size_t)(2 * e + variance) * LANES * l->groups_cap;
}

/* Scores and variances of one group of columns: s and v for both experts. */
static inline void sum_group(const struct homer_linear *l, const struct homer_linear_input *in, uint32_t g) {
    group acc = l->bias[g];
    for (uint32_t i = 0; i < in->n; i++) {
        const group *r = &l->row[in->feature[i]][g];
        float x = in->x[i], xx = x * x;
        for (int e = 0; e < 2; e++)
            for (int c = 0; c < LANES; c++) {
                acc.w[e][c] += x * r->w[e][c];
                acc.var[e][c] += xx * r->var[e][c];
            }
    }
    for (int e = 0; e < 2; e++) {
        memcpy(sum_row(l, e, false) + g * LANES, acc.w[e], sizeof acc.w[e]);
        memcpy(sum_row(l, e, true) + g * LANES, acc.var[e], sizeof acc.var[e]);
    }
}

HOMER_WIDE void homer_linear_predict(struct homer_linear *l, struct homer_frame *f,
                                     const struct homer_linear_input *x) {
    float share = l->config.offset ? 0.0f : 1.0f; /* of the prior in the score */
    const float *lam = f->prior_logit;
    for (uint32_t g = 0; g < f->stride / LANES; g++) sum_group(l, x, g);
    for (int e = 0; e < 2; e++) {
        const float *s = sum_row(l, e, false);
        float *out = f->evidence[l->config.out + (unsigned)e];
        for (uint32_t c = 0; c < f->stride; c++)
            out[c] = homer_clip(s[c] - share * lam[c], -HOMER_EVIDENCE_CLIP, HOMER_EVIDENCE_CLIP);
    }
}

void homer_linear_add_label(struct homer_linear *l, uint32_t from) {
    uint32_t g = from / LANES, c = from % LANES, h = (from + 1) / LANES, d = (from + 1) % LANES;
    for (uint32_t j = 0; j <= l->features; j++) {
        group *r = j < l->features ? l->row[j] : l->bias;
        for (int e = 0; e < 2; e++) {
            r[h].w[e][d] = r[g].w[e][c];
            r[h].var[e][d] = r[g].var[e][c];
        }
    }
    for (int e = 0; e < 2; e++) {
        sum_row(l, e, false)[from + 1] = sum_row(l, e, false)[from];
        sum_row(l, e, true)[from + 1] = sum_row(l, e, true)[from];
    }
}

/* Turns an expert's scores and variances into gradients and shrinkages; returns how many columns move. */
static inline uint32_t step_of(const struct homer_frame *f, float share, float *restrict s,
                               float *restrict v) {
    const float *y = f->y, *weight = f->weight, *lam = f->prior_logit;
    uint32_t moving = 0, columns = f->labels + 1;
    for (uint32_t c = 0; c < f->stride; c++) {
        float p = homer_sigmoid(s[c] + share * lam[c]);
        float q = p * (1.0f - p);
        q = weight[c] * (q < MIN_CURVATURE ? MIN_CURVATURE : q);
        float z = 1.0f / (1.0f + q * v[c]);
        s[c] = weight[c] * (y[c] - p) * z;
        v[c] = q * z;
        moving += (c < columns) & (fabsf(s[c]) > SMALL_GRADIENT);
    }
    return moving;
}

/* Leaves only the columns that move: a column without gradient and shrinkage stays as it is to the bit. */
static inline void hold(float *restrict gradient, float *restrict shrink, uint32_t n) {
    for (uint32_t c = 0; c < n; c++) {
        bool moves = fabsf(gradient[c]) > SMALL_GRADIENT;
        gradient[c] = moves ? gradient[c] : 0.0f;
        shrink[c] = moves ? shrink[c] : 0.0f;
    }
}

/* Per column of a group what an update needs. */
struct step {
    float gradient[LANES], shrink[LANES];
    float noise[LANES]; /* none where the label is unknown */
};

static inline void update(group *restrict r, float x, const struct step *restrict s, int e) {
    for (int c = 0; c < LANES; c++) {
        float ax = r->var[e][c] * x;
        r->w[e][c] += ax * s->gradient[c];
        r->var[e][c] = r->var[e][c] - s->shrink[c] * ax * ax + s->noise[c];
    }
}

static inline void learn_group(struct homer_linear *l, const struct homer_linear_input *in,
                               const struct homer_frame *f, uint32_t g, const bool lazy[2]) {
    struct step s[2];
    bool still[2];
    for (int e = 0; e < 2; e++) {
        memcpy(s[e].gradient, sum_row(l, e, false) + g * LANES, sizeof s[e].gradient);
        memcpy(s[e].shrink, sum_row(l, e, true) + g * LANES, sizeof s[e].shrink);
        for (int c = 0; c < LANES; c++)
            s[e].noise[c] = f->weight[g * LANES + (uint32_t)c] > 0 ? l->config.noise[e] : 0.0f;
        still[e] = lazy[e];
        for (int c = 0; c < LANES; c++) still[e] &= s[e].gradient[c] == 0;
    }
    if (still[0] && still[1]) return;
    for (uint32_t i = 0; i <= in->n; i++) {
        group *r = i < in->n ? l->row[in->feature[i]] : l->bias;
        float x = i < in->n ? in->x[i] : 1.0f;
        if (r == l->fresh) continue;
        for (int e = 0; e < 2; e++)
            if (!still[e]) update(&r[g], x, &s[e], e);
    }
}

HOMER_WIDE void homer_linear_learn(struct homer_linear *l, const struct homer_frame *f,
                                   const struct homer_linear_input *x) {
    bool lazy[2];
    for (int e = 0; e < 2; e++) {
        float *s = sum_row(l, e, false), *v = sum_row(l, e, true);
        uint32_t moving = step_of(f, l->config.offset ? 1.0f : 0.0f, s, v);
        lazy[e] = !(l->config.noise[e] > 0) && moving * 4 < f->labels + 1;
        if (lazy[e]) hold(s, v, f->stride);
    }
    for (uint32_t g = 0; g < f->stride / LANES; g++) learn_group(l, x, f, g, lazy);
    l->prepared_n = 0;
}

static void soften_row(group *r, const uint32_t *column, uint32_t n, float variance) {
    for (int e = 0; e < 2; e++)
        for (uint32_t i = 0; i < n; i++) {
            float *v = &r[column[i] / LANES].var[e][column[i] % LANES];
            if (*v < variance) *v = variance;
        }
}

void homer_linear_soften(struct homer_linear *l, const uint32_t *column, uint32_t n, float variance,
                         float bias_variance) {
    for (uint32_t j = 0; j < l->features; j++)
        if (l->row[j] != l->fresh) soften_row(l->row[j], column, n, variance);
    soften_row(l->bias, column, n, bias_variance);
}

/* The pairs on the instance's own features. */
static struct homer_linear_input own(const struct homer_frame *f) {
    return (struct homer_linear_input){f->feature, f->x, f->n};
}

static int linear_reserve(void *self, uint32_t features, uint32_t columns) {
    return homer_linear_reserve(self, features, columns);
}
static void linear_truncate(void *self, uint32_t features) {
    truncate(self, features);
}
static void linear_predict(void *self, struct homer_frame *f) {
    struct homer_linear_input x = own(f);
    homer_linear_predict(self, f, &x);
}
static void linear_learn(void *self, const struct homer_frame *f) {
    struct homer_linear_input x = own(f);
    homer_linear_learn(self, f, &x);
}
static void linear_add_label(void *self, uint32_t from) {
    homer_linear_add_label(self, from);
}
static void linear_encode(const void *self, uint32_t columns, struct homer_codec *c) {
    homer_linear_encode(self, columns, c);
}
static void linear_decode(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d) {
    homer_linear_decode(self, features, columns, d);
}
static void linear_deinit(void *self) {
    homer_linear_deinit(self);
}

const struct homer_expert_ops homer_linear_ops = {
    .reserve = linear_reserve,
    .truncate = linear_truncate,
    .predict = linear_predict,
    .learn = linear_learn,
    .add_label = linear_add_label,
    .encode = linear_encode,
    .decode = linear_decode,
    .deinit = linear_deinit,
};
