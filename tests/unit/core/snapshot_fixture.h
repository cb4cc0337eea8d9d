/* A model written into memory and read back. */
#ifndef HOMER_TESTS_SNAPSHOT_FIXTURE_H
#define HOMER_TESTS_SNAPSHOT_FIXTURE_H

#include <errno.h>
#include "model_fixture.h"

struct snapshot {
    uint8_t *bytes;    /* [n] of cap */
    size_t n, cap, at; /* at: read so far */
};

static inline void snapshot_sink(void *ctx, const void *bytes, size_t n) {
    struct snapshot *s = ctx;
    if (s->n + n > s->cap) {
        s->cap = 2 * (s->n + n);
        s->bytes = realloc(s->bytes, s->cap);
        assert_non_null(s->bytes);
    }
    memcpy(s->bytes + s->n, bytes, n);
    s->n += n;
}

static inline int snapshot_fill(void *ctx, void *bytes, size_t n) {
    struct snapshot *s = ctx;
    if (n > s->n - s->at) return -ENODATA;
    memcpy(bytes, s->bytes + s->at, n);
    s->at += n;
    return 0;
}

static inline void snapshot_free(struct snapshot *s) {
    free(s->bytes);
    *s = (struct snapshot){0};
}

static inline struct snapshot snapshot_take(const struct homer_model *m) {
    struct snapshot s = {0};
    struct homer_codec c = {.sink = snapshot_sink, .ctx = &s};
    homer_model_encode(m, &c);
    return s;
}

static inline int snapshot_read(struct homer_model *m, struct snapshot *s) {
    struct homer_decoder d = {.fill = snapshot_fill, .ctx = s};
    s->at = 0;
    int rc = homer_model_decode(m, &d);
    assert_int_equal(d.scratch.used_bytes, 0);
    return rc;
}

static inline void assert_same_digest(const struct homer_model *a, const struct homer_model *b) {
    char x[33], y[33];
    homer_model_digest(a, x);
    homer_model_digest(b, y);
    assert_string_equal(x, y);
}

/* A model that was read from what m writes; nothing tells them apart, and m is as it was. */
static inline struct homer_model *snapshot_copy(struct homer_model *m) {
    static const uint8_t other_key[16] = "another process";
    char before[33], after[33];
    homer_model_digest(m, before);
    struct snapshot s = snapshot_take(m);
    homer_model_digest(m, after);
    assert_string_equal(before, after);
    struct homer_model_config config = *homer_model_config(m);
    struct homer_model *copy = model_start(&config, other_key);
    int rc = snapshot_read(copy, &s);
    if (rc) fail_msg("byte %zu of %zu: %s", s.at, s.n, strerror(-rc));
    assert_int_equal(s.at, s.n);
    assert_same_digest(m, copy);
    assert_int_equal(homer_model_mem(copy)->used_bytes, homer_model_mem(m)->used_bytes);
    struct snapshot again = snapshot_take(copy);
    assert_int_equal(again.n, s.n);
    assert_memory_equal(again.bytes, s.bytes, s.n);
    snapshot_free(&again);
    snapshot_free(&s);
    return copy;
}

#endif
