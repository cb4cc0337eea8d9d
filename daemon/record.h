/* An accepted request as a payload of the log: a compact binary form with a version.
 *
 * Canonical: equal requests give equal bytes, and only what encode writes decodes. Decoding checks
 * everything, so that any bytes give a request that keeps the promises of proto/request.h (but for UTF-8,
 * which the checksum of the log vouches for, and for limits of the configuration) or a clean error. Integers
 * are LEB128 of the least length, numbers little-endian (32 bits where that is exact), strings length first:
 *
 *   version u8 = 1 | kind u8 | fields (bits, below) | time_ms | model | fields, in the order of their bits
 *
 * An entry of a bag that follows another one of it leaves out the name.
 *
 * Loop thread. */
#ifndef HOMER_DAEMON_RECORD_H
#define HOMER_DAEMON_RECORD_H

#include "proto/request.h"

enum homer_record_kind {
    HOMER_RECORD_LEARN = 1,    /* x or text or both, y; weight, src, n */
    HOMER_RECORD_TRACK,        /* a tracked predict: x or text or both, ref = its id */
    HOMER_RECORD_LABEL,        /* ref, y, and x or text or both as the prediction had them; weight, src, n */
    HOMER_RECORD_MODEL_CREATE, /* name; config */
    HOMER_RECORD_MODEL_DROP,   /* name */
    HOMER_RECORD_MODEL_CONFIG, /* name, config: an existing model goes on with another configuration */
    HOMER_RECORD_KINDS
};

struct homer_record {
    enum homer_record_kind kind;
    bool flag;        /* one bit that the caller gives a meaning */
    uint64_t time_ms; /* when it was accepted; the caller's clock */
    /* model, x, text, y, weight, src, n, ref, name, config of it count, as far as the kind has them */
    const struct homer_request *request;
};

/* Bytes that encode writes. */
size_t homer_record_size(const struct homer_record *r);
/* Writes homer_record_size bytes; cannot fail. The request is one that was parsed, with the fields that its
 * kind needs (above) and no others. */
void homer_record_encode(const struct homer_record *r, char *out);
/* No request that was parsed within these limits takes more bytes: for homer_wal_options.max_record. */
size_t homer_record_bound(const struct homer_request_limits *limits);

/* Fills *r and *into (initialised; its memory is used over and over), which r->request then points to, with
 * `op` (none for a configuration) and `track` as the kind says. Its strings point into payload[n], its arrays
 * are its own until it is used again. 0; HOMER_E_BAD_REQUEST when the bytes are no record of a version and
 * kind that this program knows, *err (may be NULL) says what is wrong and at which byte; -ENOMEM. */
int homer_record_decode(struct homer_record *r, struct homer_request *into, const char *payload, size_t n,
                        struct homer_error *err);

#endif
