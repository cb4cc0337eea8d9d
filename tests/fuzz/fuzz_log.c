/* The log's reader and repair: any segments give the records from the one asked for on, in order and without
 * gaps, and an end that is clean, torn or damaged; repaired it reads, and a writer goes on.
 *
 * An input is: what to fix (bit 0: headers, bit 1: records) and whether a writer goes on (bit 2, slow), the
 * sequence asked for, then segments: first sequence u8, bytes u16, bytes. Fixing sets checksums and what
 * hangs on the salt, so that mutations get past them. */
#include <string.h>
#include "daemon/le.h"
#include "daemon/wal.h"
#include "daemon/wal_read.h"
#include "fuzz.h"
#include "tests/lib/disk.h"

enum { SEGMENTS = 6, FIX_HEADERS = 1, FIX_RECORDS = 2, GO_ON = 4 };

static void fix(char *bytes, size_t n, uint64_t first, unsigned how) {
    struct homer_wal_segment_head head;
    if (n < HOMER_WAL_HEADER) return;
    if (how & FIX_HEADERS) {
        head = (struct homer_wal_segment_head){
            .first = first, .salt = homer_le_get64(bytes + 24), .synced = homer_le_get64(bytes + 32)};
        homer_wal_put_head(bytes, &head);
    }
    if (!(how & FIX_RECORDS) || !homer_wal_get_head(bytes, n, &head)) return;
    for (size_t at = HOMER_WAL_HEADER; n - at >= HOMER_WAL_RECORD;) {
        char *record = bytes + at;
        size_t payload_n = homer_le_get32(record + 12);
        if (payload_n > n - at - HOMER_WAL_RECORD) break;
        if (record[8]) /* marked 0: left as it is, damaged */
            homer_wal_put_record(record, head.salt, homer_le_get64(record + 16), homer_le_get64(record + 24),
                                 payload_n);
        at += HOMER_WAL_RECORD + payload_n;
    }
}

struct check {
    uint64_t next, sum;
};

static int each(void *ctx, uint64_t sequence, const char *payload, size_t n) {
    struct check *c = ctx;
    CHECK(sequence == c->next++);
    for (size_t i = 0; i < n; i++) c->sum = c->sum * 31 + (unsigned char)payload[i];
    return 0;
}

static int read_log(struct disk *d, uint64_t from, struct homer_wal_report *report, struct check *c) {
    struct homer_error err = {0};
    *c = (struct check){.next = from};
    int rc = homer_wal_read(disk_files(d), "log", from, each, c, report, &err);
    CHECK(rc == err.code && (rc == 0 || rc == HOMER_E_INTERNAL) && report->damaged == (rc != 0));
    CHECK(report->records == c->next - from && (rc || report->last == c->next - 1));
    CHECK((*report->file != 0) == (report->damaged || report->torn_bytes > 0));
    return rc;
}

static void goes_on(struct disk *d, uint64_t from, uint64_t last) {
    static const struct homer_wal_options options = {.segment_bytes = 1024, .max_record = 100, .salt = 5};
    struct homer_mem mem = {0};
    struct homer_wal *w;
    struct homer_wal_report report;
    struct check c;
    char *room;
    CHECK(homer_wal_open(&w, &mem, disk_files(d), "log", &options, last + 1, NULL) == 0);
    CHECK(homer_wal_reserve(w, 3, &room, NULL) == 0);
    memcpy(room, "new", 3);
    CHECK(homer_wal_append(w, 3) == last + 1);
    CHECK(homer_wal_close(w) == 0);
    CHECK(mem.used_bytes == 0);
    CHECK(read_log(d, from, &report, &c) == 0 && report.last == last + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n < 2) return 0;
    static struct disk *d;
    if (!d) d = disk_new(1);
    disk_wipe(d);
    unsigned how = data[0];
    uint64_t from = data[1] ? data[1] : 1;
    size_t at = 2;
    for (int i = 0; i < SEGMENTS && n - at >= 3; i++) {
        char path[64];
        size_t bytes = data[at + 1] | (size_t)data[at + 2] << 8;
        uint64_t first = data[at];
        at += 3;
        if (bytes > n - at) bytes = n - at;
        char *copy = malloc(bytes + !bytes);
        CHECK(copy);
        memcpy(copy, data + at, bytes);
        fix(copy, bytes, first, how);
        snprintf(path, sizeof path, "log/wal-%016llx", (unsigned long long)first);
        disk_put(d, path, copy, bytes);
        free(copy);
        at += bytes;
    }
    struct homer_wal_report report, again;
    struct homer_wal_repair repair;
    struct check c, after;
    int rc = read_log(d, from, &report, &c);
    CHECK(homer_wal_repair(disk_files(d), "log", from, &repair, NULL) == 0);
    CHECK(repair.before.damaged == (rc != 0) && (rc != 0) == (repair.set_aside > 0));
    CHECK(read_log(d, from, &again, &after) == 0 && again.last == repair.last);
    /* What a segment that is gone had replaced counts again. */
    CHECK(again.last == report.last ? after.sum == c.sum : rc && again.last > report.last);
    if (how & GO_ON) goes_on(d, from, again.last);
    return 0;
}
