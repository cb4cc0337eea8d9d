/* The log's writer: batches, segments, space taken ahead, failures and how they end. */
#include "wal_fixture.h"

static void records_come_back_in_order(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    log_init(&l, 1);
    assert_int_equal(log_open(&l, 1), 0);
    assert_int_equal(homer_wal_last(l.w), 0);
    assert_int_equal(homer_wal_batch(l.w), 1);
    assert_false(homer_wal_take(l.w, true, false)); /* nothing to do */
    add_some(&l, 200);
    assert_true(homer_wal_batch(l.w) > 60);
    struct homer_wal_counters c = homer_wal_counters(l.w);
    assert_int_equal(c.records, 200);
    assert_int_equal(c.pending_bytes, 0);
    assert_true(c.segments > 5 && c.syncs > c.segments && c.failures == 0);
    assert_int_equal(homer_wal_close(l.w), 0);
    assert_false(disk_exists(l.disk, "log/wal.spare"));
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.records, 200);
    assert_int_equal(report.segments, c.segments);
    assert_int_equal(report.torn_bytes, 0);
    assert_int_equal(log_read(&l, 150, &report), 0);
    assert_int_equal(report.records, 51);
    assert_int_equal(log_read(&l, 201, &report), 0);
    assert_int_equal(report.records, 0);
    assert_int_equal(report.last, 200);

    assert_int_equal(log_open(&l, 201), 0); /* goes on in a segment of its own */
    assert_int_equal(newest(&l), 201);
    add_some(&l, 3);
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.records, 203);
    log_deinit(&l);
}

static void appending_goes_on_while_a_batch_is_in_flight(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    log_init(&l, 2);
    assert_int_equal(log_open(&l, 1), 0);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(add(&l), 0);
        assert_true(homer_wal_take(l.w, i % 4 == 0, false));
        uint64_t taken = homer_wal_last(l.w);
        assert_int_equal(add(&l), 0);
        assert_false(homer_wal_take(l.w, true, true)); /* one at a time */
        int rc = homer_wal_write(l.w);
        assert_int_equal(rc, 0);
        assert_int_equal(add(&l), 0);
        homer_wal_done(l.w, rc);
        assert_int_equal(homer_wal_written(l.w), taken);
        if (i % 4 == 0) assert_int_equal(homer_wal_durable(l.w), taken);
        assert_int_equal(homer_wal_last(l.w), taken + 2);
    }
    assert_int_equal(commit(&l, true, false), 0);
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.records, 900);
    log_deinit(&l);
}

/* What is pending never passes the space that was taken. */
static void a_record_is_accepted_only_when_its_space_is_taken(void **state) {
    (void)state;
    struct log l;
    log_init(&l, 3);
    assert_int_equal(log_open(&l, 1), 0);
    int rc;
    uint64_t n = 0;
    for (int round = 0; round < 20; round++) {
        while ((rc = add(&l)) == 0) n++;
        assert_int_equal(rc, HOMER_E_BUSY);
        assert_true(l.err.retry);
        assert_false(homer_wal_failing(l.w, NULL));
        disk_capacity(l.disk, 1); /* nothing more to be had: what was accepted must fit all the same */
        assert_int_equal(commit(&l, true, false), 0);
        assert_int_equal(homer_wal_durable(l.w), n);
        while ((rc = add(&l)) == 0) n++;
        const char *why;
        assert_int_equal(rc, HOMER_E_READ_ONLY);
        assert_true(homer_wal_failing(l.w, &why));
        assert_non_null(strstr(why, "No space left"));
        assert_non_null(strstr(l.err.message, "wal.spare"));
        assert_int_equal(commit(&l, true, false), 0);
        assert_int_equal(homer_wal_durable(l.w), n);
        assert_int_equal(commit(&l, true, true), 0); /* tries for the spare again, and gets none */
        assert_true(homer_wal_failing(l.w, NULL));
        disk_capacity(l.disk, 0);
        assert_false(homer_wal_take(l.w, true, false));
        assert_int_equal(commit(&l, true, true), 0);
        assert_false(homer_wal_failing(l.w, &why));
        assert_string_equal(why, "");

        /* what is appended while a job is in flight may be on the way to the spare, too */
        for (int i = 0; i < 2; i++, n++) {
            assert_int_equal(commit(&l, true, false), 0); /* into a segment with room */
            assert_int_equal(add(&l), 0);
        }
        assert_true(homer_wal_take(l.w, true, false));
        while ((rc = add(&l)) == 0) n++;
        assert_int_equal(rc, HOMER_E_BUSY);
        homer_wal_done(l.w, homer_wal_write(l.w));
        while ((rc = add(&l)) == 0) n++;
        assert_int_equal(rc, HOMER_E_BUSY);
        disk_capacity(l.disk, 1);
        assert_int_equal(commit(&l, true, false), 0);
        assert_int_equal(homer_wal_durable(l.w), n);
        disk_capacity(l.disk, 0);
        assert_int_equal(commit(&l, true, true), 0);
    }
    struct homer_wal_report report;
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.records, n);
    log_deinit(&l);
}

