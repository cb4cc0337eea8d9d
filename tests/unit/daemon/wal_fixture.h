/* A log on a disk in memory, with records whose content follows from their sequence. */
#ifndef HOMER_TESTS_WAL_FIXTURE_H
#define HOMER_TESTS_WAL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "daemon/wal.h"
#include "daemon/wal_read.h"
#include "tests/lib/disk.h"

enum { LONGEST = 700 }; /* bytes of a payload */

static const char folder[] = "log";

/* How often the long form repeats things: HOMER_TEST_SCALE, 1 when it is not set. */
static inline unsigned scaled(unsigned n) {
    const char *scale = getenv("HOMER_TEST_SCALE");
    unsigned long times = scale ? strtoul(scale, NULL, 10) : 1;
    return (unsigned)(n * (times ? times : 1));
}

struct log {
    struct homer_mem mem;
    struct disk *disk;
    struct homer_wal *w;
    struct homer_wal_options options;
    struct homer_error err;
};

/* The payload of a record; its bytes. */
static inline size_t payload_of(uint64_t sequence, char out[LONGEST]) {
    struct homer_rng r;
    homer_rng_seed(&r, sequence);
    size_t n = homer_rng_next(&r) % 4 ? homer_rng_next(&r) % 60 : homer_rng_next(&r) % LONGEST;
    for (size_t i = 0; i < n; i += 8) {
        uint64_t word = homer_rng_next(&r);
        memcpy(out + i, &word, n - i < 8 ? n - i : 8);
    }
    return n;
}

static inline void log_init(struct log *l, uint64_t seed) {
    *l = (struct log){.disk = disk_new(seed)};
    l->options = (struct homer_wal_options){
        .segment_bytes = 4096, .max_record = LONGEST, .keep_unsynced = true, .salt = seed ^ 77};
}

static inline int log_open(struct log *l, uint64_t next) {
    return homer_wal_open(&l->w, &l->mem, disk_files(l->disk), folder, &l->options, next, &l->err);
}

static inline void log_deinit(struct log *l) {
    assert_int_equal(homer_wal_close(l->w), 0);
    assert_int_equal(l->mem.used_bytes, 0);
    l->disk = disk_free(l->disk);
}

/* The process dies: what it had in memory goes without a word to the disk. */
static inline void log_die(struct log *l) {
    disk_fail(l->disk, DISK_ALL, 1, UINT64_MAX, EIO);
    homer_wal_close(l->w);
    l->w = NULL;
    assert_int_equal(l->mem.used_bytes, 0);
    disk_heal(l->disk);
    disk_kill(l->disk);
}

/* Appends the next record, or says why not. */
static inline int add(struct log *l) {
    char bytes[LONGEST], *room;
    size_t n = payload_of(homer_wal_last(l->w) + 1, bytes);
    int rc = homer_wal_reserve(l->w, n, &room, &l->err);
    if (rc) return rc;
    memcpy(room, bytes, n);
    uint64_t before = homer_wal_last(l->w);
    assert_int_equal(homer_wal_append(l->w, n), before + 1);
    return 0;
}

/* A whole job, if there is one to do; its result. */
static inline int commit(struct log *l, bool sync, bool retry) {
    if (!homer_wal_take(l->w, sync, retry)) return 0;
    int rc = homer_wal_write(l->w);
    homer_wal_done(l->w, rc);
    return rc;
}

static inline void add_some(struct log *l, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(add(l), 0);
        if (i % 3 == 2) assert_int_equal(commit(l, i % 2, false), 0);
    }
    assert_int_equal(commit(l, true, false), 0);
    assert_int_equal(homer_wal_durable(l->w), homer_wal_last(l->w));
}

/* What a reading is compared with. */
struct reader {
    uint64_t next; /* sequence that has to come */
};

static inline int check_record(void *ctx, uint64_t sequence, const char *payload, size_t n) {
    struct reader *r = ctx;
    char bytes[LONGEST];
    assert_int_equal(sequence, r->next);
    assert_int_equal(n, payload_of(sequence, bytes));
    assert_memory_equal(payload, bytes, n);
    r->next++;
    return 0;
}

/* Reads from `from`; every record that comes is the right one. */
static inline int log_read(struct log *l, uint64_t from, struct homer_wal_report *report) {
    struct reader r = {.next = from};
    l->err = (struct homer_error){0};
    int rc = homer_wal_read(disk_files(l->disk), folder, from, check_record, &r, report, &l->err);
    assert_int_equal(report->records, r.next - from);
    assert_int_equal(report->damaged, rc == HOMER_E_INTERNAL);
    assert_int_equal(rc, l->err.code);
    if (report->damaged) {
        assert_non_null(strstr(l->err.message, report->file));
        assert_non_null(strstr(l->err.message, "homerd --repair"));
    }
    if (rc == 0) assert_int_equal(report->last, r.next - 1);
    return rc;
}

/* Path of the segment `first`; static. */
static inline const char *segment(uint64_t first) {
    static char path[64];
    snprintf(path, sizeof path, "%s/wal-%016llx", folder, (unsigned long long)first);
    return path;
}

/* The newest segment's first sequence. */
static inline uint64_t newest(struct log *l) {
    struct homer_numbered list;
    struct homer_mem mem = {0};
    assert_int_equal(homer_numbered_list(&list, &mem, disk_files(l->disk), folder, HOMER_WAL_PREFIX), 0);
    assert_true(list.n > 0);
    uint64_t first = list.at[list.n - 1];
    homer_numbered_deinit(&list);
    return first;
}

#endif
