/* What the files of the store share: store.c (batches of the log), store_snapshot.c (the child that writes).
 */
#ifndef HOMER_DAEMON_STORE_IMPL_H
#define HOMER_DAEMON_STORE_IMPL_H

#include <sys/types.h>

#include "daemon/snapshot.h"
#include "daemon/store.h"
#include "daemon/wal.h"

enum { HOMER_SNAPSHOT_WAITERS = 64 };

/* A request for a snapshot. */
struct homer_snapshot_waiter {
    uint64_t session;
    char *model; /* [model_n] then id[id_n], one allocation */
    size_t model_n, id_n;
    uint64_t seq; /* of the model, at the fork */
};

/* What the child says in the end. */
struct homer_snapshot_result {
    int rc; /* 0, or what failed: */
    char message[256];
    char digest[HOMER_SNAPSHOT_WAITERS][33]; /* of the waiters' models; "" = no such model */
};

struct homer_store {
    struct homer_store_options o;
    uv_loop_t *loop;
    struct homer_mem mem;
    struct homer_wal *wal;

    uv_work_t job; /* writes a batch, while is_writing */
    bool is_writing;
    int job_rc;
    uint64_t batch;   /* that the job, or the next retry, writes last */
    bool wants_sync;  /* the next job syncs, whatever the durability */
    bool wants_retry; /* the next job may try again */
    uv_timer_t tick;
    uint64_t synced_ms;  /* loop time of the last sync that the interval asked for */
    uint64_t checked_ms; /* loop time when retries and snapshots were looked at last */
    uint64_t failing_ms; /* loop time since when the log fails; 0 = it does not */
    bool is_stopping;

    /* Snapshots: waiter[0..served) are told of the one that is being written, the others of the next. */
    struct homer_snapshot_waiter waiter[HOMER_SNAPSHOT_WAITERS];
    unsigned waiters, served;
    bool wants_snapshot;
    pid_t child; /* 0 = none; stays until it is reaped */
    bool has_child_pipe;
    bool has_permission; /* the child was told that the log is durable */
    uv_pipe_t child_pipe;
    struct homer_snapshot_result result; /* result_n bytes of it were read */
    size_t result_n;
    uint64_t child_sequence;
    uint64_t snapshot;             /* sequence of the newest one */
    uint64_t snapshot_ms;          /* loop time when it was begun */
    uint64_t snapshot_at;          /* bytes of log appended then */
    uint64_t fork_ns, fork_max_ns; /* how long the last fork, and the longest, stopped the loop */
    uint64_t taken, failed;        /* snapshots */
    uv_work_t prune;
    bool is_pruning;
};

/* store.c: hands a batch over if there is one and no job runs. */
void homer_store_turn(struct homer_store *s);

/* store_snapshot.c */
/* Whether the configuration asks for one now; seen once a second. */
bool homer_store_snapshot_due(const struct homer_store *s);
/* Forks if a snapshot is wanted and none is being written; lets the one being written have its name when it
 * may; reaps. Called after each job and tick. */
void homer_store_snapshot_step(struct homer_store *s);
void homer_store_snapshot_stop(struct homer_store *s);
/* Blocking, with no child: the last snapshot, and what it makes superfluous. */
void homer_store_snapshot_last(struct homer_store *s);

#endif
