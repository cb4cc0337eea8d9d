#include "core/decide/labelsets.h"

#include <errno.h>
#include <string.h>

#define FADE 0.99
#define GROWN_MAX 1e100
#define NONE ((uint32_t)HOMER_NO_SET)

enum { FIRST_LISTS = 16 };

void homer_labelsets_init(struct homer_labelsets *s, struct homer_mem *mem, const uint8_t hash_key[16]) {
    *s = (struct homer_labelsets){.mem = mem, .grown = 1, .majority = NONE, .previous = NONE};
    homer_map_init(&s->map, mem, hash_key);
}

void homer_labelsets_deinit(struct homer_labelsets *s) {
    homer_map_deinit(&s->map);
    homer_mem_free(s->mem, s->count, s->cap, sizeof *s->count);
    homer_mem_free(s->mem, s->faded, s->cap, sizeof *s->faded);
    homer_mem_free(s->mem, s->lists, s->lists_cap, sizeof *s->lists);
}

static int reserve_sets(struct homer_labelsets *s) {
    if (s->map.n < s->cap) return 0;
    uint32_t cap = s->cap ? s->cap * 2 : 64;
    uint64_t *count = homer_mem_alloc(s->mem, cap, sizeof *count);
    double *faded = homer_mem_alloc(s->mem, cap, sizeof *faded);
    if (!count || !faded) {
        homer_mem_free(s->mem, count, cap, sizeof *count);
        homer_mem_free(s->mem, faded, cap, sizeof *faded);
        return -ENOMEM;
    }
    if (s->cap) {
        memcpy(count, s->count, s->cap * sizeof *count);
        memcpy(faded, s->faded, s->cap * sizeof *faded);
    }
    homer_mem_free(s->mem, s->count, s->cap, sizeof *count);
    homer_mem_free(s->mem, s->faded, s->cap, sizeof *faded);
    s->count = count;
    s->faded = faded;
    s->cap = cap;
    return 0;
}

int homer_labelsets_reserve(struct homer_labelsets *s, const uint32_t *y, uint32_t n, uint32_t labels) {
    if (labels > s->lists_cap) {
        uint32_t cap = s->lists_cap ? s->lists_cap : FIRST_LISTS;
        while (cap < labels) cap += cap / 2;
        void *lists = homer_mem_grow(s->mem, s->lists, s->lists_cap, cap, sizeof *s->lists);
        if (!lists) return -ENOMEM;
        s->lists = lists;
        s->lists_cap = cap;
    }
    if (reserve_sets(s)) return -ENOMEM;
    if (s->map.n >= HOMER_MAX_LABELSETS || homer_labelsets_find(s, y, n) != NONE) return 0;
    /* a trial insertion makes the map's room; the set itself is added when it is counted */
    uint32_t set = homer_map_add(&s->map, y, n * sizeof *y);
    if (set == UINT32_MAX) return -ENOMEM;
    homer_map_truncate(&s->map, set);
    return 0;
}

/* Keeps the list of the label's most frequent sets: replaces the rarest when this one is more frequent. */
static void note_frequent(const struct homer_labelsets *s, uint32_t *list, uint32_t set) {
    int rarest = 0;
    for (int i = 0; i < HOMER_FREQUENT; i++) {
        if (list[i] == set + 1) return;
        if (list[i] == 0) {
            list[i] = set + 1;
            return;
        }
        if (s->count[list[i] - 1] < s->count[list[rarest] - 1]) rarest = i;
    }
    if (s->count[set] > s->count[list[rarest] - 1]) list[rarest] = set + 1;
}

/* Moves the set to the front. */
static void note_recent(uint32_t *list, uint32_t set) {
    int i = 0;
    while (i < HOMER_RECENT - 1 && list[i] != set + 1 && list[i] != 0) i++;
    memmove(list + 1, list, (size_t)i * sizeof *list);
    list[0] = set + 1;
}

void homer_labelsets_add(struct homer_labelsets *s, const uint32_t *y, uint32_t n) {
    s->n++;
    s->size_count[n < HOMER_SIZES ? n : HOMER_SIZES - 1]++;
    s->grown /= FADE;
    if (s->grown > GROWN_MAX) {
        for (uint32_t i = 0; i < s->map.n; i++) s->faded[i] /= s->grown;
        s->grown = 1;
    }
    uint32_t set = homer_labelsets_find(s, y, n);
    if (set == NONE && s->map.n < HOMER_MAX_LABELSETS) {
        set = homer_map_add(&s->map, y, n * sizeof *y);
        s->count[set] = 0;
        s->faded[set] = 0;
    }
    s->previous = set;
    if (set == NONE) return;
    s->count[set]++;
    s->faded[set] += s->grown;
    if (s->majority == NONE || s->count[set] > s->count[s->majority]) s->majority = set;
    for (uint32_t i = 0; i < n; i++) {
        note_frequent(s, s->lists[y[i]].frequent, set);
        note_recent(s->lists[y[i]].recent, set);
    }
}

