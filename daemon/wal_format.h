/* How the log looks on disk: what the writer, the reader and the repair share.
 *
 * A folder holds segments `wal-<first sequence, 16 hexadecimal digits>` and at most one `wal.spare`, the next
 * segment with its disk space already taken. A segment is a header, then records back to back, then zeros up
 * to the size that was taken. Numbers are little-endian:
 *
 *   segment  magic "HOMERWAL" | version u32 | 0 u32 | first sequence u64 | salt u64 | synced u64 | checksum
 * u64 record   checksum u64 | mark u32 | payload's bytes u32 | sequence u64 | synced u64 | payload
 *
 * `synced` is the highest sequence that was known to be durable when this was written: it tells a torn tail,
 * of which nothing was promised, from damage. `salt` is random: checksums of records are seeded with it and
 * `mark` derives from it, so that no payload can be made to look like a record. A header is durable before
 * its segment gets its name, so that a named segment without one is damaged. Pure but for the listing; any
 * thread. */
#ifndef HOMER_DAEMON_WAL_FORMAT_H
#define HOMER_DAEMON_WAL_FORMAT_H

#include "core/base/err.h"
#include "core/base/mem.h"
#include "daemon/numbered.h"

enum {
    HOMER_WAL_VERSION = 1,
    HOMER_WAL_HEADER = 48, /* bytes of a segment's header */
    HOMER_WAL_RECORD = 32, /* bytes of a record before its payload */
};
#define HOMER_WAL_PREFIX "wal-" /* of a segment: see numbered.h */
#define HOMER_WAL_SPARE "wal.spare"
#define HOMER_WAL_SEGMENT_MAX ((uint64_t)1 << 30) /* bytes; larger files are no segments of ours */

struct homer_wal_segment_head {
    uint64_t first;  /* sequence of its first record */
    uint64_t salt;   /* of its records */
    uint64_t synced; /* as above */
};

struct homer_wal_record {
    uint64_t sequence;
    uint64_t synced;
    const char *payload; /* [n], in the bytes that were read */
    size_t n;
};

void homer_wal_name(char out[HOMER_NUMBERED_NAME], uint64_t first);

void homer_wal_put_head(char out[HOMER_WAL_HEADER], const struct homer_wal_segment_head *head);
/* False: not a header of this version that is whole. */
bool homer_wal_get_head(const char *bytes, size_t n, struct homer_wal_segment_head *head);

/* Fills the HOMER_WAL_RECORD bytes before a payload of n bytes. */
void homer_wal_put_record(char *record, uint64_t salt, uint64_t sequence, uint64_t synced, size_t n);
/* The record at the start of n bytes; false when there is no whole and valid one. */
bool homer_wal_get_record(const char *bytes, size_t n, uint64_t salt, struct homer_wal_record *out);
/* Where the next valid record begins in bytes[from, n), whatever its sequence; n when there is none. */
size_t homer_wal_find_record(const char *bytes, size_t n, size_t from, uint64_t salt,
                             struct homer_wal_record *out);

/* The path of a segment; 0 or -ENAMETOOLONG. */
int homer_wal_path(char out[HOMER_PATH_MAX], const char *dir, uint64_t first);

#endif
