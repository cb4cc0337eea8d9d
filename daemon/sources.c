#include "daemon/sources.h"

#include <errno.h>

enum { SOURCE_NAME = 65535 /* bytes: limits.max_name at its most */ };

void homer_sources_init(struct homer_sources *s, struct homer_mem *mem, const uint8_t hash_key[16],
                        unsigned max) {
    *s = (struct homer_sources){.max = max};
    homer_map_init(&s->name, mem, hash_key);
}

void homer_sources_deinit(struct homer_sources *s) {
    s->at = homer_mem_free(s->name.mem, s->at, s->cap, sizeof *s->at);
    s->cap = 0;
    homer_map_deinit(&s->name);
}

const struct homer_source *homer_sources_find(const struct homer_sources *s, struct homer_str src) {
    uint32_t id = homer_map_get(&s->name, src.s, src.n);
    return id == UINT32_MAX ? NULL : &s->at[id];
}

int homer_sources_reserve(struct homer_sources *s, struct homer_str src, uint32_t *id,
                          struct homer_error *err) {
    *id = homer_map_get(&s->name, src.s, src.n);
    if (*id != UINT32_MAX) return 0;
    if (s->name.n >= s->max)
        return homer_err_limit(err, HOMER_E_TOO_MANY, "max_sources",
                               "the model already knows %u sources; use one of them, or raise the limit",
                               s->max);
    if (s->name.n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        struct homer_source *at = homer_mem_grow(s->name.mem, s->at, s->cap, cap, sizeof *at);
        if (!at) return -ENOMEM;
        s->at = at;
        s->cap = cap;
    }
    *id = homer_map_add(&s->name, src.s, src.n);
    if (*id == UINT32_MAX) return -ENOMEM;
    s->at[*id] = (struct homer_source){0};
    return 0;
}

void homer_sources_cancel(struct homer_sources *s, uint32_t id) {
    if (id + 1 == s->name.n && s->at[id].seq == 0) homer_map_truncate(&s->name, id);
}

void homer_sources_set(struct homer_sources *s, uint32_t id, uint64_t n, uint64_t seq) {
    s->at[id] = (struct homer_source){.n = n, .seq = seq};
}

void homer_sources_encode(const struct homer_sources *s, struct homer_codec *c) {
    homer_put_u32(c, s->name.n);
    for (uint32_t i = 0; i < s->name.n; i++) {
        size_t n;
        const char *name = homer_map_key(&s->name, i, &n);
        homer_put_bytes(c, name, n);
        homer_put_u64(c, s->at[i].n);
        homer_put_u64(c, s->at[i].seq);
    }
}

int homer_sources_decode(struct homer_sources *s, struct homer_decoder *d) {
    uint32_t n = homer_get_u32(d);
    unsigned max = s->max;
    int rc = d->error;
    s->max = UINT32_MAX; /* what was known stays known */
    for (uint32_t i = 0; i < n && !rc; i++) {
        char name[SOURCE_NAME];
        uint64_t name_n = homer_get_u64(d);
        if (!homer_get_holds(d, name_n >= 1 && name_n <= sizeof name)) break;
        homer_get_bytes(d, name, (size_t)name_n);
        struct homer_source source = {.n = homer_get_u64(d), .seq = homer_get_u64(d)};
        uint32_t id = 0;
        rc = d->error ? d->error
                      : homer_sources_reserve(s, (struct homer_str){name, (size_t)name_n}, &id, NULL);
        if (rc == 0 && id != i) rc = -EBADMSG; /* a name twice */
        if (rc == 0) homer_sources_set(s, id, source.n, source.seq);
    }
    s->max = max;
    return rc ? rc : d->error;
}
