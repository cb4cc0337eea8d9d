/* Writes the statistics of a leaf, and reads them. */
#include "core/tree/stats.h"

void homer_stats_encode(const struct homer_stats *s, struct homer_codec *c) {
    homer_put_u32(c, s->m);
    homer_put_f64(c, s->n);
    homer_put_f32s(c, s->c, s->m);
    homer_put_f32s(c, s->loss, s->m);
    homer_put_f32s(c, s->loss + s->stride, s->m);
    homer_put_f32s(c, s->prior, s->m);
    homer_put_f64(c, s->refresh);
    homer_put_room(c, s->gauss_cap);
    homer_put_room(c, s->presence_cap);
    homer_put_room(c, s->index_n);
    homer_put_u32(c, s->gauss_n);
    for (uint32_t i = 0; i < s->gauss_n; i++) {
        homer_put_u32(c, s->gauss[i].feature);
        homer_put_f32s(c, &s->gauss[i].shift, 5);
        for (int k = 0; k < HOMER_GAUSS_ROWS; k++) homer_put_f32s(c, homer_stats_gauss(s, i, k), s->m);
    }
    homer_put_u32(c, s->presence_n);
    for (uint32_t i = 0; i < s->presence_n; i++) {
        homer_put_u32(c, s->presence[i].feature);
        homer_put_f32(c, s->presence[i].t);
        homer_put_f32(c, s->presence[i].next);
        for (int k = 0; k < HOMER_PRESENCE_ROWS; k++) homer_put_f32s(c, homer_stats_presence(s, i, k), s->m);
    }
}

static void decode_room(struct homer_stats *s, struct homer_decoder *d) {
    s->gauss_cap = homer_get_grown_room(d, HOMER_STATS_FIRST, 0);
    s->gauss = homer_get_block(d, s->mem, s->gauss_cap, sizeof *s->gauss);
    s->moments = homer_get_block(d, s->mem, s->gauss_cap, HOMER_GAUSS_BYTES(s));
    s->presence_cap = homer_get_grown_room(d, HOMER_STATS_FIRST, 0);
    s->presence = homer_get_block(d, s->mem, s->presence_cap, sizeof *s->presence);
    s->with = homer_get_block(d, s->mem, s->presence_cap, HOMER_PRESENCE_BYTES(s));
    s->index_n = homer_get_room(d, 0);
    homer_get_holds(d, s->index_n == 0 || (s->index_n >= 16 && (s->index_n & (s->index_n - 1)) == 0));
    s->index = homer_get_block(d, s->mem, s->index_n, sizeof *s->index);
}

/* The feature of an observer that has none yet; there must be a free slot more in the index. */
static bool decode_feature(struct homer_stats *s, uint32_t features, uint32_t gauss, uint32_t place,
                           uint32_t *feature, struct homer_decoder *d) {
    uint64_t n = (uint64_t)s->gauss_n + s->presence_n + 1;
    *feature = homer_get_u32(d);
    if (!homer_get_holds(d, *feature < features && n * 3 + 3 <= (uint64_t)s->index_n * 2)) return false;
    if (!homer_get_holds(d, homer_stats_find(s, *feature, gauss) == UINT32_MAX)) return false;
    homer_stats_enter(s, *feature, gauss, place);
    return true;
}

static void decode_gauss(struct homer_stats *s, uint32_t features, struct homer_decoder *d) {
    uint32_t i = s->gauss_n;
    if (!decode_feature(s, features, 1, i, &s->gauss[i].feature, d)) return;
    homer_get_f32s(d, &s->gauss[i].shift, 5);
    for (int k = 0; k < HOMER_GAUSS_ROWS; k++) homer_get_f32s(d, homer_stats_gauss(s, i, k), s->m);
    s->gauss_n++;
}

static void decode_presence(struct homer_stats *s, uint32_t features, struct homer_decoder *d) {
    uint32_t i = s->presence_n;
    if (!decode_feature(s, features, 0, i, &s->presence[i].feature, d)) return;
    s->presence[i].t = homer_get_f32(d);
    s->presence[i].next = homer_get_f32(d);
    for (int k = 0; k < HOMER_PRESENCE_ROWS; k++) homer_get_f32s(d, homer_stats_presence(s, i, k), s->m);
    s->presence_n++;
}

void homer_stats_decode(struct homer_stats *s, uint32_t features, struct homer_decoder *d) {
    homer_get_holds(d, homer_get_u32(d) == s->m);
    s->n = homer_get_f64(d);
    homer_get_f32s(d, s->c, s->m);
    homer_get_f32s(d, s->loss, s->m);
    homer_get_f32s(d, s->loss + s->stride, s->m);
    homer_get_f32s(d, s->prior, s->m);
    s->refresh = homer_get_f64(d);
    decode_room(s, d);
    for (uint32_t n = homer_get_most(d, s->gauss_cap); n && !d->error; n--) decode_gauss(s, features, d);
    for (uint32_t n = homer_get_most(d, s->presence_cap); n && !d->error; n--)
        decode_presence(s, features, d);
    if (!d->error) homer_stats_refresh_curves(s); /* the bases; it is not time for the curves */
}
