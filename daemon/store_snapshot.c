/* Snapshots of a running daemon: a forked child has the state as it was, writes it, waits until the log is
 * durable up to it, gives it its name, and tells the digests that clients asked for. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/conn.h"
#include "daemon/log.h"
#include "daemon/store_impl.h"
#include "daemon/verbs.h"

static struct homer_snapshots place(const struct homer_store *s) {
    return (struct homer_snapshots){.files = s->o.files, .dir = s->o.config->dir};
}

static void encode(void *ctx, struct homer_codec *c) {
    homer_engine_encode(ctx, c);
}

/* ---- requests ---- */

static struct homer_str model_of(const struct homer_snapshot_waiter *w) {
    return (struct homer_str){w->model, w->model_n};
}

int homer_store_snapshot(struct homer_store *s, uint64_t session, struct homer_str model, struct homer_str id,
                         struct homer_error *err) {
    if (s->waiters == HOMER_SNAPSHOT_WAITERS) {
        homer_err_set(err, HOMER_E_BUSY, "%u requests wait for a snapshot already", s->waiters);
        if (err) err->retry = true;
        return HOMER_E_BUSY;
    }
    char *text = homer_mem_alloc(&s->mem, model.n + id.n, 1);
    if (!text) return -ENOMEM;
    memcpy(text, model.s, model.n);
    if (id.n) memcpy(text + model.n, id.s, id.n);
    s->waiter[s->waiters++] = (struct homer_snapshot_waiter){
        .session = session, .model = text, .model_n = model.n, .id_n = id.s ? id.n : 0};
    s->wants_snapshot = true;
    homer_store_snapshot_step(s);
    return 0;
}

/* Answers waiter i; err NULL: the snapshot is there. */
static void answer(struct homer_store *s, unsigned i, const struct homer_error *err) {
    const struct homer_snapshot_waiter *w = &s->waiter[i];
    struct homer_request req = {.id = {w->id_n ? w->model + w->model_n : NULL, w->id_n}};
    struct homer_buf out;
    struct homer_reply r;
    homer_buf_init(&out, &s->mem);
    homer_reply_init(&r, &out);
    if (err) {
        homer_reply_error(&r, err, &req.id);
    } else {
        homer_reply_begin_ok(&r, &req);
        homer_reply_u64(&r, "seq", w->seq);
        homer_reply_string(&r, "digest", s->result.digest[i], strlen(s->result.digest[i]));
        homer_reply_end(&r);
    }
    if (!out.failed) homer_conn_group_resume(s->o.group, w->session, out.data, out.n);
    homer_buf_deinit(&out);
}

static void forget(struct homer_store *s, const struct homer_snapshot_waiter *w) {
    homer_mem_free(&s->mem, w->model, w->model_n + w->id_n, 1);
}

static void answer_served(struct homer_store *s, const struct homer_error *err) {
    for (unsigned i = 0; i < s->served; i++) {
        answer(s, i, err);
        forget(s, &s->waiter[i]);
    }
    s->waiters -= s->served;
    memmove(s->waiter, s->waiter + s->served, s->waiters * sizeof *s->waiter);
    s->served = 0;
    if (s->waiters) s->wants_snapshot = true;
}

/* ---- the child ---- */

/* Waits for the word that the log is durable. */
static int may_publish(void *ctx) {
    char word;
    ssize_t n;
    do n = read(*(int *)ctx, &word, 1);
    while (n < 0 && errno == EINTR);
    return n == 1 ? 0 : -ECANCELED;
}

