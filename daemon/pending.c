#include "daemon/pending.h"

#include <errno.h>
#include <string.h>
#include "core/base/sum.h"

enum { FIRST_SLOTS = 64, ITEM_MAX = 1 << 30 /* bytes, when reading */ };

void homer_pending_init(struct homer_pending *p, struct homer_mem *mem, const uint8_t hash_key[16],
                        const struct homer_pending_limits *limits) {
    *p = (struct homer_pending){.mem = mem, .limits = *limits};
    memcpy(p->hash_key, hash_key, sizeof p->hash_key);
}

static size_t size_of(const struct homer_pending_item *i) {
    return sizeof *i + i->model_n + i->ref_n + i->payload_n;
}

void homer_pending_drop(struct homer_pending *p, struct homer_pending_item *made) {
    if (made) homer_mem_free(p->mem, made, 1, size_of(made));
}

void homer_pending_deinit(struct homer_pending *p) {
    while (p->oldest) homer_pending_remove(p, p->oldest);
    p->slot = homer_mem_free(p->mem, p->slot, p->slot_n, sizeof(struct homer_pending_item *));
    p->slot_n = 0;
}

/* Keyed, since clients choose the names. */
static uint64_t hash_of(const struct homer_pending *p, struct homer_str model, struct homer_str ref) {
    uint64_t seed;
    memcpy(&seed, p->hash_key, sizeof seed);
    return homer_sum64(homer_sum64(seed, model.s, model.n), ref.s, ref.n);
}

static struct homer_pending_item **slot_of(const struct homer_pending *p, uint64_t hash) {
    return &p->slot[hash & (p->slot_n - 1)];
}

struct homer_pending_item *homer_pending_find(const struct homer_pending *p, struct homer_str model,
                                              struct homer_str ref) {
    if (!p->n) return NULL;
    uint64_t hash = hash_of(p, model, ref);
    for (struct homer_pending_item *i = *slot_of(p, hash); i; i = i->next)
        if (i->hash == hash && i->model_n == model.n && i->ref_n == ref.n &&
            memcmp(i->bytes, model.s, model.n) == 0 && memcmp(i->bytes + model.n, ref.s, ref.n) == 0)
            return i;
    return NULL;
}

char *homer_pending_room(struct homer_pending_item *item) {
    return item->bytes + item->model_n + item->ref_n;
}

struct homer_str homer_pending_payload(const struct homer_pending_item *item) {
    return (struct homer_str){item->bytes + item->model_n + item->ref_n, item->payload_n};
}

static bool grow(struct homer_pending *p) {
    size_t n = p->slot_n ? p->slot_n * 2 : FIRST_SLOTS;
    struct homer_pending_item **slot = homer_mem_alloc(p->mem, n, sizeof(struct homer_pending_item *));
    if (!slot) return false;
    homer_mem_free(p->mem, p->slot, p->slot_n, sizeof(struct homer_pending_item *));
    p->slot = slot;
    p->slot_n = n;
    for (struct homer_pending_item *i = p->oldest; i; i = i->newer) {
        struct homer_pending_item **at = slot_of(p, i->hash);
        i->next = *at;
        *at = i;
    }
    return true;
}

static struct homer_pending_item *item_new(struct homer_pending *p, size_t model_n, size_t ref_n,
                                           size_t payload_n) {
    if (p->n >= p->slot_n && !grow(p)) return NULL;
    struct homer_pending_item *i = homer_mem_alloc(p->mem, 1, sizeof *i + model_n + ref_n + payload_n);
    if (!i) return NULL;
    i->model_n = model_n;
    i->ref_n = ref_n;
    i->payload_n = payload_n;
    return i;
}

static struct homer_str model_of(const struct homer_pending_item *i) {
    return (struct homer_str){i->bytes, i->model_n};
}

static struct homer_str ref_of(const struct homer_pending_item *i) {
    return (struct homer_str){i->bytes + i->model_n, i->ref_n};
}

