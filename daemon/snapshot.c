#include "daemon/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/snapshot_impl.h"

static const char prefix[] = "snapshot-";
enum { NAME = sizeof prefix + 16, DIGITS = 16 };

int homer_snapshot_path(char out[HOMER_PATH_MAX], const char *dir, uint64_t sequence) {
    char name[NAME];
    snprintf(name, sizeof name, "%s%016" PRIx64, prefix, sequence);
    return homer_path(out, dir, name);
}

int homer_snapshot_failed(struct homer_error *err, int rc, const char *what, const char *path) {
    return homer_err_set(err, rc, "cannot %s %.150s: %s", what, path, strerror(-rc));
}

/* ---- listing ---- */

struct list {
    uint64_t *at; /* [n] of cap */
    size_t n, cap;
    bool failed;
};

static bool sequence_of(const char *name, uint64_t *out) {
    const char *digits = name + sizeof prefix - 1;
    if (strncmp(name, prefix, sizeof prefix - 1) != 0 || strlen(digits) != DIGITS ||
        strspn(digits, "0123456789abcdef") != DIGITS)
        return false;
    *out = strtoull(digits, NULL, 16);
    return true;
}

static void list_name(void *arg, const char *name) {
    struct list *l = arg;
    uint64_t sequence;
    if (!sequence_of(name, &sequence)) return;
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 16;
        uint64_t *at = realloc(l->at, cap * sizeof *at);
        if (!at) {
            l->failed = true;
            return;
        }
        l->at = at;
        l->cap = cap;
    }
    l->at[l->n++] = sequence;
}

static int newest_first(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

int homer_snapshot_list(const struct homer_snapshots *s, uint64_t **out, size_t *n) {
    struct list l = {0};
    int rc = s->files->list(s->files->ctx, s->dir, list_name, &l);
    if (rc >= 0) rc = l.failed ? -ENOMEM : 0;
    if (rc) {
        free(l.at);
        return rc;
    }
    if (l.n) qsort(l.at, l.n, sizeof *l.at, newest_first);
    *out = l.at;
    *n = l.n;
    return 0;
}

static int remove_file(const struct homer_files *f, const char *path) {
    int rc = f->unlink(f->ctx, path);
    return rc == -ENOENT ? 0 : rc;
}

int homer_snapshot_prune(const struct homer_snapshots *s, size_t keep, uint64_t *oldest) {
    char path[HOMER_PATH_MAX];
    uint64_t *at = NULL;
    size_t n = 0;
    *oldest = 0;
    int rc = homer_snapshot_list(s, &at, &n);
    if (!rc) rc = homer_path(path, s->dir, HOMER_SNAPSHOT_NEW);
    if (!rc) rc = remove_file(s->files, path);
    size_t whole = 0, removed = 0;
    for (size_t i = 0; i < n && !rc; i++) {
        if (whole == keep) {
            rc = homer_snapshot_path(path, s->dir, at[i]);
            if (!rc) rc = remove_file(s->files, path);
            removed += !rc;
            continue;
        }
        rc = homer_snapshot_read(s, at[i], NULL, NULL, NULL);
        if (rc == 0) {
            whole++;
            *oldest = at[i];
        } else if (rc == -EBADMSG) {
            rc = 0; /* it does not count, and goes when enough newer ones are whole */
        }
    }
    if (!rc && removed) rc = homer_file_sync_folder(s->files, s->dir);
    free(at);
    return rc;
}
