/* File operations: the system's own table, and what is done once above any table. */
#include "wal_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct homer_files *const sys = &homer_files_system;
static char top[64], path[HOMER_PATH_MAX], other[HOMER_PATH_MAX];

static int setup(void **state) {
    (void)state;
    snprintf(top, sizeof top, "/tmp/homer-test-files-%ld", (long)getpid());
    int rc = sys->make_folder(NULL, top, 0700);
    if (!rc) rc = homer_path(path, top, "a");
    return rc ? rc : homer_path(other, top, "b");
}

static int teardown(void **state) {
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(top);
}

static void count_names(void *arg, const char *name) {
    unsigned *n = arg;
    *n += strcmp(name, "a") == 0 ? 1 : strcmp(name, "b") == 0 ? 100 : 10000;
}

static void the_system_does_what_it_is_asked(void **state) {
    (void)state;
    char bytes[100] = "";
    unsigned names = 0;
    struct stat st;
    assert_int_equal(sys->make_folder(NULL, top, 0700), -EEXIST);
    assert_int_equal(homer_file_open(sys, path, O_RDWR, 0), -ENOENT);
    int fd = homer_file_open(sys, path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(homer_file_write(sys, fd, "hello", 5, 3), 0);
    assert_int_equal(sys->size(NULL, fd), 8);
    assert_int_equal(homer_file_read(sys, fd, bytes, sizeof bytes, 2), 6);
    assert_memory_equal(bytes, "\0hello", 6);
    assert_int_equal(homer_file_allocate(sys, fd, 100000), 0);
    assert_int_equal(sys->size(NULL, fd), 100000);
    assert_int_equal(homer_file_truncate(sys, fd, 6), 0);
    assert_int_equal(homer_file_sync(sys, fd), 0);
    assert_int_equal(homer_file_sync_folder(sys, top), 0);
    assert_int_equal(sys->list(NULL, top, count_names, &names), 0);
    assert_int_equal(names, 1);
    assert_int_equal(sys->rename(NULL, path, other), 0);
    assert_int_equal(sys->list(NULL, top, count_names, &names), 0);
    assert_int_equal(names, 101);
    assert_int_equal(sys->lock(NULL, fd), 0);
    int second = homer_file_open(sys, other, O_RDWR, 0);
    assert_int_equal(sys->lock(NULL, second), -EWOULDBLOCK);
    assert_int_equal(homer_file_close(sys, fd), -1);
    assert_int_equal(sys->lock(NULL, second), 0);
    assert_int_equal(homer_file_close(sys, second), -1);
    assert_int_equal(homer_file_close(sys, -1), -1);
    assert_int_equal(sys->unlink(NULL, other), 0);
    assert_int_equal(sys->unlink(NULL, other), -ENOENT);
    assert_int_equal(sys->list(NULL, other, count_names, &names), -ENOENT);
    assert_int_equal(homer_file_sync_folder(sys, other), -ENOENT);
    assert_int_equal(sys->rename(NULL, path, other), -ENOENT);
}

static void failures_are_negative_errnos(void **state) {
    (void)state;
    char byte = 0;
    assert_int_equal(homer_file_read(sys, -1, &byte, 1, 0), -EBADF);
    assert_int_equal(homer_file_write(sys, -1, &byte, 1, 0), -EBADF);
    assert_int_equal(homer_file_sync(sys, -1), -EBADF);
    assert_int_equal(homer_file_allocate(sys, -1, 10), -EBADF);
    assert_int_equal(homer_file_truncate(sys, -1, 10), -EBADF);
    assert_int_equal(sys->size(NULL, -1), -EBADF);
    assert_int_equal(sys->lock(NULL, -1), -EBADF);
}

static void a_path_is_never_cut(void **state) {
    (void)state;
    static char out[HOMER_PATH_MAX], folder_name[HOMER_PATH_MAX + 1];
    memset(folder_name, 'f', HOMER_PATH_MAX);
    assert_int_equal(homer_path(out, folder_name, "x"), -ENAMETOOLONG);
    folder_name[HOMER_PATH_MAX - 3] = 0;
    assert_int_equal(homer_path(out, folder_name, "x"), 0);
    assert_int_equal(strlen(out), HOMER_PATH_MAX - 1);
    assert_int_equal(homer_path(out, folder_name, "xy"), -ENAMETOOLONG);
}

static void short_and_interrupted_calls_are_gone_on_with(void **state) {
    (void)state;
    static char in[200000], out[200000];
    struct disk *d = disk_new(3);
    const struct homer_files *f = disk_files(d);
    for (size_t i = 0; i < sizeof in; i++) in[i] = (char)(i * 7 + i / 300);
    disk_stutter(d, true);
    for (int i = 0; i < 20; i++) {
        int fd = homer_file_open(f, "x/a", O_RDWR | O_CREAT, 0600);
        assert_true(fd >= 0);
        assert_int_equal(homer_file_write(f, fd, in, sizeof in, 0), 0);
        assert_int_equal(homer_file_read(f, fd, out, sizeof out, 0), sizeof in);
        assert_memory_equal(in, out, sizeof in);
        assert_int_equal(homer_file_read(f, fd, out, sizeof out, 199000), 1000);
        assert_int_equal(homer_file_truncate(f, fd, 10), 0);
        assert_int_equal(homer_file_sync(f, fd), 0);
        assert_int_equal(homer_file_sync_folder(f, "x"), 0);
        homer_file_close(f, fd);
    }
    disk_free(d);
}

/* Where space cannot be taken, zeros take it. */
static void zeros_are_written_where_space_cannot_be_taken(void **state) {
    (void)state;
    struct disk *d = disk_new(4);
    const struct homer_files *f = disk_files(d);
    disk_cannot_allocate(d, true);
    disk_capacity(d, 300000);
    int fd = homer_file_open(f, "x/a", O_RDWR | O_CREAT, 0600);
    assert_int_equal(homer_file_allocate(f, fd, 200001), 0);
    assert_int_equal(f->size(f->ctx, fd), 200001);
    int second = homer_file_open(f, "x/b", O_RDWR | O_CREAT, 0600);
    assert_int_equal(homer_file_allocate(f, second, 200001), -ENOSPC);
    disk_free(d);
}

static void a_copy_is_the_same_and_durable(void **state) {
    (void)state;
    static char in[300001];
    struct disk *d = disk_new(5);
    const struct homer_files *f = disk_files(d);
    memcpy(in, "begin", 5); /* zeros at the end and in the middle */
    memcpy(in + 200000, "middle", 6);
    disk_put(d, "x/a", in, sizeof in);
    int from = homer_file_open(f, "x/a", O_RDWR, 0), to = homer_file_open(f, "x/b", O_RDWR | O_CREAT, 0600);
    assert_int_equal(homer_file_copy(f, from, to), 0);
    assert_int_equal(homer_file_sync_folder(f, "x"), 0);
    size_t n;
    disk_power_loss(d);
    assert_memory_equal(disk_content(d, "x/b", &n), in, sizeof in);
    assert_int_equal(n, sizeof in);

    /* What a failed sync has dropped: synced again it is lost, copied onto itself it is not. */
    for (unsigned seed = 0; seed < 30; seed++) {
        struct disk *e = disk_new(seed);
        f = disk_files(e);
        disk_put(e, "x/a", "", 0);
        from = homer_file_open(f, "x/a", O_RDWR, 0);
        assert_int_equal(homer_file_write(f, from, in, sizeof in, 0), 0);
        disk_fail(e, DISK_SYNC, 1, 0, EIO);
        assert_int_equal(homer_file_sync(f, from), -EIO);
        assert_int_equal(homer_file_sync(f, from), 0);
        assert_int_equal(homer_file_copy(f, from, from), 0);
        disk_power_loss(e);
        const unsigned char *content = disk_content(e, "x/a", &n);
        assert_int_equal(n, sizeof in);
        assert_memory_equal(content, in, sizeof in);
        disk_free(e);
    }
    disk_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_system_does_what_it_is_asked, setup, teardown),
        cmocka_unit_test(failures_are_negative_errnos),
        cmocka_unit_test(a_path_is_never_cut),
        cmocka_unit_test(short_and_interrupted_calls_are_gone_on_with),
        cmocka_unit_test(zeros_are_written_where_space_cannot_be_taken),
        cmocka_unit_test(a_copy_is_the_same_and_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
