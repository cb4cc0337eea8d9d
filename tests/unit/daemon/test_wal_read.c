/* Reading the log back: torn tails, damage, what is written twice, and the repair. */
#include <fcntl.h>
#include "wal_fixture.h"

/* A log of n records over several segments, closed. `tail` keeps the last segment's unused space. */
static void make(struct log *l, uint64_t seed, unsigned n, bool tail) {
    log_init(l, seed);
    assert_int_equal(log_open(l, 1), 0);
    add_some(l, n);
    if (tail)
        log_die(l);
    else
        assert_int_equal(homer_wal_close(l->w), 0);
    l->w = NULL;
}

static void done(struct log *l) {
    assert_int_equal(l->mem.used_bytes, 0);
    disk_free(l->disk);
}

static void an_empty_folder_is_an_empty_log(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    log_init(&l, 1);
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.last, 0);
    assert_int_equal(log_read(&l, 51, &report), 0);
    assert_int_equal(report.last, 50);
    disk_put(l.disk, "log/wal-1", "x", 1);
    disk_put(l.disk, "log/wal-000000000000000G", "x", 1);
    disk_put(l.disk, "log/wal-0000000000000007.damaged", "x", 1);
    disk_put(l.disk, "log/wal-000000000000000A", "x", 1);
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.segments, 0);
    done(&l);
}

/* Cut at every byte of its last 64 KiB: what is whole before the cut comes back. */
static void cut_anywhere_the_beginning_comes_back(void **state) {
    (void)state;
    enum { BYTES = 64 << 10 };
    struct log l;
    struct homer_wal_report report;
    log_init(&l, 2);
    l.options.segment_bytes = BYTES + 4096;
    assert_int_equal(log_open(&l, 1), 0);
    while (homer_wal_counters(l.w).bytes < BYTES) assert_int_equal(add(&l), 0);
    assert_int_equal(homer_wal_close(l.w), 0);
    size_t n, first_cut,
        begin[BYTES / HOMER_WAL_RECORD] = {0}; /* [records + 1]: where each begins, and the end */
    unsigned records = 0;
    char bytes[LONGEST];
    disk_content(l.disk, segment(1), &n);
    assert_true(n > BYTES);
    for (begin[0] = HOMER_WAL_HEADER; begin[records] < n; records++)
        begin[records + 1] = begin[records] + HOMER_WAL_RECORD + payload_of(records + 1, bytes);
    assert_int_equal(begin[records], n);
    const struct homer_files *f = disk_files(l.disk);
    int fd = homer_file_open(f, segment(1), O_RDWR, 0);
    first_cut = n - BYTES;
    for (size_t cut = n; cut >= first_cut; cut--) {
        assert_int_equal(homer_file_truncate(f, fd, cut), 0);
        if (cut < begin[records]) records--;
        assert_int_equal(log_read(&l, 1, &report), 0);
        assert_int_equal(report.records, records);
        /* zeros at the end do not count: they may just as well be unused space */
        assert_true(report.torn_bytes <= cut - begin[records]);
        assert_int_equal(report.torn_bytes > 0, *report.file != 0);
        if (report.torn_bytes) assert_int_equal(report.offset, begin[records]);
    }
    assert_int_equal(records, 0);
    for (size_t cut = first_cut; cut-- > 0;) {
        assert_int_equal(homer_file_truncate(f, fd, cut), 0);
        assert_int_equal(log_read(&l, 1, &report), 0);
        assert_int_equal(report.records, 0);
    }
    homer_file_close(f, fd);
    done(&l);
}

