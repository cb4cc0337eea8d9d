/* A model that was written and read goes on as if nothing had happened: the same predictions, the same
 * refusals, the same digest, byte for byte the same memory. */
#include "snapshot_fixture.h"

enum { COPIES = 24 };

struct run {
    struct homer_model_config config;
    struct source source;
    uint32_t instances;
    uint32_t copy_at[COPIES]; /* ascending; 0 ends the list, but for the first */
    uint32_t drift_at;        /* the source begins anew here; 0: never */
};

static struct run run_of(enum homer_profile profile, uint64_t seed, uint32_t instances) {
    struct run r = {.instances = instances, .copy_at = {0, 1, 2, 3, 17, instances / 3, instances / 2}};
    homer_model_config_default(&r.config);
    r.config.profile = profile;
    r.config.window = 30;
    r.config.seed = seed;
    source_init(&r.source, seed);
    return r;
}

struct copies {
    struct homer_model *m[COPIES];
    uint32_t n;
};

/* What one instance does to a model. */
struct done {
    int rc;
    uint32_t label_n, score_n;
    uint32_t label[TELLS];
    float score[TELLS];
};

static struct done learn(struct homer_model *m, const struct named *in) {
    struct done done = {0};
    struct homer_error err = {0};
    struct homer_decide decide = homer_model_decide_default(m);
    struct homer_prediction p;
    done.rc = model_learn(m, in, &decide, &p, &err);
    if (done.rc) model_predict(m, in, &decide, &p);
    done.label_n = p.label_n;
    done.score_n = p.score_n;
    assert_true(p.score_n <= TELLS);
    if (p.label_n) memcpy(done.label, p.label, p.label_n * sizeof *p.label);
    if (p.score_n) memcpy(done.score, p.score, p.score_n * sizeof *p.score);
    return done;
}

/* Returns how many instances were refused. */
static uint32_t go(struct run *r) {
    struct homer_model *m = model_start(&r->config, fixture_key);
    struct copies copies = {0};
    uint32_t refused = 0, next = 0;
    for (uint32_t t = 0; t <= r->instances; t++) {
        struct named in;
        if (next < COPIES && r->copy_at[next] == t && (t || next == 0)) {
            copies.m[copies.n++] = snapshot_copy(m);
            next++;
        }
        if (t == r->instances) break;
        if (r->drift_at && t == r->drift_at) {
            r->source.dice.state ^= 0x5555;
            r->source.t += 1; /* words and values come otherwise */
        }
        source_next(&r->source, &in);
        if (r->drift_at && t >= r->drift_at)
            for (uint32_t i = 0; i < in.tells; i++) in.tell[i].y = !in.tell[i].y || in.tells == 1;
        struct done done = learn(m, &in);
        refused += done.rc != 0;
        for (uint32_t i = 0; i < copies.n; i++) {
            struct done same = learn(copies.m[i], &in);
            if (memcmp(&same, &done, sizeof done)) fail_msg("copy of %u differs at %u", r->copy_at[i], t);
            size_t used = homer_model_mem(m)->used_bytes, has = homer_model_mem(copies.m[i])->used_bytes;
            if (used != has)
                fail_msg("copy of %u has %zu bytes, not %zu, at %u", r->copy_at[i], has, used, t);
        }
    }
    for (uint32_t i = 0; i < copies.n; i++) {
        assert_same_digest(m, copies.m[i]);
        model_stop(copies.m[i]);
    }
    model_stop(m);
    return refused;
}

static void linear(void **state) {
    (void)state;
    struct run r = run_of(HOMER_LINEAR_ONLY, 1, 1200);
    assert_int_equal(go(&r), 0);
}

static void fast(void **state) {
    (void)state;
    struct run r = run_of(HOMER_FAST, 2, 2500);
    assert_int_equal(go(&r), 0);
}

static void accurate(void **state) {
    (void)state;
    struct run r = run_of(HOMER_ACCURATE, 3, 500);
    assert_int_equal(go(&r), 0);
}

static void paper(void **state) {
    (void)state;
    struct run r = run_of(HOMER_FAST, 4, 2500);
    r.config.learner = HOMER_LEARNER_IHOMER_PAPER;
    assert_int_equal(go(&r), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),
        cmocka_unit_test(fast),
        cmocka_unit_test(accurate),
        cmocka_unit_test(paper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
