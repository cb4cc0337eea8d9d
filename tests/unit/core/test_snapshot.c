/* A model that was written and read goes on as if nothing had happened: the same predictions, the same
 * refusals, the same digest, byte for byte the same memory. */
#include "snapshot_fixture.h"

enum { COPIES = 8 };

/* Of every tree of the model's clusters. */
struct seen {
    uint64_t splits, inactive, begun, taken;
};

struct run {
    struct homer_model_config config;
    struct source source;
    uint32_t instances;
    bool signs;                /* labels say which of four numbers are above 0, */
    uint32_t drift_at;         /* and below from here on; in other streams some labels mean nothing then */
    uint32_t copies;           /* that are made, */
    uint32_t copy_at[COPIES];  /* before these instances, and learn the rest */
    uint32_t relay;            /* one more is written and read before every so many instances; 0: none */
    uint64_t refused, changes; /* what came of it: instances, and events */
    uint64_t turned;           /* number of the first instance after which the model was sparse */
    struct seen seen;
};

static struct run run_of(enum homer_profile profile, uint64_t seed, uint32_t instances, uint32_t relay) {
    struct run r = {.instances = instances, .relay = relay, .copies = 5, .copy_at = {0, 1, 2, 17}};
    r.copy_at[4] = instances / 2;
    homer_model_config_default(&r.config);
    r.config.profile = profile;
    r.config.window = 30;
    r.config.seed = seed;
    source_init(&r.source, seed);
    return r;
}

/* What one instance does to a model. */
struct done {
    int rc;
    uint32_t label_n, score_n;
    uint32_t label[TELLS];
    float score[TELLS];
    size_t used_bytes;
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
    done.used_bytes = homer_model_mem(m)->used_bytes;
    assert_true(p.score_n <= TELLS);
    if (p.label_n) memcpy(done.label, p.label, p.label_n * sizeof *p.label);
    if (p.score_n) memcpy(done.score, p.score, p.score_n * sizeof *p.score);
    return done;
}

static void next_signs(struct run *r, uint32_t t, struct named *in) {
    *in = (struct named){.weight = 1};
    for (uint32_t j = 0; j < 4; j++) {
        float x = (float)dice_normal(&r->source.dice);
        in->pair[in->pairs++] = (struct pair){.name = j, .number = x};
        if ((x > 0) == (t < r->drift_at)) {
            in->tell[in->tells].label = j;
            in->tell[in->tells++].y = true;
        }
    }
}

static void next_instance(struct run *r, uint32_t t, struct named *in) {
    if (r->signs) {
        next_signs(r, t, in);
        return;
    }
    source_next(&r->source, in);
    for (uint32_t i = 0; i < in->tells && r->drift_at && t >= r->drift_at; i++)
        if (in->tell[i].label < 3) in->tell[i].y = i % 2;
    if (!in->partial) { /* only what is true is told */
        uint32_t n = 0;
        for (uint32_t i = 0; i < in->tells; i++)
            if (in->tell[i].y) in->tell[n++] = in->tell[i];
        in->tells = n;
    }
}

static void look(struct homer_model *m, struct run *r) {
    const struct homer_clusters *c = homer_model_clusters(m);
    const uint64_t *counted = homer_model_events(m, &r->changes);
    r->seen.splits = counted ? counted[HOMER_EVENT_TREE_SPLIT] : 0;
    for (uint32_t i = 0; c && i < c->n; i++)
        for (uint32_t k = 0; k < c->cluster[i].forest->n; k++) {
            const struct homer_tree *t = c->cluster[i].forest->tree[k].tree;
            for (uint32_t n = 0; n < t->node_n; n++) r->seen.inactive += t->node[n].inactive;
            if (t->config->alternate) r->seen.begun += t->alternate->begun;
            if (t->config->alternate) r->seen.taken += t->alternate->taken;
        }
}

