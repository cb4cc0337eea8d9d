/* The distinct complete labelsets of the stream: how often, how lately, and for each label the most frequent
 * and the most recent ones that hold it. Sets are numbered in order of appearance; at most
 * HOMER_MAX_LABELSETS are kept (later ones count as never seen). Ids inside a set are ascending. One thread.
 */
#ifndef HOMER_DECIDE_LABELSETS_H
#define HOMER_DECIDE_LABELSETS_H

#include "core/base/codec.h"
#include "core/base/map.h"

enum {
    HOMER_MAX_LABELSETS = 200000,
    HOMER_FREQUENT = 8, /* kept per label */
    HOMER_RECENT = 6,
    HOMER_SIZES = 64, /* labelset sizes counted apart; larger ones together in the last */
    HOMER_NO_SET = -1 /* as uint32_t */
};

struct homer_labelset_lists {
    uint32_t frequent[HOMER_FREQUENT]; /* set ids + 1, 0 = none; no order */
    uint32_t recent[HOMER_RECENT];     /* set ids + 1, latest first */
};

struct homer_labelsets {
    struct homer_mem *mem;
    struct homer_map map; /* key: the label ids, 4 bytes each */
    uint64_t *count;      /* [map.n] of cap */
    double *faded;        /* [map.n] of cap: sum of .99^age, times `grown` */
    uint32_t cap;
    double grown;                       /* 1/.99 per instance, scaled back with all faded when large */
    struct homer_labelset_lists *lists; /* [labels] of lists_cap */
    uint32_t lists_cap;
    uint64_t size_count[HOMER_SIZES];
    uint64_t n;        /* complete labellings counted */
    uint32_t majority; /* most frequent so far, first to get there; HOMER_NO_SET at the start */
    uint32_t previous; /* of the last instance; HOMER_NO_SET at the start, or when not kept */
};

void homer_labelsets_init(struct homer_labelsets *s, struct homer_mem *mem, const uint8_t hash_key[16]);
void homer_labelsets_deinit(struct homer_labelsets *s);

/* Room to count labelset y[n], with labels below `labels`. 0, or -ENOMEM and nothing visible changed. */
int homer_labelsets_reserve(struct homer_labelsets *s, const uint32_t *y, uint32_t n, uint32_t labels);
/* Counts one more occurrence; homer_labelsets_reserve of the same set came before. */
void homer_labelsets_add(struct homer_labelsets *s, const uint32_t *y, uint32_t n);

/* HOMER_NO_SET when never counted. */
uint32_t homer_labelsets_find(const struct homer_labelsets *s, const uint32_t *y, uint32_t n);
/* Ids of a set; borrowed until the next reserve. NULL and 0 for HOMER_NO_SET. */
const uint32_t *homer_labelsets_get(const struct homer_labelsets *s, uint32_t set, uint32_t *n);
/* Sum over its occurrences of .99^age. */
static inline double homer_labelsets_faded(const struct homer_labelsets *s, uint32_t set) {
    return s->faded[set] / s->grown;
}
void homer_labelsets_encode(const struct homer_labelsets *s, uint32_t labels, struct homer_codec *c);
/* Into an empty one. */
void homer_labelsets_decode(struct homer_labelsets *s, uint32_t labels, struct homer_decoder *d);

#endif
