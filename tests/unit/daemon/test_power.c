/* The daemon's whole state through power losses, kills, failing operations and refused memory: what comes
 * back is what was there at some record, and nothing that was durable is missing. */
#include "life_fixture.h"

enum { LIVES = 5, MOST_STEPS = 25 };

/* How often the long form repeats things: HOMER_TEST_SCALE, 1 when it is not set. */
static unsigned scaled(unsigned n) {
    const char *scale = getenv("HOMER_TEST_SCALE");
    unsigned long times = scale ? strtoul(scale, NULL, 10) : 1;
    return (unsigned)(n * (times ? times : 1));
}

/* ---- the k-th allocation fails: the linker puts this in the place of aligned_alloc ---- */

static uint64_t fail_in; /* 0 = never */
static bool fired;

void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

void *__wrap_aligned_alloc(size_t alignment, size_t n) {
    if (fail_in && --fail_in == 0) {
        fired = true;
        return NULL;
    }
    return __real_aligned_alloc(alignment, n);
}

/* ---- random courses ---- */

static void some_failure(struct life *l) {
    static const int errors[] = {EIO, ENOSPC};
    unsigned ops = below(l, 2) ? DISK_ALL : 1u << below(l, 10);
    disk_fail(l->disk, ops, 1 + below(l, 8), below(l, 4), errors[below(l, 2)]);
}

static void step(struct life *l) {
    for (size_t n = below(l, 6); n > 0; n--) life_line(l);
    if (below(l, 20) == 0) some_failure(l);
    if (below(l, 10) == 0) disk_heal(l->disk);
    if (l->bare && below(l, 10) == 0) fail_in = 1 + below(l, 60);
    if (below(l, 8) == 0)
        life_snapshot(l);
    else
        life_commit(l, below(l, 3) > 0, below(l, 2));
    fail_in = 0;
}

static void start(struct life *l, bool power) {
    struct homer_restore r;
    unsigned attempts = 0;
    if (below(l, 3) == 0) life_damage(l);
    if (below(l, 3) == 0) some_failure(l);
    if (l->bare && below(l, 3) == 0) fail_in = 1 + below(l, 300);
    int rc = life_try(l, &r);
    fail_in = 0;
    while (rc) {
        assert_true(rc < 0 || *l->err.message);
        if (++attempts == 10) fail_msg("does not start: %s", l->err.message);
        disk_heal(l->disk);
        if (below(l, 2)) {
            disk_power_loss(l->disk);
            power = true;
        }
        rc = life_try(l, &r);
    }
    life_begin(l, &r, power);
}

static void course(struct life *l, uint64_t seed) {
    life_init(l, seed, seed % 2);
    disk_stutter(l->disk, below(l, 2));
    bool power = false;
    for (int i = 0; i < LIVES; i++) {
        start(l, power);
        for (size_t n = below(l, MOST_STEPS); n > 0; n--) step(l);
        power = below(l, 3) > 0;
        life_end(l, power);
    }
    start(l, power);
    life_compare(l, homer_wal_last(l->store.wal));
    life_end(l, false);
}

static void what_was_durable_comes_back_as_it_was(void **state) {
    (void)state;
    static struct life l;
    unsigned lives = 0, snapshots = 0, older = 0, torn = 0, failures = 0;
    for (unsigned seed = 1; seed <= scaled(60); seed++) {
        course(&l, seed);
        lives += l.lives;
        snapshots += l.snapshots;
        older += l.older;
        torn += l.torn;
        failures += l.failures;
        life_deinit(&l);
    }
    print_message("%u starts, %u snapshots, %u starts from an older one, %u torn tails, %u failed jobs\n",
                  lives, snapshots, older, torn, failures);
    assert_true(snapshots > 50 && older > 5 && torn > 5 && failures > 5);
}

/* ---- one failure, at every place of a fixed course ---- */

static void fixed_start(struct life *l, bool power) {
    struct homer_restore r;
    int rc = life_try(l, &r);
    if (rc) {
        assert_true(rc < 0 || *l->err.message);
        rc = life_try(l, &r); /* what failed did so once */
    }
    assert_int_equal(rc, 0);
    life_begin(l, &r, power);
}

/* File operations so far, without those that are part of dying. */
static uint64_t operations(const struct life *l) {
    return disk_count(l->disk, DISK_ALL) - l->ending;
}

/* The k-th operation of the course fails, over all lives. */
static void arm(struct life *l, uint64_t k) {
    uint64_t done = operations(l);
    if (k > done) disk_fail(l->disk, DISK_ALL, k - done, 0, k % 2 ? EIO : ENOSPC);
}

static void fixed_course(struct life *l, uint64_t k) {
    for (int life = 0; life < 3; life++) {
        arm(l, k);
        fixed_start(l, life > 0);
        for (int i = 0; i < 24; i++) {
            life_line(l);
            if (i % 4 == 3) life_commit(l, i % 8 == 7, true);
            if (i % 10 == 9) life_snapshot(l);
        }
        life_commit(l, true, true);
        life_end(l, true);
    }
    arm(l, k);
    fixed_start(l, true);
    fail_in = 0;
    life_compare(l, homer_wal_last(l->store.wal));
    life_end(l, false);
}

static void any_operation_may_fail(void **state) {
    (void)state;
    static struct life l;
    uint64_t k = 1;
    bool failed = true;
    for (; failed; k++) {
        life_init(&l, 7, false);
        fixed_course(&l, k);
        failed = operations(&l) >= k;
        life_deinit(&l);
    }
    print_message("%u operations failed, one by one\n", (unsigned)k - 2);
    assert_true(k > 100);
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    static struct life l;
    uint64_t k = 1,
             step_by = scaled(1) > 1 ? 1 : 5; /* of the short form: the places of this course in turn */
    unsigned n = 0;
    fired = true;
    for (; fired; k += step_by, n++) {
        fired = false;
        life_init(&l, 7, true);
        fail_in = k;
        fixed_course(&l, 0);
        fail_in = 0;
        life_deinit(&l);
    }
    print_message("%u allocations failed, one by one, the last of them number %u\n", n - 1,
                  (unsigned)(k - 2 * step_by));
    assert_true(n > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_durable_comes_back_as_it_was),
        cmocka_unit_test(any_operation_may_fail),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
