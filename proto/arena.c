#include "proto/arena.h"

/* Under AddressSanitizer what was not handed out is poisoned, so that it finds here what it would find with
 * malloc. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
enum { GAP = 0 };
#endif

enum {
    ALIGN = 16,
    FIRST_BYTES = 1 << 16, /* holds a request of some hundred features */
    KEEP_BYTES = 1 << 20,  /* larger blocks are given back after the request that needed them */
};

struct homer_arena_block {
    struct homer_arena_block *older;
    size_t bytes; /* with this header */
};

void homer_arena_init(struct homer_arena *a, struct homer_mem *mem) {
    *a = (struct homer_arena){.mem = mem};
}

static void drop(struct homer_arena *a, struct homer_arena_block *b) {
    if (!b) return;
    ASAN_UNPOISON_MEMORY_REGION(b, b->bytes);
    homer_mem_free(a->mem, b, b->bytes, 1);
}

void homer_arena_deinit(struct homer_arena *a) {
    for (struct homer_arena_block *b = a->block, *older; b; b = older) {
        older = b->older;
        drop(a, b);
    }
    homer_arena_init(a, a->mem);
}

static void use(struct homer_arena *a, struct homer_arena_block *b) {
    a->block = b;
    a->at = (char *)b + ALIGN;
    a->end = (char *)b + b->bytes;
    ASAN_POISON_MEMORY_REGION(a->at, (size_t)(a->end - a->at));
}

void *homer_arena_alloc(struct homer_arena *a, size_t n, size_t size) {
    _Static_assert(sizeof(struct homer_arena_block) <= ALIGN, "the header fits before the first piece");
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 4) return NULL;
    size_t wanted = bytes;
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN + GAP;
    if ((size_t)(a->end - a->at) < bytes || !a->block) {
        size_t want = a->block && a->block->bytes < KEEP_BYTES ? a->block->bytes * 2 : FIRST_BYTES;
        if (want < bytes + ALIGN) want = bytes + ALIGN;
        struct homer_arena_block *b = homer_mem_alloc(a->mem, want, 1);
        if (!b) return NULL;
        *b = (struct homer_arena_block){.older = a->block, .bytes = want};
        use(a, b);
    }
    void *p = a->at;
    a->at += bytes;
    ASAN_UNPOISON_MEMORY_REGION(p, wanted);
    return p;
}

void homer_arena_reset(struct homer_arena *a) {
    struct homer_arena_block *keep = NULL;
    for (struct homer_arena_block *b = a->block, *older; b; b = older) {
        older = b->older;
        bool better = b->bytes <= KEEP_BYTES && (!keep || b->bytes > keep->bytes);
        drop(a, better ? keep : b);
        if (better) keep = b;
    }
    homer_arena_init(a, a->mem);
    if (!keep) return;
    keep->older = NULL;
    use(a, keep);
}
