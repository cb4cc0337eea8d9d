/* Snapshot files: whole or not there, whatever fails; damage is found before anything is decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "daemon/snapshot_impl.h"
#include "tests/lib/disk.h"

enum { BYTES = 300000 }; /* of a state: more than two chunks */

static struct disk *disk;
static struct homer_snapshots where;
static struct homer_error err;

static int setup(void **state) {
    (void)state;
    disk = disk_new(3);
    where = (struct homer_snapshots){.files = disk_files(disk), .dir = "data"};
    err = (struct homer_error){0};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    disk = disk_free(disk);
    return 0;
}

/* Half of it random, so that it compresses somewhat, and depends on the seed. */
static uint8_t byte_of(unsigned seed, size_t i) {
    uint32_t x = (uint32_t)i * 2654435761u + seed * 40503u;
    return i % 1000 < 500 ? (uint8_t)(x >> 24) : (uint8_t)seed;
}

static void encode(void *ctx, struct homer_codec *c) {
    unsigned seed = *(unsigned *)ctx;
    for (size_t i = 0; i < BYTES; i++) homer_put_u8(c, byte_of(seed, i));
}

struct decoded {
    unsigned seed;
    unsigned calls;
};

static int decode(void *ctx, struct homer_decoder *d) {
    struct decoded *to = ctx;
    uint8_t byte = 0;
    to->calls++;
    for (size_t i = 0; i < BYTES; i++) {
        homer_get_bytes(d, &byte, 1);
        if (d->error) return d->error;
        if (i == 500) to->seed = byte;
        if (i > 500) assert_int_equal(byte, byte_of(to->seed, i));
    }
    return 0;
}

static int write_seed(uint64_t sequence, unsigned seed) {
    return homer_snapshot_write(&where, sequence, encode, &seed, NULL, NULL, &err);
}

static unsigned seed_of(uint64_t sequence) {
    struct decoded d = {0};
    assert_int_equal(homer_snapshot_read(&where, sequence, decode, &d, &err), 0);
    assert_int_equal(d.calls, 1);
    return d.seed;
}

static size_t count(void) {
    struct homer_mem mem = {0};
    struct homer_numbered list;
    assert_int_equal(homer_numbered_list(&list, &mem, where.files, where.dir, HOMER_SNAPSHOT_PREFIX), 0);
    size_t n = list.n;
    for (size_t i = 1; i < n; i++) assert_true(list.at[i] > list.at[i - 1]);
    homer_numbered_deinit(&list);
    assert_int_equal(mem.used_bytes, 0);
    return n;
}

static void test_reads_what_was_written(void **state) {
    (void)state;
    disk_stutter(disk, true);
    assert_int_equal(write_seed(7, 1), 0);
    assert_int_equal(write_seed(0x123456789abcdefull, 2), 0);
    assert_int_equal(count(), 2);
    assert_int_equal(seed_of(7), 1);
    assert_int_equal(seed_of(0x123456789abcdefull), 2);
    assert_true(disk_exists(disk, "data/snapshot-0123456789abcdef"));
    assert_false(disk_exists(disk, "data/" HOMER_SNAPSHOT_NEW));
    assert_int_equal(homer_snapshot_read(&where, 8, NULL, NULL, &err), -ENOENT);
}

static void test_survives_the_power(void **state) {
    (void)state;
    for (uint64_t i = 1; i <= 20; i++) {
        assert_int_equal(write_seed(i, (unsigned)i), 0);
        disk_power_loss(disk);
        assert_int_equal(seed_of(i), (unsigned)i);
    }
}

static int refuse(void *arg) {
    assert_int_equal(count(), 0);
    assert_true(disk_exists(disk, "data/" HOMER_SNAPSHOT_NEW));
    return *(int *)arg;
}

static void test_is_not_published_without_permission(void **state) {
    int rc = -ECANCELED;
    unsigned seed = 1;
    (void)state;
    assert_int_equal(homer_snapshot_write(&where, 4, encode, &seed, refuse, &rc, &err), -ECANCELED);
    assert_int_equal(count(), 0);
    assert_false(disk_exists(disk, "data/" HOMER_SNAPSHOT_NEW));
    rc = 0;
    assert_int_equal(homer_snapshot_write(&where, 4, encode, &seed, refuse, &rc, &err), 0);
    assert_int_equal(seed_of(4), 1);
}

/* Whatever fails, the older one stays, and there is no newer one that is not whole; until nothing fails. */
static void test_every_operation_may_fail(void **state) {
    (void)state;
    assert_int_equal(write_seed(1, 1), 0);
    int rc = -1;
    for (uint64_t k = 1; rc; k++) {
        disk_fail(disk, DISK_ALL, k, 0, k % 2 ? EIO : ENOSPC);
        err = (struct homer_error){0};
        rc = write_seed(2, 2);
        bool failed = rc != 0;
        disk_heal(disk);
        if (failed) assert_true(err.code == rc && strstr(err.message, "data"));
        disk_power_loss(disk);
        assert_int_equal(seed_of(1), 1);
        if (count() == 2) assert_int_equal(seed_of(2), 2);
        assert_true(k < 1000);
    }
    assert_true(disk_failures(disk) > 5);
    assert_int_equal(seed_of(2), 2);
}

