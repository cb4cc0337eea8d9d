/* The log through power losses, kills and failing operations: whatever was reported durable is there
 * afterwards, without gaps, once, and in order. */
#include "wal_fixture.h"

enum { MOST_STEPS = 60 };

struct life {
    struct log log;
    struct homer_rng rng;
    uint64_t durable, written; /* as the log said before it died */
    bool failing;              /* operations do, now and then */
    bool failed;               /* a job of this life did */
    unsigned lost, died, failures;
};

static size_t below(struct life *x, size_t n) {
    return (size_t)(homer_rng_next(&x->rng) % n);
}

static void some_failure(struct life *x) {
    static const int errors[] = {EIO, ENOSPC};
    unsigned ops = below(x, 2) ? DISK_ALL : 1u << below(x, 10);
    disk_fail(x->log.disk, ops, 1 + below(x, 6), below(x, 4), errors[below(x, 2)]);
}

/* What the log promises may only grow; called after every step. */
static void watch(struct life *x) {
    uint64_t durable = homer_wal_durable(x->log.w), written = homer_wal_written(x->log.w);
    assert_true(durable >= x->durable && written >= x->written);
    assert_true(durable <= written && written <= homer_wal_last(x->log.w));
    x->durable = durable;
    x->written = written;
}

static void step(struct life *x) {
    struct log *l = &x->log;
    for (size_t n = below(x, 12); n > 0 && add(l) == 0; n--) continue;
    bool always = below(x, 2), retry = below(x, 2), meanwhile = below(x, 2);
    if (below(x, 40) == 0) some_failure(x);
    if (below(x, 20) == 0) disk_heal(l->disk);
    if (!homer_wal_take(l->w, always || below(x, 4) == 0, retry)) return;
    for (size_t n = meanwhile ? below(x, 12) : 0; n > 0 && add(l) == 0; n--) continue;
    int rc = homer_wal_write(l->w);
    x->failures += rc != 0;
    x->failed = x->failed || rc;
    if (below(x, 50) == 0) return; /* dies before anybody hears of it */
    homer_wal_done(l->w, rc);
    watch(x);
}

/* The end of the process, and perhaps of the power. */
static void die(struct life *x, bool power) {
    struct log *l = &x->log;
    disk_heal(l->disk);
    log_die(l);
    if (power) disk_power_loss(l->disk);
}

/* Reads, and goes on behind what was there; -1 when the log cannot be opened for want of a working disk. */
static void restart(struct life *x, bool power) {
    struct log *l = &x->log;
    struct homer_wal_report report;
    assert_int_equal(log_read(l, 1, &report), 0);
    uint64_t promised = power || x->failed ? x->durable : x->written;
    assert_true(report.last >= promised);
    x->lost += report.torn_bytes > 0;
    if (x->failing && below(x, 3) == 0) some_failure(x);
    int rc = log_open(l, report.last + 1);
    while (rc) {
        assert_int_equal(l->mem.used_bytes, 0);
        disk_heal(l->disk);
        disk_kill(l->disk);
        if (below(x, 2)) { /* it never came up, and the power goes again: what was read may have been in no
                              cache but ours */
            disk_power_loss(l->disk);
            assert_int_equal(log_read(l, 1, &report), 0);
            assert_true(report.last >= x->durable);
        }
        rc = log_open(l, report.last + 1);
    }
    x->durable = x->written = report.last;
    x->failed = false;
    assert_int_equal(homer_wal_durable(l->w), report.last);
    assert_int_equal(homer_wal_last(l->w), report.last);
}

static void live(struct life *x, uint64_t seed, bool keep, bool failures) {
    *x = (struct life){.failing = failures};
    homer_rng_seed(&x->rng, seed);
    struct log *l = &x->log;
    log_init(l, seed);
    l->options.keep_unsynced = keep;
    l->options.segment_bytes = 2048 + below(x, 4096);
    disk_stutter(l->disk, below(x, 2));
    assert_int_equal(log_open(l, 1), 0);
    for (int lives = 0; lives < 6; lives++) {
        for (size_t n = below(x, MOST_STEPS); n > 0; n--) {
            if (failures) {
                step(x);
            } else {
                while (below(x, 3) && add(l) == 0) continue;
                assert_int_equal(commit(l, below(x, 2), true), 0);
                watch(x);
            }
        }
        bool power = below(x, 3) > 0;
        die(x, power);
        x->died++;
        restart(x, power);
    }
    disk_heal(l->disk);
    commit(l, true, true);
    log_deinit(l);
}

static void what_was_durable_survives(void **state) {
    (void)state;
    static struct life x;
    unsigned lives = 0, torn = 0, failures = 0;
    for (unsigned seed = 1; seed <= scaled(300); seed++) {
        live(&x, seed, true, true);
        lives += x.died;
        torn += x.lost;
        failures += x.failures;
    }
    print_message("%u deaths, %u torn tails, %u failed jobs\n", lives, torn, failures);
    assert_true(torn > 10 && failures > 10);
}

/* Durability none on a disk that works: what the system has survives the process, and a power loss leaves a
 * beginning. */
static void without_keeping_the_written_survives_the_process(void **state) {
    (void)state;
    static struct life x;
    unsigned torn = 0;
    for (unsigned seed = 1; seed <= scaled(200); seed++) {
        live(&x, seed, false, false);
        torn += x.lost;
    }
    assert_true(torn > 10);
}

/* Every operation fails once, on a fixed course of appending, rotating, syncing, removing and opening again.
 */
static bool course(uint64_t k, int error, uint64_t *done) {
    struct log l;
    struct homer_wal_report report;
    log_init(&l, k);
    disk_fail(l.disk, DISK_ALL, k, 0, error);
    uint64_t next = 1, removed = 1;
    for (int life = 0; life < 3; life++) {
        int rc = log_open(&l, next);
        if (rc) {
            assert_true(rc < 0 && l.err.code == rc && *l.err.message);
            assert_int_equal(l.mem.used_bytes, 0);
            assert_int_equal(log_open(&l, next), 0);
        }
        for (int i = 0; i < 120; i++) {
            rc = add(&l);
            if (rc) assert_int_equal(rc, HOMER_E_READ_ONLY);
            if (i % 5 == 4) commit(&l, i % 2, true);
            if (i != 60) continue;
            removed = homer_wal_durable(l.w);
            homer_wal_remove_before(l.w, removed);
        }
        uint64_t last = homer_wal_last(l.w), durable = homer_wal_durable(l.w);
        rc = homer_wal_close(l.w);
        assert_int_equal(l.mem.used_bytes, 0);
        rc = log_read(&l, removed, &report) < 0 ? log_read(&l, removed, &report) : 0;
        assert_int_equal(rc, 0);
        assert_false(report.damaged);
        assert_true(report.last >= durable && report.last <= last);
        next = report.last + 1;
    }
    *done = next - 1;
    bool fired = disk_failures(l.disk) > 0;
    disk_free(l.disk);
    return fired;
}

static void any_operation_may_fail(void **state) {
    (void)state;
    uint64_t k = 1, done = 0;
    while (course(k, k % 2 ? EIO : ENOSPC, &done)) k++;
    assert_true(k > 100);
    assert_int_equal(done, 360); /* the last course was untouched */
    print_message("%u operations failed, one by one\n", (unsigned)k - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_durable_survives),
        cmocka_unit_test(without_keeping_the_written_survives_the_process),
        cmocka_unit_test(any_operation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
