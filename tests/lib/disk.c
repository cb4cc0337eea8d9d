#include "tests/lib/disk.h"

#include <errno.h>
#include <fcntl.h>
#include "core/base/rng.h"
#include "tests/lib/disk_file.h"

enum { FILES = 4096, OPEN = 32, CHANGES = 1024, KINDS = 10 };

/* A change of entries that is not synced: `to` (if any) names the file, `from` (if any) no longer does. */
struct change {
    char from[NAME], to[NAME];
    struct file *file;
};

struct disk {
    struct homer_files files;
    struct homer_rng rng;
    struct file *file[FILES];
    size_t file_n;
    struct names now, durable;
    struct change change[CHANGES];
    size_t change_n;
    struct file *open[OPEN];
    unsigned fail_ops;
    uint64_t fail_k, fail_more;
    int error;
    uint64_t failures, count[KINDS];
    bool stutter, cannot_allocate;
    uint64_t capacity;
};

static size_t below(struct disk *d, size_t n) {
    return (size_t)(homer_rng_next(&d->rng) % n);
}

static void apply(struct names *names, const struct change *c) {
    if (*c->from) unlink_name(names, c->from, c->file);
    if (*c->to) link_name(names, c->to, c->file);
}

static void change(struct disk *d, const char *from, const char *to, struct file *file) {
    must(d->change_n < CHANGES, "too many changes of the folder");
    struct change *c = &d->change[d->change_n++];
    *c = (struct change){.file = file};
    copy_name(c->from, from);
    copy_name(c->to, to);
    apply(&d->now, c);
}

static struct file *file_new(struct disk *d) {
    must(d->file_n < FILES, "too many files");
    struct file *f = calloc(1, sizeof *f);
    must(f, "no memory");
    d->file[d->file_n++] = f;
    return f;
}

/* Every sector that is dirty becomes durable with that chance, in sixteenths. */
static void write_back(struct disk *d, struct file *f, unsigned chance) {
    if (f->size_dirty && below(d, 16) < chance) f->durable_n = f->n;
    for (size_t s = 0; s < f->cap / DISK_SECTOR; s++) {
        if (!f->dirty[s] || below(d, 16) >= chance) continue;
        memcpy(f->durable + s * DISK_SECTOR, f->now + s * DISK_SECTOR, DISK_SECTOR);
    }
}

/* Counts the operation; a negative errno when it is to fail. */
static int turn(struct disk *d, enum disk_op op) {
    d->count[__builtin_ctz(op)]++;
    if (!(d->fail_ops & op)) return 0;
    if (d->fail_k > 1) {
        d->fail_k--;
        return 0;
    }
    if (d->fail_k == 0) return 0;
    if (d->fail_more)
        d->fail_more--;
    else
        d->fail_k = 0;
    d->failures++;
    return -d->error;
}

static bool interrupted(struct disk *d) {
    return d->stutter && below(d, 8) == 0;
}

static size_t piece(struct disk *d, size_t n) {
    return d->stutter && n > 1 ? 1 + below(d, n) : n;
}

static uint64_t used(const struct disk *d) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < d->now.n; i++) bytes += d->now.entry[i].file->n;
    return bytes;
}

/* How far a file may grow up to n bytes. */
static size_t allowed(const struct disk *d, const struct file *f, size_t n) {
    if (!d->capacity || n <= f->n) return n;
    uint64_t have = used(d), rest = have < d->capacity ? d->capacity - have : 0;
    return n - f->n <= rest ? n : f->n + (size_t)rest;
}

static struct file *opened(struct disk *d, int fd) {
    must(fd >= 0 && fd < OPEN && d->open[fd], "a file that is not open");
    return d->open[fd];
}

static int disk_open(void *ctx, const char *path, int flags, unsigned mode) {
    struct disk *d = ctx;
    struct entry *e = find(&d->now, path);
    (void)mode;
    if (interrupted(d)) return -EINTR;
    if (!e && !(flags & O_CREAT)) return -ENOENT;
    if (!e || flags & O_TRUNC) {
        int rc = turn(d, DISK_OPEN);
        if (rc) return rc;
    }
    int fd = 0;
    while (fd < OPEN && d->open[fd]) fd++;
    if (fd == OPEN) return -EMFILE;
    if (!e) change(d, "", path, file_new(d));
    d->open[fd] = find(&d->now, path)->file;
    if (flags & O_TRUNC) resize(d->open[fd], 0);
    return fd;
}

