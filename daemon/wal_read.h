/* Reading the log back, and cutting it where it is damaged.
 *
 * Of each segment the records before the first one of the next segment count: later ones were written again
 * there after a failure. What does not read as the expected record is
 *   - a torn tail, when nothing behind it is known to have been durable: cut, and counted in the report;
 *   - damage, when a later segment holds records, or a later record or segment says that the missing one was
 * durable, or the segment's header is no header: refused, with file and offset;
 *   - nothing, when all that is missing is below the sequence asked for.
 * One segment is held in memory at a time (at most 1 GiB, in practice the configured size). A record is
 * handed out only when its checksum holds; no length is believed before that. */
#ifndef HOMER_DAEMON_WAL_READ_H
#define HOMER_DAEMON_WAL_READ_H

#include "daemon/wal_format.h"

struct homer_wal_report {
    uint64_t records, bytes; /* handed out; bytes of payload */
    uint64_t last;     /* sequence of the last valid record; from_sequence - 1 when there is none after it */
    uint64_t segments; /* read */
    uint64_t skipped;  /* damaged places whose records were below from_sequence */
    uint64_t torn_bytes; /* bytes cut from the end; trailing zeros, which were never written, do not count */
    bool damaged;        /* refused, at: */
    /* Of the torn tail or the damage; "" when there is neither. */
    char file[HOMER_NUMBERED_NAME];
    uint64_t offset;
};

/* One record; payload[n] is valid during the call. Nonzero stops the reading and is returned. */
typedef int (*homer_wal_each)(void *ctx, uint64_t sequence, const char *payload, size_t n);

/* Hands out, in order and without gaps, the records from from_sequence (>= 1) on. `each` may be NULL. Before
 * damage is found the records before it have been handed out. 0; HOMER_E_INTERNAL for damage; -ENOMEM; what a
 * file operation returned. *report is filled in any case. */
int homer_wal_read(const struct homer_files *files, const char *dir, uint64_t from_sequence,
                   homer_wal_each each, void *ctx, struct homer_wal_report *report, struct homer_error *err);

/* Whether the segment `first` begins with its first record. 0, or what a file operation returned. */
int homer_wal_begins(const struct homer_files *files, const char *dir, uint64_t first, bool *begins,
                     struct homer_error *err);

struct homer_wal_repair {
    struct homer_wal_report before; /* what was found; without damage nothing was changed */
    uint64_t set_aside;             /* segments kept as *.damaged: the damaged one and all later ones */
    uint64_t last;                  /* sequence of the last record that is left */
};

/* Cuts a damaged log before its first damage that matters from from_sequence on. The damaged segment is
 * copied, later ones are renamed, both to `wal-*.damaged`, where no reader looks. May be interrupted and run
 * again. No writer may be open. 0, also when there is no damage; as homer_wal_read otherwise. */
int homer_wal_repair(const struct homer_files *files, const char *dir, uint64_t from_sequence,
                     struct homer_wal_repair *out, struct homer_error *err);

#endif
