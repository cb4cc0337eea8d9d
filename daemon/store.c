#include "daemon/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "daemon/conn.h"
#include "daemon/log.h"
#include "daemon/store_impl.h"
#include "proto/reply.h"

enum { CHECK_MS = 1000 /* between retries of a failing log, and looks whether a snapshot is due */ };

static const char *const words[] = {"always", "interval", "none"};

const char *homer_store_promise(const struct homer_store_config *c) {
    return words[c->dir ? c->durability : HOMER_DURABILITY_NONE];
}

/* ---- the folder ---- */

int homer_store_lock(const struct homer_files *f, const char *dir, int *lock, struct homer_error *err) {
    char path[HOMER_PATH_MAX];
    int rc = f->make_folder(f->ctx, dir, 0700);
    if (rc < 0 && rc != -EEXIST)
        return homer_err_set(err, rc, "cannot make the data folder %.150s: %s", dir, strerror(-rc));
    rc = homer_path(path, dir, "lock");
    int fd = rc ? rc : homer_file_open(f, path, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return homer_err_set(err, fd, "cannot use the data folder %.150s: %s", dir, strerror(-fd));
    rc = f->lock(f->ctx, fd);
    if (rc >= 0) {
        *lock = fd;
        return 0;
    }
    homer_file_close(f, fd);
    if (rc == -EWOULDBLOCK)
        return homer_err_set(err, rc,
                             "the data folder %.100s is in use: another homerd runs on it; stop that one, or "
                             "choose another folder",
                             dir);
    return homer_err_set(err, rc, "cannot lock %.150s: %s", path, strerror(-rc));
}

/* ---- batches ---- */

static void work(uv_work_t *job) {
    struct homer_store *s = job->data;
    s->job_rc = homer_wal_write(s->wal);
}

/* Says once that the log fails, and once that it works again. */
static void note_health(struct homer_store *s) {
    const char *why;
    bool failing = homer_wal_failing(s->wal, &why);
    if (failing && !s->failing_ms) {
        s->failing_ms = uv_now(s->loop) + 1; /* never 0 */
        homer_log(HOMER_LOG_ERROR, "store", "read_only", "why=%s", why);
    } else if (!failing && s->failing_ms) {
        s->failing_ms = 0;
        homer_log(HOMER_LOG_INFO, "store", "writable", "sequence=%llu",
                  (unsigned long long)homer_wal_last(s->wal));
    }
}

static void on_done(uv_work_t *job, int status) {
    struct homer_store *s = job->data;
    (void)status; /* jobs are never cancelled */
    s->is_writing = false;
    homer_wal_done(s->wal, s->job_rc);
    note_health(s);
    /* What waits for an open batch that is empty waited for this one. */
    if (s->job_rc == 0 && s->o.config->durability == HOMER_DURABILITY_ALWAYS)
        homer_conn_group_durable(s->o.group, homer_store_is_behind(s) ? s->batch : homer_wal_batch(s->wal));
    homer_conn_group_again(s->o.group); /* there is room in the log again, or a reason why not */
    homer_store_snapshot_step(s);
    homer_store_turn(s);
}

void homer_store_turn(struct homer_store *s) {
    bool sync = s->wants_sync || s->o.config->durability == HOMER_DURABILITY_ALWAYS;
    uint64_t batch = homer_wal_batch(s->wal);
    if (s->is_writing) return;
    bool has_job = homer_wal_take(s->wal, sync, s->wants_retry);
    s->wants_retry = false;
    if (!has_job) return;
    s->batch = batch;
    s->wants_sync = false;
    s->is_writing = true;
    homer_conn_group_batch(s->o.group, homer_wal_batch(s->wal));
    s->job.data = s;
    uv_queue_work(s->loop, &s->job, work, on_done); /* fails without a function only */
}

static void after_turns(void *ctx) {
    homer_store_turn(ctx);
}

static void check(struct homer_store *s, uint64_t now) {
    note_health(s); /* a full disk is met when a record is refused */
    s->wants_retry = s->failing_ms != 0;
    if (s->failing_ms && now - s->failing_ms >= s->o.config->ack_timeout_ms)
        homer_conn_group_abandon(s->o.group);
    if (homer_store_snapshot_due(s)) s->wants_snapshot = true;
}

static void on_tick(uv_timer_t *tick) {
    struct homer_store *s = tick->data;
    uint64_t now = uv_now(s->loop);
    const struct homer_store_config *c = s->o.config;
    if (c->durability == HOMER_DURABILITY_INTERVAL && now - s->synced_ms >= c->sync_interval_ms) {
        s->synced_ms = now;
        s->wants_sync = homer_wal_durable(s->wal) < homer_wal_last(s->wal);
    }
    if (now - s->checked_ms >= CHECK_MS) {
        s->checked_ms = now;
        check(s, now);
    }
    homer_store_snapshot_step(s);
    homer_store_turn(s);
}

int homer_store_reserve(struct homer_store *s, size_t n, char **room, struct homer_error *err) {
    int rc = homer_wal_reserve(s->wal, n, room, err);
    if (rc == HOMER_E_READ_ONLY || rc == HOMER_E_BUSY)
        if (err) err->retry = true;
    return rc;
}

void homer_store_append(struct homer_store *s, size_t n) {
    homer_wal_append(s->wal, n);
}

bool homer_store_is_behind(const struct homer_store *s) {
    return s->o.config->durability == HOMER_DURABILITY_ALWAYS &&
           homer_wal_durable(s->wal) < homer_wal_last(s->wal);
}

/* ---- life ---- */

int homer_store_new(struct homer_store **out, uv_loop_t *loop, const struct homer_store_options *options,
                    struct homer_error *err) {
    struct homer_mem own = {0};
    struct homer_store *s = homer_mem_alloc(&own, 1, sizeof *s);
    if (!s) return homer_err_set(err, -ENOMEM, "no memory for the log");
    const struct homer_store_config *c = options->config;
    s->mem = own;
    s->o = *options;
    s->loop = loop;
    s->snapshot = options->snapshot;
    struct homer_wal_options log = {.segment_bytes = c->segment_bytes,
                                    .max_record = options->max_record,
                                    .keep_unsynced = c->durability != HOMER_DURABILITY_NONE,
                                    .salt = options->salt};
    int rc = homer_wal_open(&s->wal, &s->mem, options->files, c->dir, &log, options->last + 1, err);
    if (rc) {
        homer_mem_free(&own, s, 1, sizeof *s);
        return rc;
    }
    uv_timer_init(loop, &s->tick);
    s->tick.data = s;
    s->synced_ms = s->checked_ms = s->snapshot_ms = uv_now(loop);
    uint64_t period = c->durability == HOMER_DURABILITY_INTERVAL && c->sync_interval_ms < CHECK_MS
                          ? c->sync_interval_ms
                          : CHECK_MS;
    uv_timer_start(&s->tick, on_tick, period, period);
    homer_conn_group_batch(options->group, homer_wal_batch(s->wal));
    homer_conn_group_after_turns(options->group, after_turns, s);
    *out = s;
    return 0;
}

void homer_store_stop(struct homer_store *s) {
    if (s->is_stopping) return;
    s->is_stopping = true;
    homer_conn_group_after_turns(s->o.group, NULL, NULL);
    uv_close((uv_handle_t *)&s->tick, NULL);
    homer_store_snapshot_stop(s);
}

int homer_store_close(struct homer_store *s) {
    if (!s) return 0;
    while (homer_wal_take(s->wal, true, true)) {
        int rc = homer_wal_write(s->wal);
        homer_wal_done(s->wal, rc);
        if (rc) break;
    }
    if (homer_wal_durable(s->wal) == homer_wal_last(s->wal)) homer_store_snapshot_last(s);
    int rc = homer_wal_close(s->wal);
    if (rc)
        homer_log(HOMER_LOG_ERROR, "store", "log_lost", "error=%s: the last requests may not be on the disk",
                  strerror(rc < 0 ? -rc : EIO));
    homer_file_close(s->o.files, s->o.lock);
    struct homer_mem own = s->mem;
    homer_mem_free(&own, s, 1, sizeof *s);
    return rc;
}

void homer_store_stats(const struct homer_store *s, struct homer_reply *r) {
    struct homer_wal_counters c = homer_wal_counters(s->wal);
    const char *why;
    bool failing = homer_wal_failing(s->wal, &why);
    homer_reply_open(r, "log", '{');
    homer_reply_u64(r, "sequence", homer_wal_last(s->wal));
    homer_reply_u64(r, "written", homer_wal_written(s->wal));
    homer_reply_u64(r, "durable", homer_wal_durable(s->wal));
    homer_reply_bool(r, "read_only", failing);
    if (failing) homer_reply_string(r, "why", why, strlen(why));
    homer_reply_u64(r, "records", c.records);
    homer_reply_u64(r, "bytes", c.bytes);
    homer_reply_u64(r, "syncs", c.syncs);
    homer_reply_u64(r, "segments", c.segments);
    homer_reply_u64(r, "removed", c.removed);
    homer_reply_u64(r, "failures", c.failures);
    homer_reply_u64(r, "pending_bytes", c.pending_bytes);
    homer_reply_close(r, '}');
    homer_reply_open(r, "snapshots", '{');
    homer_reply_u64(r, "sequence", s->snapshot);
    homer_reply_bool(r, "running", s->has_child_pipe);
    homer_reply_u64(r, "taken", s->taken);
    homer_reply_u64(r, "failed", s->failed);
    homer_reply_real(r, "pause_ms", (double)s->fork_ns * 1e-6);
    homer_reply_real(r, "pause_max_ms", (double)s->fork_max_ns * 1e-6);
    homer_reply_close(r, '}');
}
