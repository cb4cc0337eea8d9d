#include "daemon/wal_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A segment in memory. */
struct segment {
    struct homer_mem mem;
    char *bytes; /* [n] of cap */
    size_t n, cap;
    uint64_t first; /* by its name */
    bool whole;     /* it has its header */
    bool empty;     /* too short for a header, or nothing but zeros: never used */
    struct homer_wal_segment_head head;
};

struct reading {
    const struct homer_files *files;
    const char *dir;
    uint64_t from;
    homer_wal_each each;
    void *ctx;
    struct homer_wal_report *report;
    struct homer_error *err;
    struct homer_numbered list;
    struct segment segment;
    uint64_t expected; /* sequence of the next record */
};

/* Bytes up to the last one that is not zero, at least `from`. */
static size_t used(const struct segment *s, size_t from) {
    size_t n = s->n;
    while (n > from && s->bytes[n - 1] == 0) n--;
    return n < from ? from : n;
}

static int load_open(struct segment *s, const struct homer_files *files, int fd, struct homer_error *err) {
    int64_t size = files->size(files->ctx, fd);
    s->n = 0;
    s->whole = s->empty = false;
    if (size < 0) return (int)size;
    if ((uint64_t)size > HOMER_WAL_SEGMENT_MAX) return 0; /* not whole, not empty */
    if ((size_t)size > s->cap) {
        s->bytes = homer_mem_free(&s->mem, s->bytes, s->cap, 1);
        s->cap = 0;
        s->bytes = homer_mem_alloc(&s->mem, (size_t)size, 1);
        if (!s->bytes)
            return homer_err_set(err, -ENOMEM, "no memory for a segment of %lld bytes", (long long)size);
        s->cap = (size_t)size;
    }
    int64_t n = size ? homer_file_read(files, fd, s->bytes, (size_t)size, 0) : 0;
    if (n < 0) return (int)n;
    s->n = (size_t)n;
    s->whole = s->n && homer_wal_get_head(s->bytes, s->n, &s->head) && s->head.first == s->first;
    s->empty = s->n < HOMER_WAL_HEADER || used(s, 0) == 0;
    return 0;
}

static int load(struct segment *s, const struct homer_files *files, const char *dir, uint64_t first,
                struct homer_error *err) {
    char path[HOMER_PATH_MAX], name[HOMER_NUMBERED_NAME];
    homer_wal_name(name, first);
    s->first = first;
    int rc = homer_wal_path(path, dir, first);
    int fd = rc ? rc : homer_file_open(files, path, O_RDONLY, 0);
    rc = fd < 0 ? fd : load_open(s, files, fd, err);
    homer_file_close(files, fd);
    if (rc && rc != -ENOMEM)
        homer_err_set(err, rc, "could not read %s of %.120s: %s", name, dir, strerror(-rc));
    return rc;
}

static void unload(struct segment *s) {
    s->bytes = homer_mem_free(&s->mem, s->bytes, s->cap, 1);
    s->n = s->cap = 0;
}

int homer_wal_begins(const struct homer_files *files, const char *dir, uint64_t first, bool *begins,
                     struct homer_error *err) {
    struct segment s = {0};
    struct homer_wal_record record;
    int rc = load(&s, files, dir, first, err);
    *begins =
        !rc && s.whole &&
        homer_wal_get_record(s.bytes + HOMER_WAL_HEADER, s.n - HOMER_WAL_HEADER, s.head.salt, &record) &&
        record.sequence == first;
    unload(&s);
    return rc;
}

static void locate(struct reading *r, uint64_t first, size_t offset) {
    homer_wal_name(r->report->file, first);
    r->report->offset = offset;
}

static int damage(struct reading *r, uint64_t first, size_t offset, const char *what) {
    locate(r, first, offset);
    r->report->damaged = true;
    return homer_err_set(
        r->err, HOMER_E_INTERNAL,
        "the log is damaged: %s at byte %zu of %.90s/%s; \"homerd --repair\" keeps a copy and cuts "
        "the log there",
        what, offset, r->dir, r->report->file);
}

/* Whether some valid record behind `at` in the loaded segment says that `expected` was durable. */
static bool claimed(const struct segment *s, size_t at, uint64_t expected) {
    struct homer_wal_record record;
    while ((at = homer_wal_find_record(s->bytes, s->n, at, s->head.salt, &record)) < s->n) {
        if (record.synced >= expected) return true;
        at += HOMER_WAL_RECORD + record.n;
    }
    return false;
}

