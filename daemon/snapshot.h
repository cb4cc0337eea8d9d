/* Snapshots: the whole state as one file of the data folder.
 *
 * `snapshot-<sequence, 16 hexadecimal digits>` holds the state after the log record of that sequence: a
 * header (magic, format version, sequence), the state as one zstd frame, and a trailer (bytes of the state,
 * XXH3-128 of all before it). It is written under another name, synced, read back and compared, renamed,
 * and the folder synced: a file of that name is whole, unless the disk has damaged it, which reading finds
 * before anything is decoded. Blocking; any thread; no state. */
#ifndef HOMER_DAEMON_SNAPSHOT_H
#define HOMER_DAEMON_SNAPSHOT_H

#include "core/base/codec.h"
#include "core/base/err.h"
#include "daemon/numbered.h"

#define HOMER_SNAPSHOT_PREFIX "snapshot-" /* of their names: see numbered.h */

/* Where snapshots are. */
struct homer_snapshots {
    const struct homer_files *files;
    const char *dir;
};

/* Writes the snapshot of `sequence`, with the state that encode(ctx, codec) puts. Before it gets its name,
 * may_publish(arg) is asked (NULL: nobody is): what it returns, if not 0, ends it. 0, -ENOMEM, or the
 * negative errno of the operation that failed; err says which. What was there before stays in any case. */
int homer_snapshot_write(const struct homer_snapshots *s, uint64_t sequence,
                         void (*encode)(void *ctx, struct homer_codec *c), void *ctx,
                         int (*may_publish)(void *arg), void *arg, struct homer_error *err);
/* Checks the snapshot of `sequence` as a whole, then gives its state to decode (NULL: only checks), whose
 * error is passed on. -EBADMSG: damaged, or of another version, as err says. */
int homer_snapshot_read(const struct homer_snapshots *s, uint64_t sequence,
                        int (*decode)(void *ctx, struct homer_decoder *d), void *ctx,
                        struct homer_error *err);

/* Removes what is older than the newest `keep` that are whole, which are read for that but for `known`, which
 * has been just now (0: none), and what an interrupted writing has left; *oldest is the sequence of the
 * oldest whole one that stays, 0 without any. 0 or negative errno. */
int homer_snapshot_prune(const struct homer_snapshots *s, size_t keep, uint64_t known, uint64_t *oldest);

#endif
