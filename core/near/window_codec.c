/* Writes the window, and reads it; index and columns are made anew from its instances. */
#include "core/near/window.h"

enum { SLOTS = HOMER_WINDOW_SLOTS };

bool homer_window_sets_hold(const struct homer_window *w, uint32_t sets) {
    for (uint32_t age = 0; age < w->n; age++) {
        uint32_t set = w->slot[homer_window_slot(w, age)].set;
        if (set >= sets && set != HOMER_NO_NUMBER) return false;
    }
    return true;
}

static bool has_room(const struct homer_window_slot *s) {
    return s->feature_cap || s->label_cap || s->likely_cap;
}

/* Of the slots that have any, and of index and columns. */
static void encode_room(const struct homer_window *w, struct homer_codec *c) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < SLOTS; i++) n += has_room(&w->slot[i]);
    homer_put_room(c, n);
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (!has_room(&w->slot[i])) continue;
        homer_put_room(c, i);
        homer_put_room(c, w->slot[i].feature_cap);
        homer_put_room(c, w->slot[i].label_cap);
        homer_put_room(c, w->slot[i].likely_cap);
    }
    homer_postings_put_room(&w->sparse, c);
    homer_columns_put_room(&w->dense, c);
    homer_columns_put_room(&w->z, c);
}

void homer_window_encode(const struct homer_window *w, struct homer_codec *c) {
    homer_put_u32(c, w->next);
    homer_put_u32(c, w->n);
    encode_room(w, c);
    for (uint32_t age = w->n; age-- > 0;) {
        uint32_t slot = homer_window_slot(w, age);
        const struct homer_window_slot *s = &w->slot[slot];
        homer_put_u32(c, s->sparse);
        homer_put_u32(c, s->feature_n);
        homer_put_u32s(c, s->feature, s->feature_n);
        homer_put_f32s(c, s->x, s->feature_n);
        homer_put_u8(c, s->partial);
        homer_put_f32(c, s->weight);
        homer_put_u32(c, s->set);
        homer_put_u32(c, s->positive_n);
        homer_put_u32(c, s->negative_n);
        homer_put_u32s(c, s->label, s->positive_n + s->negative_n);
        homer_put_f32(c, w->norm_z[slot]); /* the root that z is has a bit less */
        homer_put_u32(c, s->likely_n);
        homer_put_u32s(c, s->likely, s->likely_n);
        for (uint32_t i = 0; i < s->likely_n; i++) homer_put_f32(c, w->z.column[s->likely[i]][slot]);
    }
}

static void decode_slot_room(struct homer_window *w, struct homer_decoder *d) {
    uint32_t i = homer_get_room(d, 0);
    if (!homer_get_holds(d, i < SLOTS && !has_room(&w->slot[i]))) return;
    struct homer_window_slot *s = &w->slot[i];
    s->feature_cap = homer_get_room(d, 0);
    s->feature = homer_get_block(d, w->mem, s->feature_cap, sizeof *s->feature);
    s->x = homer_get_block(d, w->mem, s->feature_cap, sizeof *s->x);
    s->label_cap = homer_get_room(d, 0);
    s->label = homer_get_block(d, w->mem, s->label_cap, sizeof *s->label);
    s->likely_cap = homer_get_room(d, 0);
    s->likely = homer_get_block(d, w->mem, s->likely_cap, sizeof *s->likely);
}

static void decode_room(struct homer_window *w, uint32_t features, uint32_t labels, struct homer_decoder *d) {
    for (uint32_t n = homer_get_room(d, 0); n && !d->error; n--) decode_slot_room(w, d);
    homer_postings_get_room(&w->sparse, features, d);
    homer_columns_get_room(&w->dense, features, d);
    homer_columns_get_room(&w->z, labels, d);
}

static void decode_x(struct homer_window *w, uint32_t slot, uint32_t features, struct homer_decoder *d) {
    struct homer_window_slot *s = &w->slot[slot];
    uint32_t sparse = homer_get_u32(d), n = homer_get_most(d, s->feature_cap);
    homer_get_holds(d, sparse <= n);
    homer_get_ids(d, s->feature, n, features);
    homer_get_f32s(d, s->x, n);
    for (uint32_t i = 0; i < n && !d->error; i++) {
        uint32_t j = s->feature[i];
        bool room = i < sparse ? w->dense.column[j] != NULL : homer_postings_has_room(&w->sparse, j);
        if (!homer_get_holds(d, room)) return;
        if (i < sparse)
            homer_columns_set(&w->dense, j, slot, s->x[i]);
        else
            homer_postings_push(&w->sparse, j, slot, s->x[i]);
        w->norm_x[slot] += s->x[i] * s->x[i];
    }
    s->feature_n = n;
    s->sparse = sparse;
}

static void decode_labels(struct homer_window_slot *s, uint32_t labels, struct homer_decoder *d) {
    s->partial = homer_get_u8(d, 1);
    s->weight = homer_get_f32(d);
    s->set = homer_get_u32(d);
    s->positive_n = homer_get_most(d, s->label_cap);
    s->negative_n = homer_get_most(d, s->label_cap - s->positive_n);
    homer_get_set(d, s->label, s->positive_n, labels);
    if (s->negative_n) homer_get_set(d, s->label + s->positive_n, s->negative_n, labels);
}

static void decode_likely(struct homer_window *w, uint32_t slot, uint32_t labels, struct homer_decoder *d) {
    struct homer_window_slot *s = &w->slot[slot];
    w->norm_z[slot] = homer_get_f32(d);
    uint32_t n = homer_get_most(d, s->likely_cap);
    homer_get_ids(d, s->likely, n, labels);
    for (uint32_t i = 0; i < n && !d->error; i++) {
        if (!homer_get_holds(d, w->z.column[s->likely[i]] != NULL)) return;
        homer_columns_set(&w->z, s->likely[i], slot, homer_get_f32(d));
    }
    s->likely_n = n;
}

void homer_window_decode(struct homer_window *w, uint32_t features, uint32_t labels,
                         struct homer_decoder *d) {
    w->next = homer_get_most(d, SLOTS - 1);
    uint32_t n = homer_get_most(d, SLOTS);
    decode_room(w, features, labels, d);
    /* slots behind `next` are in use only when it has come round */
    w->used = n > w->next ? SLOTS : (w->next + HOMER_LANES - 1) / HOMER_LANES * HOMER_LANES;
    for (w->n = n; n-- > 0 && !d->error;) {
        uint32_t slot = homer_window_slot(w, n);
        decode_x(w, slot, features, d);
        decode_labels(&w->slot[slot], labels, d);
        decode_likely(w, slot, labels, d);
    }
}