static void test_damage_is_found_before_decoding(void **state) {
    (void)state;
    size_t n;
    assert_int_equal(write_seed(5, 9), 0);
    char path[HOMER_PATH_MAX];
    assert_int_equal(homer_snapshot_path(path, "data", 5), 0);
    unsigned char *content = disk_content(disk, path, &n), *whole = malloc(n);
    assert_non_null(whole);
    memcpy(whole, content, n);
    for (size_t i = 0; i < n; i += i < 64 || i + 64 > n ? 1 : 97) {
        for (unsigned bit = 0; bit < 8; bit += 3) {
            struct decoded d = {0};
            whole[i] ^= (unsigned char)(1u << bit);
            disk_put(disk, path, whole, n);
            err = (struct homer_error){0};
            assert_int_equal(homer_snapshot_read(&where, 5, decode, &d, &err), -EBADMSG);
            assert_non_null(strstr(err.message, path));
            assert_int_equal(d.calls, 0);
            whole[i] ^= (unsigned char)(1u << bit);
        }
    }
    for (size_t cut = 0; cut < n; cut += cut < 64 || cut + 64 > n ? 1 : 997) {
        disk_put(disk, path, whole, cut);
        assert_int_equal(homer_snapshot_read(&where, 5, NULL, NULL, &err), -EBADMSG);
    }
    disk_put(disk, path, whole, n);
    assert_int_equal(seed_of(5), 9);
    assert_int_equal(homer_snapshot_path(path, "data", 6), 0);
    disk_put(disk, path, whole, n); /* whole, but of another sequence */
    assert_int_equal(homer_snapshot_read(&where, 6, NULL, NULL, &err), -EBADMSG);
    free(whole);
}

static void test_prune_keeps_the_newest(void **state) {
    (void)state;
    uint64_t oldest = 77;
    assert_int_equal(homer_snapshot_prune(&where, 2, 0, &oldest), 0);
    assert_int_equal(oldest, 0);
    for (uint64_t i = 1; i <= 4; i++) assert_int_equal(write_seed(i * 10, (unsigned)i), 0);
    disk_put(disk, "data/" HOMER_SNAPSHOT_NEW, "half", 4);
    disk_put(disk, "data/snapshot-of-mine", "x", 1);
    assert_int_equal(homer_snapshot_prune(&where, 2, 0, &oldest), 0);
    assert_int_equal(oldest, 30);
    assert_int_equal(count(), 2);
    assert_int_equal(seed_of(40), 4);
    assert_false(disk_exists(disk, "data/" HOMER_SNAPSHOT_NEW));
    assert_true(disk_exists(disk, "data/snapshot-of-mine"));
    size_t bytes; /* one that is damaged does not count */
    unsigned char *newest = disk_content(disk, "data/snapshot-0000000000000028", &bytes);
    assert_non_null(newest);
    newest[bytes / 2] ^= 1;
    assert_int_equal(write_seed(50, 5), 0);
    assert_int_equal(homer_snapshot_prune(&where, 2, 0, &oldest), 0);
    assert_int_equal(oldest, 30);
    assert_int_equal(count(), 3);
    assert_int_equal(write_seed(60, 6), 0);
    assert_int_equal(homer_snapshot_prune(&where, 2, 0, &oldest), 0);
    assert_int_equal(oldest, 50);
    assert_int_equal(count(), 2);
    uint64_t reads = disk_count(disk, DISK_READ); /* what is known to be whole is not read again */
    assert_int_equal(homer_snapshot_prune(&where, 1, 60, &oldest), 0);
    assert_int_equal(oldest, 60);
    assert_int_equal(count(), 1);
    assert_int_equal(disk_count(disk, DISK_READ), reads);
    assert_int_equal(homer_snapshot_prune(&where, 1, 0, &oldest), 0);
    assert_true(disk_count(disk, DISK_READ) > reads);
    struct homer_mem mem = {.fail_in = 1};
    struct homer_numbered list;
    assert_int_equal(homer_numbered_list(&list, &mem, where.files, where.dir, HOMER_SNAPSHOT_PREFIX),
                     -ENOMEM);
    homer_numbered_deinit(&list);
    assert_int_equal(mem.used_bytes, 0);
    disk_fail(disk, DISK_UNLINK, 1, 0, EIO);
    disk_put(disk, "data/" HOMER_SNAPSHOT_NEW, "half", 4);
    assert_int_equal(homer_snapshot_prune(&where, 1, 0, &oldest), -EIO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reads_what_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_survives_the_power, setup, teardown),
        cmocka_unit_test_setup_teardown(test_is_not_published_without_permission, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_operation_may_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage_is_found_before_decoding, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prune_keeps_the_newest, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
