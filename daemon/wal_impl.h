/* Inside the log only: what the loop's side (wal.c) and the pool's side (wal_write.c) share. */
#ifndef HOMER_DAEMON_WAL_IMPL_H
#define HOMER_DAEMON_WAL_IMPL_H

#include <stdatomic.h>
#include "daemon/wal.h"
#include "daemon/wal_format.h"

/* Records back to back as they go to disk, in order; records do not cross chunks. */
struct homer_wal_chunk {
    struct homer_wal_chunk *next; /* newer */
    size_t n, cap;                /* bytes of data; n is final once there is a next */
    char data[];
};

/* A place in the chunks: behind record `sequence`. */
struct homer_wal_at {
    struct homer_wal_chunk *chunk;
    size_t at;         /* in chunk->data */
    uint64_t sequence; /* of the record before it */
    uint64_t bytes;    /* appended in all up to it */
};

/* Filled by take, worked on by the pool, read back by done. */
struct homer_wal_job {
    struct homer_wal_at written; /* from here; moves on */
    struct homer_wal_at to;
    struct homer_wal_at safe; /* up to here all is durable; its chunk counts only while records are kept */
    bool fresh;               /* a retry: begin a new segment */
    bool sync;
    bool want_spare;
    uint64_t syncs, segments; /* that succeeded */
    bool has_spare;           /* afterwards */
    int spare_rc;             /* why not */
    const char *what;         /* of a failure: "write to" ... */
    uint64_t where;           /* the segment's first sequence; UINT64_MAX = the spare or the folder */
};

/* The files; the pool thread's while a job is in flight. */
struct homer_wal_disk {
    int fd, spare; /* -1 = none */
    uint64_t first;
    uint64_t at;     /* where the next record goes in the current segment */
    bool unsynced;   /* something was written since the last sync */
    uint64_t salt;   /* of the current segment */
    uint64_t salted; /* segments that got one */
};

struct homer_wal {
    struct homer_mem *mem;
    const struct homer_files *files;
    char *dir; /* [dir_n], with the NUL */
    size_t dir_n;
    struct homer_wal_options options; /* segment_bytes as it is used */

    struct homer_wal_chunk *head, *tail, *idle; /* head: holds `kept`; idle: one empty chunk for the next */
    struct homer_wal_at end;                    /* of all appended */
    struct homer_wal_at kept;                   /* what is kept for a retry starts here */
    struct homer_wal_at written;                /* the next job starts here */
    uint64_t written_sequence, durable;         /* as told to the caller; never go back */
    uint64_t batch;

    uint64_t room; /* bytes left in the segment that the next record goes to, once all pending is written */
    bool spare;    /* and there is a further segment behind it */
    bool crossed;  /* the open batch goes on in it */
    int spare_rc;  /* why there is none, as of the last job */

    bool in_flight, failed, starved;
    int rc; /* of the failure */
    char why[256];
    struct homer_wal_counters counters;
    atomic_uint_fast64_t removed;

    struct homer_wal_job job;
    struct homer_wal_disk disk;
};

/* An empty chunk for at least so many bytes; NULL when memory is refused. */
struct homer_wal_chunk *homer_wal_chunk_new(struct homer_wal *w, size_t bytes);
/* Says in w->why what the job did not get done. */
void homer_wal_why(struct homer_wal *w, int rc);

/* Begins the segment whose first record is `first`: the spare, or a new file, gets a durable header and the
 * name. The current one is closed. job.what and job.where tell what failed. */
int homer_wal_begin_segment(struct homer_wal *w, uint64_t first);
/* Takes the disk space of the next segment. */
int homer_wal_prepare_spare(struct homer_wal *w);

#endif
