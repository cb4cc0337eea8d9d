/* The model as a whole: digests, predictions that change nothing and agree with what a test would say,
 * limits, weights. */
#include "model_fixture.h"

static enum homer_learner_kind learner; /* of all models */

static struct homer_model_config config_of(enum homer_objective objective, bool missing) {
    struct homer_model_config c;
    homer_model_config_default(&c);
    c.learner = learner;
    c.objective = objective;
    c.absent_missing = missing;
    c.window = 100;
    return c;
}

static void same_input_same_digest(void **state) {
    (void)state;
    for (int missing = 0; missing < 2; missing++) {
        struct homer_model_config c = config_of(HOMER_EXAMPLE_F1, missing);
        struct homer_model *a = model_start(&c, (const uint8_t *)"0123456789abcdef");
        struct homer_model *b = model_start(&c, (const uint8_t *)"another hash key");
        struct source s;
        char x[33], y[33], last[33] = "";
        source_init(&s, 400);
        homer_model_digest(a, x);
        homer_model_digest(b, y);
        assert_string_equal(x, y);
        for (int t = 0; t < 700; t++) {
            struct named in;
            source_next(&s, &in);
            assert_int_equal(model_learn(a, &in, NULL, NULL, NULL), 0);
            assert_int_equal(model_learn(b, &in, NULL, NULL, NULL), 0);
            homer_model_digest(a, x);
            homer_model_digest(b, y);
            assert_int_equal(strlen(x), 32);
            assert_string_equal(x, y);
            assert_string_not_equal(x, last);
            memcpy(last, x, sizeof last);
            assert_int_equal(homer_model_seq(a), t + 1);
        }
        model_stop(a);
        model_stop(b);
    }
}

enum change { NONE, VALUE, WEIGHT, LABEL, PARTIAL, NULLED, NAME, CHANGES };

/* The digest of a short stream of which one instance is changed by as little as there is. */
static void digest_with(enum change change, char hex[33]) {
    struct homer_model_config c = config_of(HOMER_EXAMPLE_F1, false);
    struct homer_model *m = model_start(&c, fixture_key);
    for (uint32_t t = 0; t < 40; t++) {
        struct named in = {.pairs = 2, .tells = 1, .weight = 1};
        in.pair[0] = (struct pair){.name = 0, .number = (float)(t * 7 % 5) - 1.7f};
        in.pair[1] = (struct pair){.name = 1, .number = (float)(t * 3 % 7) + 0.3f};
        in.tell[0].label = t % 3;
        in.tell[0].y = true;
        if (t == 20) {
            uint32_t bits;
            memcpy(&bits, &in.pair[0].number, sizeof bits);
            bits ^= change == VALUE;
            memcpy(&in.pair[0].number, &bits, sizeof bits);
            if (change == WEIGHT) in.weight = nextafter(1, 2);
            if (change == LABEL) in.tell[0].label = (t + 1) % 3;
            if (change == PARTIAL) in.partial = true;
            if (change == NULLED) in.pair[0].null = true;
            if (change == NAME) in.pair[0].name = 2;
        }
        assert_int_equal(model_learn(m, &in, NULL, NULL, NULL), 0);
    }
    homer_model_digest(m, hex);
    model_stop(m);
}

static void one_bit_shows_in_the_digest(void **state) {
    (void)state;
    char hex[CHANGES][33], again[33];
    for (int change = NONE; change < CHANGES; change++) {
        digest_with((enum change)change, hex[change]);
        digest_with((enum change)change, again);
        assert_string_equal(hex[change], again);
        for (int other = NONE; other < change; other++) assert_string_not_equal(hex[change], hex[other]);
    }
}

