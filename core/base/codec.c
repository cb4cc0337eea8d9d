#include "core/base/codec.h"

#include <assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are written as they lie in memory");

static void put(struct homer_codec *c, const void *p, size_t n) {
    if (n) c->sink(c->ctx, p, n);
}

void homer_put_u8(struct homer_codec *c, uint8_t v) {
    put(c, &v, sizeof v);
}
void homer_put_u32(struct homer_codec *c, uint32_t v) {
    put(c, &v, sizeof v);
}
void homer_put_u64(struct homer_codec *c, uint64_t v) {
    put(c, &v, sizeof v);
}
void homer_put_f32(struct homer_codec *c, float v) {
    put(c, &v, sizeof v);
}
void homer_put_f64(struct homer_codec *c, double v) {
    put(c, &v, sizeof v);
}
void homer_put_u32s(struct homer_codec *c, const uint32_t *v, size_t n) {
    put(c, v, n * sizeof *v);
}
void homer_put_u64s(struct homer_codec *c, const uint64_t *v, size_t n) {
    put(c, v, n * sizeof *v);
}
void homer_put_f32s(struct homer_codec *c, const float *v, size_t n) {
    put(c, v, n * sizeof *v);
}
void homer_put_f64s(struct homer_codec *c, const double *v, size_t n) {
    put(c, v, n * sizeof *v);
}

void homer_put_bytes(struct homer_codec *c, const void *p, size_t n) {
    homer_put_u64(c, n);
    put(c, p, n);
}

void homer_put_room(struct homer_codec *c, uint64_t n) {
    if (!c->bare) homer_put_u64(c, n);
}

static void hash_sink(void *ctx, const void *p, size_t n) {
    XXH3_128bits_update(ctx, p, n);
}

struct homer_hasher *homer_hasher_new(struct homer_codec *c) {
    XXH3_state_t *s = XXH3_createState();
    if (!s) return NULL;
    XXH3_128bits_reset(s);
    *c = (struct homer_codec){.sink = hash_sink, .ctx = s, .bare = true};
    return (struct homer_hasher *)s;
}

void homer_hasher_free(struct homer_hasher *h, char hex[33]) {
    XXH3_state_t *s = (XXH3_state_t *)h;
    XXH128_hash_t v = XXH3_128bits_digest(s);
    snprintf(hex, 33, "%016llx%016llx", (unsigned long long)v.high64, (unsigned long long)v.low64);
    XXH3_freeState(s);
}
