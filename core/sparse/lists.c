#include "core/sparse/lists.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

enum { ENTRY = sizeof(struct homer_sparse_entry) + sizeof(homer_sparse_pair), FIRST = 4 };

const size_t homer_sparse_entry_bytes = ENTRY;

uint32_t homer_sparse_list_grown(uint32_t room, uint32_t entries) {
    if (!room) room = FIRST;
    while (room < entries) room += room / 2;
    return room < HOMER_SPARSE_LIST ? room : HOMER_SPARSE_LIST;
}

void homer_sparse_lists_init(struct homer_sparse_lists *s, struct homer_mem *mem) {
    *s = (struct homer_sparse_lists){.mem = mem};
}

void homer_sparse_lists_truncate(struct homer_sparse_lists *s, uint32_t features) {
    while (s->n > features) {
        struct homer_sparse_list *l = &s->list[--s->n];
        homer_mem_free(s->mem, l->entry, l->cap, ENTRY);
        s->entries -= l->n;
        s->room -= l->room;
        *l = (struct homer_sparse_list){0};
    }
}

void homer_sparse_lists_deinit(struct homer_sparse_lists *s) {
    homer_sparse_lists_truncate(s, 0);
    homer_mem_free(s->mem, s->list, s->cap, sizeof *s->list);
    homer_sparse_lists_init(s, s->mem);
}

int homer_sparse_lists_reserve(struct homer_sparse_lists *s, uint32_t features) {
    if (features > s->cap) {
        uint32_t cap = s->cap ? s->cap : 64;
        while (cap < features) cap += cap / 2;
        struct homer_sparse_list *list = homer_mem_grow(s->mem, s->list, s->cap, cap, sizeof *list);
        if (!list) return -ENOMEM;
        s->list = list;
        s->cap = cap;
    }
    if (features > s->n) s->n = features;
    return 0;
}

/* Points the list at a block with room for cap entries. */
static void place(struct homer_sparse_list *l, void *block, uint32_t cap) {
    l->entry = block;
    l->var = (homer_sparse_pair *)(void *)(l->entry + cap);
    l->cap = cap;
}

static int resize(struct homer_sparse_lists *s, uint32_t feature, uint32_t cap) {
    struct homer_sparse_list *l = &s->list[feature], old = *l;
    void *block = homer_mem_alloc(s->mem, cap, ENTRY);
    if (!block) return -ENOMEM;
    place(l, block, cap);
    if (old.n) {
        memcpy(l->entry, old.entry, old.n * sizeof *old.entry);
        memcpy(l->var, old.var, old.n * sizeof *old.var);
    }
    homer_mem_free(s->mem, old.entry, old.cap, ENTRY);
    return 0;
}

int homer_sparse_list_reserve(struct homer_sparse_lists *s, uint32_t feature, uint32_t entries) {
    uint32_t cap = s->list[feature].cap;
    return entries <= cap ? 0 : resize(s, feature, homer_sparse_list_grown(cap, entries));
}

void homer_sparse_list_add(struct homer_sparse_lists *s, uint32_t feature, uint32_t label,
                           const homer_sparse_pair w, const homer_sparse_pair var) {
    struct homer_sparse_list *l = &s->list[feature];
    l->entry[l->n].label = label;
    memcpy(l->entry[l->n].w, w, sizeof(homer_sparse_pair));
    memcpy(l->var[l->n], var, sizeof(homer_sparse_pair));
    l->n++;
    s->entries++;
    if (l->n <= l->room) return;
    s->room -= l->room;
    l->room = homer_sparse_list_grown(l->room, l->n);
    s->room += l->room;
}

struct homer_sparse_intake homer_sparse_list_intake(const struct homer_sparse_list *l, uint32_t more,
                                                    enum homer_sparse_room room) {
    uint32_t most = room == HOMER_SPARSE_ROOMY  ? HOMER_SPARSE_LIST
                    : room == HOMER_SPARSE_FULL ? homer_sparse_list_grown(l->room, l->room)
                                                : l->room;
    bool halves = more && l->n + more > most;
    uint32_t kept = halves ? l->n / 2 : l->n, taken = more < most - kept ? more : most - kept;
    return (struct homer_sparse_intake){halves, taken, kept + taken};
}

