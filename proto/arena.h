/* Memory of one request: handed out in pieces, given back all at once.
 *
 * Blocks are taken from `mem` and charged there; a block of ordinary size is kept from request to request, so
 * that in the steady state a request allocates nothing. One thread at a time. */
#ifndef HOMER_PROTO_ARENA_H
#define HOMER_PROTO_ARENA_H

#include "core/base/mem.h"

struct homer_arena_block;

struct homer_arena {
    struct homer_mem *mem;
    struct homer_arena_block *block; /* newest; the older ones hang behind it */
    char *at, *end;                  /* free part of it */
};

void homer_arena_init(struct homer_arena *a, struct homer_mem *mem);
void homer_arena_deinit(struct homer_arena *a);
/* n * size bytes, not zeroed, aligned to 16, valid until the next reset; NULL when memory is refused. n *
 * size == 0 gives a valid address as well. */
void *homer_arena_alloc(struct homer_arena *a, size_t n, size_t size);
/* Gives back everything that was handed out. */
void homer_arena_reset(struct homer_arena *a);

#endif
