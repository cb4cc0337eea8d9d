/* An instance as the paper's learner sees it, and as it remembers it.
 *
 * A query is the instance at hand: its non-zero features as they were given, unscaled (clipped to +-1e6,
 * which keeps every sum finite); what is not listed is 0. A memo is a learned instance that windows of
 * neighbours share; it counts its holders. One thread. */
#ifndef HOMER_LEARNERS_QUERY_H
#define HOMER_LEARNERS_QUERY_H

#include "core/base/codec.h"
#include "core/base/grid.h"
#include "core/base/map.h"
#include "core/instance.h"

struct homer_memo {
    uint32_t refs, feature_n, label_n;
    uint32_t *feature; /* [feature_n] non-zero ones */
    float *value;      /* [feature_n] */
    uint32_t *label;   /* [label_n] positives, by label id, ascending */
    uint64_t born;     /* number of the instance: which memo this is */
    uint64_t asked;    /* scratch: the query whose distance this is */
    double distance;
};

struct homer_query {
    struct homer_mem *mem;
    struct homer_grid given;  /* f32: by feature id its value; 0 when not given */
    struct homer_grid listed; /* u32: the non-zero features that have an id */
    uint32_t n;
    uint32_t nonzero; /* those without an id counted too */
    double norm2;     /* sum of squares of all of them */
    uint64_t stamp;   /* which query this is */
};

/* True when less than a sixteenth of the memory cap is left: what the learner can go without is then refused,
 * so that what it cannot, and what the rest of the model needs, still has room. */
static inline bool homer_memory_short(const struct homer_mem *mem) {
    return mem->max_bytes && mem->used_bytes > mem->max_bytes - mem->max_bytes / 16;
}

void homer_query_init(struct homer_query *q, struct homer_mem *mem);
void homer_query_deinit(struct homer_query *q);
/* Room for ids below `features`; 0 or -ENOMEM. Keeps the query. */
int homer_query_reserve(struct homer_query *q, uint32_t features);
/* Makes x the query. Features from `features` on have no id yet. */
void homer_query_set(struct homer_query *q, const struct homer_instance *x, uint32_t features);

static inline float homer_query_value(const struct homer_query *q, uint32_t feature) {
    return homer_grid_f32(&q->given, 0)[feature];
}
static inline const uint32_t *homer_query_features(const struct homer_query *q) {
    return homer_grid_row(&q->listed, 0);
}

/* A memo of the query with these positives, held once. 0 or -ENOMEM. */
int homer_memo_new(struct homer_memo **out, const struct homer_query *q, const uint32_t *label,
                   uint32_t label_n);
/* Takes one holder away, and frees it with the last; NULL is fine. Returns NULL. */
struct homer_memo *homer_memo_drop(struct homer_memo *m, struct homer_mem *mem);
/* Squared Euclidean distance to the query; 0 exactly when they are equal. Computed once a query. */
double homer_memo_distance(struct homer_memo *m, const struct homer_query *q);
void homer_memo_encode(const struct homer_memo *m, struct homer_codec *c);

/* Memos that were read, by the instance they are of: windows share them again. Holds none of them. */
struct homer_memos {
    struct homer_map born;
    struct homer_memo **memo; /* [born.n] of cap */
    uint32_t cap;
};
void homer_memos_init(struct homer_memos *s, struct homer_mem *scratch);
void homer_memos_deinit(struct homer_memos *s);
/* The memo read, held once more; features and labels are below these. NULL when there is an error. */
struct homer_memo *homer_memo_decode(struct homer_memos *s, struct homer_mem *mem, uint32_t features,
                                     uint32_t labels, struct homer_decoder *d);

#endif