/* What is said before learning is what learning reports, to the bit; and saying it leaves no trace. */
static void predictions_agree_with_tests(enum homer_profile profile) {
    unsigned unseen = 0;
    for (int objective = 0; objective < HOMER_OBJECTIVE_COUNT; objective++)
        for (int missing = 0; missing < 2; missing++) {
            struct homer_model_config c = config_of((enum homer_objective)objective, missing);
            if (profile == HOMER_ACCURATE && missing != objective % 2) continue; /* half: it takes longer */
            c.profile = profile;
            struct homer_model *m = model_start(&c, fixture_key), *quiet = model_start(&c, fixture_key);
            struct homer_decide decide = homer_model_decide_default(m);
            struct source s, elsewhere;
            char before[33], after[33];
            source_init(&s, 410 + (uint64_t)objective);
            source_init(&elsewhere, 420);
            elsewhere.features = 40; /* mostly names that the model has never met */
            for (int t = 0; t < 530; t++) {
                struct named in, other;
                struct homer_prediction said, told;
                float score[TELLS];
                uint32_t label[TELLS], label_n, score_n;
                source_next(&s, &in);
                source_next(&elsewhere, &other);
                bool look =
                    t % 9 == 0 || ((t + 1) & t) == 0 || ((t + 2) & (t + 1)) == 0; /* a digest is slow */
                if (look) homer_model_digest(m, before);
                model_predict(m, &other, &decide, &said);
                model_predict(m, &in, &decide, &said);
                if (look) homer_model_digest(m, after);
                if (look) assert_string_equal(before, after);
                label_n = said.label_n;
                score_n = said.score_n;
                assert_true(label_n <= score_n && score_n <= TELLS);
                if (label_n) memcpy(label, said.label, label_n * sizeof *label);
                if (score_n) memcpy(score, said.score, score_n * sizeof *score);

                uint32_t features = homer_model_schema(m)->features.n;
                assert_int_equal(model_learn(m, &in, &decide, &told, NULL), 0);
                unseen += homer_model_schema(m)->features.n > features;
                assert_int_equal(told.score_n, score_n);
                if (in.weight == 1) { /* a prediction has no weight: its features count once */
                    for (uint32_t l = 0; l < score_n; l++) assert_same(told.score[l], score[l]);
                    assert_int_equal(told.label_n, label_n);
                    for (uint32_t i = 0; i < label_n; i++) assert_int_equal(told.label[i], label[i]);
                }
                assert_int_equal(model_learn(quiet, &in, NULL, NULL, NULL), 0);
                if (!look) continue;
                homer_model_digest(m, before);
                homer_model_digest(quiet, after);
                assert_string_equal(before, after);
            }
            model_stop(m);
            model_stop(quiet);
        }
    assert_true(unseen > 200);
}

static void predictions_agree_with_tests_when_fast(void **state) {
    (void)state;
    predictions_agree_with_tests(HOMER_FAST);
}

static void predictions_agree_with_tests_when_accurate(void **state) {
    (void)state;
    predictions_agree_with_tests(HOMER_ACCURATE);
}

/* Metrics count what was predicted under the model's own objective, whatever the caller asked for. */
static void metrics_follow_the_objective(void **state) {
    (void)state;
    struct homer_model_config c = config_of(HOMER_HAMMING, false);
    struct homer_model *m = model_start(&c, fixture_key);
    struct homer_decide all = {.objective = HOMER_HAMMING, .threshold = (double)NAN, .k = 1000},
                        own = homer_model_decide_default(m);
    struct homer_metrics metrics;
    struct source s;
    double predicted = 0, exact = 0;
    source_init(&s, 430);
    s.partial = s.weighted = 0;
    for (int t = 0; t < 300; t++) {
        struct named in;
        struct homer_prediction p;
        source_next(&s, &in);
        model_predict(m, &in, &own, &p);
        bool same = p.label_n == in.tells;
        for (uint32_t i = 0; i < p.label_n; i++) {
            bool found = false;
            size_t n;
            const char *name = homer_schema_label_name(homer_model_schema(m), p.label[i], &n);
            for (uint32_t k = 0; k < in.tells; k++) {
                char expected[16];
                found = found || ((size_t)sprintf(expected, "l%u", in.tell[k].label) == n &&
                                  memcmp(name, expected, n) == 0);
            }
            same = same && found;
        }
        predicted += p.label_n;
        exact += same;
        assert_int_equal(model_learn(m, &in, &all, &p, NULL), 0);
        assert_int_equal(p.label_n, p.score_n);
        homer_eval_metrics(homer_model_eval(m), HOMER_BY_MODEL, HOMER_TOTAL, &metrics);
        assert_same(metrics.n, t + 1);
        assert_close(metrics.cardinality, predicted / (t + 1), 1e-12);
        assert_close(metrics.subset, exact / (t + 1), 1e-12);
    }
    model_stop(m);
}

