/* A matrix keys x slots of float32 with a full column of slots for every key that was ever set: products with
 * a sparse query run over contiguous memory. For few keys that nearly all slots have (dense features) or that
 * queries have few of (likely labels). Memory: 4 bytes per key in use and slot. Owner's thread. */
#ifndef HOMER_NEAR_COLUMNS_H
#define HOMER_NEAR_COLUMNS_H

#include "core/base/codec.h"

struct homer_columns {
    struct homer_mem *mem;
    float **column; /* [cap] by key: [width], NULL while unset */
    uint32_t cap;
    uint32_t width; /* slots, a multiple of 8 */
};

void homer_columns_init(struct homer_columns *c, struct homer_mem *mem, uint32_t width);
void homer_columns_deinit(struct homer_columns *c);
/* Room for keys below `keys` (no columns yet), and the column of one key. 0 or -ENOMEM, nothing visible
 * changed.
 */
int homer_columns_reserve(struct homer_columns *c, uint32_t keys);
int homer_columns_prepare(struct homer_columns *c, uint32_t key);
/* The key's column is there. */
static inline void homer_columns_set(struct homer_columns *c, uint32_t key, uint32_t slot, float x) {
    c->column[key][slot] = x;
}
/* dot[n] += x * the first n slots of the key's column; nothing where there is none. */
void homer_columns_add(const struct homer_columns *c, uint32_t key, float x, uint32_t n, float *dot);

/* Written for a snapshot only: which columns there are; read into an empty matrix, with room for `keys`. What
 * is in them the owner sets. */
void homer_columns_put_room(const struct homer_columns *c, struct homer_codec *codec);
void homer_columns_get_room(struct homer_columns *c, uint32_t keys, struct homer_decoder *d);

#endif