/* What an entry weighs, as bits that order as the numbers do. */
static uint32_t weight_bits(const struct homer_sparse_list *l, uint32_t k) {
    return homer_float_to_bits(fabsf(l->entry[k].w[0]));
}

/* The largest b for which at least `keep` entries weigh b or more, bit by bit from the top. */
static uint32_t quantile(const struct homer_sparse_list *l, uint32_t keep) {
    uint32_t b = 0;
    for (uint32_t bit = UINT32_C(1) << 30; bit; bit >>= 1) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < l->n; k++) n += weight_bits(l, k) >= (b | bit);
        if (n >= keep) b |= bit;
    }
    return b;
}

void homer_sparse_list_halve(struct homer_sparse_lists *s, uint32_t feature) {
    struct homer_sparse_list *l = &s->list[feature];
    uint32_t keep = l->n / 2, least = quantile(l, keep), above = 0, n = 0;
    for (uint32_t k = 0; k < l->n; k++) above += weight_bits(l, k) > least;
    uint32_t equal = keep - above;
    for (uint32_t k = 0; k < l->n; k++) {
        uint32_t b = weight_bits(l, k);
        if (b < least || (b == least && equal == 0)) continue;
        equal -= b == least;
        l->entry[n] = l->entry[k];
        memmove(l->var[n], l->var[k], sizeof l->var[n]);
        n++;
    }
    s->entries -= l->n - n;
    l->n = n;
}

void homer_sparse_lists_encode(const struct homer_sparse_lists *s, struct homer_codec *c) {
    homer_put_u32(c, s->n);
    homer_put_room(c, s->cap);
    for (uint32_t j = 0; j < s->n; j++) {
        const struct homer_sparse_list *l = &s->list[j];
        homer_put_u32(c, l->n);
        homer_put_u32(c, l->room);
        homer_put_room(c, l->cap);
        homer_put_u32(c, l->softened);
        for (uint32_t k = 0; k < l->n; k++) {
            homer_put_u32(c, l->entry[k].label);
            homer_put_f32s(c, l->entry[k].w, HOMER_SPARSE_FILTERS);
            homer_put_f32s(c, l->var[k], HOMER_SPARSE_FILTERS);
        }
    }
}

static void decode_list(struct homer_sparse_lists *s, uint32_t feature, uint32_t labels, uint32_t *seen,
                        struct homer_decoder *d) {
    struct homer_sparse_list *l = &s->list[feature];
    uint32_t n = homer_get_most(d, HOMER_SPARSE_LIST), room = homer_get_most(d, HOMER_SPARSE_LIST);
    uint32_t cap = homer_get_room(d, room);
    l->softened = homer_get_u32(d);
    if (!homer_get_holds(d, n <= room && cap <= HOMER_SPARSE_LIST) || !cap) return;
    if (resize(s, feature, cap)) homer_get_fail(d, -ENOMEM);
    if (d->error) return;
    for (uint32_t k = 0; k < n; k++) {
        homer_get_ids(d, &l->entry[k].label, 1, labels);
        if (d->error || !homer_get_holds(d, seen[l->entry[k].label] != feature + 1)) return;
        seen[l->entry[k].label] = feature + 1;
        homer_get_f32s(d, l->entry[k].w, HOMER_SPARSE_FILTERS);
        homer_get_f32s(d, l->var[k], HOMER_SPARSE_FILTERS);
    }
    l->n = n;
    l->room = room;
    s->entries += n;
    s->room += room;
}

void homer_sparse_lists_decode(struct homer_sparse_lists *s, uint32_t features, uint32_t labels,
                               uint32_t *seen, struct homer_decoder *d) {
    homer_get_holds(d, homer_get_u32(d) == features);
    uint32_t cap = homer_get_room(d, features);
    if (d->error || !cap) return;
    s->list = homer_get_block(d, s->mem, cap, sizeof *s->list);
    if (d->error) return;
    s->cap = cap;
    s->n = features;
    for (uint32_t j = 0; j < features && !d->error; j++) decode_list(s, j, labels, seen, d);
}
