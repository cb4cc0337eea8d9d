/* Accounted memory: every byte the learner and the wire layer hold is charged here before it is allocated.
 *
 * A struct homer_mem belongs to one owner (a model, a connection) and one thread. Exceeding `max_bytes` makes
 * the allocation fail exactly as a lack of system memory would: NULL, nothing charged, nothing changed. Frees
 * are sized; at tear-down `used_bytes` must be 0, which tests assert. */
#ifndef HOMER_BASE_MEM_H
#define HOMER_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct homer_mem {
    size_t used_bytes; /* charged now */
    size_t peak_bytes; /* highest used_bytes so far */
    size_t max_bytes;  /* 0 = no cap */
    uint64_t taken;    /* blocks allocated so far */
    uint64_t fail_in;  /* fault injection: the fail_in-th allocation from now fails, once; 0 = off */
    uint64_t failed;   /* allocations refused so far (cap, system or injected) */
    uint64_t
        capped; /* those of them that max_bytes refused: the same request is refused the same way again */
};

/* n * size zeroed bytes, aligned to 64 (a cache line, a vector); NULL when refused. n * size == 0 is refused
 * too. */
void *homer_mem_alloc(struct homer_mem *m, size_t n, size_t size);

/* Grows a block from old_n to new_n elements (new_n >= old_n), the new part zeroed. p == NULL allocates.
 * NULL when refused; p is then still valid and unchanged. */
void *homer_mem_grow(struct homer_mem *m, void *p, size_t old_n, size_t new_n, size_t size);

enum { HOMER_MEM_FIRST_ROOM = 64 };
/* Grows *p, an array of *cap elements, by doubling from HOMER_MEM_FIRST_ROOM on, so that it holds `need`; all
 * is kept, *p may move. False when refused: nothing has changed. */
bool homer_mem_room(struct homer_mem *m, void **p, size_t *cap, size_t need, size_t size);

/* Frees what was allocated with the same n * size. p may be NULL. Returns NULL: x = homer_mem_free(...). */
void *homer_mem_free(struct homer_mem *m, void *p, size_t n, size_t size);

/* True and nothing else when `bytes` more would pass the cap. */
bool homer_mem_would_pass(const struct homer_mem *m, size_t bytes);

#endif
