/* The data folder: a lock, the write-ahead log, snapshots.
 *
 * The engine asks for room before it changes anything (reserve) and appends once it has. After each round of
 * turns what was appended goes to the disk as one batch, on libuv's pool: with an fdatasync where durability
 * is `always`, or when the interval is over. Then the replies that waited for that batch are released.
 *
 * When writing or syncing fails, nothing more is accepted (read_only) until a retry in a fresh segment, once
 * a second, succeeds; what was appended waits for that. Replies that have waited longer than ack_timeout_ms
 * are given up: their connections are closed.
 *
 * A snapshot is written by a child process, which has the state as it was at the fork; learning goes on
 * meanwhile. It gets its name only when the log is durable up to its sequence. Loop thread only. */
#ifndef HOMER_DAEMON_STORE_H
#define HOMER_DAEMON_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "daemon/files.h"
#include "proto/request.h"

struct homer_conn_group;
struct homer_engine;
struct homer_store;

enum homer_durability { HOMER_DURABILITY_ALWAYS = 0, HOMER_DURABILITY_INTERVAL, HOMER_DURABILITY_NONE };

struct homer_store_config {
    char *dir;      /* NULL = nothing is kept */
    int durability; /* enum homer_durability */
    uint64_t sync_interval_ms;
    uint64_t ack_timeout_ms; /* how long a reply may wait for a log that fails */
    uint64_t segment_bytes;  /* of the log */
    struct {
        uint64_t every_instances; /* a snapshot after so many records; 0 = not by that */
        uint64_t every_seconds;   /* when anything was accepted since the last one; 0 = not by that */
        uint64_t every_bytes;     /* of log since the last one; 0 = not by that */
        unsigned keep;            /* newest snapshots that stay */
    } snapshot;
};

/* "always", "interval" or "none": what an acknowledgement means; "none" without a data folder. */
const char *homer_store_promise(const struct homer_store_config *c);

/* Makes the data folder if it is missing, and locks it. 0; -EWOULDBLOCK when another daemon has it; or what
 * failed. *lock is for homer_store_new, or homer_file_close. */
int homer_store_lock(const struct homer_files *files, const char *dir, int *lock, struct homer_error *err);

struct homer_store_options {
    const struct homer_files *files;
    const struct homer_store_config *config;
    size_t max_record; /* bytes of the largest record */
    uint64_t salt;     /* random */
    uint64_t last;     /* sequence of the last record that was recovered; 0 = none */
    uint64_t snapshot; /* of the newest snapshot; 0 = none */
    struct homer_engine *engine;
    struct homer_conn_group *group;
    int lock; /* of homer_store_lock; closed at the end */
};

/* Opens the log for records behind `last`. *options is copied, what it points to is borrowed. On failure the
 * lock stays open. 0, -ENOMEM or what failed, as err says. */
int homer_store_new(struct homer_store **out, uv_loop_t *loop, const struct homer_store_options *options,
                    struct homer_error *err);
/* Stops timers and lets jobs end: call it when no line is handled any more, and run the loop to its end. */
void homer_store_stop(struct homer_store *s);
/* After the loop: writes and syncs what is left, takes a last snapshot if anything was accepted since the
 * last one, closes and unlocks. 0, or why something that was accepted may be lost; a failed snapshot is only
 * logged. s may be NULL. */
int homer_store_close(struct homer_store *s);

/* Room for a record of n bytes, until the next call. 0; -ENOMEM; HOMER_E_READ_ONLY, HOMER_E_BUSY (retry is
 * set). */
int homer_store_reserve(struct homer_store *s, size_t n, char **room, struct homer_error *err);
/* Makes the n bytes in that room the next record. */
void homer_store_append(struct homer_store *s, size_t n);

/* True when a reply has to wait for the open batch: durability is `always`, and not all that was appended is
 * durable. */
bool homer_store_is_behind(const struct homer_store *s);

/* Takes a snapshot as soon as possible; session `session`, whose line was answered with HOMER_LINE_WAIT, is
 * told when it is there: seq and digest of that model, with the id (JSON text, or NULL). 0; -ENOMEM;
 * HOMER_E_BUSY when too many wait already. */
int homer_store_snapshot(struct homer_store *s, uint64_t session, struct homer_str model, struct homer_str id,
                         struct homer_error *err);

/* Appends the fields "log" and "snapshots" for `stats`. */
struct homer_reply;
void homer_store_stats(const struct homer_store *s, struct homer_reply *r);

#endif
