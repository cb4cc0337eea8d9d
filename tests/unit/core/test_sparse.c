/* The sparse learner: its filters against a dense recount, its bounds, its cost. */
#include "core/base/num.h"
#include "core/sparse/sparse.h"
#include "sparse_fixture.h"

enum { LABELS = 50, WORDS = 120, E = HOMER_SPARSE_FILTERS };

static struct homer_sparse s;
static struct homer_mem mem;
static uint64_t seq;

static void start(bool grouped) {
    struct homer_clusters_config clusters;
    homer_clusters_config_default(&clusters);
    mem = (struct homer_mem){0};
    seq = 0;
    assert_int_equal(homer_sparse_init(&s, &mem, false, grouped, &clusters), 0);
}

static void stop(void) {
    homer_sparse_deinit(&s);
    assert_int_equal(mem.used_bytes, 0);
}

/* All ids are known from the start. */
static const float *prepare(const struct many *m) {
    assert_int_equal(homer_sparse_reserve(&s, m->words, m->labels), 0);
    const float *p = homer_sparse_predict(&s, &m->x);
    assert_int_equal(homer_sparse_prepare(&s, &m->x, m->labels, ++seq), 0);
    return p;
}

static void learn(const struct many *m) {
    homer_sparse_learn(&s, &m->x, m->words, m->labels);
}

/* The same weights without lists. */
static struct {
    bool has[WORDS][LABELS];
    float w[E][WORDS][LABELS], var[E][WORDS][LABELS];
} dense;

static float logit_of_prior(uint32_t l) {
    double rho = homer_prior_density(&s.prior) + 0.001;
    double pi = (homer_prior_count(&s.prior, l) + rho) / (homer_prior_told(&s.prior, l) + 1.002);
    return homer_logit((float)(pi > 0.999 ? 0.999 : pi));
}

/* What a column's label is to learn. */
static void recount(const struct many *m, uint32_t l) {
    const float start_variance[E] = {3, 20};
    float score[E], v[E], w = (float)m->x.weight, y = 0;
    bool told = !m->x.partial;
    for (uint32_t i = 0; i < m->x.positive_n; i++)
        told |= m->positive[i] == l, y = m->positive[i] == l ? 1 : y;
    for (uint32_t i = 0; i < m->x.negative_n; i++) told |= m->negative[i] == l;
    for (int e = 0; e < E; e++) {
        score[e] = logit_of_prior(l), v[e] = 0;
        for (uint32_t i = 0; i < s.frame.n; i++) {
            uint32_t j = s.frame.feature[i];
            float x = s.frame.x[i];
            score[e] += x * dense.w[e][j][l];
            v[e] += x * x * (dense.has[j][l] ? dense.var[e][j][l] : start_variance[e]);
        }
    }
    if (!told || fabsf(y - homer_sigmoid(score[0])) <= 0.03f) return;
    for (int e = 0; e < E; e++) {
        float p = homer_sigmoid(score[e]), q = w * fmaxf(p * (1 - p), 1e-4f), z = 1 / (1 + q * v[e]);
        for (uint32_t i = 0; i < s.frame.n; i++) {
            uint32_t j = s.frame.feature[i];
            float a = dense.has[j][l] ? dense.var[e][j][l] : start_variance[e], ax = a * s.frame.x[i];
            dense.w[e][j][l] += ax * w * (y - p) * z;
            dense.var[e][j][l] = a - q * z * ax * ax;
        }
    }
    for (uint32_t i = 0; i < s.frame.n; i++) dense.has[s.frame.feature[i]][l] = true;
}

static void assert_weights(void) {
    uint64_t entries = 0;
    for (uint32_t j = 0; j < WORDS; j++) {
        const struct homer_sparse_list *list = &s.lists.list[j];
        for (uint32_t k = 0; k < list->n; k++, entries++) {
            uint32_t l = list->entry[k].label;
            assert_true(dense.has[j][l]);
            for (int e = 0; e < E; e++) {
                assert_close(list->entry[k].w[e], dense.w[e][j][l], 2e-3);
                assert_close(list->var[k][e], dense.var[e][j][l], 2e-3);
            }
        }
    }
    for (uint32_t j = 0; j < WORDS; j++)
        for (uint32_t l = 0; l < LABELS; l++) entries -= dense.has[j][l];
    assert_int_equal(entries, 0);
}