static void zeros_at_the_end_cut_as_well(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    make(&l, 3, 20, true);
    uint64_t first = newest(&l);
    size_t n;
    unsigned char *content = disk_content(l.disk, segment(first), &n);
    assert_int_equal(n, 4096);
    uint64_t before = 20;
    for (size_t zeros = 0; zeros <= n; zeros++) {
        if (zeros) content[n - zeros] = 0;
        int rc = log_read(&l, 1, &report);
        if (rc == 0) {
            assert_true(report.last <= before);
            before = report.last;
        } else { /* the header is gone in part: no power loss does that */
            assert_true(zeros > n - HOMER_WAL_HEADER && zeros < n);
        }
    }
    assert_int_equal(before, first - 1);
    done(&l);
}

/* A seeded choice of bits, one at a time, all over the log. Either everything comes back, or everything
 * before the bit and a word about where; never a wrong record (log_read compares each). */
static void a_flipped_bit_is_never_read(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    struct homer_rng rng;
    unsigned flips = scaled(2000), refused = 0, torn = 0, unseen = 0;
    make(&l, 4, 150, true);
    homer_rng_seed(&rng, 99);
    struct homer_numbered list;
    struct homer_mem mem = {0};
    assert_int_equal(homer_numbered_list(&list, &mem, disk_files(l.disk), folder, HOMER_WAL_PREFIX), 0);
    assert_true(list.n > 3);
    for (unsigned i = 0; i < flips; i++) {
        uint64_t first = list.at[homer_rng_next(&rng) % list.n];
        size_t n;
        unsigned char *content = disk_content(l.disk, segment(first), &n);
        size_t at = homer_rng_next(&rng) % n;
        unsigned char bit = (unsigned char)(1u << homer_rng_next(&rng) % 8);
        content[at] ^= bit;
        int rc = log_read(&l, 1, &report);
        char name[HOMER_NUMBERED_NAME];
        homer_wal_name(name, first);
        if (rc) {
            assert_int_equal(rc, HOMER_E_INTERNAL);
            assert_string_equal(report.file, name);
            assert_true(report.offset <= at);
            refused++;
        } else if (report.torn_bytes) {
            assert_string_equal(report.file, name);
            assert_int_equal(first, list.at[list.n - 1]);
            assert_true(report.offset <= at && at < report.offset + report.torn_bytes);
            torn++;
        } else {
            assert_int_equal(report.last, 150); /* in space that is not used */
            unseen++;
        }
        content[at] ^= bit;
    }
    print_message("%u flips: %u refused, %u cut as a torn tail, %u in unused space\n", flips, refused, torn,
                  unseen);
    assert_true(refused > flips / 2 && torn > 0);
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.records, 150);
    homer_numbered_deinit(&list);
    done(&l);
}

/* Of the newest segment, a later record says which ones were durable. */
static void damage_in_the_newest_segment_is_told_from_a_torn_tail(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    log_init(&l, 5);
    assert_int_equal(log_open(&l, 1), 0);
    size_t end[11];
    for (int i = 1; i <= 10; i++) {
        end[i] = HOMER_WAL_HEADER + homer_wal_counters(l.w).bytes;
        assert_int_equal(add(&l), 0);
        if (i <= 6) assert_int_equal(commit(&l, true, false), 0);
    }
    assert_int_equal(commit(&l, false, false), 0); /* 7 to 10 say that 6 was durable */
    size_t n;
    unsigned char *content = disk_content(l.disk, segment(1), &n);
    for (int i = 1; i <= 10; i++) {
        content[end[i]] ^= 1;
        assert_int_equal(log_read(&l, 1, &report), i <= 6 ? HOMER_E_INTERNAL : 0);
        assert_int_equal(report.records, i - 1);
        assert_int_equal(report.offset, end[i]);
        assert_int_equal(report.last, i - 1);
        /* below what is asked for it does not matter, as long as the way on is found */
        assert_int_equal(log_read(&l, (uint64_t)i + 1, &report), 0);
        assert_int_equal(report.records, 10 - i);
        assert_int_equal(report.skipped, i < 10);
        content[end[i]] ^= 1;
    }
    log_deinit(&l);
}