static void write_all(int fd, const void *p, size_t n) {
    const char *at = p;
    while (n) {
        ssize_t k = write(fd, at, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return;
        at += k;
        n -= (size_t)k;
    }
}

/* Signals stay blocked: the parent's handlers, which write to its loop, must not run here. */
_Noreturn static void write_as_child(struct homer_store *s, int fd, pid_t parent) {
    struct homer_snapshot_result *result = &s->result;
    struct homer_error err = {0};
    struct homer_snapshots where = place(s);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    /* No lock, socket or log may outlive the parent in here. */
    if (dup2(fd, 3) < 0 || close_range(4, ~0u, 0)) _exit(1);
    fd = 3;
    *result = (struct homer_snapshot_result){0};
    result->rc = homer_snapshot_write(&where, s->child_sequence, encode, s->o.engine, may_publish, &fd, &err);
    memcpy(result->message, err.message, sizeof result->message);
    for (unsigned i = 0; i < s->served && result->rc == 0; i++) {
        struct homer_entry *entry;
        if (homer_engine_find(s->o.engine, model_of(&s->waiter[i]), &entry, NULL) == 0)
            homer_entry_digest(entry, result->digest[i]);
    }
    write_all(fd, result, sizeof *result);
    _exit(0);
}

/* ---- the parent ---- */

static void reap(struct homer_store *s) {
    if (s->child && !s->has_child_pipe && waitpid(s->child, NULL, WNOHANG) == s->child) s->child = 0;
}

/* What the snapshot of that sequence, just read back, makes superfluous. Blocking; any thread. */
static void remove_older(const struct homer_store *s, uint64_t sequence) {
    struct homer_snapshots where = place(s);
    uint64_t oldest;
    int rc = homer_snapshot_prune(&where, s->o.config->snapshot.keep, sequence, &oldest);
    if (rc == 0 && oldest) rc = homer_wal_remove_before(s->wal, oldest + 1);
    if (rc < 0) homer_log(HOMER_LOG_WARN, "store", "prune_failed", "error=%s", strerror(-rc));
}

static void prune_work(uv_work_t *job) {
    const struct homer_store *s = job->data;
    remove_older(s, s->snapshot);
}

static void on_pruned(uv_work_t *job, int status) {
    struct homer_store *s = job->data;
    (void)status;
    s->is_pruning = false;
    homer_store_snapshot_step(s);
}

static void prune(struct homer_store *s) {
    if (s->is_pruning || s->is_stopping) return; /* the next snapshot does it */
    s->is_pruning = true;
    s->prune.data = s;
    uv_queue_work(s->loop, &s->prune, prune_work, on_pruned);
}

static void conclude(struct homer_store *s, int rc, const char *why) {
    struct homer_error err = {0};
    if (rc == 0) {
        s->taken++;
        s->snapshot = s->child_sequence;
        homer_log(HOMER_LOG_INFO, "store", "snapshot", "sequence=%llu ms=%llu pause_us=%llu",
                  (unsigned long long)s->snapshot, (unsigned long long)(uv_now(s->loop) - s->snapshot_ms),
                  (unsigned long long)(s->fork_ns / 1000));
        prune(s);
    } else {
        s->failed++;
        homer_log(HOMER_LOG_ERROR, "store", "snapshot_failed", "why=%s", why);
        homer_err_set(&err, HOMER_E_INTERNAL, "no snapshot was taken: %.200s", why);
        err.retry = true;
    }
    answer_served(s, rc ? &err : NULL);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    struct homer_store *s = handle->data;
    (void)suggested;
    *buf = uv_buf_init((char *)&s->result + s->result_n, (unsigned)(sizeof s->result - s->result_n));
}

static void on_closed(uv_handle_t *handle) {
    struct homer_store *s = handle->data;
    s->has_child_pipe = false;
    reap(s);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct homer_store *s = stream->data;
    (void)buf;
    if (n > 0) s->result_n += (size_t)n;
    bool whole = s->result_n == sizeof s->result;
    if (n >= 0 && !whole) return;
    uv_close((uv_handle_t *)stream, on_closed);
    if (!whole)
        conclude(s, -EIO, "the process that wrote it died");
    else
        conclude(s, s->result.rc, s->result.message);
}

/* Starts the child; 0 or negative errno. */
static int start(struct homer_store *s) {
    int pair[2];
    sigset_t all, before;
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return -errno;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    uint64_t from = uv_hrtime();
    pid_t child = fork();
    if (child == 0) write_as_child(s, pair[1], parent);
    int rc = child < 0 ? -errno : 0;
    s->fork_ns = uv_hrtime() - from;
    if (s->fork_ns > s->fork_max_ns) s->fork_max_ns = s->fork_ns;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(pair[1]);
    if (rc) {
        close(pair[0]);
        return rc;
    }
    s->child = child;
    s->has_permission = false;
    s->has_child_pipe = true;
    uv_pipe_init(s->loop, &s->child_pipe, 0);
    s->child_pipe.data = s;
    rc = uv_pipe_open(&s->child_pipe, pair[0]);
    if (!rc) rc = uv_read_start((uv_stream_t *)&s->child_pipe, on_alloc, on_read);
    if (rc) {
        kill(child, SIGKILL);
        uv_close((uv_handle_t *)&s->child_pipe, on_closed);
    }
    return rc;
}

static void begin(struct homer_store *s) {
    s->wants_snapshot = false;
    s->served = s->waiters;
    s->child_sequence = homer_wal_last(s->wal);
    s->snapshot_ms = uv_now(s->loop);
    s->snapshot_at = homer_wal_counters(s->wal).bytes;
    s->result_n = 0;
    for (unsigned i = 0; i < s->served; i++) {
        struct homer_entry *entry;
        if (homer_engine_find(s->o.engine, model_of(&s->waiter[i]), &entry, NULL) == 0)
            s->waiter[i].seq = homer_model_seq(entry->model);
    }
    int rc = start(s);
    if (rc) conclude(s, rc, strerror(-rc));
}

/* The child may go on when everything that its snapshot contains is durable in the log, too. */
static void permit(struct homer_store *s) {
    if (!s->has_child_pipe || s->has_permission || uv_is_closing((uv_handle_t *)&s->child_pipe)) return;
    if (homer_wal_durable(s->wal) < s->child_sequence) {
        s->wants_sync = true;
        return;
    }
    uv_buf_t word = uv_buf_init((char[]){'.'}, 1);
    s->has_permission = uv_try_write((uv_stream_t *)&s->child_pipe, &word, 1) == 1;
}

void homer_store_snapshot_step(struct homer_store *s) {
    reap(s);
    /* Pruning removes what an interrupted writing has left: it must not meet one that is under way. */
    if (s->wants_snapshot && !s->child && !s->is_pruning && !s->is_stopping) begin(s);
    permit(s);
}

bool homer_store_snapshot_due(const struct homer_store *s) {
    const struct homer_store_config *c = s->o.config;
    uint64_t last = homer_wal_last(s->wal), begun = s->child ? s->child_sequence : s->snapshot;
    if (last == begun) return false;
    uint64_t ms = uv_now(s->loop) - s->snapshot_ms, bytes = homer_wal_counters(s->wal).bytes - s->snapshot_at;
    return (c->snapshot.every_instances && last - begun >= c->snapshot.every_instances) ||
           (c->snapshot.every_seconds && ms >= c->snapshot.every_seconds * 1000) ||
           (c->snapshot.every_bytes && bytes >= c->snapshot.every_bytes);
}

void homer_store_snapshot_stop(struct homer_store *s) {
    if (s->has_child_pipe && !uv_is_closing((uv_handle_t *)&s->child_pipe)) {
        kill(s->child, SIGKILL);
        uv_close((uv_handle_t *)&s->child_pipe, on_closed);
    }
}

void homer_store_snapshot_last(struct homer_store *s) {
    struct homer_snapshots where = place(s);
    struct homer_error err = {0};
    uint64_t last = homer_wal_last(s->wal);
    if (s->child) waitpid(s->child, NULL, 0);
    s->child = 0;
    while (s->waiters) forget(s, &s->waiter[--s->waiters]);
    if (last == s->snapshot) return;
    int rc = homer_snapshot_write(&where, last, encode, s->o.engine, NULL, NULL, &err);
    if (rc) {
        homer_log(HOMER_LOG_ERROR, "store", "snapshot_failed", "why=%s", err.message);
        return;
    }
    homer_log(HOMER_LOG_INFO, "store", "snapshot", "sequence=%llu", (unsigned long long)last);
    remove_older(s, last);
}