static void sizes_are_bounded(void **state) {
    (void)state;
    struct log l;
    char *room;
    log_init(&l, 4);
    l.options.segment_bytes = 100; /* too small for the largest record: made large enough */
    assert_int_equal(log_open(&l, 1), 0);
    assert_int_equal(homer_wal_reserve(l.w, LONGEST + 1, &room, &l.err), HOMER_E_TOO_LARGE);
    assert_int_equal(homer_wal_reserve(l.w, LONGEST, &room, &l.err), 0);
    assert_int_equal(homer_wal_reserve(l.w, 5, &room, NULL), 0); /* the first one was left unused */
    assert_int_equal(homer_wal_last(l.w), 0);
    for (int i = 0; i < 30; i++) {
        while (add(&l) == 0) continue;
        assert_int_equal(commit(&l, true, false), 0);
    }
    struct homer_wal_report report;
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.records, homer_wal_last(l.w));
    assert_true(report.segments > 10);
    log_deinit(&l);

    log_init(&l, 4);
    l.options.max_record = (size_t)2 << 30;
    assert_int_equal(log_open(&l, 1), -EINVAL);
    assert_int_equal(l.mem.used_bytes, 0);
    disk_free(l.disk);
}

static void refused_memory_changes_nothing(void **state) {
    (void)state;
    for (uint64_t k = 1;; k++) {
        struct log l;
        struct homer_wal_report report;
        log_init(&l, 5);
        l.options.segment_bytes = 3 << 20;
        l.options.max_record = 400000;
        l.mem.fail_in = k;
        int rc = log_open(&l, 1);
        if (rc) {
            assert_int_equal(rc, -ENOMEM);
            assert_int_equal(log_open(&l, 1), 0);
        }
        for (int i = 0; i < 9; i++) {
            char *room;
            rc = homer_wal_reserve(l.w, 300000, &room, &l.err); /* more than a chunk: allocated each time */
            if (rc) {
                assert_int_equal(rc, -ENOMEM);
                assert_int_equal(homer_wal_reserve(l.w, 300000, &room, &l.err), 0);
            }
            memset(room, i, 300000);
            homer_wal_append(l.w, i == 4 ? 7 : 300000);
            assert_int_equal(homer_wal_last(l.w), i + 1);
            if (i % 2) assert_int_equal(commit(&l, i % 4 == 1, false), 0);
        }
        bool fired = l.mem.fail_in == 0;
        l.mem.fail_in = 0;
        assert_int_equal(commit(&l, true, false), 0);
        assert_int_equal(homer_wal_read(disk_files(l.disk), folder, 1, NULL, NULL, &report, &l.err), 0);
        assert_int_equal(report.records, 9);
        assert_int_equal(report.bytes, 8 * 300000 + 7);
        log_deinit(&l);
        if (!fired) break;
        assert_true(k < 100);
    }
}

/* Records of which few fit into one piece of memory: batches end where pieces do, and the memory comes back.
 */
static void large_records_pass_through(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    char *room;
    enum { BYTES = 100000, ROUNDS = 50 };
    log_init(&l, 12);
    l.options.segment_bytes = 1 << 20;
    l.options.max_record = 3 * BYTES;
    assert_int_equal(log_open(&l, 1), 0);
    size_t most = 0;
    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < 4; k++) {
            size_t n = k == 3 ? (size_t)i * BYTES * 3 / ROUNDS : BYTES;
            assert_int_equal(homer_wal_reserve(l.w, n, &room, NULL), 0);
            memset(room, i + k, n);
            homer_wal_append(l.w, n);
            if (k == i % 4) assert_true(homer_wal_take(l.w, i % 3 == 0, false));
        }
        homer_wal_done(l.w, homer_wal_write(l.w));
        if (l.mem.used_bytes > most) most = l.mem.used_bytes;
    }
    assert_true(most < 3 << 20);
    assert_int_equal(commit(&l, true, false), 0);
    assert_true(l.mem.used_bytes < 1 << 20);
    assert_int_equal(homer_wal_read(disk_files(l.disk), folder, 1, NULL, NULL, &report, &l.err), 0);
    assert_int_equal(report.records, 4 * ROUNDS);
    log_deinit(&l);
}