static void weights_scale_counts(enum homer_profile profile) {
    struct homer_model_config c = config_of(HOMER_EXAMPLE_F1, false);
    c.profile = profile;
    struct homer_model *m = model_start(&c, fixture_key);
    struct homer_decide decide = homer_model_decide_default(m);
    struct source s;
    double count[TELLS] = {0}, has[PAIRS] = {0};
    source_init(&s, 440);
    for (int t = 0; t < 600; t++) {
        struct named in;
        struct homer_prediction p;
        source_next(&s, &in);
        in.weight = t % 50 == 49 ? 1e6 : t % 50 == 48 ? 1e-6 : in.weight;
        for (uint32_t i = 0; i < in.tells; i++) count[in.tell[i].label] += in.tell[i].y ? in.weight : 0;
        for (uint32_t i = 0; i < in.pairs; i++)
            if (in.pair[i].type == HOMER_NUMERIC && !in.pair[i].null && in.pair[i].number != 0)
                has[in.pair[i].name] += in.weight;
        assert_int_equal(model_learn(m, &in, &decide, &p, NULL), 0);
        for (uint32_t l = 0; l < p.score_n; l++) assert_true(p.score[l] >= 0 && p.score[l] <= 1);
    }
    for (uint32_t l = 0; l < s.labels; l++) {
        char name[16];
        uint32_t id;
        homer_schema_label(homer_model_schema(m), name, (size_t)sprintf(name, "l%u", l), false, &id, NULL);
        if (id != HOMER_NO_ID)
            assert_close(homer_model_label_count(m, id), count[l], 1e-9);
        else
            assert_same(count[l], 0);
    }
    for (uint32_t j = 0; j < s.features; j += 4) {
        char name[16];
        uint32_t id;
        homer_schema_feature(homer_model_schema(m), name, (size_t)sprintf(name, "f%u", j), HOMER_NUMERIC,
                             NULL, 0, false, &id, NULL);
        if (id != HOMER_NO_ID) assert_close(homer_model_feature_count(m, id), has[j], 1e-9);
    }
    struct homer_metrics metrics;
    homer_eval_metrics(homer_model_eval(m), HOMER_BY_MODEL, HOMER_TOTAL, &metrics);
    assert_same(metrics.n, 600); /* metrics count instances */
    assert_true(isfinite(metrics.log_loss) && metrics.log_loss > 0);
    model_stop(m);
}

static void weights_scale_counts_when_fast(void **state) {
    (void)state;
    weights_scale_counts(HOMER_FAST);
}

static void weights_scale_counts_when_accurate(void **state) {
    (void)state;
    weights_scale_counts(HOMER_ACCURATE);
}

static void objectives_have_words(void **state) {
    (void)state;
    for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++) {
        const char *word = homer_objective_word((enum homer_objective)o);
        assert_int_equal(homer_objective_parse(word, strlen(word)), o);
        assert_int_equal(homer_objective_parse(word, strlen(word) - 1), -1);
    }
    assert_int_equal(homer_objective_parse("", 0), -1);
}

static void the_best_by_score(void **state) {
    (void)state;
    const float score[] = {0.1f, 0.9f, 0, 0.9f, 0.5f};
    const struct homer_prediction p = {.score = score, .score_n = 5};
    uint32_t best[8];
    assert_int_equal(homer_prediction_top(&p, 3, best), 3);
    assert_int_equal(best[0], 1);
    assert_int_equal(best[1], 3);
    assert_int_equal(best[2], 4);
    assert_int_equal(homer_prediction_top(&p, 8, best), 5);
    assert_int_equal(best[4], 2);
    assert_int_equal(homer_prediction_top(&p, 0, best), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_input_same_digest),
        cmocka_unit_test(one_bit_shows_in_the_digest),
        cmocka_unit_test(predictions_agree_with_tests_when_fast),
        cmocka_unit_test(metrics_follow_the_objective),
        cmocka_unit_test(weights_scale_counts_when_fast),
        cmocka_unit_test(objectives_have_words),
        cmocka_unit_test(the_best_by_score),
    };
    const struct CMUnitTest accurate[] = {
        cmocka_unit_test(predictions_agree_with_tests_when_accurate),
        cmocka_unit_test(weights_scale_counts_when_accurate),
    };
    int failed = cmocka_run_group_tests(accurate, NULL, NULL); /* a profile of learner ihomer */
    for (learner = 0; learner < HOMER_LEARNERS; learner++)
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    return failed;
}
