/* Replies: an append-only JSON writer into a byte buffer. No allocation but the buffer's; failure is the
 * buffer's sticky `failed`. Numbers are written locale-free, in the shortest form that reads back to the same
 * value. */
#ifndef HOMER_PROTO_REPLY_H
#define HOMER_PROTO_REPLY_H

#include <stdint.h>
#include "core/base/buf.h"
#include "core/base/err.h"
#include "proto/request.h"

/* Containers nest less deep than this. A level of the label hierarchy takes two, and for ten million labels
 * it has 154 (see hierarchy.h). */
enum { HOMER_REPLY_DEPTH = 512 };
/* What a client that met `busy` should wait for: a write of the log, and then some. */
enum { HOMER_REPLY_RETRY_MS = 100 };

/* Writes JSON values; commas are placed by the writer. */
struct homer_reply {
    struct homer_buf *out;
    uint64_t comma[HOMER_REPLY_DEPTH / 64]; /* bit d: something was already written at depth d */
    unsigned depth;
};

void homer_reply_init(struct homer_reply *r, struct homer_buf *out);
/* key NULL inside an array or at top level. */
void homer_reply_open(struct homer_reply *r, const char *key, char bracket); /* '{' or '[' */
void homer_reply_close(struct homer_reply *r, char bracket);                 /* '}' or ']' */
void homer_reply_bool(struct homer_reply *r, const char *key, bool v);
void homer_reply_u64(struct homer_reply *r, const char *key, uint64_t v);
void homer_reply_real(struct homer_reply *r, const char *key,
                      double v); /* shortest that reads back as this double; not finite: null */
void homer_reply_float(struct homer_reply *r, const char *key,
                       float v); /* shortest that reads back as this float */
void homer_reply_string(struct homer_reply *r, const char *key, const char *s,
                        size_t n); /* valid UTF-8, escaped */
void homer_reply_null(struct homer_reply *r, const char *key);
void homer_reply_raw(struct homer_reply *r, const char *key, const char *json, size_t n); /* already JSON */
/* A key that is itself client text (a label): as homer_reply_float with key of n bytes. */
void homer_reply_float_n(struct homer_reply *r, const char *key, size_t key_n, float v);

/* {"ok":true , and the echoed id when there is one; the caller adds fields and calls homer_reply_end. Inside
 * an array (the replies of a batch) these three write an element of it and no line end. */
void homer_reply_begin_ok(struct homer_reply *r, const struct homer_request *req);
/* Closes the object and, at top level, ends the line. */
void homer_reply_end(struct homer_reply *r);
/* A whole failure:
 * {"ok":false,"error":{"code":..,"message":..[,"limit":..],"retry":..[,"retry_ms":..]}[,"id":..]}, retry_ms
 * only where it is busy. */
void homer_reply_error(struct homer_reply *r, const struct homer_error *e, const struct homer_str *id);

#endif
