#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/codec.h"

#define MOST_ROOM (UINT32_C(1) << 30)
#define MOST_LONG_ROOM ((size_t)1 << 40)

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are read as they lie in memory");

void homer_get_fail(struct homer_decoder *d, int error) {
    if (!d->error) d->error = error;
}

bool homer_get_holds(struct homer_decoder *d, bool so) {
    if (!so) homer_get_fail(d, -EBADMSG);
    return d->error == 0;
}

void homer_get_bytes(struct homer_decoder *d, void *p, size_t n) {
    if (!n) return;
    int rc = d->error ? 0 : d->fill(d->ctx, p, n);
    if (rc) homer_get_fail(d, rc);
    if (d->error) memset(p, 0, n);
}

uint8_t homer_get_u8(struct homer_decoder *d, uint8_t most) {
    uint8_t v;
    homer_get_bytes(d, &v, sizeof v);
    return homer_get_holds(d, v <= most) ? v : 0;
}

uint32_t homer_get_u32(struct homer_decoder *d) {
    uint32_t v;
    homer_get_bytes(d, &v, sizeof v);
    return v;
}

uint32_t homer_get_most(struct homer_decoder *d, uint32_t most) {
    uint32_t v = homer_get_u32(d);
    return homer_get_holds(d, v <= most) ? v : 0;
}

uint64_t homer_get_u64(struct homer_decoder *d) {
    uint64_t v;
    homer_get_bytes(d, &v, sizeof v);
    return v;
}

float homer_get_f32(struct homer_decoder *d) {
    float v;
    homer_get_bytes(d, &v, sizeof v);
    return v;
}

double homer_get_f64(struct homer_decoder *d) {
    double v;
    homer_get_bytes(d, &v, sizeof v);
    return v;
}

void homer_get_u32s(struct homer_decoder *d, uint32_t *v, size_t n) {
    homer_get_bytes(d, v, n * sizeof *v);
}

void homer_get_u64s(struct homer_decoder *d, uint64_t *v, size_t n) {
    homer_get_bytes(d, v, n * sizeof *v);
}

void homer_get_f32s(struct homer_decoder *d, float *v, size_t n) {
    homer_get_bytes(d, v, n * sizeof *v);
}

void homer_get_f64s(struct homer_decoder *d, double *v, size_t n) {
    homer_get_bytes(d, v, n * sizeof *v);
}

void homer_get_ids(struct homer_decoder *d, uint32_t *v, size_t n, uint32_t below) {
    bool so = true;
    homer_get_u32s(d, v, n);
    for (size_t i = 0; i < n; i++) so = so && v[i] < below;
    homer_get_holds(d, so);
}

void homer_get_set(struct homer_decoder *d, uint32_t *v, size_t n, uint32_t below) {
    bool so = true;
    homer_get_ids(d, v, n, below);
    for (size_t i = 1; i < n; i++) so = so && v[i - 1] < v[i];
    homer_get_holds(d, so);
}

void homer_get_weights(struct homer_decoder *d, double *v, size_t n) {
    bool so = true;
    homer_get_f64s(d, v, n);
    for (size_t i = 0; i < n; i++) so = so && isfinite(v[i]) && v[i] >= 0;
    homer_get_holds(d, so);
}

uint32_t homer_get_room(struct homer_decoder *d, uint32_t least) {
    uint64_t n = homer_get_u64(d);
    return homer_get_holds(d, n >= least && n <= MOST_ROOM) ? (uint32_t)n : 0;
}

uint32_t homer_get_grown_room(struct homer_decoder *d, uint32_t first, uint32_t least) {
    uint32_t n = homer_get_room(d, least), cap = first;
    while (cap < n) cap += cap / 2;
    return homer_get_holds(d, n == 0 || n == cap) ? n : 0;
}

size_t homer_get_long_room(struct homer_decoder *d, size_t least) {
    uint64_t n = homer_get_u64(d);
    return homer_get_holds(d, n >= least && n <= MOST_LONG_ROOM) ? (size_t)n : 0;
}

void *homer_get_block(struct homer_decoder *d, struct homer_mem *mem, size_t n, size_t size) {
    if (d->error || !n) return NULL;
    void *p = homer_mem_alloc(mem, n, size);
    if (!p) homer_get_fail(d, -ENOMEM);
    return p;
}
