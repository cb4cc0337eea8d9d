/* Writes state as a canonical little-endian byte stream into a sink, and reads it back: what the digest
 * hashes, and a snapshot stores.
 *
 * Two models in the same state write the same bytes into a digest: logical content only (no capacities,
 * addresses, hash order). A snapshot has, in between, what a digest leaves out: the capacities, so that
 * memory is refused later exactly where it would have been, and numbers that only a reader needs. Pure; one
 * thread; writing cannot fail.
 *
 * Reading is the mirror of writing, call by call. It trusts nothing: whatever the bytes are, what was read is
 * safe to go on with, or there is an error. The first error stays; from then on every number read is 0, so
 * that a reader looks at `error` where it is about to follow an index or to loop for long, and at the end. */
#ifndef HOMER_BASE_CODEC_H
#define HOMER_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/mem.h"

struct homer_codec {
    void (*sink)(void *ctx, const void *bytes, size_t n);
    void *ctx;
    bool bare; /* for a digest: homer_put_room writes nothing */
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

/* What a digest leaves out: a capacity, or what only a reader needs. */
void homer_put_room(struct homer_codec *c, uint64_t n);

struct homer_decoder {
    int (*fill)(void *ctx, void *bytes, size_t n); /* fills all n bytes: 0, or a negative errno */
    void *ctx;
    int error; /* the first one: 0, what fill returned, -ENOMEM, -EBADMSG: no encoder wrote these bytes */
    struct homer_mem scratch; /* what reading holds until it ends; homer_model_decode sets its cap */
};

/* Sets the error, unless there is one. */
void homer_get_fail(struct homer_decoder *d, int error);
/* Damaged unless `so`; true when there is no error so far. */
bool homer_get_holds(struct homer_decoder *d, bool so);
uint8_t homer_get_u8(struct homer_decoder *d, uint8_t most); /* damaged above `most`, and 0 */
uint32_t homer_get_u32(struct homer_decoder *d);
uint32_t homer_get_most(struct homer_decoder *d, uint32_t most); /* a u32, damaged above `most`, and 0 */
uint64_t homer_get_u64(struct homer_decoder *d);
float homer_get_f32(struct homer_decoder *d);
double homer_get_f64(struct homer_decoder *d);
void homer_get_bytes(struct homer_decoder *d, void *p, size_t n); /* no length; zeros after an error */
void homer_get_u32s(struct homer_decoder *d, uint32_t *v, size_t n);
void homer_get_u64s(struct homer_decoder *d, uint64_t *v, size_t n);
void homer_get_f32s(struct homer_decoder *d, float *v, size_t n);
void homer_get_f64s(struct homer_decoder *d, double *v, size_t n);
/* n ids, each below `below`; homer_get_set: ascending, too. */
void homer_get_ids(struct homer_decoder *d, uint32_t *v, size_t n, uint32_t below);
void homer_get_set(struct homer_decoder *d, uint32_t *v, size_t n, uint32_t below);
/* n sums of weights: finite, none negative. */
void homer_get_weights(struct homer_decoder *d, double *v, size_t n);

/* A capacity of at least `least`, at most 2^30, and the same for bytes, at most 2^40; damaged otherwise. */
uint32_t homer_get_room(struct homer_decoder *d, uint32_t least);
/* One that is 0 or was reached from `first` in steps of a half. */
uint32_t homer_get_grown_room(struct homer_decoder *d, uint32_t first, uint32_t least);
size_t homer_get_long_room(struct homer_decoder *d, size_t least);
/* homer_mem_alloc; NULL for n = 0, and after an error. */
void *homer_get_block(struct homer_decoder *d, struct homer_mem *mem, size_t n, size_t size);

/* A codec whose sink is a 128-bit hash (XXH3), for digests. */
struct homer_hasher;
struct homer_hasher *homer_hasher_new(struct homer_codec *c); /* NULL: no memory */
void homer_hasher_free(struct homer_hasher *h, char hex[33]); /* hex: 32 digits and a NUL */

#endif
