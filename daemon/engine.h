/* The engine joins names to ids: it takes request lines, runs them on the models it owns, appends replies.
 *
 * The only place that knows both proto and core. Split by verb: engine.c (models, dispatch), resolve.c (names
 * to ids), verb_*.c. Loop thread only. A failed request changes nothing. */
#ifndef HOMER_DAEMON_ENGINE_H
#define HOMER_DAEMON_ENGINE_H

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "daemon/auth.h"
#include "daemon/config.h"

struct homer_ahead;
struct homer_engine;
struct homer_store;

struct homer_clock {
    uint64_t (*now_ms)(void);  /* monotonic, for throughput and uptime only */
    uint64_t (*wall_ms)(void); /* since 1970, for the age of tracked predictions */
};

/* `config` is borrowed and must outlive the engine. It has the model "default", unless the configuration
 * names a data folder: then it has none until homer_engine_restored. 0 or -ENOMEM. */
int homer_engine_new(struct homer_engine **out, const struct homer_config *config, const uint8_t hash_key[16],
                     const struct homer_clock *clock);
struct homer_engine *homer_engine_free(struct homer_engine *e);

/* What parses its lines: told of them beforehand, it may parse them ahead (homer_conn_group_ahead,
 * homer_ahead_start). */
struct homer_ahead *homer_engine_ahead(struct homer_engine *e);

/* A homer_line_fn with the engine as ctx: one line in, its reply (if any) out. */
unsigned homer_engine_line(void *engine, struct homer_session *session, const char *text, size_t n,
                           bool too_large, struct homer_buf *out);

/* ---- durable state ----
 *
 * With a data folder: new -> recovering (lines are answered not_ready) -> decode, replay -> restored. Between
 * the first and the last of these another thread may decode and replay; then only homer_engine_line may be
 * called. */

/* From here on lines are answered with not_ready; *progress (borrowed) is how many records were replayed. */
void homer_engine_recovering(struct homer_engine *e, const _Atomic uint64_t *progress);
/* Ends the recovery: what is accepted from now on goes to `store` (borrowed), which may be NULL. Without any
 * model and log record (`fresh`), the model "default" is made. HOMER_E_BAD_REQUEST when models were built
 * with another model{} than the configuration's, unless `force`: then they go on with it, where they can. */
int homer_engine_restored(struct homer_engine *e, struct homer_store *store, bool fresh, bool force,
                          struct homer_error *err);

/* The whole state, for snapshots. */
void homer_engine_encode(const struct homer_engine *e, struct homer_codec *c);
/* Into an engine without models. On failure it has none again. 0, -ENOMEM, -EBADMSG or what the decoder met.
 */
int homer_engine_decode(struct homer_engine *e, struct homer_decoder *d);
/* One record of the log; see journal.h. */
int homer_engine_replay(struct homer_engine *e, const char *payload, size_t n, struct homer_error *err);

/* What `auth` compares with. Borrowed; may change between lines. Unset: no token is right, so that a session
 * has to begin as a trusted one. */
void homer_engine_guard(struct homer_engine *e, const struct homer_auth *auth);

/* For `stats`: where the connections' counters are. Borrowed; may stay unset. */
void homer_engine_watch(struct homer_engine *e, const struct homer_conn_stats *stats);

#endif