/* An empty segment behind it says so as well. */
static void damage_at_the_end_of_a_closed_log_is_seen(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    make(&l, 11, 10, false);
    assert_int_equal(log_open(&l, 11), 0);
    log_die(&l);
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.last, 10);
    size_t n;
    unsigned char *content = disk_content(l.disk, segment(1), &n);
    content[n - 1] ^= 1;
    assert_int_equal(log_read(&l, 1, &report), HOMER_E_INTERNAL);
    assert_int_equal(report.last, 9);
    done(&l);
}

/* Nothing says that the record was durable, but later segments go on: a log that ends there would have a
 * hole. */
static void damage_before_a_later_segment_is_seen(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    log_init(&l, 12);
    l.options.keep_unsynced = false;
    assert_int_equal(log_open(&l, 1), 0);
    for (int i = 0; i < 10; i++) assert_int_equal(add(&l), 0);
    assert_int_equal(commit(&l, false, false), 0);
    assert_int_equal(add(&l), 0);
    disk_fail(l.disk, DISK_WRITE, 1, 0, EIO);
    assert_int_equal(commit(&l, false, false), -EIO);
    size_t n, later_n;
    unsigned char *content = disk_content(l.disk, segment(1), &n);
    assert_int_equal(commit(&l, false, true), 0);
    unsigned char *later = disk_content(l.disk, segment(11), &later_n);
    assert_non_null(later);
    content[HOMER_WAL_HEADER] ^= 1;
    assert_int_equal(log_read(&l, 1, &report), HOMER_E_INTERNAL); /* it holds a record */
    assert_int_equal(report.last, 0);
    later[0] ^= 1;
    assert_int_equal(log_read(&l, 1, &report), HOMER_E_INTERNAL); /* nobody knows what it holds */
    memset(later, 0, later_n);
    assert_int_equal(log_read(&l, 1, &report), 0); /* nothing: all of it is torn */
    assert_true(report.torn_bytes > 0);
    log_die(&l);
    done(&l);
}

static void a_missing_segment_is_damage(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    make(&l, 6, 150, true);
    struct homer_numbered list;
    struct homer_mem mem = {0};
    assert_int_equal(homer_numbered_list(&list, &mem, disk_files(l.disk), folder, HOMER_WAL_PREFIX), 0);
    const struct homer_files *f = disk_files(l.disk);
    assert_int_equal(f->unlink(f->ctx, segment(list.at[1])), 0);
    assert_int_equal(log_read(&l, 1, &report), HOMER_E_INTERNAL);
    assert_int_equal(report.last, list.at[1] - 1);
    assert_int_equal(log_read(&l, list.at[1], &report), HOMER_E_INTERNAL);
    assert_int_equal(log_read(&l, list.at[2], &report), 0);
    assert_int_equal(report.records, 150 - list.at[2] + 1);
    assert_int_equal(f->unlink(f->ctx, segment(list.at[0])), 0);
    assert_int_equal(log_read(&l, 1, &report), HOMER_E_INTERNAL);
    assert_int_equal(report.records, 0);
    assert_int_equal(report.last, 0);
    homer_numbered_deinit(&list);
    done(&l);
}

/* A segment under another's name, a file that is none, one that is too large to be true. */
static void what_is_no_segment_is_refused(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    make(&l, 7, 30, false);
    uint64_t last = newest(&l);
    const struct homer_files *f = disk_files(l.disk);
    size_t n;
    const unsigned char *content = disk_content(l.disk, segment(last), &n);
    char copy[4096];
    memcpy(copy, content, n);
    disk_put(l.disk, segment(31), copy, n);
    assert_int_equal(log_read(&l, 1, &report), HOMER_E_INTERNAL);
    assert_int_equal(report.last, 30);
    assert_int_equal(report.offset, 0);
    disk_put(l.disk, segment(31), "no segment", 10); /* shorter than a header: never used */
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.torn_bytes, 10);
    copy[0] = 'h';
    disk_put(l.disk, segment(31), copy, n);
    assert_int_equal(log_read(&l, 1, &report), HOMER_E_INTERNAL);
    assert_int_equal(f->unlink(f->ctx, segment(31)), 0);
    assert_int_equal(log_read(&l, 1, &report), 0);
    done(&l);
}

