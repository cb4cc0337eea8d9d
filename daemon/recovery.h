/* Bringing back what a data folder holds: the newest snapshot that is whole, then the log behind it.
 *
 * Blocking; runs on a thread of the pool while nobody else touches the engine. */
#ifndef HOMER_DAEMON_RECOVERY_H
#define HOMER_DAEMON_RECOVERY_H

#include <stdatomic.h>

#include "daemon/engine.h"
#include "daemon/wal_read.h"

struct homer_restore {
    const struct homer_files *files; /* in: */
    const char *dir;
    struct homer_engine *engine;
    _Atomic uint64_t records; /* out, also meanwhile: replayed so far */
    atomic_bool cancel;       /* in: set it to end early, with -ECANCELED */
    uint64_t snapshot;        /* sequence of the snapshot that was used; 0 = none */
    uint64_t damaged;         /* snapshots that could not be used */
    uint64_t last;            /* sequence of the last record in the state */
    struct homer_wal_report log;
};

/* 0, or what went wrong, as err says; the engine then has whatever was brought back so far, and is only good
 * to be freed. */
int homer_restore(struct homer_restore *r, struct homer_error *err);

/* What `homerd --repair` does: cuts the log before its first damage, keeping copies, and says on stdout what
 * it found and did. 0 or what failed. */
int homer_restore_repair(const struct homer_files *files, const char *dir, struct homer_error *err);

#endif
