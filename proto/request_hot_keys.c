/* The set that finds a key given twice: open addressing, emptied by a new stamp. */
#include <string.h>
#include "proto/request_hot.h"
#include "proto/scan.h"

enum { FIRST_SLOTS = 64, PROBES_MAX = 256 /* then somebody aims at collisions: jansson's hash is keyed */ };

/* Both halves of a product: every bit of either factor reaches every bit of it. */
static inline uint64_t fold(uint64_t a, uint64_t b) {
    uint64_t low, high = homer_multiply(a, b, &low);
    return high ^ low;
}

/* All of a name up to 16 bytes, both ends, the middle and the length of a longer one. */
static inline uint64_t hash_of(struct homer_str s) {
    uint64_t head = homer_load8(s.s), tail = s.n;
    if (s.n < 8) {
        head = s.n ? head << (64 - 8 * s.n) : 0;
    } else {
        tail ^= homer_load8(s.s + s.n - 8);
        if (s.n > 16) tail += homer_load8(s.s + s.n / 2 - 4) * 0xc2b2ae3d27d4eb4fu;
    }
    return fold(head ^ 0x9e3779b97f4a7c15u, tail ^ 0xd6e8feb86659fd93u);
}

void homer_hot_set_clear(struct homer_hot *hot) {
    hot->name_n = 0;
    if (++hot->stamp) return;
    if (hot->slot) memset(hot->slot, 0, hot->slot_n * sizeof *hot->slot);
    hot->stamp = 1;
}

/* Puts name `place` into its slot; false when an equal one is there, or the way is too long. */
static bool enter(struct homer_hot *hot, uint32_t place) {
    struct homer_str name = hot->name[place];
    size_t mask = hot->slot_n - 1, i = hash_of(name) & mask;
    for (unsigned probes = 0; probes < PROBES_MAX; probes++, i = (i + 1) & mask) {
        if (hot->slot[i] >> 32 != hot->stamp) {
            hot->slot[i] = (uint64_t)hot->stamp << 32 | place;
            return true;
        }
        struct homer_str other = hot->name[(uint32_t)hot->slot[i]];
        if (other.n == name.n && memcmp(other.s, name.s, name.n) == 0) return false;
    }
    return false;
}

/* Twice as many slots, all names entered again. */
static bool grow(struct homer_hot_scan *s) {
    struct homer_hot *hot = s->hot;
    size_t n = hot->slot_n ? hot->slot_n * 2 : FIRST_SLOTS;
    uint64_t *slot = homer_mem_alloc(hot->mem, n, sizeof *slot);
    if (!slot) {
        s->refused = true;
        return false;
    }
    homer_mem_free(hot->mem, hot->slot, hot->slot_n, sizeof *slot);
    hot->slot = slot;
    hot->slot_n = n;
    hot->stamp = 1;
    for (size_t i = 0; i < hot->name_n; i++)
        if (!enter(hot, (uint32_t)i)) return false;
    return true;
}

static bool more_names(struct homer_hot_scan *s) {
    struct homer_hot *hot = s->hot;
    void *names = hot->name;
    bool ok = homer_hot_room(s, &names, &hot->name_cap, hot->name_n + 1, sizeof *hot->name);
    hot->name = names;
    return ok && hot->name_n < UINT32_MAX;
}

bool homer_hot_set_add(struct homer_hot_scan *s, struct homer_str name) {
    struct homer_hot *hot = s->hot;
    if (hot->name_n == hot->name_cap && !more_names(s)) return false;
    if ((hot->name_n + 1) * 2 > hot->slot_n && !grow(s)) return false;
    hot->name[hot->name_n] = name;
    return enter(hot, (uint32_t)hot->name_n++);
}