static void go(struct run *r) {
    struct homer_model *m = model_start(&r->config, fixture_key), *copy[COPIES + 1] = {0};
    uint32_t copies = 0;
    if (r->relay) copy[COPIES] = model_start(&r->config, fixture_key);
    for (uint32_t t = 0; t < r->instances; t++) {
        struct named in;
        if (copies < r->copies && r->copy_at[copies] == t) copy[copies++] = snapshot_copy(m);
        if (r->relay && t % r->relay == 0) {
            struct homer_model *next = snapshot_copy(copy[COPIES]);
            model_stop(copy[COPIES]);
            copy[COPIES] = next;
        }
        next_instance(r, t, &in);
        struct done done = learn(m, &in);
        r->refused += done.rc != 0;
        if (!r->turned && homer_model_is_sparse(m)) r->turned = t + 1;
        for (uint32_t i = 0; i <= COPIES; i++) {
            if (!copy[i]) continue;
            struct done same = learn(copy[i], &in);
            if (same.used_bytes != done.used_bytes)
                fail_msg("copy %u has %zu bytes, not %zu, after %u", i, same.used_bytes, done.used_bytes, t);
            if (memcmp(&same, &done, sizeof done)) fail_msg("copy %u differs at %u", i, t);
        }
    }
    look(m, r);
    for (uint32_t i = 0; i <= COPIES; i++) {
        if (!copy[i]) continue;
        assert_same_digest(m, copy[i]);
        model_stop(copy[i]);
    }
    model_stop(m);
}

static void linear(void **state) {
    (void)state;
    struct run r = run_of(HOMER_LINEAR_ONLY, 1, 600, 1);
    go(&r);
}

static void fast(void **state) {
    (void)state;
    struct run r = run_of(HOMER_FAST, 2, 700, 1);
    r.config.clusters.hierarchy.neighbours = 3; /* so that some are replaced */
    r.drift_at = 400;
    go(&r);
    assert_true(r.seen.splits > 0 && r.changes > 10);
}

/* Alternates begin, and take the place of what they stand beside. */
static void fast_with_alternates(void **state) {
    (void)state;
    struct run r = run_of(HOMER_FAST, 21, 2600, 2);
    r.config.clusters.tree.alternate = true;
    r.config.absent_missing = true;
    r.signs = true;
    r.drift_at = 1000;
    go(&r);
    assert_true(r.seen.splits > 0 && r.seen.begun > 0 && r.seen.taken > 0);
}

static void fast_with_leaves_that_observe_nothing(void **state) {
    (void)state;
    struct run r = run_of(HOMER_FAST, 22, 1100, 20);
    r.config.clusters.tree_bytes = 40000;
    r.config.clusters.tree.trees = 3;
    go(&r);
    assert_true(r.seen.inactive > 0);
}

/* The cap refuses instances here and there, growth, and new clusters. */
static void short_of_memory(enum homer_profile profile, enum homer_learner_kind learner, uint64_t cap,
                            uint32_t relay) {
    struct run r = run_of(profile, cap, profile == HOMER_ACCURATE ? 260 : 700, relay);
    r.config.learner = learner;
    r.config.max_memory = cap;
    go(&r);
    assert_true(r.refused > 10);
}

static void fast_where_memory_is_short(void **state) {
    (void)state;
    short_of_memory(HOMER_FAST, HOMER_LEARNER_IHOMER, 400000, 3);
    short_of_memory(HOMER_FAST, HOMER_LEARNER_IHOMER, 600000, 3);
}

/* Little or nothing is learned, though some room was made for it. */
static void too_little_memory(void **state) {
    (void)state;
    static const uint64_t cap[] = {20000, 110000, 1500000, 80000};
    for (int i = 0; i < 4; i++) {
        struct run r = run_of(i < 3 ? (enum homer_profile)i : HOMER_FAST, 50, 40, 1);
        if (i == 3) r.config.learner = HOMER_LEARNER_IHOMER_PAPER;
        r.config.max_memory = cap[i];
        go(&r);
        assert_true(r.refused > 0);
    }
}

static void accurate(void **state) {
    (void)state;
    struct run r = run_of(HOMER_ACCURATE, 3, 300, 25);
    go(&r);
}

