/* The bytes that a state encodes to, for comparing two states. */
#ifndef HOMER_TESTS_WRITTEN_FIXTURE_H
#define HOMER_TESTS_WRITTEN_FIXTURE_H

#include "core_fixture.h"
#include "core/base/codec.h"

struct written {
    unsigned char *bytes;
    size_t n, cap;
};

static inline void collect_bytes(void *ctx, const void *p, size_t n) {
    struct written *w = ctx;
    if (w->n + n > w->cap) {
        w->cap = 2 * (w->n + n);
        w->bytes = realloc(w->bytes, w->cap);
        assert_non_null(w->bytes);
    }
    memcpy(w->bytes + w->n, p, n);
    w->n += n;
}

/* Compares, and frees both. */
static inline bool same_bytes(struct written a, struct written b) {
    bool same = a.n == b.n && memcmp(a.bytes, b.bytes, a.n) == 0;
    free(a.bytes);
    free(b.bytes);
    return same;
}

#endif
