/* Keyed map from byte strings to dense ids 0, 1, 2, ... in order of insertion.
 *
 * Open addressing over SipHash-1-3 of the key (Aumasson, Bernstein 2012): clients that choose the keys cannot
 * aim at collisions, and since ids follow insertion order no result depends on the hash. Keys are stored
 * once, back to back. Insertions can be undone from the end (rollback). One thread. */
#ifndef HOMER_BASE_MAP_H
#define HOMER_BASE_MAP_H

#include <string.h>
#include "core/base/codec.h"

struct homer_map {
    struct homer_mem *mem;
    uint64_t key[2];
    char *bytes; /* all keys, back to back */
    size_t bytes_n, bytes_cap;
    uint64_t *end; /* [n] of end_cap: where key i ends in bytes */
    size_t end_cap;
    uint64_t *slot; /* [slot_n], a power of two: high 32 bits of the hash, then id + 1; 0 = free */
    size_t slot_n;
    uint32_t n; /* keys */
};

void homer_map_init(struct homer_map *m, struct homer_mem *mem, const uint8_t hash_key[16]);
void homer_map_deinit(struct homer_map *m);
/* The id of a key, or UINT32_MAX. */
uint32_t homer_map_get(const struct homer_map *m, const void *key, size_t n);
/* The id of a key, added when it is new; UINT32_MAX when memory was refused (then nothing changed). */
uint32_t homer_map_add(struct homer_map *m, const void *key, size_t n);
/* The key of an id; borrowed until the next add. */
const char *homer_map_key(const struct homer_map *m, uint32_t id, size_t *n);
/* Whether a[0..n) and b[0..n) are equal: names are short, and calling memcmp takes longer than comparing
 * them. */
static inline bool homer_same_bytes(const char *a, const char *b, size_t n) {
    uint64_t a8[2], b8[2];
    uint32_t a4[2], b4[2];
    if (n > 16) return memcmp(a, b, n) == 0;
    if (n >= 8) { /* both ends, which overlap */
        memcpy(&a8[0], a, 8), memcpy(&a8[1], a + n - 8, 8);
        memcpy(&b8[0], b, 8), memcpy(&b8[1], b + n - 8, 8);
        return ((a8[0] ^ b8[0]) | (a8[1] ^ b8[1])) == 0;
    }
    if (n >= 4) {
        memcpy(&a4[0], a, 4), memcpy(&a4[1], a + n - 4, 4);
        memcpy(&b4[0], b, 4), memcpy(&b4[1], b + n - 4, 4);
        return ((a4[0] ^ b4[0]) | (a4[1] ^ b4[1])) == 0;
    }
    while (n && a[n - 1] == b[n - 1]) n--;
    return n == 0;
}
/* Whether that id, which may be any number, has this key: what to ask where an id is likely, instead of a
 * hash. */
static inline bool homer_map_is(const struct homer_map *m, uint32_t id, const void *key, size_t n) {
    if (id >= m->n) return false;
    uint64_t begin = id ? m->end[id - 1] : 0;
    return m->end[id] - begin == n && homer_same_bytes(m->bytes + begin, key, n);
}
/* Forgets all ids >= n; the room stays. Cheap for a few, O(n) at worst. */
void homer_map_truncate(struct homer_map *m, uint32_t n);

/* A map is written as its capacities (for a snapshot only) and, where the owner wants them, its keys. It is
 * read into an empty one; a key must be new, and have at most `most` bytes. */
void homer_map_put_room(const struct homer_map *m, struct homer_codec *c);
void homer_map_put_key(const struct homer_map *m, uint32_t id, struct homer_codec *c);
void homer_map_get_room(struct homer_map *m, struct homer_decoder *d);
void homer_map_get_key(struct homer_map *m, size_t most, struct homer_decoder *d);

#endif
