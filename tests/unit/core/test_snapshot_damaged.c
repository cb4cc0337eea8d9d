/* Reading a model when memory is refused, when the bytes end, and when some of them are wrong. */
#include "snapshot_fixture.h"

static enum homer_storage storage; /* of all models */

static struct homer_model_config config_of(enum homer_profile profile, enum homer_learner_kind learner) {
    struct homer_model_config c;
    homer_model_config_default(&c);
    c.profile = profile;
    c.learner = learner;
    c.storage = storage;
    c.window = 10;
    c.max_memory = (uint64_t)64 << 20; /* what is read cannot ask for more */
    c.clusters.tree.alternate = true;
    return c;
}

static struct homer_model *taught(const struct homer_model_config *c, uint32_t instances) {
    struct homer_model *m = model_start(c, fixture_key);
    struct source s;
    source_init(&s, 70);
    s.most_features = 12;
    s.most_labels = 6;
    for (uint32_t t = 0; t < instances; t++) {
        struct named in;
        source_next(&s, &in);
        assert_int_equal(model_learn(m, &in, NULL, NULL, NULL), 0);
    }
    return m;
}

/* The linker puts this in the place of free: it sees what a model holds at the very end. */
static void *watched;
static size_t held;
void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p) {
    if (p && p == watched) held = homer_model_mem(p)->used_bytes;
    __real_free(p);
}

/* What is left of a model that could not be read is only to be freed, and then nothing is. */
static void stop_empty(struct homer_model *m) {
    watched = m;
    held = 1;
    model_stop(m);
    watched = NULL;
    assert_int_equal(held, 0);
}

/* Every allocation refused in turn, until none is. */
static void refuse_each(enum homer_profile profile, enum homer_learner_kind learner, uint32_t instances) {
    struct homer_model_config c = config_of(profile, learner);
    struct homer_model *m = taught(&c, instances);
    struct snapshot s = snapshot_take(m);
    uint64_t k = 1;
    for (;; k++) {
        struct homer_model *copy = model_start(&c, fixture_key);
        struct homer_mem *mem = homer_model_mem(copy);
        uint64_t failed = mem->failed;
        mem->fail_in = k;
        int rc = snapshot_read(copy, &s);
        mem->fail_in = 0;
        bool refused = mem->failed > failed;
        assert_int_equal(rc, refused ? -ENOMEM : 0);
        if (!refused) assert_same_digest(m, copy);
        stop_empty(copy);
        if (!refused) break;
    }
    assert_true(k > 50);
    snapshot_free(&s);
    model_stop(m);
}

static void refused_allocations(void **state) {
    (void)state;
    refuse_each(HOMER_LINEAR_ONLY, HOMER_LEARNER_IHOMER, 60);
    refuse_each(HOMER_FAST, HOMER_LEARNER_IHOMER, 200);
    refuse_each(HOMER_ACCURATE, HOMER_LEARNER_IHOMER, 20);
    refuse_each(HOMER_FAST, HOMER_LEARNER_IHOMER_PAPER, 60);
}

/* A cap below what the model holds is met without passing it. */
static void a_lower_cap_refuses(void **state) {
    (void)state;
    struct homer_model_config c = config_of(HOMER_FAST, HOMER_LEARNER_IHOMER);
    struct homer_model *m = taught(&c, 100);
    size_t used = homer_model_mem(m)->used_bytes;
    struct snapshot s = snapshot_take(m);
    for (int less = 0; less < 2; less++) {
        c.max_memory = used - (size_t)less;
        struct homer_model *copy = model_start(&c, fixture_key);
        assert_int_equal(snapshot_read(copy, &s), less ? -ENOMEM : 0);
        assert_true(homer_model_mem(copy)->peak_bytes <= c.max_memory);
        stop_empty(copy);
    }
    snapshot_free(&s);
    model_stop(m);
}

/* Bytes that end early, at every place or at many. */
static void cut(enum homer_profile profile, enum homer_learner_kind learner, uint32_t instances,
                size_t step) {
    struct homer_model_config c = config_of(profile, learner);
    struct homer_model *m = taught(&c, instances);
    struct snapshot s = snapshot_take(m);
    size_t n = s.n;
    for (s.n = 0; s.n < n; s.n += s.n < 4000 ? 1 + step / 50 : step) {
        struct homer_model *copy = model_start(&c, fixture_key);
        assert_int_equal(snapshot_read(copy, &s), -ENODATA);
        stop_empty(copy);
    }
    snapshot_free(&s);
    model_stop(m);
}

