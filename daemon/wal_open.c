/* Opening and closing the log, and deleting old segments. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "daemon/wal_impl.h"
#include "daemon/wal_read.h"

enum { SEGMENT_BYTES = 64 << 20 };

static void release(struct homer_wal *w) {
    w->disk.fd = homer_file_close(w->files, w->disk.fd);
    w->disk.spare = homer_file_close(w->files, w->disk.spare);
    for (struct homer_wal_chunk *c = w->head, *next; c; c = next) {
        next = c->next;
        homer_mem_free(w->mem, c, sizeof *c + c->cap, 1);
    }
    if (w->idle) homer_mem_free(w->mem, w->idle, sizeof *w->idle + w->idle->cap, 1);
    homer_mem_free(w->mem, w->dir, w->dir_n, 1);
    homer_mem_free(w->mem, w, 1, sizeof *w);
}

/* Segments from `next` on hold nothing that was read: torn ones go. */
static int drop_segment(struct homer_wal *w, uint64_t first, const char *name, const char *path,
                        struct homer_error *err) {
    bool begins = false;
    int rc = homer_wal_begins(w->files, w->dir, first, &begins, err);
    if (rc) return rc;
    if (begins)
        return homer_err_set(err, HOMER_E_INTERNAL, "%s of %.120s holds records, which have not been read",
                             name, w->dir);
    rc = w->files->unlink(w->files->ctx, path);
    return rc ? homer_err_set(err, rc, "could not remove %s of %.120s: %s", name, w->dir, strerror(-rc)) : 0;
}

/* Makes what was read durable, since later records will rely on it. Of the `last` segment that was read, the
 * end may be in the system's memory only, and after a sync that failed another one would not write it. */
static int settle_segment(struct homer_wal *w, uint64_t first, uint64_t next, bool last,
                          struct homer_error *err) {
    char path[HOMER_PATH_MAX], name[HOMER_NUMBERED_NAME];
    homer_wal_name(name, first);
    int rc = homer_wal_path(path, w->dir, first);
    if (rc) return homer_err_set(err, rc, "the path of %s is too long", name);
    if (first >= next) return drop_segment(w, first, name, path, err);
    int fd = homer_file_open(w->files, path, O_RDWR, 0);
    rc = fd < 0 ? fd : last ? homer_file_copy(w->files, fd, fd) : homer_file_sync(w->files, fd);
    homer_file_close(w->files, fd);
    return rc ? homer_err_set(err, rc, "could not sync %s of %.120s: %s", name, w->dir, strerror(-rc)) : 0;
}

static int settle(struct homer_wal *w, uint64_t next, struct homer_error *err) {
    struct homer_numbered list;
    int rc = homer_numbered_list(&list, w->mem, w->files, w->dir, HOMER_WAL_PREFIX);
    if (rc) homer_err_set(err, rc, "could not list the log's folder %.150s: %s", w->dir, strerror(-rc));
    for (size_t i = 0; i < list.n && !rc; i++) {
        bool last = i + 1 == list.n || list.at[i + 1] >= next;
        rc = settle_segment(w, list.at[i], next, last, err);
    }
    homer_numbered_deinit(&list);
    return rc;
}

/* The first segment and its spare, before there are jobs. */
static int begin(struct homer_wal *w, uint64_t next, struct homer_error *err) {
    int rc = settle(w, next, err);
    if (rc) return rc;
    rc = homer_wal_begin_segment(w, next);
    if (rc) {
        homer_wal_why(w, rc);
        return homer_err_set(err, rc, "%s", w->why);
    }
    w->spare_rc = homer_wal_prepare_spare(w);
    w->counters.segments = w->job.segments;
    w->room = w->options.segment_bytes - HOMER_WAL_HEADER;
    w->spare = w->spare_rc == 0;
    return 0;
}

int homer_wal_open(struct homer_wal **out, struct homer_mem *mem, const struct homer_files *files,
                   const char *dir, const struct homer_wal_options *options, uint64_t next_sequence,
                   struct homer_error *err) {
    struct homer_wal *w = homer_mem_alloc(mem, 1, sizeof *w);
    if (!w) return homer_err_set(err, -ENOMEM, "no memory for the log");
    *w = (struct homer_wal){.mem = mem, .files = files, .options = *options, .batch = 1};
    w->disk.fd = w->disk.spare = -1;
    w->dir_n = strlen(dir) + 1;
    w->dir = homer_mem_alloc(mem, w->dir_n, 1);
    w->tail = w->head = homer_wal_chunk_new(w, 0);
    if (!w->dir || !w->head) {
        release(w);
        return homer_err_set(err, -ENOMEM, "no memory for the log");
    }
    memcpy(w->dir, dir, w->dir_n);
    uint64_t least = (uint64_t)options->max_record + HOMER_WAL_HEADER + HOMER_WAL_RECORD;
    if (!w->options.segment_bytes) w->options.segment_bytes = SEGMENT_BYTES;
    if (w->options.segment_bytes < least) w->options.segment_bytes = least;
    w->written_sequence = w->durable = next_sequence - 1;
    w->end = w->kept = w->written = (struct homer_wal_at){.chunk = w->head, .sequence = next_sequence - 1};
    w->job.safe = w->end;
    int rc = w->options.segment_bytes > HOMER_WAL_SEGMENT_MAX
                 ? homer_err_set(err, -EINVAL,
                                 "a segment of the log would have %llu bytes, at most %llu are possible",
                                 (unsigned long long)w->options.segment_bytes,
                                 (unsigned long long)HOMER_WAL_SEGMENT_MAX)
                 : begin(w, next_sequence, err);
    if (rc) {
        release(w);
        return rc;
    }
    *out = w;
    return 0;
}

int homer_wal_remove_before(struct homer_wal *w, uint64_t sequence) {
    struct homer_mem mem = {0};
    struct homer_numbered list;
    int removed = 0, rc = homer_numbered_list(&list, &mem, w->files, w->dir, HOMER_WAL_PREFIX);
    for (size_t i = 0; !rc && i + 1 < list.n && list.at[i + 1] <= sequence; i++) {
        char path[HOMER_PATH_MAX];
        rc = homer_wal_path(path, w->dir, list.at[i]);
        if (!rc) rc = w->files->unlink(w->files->ctx, path);
        if (!rc) removed++;
    }
    homer_numbered_deinit(&list);
    atomic_fetch_add(&w->removed, (uint_fast64_t)removed);
    if (removed && !rc) rc = homer_file_sync_folder(w->files, w->dir);
    return rc ? rc : removed;
}

/* Gives unused disk space back. Nothing is lost when that fails. */
static void trim(struct homer_wal *w) {
    char path[HOMER_PATH_MAX];
    if (!w->failed && homer_file_truncate(w->files, w->disk.fd, w->disk.at) == 0)
        homer_file_sync(w->files, w->disk.fd);
    if (homer_path(path, w->dir, HOMER_WAL_SPARE) == 0) w->files->unlink(w->files->ctx, path);
    homer_file_sync_folder(w->files, w->dir);
}

int homer_wal_close(struct homer_wal *w) {
    if (!w) return 0;
    if (homer_wal_take(w, true, w->failed)) {
        w->job.want_spare = false;
        homer_wal_done(w, homer_wal_write(w));
    }
    int rc = w->failed ? w->rc : 0;
    trim(w);
    release(w);
    return rc;
}