static void a_failure_ends_by_itself_in_a_fresh_segment(void **state) {
    (void)state;
    static const int ops[] = {DISK_WRITE, DISK_SYNC};
    for (int i = 0; i < 2; i++) {
        struct log l;
        struct homer_wal_report report;
        const char *why;
        log_init(&l, 6);
        assert_int_equal(log_open(&l, 1), 0);
        add_some(&l, 10);
        for (int k = 0; k < 5; k++) assert_int_equal(add(&l), 0);
        assert_true(homer_wal_take(l.w, true, false));
        for (int k = 0; k < 4; k++) assert_int_equal(add(&l), 0); /* these are in time, too */
        disk_fail(l.disk, (unsigned)ops[i], 1, 1, EIO);
        homer_wal_done(l.w, homer_wal_write(l.w));
        assert_true(homer_wal_failing(l.w, &why));
        assert_non_null(strstr(why, i ? "sync" : "write"));
        assert_non_null(strstr(why, "Input/output error"));
        assert_non_null(strstr(why, "wal-0000000000000001 of log"));
        assert_int_equal(homer_wal_durable(l.w), 10);
        assert_int_equal(add(&l), HOMER_E_READ_ONLY);
        assert_string_equal(l.err.message, why);
        assert_false(homer_wal_take(l.w, true, false));
        assert_int_equal(commit(&l, true, true), -EIO); /* a retry that fails, too */
        assert_int_equal(commit(&l, false, true), 0);
        assert_false(homer_wal_failing(l.w, NULL));
        assert_int_equal(homer_wal_durable(l.w), 19);
        assert_int_equal(homer_wal_written(l.w), 19);
        assert_int_equal(newest(&l), 11);
        add_some(&l, 200);
        assert_int_equal(log_read(&l, 1, &report), 0);
        assert_int_equal(report.records, 219);
        assert_int_equal(homer_wal_counters(l.w).failures, 2);
        log_deinit(&l);
    }
}

/* Durability none: what the system has taken is not kept. */
static void without_syncs_only_what_is_not_written_is_kept(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    log_init(&l, 7);
    l.options.keep_unsynced = false;
    assert_int_equal(log_open(&l, 1), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(add(&l), 0);
        assert_int_equal(commit(&l, false, false), 0);
        assert_int_equal(homer_wal_counters(l.w).pending_bytes, 0);
        assert_int_equal(homer_wal_written(l.w), i + 1);
    }
    assert_int_equal(add(&l), 0);
    uint64_t first = newest(&l);
    disk_fail(l.disk, DISK_WRITE, 1, 0, ENOSPC);
    assert_int_equal(commit(&l, false, false), -ENOSPC);
    assert_int_equal(commit(&l, false, true), 0);
    assert_true(newest(&l) > first);
    assert_int_equal(newest(&l), 21);
    assert_int_equal(log_read(&l, 1, &report), 0);
    assert_int_equal(report.records, 21);
    log_deinit(&l);
}

static void old_segments_are_removed(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_report report;
    log_init(&l, 8);
    assert_int_equal(log_open(&l, 1), 0);
    add_some(&l, 300);
    uint64_t last = newest(&l);
    assert_int_equal(homer_wal_remove_before(l.w, 1), 0);
    int removed = homer_wal_remove_before(l.w, 100);
    assert_true(removed > 1);
    assert_int_equal(log_read(&l, 100, &report), 0);
    assert_int_equal(report.records, 201);
    assert_int_equal(log_read(&l, 1, &report), HOMER_E_INTERNAL); /* the beginning is missing */
    assert_true(homer_wal_remove_before(l.w, UINT64_MAX) > 0);
    assert_true(homer_wal_counters(l.w).removed > (uint64_t)removed);
    assert_true(disk_exists(l.disk, segment(last)));
    assert_int_equal(newest(&l), last);
    add_some(&l, 10);
    assert_int_equal(log_read(&l, 301, &report), 0);
    assert_int_equal(report.records, 10);
    disk_fail(l.disk, DISK_UNLINK, 1, 0, EIO);
    add_some(&l, 100);
    assert_int_equal(homer_wal_remove_before(l.w, UINT64_MAX), -EIO);
    log_deinit(&l);
}

static void records_that_nobody_read_are_not_overwritten(void **state) {
    (void)state;
    struct log l;
    log_init(&l, 9);
    assert_int_equal(log_open(&l, 1), 0);
    add_some(&l, 3);
    assert_int_equal(homer_wal_close(l.w), 0);
    assert_int_equal(log_open(&l, 1), HOMER_E_INTERNAL);
    assert_int_equal(log_open(&l, 4), 0);
    add_some(&l, 57);
    assert_int_equal(homer_wal_close(l.w), 0);
    assert_int_equal(log_open(&l, 4), HOMER_E_INTERNAL);
    assert_non_null(strstr(l.err.message, "have not been read"));
    assert_int_equal(l.mem.used_bytes, 0);
    assert_int_equal(log_open(&l, 61), 0);
    log_deinit(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_in_order),
        cmocka_unit_test(appending_goes_on_while_a_batch_is_in_flight),
        cmocka_unit_test(a_record_is_accepted_only_when_its_space_is_taken),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(refused_memory_changes_nothing),
        cmocka_unit_test(large_records_pass_through),
        cmocka_unit_test(a_failure_ends_by_itself_in_a_fresh_segment),
        cmocka_unit_test(without_syncs_only_what_is_not_written_is_kept),
        cmocka_unit_test(old_segments_are_removed),
        cmocka_unit_test(records_that_nobody_read_are_not_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
