#include "daemon/recovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/snapshot.h"

static int decode(void *ctx, struct homer_decoder *d) {
    return homer_engine_decode(ctx, d);
}

/* The newest snapshot that is whole; only looks when engine is NULL. *n is how many there are. */
static int load(struct homer_restore *r, const struct homer_snapshots *where, size_t *n,
                struct homer_error *err) {
    struct homer_mem mem = {0};
    struct homer_numbered list;
    int rc = homer_numbered_list(&list, &mem, where->files, where->dir, HOMER_SNAPSHOT_PREFIX);
    if (rc) homer_err_set(err, rc, "cannot read the data folder %.150s: %s", where->dir, strerror(-rc));
    *n = rc ? 0 : list.n;
    for (size_t i = *n; i-- > 0;) {
        rc = homer_snapshot_read(where, list.at[i], r->engine ? decode : NULL, r->engine, err);
        if (rc == 0) r->snapshot = list.at[i];
        if (rc != -EBADMSG) break;
        r->damaged++;
        homer_log(HOMER_LOG_ERROR, "recovery", "snapshot_damaged", "sequence=%" PRIu64 " why=%s", list.at[i],
                  err->message);
    }
    homer_numbered_deinit(&list);
    if (rc == -EBADMSG) { /* all of them: the log alone may do, if it is there from the start */
        *err = (struct homer_error){0};
        rc = 0;
    }
    return rc;
}

static int replay(void *ctx, uint64_t sequence, const char *payload, size_t n) {
    struct homer_restore *r = ctx;
    struct homer_error err = {0};
    if (atomic_load(&r->cancel)) return -ECANCELED;
    int rc = homer_engine_replay(r->engine, payload, n, &err);
    if (rc) {
        homer_log(HOMER_LOG_ERROR, "recovery", "record_refused", "sequence=%" PRIu64 " why=%s", sequence,
                  err.code ? err.message : strerror(rc < 0 ? -rc : EINVAL));
        return rc;
    }
    r->last = sequence;
    atomic_fetch_add(&r->records, 1);
    return 0;
}

int homer_restore(struct homer_restore *r, struct homer_error *err) {
    struct homer_snapshots where = {.files = r->files, .dir = r->dir};
    size_t snapshots = 0;
    int rc = load(r, &where, &snapshots, err);
    if (rc) return rc;
    r->last = r->snapshot;
    rc = homer_wal_read(r->files, r->dir, r->snapshot + 1, replay, r, &r->log, err);
    if (rc && !err->code) {
        if (rc == -ECANCELED) return homer_err_set(err, rc, "stopped before the state was recovered");
        return homer_err_set(err, rc,
                             "record %" PRIu64 " of the log cannot be carried out (%s); the log names why",
                             r->last + 1, rc < 0 ? strerror(-rc) : homer_err_word(rc));
    }
    if (!rc && r->last == 0 && snapshots)
        return homer_err_set(
            err, HOMER_E_INTERNAL,
            "none of the %zu snapshots in %.100s can be used, and the log does not begin at its "
            "beginning; restore the folder from a backup",
            snapshots, r->dir);
    return rc;
}

int homer_restore_repair(const struct homer_files *files, const char *dir, struct homer_error *err) {
    struct homer_restore r = {.files = files, .dir = dir};
    struct homer_snapshots where = {.files = files, .dir = dir};
    struct homer_wal_repair done;
    size_t snapshots = 0;
    int rc = load(&r, &where, &snapshots, err);
    if (!rc) rc = homer_wal_repair(files, dir, r.snapshot + 1, &done, err);
    if (rc) return rc;
    if (r.damaged)
        printf("%" PRIu64 " of %zu snapshots are damaged and will not be used\n", r.damaged, snapshots);
    if (!done.before.damaged) {
        puts("the log is not damaged; nothing was changed");
        return 0;
    }
    printf("the log was damaged in %s at byte %" PRIu64 "; it now ends with record %" PRIu64 "; %" PRIu64
           " files were kept as *.damaged\n",
           done.before.file, done.before.offset, done.last, done.set_aside);
    return 0;
}
