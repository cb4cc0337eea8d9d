/* A model that turns sparse when its labels become too many goes on with what it has learned. */
#include "core/model.h"
#include "sparse_fixture.h"

enum { LABELS = 160, WORDS = 400, TURN = 900, END = 1100 };

static struct homer_model *start(enum homer_profile profile, enum homer_storage storage) {
    struct homer_model_config c;
    struct homer_model *m;
    homer_model_config_default(&c);
    c.profile = profile;
    c.storage = storage;
    c.dense_labels = LABELS;
    assert_int_equal(homer_model_new(&m, &c, fixture_key), 0);
    return m;
}

/* Names are numbers, but one more label, which nothing but the turn needs. */
static uint32_t learn(struct homer_model *m, const struct many *s, bool another) {
    struct homer_instance x = s->x;
    struct homer_prediction p;
    struct homer_schema *schema = homer_model_schema(m);
    uint32_t feature[MOST_WORDS], positive[MOST_TRUE + 1], best;
    struct homer_decide decide = homer_model_decide_default(m);
    char name[16];
    x.feature = feature;
    x.positive = positive;
    homer_model_begin(m);
    for (uint32_t i = 0; i < x.feature_n; i++) {
        size_t n = (size_t)sprintf(name, "w%u", s->feature[i]);
        assert_int_equal(
            homer_schema_feature(schema, name, n, HOMER_NUMERIC, NULL, 0, true, &feature[i], NULL), 0);
    }
    for (uint32_t i = 0; i < x.positive_n; i++) {
        size_t n = (size_t)sprintf(name, "l%u", s->positive[i]);
        assert_int_equal(homer_schema_label(schema, name, n, true, &positive[i], NULL), 0);
    }
    if (another)
        assert_int_equal(homer_schema_label(schema, "more", 4, true, &positive[x.positive_n++], NULL), 0);
    qsort(positive, x.positive_n, sizeof *positive, fixture_by_id);
    assert_int_equal(homer_model_learn(m, &x, &decide, &p, NULL), 0);
    if (!homer_prediction_top(&p, 1, &best)) return 0;
    for (uint32_t i = 0; i < p.score_n; i++)
        assert_true(p.score[i] <= p.score[best]); /* they are there still */
    return bsearch(&best, positive, x.positive_n, sizeof *positive, fixture_by_id) != NULL;
}

/* Labels whose truth was ranked first, in the instances from the turn on: how many models A and B got. */
static void compare(enum homer_profile profile) {
    struct homer_model *turning = start(profile, HOMER_STORAGE_AUTO),
                       *dense = start(profile, HOMER_STORAGE_DENSE),
                       *fresh = start(profile, HOMER_STORAGE_SPARSE);
    struct many s = {.dice = {95}, .labels = LABELS, .words = WORDS};
    uint32_t right[3] = {0};
    uint64_t before = 0, after = 0;
    for (uint32_t l = 0; l < LABELS; l++) { /* all labels are known early */
        many_next(&s);
        s.positive[0] = l;
        s.x.positive_n = 1;
        learn(turning, &s, false);
        learn(dense, &s, false);
    }
    for (uint32_t t = LABELS; t < END; t++) {
        many_next(&s);
        bool another = t == TURN;
        assert_int_equal(homer_model_is_sparse(turning), t > TURN);
        if (another) (void)homer_model_events(turning, &before);
        uint32_t a = learn(turning, &s, another), b = learn(dense, &s, another);
        if (another) (void)homer_model_events(turning, &after);
        assert_true(after >= before);
        if (t < TURN) continue;
        right[0] += a;
        right[1] += b;
        right[2] += learn(fresh, &s, another);
    }
    assert_false(homer_model_is_sparse(dense));
    if (right[0] + 12 < right[1] || right[0] < right[2] + 20)
        fail_msg("right of 200: %u, dense %u, fresh %u", right[0], right[1], right[2]);
    assert_int_equal(homer_model_seq(turning), END);
    assert_true(homer_model_label_count(turning, 0) == homer_model_label_count(dense, 0));
    homer_model_free(turning);
    homer_model_free(dense);
    homer_model_free(fresh);
}

static void what_was_learned_stays(void **state) {
    (void)state;
    compare(HOMER_LINEAR_ONLY);
    compare(HOMER_FAST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_learned_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