/* Whether a segment behind number i says that `expected` was durable, or goes on with records of its own.
 * Loads them. */
static int later(struct reading *r, size_t i, bool *found) {
    *found = false;
    for (i++; i < r->list.n && !*found; i++) {
        struct homer_wal_record record;
        struct segment *s = &r->segment;
        int rc = load(s, r->files, r->dir, r->list.at[i], r->err);
        if (rc) return rc;
        if (s->whole)
            *found = s->head.synced >= r->expected ||
                     homer_wal_find_record(s->bytes, s->n, HOMER_WAL_HEADER, s->head.salt, &record) < s->n;
        else
            *found = !s->empty;
    }
    return 0;
}

/* The expected record is not at `at` of segment i. Sets *resume to where reading can go on, 0 when the log
 * ends here. */
static int missing(struct reading *r, size_t i, size_t at, size_t *resume) {
    const struct segment *s = &r->segment;
    uint64_t first = s->first;
    size_t end = used(s, at);
    struct homer_wal_record record;
    *resume = 0;
    if (s->whole && r->expected < r->from) {
        size_t next = homer_wal_find_record(s->bytes, s->n, at, s->head.salt, &record);
        if (next < s->n && record.sequence > r->expected && record.sequence <= r->from) {
            r->report->skipped++;
            r->expected = record.sequence;
            *resume = next;
            return 0;
        }
    }
    if (s->whole && claimed(s, at, r->expected))
        return damage(r, first, at, "a record that was durable cannot be read");
    bool found;
    int rc = later(r, i, &found); /* the segment is no longer loaded */
    if (rc) return rc;
    if (found) return damage(r, first, at, "a record cannot be read, but later segments go on");
    if (end > at) {
        locate(r, first, at);
        r->report->torn_bytes = end - at;
    }
    return 0;
}

static int hand_out(struct reading *r, const struct homer_wal_record *record) {
    r->expected++;
    if (record->sequence < r->from) return 0;
    r->report->records++;
    r->report->bytes += record->n;
    return r->each ? r->each(r->ctx, record->sequence, record->payload, record->n) : 0;
}

/* Reads segment i; *on: the next one follows. */
static int read_segment(struct reading *r, size_t i, bool *on) {
    struct segment *s = &r->segment;
    bool more = i + 1 < r->list.n;
    int rc = load(s, r->files, r->dir, r->list.at[i], r->err);
    *on = false;
    if (rc) return rc;
    r->report->segments++;
    r->expected = s->first;
    if (!s->whole && !s->empty) return damage(r, s->first, 0, "there is no header of a segment");
    size_t at = s->whole ? HOMER_WAL_HEADER : 0;
    while (!more || r->expected < r->list.at[i + 1]) {
        struct homer_wal_record record;
        if (s->whole && homer_wal_get_record(s->bytes + at, s->n - at, s->head.salt, &record) &&
            record.sequence == r->expected) {
            rc = hand_out(r, &record);
            if (rc) return rc;
            at += HOMER_WAL_RECORD + record.n;
            continue;
        }
        rc = missing(r, i, at, &at);
        if (rc || at == 0) return rc;
    }
    *on = more;
    return 0;
}

static int read_all(struct reading *r) {
    size_t i = r->list.n;
    while (i > 0 && r->list.at[i - 1] > r->from) i--;
    if (r->list.n && i == 0) return damage(r, r->list.at[0], 0, "records before the first one are missing");
    int rc = 0;
    bool on = r->list.n > 0;
    for (i--; on && !rc; i++) rc = read_segment(r, i, &on);
    return rc;
}

int homer_wal_read(const struct homer_files *files, const char *dir, uint64_t from_sequence,
                   homer_wal_each each, void *ctx, struct homer_wal_report *report, struct homer_error *err) {
    struct reading r = {.files = files,
                        .dir = dir,
                        .from = from_sequence,
                        .each = each,
                        .ctx = ctx,
                        .report = report,
                        .err = err,
                        .expected = from_sequence};
    struct homer_mem mem = {0};
    *report = (struct homer_wal_report){0};
    int rc = homer_numbered_list(&r.list, &mem, files, dir, HOMER_WAL_PREFIX);
    if (rc)
        homer_err_set(err, rc, "could not list the log's folder %.150s: %s", dir, strerror(-rc));
    else
        rc = read_all(&r);
    report->last = r.expected > from_sequence ? r.expected - 1 : from_sequence - 1;
    unload(&r.segment);
    homer_numbered_deinit(&r.list);
    return rc;
}
