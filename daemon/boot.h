/* From a locked data folder to a daemon that learns: the recovery on a thread of the pool while the loop
 * already answers (not_ready), then the log is opened and the engine takes over. Loop thread only. */
#ifndef HOMER_DAEMON_BOOT_H
#define HOMER_DAEMON_BOOT_H

#include "daemon/recovery.h"
#include "daemon/store.h"

struct homer_boot {
    /* in: */
    uv_loop_t *loop;
    const struct homer_config *config;
    struct homer_engine *engine;
    struct homer_conn_group *group;
    const struct homer_files *files;
    int lock; /* the store's from then on, -1 afterwards */
    uint64_t salt;
    bool force_config;
    void (*on_end)(void *ctx, int rc, const struct homer_error *err);
    void *ctx;
    /* out, when on_end is called with 0: */
    struct homer_store *store;
    /* inside: */
    struct homer_restore recovery;
    struct homer_error err;
    int rc;
    uint64_t started_ms;
    uv_work_t job;
    uv_timer_t tick; /* tells the progress */
    bool is_running;
};

/* on_end(ctx, rc, err) is called once, later. *b stays where it is until then. */
void homer_boot_start(struct homer_boot *b);
/* Ends it early: on_end is still called, with -ECANCELED unless it was too late for that. */
void homer_boot_cancel(struct homer_boot *b);

#endif
