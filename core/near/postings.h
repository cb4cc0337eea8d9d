/* An inverted index: for each key the slots that have it, with values, oldest first. A slot's entries are
 * added at once and taken out in the order in which slots were added. For many keys that few slots have
 * (sparse features). Memory: 8 bytes per entry, and 24 per key. Owner's thread. */
#ifndef HOMER_NEAR_POSTINGS_H
#define HOMER_NEAR_POSTINGS_H

#include "core/base/codec.h"

struct homer_posting {
    uint32_t slot;
    float x;
};

struct homer_posting_list {
    struct homer_posting *ring; /* [cap], a power of two */
    uint32_t cap, head, n;
};

struct homer_postings {
    struct homer_mem *mem;
    struct homer_posting_list *list; /* [cap] by key */
    uint32_t cap;
};

void homer_postings_init(struct homer_postings *p, struct homer_mem *mem);
void homer_postings_deinit(struct homer_postings *p);
/* Room for keys below `keys`, and for one more entry of a key. 0 or -ENOMEM, nothing visible changed. */
int homer_postings_reserve(struct homer_postings *p, uint32_t keys);
int homer_postings_prepare(struct homer_postings *p, uint32_t key);
/* Adds an entry, for which there is room; takes out the key's oldest. */
void homer_postings_push(struct homer_postings *p, uint32_t key, uint32_t slot, float x);
void homer_postings_pop(struct homer_postings *p, uint32_t key);
/* dot[slot] += x * the slot's value, for all entries of the key. */
void homer_postings_add(const struct homer_postings *p, uint32_t key, float x, float *dot);

/* Written for a snapshot only: the room of every key; read into an empty index, with room for `keys`. The
 * owner pushes the entries. */
void homer_postings_put_room(const struct homer_postings *p, struct homer_codec *c);
void homer_postings_get_room(struct homer_postings *p, uint32_t keys, struct homer_decoder *d);
static inline bool homer_postings_has_room(const struct homer_postings *p, uint32_t key) {
    return p->list[key].n < p->list[key].cap;
}

#endif
