/* Weights of label scores, feature by feature: a list of the labels that a feature says something about.
 *
 * An entry is a label and, for each of two filters (see sparse.h), a weight and its variance; the variances,
 * which predicting does not need, lie apart. Entries stand in the order in which they were added. A list
 * holds at most HOMER_SPARSE_LIST of them: when it is full, the half that weighs least is dropped, so that an
 * insertion costs O(1) on average and the walk through the lists of an instance's features is bounded however
 * many labels there are. So are lists that are to grow when all of them have as much room as the memory cap
 * allows (learn.c). 20 bytes an entry. One thread. */
#ifndef HOMER_SPARSE_LISTS_H
#define HOMER_SPARSE_LISTS_H

#include "core/base/codec.h"

enum { HOMER_SPARSE_LIST = 1024, HOMER_SPARSE_FILTERS = 2 };

typedef float homer_sparse_pair[HOMER_SPARSE_FILTERS]; /* one number of each filter */

struct homer_sparse_entry {
    uint32_t label;
    homer_sparse_pair w;
};

struct homer_sparse_list {
    struct homer_sparse_entry *entry; /* [n] of cap: where the block begins that holds both */
    homer_sparse_pair *var;           /* [n] of cap */
    uint32_t n, cap;
    uint32_t room;     /* cap, but for what was reserved and never used: results may depend on it */
    uint32_t softened; /* how often the variances were raised, see homer_sparse_soften */
};

struct homer_sparse_lists {
    struct homer_mem *mem;
    struct homer_sparse_list *list; /* [n] by feature, of cap */
    uint32_t n, cap;
    uint64_t entries, room; /* sums over the lists */
};

/* Bytes of one entry. */
extern const size_t homer_sparse_entry_bytes;
/* The room of a list that has `room` and is to hold `entries`, at most HOMER_SPARSE_LIST; none: the first
 * there is. */
uint32_t homer_sparse_list_grown(uint32_t room, uint32_t entries);

void homer_sparse_lists_init(struct homer_sparse_lists *s, struct homer_mem *mem);
void homer_sparse_lists_deinit(struct homer_sparse_lists *s);
/* Empty lists for ids below `features`. 0, or -ENOMEM with nothing changed. */
int homer_sparse_lists_reserve(struct homer_sparse_lists *s, uint32_t features);
/* Forgets the lists from `features` on. */
void homer_sparse_lists_truncate(struct homer_sparse_lists *s, uint32_t features);
/* Room for `entries` entries, at most HOMER_SPARSE_LIST, in one list. 0, or -ENOMEM with nothing changed. */
int homer_sparse_list_reserve(struct homer_sparse_lists *s, uint32_t feature, uint32_t entries);
/* Adds an entry where there is room. */
void homer_sparse_list_add(struct homer_sparse_lists *s, uint32_t feature, uint32_t label,
                           const homer_sparse_pair w, const homer_sparse_pair var);
/* Drops the half that weighs least (of equal ones the later), the others keep their order. */
void homer_sparse_list_halve(struct homer_sparse_lists *s, uint32_t feature);

/* What room there is for new entries. */
enum homer_sparse_room {
    HOMER_SPARSE_ROOMY = 0,
    HOMER_SPARSE_FULL, /* lists have their share of memory: none gets more, but the first of an empty one */
    HOMER_SPARSE_STUCK /* there is no memory: not that either */
};
/* How a list takes `more` new entries. */
struct homer_sparse_intake {
    bool halves;    /* before it does */
    uint32_t taken; /* of the new ones */
    uint32_t after; /* entries that it then has */
};
struct homer_sparse_intake homer_sparse_list_intake(const struct homer_sparse_list *l, uint32_t more,
                                                    enum homer_sparse_room room);

void homer_sparse_lists_encode(const struct homer_sparse_lists *s, struct homer_codec *c);
/* Into empty ones; a label stands in a list once. seen: scratch [labels], all 0; not so afterwards. */
void homer_sparse_lists_decode(struct homer_sparse_lists *s, uint32_t features, uint32_t labels,
                               uint32_t *seen, struct homer_decoder *d);

#endif