static int disk_close(void *ctx, int fd) {
    struct disk *d = ctx;
    opened(d, fd);
    d->open[fd] = NULL;
    return 0;
}

static int64_t disk_pread(void *ctx, int fd, void *to, size_t n, uint64_t at) {
    struct disk *d = ctx;
    const struct file *f = opened(d, fd);
    if (interrupted(d)) return -EINTR;
    int rc = turn(d, DISK_READ);
    if (rc) return rc;
    if (at >= f->n) return 0;
    if (n > f->n - at) n = f->n - (size_t)at;
    n = piece(d, n);
    memcpy(to, f->now + at, n);
    return (int64_t)n;
}

static int64_t disk_pwrite(void *ctx, int fd, const void *from, size_t n, uint64_t at) {
    struct disk *d = ctx;
    struct file *f = opened(d, fd);
    if (interrupted(d)) return -EINTR;
    int rc = turn(d, DISK_WRITE);
    n = rc ? below(d, n) : piece(d, n);
    size_t end = allowed(d, f, (size_t)at + n);
    n = end > at ? end - (size_t)at : 0;
    if (n) {
        if (end > f->n) resize(f, end);
        memcpy(f->now + at, from, n);
        touch(f, (size_t)at, end);
        f->size_dirty = f->size_dirty || f->durable_n != f->n; /* it is written back with the bytes */
    }
    return rc ? rc : n ? (int64_t)n : -ENOSPC;
}

static int disk_sync(void *ctx, int fd) {
    struct disk *d = ctx;
    struct file *f = opened(d, fd);
    if (interrupted(d)) return -EINTR;
    int rc = turn(d, DISK_SYNC);
    write_back(d, f, rc ? (unsigned)below(d, 16) : 16);
    clean(f);
    return rc;
}

static int disk_sync_folder(void *ctx, const char *path) {
    struct disk *d = ctx;
    (void)path;
    if (interrupted(d)) return -EINTR;
    int rc = turn(d, DISK_SYNC_FOLDER);
    if (rc) return rc; /* the entries stay as likely as they were */
    copy_names(&d->durable, &d->now);
    d->change_n = 0;
    return 0;
}

static int disk_allocate(void *ctx, int fd, uint64_t bytes) {
    struct disk *d = ctx;
    struct file *f = opened(d, fd);
    if (d->cannot_allocate) return -EOPNOTSUPP;
    if (interrupted(d)) return -EINTR;
    int rc = turn(d, DISK_ALLOCATE);
    size_t n = allowed(d, f, (size_t)bytes);
    if (!rc && n < bytes) rc = -ENOSPC;
    if (!rc && n > f->n) resize(f, n);
    return rc;
}

static int disk_truncate(void *ctx, int fd, uint64_t bytes) {
    struct disk *d = ctx;
    struct file *f = opened(d, fd);
    if (interrupted(d)) return -EINTR;
    int rc = turn(d, DISK_TRUNCATE);
    if (!rc) resize(f, (size_t)bytes);
    return rc;
}

static int64_t disk_size(void *ctx, int fd) {
    return (int64_t)opened(ctx, fd)->n;
}

static int disk_rename(void *ctx, const char *from, const char *to) {
    struct disk *d = ctx;
    int rc = turn(d, DISK_RENAME);
    if (rc) return rc;
    const struct entry *e = find(&d->now, from);
    if (!e) return -ENOENT;
    change(d, from, to, e->file);
    return 0;
}

static int disk_unlink(void *ctx, const char *path) {
    struct disk *d = ctx;
    int rc = turn(d, DISK_UNLINK);
    if (rc) return rc;
    const struct entry *e = find(&d->now, path);
    if (!e) return -ENOENT;
    change(d, path, "", e->file);
    return 0;
}

static int disk_make_folder(void *ctx, const char *path, unsigned mode) {
    (void)ctx, (void)path, (void)mode;
    return -EEXIST;
}

static int disk_list(void *ctx, const char *path, void (*each)(void *arg, const char *name), void *arg) {
    struct disk *d = ctx;
    size_t n = strlen(path);
    int rc = turn(d, DISK_LIST);
    for (size_t i = 0; i < d->now.n && !rc; i++) {
        const char *name = d->now.entry[i].name;
        if (strncmp(name, path, n) == 0 && name[n] == '/' && !strchr(name + n + 1, '/'))
            each(arg, name + n + 1);
    }
    return rc;
}

