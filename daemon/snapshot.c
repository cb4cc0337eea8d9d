#include "daemon/snapshot.h"

#include <errno.h>
#include <string.h>

#include "daemon/snapshot_impl.h"

int homer_snapshot_path(char out[HOMER_PATH_MAX], const char *dir, uint64_t sequence) {
    return homer_numbered_path(out, dir, HOMER_SNAPSHOT_PREFIX, sequence);
}

int homer_snapshot_failed(struct homer_error *err, int rc, const char *what, const char *path) {
    return homer_err_set(err, rc, "cannot %s %.150s: %s", what, path, strerror(-rc));
}

static int remove_file(const struct homer_files *f, const char *path) {
    int rc = f->unlink(f->ctx, path);
    return rc == -ENOENT ? 0 : rc;
}

int homer_snapshot_prune(const struct homer_snapshots *s, size_t keep, uint64_t known, uint64_t *oldest) {
    char path[HOMER_PATH_MAX];
    struct homer_mem mem = {0};
    struct homer_numbered list;
    size_t whole = 0, removed = 0;
    *oldest = 0;
    int rc = homer_numbered_list(&list, &mem, s->files, s->dir, HOMER_SNAPSHOT_PREFIX);
    if (!rc) rc = homer_path(path, s->dir, HOMER_SNAPSHOT_NEW);
    if (!rc) rc = remove_file(s->files, path);
    for (size_t i = list.n; i-- > 0 && !rc;) {
        uint64_t sequence = list.at[i];
        if (whole == keep) {
            rc = homer_snapshot_path(path, s->dir, sequence);
            if (!rc) rc = remove_file(s->files, path);
            removed += !rc;
            continue;
        }
        rc = sequence == known ? 0 : homer_snapshot_read(s, sequence, NULL, NULL, NULL);
        if (rc == 0) {
            whole++;
            *oldest = sequence;
        } else if (rc == -EBADMSG) {
            rc = 0; /* it does not count, and goes when enough newer ones are whole */
        }
    }
    if (!rc && removed) rc = homer_file_sync_folder(s->files, s->dir);
    homer_numbered_deinit(&list);
    return rc;
}
