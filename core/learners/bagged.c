#include "core/learners/bagged.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

#define RATE 0.3f
#define BIAS_RATE 0.01f

uint32_t homer_poisson(struct homer_rng *rng) {
    uint32_t k = 0;
    for (double u = homer_rng_unit(rng); u > 0.36787944117144233; u *= homer_rng_unit(rng)) k++; /* e^-1 */
    return k;
}

void homer_bagged_init(struct homer_bagged *b, struct homer_mem *mem) {
    *b = (struct homer_bagged){.mem = mem};
}

static struct homer_bagged_row *row_free(struct homer_mem *mem, struct homer_bagged_row *r) {
    return r ? homer_mem_free(mem, r, 1, sizeof *r + (size_t)r->cap * HOMER_BAG_MODELS * sizeof(float))
             : NULL;
}

void homer_bagged_deinit(struct homer_bagged *b) {
    for (uint32_t f = 0; f < b->row_cap; f++) row_free(b->mem, b->row[f]);
    homer_mem_free(b->mem, b->row, b->row_cap, sizeof(struct homer_bagged_row *));
    row_free(b->mem, b->bias);
    *b = (struct homer_bagged){.mem = b->mem};
}

static const struct homer_bagged_row *row_of(const struct homer_bagged *b, uint32_t feature) {
    return feature < b->row_cap ? b->row[feature] : NULL;
}

/* s[columns][HOMER_BAG_MODELS] += v w. */
static void add_row(const struct homer_bagged_row *r, float v, uint32_t columns, float *s) {
    uint32_t have = r->columns < columns ? r->columns : columns;
    for (uint32_t i = 0; i < have * HOMER_BAG_MODELS; i++) s[i] += v * r->w[i];
    for (uint32_t c = have; c < columns; c++)
        for (uint32_t j = 0; j < HOMER_BAG_MODELS; j++) s[c * HOMER_BAG_MODELS + j] += v * r->w[j];
}

static void score(const struct homer_bagged *b, const struct homer_query *q, uint32_t columns, float *s) {
    const uint32_t *feature = homer_query_features(q);
    memset(s, 0, (size_t)columns * HOMER_BAG_MODELS * sizeof *s);
    if (b->bias) add_row(b->bias, 1, columns, s);
    for (uint32_t i = 0; i < q->n; i++) {
        const struct homer_bagged_row *r = row_of(b, feature[i]);
        if (r) add_row(r, homer_query_value(q, feature[i]), columns, s);
    }
}

void homer_bagged_predict(const struct homer_bagged *b, const struct homer_query *q, uint32_t m, float *p,
                          float *scratch) {
    score(b, q, m + 1, scratch);
    for (uint32_t c = 0; c < m; c++) {
        const float *s = scratch + (size_t)(c + 1) * HOMER_BAG_MODELS;
        float sum = 0;
        for (uint32_t j = 0; j < HOMER_BAG_MODELS; j++) sum += homer_sigmoid(s[j]);
        p[c] += sum / HOMER_BAG_MODELS;
    }
}

static int row_reserve(struct homer_mem *mem, struct homer_bagged_row **row, uint32_t columns) {
    struct homer_bagged_row *old = *row;
    if (old && old->cap >= columns) return 0;
    uint32_t cap = old ? columns + columns / 2 : columns;
    uint64_t capped = mem->capped;
    struct homer_bagged_row *r =
        homer_mem_alloc(mem, 1, sizeof *r + (size_t)cap * HOMER_BAG_MODELS * sizeof(float));
    if (!r) return old && mem->capped > capped ? 0 : -ENOMEM; /* goes on with the columns it has */
    if (old) {
        memcpy(r, old, sizeof *r + (size_t)old->columns * HOMER_BAG_MODELS * sizeof(float));
        row_free(mem, old);
    }
    r->cap = cap;
    if (!r->columns) r->columns = 1;
    *row = r;
    return 0;
}

int homer_bagged_reserve(struct homer_bagged *b, const struct homer_query *q, uint32_t m) {
    const uint32_t *feature = homer_query_features(q);
    uint32_t most = 0;
    for (uint32_t i = 0; i < q->n; i++)
        if (feature[i] >= most) most = feature[i] + 1;
    if (most > b->row_cap) {
        uint32_t cap = most + most / 2;
        struct homer_bagged_row **row = homer_mem_grow(b->mem, b->row, b->row_cap, cap, sizeof(*row));
        if (!row) return -ENOMEM;
        b->row = row;
        b->row_cap = cap;
    }
    int rc = row_reserve(b->mem, &b->bias, m + 1);
    for (uint32_t i = 0; i < q->n && !rc; i++) rc = row_reserve(b->mem, &b->row[feature[i]], m + 1);
    return rc;
}

void homer_bagged_cancel(struct homer_bagged *b, const struct homer_query *q) {
    const uint32_t *feature = homer_query_features(q);
    for (uint32_t i = 0; i < q->n; i++)
        if (row_of(b, feature[i]) && !b->row[feature[i]]->learned)
            b->row[feature[i]] = row_free(b->mem, b->row[feature[i]]);
}

