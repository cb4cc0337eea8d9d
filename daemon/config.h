/* The daemon's configuration: defaults, a JSON file, --set key=value; one table (config_keys.c) names every
 * key, its type, range, default and meaning, and everything else is derived from it: parsing, checking,
 * printing, documentation test. Unknown or ill-typed keys are refused by name. Nothing here starts anything.
 */
#ifndef HOMER_DAEMON_CONFIG_H
#define HOMER_DAEMON_CONFIG_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/model.h"
#include "daemon/conn.h"
#include "daemon/pending.h"
#include "daemon/store.h"
#include "proto/request.h"

enum { HOMER_MAX_LISTEN = 16 };

struct homer_config {
    char *listen[HOMER_MAX_LISTEN]; /* HOST:PORT; port 0 = any free one */
    unsigned listen_n;
    char *unix_path;          /* NULL = none */
    char *token_file;         /* NULL = everybody who connects is trusted */
    char *tls_cert, *tls_key; /* NULL = TCP without TLS */
    char *user;               /* whom to become; NULL = nobody else */
    struct homer_request_limits request;
    struct homer_conn_limits conn;
    unsigned decode_threads;
    unsigned max_models;
    unsigned max_sources; /* of one model */
    struct homer_pending_limits pending;
    struct homer_store_config store;
    size_t max_reply;     /* bytes of a batch's reply, after which its further items are refused */
    uint64_t shutdown_ms; /* at most this long from SIGTERM to the last reply */
    int log_level;        /* enum homer_log_level */
    char *log_file;       /* NULL = standard error */
    struct homer_model_config model;
    void (*on_problem)(const struct homer_error *problem); /* NULL = nobody listens; see below */
};

/* The defaults. 0 or -ENOMEM, after which only deinit may be called. */
int homer_config_init(struct homer_config *c);
void homer_config_deinit(struct homer_config *c);

/* All of these go on after a problem as far as they can: every problem is told to c->on_problem (may be
 * NULL), the first one is what they return. A key with a problem keeps its value. */

/* Reads a JSON file over what *c holds. HOMER_E_BAD_REQUEST with the key (and line, for syntax) in err, or
 * negative errno. */
int homer_config_load(struct homer_config *c, const char *path, struct homer_error *err);
/* "limits.max_line=65536": value is JSON, or a plain word for string keys. */
int homer_config_set(struct homer_config *c, const char *assignment, struct homer_error *err);
/* Listens there and nowhere else: replaces `listen` and `unix` both. unix_path may be NULL; at most
 * HOMER_MAX_LISTEN. 0 or -ENOMEM. */
int homer_config_listen(struct homer_config *c, const char *const *listen, unsigned n, const char *unix_path);
/* After everything was read: what depends on several keys, addresses given to homer_config_listen, and the
 * files of the token, the certificate and its key, which are read. */
int homer_config_check(const struct homer_config *c, struct homer_error *err);
/* Reads the JSON text of a model{} object over *m: for model.create. On failure *m is unchanged. */
int homer_config_model(struct homer_model_config *m, struct homer_str json, struct homer_error *err);
/* The first key, "model. ..." (static), in which two models' configurations differ; NULL: in none. */
const char *homer_config_difference(const struct homer_model_config *a, const struct homer_model_config *b);
/* Appends the effective configuration as one JSON object. */
void homer_config_print(const struct homer_config *c, struct homer_buf *out);
void homer_config_print_model(const struct homer_model_config *m, struct homer_buf *out);

#endif