static void weights_are_those_of_dense_filters(void **state) {
    (void)state;
    struct many m = {.dice = {90}, .labels = LABELS, .words = WORDS, .partial = 0.2};
    memset(&dense, 0, sizeof dense);
    start(false);
    for (int t = 0; t < 400; t++) {
        many_next(&m);
        prepare(&m);
        for (uint32_t c = 0; c < s.columns; c++) recount(&m, s.column[c]);
        learn(&m);
        assert_weights();
    }
    assert_true(s.lists.entries > 1000);
    stop();
}

static uint32_t hits_at_1(const struct many *m, const float *p) {
    uint32_t best = s.column[0];
    for (uint32_t c = 0; c < s.candidates; c++)
        if (p[s.column[c]] > p[best]) best = s.column[c];
    for (uint32_t i = 0; i < m->x.positive_n; i++)
        if (m->positive[i] == best) return 1;
    return 0;
}

/* Weights that the walk through the lists of an instance meets. */
static uint64_t walked(const struct many *m) {
    uint64_t n = 0;
    for (uint32_t i = 0; i < m->x.feature_n; i++) n += s.lists.list[m->feature[i]].n;
    return n;
}

static void few_labels_have_scores(void **state) {
    (void)state;
    struct many m = {.dice = {91}, .labels = 1500, .words = 900, .partial = 0.1};
    uint32_t right = 0;
    start(true);
    for (int t = 0; t < 1500; t++) {
        many_next(&m);
        const float *p = prepare(&m);
        uint32_t n = 0;
        for (uint32_t l = 0; l < m.labels; l++) {
            while (n < s.candidates && s.column[n] < l) n++;
            bool is_candidate = n < s.candidates && s.column[n] == l;
            assert_true(is_candidate ? p[l] >= 0 && p[l] <= 1 : p[l] == 0);
        }
        assert_true(s.candidates <= HOMER_SPARSE_MOST);
        assert_true(s.candidates >= (t < 100 ? 0 : HOMER_SPARSE_LEAST));
        if (t >= 1000) right += hits_at_1(&m, p);
        learn(&m);
    }
    assert_true(right > 300); /* of 500 */
    assert_int_equal(s.clusters.hierarchy.labels, 1500);
    stop();
}

/* A word that every instance has, and more labels than a list may hold. */
static void lists_stay_short(void **state) {
    (void)state;
    struct many m = {.dice = {92}, .labels = 4000, .words = 3};
    uint32_t longest = 0;
    start(false);
    for (int t = 0; t < 2500; t++) {
        uint64_t entries = 0;
        many_next(&m);
        m.positive[0] = (uint32_t)t;
        m.x.positive_n = 1;
        prepare(&m);
        learn(&m);
        for (uint32_t j = 0; j < s.lists.n; j++) {
            entries += s.lists.list[j].n;
            if (s.lists.list[j].n > longest) longest = s.lists.list[j].n;
        }
        assert_int_equal(entries, s.lists.entries);
    }
    assert_true(longest > HOMER_SPARSE_LIST * 3 / 4 && longest <= HOMER_SPARSE_LIST);
    stop();
}

enum { ALL_WORDS = 900, MANY_TRUE = 600 };

/* All words, very many labels; it may be too much. */
static void learn_wide(struct many *m) {
    static uint32_t feature[ALL_WORDS], positive[MANY_TRUE];
    static float value[ALL_WORDS];
    m->x = (struct homer_instance){.feature = feature,
                                   .value = value,
                                   .feature_n = ALL_WORDS,
                                   .positive = positive,
                                   .positive_n = MANY_TRUE,
                                   .weight = 1};
    for (uint32_t i = 0; i < ALL_WORDS; i++) feature[i] = i, value[i] = 1;
    for (uint32_t i = 0; i < MANY_TRUE; i++) positive[i] = i * 2;
    assert_int_equal(homer_sparse_reserve(&s, m->words, m->labels), 0);
    homer_sparse_predict(&s, &m->x);
    if (homer_sparse_prepare(&s, &m->x, m->labels, ++seq) == 0)
        learn(m);
    else
        homer_sparse_cancel(&s);
}

