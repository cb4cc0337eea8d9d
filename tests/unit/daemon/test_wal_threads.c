/* The log on real files, written by a thread of its own while the other one appends, as the daemon does. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include "wal_fixture.h"

enum { RECORDS = 20000 };

static char top[64];

static int remove_all(void **state) {
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command);
}

static int make_folder(void **state) {
    snprintf(top, sizeof top, "/tmp/homer-test-wal-%ld", (long)getpid());
    remove_all(state);
    return homer_files_system.make_folder(NULL, top, 0700);
}

static void *job(void *wal) {
    static int failed = -1;
    return homer_wal_write(wal) ? &failed : NULL;
}

static void append(struct homer_wal *w, uint64_t *n) {
    char bytes[LONGEST], *room;
    size_t length = payload_of(*n + 1, bytes);
    int rc = homer_wal_reserve(w, length, &room, NULL);
    if (rc) {
        assert_int_equal(rc, HOMER_E_BUSY);
        return;
    }
    memcpy(room, bytes, length);
    assert_int_equal(homer_wal_append(w, length), ++*n);
}

static void one_thread_appends_while_another_writes(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_wal *w;
    struct homer_error err;
    struct homer_wal_options options = {
        .segment_bytes = 300000, .max_record = LONGEST, .keep_unsynced = true, .salt = 3};
    uint64_t n = 0, jobs = 0;
    for (int life = 1; life <= 2; life++) {
        assert_int_equal(homer_wal_open(&w, &mem, &homer_files_system, top, &options, n + 1, &err), 0);
        while (n < (uint64_t)life * RECORDS) {
            pthread_t thread;
            append(w, &n);
            if (!homer_wal_take(w, jobs % 3 == 0, false)) continue;
            assert_int_equal(pthread_create(&thread, NULL, job, w), 0);
            for (int i = 0; i < 100; i++) append(w, &n);
            if (jobs % 50 == 49) assert_true(homer_wal_remove_before(w, homer_wal_durable(w) / 2) >= 0);
            void *failed;
            assert_int_equal(pthread_join(thread, &failed), 0);
            homer_wal_done(w, failed ? -EIO : 0);
            assert_false(homer_wal_failing(w, NULL));
            jobs++;
        }
        assert_true(homer_wal_counters(w).segments > 5);
        assert_int_equal(homer_wal_close(w), 0);
        assert_int_equal(mem.used_bytes, 0);
        struct homer_wal_report report;
        struct reader r = {.next = n / 2 + 1};
        assert_int_equal(homer_wal_read(&homer_files_system, top, r.next, check_record, &r, &report, &err),
                         0);
        assert_int_equal(report.last, n);
        assert_int_equal(report.torn_bytes, 0);
    }
}

/* It died with its space taken and its last record half written. */
static void a_torn_end_on_real_files(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_wal_report report;
    struct homer_error err;
    struct homer_wal *w;
    struct homer_wal_options options = {.max_record = LONGEST, .keep_unsynced = true, .salt = 4};
    uint64_t n = 0;
    assert_int_equal(homer_wal_open(&w, &mem, &homer_files_system, top, &options, 1, &err), 0);
    while (n < 1000) append(w, &n);
    assert_int_equal(homer_wal_close(w), 0);
    char path[HOMER_PATH_MAX];
    assert_int_equal(homer_wal_path(path, top, 1), 0);
    int fd = homer_file_open(&homer_files_system, path, O_RDWR, 0);
    int64_t size = homer_files_system.size(NULL, fd);
    assert_int_equal(homer_file_truncate(&homer_files_system, fd, (uint64_t)size - 30), 0);
    assert_int_equal(homer_file_allocate(&homer_files_system, fd, 64 << 20), 0);
    homer_file_close(&homer_files_system, fd);
    struct reader r = {.next = 1};
    assert_int_equal(homer_wal_read(&homer_files_system, top, 1, check_record, &r, &report, &err), 0);
    assert_int_equal(report.last, 999);
    assert_true(report.torn_bytes > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_thread_appends_while_another_writes, make_folder, remove_all),
        cmocka_unit_test_setup_teardown(a_torn_end_on_real_files, make_folder, remove_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