static void accurate_where_memory_is_short(void **state) {
    (void)state;
    short_of_memory(HOMER_ACCURATE, HOMER_LEARNER_IHOMER, 7000000, 25);
    short_of_memory(HOMER_ACCURATE, HOMER_LEARNER_IHOMER, 9500000, 25);
}

/* The window of the last 4,000 instances comes round. */
static void the_window_comes_round(void **state) {
    (void)state;
    struct run r = run_of(HOMER_ACCURATE, 31, HOMER_WINDOW_SLOTS + 120, 0);
    r.copies = 4;
    for (uint32_t i = 0; i < r.copies; i++) r.copy_at[i] = HOMER_WINDOW_SLOTS - 1 + i + (i > 2) * 60;
    r.config.clusters.tree.trees = 1;
    r.source.most_features = r.source.most_labels = 5;
    go(&r);
}

/* Weights in lists: from the start, and from the time on when labels are too many, or weights. */
static void sparse(void **state) {
    (void)state;
    for (int profile = HOMER_LINEAR_ONLY; profile <= HOMER_ACCURATE; profile++) {
        struct run r = run_of((enum homer_profile)profile, 60 + (uint64_t)profile, 500, 1);
        r.config.storage = HOMER_STORAGE_SPARSE;
        r.drift_at = 300;
        go(&r);
        assert_true((r.changes > 10) == (profile != HOMER_LINEAR_ONLY));
    }
}

static void turning_sparse(void **state) {
    (void)state;
    for (int by_weights = 0; by_weights < 2; by_weights++)
        for (int profile = HOMER_LINEAR_ONLY; profile <= HOMER_ACCURATE; profile++) {
            struct run r = run_of((enum homer_profile)profile, 70 + (uint64_t)profile, 260,
                                  profile < HOMER_ACCURATE ? 1 : 13);
            r.config.dense_labels = by_weights ? 1000 : 9;
            r.config.dense_weights = by_weights ? 300 : 1000000;
            r.config.absent_missing = by_weights;
            go(&r);
            assert_true(r.turned > 20 && r.turned < 240);
        }
}

static void sparse_where_memory_is_short(void **state) {
    (void)state;
    static const uint64_t cap[] = {250000, 300000, 500000};
    for (int i = 0; i < 3; i++)
        for (int turning = 0; turning < 2; turning++) {
            struct run r = run_of(HOMER_FAST, cap[i], 500, 3);
            r.config.max_memory = cap[i];
            r.config.storage = turning ? HOMER_STORAGE_AUTO : HOMER_STORAGE_SPARSE;
            r.config.dense_labels = 5;
            go(&r);
            assert_true(r.refused > 10);
        }
}

static void paper(void **state) {
    (void)state;
    struct run r = run_of(HOMER_FAST, 4, 1800, 6);
    r.config.learner = HOMER_LEARNER_IHOMER_PAPER;
    r.source.most_labels = 10;
    go(&r);
    assert_true(r.seen.splits > 0 && r.changes > 10);
}

static void paper_where_memory_is_short(void **state) {
    (void)state;
    short_of_memory(HOMER_FAST, HOMER_LEARNER_IHOMER_PAPER, 250000, 3);
    short_of_memory(HOMER_FAST, HOMER_LEARNER_IHOMER_PAPER, 450000, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),
        cmocka_unit_test(fast),
        cmocka_unit_test(fast_with_alternates),
        cmocka_unit_test(fast_with_leaves_that_observe_nothing),
        cmocka_unit_test(fast_where_memory_is_short),
        cmocka_unit_test(too_little_memory),
        cmocka_unit_test(accurate),
        cmocka_unit_test(accurate_where_memory_is_short),
        cmocka_unit_test(the_window_comes_round),
        cmocka_unit_test(sparse),
        cmocka_unit_test(turning_sparse),
        cmocka_unit_test(sparse_where_memory_is_short),
        cmocka_unit_test(paper),
        cmocka_unit_test(paper_where_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
