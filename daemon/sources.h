/* Who has sent what: for each source (`src`) of a model the highest number (`n`) learned, so that a request
 * that is sent again is learned once. Part of the durable state and of the digest. Loop thread only. */
#ifndef HOMER_DAEMON_SOURCES_H
#define HOMER_DAEMON_SOURCES_H

#include "core/base/codec.h"
#include "core/base/err.h"
#include "core/base/map.h"
#include "proto/request.h"

struct homer_source {
    uint64_t n;   /* highest number learned */
    uint64_t seq; /* the instance that it was */
};

struct homer_sources {
    struct homer_map name;
    struct homer_source *at; /* [name.n] of cap */
    size_t cap;
    unsigned max; /* of name.n */
};

/* `mem` is charged and outlives it; max: limits.max_sources. */
void homer_sources_init(struct homer_sources *s, struct homer_mem *mem, const uint8_t hash_key[16],
                        unsigned max);
void homer_sources_deinit(struct homer_sources *s);

/* What is known of a source; NULL when nothing is. Borrowed until the next reserve. */
const struct homer_source *homer_sources_find(const struct homer_sources *s, struct homer_str src);
/* Makes room, so that homer_sources_set of this source cannot fail. -ENOMEM; HOMER_E_TOO_MANY over `max`.
 * homer_sources_cancel forgets a source that was only reserved. */
int homer_sources_reserve(struct homer_sources *s, struct homer_str src, uint32_t *id,
                          struct homer_error *err);
void homer_sources_cancel(struct homer_sources *s, uint32_t id);
void homer_sources_set(struct homer_sources *s, uint32_t id, uint64_t n, uint64_t seq);

void homer_sources_encode(const struct homer_sources *s, struct homer_codec *c);
/* Into an empty table. 0, -ENOMEM, -EBADMSG or what the decoder met. */
int homer_sources_decode(struct homer_sources *s, struct homer_decoder *d);

#endif