/* The sum of all lists' room, which is in order. */
static uint64_t sum_of_room(void) {
    uint64_t room = 0;
    for (uint32_t j = 0; j < s.lists.n; j++) {
        const struct homer_sparse_list *l = &s.lists.list[j];
        assert_true(l->n <= l->room && l->room <= l->cap);
        room += l->room;
    }
    assert_int_equal(room, s.lists.room);
    return room;
}

/* However much came in one instance, usual ones are not refused: lists keep to half of the memory cap but for
 * their first room, and where others have taken the rest (the hierarchy of such labelsets) to what they have;
 * they go on taking what is new. */
static void lists_keep_to_their_share_of_memory(void **state) {
    (void)state;
    for (int grouped = 0; grouped < 2; grouped++) {
        struct many m = {.dice = {95}, .labels = 1500, .words = ALL_WORDS};
        uint32_t right = 0, full = 0;
        start(grouped);
        mem.max_bytes = 4 << 20;
        for (uint32_t t = 0; t < 6000; t++) {
            if (t % 2000 == 0) learn_wide(&m);
            many_next(&m);
            const float *p = prepare(&m);
            if (t >= 5000) right += hits_at_1(&m, p);
            learn(&m);
            full += s.room != HOMER_SPARSE_ROOMY;
            assert_true((sum_of_room() - 4 * ALL_WORDS) * homer_sparse_entry_bytes <= 2 << 20);
        }
        assert_true(full > 100);
        assert_true(right > 500); /* of 1,000 */
        stop();
    }
}

/* Share of the weights of an instance's words that are as free as new ones. */
static double free_share(const struct many *m) {
    uint32_t n = 0, all = 0;
    for (uint32_t i = 0; i < m->x.feature_n; i++) {
        const struct homer_sparse_list *l = &s.lists.list[m->feature[i]];
        for (uint32_t k = 0; k < l->n; k++, all++) n += l->var[k][0] >= 3;
    }
    return (double)n / all;
}

/* Words begin to mean other labels: it is seen, and what was learned gives way. */
static void drift_makes_weights_learn_anew(void **state) {
    (void)state;
    struct many m = {.dice = {93}, .labels = 60, .words = 300};
    uint32_t softened_at = 0;
    start(true);
    for (uint32_t t = 0; t < 4000 && !softened_at; t++) {
        if (t == 2500) m.shift = 7;
        many_next(&m);
        prepare(&m);
        learn(&m);
        if (t == 2499) assert_true(free_share(&m) < 0.1);
        if (s.softened) softened_at = t;
    }
    assert_true(softened_at > 2500);
    assert_int_equal(s.clusters.counted[HOMER_EVENT_GLOBAL_DRIFT], 1);
    many_next(&m);
    prepare(&m);
    learn(&m);
    assert_true(free_share(&m) > 0.6); /* the others have just moved */
    stop();
}

/* Sixteen times the labels, and words: less than four times the cost, counted in weights and labels met. */
static void cost_grows_slower_than_the_root_of_the_labels(void **state) {
    (void)state;
    double cost[2] = {0};
    for (int large = 0; large < 2; large++) {
        struct many m = {.dice = {94}, .labels = large ? 6400 : 400, .words = large ? 9600 : 600};
        start(false);
        for (int t = 0; t < 4000; t++) {
            many_next(&m);
            if (t >= 2000) cost[large] += (double)walked(&m);
            prepare(&m);
            if (t >= 2000) cost[large] += s.touched_n + s.hits;
            learn(&m);
        }
        stop();
    }
    assert_true(cost[0] > 0 && cost[1] < 4 * cost[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_those_of_dense_filters),
        cmocka_unit_test(few_labels_have_scores),
        cmocka_unit_test(lists_stay_short),
        cmocka_unit_test(lists_keep_to_their_share_of_memory),
        cmocka_unit_test(drift_makes_weights_learn_anew),
        cmocka_unit_test(cost_grows_slower_than_the_root_of_the_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