static void bytes_that_end(void **state) {
    (void)state;
    cut(HOMER_LINEAR_ONLY, HOMER_LEARNER_IHOMER, 10, 101);
    cut(HOMER_FAST, HOMER_LEARNER_IHOMER, 100, 307);
    cut(HOMER_ACCURATE, HOMER_LEARNER_IHOMER, 20, 1009);
    cut(HOMER_FAST, HOMER_LEARNER_IHOMER_PAPER, 40, 503);
}

/* Numbers replaced, one at a time: an error or a model that goes on. */
static uint32_t replace(enum homer_profile profile, enum homer_learner_kind learner, uint32_t instances,
                        uint32_t times) {
    static const uint32_t telling[] = {0, 1, 7, UINT32_MAX, 1u << 30, 0x7fc00000, 0xff800000};
    struct homer_model_config c = config_of(profile, learner);
    struct homer_model *m = taught(&c, instances);
    struct snapshot s = snapshot_take(m);
    struct dice d = {71};
    uint32_t errors = 0;
    for (uint32_t i = 0; i < times; i++) {
        size_t at = dice_below(&d, (uint32_t)s.n - 4);
        uint32_t was, now = telling[dice_below(&d, 7)];
        memcpy(&was, s.bytes + at, 4);
        memcpy(s.bytes + at, &now, 4);
        struct homer_model *copy = model_start(&c, fixture_key);
        int rc = snapshot_read(copy, &s);
        errors += rc != 0;
        assert_true(rc == 0 || rc == -EBADMSG || rc == -ENODATA || rc == -ENOMEM);
        struct source source;
        source_init(&source, 72);
        for (int t = 0; t < 10 && !rc; t++) {
            struct named in;
            source_next(&source, &in);
            (void)model_learn(copy, &in, NULL, NULL, NULL);
        }
        stop_empty(copy);
        memcpy(s.bytes + at, &was, 4);
    }
    snapshot_free(&s);
    model_stop(m);
    return errors;
}

static void numbers_that_are_wrong(void **state) {
    (void)state;
    assert_true(replace(HOMER_FAST, HOMER_LEARNER_IHOMER, 150, 400) > 5);
    assert_true(replace(HOMER_ACCURATE, HOMER_LEARNER_IHOMER, 20, 100) > 5);
    assert_true(replace(HOMER_FAST, HOMER_LEARNER_IHOMER_PAPER, 60, 300) > 5);
}

/* All of that of weights in lists. */
static void lists(void **state) {
    (void)state;
    storage = HOMER_STORAGE_SPARSE;
    refuse_each(HOMER_FAST, HOMER_LEARNER_IHOMER, 60);
    cut(HOMER_FAST, HOMER_LEARNER_IHOMER, 60, 307);
    assert_true(replace(HOMER_FAST, HOMER_LEARNER_IHOMER, 150, 600) > 5);
    storage = HOMER_STORAGE_AUTO;
}

/* The configuration is not part of the state; what does not fit another is seen. */
static void another_configuration(void **state) {
    (void)state;
    struct homer_model_config c = config_of(HOMER_FAST, HOMER_LEARNER_IHOMER), other = c;
    struct homer_model *m = taught(&c, 100), *copy;
    struct snapshot s = snapshot_take(m);
    other.max_labels = 2;
    copy = model_start(&other, fixture_key);
    assert_int_equal(snapshot_read(copy, &s), -EBADMSG);
    stop_empty(copy);
    other = c;
    other.learner = HOMER_LEARNER_IHOMER_PAPER;
    copy = model_start(&other, fixture_key);
    assert_true(snapshot_read(copy, &s) < 0);
    stop_empty(copy);
    snapshot_free(&s);
    model_stop(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_allocations),   cmocka_unit_test(a_lower_cap_refuses),
        cmocka_unit_test(bytes_that_end),        cmocka_unit_test(numbers_that_are_wrong),
        cmocka_unit_test(another_configuration), cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
