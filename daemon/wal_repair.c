/* Cutting a damaged log. In an order that leaves, wherever it is interrupted, a log that is damaged at the
 * same place or cut there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/wal_read.h"

struct repair {
    const struct homer_files *files;
    const char *dir;
    struct homer_error *err;
    char path[HOMER_PATH_MAX], aside[HOMER_PATH_MAX]; /* of the segment in work */
};

static int failed(struct repair *r, int rc, const char *what, const char *path) {
    return homer_err_set(r->err, rc, "could not %s %.150s: %s", what, path, strerror(-rc));
}

static int name(struct repair *r, uint64_t first) {
    char file[HOMER_NUMBERED_NAME], aside[HOMER_NUMBERED_NAME + 16];
    homer_wal_name(file, first);
    snprintf(aside, sizeof aside, "%s.damaged", file);
    int rc = homer_path(r->path, r->dir, file);
    if (!rc) rc = homer_path(r->aside, r->dir, aside);
    return rc ? failed(r, rc, "name the copies in", r->dir) : 0;
}

static int move_aside(struct repair *r, uint64_t first) {
    int rc = name(r, first);
    if (rc) return rc;
    rc = r->files->rename(r->files->ctx, r->path, r->aside);
    return rc ? failed(r, rc, "set aside", r->path) : 0;
}

/* Copies the segment, durably, then cuts it. */
static int cut(struct repair *r, uint64_t first, uint64_t offset) {
    const struct homer_files *f = r->files;
    int rc = name(r, first);
    if (rc) return rc;
    int from = homer_file_open(f, r->path, O_RDWR, 0);
    if (from < 0) return failed(r, from, "open", r->path);
    int to = homer_file_open(f, r->aside, O_RDWR | O_CREAT | O_TRUNC, 0600);
    rc = to < 0 ? to : homer_file_copy(f, from, to);
    if (!rc) rc = homer_file_sync_folder(f, r->dir);
    if (rc) {
        failed(r, rc, "copy the damaged segment to", r->aside);
    } else {
        rc = homer_file_truncate(f, from, offset);
        if (!rc) rc = homer_file_sync(f, from);
        if (rc) failed(r, rc, "cut", r->path);
    }
    homer_file_close(f, from);
    homer_file_close(f, to);
    return rc;
}

/* Cuts where `at` says. */
static int set_aside(struct repair *r, const struct homer_numbered *list, const struct homer_wal_report *at,
                     uint64_t *count) {
    char file[HOMER_NUMBERED_NAME];
    size_t i = 0, n = list->n;
    int rc = 0;
    for (; i < n; i++) {
        homer_wal_name(file, list->at[i]);
        if (strcmp(file, at->file) == 0) break;
    }
    bool whole = at->offset < HOMER_WAL_HEADER; /* nothing of it is left */
    size_t keep = whole ? i : i + 1;
    for (; n > keep && !rc; n--, (*count)++) rc = move_aside(r, list->at[n - 1]);
    if (!rc && !whole && i < n) {
        rc = cut(r, list->at[i], at->offset);
        *count += rc == 0;
    }
    if (rc) return rc;
    rc = homer_file_sync_folder(r->files, r->dir);
    return rc ? failed(r, rc, "sync the folder", r->dir) : 0;
}

int homer_wal_repair(const struct homer_files *files, const char *dir, uint64_t from_sequence,
                     struct homer_wal_repair *out, struct homer_error *err) {
    struct repair r = {.files = files, .dir = dir, .err = err};
    *out = (struct homer_wal_repair){0};
    int rc = homer_wal_read(files, dir, from_sequence, NULL, NULL, &out->before, err);
    struct homer_wal_report at = out->before;
    /* Again, since a segment before the one that went may be needed now, and damaged as well. */
    while (at.damaged) {
        struct homer_mem mem = {0};
        struct homer_numbered list;
        rc = homer_numbered_list(&list, &mem, files, dir, HOMER_WAL_PREFIX);
        rc = rc ? failed(&r, rc, "list", dir) : set_aside(&r, &list, &at, &out->set_aside);
        homer_numbered_deinit(&list);
        if (rc) break;
        rc = homer_wal_read(files, dir, from_sequence, NULL, NULL, &at, err);
    }
    out->last = at.last;
    return rc;
}
