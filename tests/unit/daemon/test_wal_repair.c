/* Cutting a damaged log: what is before the damage stays, the rest is kept aside, and the log goes on. */
#include "wal_fixture.h"

enum { RECORDS = 150 };

static struct homer_numbered list; /* of the log's segments before the damage */
static struct homer_mem mem;

static void make(struct log *l, uint64_t seed) {
    log_init(l, seed);
    assert_int_equal(log_open(l, 1), 0);
    add_some(l, RECORDS);
    log_die(l);
    assert_int_equal(homer_numbered_list(&list, &mem, disk_files(l->disk), folder, HOMER_WAL_PREFIX), 0);
    assert_true(list.n > 3);
}

static void done(struct log *l) {
    homer_numbered_deinit(&list);
    assert_int_equal(mem.used_bytes, 0);
    assert_int_equal(l->mem.used_bytes, 0);
    disk_free(l->disk);
}

static const char *aside(uint64_t first) {
    static char path[80];
    snprintf(path, sizeof path, "%s.damaged", segment(first));
    return path;
}

static int repair(struct log *l, uint64_t from, struct homer_wal_repair *out) {
    return homer_wal_repair(disk_files(l->disk), folder, from, out, &l->err);
}

/* The log ends with `last` and takes records again. */
static void goes_on(struct log *l, uint64_t from, uint64_t last) {
    struct homer_wal_report report;
    assert_int_equal(log_read(l, from, &report), 0);
    assert_int_equal(report.last, last);
    assert_int_equal(report.torn_bytes, 0);
    assert_int_equal(log_open(l, last + 1), 0);
    add_some(l, 5);
    assert_int_equal(homer_wal_close(l->w), 0);
    l->w = NULL;
    assert_int_equal(log_read(l, from, &report), 0);
    assert_int_equal(report.last, last + 5);
}

static void a_whole_log_is_left_alone(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_repair out;
    make(&l, 1);
    assert_int_equal(repair(&l, 1, &out), 0);
    assert_false(out.before.damaged);
    assert_int_equal(out.set_aside, 0);
    assert_int_equal(out.last, RECORDS);
    for (size_t i = 0; i < list.n; i++) assert_false(disk_exists(l.disk, aside(list.at[i])));
    goes_on(&l, 1, RECORDS);
    done(&l);
}

/* A bit of every segment but the last one, in its header, its first record, its middle. */
static void it_cuts_before_the_damage_and_keeps_the_rest(void **state) {
    (void)state;
    for (size_t victim = 0; victim < 3; victim++) {
        for (size_t where = 0; where < 3; where++) {
            struct log l;
            struct homer_wal_repair out;
            struct homer_wal_report report;
            make(&l, 2);
            static const size_t at[] = {20, HOMER_WAL_HEADER + 20, 2000};
            uint64_t first = list.at[victim];
            size_t n, copy_n;
            unsigned char damaged[4096], *content = disk_content(l.disk, segment(first), &n);
            content[at[where]] ^= 4;
            assert_int_equal(n, sizeof damaged);
            memcpy(damaged, content, n);
            assert_int_equal(log_read(&l, 1, &report), HOMER_E_INTERNAL);
            assert_int_equal(repair(&l, 1, &out), 0);
            assert_true(out.before.damaged);
            assert_int_equal(out.last, report.last);
            assert_true(where == 2 ? out.last > first : out.last == first - 1);
            assert_int_equal(out.set_aside, list.n - victim);
            for (size_t i = 0; i < list.n; i++) {
                assert_int_equal(disk_exists(l.disk, aside(list.at[i])), i >= victim);
                assert_int_equal(disk_exists(l.disk, segment(list.at[i])), i < victim + (where > 0));
            }
            content = disk_content(l.disk, aside(first), &copy_n);
            assert_int_equal(copy_n, n);
            assert_memory_equal(content, damaged, n);
            goes_on(&l, 1, out.last);
            assert_int_equal(repair(&l, 1, &out), 0);
            assert_false(out.before.damaged);
            done(&l);
        }
    }
}

static void missing_records_are_cut_at_too(void **state) {
    (void)state;
    struct log l;
    struct homer_wal_repair out;
    make(&l, 3);
    const struct homer_files *f = disk_files(l.disk);
    assert_int_equal(f->unlink(f->ctx, segment(list.at[1])), 0);
    assert_int_equal(repair(&l, 1, &out), 0);
    assert_int_equal(out.last, list.at[1] - 1);
    assert_int_equal(out.set_aside,
                     list.n - 1); /* the first one was copied, though nothing of it was cut off */
    goes_on(&l, 1, out.last);
    assert_int_equal(f->unlink(f->ctx, segment(list.at[0])), 0); /* now the beginning is missing */
    assert_int_equal(repair(&l, 1, &out), 0);
    assert_int_equal(out.last, 0);
    goes_on(&l, 1, 0);
    done(&l);
}

/* Interrupted at every operation, run again. */
static void it_may_be_interrupted(void **state) {
    (void)state;
    unsigned interrupted = 0;
    for (unsigned power = 0; power < 2; power++) {
        bool fired = true;
        for (uint64_t k = 1; fired; k++) {
            struct log l;
            struct homer_wal_repair out;
            make(&l, 4);
            size_t n;
            disk_content(l.disk, segment(list.at[1]), &n)[1000] ^= 1;
            char whole[4096];
            memcpy(whole, disk_content(l.disk, segment(list.at[1]), &n), n);
            disk_put(l.disk, segment(list.at[1]), whole, n); /* the damage is durable */
            uint64_t before = disk_failures(l.disk);
            disk_fail(l.disk, DISK_ALL, k, UINT64_MAX, EIO);
            int rc = repair(&l, 1, &out);
            fired = disk_failures(l.disk) > before;
            assert_int_equal(rc, fired ? -EIO : 0);
            if (fired) assert_non_null(strstr(l.err.message, "Input/output error"));
            uint64_t last = out.last;
            interrupted += fired;
            disk_heal(l.disk);
            disk_kill(l.disk);
            if (power) disk_power_loss(l.disk);
            assert_int_equal(repair(&l, 1, &out), 0);
            if (!fired) assert_int_equal(out.last, last);
            assert_true(out.last >= list.at[1] - 1 && out.last < list.at[2] - 1);
            /* either place holds the bytes that were there */
            assert_true(disk_exists(l.disk, aside(list.at[1])) || !out.before.damaged);
            last = out.last;
            struct homer_wal_report report;
            assert_int_equal(log_read(&l, 1, &report), 0);
            assert_int_equal(report.last, last);
            done(&l);
            assert_true(k < 1000);
        }
    }
    assert_true(interrupted > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_log_is_left_alone),
        cmocka_unit_test(it_cuts_before_the_damage_and_keeps_the_rest),
        cmocka_unit_test(missing_records_are_cut_at_too),
        cmocka_unit_test(it_may_be_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
