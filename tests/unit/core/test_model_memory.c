/* The model when memory is refused: every allocation in turn, and under its cap. */
#include <errno.h>
#include "model_fixture.h"

static enum homer_learner_kind learner; /* of all models */
static enum homer_storage storage = HOMER_STORAGE_DENSE;
static uint32_t dense_labels = 1000;

static struct homer_model_config small(uint64_t max_memory) {
    struct homer_model_config c;
    homer_model_config_default(&c);
    c.learner = learner;
    c.storage = storage;
    c.dense_labels = dense_labels;
    c.max_memory = max_memory;
    c.window = 30;
    return c;
}

/* A prediction that must be fit to be seen. */
static void assert_predicts(struct homer_model *m, const struct named *in) {
    for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++) {
        struct homer_decide decide = {.objective = (enum homer_objective)o, .threshold = (double)NAN};
        struct homer_prediction p;
        model_predict(m, in, &decide, &p);
        assert_true(p.label_n <= p.score_n);
        for (uint32_t l = 0; l < p.score_n; l++) assert_true(p.score[l] >= 0 && p.score[l] <= 1);
    }
}

/* From the first instance on, every one is tried with each of its allocations refused. */
static void a_refused_allocation_leaves_no_trace(enum homer_profile profile, int instances) {
    struct homer_model_config c = small(0);
    c.profile = profile;
    struct homer_model *m = model_start(&c, fixture_key), *undisturbed = model_start(&c, fixture_key);
    struct homer_mem *mem = homer_model_mem(m);
    struct source s;
    char before[33], after[33];
    unsigned refused = 0;
    source_init(&s, 500);
    for (int t = 0; t < instances; t++) {
        struct named in;
        source_next(&s, &in);
        homer_model_digest(m, before);
        for (uint64_t k = 1;; k++) {
            struct homer_error err = {0};
            uint64_t failures = mem->failed;
            mem->fail_in = k;
            int rc = model_learn(m, &in, NULL, NULL, &err);
            mem->fail_in = 0;
            if (mem->failed == failures) {
                assert_int_equal(rc, 0);
                break;
            }
            refused++;
            assert_int_equal(rc, -ENOMEM);
            assert_int_equal(err.code, -ENOMEM);
            assert_true(err.message[0] != 0);
            homer_model_digest(m, after);
            assert_string_equal(before, after);
            assert_predicts(m, &in);
            homer_model_digest(m, after);
            assert_string_equal(before, after);
        }
        assert_int_equal(model_learn(undisturbed, &in, NULL, NULL, NULL), 0);
        homer_model_digest(m, before);
        homer_model_digest(undisturbed, after);
        assert_string_equal(before, after);
    }
    assert_true(refused > 150);
    model_stop(m);
    model_stop(undisturbed);
}

static void a_refused_allocation_leaves_no_trace_when_fast(void **state) {
    (void)state;
    a_refused_allocation_leaves_no_trace(HOMER_FAST, 300);
}

static void a_refused_allocation_leaves_no_trace_when_accurate(void **state) {
    (void)state;
    a_refused_allocation_leaves_no_trace(HOMER_ACCURATE, 40);
}

/* Aborting after names were interned, and after an error half-way, is as if nothing had been asked. */
static void an_aborted_instance_leaves_no_trace(void **state) {
    (void)state;
    struct homer_model_config c = small(0);
    struct homer_model *m = model_start(&c, fixture_key);
    struct source s;
    char before[33], after[33];
    source_init(&s, 510);
    for (int t = 0; t < 200; t++) {
        struct named in, other;
        struct resolved r;
        source_next(&s, &in);
        struct source ahead = s; /* names that are still to come */
        for (int i = 0; i < 15; i++) source_next(&ahead, &other);
        homer_model_digest(m, before);
        homer_model_begin(m);
        assert_int_equal(resolve_x(m, &other, true, &r, NULL), 0);
        assert_int_equal(resolve_y(m, &other, &r, NULL), 0);
        homer_model_abort(m);
        assert_predicts(m, &other);
        homer_model_digest(m, after);
        assert_string_equal(before, after);
        assert_int_equal(model_learn(m, &in, NULL, NULL, NULL), 0);
    }
    model_stop(m);
}

/* Names and labels without end: at the cap each is refused with the key to raise, the digest stays, what is
 * known goes on being learned and predicted, and the cap holds. */
static void the_memory_cap_holds(enum homer_profile profile, uint64_t least, uint64_t most) {
    for (uint64_t cap = least; cap <= most; cap *= 2) {
        struct homer_model_config c = small(cap);
        c.profile = profile;
        struct homer_model *m = model_start(&c, fixture_key);
        struct homer_mem *mem = homer_model_mem(m);
        struct dice d = {cap};
        unsigned refused = 0, learned = 0, after_refusal = 0, known_refused = 0;
        char before[33], after[33];
        for (uint32_t t = 0; t < 1500; t++) {
            struct named in = {.weight = 1};
            bool fresh = t % 3 == 0;
            for (uint32_t i = 0; i < 8; i++) {
                uint32_t name = fresh ? t * 8 + i : i + (dice_below(&d, 3) + 1) * 8;
                in.pair[in.pairs++] = (struct pair){.name = name, .number = (float)dice_normal(&d)};
            }
            for (uint32_t i = 0; i < 2; i++) {
                in.tell[in.tells].label = fresh ? t + i : i + dice_below(&d, 2) * 3;
                in.tell[in.tells++].y = true;
            }
            if (in.tell[0].label == in.tell[1].label) in.tells = 1;
            struct homer_error err = {0};
            if (t % 10 == 0) homer_model_digest(m, before);
            int rc = model_learn(m, &in, NULL, NULL, &err);
            assert_true(mem->used_bytes <= cap && mem->peak_bytes <= cap);
            if (t % 10 == 0) assert_predicts(m, &in);
            if (rc == 0) {
                learned++;
                after_refusal += refused > 0;
                continue;
            }
            refused++;
            known_refused += !fresh;
            assert_int_equal(rc, HOMER_E_TOO_MANY);
            assert_string_equal(err.limit, "max_memory");
            if (t % 10 == 0) homer_model_digest(m, after);
            if (t % 10 == 0) assert_string_equal(before, after);
        }
        assert_int_equal(homer_model_seq(m), learned);
        assert_true(refused > 10);
        assert_true(known_refused < 30); /* only while known names still settle */
        if (after_refusal <= 100) fail_msg("only %u learned after a refusal under %lu", after_refusal, cap);
        model_stop(m);
    }
}