/* Payloads that look like records, however many, are only payloads: the mark and the checksums hang on the
 * salt. */
static void a_payload_cannot_pose_as_a_record(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    char one[HOMER_WAL_RECORD], two[HOMER_WAL_RECORD];
    homer_wal_put_record(one, 1, 5, 5, 0);
    homer_wal_put_record(two, 2, 5, 5, 0);
    assert_memory_not_equal(one, two, 8);
    assert_memory_not_equal(one + 8, two + 8, 4);
    log_init(&l, 8);
    l.options.segment_bytes = 1 << 20;
    l.options.max_record = 1 << 18;
    assert_int_equal(log_open(&l, 1), 0);
    char *room;
    size_t n = 1 << 18;
    assert_int_equal(homer_wal_reserve(l.w, n, &room, NULL), 0);
    for (size_t at = 0; at + 64 <= n; at += 64) homer_wal_put_record(room + at, 0, 2 + at / 64, 1000000, 32);
    homer_wal_append(l.w, n);
    assert_int_equal(commit(&l, true, false), 0);
    disk_content(l.disk, segment(1), &n)[HOMER_WAL_HEADER] ^= 1; /* the payload is what is left */
    assert_int_equal(homer_wal_read(disk_files(l.disk), folder, 1, NULL, NULL, &report, NULL), 0);
    assert_int_equal(report.records, 0);
    assert_true(report.torn_bytes > 1 << 17);
    assert_int_equal(homer_wal_read(disk_files(l.disk), folder, 5, NULL, NULL, &report, NULL), 0);
    assert_int_equal(report.records, 0);
    log_deinit(&l);
}

static int stop_at_5(void *ctx, uint64_t sequence, const char *payload, size_t n) {
    (void)ctx, (void)payload, (void)n;
    return sequence == 5 ? 42 : 0;
}

static void the_callback_can_stop_it(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    make(&l, 9, 30, false);
    assert_int_equal(homer_wal_read(disk_files(l.disk), folder, 2, stop_at_5, NULL, &report, &l.err), 42);
    assert_int_equal(report.records, 4);
    done(&l);
}

static void read_failures_are_told(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    make(&l, 10, 100, false);
    bool fired = true;
    for (uint64_t k = 1; fired; k++) {
        uint64_t before = disk_failures(l.disk);
        disk_fail(l.disk, DISK_ALL, k, 0, EIO);
        int rc = log_read(&l, 1, &report);
        fired = disk_failures(l.disk) > before;
        assert_int_equal(rc, fired ? -EIO : 0);
        if (fired) assert_non_null(strstr(l.err.message, "Input/output error"));
    }
    assert_int_equal(report.records, 100);
    disk_heal(l.disk);
    disk_stutter(l.disk, true);
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.records, 100);
    done(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_folder_is_an_empty_log),
        cmocka_unit_test(cut_anywhere_the_beginning_comes_back),
        cmocka_unit_test(zeros_at_the_end_cut_as_well),
        cmocka_unit_test(a_flipped_bit_is_never_read),
        cmocka_unit_test(damage_in_the_newest_segment_is_told_from_a_torn_tail),
        cmocka_unit_test(damage_at_the_end_of_a_closed_log_is_seen),
        cmocka_unit_test(damage_before_a_later_segment_is_seen),
        cmocka_unit_test(a_missing_segment_is_damage),
        cmocka_unit_test(what_is_no_segment_is_refused),
        cmocka_unit_test(a_payload_cannot_pose_as_a_record),
        cmocka_unit_test(the_callback_can_stop_it),
        cmocka_unit_test(read_failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
