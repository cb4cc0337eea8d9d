#include "core/base/map.h"

#include <string.h>

enum {
    FIRST_SLOTS = 16,
    CLEAR_SLOTS = 64, /* slots that are cleared in the time one key takes to be removed */
};

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static inline void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = ROTL(v[1], 13), v[1] ^= v[0], v[0] = ROTL(v[0], 32);
    v[2] += v[3], v[3] = ROTL(v[3], 16), v[3] ^= v[2];
    v[0] += v[3], v[3] = ROTL(v[3], 21), v[3] ^= v[0];
    v[2] += v[1], v[1] = ROTL(v[1], 17), v[1] ^= v[2], v[2] = ROTL(v[2], 32);
}

static uint64_t sip13(const uint64_t key[2], const unsigned char *p, size_t n) {
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                     key[1] ^ 0x7465646279746573u};
    uint64_t w, tail = (uint64_t)n << 56;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        memcpy(&w, p + i, 8);
        v[3] ^= w;
        sip_round(v);
        v[0] ^= w;
    }
    for (unsigned shift = 0; i < n; i++, shift += 8) tail |= (uint64_t)p[i] << shift;
    v[3] ^= tail;
    sip_round(v);
    v[0] ^= tail;
    v[2] ^= 0xff;
    for (int r = 0; r < 3; r++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t hash_of(const struct homer_map *m, const void *key, size_t n) {
    return sip13(m->key, key, n);
}

void homer_map_init(struct homer_map *m, struct homer_mem *mem, const uint8_t hash_key[16]) {
    *m = (struct homer_map){.mem = mem};
    memcpy(m->key, hash_key, 16);
}

void homer_map_deinit(struct homer_map *m) {
    homer_mem_free(m->mem, m->bytes, m->bytes_cap, 1);
    homer_mem_free(m->mem, m->end, m->end_cap, sizeof *m->end);
    homer_mem_free(m->mem, m->slot, m->slot_n, sizeof *m->slot);
    *m = (struct homer_map){.mem = m->mem, .key = {m->key[0], m->key[1]}};
}

const char *homer_map_key(const struct homer_map *m, uint32_t id, size_t *n) {
    size_t begin = id ? m->end[id - 1] : 0;
    *n = m->end[id] - begin;
    return m->bytes + begin;
}

/* The slot that holds the key, or the free one where it would go. */
static size_t find(const struct homer_map *m, uint64_t hash, const void *key, size_t n) {
    size_t mask = m->slot_n - 1, i = hash & mask;
    for (; m->slot[i]; i = (i + 1) & mask) {
        if ((m->slot[i] >> 32) != (hash >> 32)) continue;
        if (homer_map_is(m, (uint32_t)m->slot[i] - 1, key, n)) break;
    }
    return i;
}

uint32_t homer_map_get(const struct homer_map *m, const void *key, size_t n) {
    if (!m->n) return UINT32_MAX;
    return (uint32_t)m->slot[find(m, hash_of(m, key, n), key, n)] - 1;
}

static void place(struct homer_map *m, uint32_t id) {
    size_t n, mask = m->slot_n - 1;
    const char *key = homer_map_key(m, id, &n);
    uint64_t hash = hash_of(m, key, n);
    size_t i = hash & mask;
    while (m->slot[i]) i = (i + 1) & mask;
    m->slot[i] = (hash >> 32) << 32 | (id + 1);
}

static bool grow_slots(struct homer_map *m) {
    size_t want = m->slot_n ? m->slot_n * 2 : FIRST_SLOTS;
    uint64_t *slot = homer_mem_alloc(m->mem, want, sizeof *slot);
    if (!slot) return false;
    homer_mem_free(m->mem, m->slot, m->slot_n, sizeof *slot);
    m->slot = slot;
    m->slot_n = want;
    for (uint32_t id = 0; id < m->n; id++) place(m, id);
    return true;
}

uint32_t homer_map_add(struct homer_map *m, const void *key, size_t n) {
    uint64_t hash = hash_of(m, key, n);
    size_t at = 0;
    if (m->slot_n) {
        at = find(m, hash, key, n);
        if (m->slot[at]) return (uint32_t)m->slot[at] - 1;
    }
    void *bytes = m->bytes, *end = m->end;
    bool ok = homer_mem_room(m->mem, &bytes, &m->bytes_cap, m->bytes_n + n + 1, 1);
    m->bytes = bytes;
    ok = ok && homer_mem_room(m->mem, &end, &m->end_cap, (size_t)m->n + 1, sizeof *m->end);
    m->end = end;
    if (!ok || m->n >= UINT32_MAX - 2) return UINT32_MAX;
    if ((size_t)(m->n + 1) * 4 > m->slot_n * 3) {
        if (!grow_slots(m)) return UINT32_MAX;
        at = find(m, hash, key, n);
    }
    if (n) memcpy(m->bytes + m->bytes_n, key, n);
    m->bytes_n += n;
    m->end[m->n] = m->bytes_n;
    m->slot[at] = (hash >> 32) << 32 | (m->n + 1);
    return m->n++;
}

/* Frees slot i, moving later members of its run forward so that every probe sequence stays whole (Knuth 6.4,
 * algorithm R). */
static void vacate(struct homer_map *m, size_t i) {
    size_t mask = m->slot_n - 1;
    for (size_t j = (i + 1) & mask; m->slot[j]; j = (j + 1) & mask) {
        size_t n;
        const char *key = homer_map_key(m, (uint32_t)m->slot[j] - 1, &n);
        size_t home = hash_of(m, key, n) & mask;
        if (((j - home) & mask) < ((j - i) & mask)) continue; /* its home lies behind the hole */
        m->slot[i] = m->slot[j];
        i = j;
    }
    m->slot[i] = 0;
}

void homer_map_truncate(struct homer_map *m, uint32_t n) {
    if (n == 0 && m->n >= m->slot_n / CLEAR_SLOTS) { /* all at once is less work than one by one */
        if (m->slot_n) memset(m->slot, 0, m->slot_n * sizeof *m->slot);
        m->n = 0;
        m->bytes_n = 0;
        return;
    }
    while (m->n > n) {
        size_t k;
        const char *key = homer_map_key(m, m->n - 1, &k);
        vacate(m, find(m, hash_of(m, key, k), key, k));
        m->n--;
        m->bytes_n -= k;
    }
}

void homer_map_put_room(const struct homer_map *m, struct homer_codec *c) {
    homer_put_room(c, m->bytes_cap);
    homer_put_room(c, m->end_cap);
    homer_put_room(c, m->slot_n);
}

void homer_map_put_key(const struct homer_map *m, uint32_t id, struct homer_codec *c) {
    size_t n;
    const char *key = homer_map_key(m, id, &n);
    homer_put_bytes(c, key, n);
}

/* 0, or a power of two from `first` on. */
static size_t get_power(struct homer_decoder *d, size_t first) {
    size_t n = homer_get_long_room(d, 0);
    homer_get_holds(d, n == 0 || (n >= first && (n & (n - 1)) == 0));
    return n;
}

void homer_map_get_room(struct homer_map *m, struct homer_decoder *d) {
    m->bytes_cap = get_power(d, HOMER_MEM_FIRST_ROOM);
    m->bytes = homer_get_block(d, m->mem, m->bytes_cap, 1);
    m->end_cap = get_power(d, HOMER_MEM_FIRST_ROOM);
    m->end = homer_get_block(d, m->mem, m->end_cap, sizeof *m->end);
    m->slot_n = get_power(d, FIRST_SLOTS);
    m->slot = homer_get_block(d, m->mem, m->slot_n, sizeof *m->slot);
}

void homer_map_get_key(struct homer_map *m, size_t most, struct homer_decoder *d) {
    uint64_t n = homer_get_u64(d);
    bool room = n <= most && n < m->bytes_cap - m->bytes_n && m->n < m->end_cap &&
                ((size_t)m->n + 1) * 4 <= m->slot_n * 3;
    if (!homer_get_holds(d, room)) return;
    char *key = m->bytes + m->bytes_n;
    homer_get_bytes(d, key, n);
    uint64_t hash = hash_of(m, key, n);
    size_t i = find(m, hash, key, n);
    if (!homer_get_holds(d, m->slot[i] == 0)) return;
    m->bytes_n += n;
    m->end[m->n] = m->bytes_n;
    m->slot[i] = (hash >> 32) << 32 | (m->n + 1);
    m->n++;
}
