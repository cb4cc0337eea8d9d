/* The write-ahead log: records of accepted requests, numbered 1, 2, 3, ... across all segments, appended in
 * memory on the loop thread and written and synced in batches on a pool thread (group commit).
 *
 *   loop:  reserve, append, reserve, append, ... take      pool:  write      loop:  done      (and again)
 *
 * While a batch is in flight the loop goes on appending to the next one. The disk space of the current
 * segment and of one spare segment is taken ahead, and a record is accepted only while all that is pending
 * fits: a full disk is noticed before a record is accepted, never after. A segment that is full is synced
 * before the next one gets a record, whatever the durability, so that a log never has a hole in its middle.
 *
 * When writing or syncing fails, the segment is left alone (after a failed sync nobody knows what the disk
 * has, and asking again does not tell) and records are refused until a retry, which the caller starts now and
 * then, has written and synced again all that is not durable into a fresh segment. For that, records are kept
 * in memory until they are durable (keep_unsynced), or until they are written.
 *
 * Memory is charged to `mem`, which belongs to the loop thread; the pool thread allocates nothing. Layout on
 * disk: wal_format.h. Reading: wal_read.h. */
#ifndef HOMER_DAEMON_WAL_H
#define HOMER_DAEMON_WAL_H

#include "core/base/err.h"
#include "core/base/mem.h"
#include "daemon/files.h"

struct homer_wal;

struct homer_wal_options {
    uint64_t segment_bytes; /* of a segment's disk space; 0 = 64 MiB */
    size_t max_record;      /* bytes of the largest payload; segments are made large enough for it */
    bool keep_unsynced;     /* durability always or interval: records stay in memory until they are durable */
    uint64_t salt; /* random, known to nobody outside: no payload can be made to look like a record */
};

struct homer_wal_counters {
    uint64_t records, bytes; /* appended; bytes with what frames them */
    uint64_t syncs;          /* that succeeded */
    uint64_t segments;       /* begun */
    uint64_t failures;       /* jobs that failed */
    uint64_t removed;        /* segments deleted behind a snapshot; may lag by one job */
    uint64_t pending_bytes;  /* appended, not yet written; with what is kept for a retry */
};

/* Opens the log in an existing folder for appending: makes what is there durable, then starts a fresh segment
 * whose first record will be `next_sequence` (>= 1), durably, and takes the spare. Never appends to an old
 * segment. All that is on disk below next_sequence counts as durable. Blocks. *files is borrowed, dir is
 * copied. HOMER_E_INTERNAL when the folder holds valid records at or after next_sequence, which a recovery
 * has to read first; -ENOMEM; what a file operation returned. *err says what and where. */
int homer_wal_open(struct homer_wal **out, struct homer_mem *mem, const struct homer_files *files,
                   const char *dir, const struct homer_wal_options *options, uint64_t next_sequence,
                   struct homer_error *err);

/* Room for one record's payload of at most n bytes, in the open batch; valid until the next call but append.
 * Nothing changes: it may be left unused. 0, or HOMER_E_READ_ONLY  the log is failing, or the disk had no
 * space for another segment HOMER_E_BUSY       two segments are full of what still has to be written: the
 * disk is slower than the clients HOMER_E_TOO_LARGE  n > max_record -ENOMEM *err (may be NULL) says why. */
int homer_wal_reserve(struct homer_wal *w, size_t n, char **room, struct homer_error *err);
/* The first n bytes of that room (n as reserved or less) become the next record; its sequence. Cannot fail.
 */
uint64_t homer_wal_append(struct homer_wal *w, size_t n);

/* Number of the open batch: 1 at first, one more with each batch that was taken. */
uint64_t homer_wal_batch(const struct homer_wal *w);
/* Sequence of the last record appended; of the last one that the operating system has, as far as done() was
 * told, which survives the process unless the log fails before it is durable; of the last one that is
 * durable, which survives the power. They never go back. */
uint64_t homer_wal_last(const struct homer_wal *w);
uint64_t homer_wal_written(const struct homer_wal *w);
uint64_t homer_wal_durable(const struct homer_wal *w);

/* Closes the open batch and prepares a job, when none is in flight and there is something to do: records to
 * write; with `sync`, written ones to sync. `retry` also starts one when the log is failing (then nothing
 * else does) or lacks its spare segment: pass it from a timer, once a second, and false elsewhere. True: call
 * homer_wal_write on a pool thread, then homer_wal_done here. */
bool homer_wal_take(struct homer_wal *w, bool sync, bool retry);
/* Pool thread; blocks. Writes the batch taken, syncs when that was asked for or much is unsynced, prepares
 * the spare. 0, or what failed. */
int homer_wal_write(struct homer_wal *w);
/* Ends the job: `rc` is what homer_wal_write returned. `written` and `durable` move on, or the log is
 * failing. Not between reserve and append. */
void homer_wal_done(struct homer_wal *w, int rc);

/* True while records are refused: the last job failed, or a record found no room since there was no space for
 * a spare. *why (may be NULL) says it, until the next call of done; "" while false. */
bool homer_wal_failing(const struct homer_wal *w, const char **why);
struct homer_wal_counters homer_wal_counters(const struct homer_wal *w);

/* Any thread, one at a time, also while a job is in flight. Deletes, durably, the segments that hold only
 * records below `sequence`; never the newest one. Blocks. How many were deleted, or what failed. */
int homer_wal_remove_before(struct homer_wal *w, uint64_t sequence);

/* Loop thread, no job in flight; blocks. Writes and syncs what is pending (one more retry when the log is
 * failing), gives the unused disk space back, frees. 0, or why not everything appended is durable. w may be
 * NULL. */
int homer_wal_close(struct homer_wal *w);

#endif
