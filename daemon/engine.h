/* The engine joins names to ids: it takes request lines, runs them on the models it owns, appends replies.
 *
 * The only place that knows both proto and core. Split by verb: engine.c (models, dispatch), resolve.c (names
 * to ids), verb_*.c. Loop thread only. A failed request changes nothing. */
#ifndef HOMER_DAEMON_ENGINE_H
#define HOMER_DAEMON_ENGINE_H

#include "core/base/buf.h"
#include "daemon/auth.h"
#include "daemon/config.h"

struct homer_engine;

/* `config` is borrowed and must outlive the engine. now_ms: monotonic milliseconds, for throughput and uptime
 * only. 0 or -ENOMEM. */
int homer_engine_new(struct homer_engine **out, const struct homer_config *config, const uint8_t hash_key[16],
                     uint64_t (*now_ms)(void));
struct homer_engine *homer_engine_free(struct homer_engine *e);

/* A homer_line_fn with the engine as ctx: one line in, its reply (if any) out. */
unsigned homer_engine_line(void *engine, struct homer_session *session, const char *text, size_t n,
                           bool too_large, struct homer_buf *out);

/* What `auth` compares with. Borrowed; may change between lines. Unset: no token is right, so that a session
 * has to begin as a trusted one. */
void homer_engine_guard(struct homer_engine *e, const struct homer_auth *auth);

/* For `stats`: where the connections' counters are. Borrowed; may stay unset. */
void homer_engine_watch(struct homer_engine *e, const struct homer_conn_stats *stats);

#endif