uint32_t homer_labelsets_find(const struct homer_labelsets *s, const uint32_t *y, uint32_t n) {
    return homer_map_get(&s->map, y, n * sizeof *y);
}

const uint32_t *homer_labelsets_get(const struct homer_labelsets *s, uint32_t set, uint32_t *n) {
    size_t bytes;
    *n = 0;
    if (set == NONE) return NULL;
    const void *key = homer_map_key(&s->map, set, &bytes);
    *n = (uint32_t)(bytes / sizeof(uint32_t));
    return key; /* keys are multiples of 4 bytes back to back in an aligned block */
}

void homer_labelsets_encode(const struct homer_labelsets *s, uint32_t labels, struct homer_codec *c) {
    homer_put_u32(c, s->map.n);
    homer_map_put_room(&s->map, c);
    homer_put_room(c, s->cap);
    homer_put_room(c, s->lists_cap);
    for (uint32_t i = 0; i < s->map.n; i++) {
        homer_map_put_key(&s->map, i, c);
        homer_put_u64(c, s->count[i]);
        homer_put_f64(c, s->faded[i]);
    }
    homer_put_f64(c, s->grown);
    for (uint32_t l = 0; l < labels; l++) {
        homer_put_u32s(c, s->lists[l].frequent, HOMER_FREQUENT);
        homer_put_u32s(c, s->lists[l].recent, HOMER_RECENT);
    }
    homer_put_u64s(c, s->size_count, HOMER_SIZES);
    homer_put_u64(c, s->n);
    homer_put_u32(c, s->majority);
    homer_put_u32(c, s->previous);
}

/* Whether a set has ascending labels below `labels`. */
static bool is_labelset(const struct homer_labelsets *s, uint32_t set, uint32_t labels) {
    uint32_t n;
    size_t bytes;
    homer_map_key(&s->map, set, &bytes);
    if (bytes % sizeof(uint32_t)) return false;
    const uint32_t *y = homer_labelsets_get(s, set, &n);
    for (uint32_t i = 0; i < n; i++)
        if (y[i] >= labels || (i && y[i] <= y[i - 1])) return false;
    return true;
}

static void decode_lists(struct homer_labelset_lists *l, uint32_t sets, struct homer_decoder *d) {
    homer_get_ids(d, l->frequent, HOMER_FREQUENT, sets + 1);
    homer_get_ids(d, l->recent, HOMER_RECENT, sets + 1);
}

void homer_labelsets_decode(struct homer_labelsets *s, uint32_t labels, struct homer_decoder *d) {
    uint32_t n = homer_get_most(d, HOMER_MAX_LABELSETS);
    homer_map_get_room(&s->map, d);
    s->cap = homer_get_room(d, n);
    s->count = homer_get_block(d, s->mem, s->cap, sizeof *s->count);
    s->faded = homer_get_block(d, s->mem, s->cap, sizeof *s->faded);
    s->lists_cap = homer_get_grown_room(d, FIRST_LISTS, labels);
    s->lists = homer_get_block(d, s->mem, s->lists_cap, sizeof *s->lists);
    for (uint32_t i = 0; i < n && !d->error; i++) {
        homer_map_get_key(&s->map, (size_t)labels * sizeof(uint32_t), d);
        if (!homer_get_holds(d, !d->error && is_labelset(s, i, labels))) return;
        s->count[i] = homer_get_u64(d);
        s->faded[i] = homer_get_f64(d);
    }
    s->grown = homer_get_f64(d);
    for (uint32_t l = 0; l < labels && !d->error; l++) decode_lists(&s->lists[l], n, d);
    homer_get_u64s(d, s->size_count, HOMER_SIZES);
    s->n = homer_get_u64(d);
    s->majority = homer_get_u32(d);
    s->previous = homer_get_u32(d);
    homer_get_holds(d, s->majority == NONE || s->majority < n);
    homer_get_holds(d, s->previous == NONE || s->previous < n);
}