/* New labels begin as column 0. */
static void add_columns(struct homer_bagged_row *r, uint32_t columns) {
    for (; r->columns < columns && r->columns < r->cap; r->columns++)
        memcpy(r->w + (size_t)r->columns * HOMER_BAG_MODELS, r->w, HOMER_BAG_MODELS * sizeof(float));
    r->learned = true;
}

static void descend(struct homer_bagged_row *r, float step, uint32_t columns, const float *g) {
    uint32_t n = (r->columns < columns ? r->columns : columns) * HOMER_BAG_MODELS;
    for (uint32_t i = 0; i < n; i++) r->w[i] -= step * g[i];
}

void homer_bagged_learn(struct homer_bagged *b, const struct homer_query *q, uint32_t m, const float *y,
                        struct homer_rng *rng, float *scratch) {
    const uint32_t *feature = homer_query_features(q);
    uint32_t columns = m + 1, n = columns * HOMER_BAG_MODELS, k[HOMER_BAG_MODELS], rounds = 0;
    float *s = scratch, *g = scratch + n;
    for (uint32_t j = 0; j < HOMER_BAG_MODELS; j++) {
        k[j] = homer_poisson(rng);
        if (k[j] > rounds) rounds = k[j];
    }
    add_columns(b->bias, columns);
    for (uint32_t i = 0; i < q->n; i++) add_columns(b->row[feature[i]], columns);
    for (uint32_t round = 0; round < rounds; round++) {
        score(b, q, columns, s);
        for (uint32_t c = 0; c < columns; c++)
            for (uint32_t j = 0; j < HOMER_BAG_MODELS; j++) {
                uint32_t i = c * HOMER_BAG_MODELS + j;
                g[i] = isnan(y[c]) || round >= k[j] ? 0.0f : homer_sigmoid(s[i]) - y[c];
            }
        descend(b->bias, BIAS_RATE, columns, g);
        for (uint32_t i = 0; i < q->n; i++)
            descend(b->row[feature[i]], RATE * homer_query_value(q, feature[i]), columns, g);
    }
}

static void encode_row(const struct homer_bagged_row *r, uint32_t columns, struct homer_codec *c) {
    uint32_t have = r->columns < columns ? r->columns : columns;
    homer_put_f32s(c, r->w, (size_t)have * HOMER_BAG_MODELS);
    for (uint32_t i = have; i < columns; i++) homer_put_f32s(c, r->w, HOMER_BAG_MODELS);
}

static void put_room(const struct homer_bagged_row *r, struct homer_codec *c) {
    homer_put_room(c, r->cap);
    homer_put_room(c, r->columns);
}

void homer_bagged_encode(const struct homer_bagged *b, uint32_t m, struct homer_codec *c) {
    uint32_t rows = 0;
    for (uint32_t f = 0; f < b->row_cap; f++) rows += b->row[f] && b->row[f]->learned;
    homer_put_room(c, b->bias ? 1 + b->bias->learned : 0);
    if (b->bias) put_room(b->bias, c);
    if (b->bias && b->bias->learned) encode_row(b->bias, m + 1, c);
    homer_put_room(c, b->row_cap);
    homer_put_room(c, rows);
    for (uint32_t f = 0; f < b->row_cap; f++)
        if (b->row[f] && b->row[f]->learned) {
            homer_put_u32(c, f);
            put_room(b->row[f], c);
            encode_row(b->row[f], m + 1, c);
        }
}

static struct homer_bagged_row *get_room(struct homer_mem *mem, uint32_t columns, struct homer_decoder *d) {
    uint32_t cap = homer_get_room(d, 1), have = homer_get_room(d, 1);
    if (!homer_get_holds(d, have <= cap && have <= columns)) return NULL;
    struct homer_bagged_row *r =
        homer_get_block(d, mem, 1, sizeof *r + (size_t)cap * HOMER_BAG_MODELS * sizeof(float));
    if (!r) return NULL;
    r->cap = cap;
    r->columns = have;
    return r;
}

/* Columns that are not there were written as what they are taken for. */
static void decode_row(struct homer_bagged_row *r, uint32_t columns, struct homer_decoder *d) {
    float same[HOMER_BAG_MODELS];
    homer_get_f32s(d, r->w, (size_t)r->columns * HOMER_BAG_MODELS);
    for (uint32_t i = r->columns; i < columns; i++) {
        homer_get_f32s(d, same, HOMER_BAG_MODELS);
        homer_get_holds(d, memcmp(same, r->w, sizeof same) == 0);
    }
    r->learned = true;
}

void homer_bagged_decode(struct homer_bagged *b, uint32_t m, uint32_t features, struct homer_decoder *d) {
    uint32_t bias = homer_get_room(d, 0);
    if (bias) b->bias = get_room(b->mem, m + 1, d);
    if (bias > 1 && b->bias) decode_row(b->bias, m + 1, d);
    uint32_t cap = homer_get_room(d, 0), rows = homer_get_room(d, 0);
    b->row = homer_get_block(d, b->mem, cap, sizeof(struct homer_bagged_row *));
    if (d->error) return;
    b->row_cap = cap;
    for (; rows && !d->error; rows--) {
        uint32_t f = homer_get_u32(d);
        if (!homer_get_holds(d, f < cap && f < features && !b->row[f])) return;
        b->row[f] = get_room(b->mem, m + 1, d);
        if (b->row[f]) decode_row(b->row[f], m + 1, d);
    }
}
