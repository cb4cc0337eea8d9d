#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

bool homer_mem_would_pass(const struct homer_mem *m, size_t bytes) {
    return m->max_bytes && (bytes > m->max_bytes || m->used_bytes > m->max_bytes - bytes);
}

void *homer_mem_alloc(struct homer_mem *m, size_t n, size_t size) {
    size_t bytes;
    void *p = NULL;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes == 0 || bytes > SIZE_MAX / 2) goto refused;
    if (m->fail_in && --m->fail_in == 0) goto refused;
    if (homer_mem_would_pass(m, bytes)) {
        m->capped++;
        goto refused;
    }
    p = aligned_alloc(ALIGN, (bytes + ALIGN - 1) / ALIGN * ALIGN);
    if (!p) goto refused;
    memset(p, 0, bytes);
    m->used_bytes += bytes;
    m->taken++;
    if (m->used_bytes > m->peak_bytes) m->peak_bytes = m->used_bytes;
    return p;
refused:
    m->failed++;
    return NULL;
}

void *homer_mem_grow(struct homer_mem *m, void *p, size_t old_n, size_t new_n, size_t size) {
    void *q = homer_mem_alloc(m, new_n, size);
    if (!q) return NULL;
    if (p) {
        memcpy(q, p, old_n * size);
        homer_mem_free(m, p, old_n, size);
    }
    return q;
}

bool homer_mem_room(struct homer_mem *m, void **p, size_t *cap, size_t need, size_t size) {
    if (need <= *cap) return true;
    size_t want = *cap ? *cap : HOMER_MEM_FIRST_ROOM;
    while (want < need) want *= 2;
    void *q = homer_mem_grow(m, *p, *cap, want, size);
    if (!q) return false;
    *p = q;
    *cap = want;
    return true;
}

void *homer_mem_free(struct homer_mem *m, void *p, size_t n, size_t size) {
    if (p) {
        m->used_bytes -= n * size;
        free(p);
    }
    return NULL;
}