static void the_memory_cap_holds_when_fast(void **state) {
    (void)state;
    /* lists have scratch for 256 candidates */
    the_memory_cap_holds(HOMER_FAST, storage == HOMER_STORAGE_SPARSE ? 320000 : 160000, 2560000);
}

static void the_memory_cap_holds_when_linear(void **state) {
    (void)state;
    the_memory_cap_holds(HOMER_LINEAR_ONLY, 80000, 2560000);
}

static void the_memory_cap_holds_when_accurate(void **state) {
    (void)state;
    the_memory_cap_holds(HOMER_ACCURATE, 8400000, 16800000); /* less, and five trees leave no room */
}

/* The oldest instance's labelset is a candidate of the posterior, and the cap makes the window give that
 * instance up while it is learned: what is freed is read no more (the address sanitizer sees it). */
static void a_posterior_needs_no_instance_given_up(void **state) {
    (void)state;
    struct homer_model_config c = small(0);
    c.profile = HOMER_ACCURATE;
    struct homer_model *m = model_start(&c, fixture_key);
    struct homer_mem *mem = homer_model_mem(m);
    unsigned capped = 0;
    for (uint32_t t = 0; t < 300; t++) {
        bool rare =
            t < 30 || t >= 180; /* each a labelset of its own; those between crowd them out of lists */
        struct named in = {.weight = 1, .pairs = 1, .tells = 2};
        in.pair[0] = (struct pair){.name = 0, .number = rare ? 9 : (float)(t % 2)};
        in.tell[0].label = rare ? t % 3 : t / 2 % 3;
        in.tell[1].label = t < 30 ? 3 + t : rare ? 3 + (t * 7 + 1) % 30 : 33 + t / 6 % 12;
        in.tell[0].y = in.tell[1].y = true;
        uint64_t before = mem->capped;
        if (t >= 180) mem->max_bytes = mem->used_bytes; /* nothing more */
        int rc = model_learn(m, &in, NULL, NULL, NULL);
        capped += rc == 0 && mem->capped > before;
        mem->max_bytes = 0;
    }
    assert_true(capped > 10);
    model_stop(m);
}

static void the_caps_of_names_hold(void **state) {
    (void)state;
    struct homer_model_config c = small(0);
    c.max_labels = 5;
    c.max_features = 9;
    struct homer_model *m = model_start(&c, fixture_key);
    char before[33], after[33];
    for (uint32_t t = 0; t < 40; t++) {
        struct named in = {.weight = 1, .pairs = 1, .tells = 1};
        struct homer_error err = {0};
        in.pair[0] = (struct pair){.name = t % 2 ? t : 0, .number = 1};
        in.tell[0].label = t % 2 ? 0 : t;
        in.tell[0].y = true;
        homer_model_digest(m, before);
        int rc = model_learn(m, &in, NULL, NULL, &err);
        homer_model_digest(m, after);
        const struct homer_schema *s = homer_model_schema(m);
        assert_true(s->labels.n <= 5 && s->features.n <= 9);
        if (rc == 0) continue;
        assert_int_equal(rc, HOMER_E_TOO_MANY);
        assert_string_equal(err.limit, t % 2 ? "max_features" : "max_labels");
        assert_string_equal(before, after);
    }
    assert_int_equal(homer_model_schema(m)->labels.n, 5);
    assert_int_equal(homer_model_schema(m)->features.n, 9);
    model_stop(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_allocation_leaves_no_trace_when_fast),
        cmocka_unit_test(an_aborted_instance_leaves_no_trace),
        cmocka_unit_test(the_memory_cap_holds_when_fast),
        cmocka_unit_test(the_caps_of_names_hold),
    };
    const struct CMUnitTest profiles[] = {
        cmocka_unit_test(a_refused_allocation_leaves_no_trace_when_accurate),
        cmocka_unit_test(the_memory_cap_holds_when_linear),
        cmocka_unit_test(the_memory_cap_holds_when_accurate),
        cmocka_unit_test(a_posterior_needs_no_instance_given_up),
    };
    int failed = cmocka_run_group_tests(profiles, NULL, NULL); /* of learner ihomer */
    for (learner = 0; learner < HOMER_LEARNERS; learner++)
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    learner = HOMER_LEARNER_IHOMER;
    storage =
        HOMER_STORAGE_AUTO; /* then weights move into lists: first by this, then where memory is short */
    dense_labels = 4;
    failed += cmocka_run_group_tests(tests, NULL, NULL);
    dense_labels = 1000;
    failed += cmocka_run_group_tests(tests, NULL, NULL);
    storage = HOMER_STORAGE_SPARSE;
    failed += cmocka_run_group_tests(tests, NULL, NULL);
    return failed;
}
