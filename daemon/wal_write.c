/* The pool's side of the log: segments on disk.
 *
 * A job writes runs of records, as many as the segment holds, then syncs. A full segment is synced, then the
 * spare becomes the current one: header, sync, rename, sync of the folder; only then records. At the end a
 * new spare is prepared. Whatever fails ends the job; the next one is a retry, which begins a segment of its
 * own. When that has the name of the one that failed, it takes its place: nothing in there counts that is not
 * written again. */
#include <errno.h>
#include <fcntl.h>

#include "core/base/sum.h"
#include "daemon/le.h"
#include "daemon/wal_impl.h"

enum { UNSYNCED_BYTES = 16 << 20 }; /* kept in memory at most, about, before a job syncs unasked */

static int failed(struct homer_wal *w, int rc, const char *what, uint64_t where) {
    w->job.what = what;
    w->job.where = where;
    return rc;
}

int homer_wal_prepare_spare(struct homer_wal *w) {
    char path[HOMER_PATH_MAX];
    int rc = homer_path(path, w->dir, HOMER_WAL_SPARE);
    if (rc) return failed(w, rc, "name", UINT64_MAX);
    int fd = homer_file_open(w->files, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return failed(w, fd, "create", UINT64_MAX);
    rc = homer_file_allocate(w->files, fd, w->options.segment_bytes);
    if (rc == 0) {
        w->disk.spare = fd;
        return 0;
    }
    homer_file_close(w->files, fd);
    w->files->unlink(w->files->ctx, path); /* gives back what it got */
    return failed(w, rc, "take disk space for", UINT64_MAX);
}

static int sync_segment(struct homer_wal *w, const struct homer_wal_at *here) {
    if (w->disk.unsynced) {
        int rc = homer_file_sync(w->files, w->disk.fd);
        if (rc) return failed(w, rc, "sync", w->disk.first);
        w->disk.unsynced = false;
        w->job.syncs++;
    }
    w->job.safe = *here;
    return 0;
}

/* Makes the spare the segment `first`. */
static int name_spare(struct homer_wal *w, uint64_t first, uint64_t salt) {
    char head[HOMER_WAL_HEADER], from[HOMER_PATH_MAX], to[HOMER_PATH_MAX];
    struct homer_wal_segment_head h = {.first = first, .salt = salt, .synced = w->job.safe.sequence};
    homer_wal_put_head(head, &h);
    int rc = homer_path(from, w->dir, HOMER_WAL_SPARE);
    if (!rc) rc = homer_wal_path(to, w->dir, first);
    if (rc) return failed(w, rc, "name", first);
    rc = homer_file_write(w->files, w->disk.spare, head, sizeof head, 0);
    if (rc) return failed(w, rc, "write to", UINT64_MAX);
    rc = homer_file_sync(w->files, w->disk.spare);
    if (rc) return failed(w, rc, "sync", UINT64_MAX);
    rc = w->files->rename(w->files->ctx, from, to);
    if (rc) return failed(w, rc, "give its name to", first);
    rc = homer_file_sync_folder(w->files, w->dir);
    return rc ? failed(w, rc, "sync the folder of", first) : 0;
}

int homer_wal_begin_segment(struct homer_wal *w, uint64_t first) {
    struct homer_wal_disk *d = &w->disk;
    int rc = d->spare < 0 ? homer_wal_prepare_spare(w) : 0;
    if (rc) return rc;
    uint64_t unique[2] = {first, d->salted++};
    uint64_t salt = homer_sum64(w->options.salt, unique, sizeof unique);
    rc = name_spare(w, first, salt);
    if (rc) { /* the next attempt makes a new file */
        d->spare = homer_file_close(w->files, d->spare);
        return rc;
    }
    homer_file_close(w->files, d->fd);
    d->fd = d->spare;
    d->spare = -1;
    d->first = first;
    d->at = HOMER_WAL_HEADER;
    d->unsynced = false;
    d->salt = salt;
    w->job.segments++;
    return 0;
}

/* Writes the records behind job.written that lie in its chunk and fit into the segment; their bytes in *n. */
static int write_run(struct homer_wal *w, size_t *n) {
    struct homer_wal_job *j = &w->job;
    struct homer_wal_at at = j->written;
    size_t end = at.chunk == j->to.chunk ? j->to.at : at.chunk->n;
    char *run = at.chunk->data + at.at;
    *n = 0;
    while (at.at < end) {
        char *record = at.chunk->data + at.at;
        size_t payload_n = homer_le_get32(record + 12), bytes = HOMER_WAL_RECORD + payload_n;
        if (w->disk.at + *n + bytes > w->options.segment_bytes) break;
        at.sequence++;
        homer_wal_put_record(record, w->disk.salt, at.sequence, j->safe.sequence, payload_n);
        at.at += bytes;
        at.bytes += bytes;
        *n += bytes;
    }
    if (*n == 0) return 0;
    w->disk.unsynced = true;
    int rc = homer_file_write(w->files, w->disk.fd, run, *n, w->disk.at);
    if (rc) return failed(w, rc, "write to", w->disk.first);
    w->disk.at += *n;
    j->written = at;
    return 0;
}

static int write_records(struct homer_wal *w) {
    struct homer_wal_job *j = &w->job;
    int rc = 0;
    while (!rc && j->written.sequence < j->to.sequence) {
        size_t n;
        rc = write_run(w, &n);
        if (rc || n) continue;
        if (j->written.chunk != j->to.chunk && j->written.at == j->written.chunk->n) {
            j->written.chunk = j->written.chunk->next;
            j->written.at = 0;
            continue;
        }
        rc = sync_segment(w, &j->written); /* full */
        if (!rc) rc = homer_wal_begin_segment(w, j->written.sequence + 1);
    }
    return rc;
}

int homer_wal_write(struct homer_wal *w) {
    struct homer_wal_job *j = &w->job;
    int rc = j->fresh ? homer_wal_begin_segment(w, j->written.sequence + 1) : 0;
    if (!rc) rc = write_records(w);
    bool much = w->options.keep_unsynced && j->written.bytes - j->safe.bytes > UNSYNCED_BYTES;
    if (!rc && (j->sync || much)) rc = sync_segment(w, &j->written);
    if (!rc && j->want_spare && w->disk.spare < 0) j->spare_rc = homer_wal_prepare_spare(w);
    j->has_spare = w->disk.spare >= 0;
    return rc;
}
