/* Writes state as a canonical little-endian byte stream into a sink: what the digest hashes, and a snapshot
 * stores.
 *
 * Two models in the same state write the same bytes: logical content only (no capacities, addresses, hash
 * order). Pure; one thread; writing cannot fail. */
#ifndef HOMER_BASE_CODEC_H
#define HOMER_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct homer_codec {
    void (*sink)(void *ctx, const void *bytes, size_t n);
    void *ctx;
};

void homer_put_u8(struct homer_codec *c, uint8_t v);
void homer_put_u32(struct homer_codec *c, uint32_t v);
void homer_put_u64(struct homer_codec *c, uint64_t v);
void homer_put_f32(struct homer_codec *c, float v);
void homer_put_f64(struct homer_codec *c, double v);
void homer_put_bytes(struct homer_codec *c, const void *p, size_t n);    /* length first */
void homer_put_u32s(struct homer_codec *c, const uint32_t *v, size_t n); /* no length */
void homer_put_u64s(struct homer_codec *c, const uint64_t *v, size_t n);
void homer_put_f32s(struct homer_codec *c, const float *v, size_t n);
void homer_put_f64s(struct homer_codec *c, const double *v, size_t n);

/* A codec whose sink is a 128-bit hash (XXH3), for digests. */
struct homer_hasher;
struct homer_hasher *homer_hasher_new(struct homer_codec *c); /* NULL: no memory */
void homer_hasher_free(struct homer_hasher *h, char hex[33]); /* hex: 32 digits and a NUL */

#endif