int homer_pending_make(struct homer_pending *p, struct homer_str model, struct homer_str ref,
                       size_t payload_n, uint64_t time_ms, struct homer_pending_item **out,
                       struct homer_error *err) {
    size_t size = sizeof(struct homer_pending_item) + model.n + ref.n + payload_n;
    if (size > p->limits.bytes)
        return homer_err_limit(err, HOMER_E_TOO_MANY, "max_tracked_bytes",
                               "an instance of %zu bytes cannot be tracked, %zu are allowed for all together",
                               size, p->limits.bytes);
    struct homer_pending_item *i = item_new(p, model.n, ref.n, payload_n);
    if (!i) return -ENOMEM;
    i->hash = hash_of(p, model, ref);
    i->time_ms = time_ms;
    memcpy(i->bytes, model.s, model.n);
    memcpy(i->bytes + model.n, ref.s, ref.n);
    *out = i;
    return 0;
}

static void expire_oldest(struct homer_pending *p) {
    homer_pending_remove(p, p->oldest);
    p->expired++;
}

void homer_pending_put(struct homer_pending *p, struct homer_pending_item *made) {
    struct homer_pending_item *same = homer_pending_find(p, model_of(made), ref_of(made));
    if (same) homer_pending_remove(p, same);
    size_t size = size_of(made);
    while (p->n && (p->n >= p->limits.count || p->bytes + size > p->limits.bytes)) expire_oldest(p);
    struct homer_pending_item **at = slot_of(p, made->hash);
    made->next = *at;
    *at = made;
    made->older = p->newest;
    made->newer = NULL;
    if (p->newest)
        p->newest->newer = made;
    else
        p->oldest = made;
    p->newest = made;
    p->n++;
    p->bytes += size;
}

void homer_pending_remove(struct homer_pending *p, struct homer_pending_item *item) {
    struct homer_pending_item **at = slot_of(p, item->hash);
    while (*at != item) at = &(*at)->next;
    *at = item->next;
    if (item->older)
        item->older->newer = item->newer;
    else
        p->oldest = item->newer;
    if (item->newer)
        item->newer->older = item->older;
    else
        p->newest = item->older;
    p->n--;
    p->bytes -= size_of(item);
    homer_pending_drop(p, item);
}

void homer_pending_forget(struct homer_pending *p, struct homer_str model) {
    for (struct homer_pending_item *i = p->oldest, *newer; i; i = newer) {
        newer = i->newer;
        if (i->model_n == model.n && memcmp(i->bytes, model.s, model.n) == 0) homer_pending_remove(p, i);
    }
}

void homer_pending_expire(struct homer_pending *p, uint64_t now_ms) {
    while (p->oldest && now_ms > p->oldest->time_ms && now_ms - p->oldest->time_ms > p->limits.age_ms)
        expire_oldest(p);
}

void homer_pending_encode(const struct homer_pending *p, struct homer_codec *c) {
    homer_put_u64(c, p->expired);
    homer_put_u64(c, p->n);
    for (const struct homer_pending_item *i = p->oldest; i; i = i->newer) {
        homer_put_u64(c, i->time_ms);
        homer_put_u64(c, i->model_n);
        homer_put_u64(c, i->ref_n);
        homer_put_bytes(c, i->bytes, i->model_n + i->ref_n + i->payload_n);
    }
}

static int decode_item(struct homer_pending *p, struct homer_decoder *d) {
    uint64_t time_ms = homer_get_u64(d), model_n = homer_get_u64(d), ref_n = homer_get_u64(d);
    uint64_t n = homer_get_u64(d);
    if (!homer_get_holds(d, n <= ITEM_MAX && model_n <= n && ref_n <= n - model_n)) return d->error;
    struct homer_pending_item *i = item_new(p, (size_t)model_n, (size_t)ref_n, (size_t)(n - model_n - ref_n));
    if (!i) return -ENOMEM;
    i->time_ms = time_ms;
    homer_get_bytes(d, i->bytes, (size_t)n);
    i->hash = hash_of(p, model_of(i), ref_of(i));
    if (d->error)
        homer_pending_drop(p, i);
    else
        homer_pending_put(p, i);
    return d->error;
}

int homer_pending_decode(struct homer_pending *p, struct homer_decoder *d) {
    uint64_t expired = homer_get_u64(d), n = homer_get_u64(d);
    int rc = d->error;
    for (uint64_t i = 0; i < n && !rc; i++) rc = decode_item(p, d);
    p->expired += expired;
    return rc;
}