static int disk_lock(void *ctx, int fd) {
    opened(ctx, fd);
    return 0;
}

struct disk *disk_new(uint64_t seed) {
    struct disk *d = calloc(1, sizeof *d);
    must(d, "no memory");
    homer_rng_seed(&d->rng, seed);
    d->files = (struct homer_files){.ctx = d,
                                    .open = disk_open,
                                    .close = disk_close,
                                    .pread = disk_pread,
                                    .pwrite = disk_pwrite,
                                    .sync = disk_sync,
                                    .sync_folder = disk_sync_folder,
                                    .allocate = disk_allocate,
                                    .truncate = disk_truncate,
                                    .size = disk_size,
                                    .rename = disk_rename,
                                    .unlink = disk_unlink,
                                    .make_folder = disk_make_folder,
                                    .list = disk_list,
                                    .lock = disk_lock};
    return d;
}

void disk_wipe(struct disk *d) {
    for (size_t i = 0; i < d->file_n; i++) {
        free(d->file[i]->now);
        free(d->file[i]->durable);
        free(d->file[i]->dirty);
        free(d->file[i]);
    }
    d->file_n = d->now.n = d->durable.n = d->change_n = 0;
    disk_kill(d);
}

struct disk *disk_free(struct disk *d) {
    disk_wipe(d);
    free(d);
    return NULL;
}

const struct homer_files *disk_files(struct disk *d) {
    return &d->files;
}

void disk_fail(struct disk *d, unsigned ops, uint64_t k, uint64_t more, int error) {
    d->fail_ops = ops;
    d->fail_k = k;
    d->fail_more = more;
    d->error = error;
}

void disk_heal(struct disk *d) {
    d->fail_ops = 0;
}

uint64_t disk_failures(const struct disk *d) {
    return d->failures;
}

uint64_t disk_count(const struct disk *d, unsigned ops) {
    uint64_t n = 0;
    for (int i = 0; i < KINDS; i++) n += ops & 1u << i ? d->count[i] : 0;
    return n;
}

void disk_stutter(struct disk *d, bool on) {
    d->stutter = on;
}

void disk_cannot_allocate(struct disk *d, bool on) {
    d->cannot_allocate = on;
}

void disk_capacity(struct disk *d, uint64_t bytes) {
    d->capacity = bytes;
}

void disk_kill(struct disk *d) {
    memset(d->open, 0, sizeof d->open);
}

void disk_power_loss(struct disk *d) {
    disk_kill(d);
    /* Entries: a journal keeps a beginning of the changes, a loose file system any of them. */
    bool journal = below(d, 2);
    size_t kept = below(d, d->change_n + 1);
    for (size_t i = 0; i < d->change_n; i++)
        if (journal ? i < kept : below(d, 2) == 1) apply(&d->durable, &d->change[i]);
    copy_names(&d->now, &d->durable);
    d->change_n = 0;
    unsigned chance = (unsigned)below(d, 17);
    for (size_t i = 0; i < d->file_n; i++) {
        struct file *f = d->file[i];
        write_back(d, f, chance);
        clean(f);
        f->n = f->durable_n;
        if (!f->cap) continue;
        memset(f->durable + f->n, 0, f->cap - f->n);
        memcpy(f->now, f->durable, f->cap);
    }
}

unsigned char *disk_content(struct disk *d, const char *path, size_t *n) {
    const struct entry *e = find(&d->now, path);
    *n = e ? e->file->n : 0;
    return e ? e->file->now : NULL;
}

void disk_put(struct disk *d, const char *path, const void *bytes, size_t n) {
    const struct entry *e = find(&d->now, path);
    struct file *f = e ? e->file : file_new(d);
    if (!e) change(d, "", path, f);
    resize(f, 0);
    resize(f, n);
    if (n) memcpy(f->now, bytes, n);
    touch(f, 0, n);
    write_back(d, f, 16);
    clean(f);
    copy_names(&d->durable, &d->now);
    d->change_n = 0;
}

bool disk_exists(struct disk *d, const char *path) {
    return find(&d->now, path);
}
