#include "daemon/boot.h"

#include <errno.h>
#include <inttypes.h>

#include "daemon/log.h"
#include "daemon/record.h"

enum { PROGRESS_MS = 1000 };

static void on_tick(uv_timer_t *tick) {
    const struct homer_boot *b = tick->data;
    homer_log(HOMER_LOG_INFO, "recovery", "progress", "records=%" PRIu64, atomic_load(&b->recovery.records));
}

static void work(uv_work_t *job) {
    struct homer_boot *b = job->data;
    b->rc = homer_restore(&b->recovery, &b->err);
}

static void tell(const struct homer_boot *b) {
    const struct homer_restore *r = &b->recovery;
    uint64_t ms = uv_now(b->loop) - b->started_ms;
    if (r->log.torn_bytes)
        homer_log(HOMER_LOG_WARN, "recovery", "torn_tail",
                  "file=%s offset=%" PRIu64 " bytes=%" PRIu64 ": cut", r->log.file, r->log.offset,
                  r->log.torn_bytes);
    homer_log(HOMER_LOG_INFO, "recovery", "done",
              "snapshot=%" PRIu64 " records=%" PRIu64 " last=%" PRIu64 " ms=%" PRIu64, r->snapshot,
              atomic_load(&r->records), r->last, ms);
}

/* The log is opened behind what was recovered; the engine goes on from there. */
static int take_over(struct homer_boot *b) {
    const struct homer_restore *r = &b->recovery;
    const struct homer_store_options options = {
        .files = b->files,
        .config = &b->config->store,
        .max_record = homer_record_bound(&b->config->request),
        .salt = b->salt,
        .last = r->last,
        .snapshot = r->snapshot,
        .engine = b->engine,
        .group = b->group,
        .lock = b->lock,
    };
    int rc = homer_store_new(&b->store, b->loop, &options, &b->err);
    if (rc) return rc;
    b->lock = -1;
    return homer_engine_restored(b->engine, b->store, r->last == 0, b->force_config, &b->err);
}

static void on_done(uv_work_t *job, int status) {
    struct homer_boot *b = job->data;
    (void)status;
    b->is_running = false;
    uv_close((uv_handle_t *)&b->tick, NULL);
    if (b->rc == 0 && atomic_load(&b->recovery.cancel)) b->rc = -ECANCELED;
    if (b->rc == 0) {
        tell(b);
        b->rc = take_over(b);
    }
    b->on_end(b->ctx, b->rc, &b->err);
}

void homer_boot_start(struct homer_boot *b) {
    b->recovery.files = b->files;
    b->recovery.dir = b->config->store.dir;
    b->recovery.engine = b->engine;
    homer_engine_recovering(b->engine, &b->recovery.records);
    b->started_ms = uv_now(b->loop);
    uv_timer_init(b->loop, &b->tick);
    b->tick.data = b;
    uv_timer_start(&b->tick, on_tick, PROGRESS_MS, PROGRESS_MS);
    b->is_running = true;
    b->job.data = b;
    uv_queue_work(b->loop, &b->job, work, on_done);
}

void homer_boot_cancel(struct homer_boot *b) {
    if (b->is_running) atomic_store(&b->recovery.cancel, true);
}
