/* Predictions whose labels are still to come: the instances of `predict` with `track`, by model and ref.
 *
 * An instance is kept as the payload of its log record (record.h), so that it outlives the model's ids. The
 * table is bounded in count, bytes and age: what is over a bound expires, the oldest first, and is counted.
 * Part of the durable state, not of the digest. Loop thread only. */
#ifndef HOMER_DAEMON_PENDING_H
#define HOMER_DAEMON_PENDING_H

#include "core/base/codec.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "proto/request.h"

struct homer_pending_limits {
    size_t count;    /* instances */
    size_t bytes;    /* of their payloads and names together */
    uint64_t age_ms; /* since they were predicted */
};

struct homer_pending_item {
    struct homer_pending_item *older, *newer; /* in order of arrival */
    struct homer_pending_item *next;          /* same slot */
    uint64_t hash;
    uint64_t time_ms; /* wall clock, milliseconds since 1970, when it was predicted */
    size_t model_n, ref_n, payload_n;
    char bytes[]; /* model, ref, payload */
};

struct homer_pending {
    struct homer_mem *mem;
    struct homer_pending_limits limits;
    uint8_t hash_key[16];
    struct homer_pending_item **slot; /* [slot_n], a power of two */
    size_t slot_n;
    struct homer_pending_item *oldest, *newest;
    size_t n, bytes;
    uint64_t expired; /* so far */
};

void homer_pending_init(struct homer_pending *p, struct homer_mem *mem, const uint8_t hash_key[16],
                        const struct homer_pending_limits *limits);
void homer_pending_deinit(struct homer_pending *p);

/* NULL = unknown or expired. Borrowed until the table changes. */
struct homer_pending_item *homer_pending_find(const struct homer_pending *p, struct homer_str model,
                                              struct homer_str ref);
/* The payload of an item. */
struct homer_str homer_pending_payload(const struct homer_pending_item *item);

/* Makes an item that homer_pending_put can take without failing; its payload (payload_n bytes) is for the
 * caller to fill. -ENOMEM; HOMER_E_TOO_MANY when it alone is over the bounds. Unused, it is dropped. */
int homer_pending_make(struct homer_pending *p, struct homer_str model, struct homer_str ref,
                       size_t payload_n, uint64_t time_ms, struct homer_pending_item **out,
                       struct homer_error *err);
char *homer_pending_room(struct homer_pending_item *item);
void homer_pending_drop(struct homer_pending *p, struct homer_pending_item *made);
/* Adds what homer_pending_make gave, in place of an older one of the same model and ref; expires what is then
 * over a bound. */
void homer_pending_put(struct homer_pending *p, struct homer_pending_item *made);
void homer_pending_remove(struct homer_pending *p, struct homer_pending_item *item);
/* All of a model, which is dropped; they do not count as expired. */
void homer_pending_forget(struct homer_pending *p, struct homer_str model);
/* Expires what is older than the age allowed. */
void homer_pending_expire(struct homer_pending *p, uint64_t now_ms);

void homer_pending_encode(const struct homer_pending *p, struct homer_codec *c);
/* Into an empty table; what is over its bounds expires. 0, -ENOMEM, -EBADMSG or what the decoder met. */
int homer_pending_decode(struct homer_pending *p, struct homer_decoder *d);

#endif
