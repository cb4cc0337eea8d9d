/* One MLHAT over labels that are their columns. */
#ifndef HOMER_TESTS_MLHAT_FIXTURE_H
#define HOMER_TESTS_MLHAT_FIXTURE_H

#include "query_fixture.h"
#include "core/learners/mlhat.h"

enum { GROVE_Y = 8, GROVE_X = 16 };

struct grove {
    struct homer_mem mem;
    struct homer_query query;
    struct homer_mlhat_config config;
    struct homer_mlhat *tree;
    struct homer_mlhat_columns columns;
    struct homer_mlhat_scratch scratch;
    struct asked asked;
    struct homer_memo *memo;
    uint64_t born; /* of them so far */
    uint32_t part_of[GROVE_Y], column_of[GROVE_Y], m;
    float f32[2 * (GROVE_Y + 1) * HOMER_BAG_MODELS], own[GROVE_Y], p[GROVE_Y], y[GROVE_Y + 1];
    double f64[3 * (GROVE_Y + 1)];
};

static inline void grove_start(struct grove *g, uint32_t m) {
    memset(g, 0, sizeof *g);
    homer_query_init(&g->query, &g->mem);
    homer_mlhat_config_default(&g->config);
    assert_int_equal(homer_mlhat_new(&g->tree, &g->mem, &g->config, 9), 0);
    g->m = m;
    for (uint32_t l = 0; l < GROVE_Y; l++) g->column_of[l] = l;
    g->columns = (struct homer_mlhat_columns){g->part_of, g->column_of, 0};
    g->scratch = (struct homer_mlhat_scratch){g->f32, g->own, g->f64};
}

static inline void grove_stop(struct grove *g) {
    g->tree = homer_mlhat_free(g->tree);
    homer_query_deinit(&g->query);
    assert_int_equal(g->mem.used_bytes, 0);
}

/* The query's prediction: g->p. */
static inline void grove_ask(struct grove *g, uint32_t n, const float *value) {
    ask_values(&g->query, &g->asked, n, value);
    homer_mlhat_predict(g->tree, &g->query, &g->columns, g->m, g->p, &g->scratch);
}

/* The truth about it: bits of `labels`, those outside `known` unknown. on[GROVE_Y] is the caller's. */
static inline struct homer_mlhat_truth grove_truth(struct grove *g, uint32_t labels, uint32_t known,
                                                   uint32_t *on) {
    struct homer_mlhat_truth t = {
        .m = g->m, .on = on, .y = g->y, .known = true, .weight = 1, .memo = g->memo};
    g->y[0] = known + 1 ? (float)NAN : 0;
    for (uint32_t l = 0; l < g->m; l++) {
        bool tells = known >> l & 1;
        g->y[l + 1] = tells ? (float)(labels >> l & 1) : (float)NAN;
        t.known = t.known && tells;
        if (labels >> l & 1) on[t.on_n++] = l;
    }
    return t;
}

/* 0 or -ENOMEM, then cancelled. */
static inline int grove_try(struct grove *g, uint32_t labels, uint32_t known, bool *split) {
    uint32_t on[GROVE_Y];
    struct homer_mlhat_truth t = grove_truth(g, labels, known, on);
    int rc = homer_memo_new(&g->memo, &g->query, t.on, t.on_n);
    t.memo = g->memo;
    if (!rc) g->memo->born = ++g->born;
    if (!rc) rc = homer_mlhat_prepare(g->tree, &g->query, &t, &g->scratch);
    if (rc)
        homer_mlhat_cancel(g->tree, &g->query);
    else
        *split = homer_mlhat_learn(g->tree, &g->query, &g->columns, &t, g->m, &g->scratch);
    g->memo = homer_memo_drop(g->memo, &g->mem);
    return rc;
}

static inline bool grove_learn(struct grove *g, uint32_t labels) {
    bool split = false;
    assert_int_equal(grove_try(g, labels, UINT32_MAX, &split), 0);
    return split;
}

static inline void grove_digest(const struct grove *g, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    homer_mlhat_encode(g->tree, g->m, &c);
    homer_hasher_free(h, hex);
}

#endif
