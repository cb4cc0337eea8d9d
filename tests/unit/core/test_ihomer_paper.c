/* The paper's learner as a whole, with tests due often: partitions, late labels, partial truths, drift,
 * memory. What it shares with the other learner is tested through the model (test_model.c,
 * test_model_memory.c). */
#include <errno.h>
#include "clusters_fixture.h"
#include "core/learners/ihomer_paper.h"

struct shop {
    struct homer_mem mem;
    struct homer_paper paper;
    uint64_t seq;
};

static void shop_start(struct shop *s, uint32_t n_min, double grace) {
    struct homer_paper_config c;
    *s = (struct shop){0};
    homer_paper_config_default(&c);
    c.odac.n_min = n_min;
    c.tree.grace = grace;
    assert_int_equal(homer_paper_init(&s->paper, &s->mem, &c), 0);
}

static void shop_stop(struct shop *s) {
    homer_paper_deinit(&s->paper);
    assert_int_equal(s->mem.used_bytes, 0);
}

/* 0, or -ENOMEM with everything taken back. */
static int shop_try(struct shop *s, const struct one *in, uint32_t labels) {
    int rc = homer_paper_reserve(&s->paper, GARDEN_X, labels);
    if (!rc) (void)homer_paper_predict(&s->paper, &in->x);
    if (!rc) rc = homer_paper_prepare(&s->paper, &in->x, labels, s->seq + 1);
    if (rc)
        homer_paper_cancel(&s->paper);
    else
        (void)homer_paper_learn(&s->paper, &in->x, GARDEN_X, labels);
    s->seq += !rc;
    return rc;
}

static void shop_digest(const struct shop *s, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    homer_paper_encode(&s->paper, &c);
    homer_hasher_free(h, hex);
}

/* Every label stands in one part, in the column that the part says; parts are unions of the clustering's
 * leaves unless it has just changed. */
static void assert_partition(const struct homer_paper *p) {
    uint32_t seen = 0;
    for (uint32_t i = 0; i < p->parts; i++) {
        const struct homer_paper_part *part = &p->part[i];
        for (uint32_t k = 0; k < part->m; k++) {
            uint32_t l = part->label[k];
            assert_true(!k || l > part->label[k - 1]);
            assert_int_equal(((uint32_t *)homer_grid_row(&p->map, 0))[l], i);
            assert_int_equal(((uint32_t *)homer_grid_row(&p->map, 1))[l], k);
        }
        seen += part->m;
        for (uint32_t j = 0; j < i; j++) assert_true(p->part[j].id != part->id);
    }
    assert_int_equal(seen, p->labels);
    for (uint32_t a = 0; a < p->labels && p->clustered == p->odac.generation; a++)
        for (uint32_t b = 0; b < a; b++)
            if (p->odac.leaf_of[a] == p->odac.leaf_of[b])
                assert_int_equal(((uint32_t *)homer_grid_row(&p->map, 0))[a],
                                 ((uint32_t *)homer_grid_row(&p->map, 0))[b]);
}

static void groups_become_partitions_and_keep_their_trees(void **state) {
    (void)state;
    struct shop s;
    struct garden g;
    struct one in;
    const struct homer_mlhat *tree = NULL;
    unsigned kept = 0, made = 0;
    uint64_t generation = 0;
    garden_init(&g, 800, 4, 6, true);
    shop_start(&s, 100, 200);
    for (int t = 0; t < 1500; t++) {
        garden_next(&g, &in);
        if (s.paper.parts > 1) tree = s.paper.part[0].tree;
        assert_int_equal(shop_try(&s, &in, g.known), 0);
        assert_partition(&s.paper);
        if (s.paper.generation == generation) continue;
        generation = s.paper.generation;
        made++;
        for (uint32_t i = 0; i < s.paper.parts; i++) kept += s.paper.part[i].tree == tree;
    }
    assert_true(s.paper.parts >= 3 && made >= 2 && kept > 0);
    assert_int_equal(g.known, g.labels);
    assert_true(s.paper.counted[HOMER_EVENT_STRUCTURE] > g.labels - 3);
    shop_stop(&s);
}

/* Most labelsets have two labels: no partition has fewer, although the clustering parts a label that goes
 * alone. */
static void small_clusters_are_joined(void **state) {
    (void)state;
    struct shop s;
    struct dice d = {805};
    bool alone = false;
    shop_start(&s, 100, 200);
    for (int t = 0; t < 1500; t++) {
        uint32_t kind = dice_below(&d, 5); /* 0 1, 2 3, 4 5, 6 or 7 8 */
        struct one in = {.feature = {0}, .value = {(float)kind}};
        in.positive[0] = 2 * kind - (kind > 3);
        in.positive[1] = in.positive[0] + 1;
        in.x = (struct homer_instance){.feature = in.feature,
                                       .value = in.value,
                                       .feature_n = 1,
                                       .positive = in.positive,
                                       .positive_n = kind == 3 ? 1 : 2,
                                       .weight = 1};
        assert_int_equal(shop_try(&s, &in, 9), 0);
        for (uint32_t i = 0; i < s.paper.parts; i++) assert_true(s.paper.part[i].m >= 2);
        for (uint32_t l = 0; l < 10; l++)
            alone = alone || s.paper.odac.node[s.paper.odac.leaf_of[l]].labels == 1;
    }
    assert_true(alone && s.paper.parts > 1);
    shop_stop(&s);
}

static double wrong(struct shop *s, struct garden *g, int n) {
    double all = 0;
    for (int t = 0; t < n; t++) {
        struct one in;
        garden_next(g, &in);
        assert_int_equal(homer_paper_reserve(&s->paper, GARDEN_X, g->known), 0);
        const float *p = homer_paper_predict(&s->paper, &in.x);
        for (uint32_t l = 0; l < s->paper.labels; l++) {
            bool has = false;
            assert_true(p[l] >= 0 && p[l] <= 1);
            for (uint32_t i = 0; i < in.x.positive_n; i++) has = has || in.positive[i] == l;
            all += (p[l] > 0.5f) != has;
        }
        assert_int_equal(shop_try(s, &in, g->known), 0);
    }
    return all / n;
}

/* The loss of all rises when the labels change sides: one partition again, and the loss falls anew. */
static void a_global_drift_begins_the_clustering_anew(void **state) {
    (void)state;
    struct shop s;
    struct garden g;
    garden_init(&g, 810, 3, 5, false);
    shop_start(&s, 400, 200);
    (void)wrong(&s, &g, 1800);
    assert_true(s.paper.parts > 1);
    assert_int_equal(s.paper.counted[HOMER_EVENT_GLOBAL_DRIFT], 0);
    double before = wrong(&s, &g, 100);
    for (uint32_t l = 0; l < g.labels; l++) g.group[l] = (g.group[l] + l / 3) % 3;
    bool whole = false;
    for (int t = 0; t < 300; t++) {
        (void)wrong(&s, &g, 1);
        whole = whole || s.paper.parts == 1;
    }
    assert_true(whole && s.paper.counted[HOMER_EVENT_GLOBAL_DRIFT] > 0);
    (void)wrong(&s, &g, 1000);
    assert_true(wrong(&s, &g, 200) < before + 1);
    shop_stop(&s);
}

/* Labels 0, 1 and 2, 3 follow a feature each; then the latter a coin. The loss of their partition rises, and
 * that is told of it and not of the other. */
static void a_local_drift_is_told(void **state) {
    (void)state;
    struct shop s;
    struct one in;
    struct dice d = {815};
    shop_start(&s, 200, 200);
    for (int t = 0; t < 1200; t++) {
        uint32_t n = 0, first = dice_below(&d, 4), second = dice_below(&d, 4);
        for (uint32_t f = 0; f < 2; f++) {
            in.feature[f] = f;
            in.value[f] = (float)(f ? second : first) + 1;
        }
        if (t > 1000) second = dice_below(&d, 4);
        if (first) in.positive[n++] = 0;
        if (first > 1) in.positive[n++] = 1;
        if (second) in.positive[n++] = 2;
        if (second > 1) in.positive[n++] = 3;
        in.x = (struct homer_instance){.feature = in.feature,
                                       .value = in.value,
                                       .feature_n = 2,
                                       .positive = in.positive,
                                       .positive_n = n,
                                       .weight = 1};
        assert_int_equal(shop_try(&s, &in, 4), 0);
        if (t == 1000) assert_int_equal(s.paper.counted[HOMER_EVENT_CLUSTER_DRIFT], 0);
        if (t == 1000) assert_int_equal(s.paper.parts, 2);
    }
    const uint32_t *part = homer_grid_row(&s.paper.map, 0);
    for (uint64_t i = 0; i < s.paper.events; i++) {
        const struct homer_event *e = homer_paper_event(&s.paper, i);
        if (e->kind != HOMER_EVENT_CLUSTER_DRIFT) continue;
        assert_true(e->seq > 1000 && e->after > e->before && e->labels == 2);
    }
    assert_true(s.paper.counted[HOMER_EVENT_CLUSTER_DRIFT] > 0);
    if (s.paper.parts == 2)
        assert_true(s.paper.part[part[2]].drifts > 0 && s.paper.part[part[0]].drifts == 0);
    shop_stop(&s);
}

/* A label that is never told of is neither learned as absent nor forgotten; one told of only partially is
 * learned. */
static void partial_labellings_are_learned(void **state) {
    (void)state;
    struct shop s;
    struct one in;
    struct dice d = {820};
    const float *p = NULL;
    shop_start(&s, 1500, 200);
    s.paper.config.tree.cardinality = s.paper.config.tree.entropy = 0;
    for (int t = 0; t < 400; t++) {
        bool right = dice_chance(&d, 0.5);
        in.feature[0] = 0;
        in.value[0] = right ? 1 : -1;
        in.positive[0] = right ? 0 : 1;
        in.negative[0] = right ? 1 : 0;
        in.x = (struct homer_instance){.feature = in.feature, .value = in.value, .feature_n = 1, .weight = 1};
        in.x.positive = in.positive;
        in.x.negative = in.negative;
        in.x.positive_n = 1;
        in.x.negative_n = t % 4 == 0;
        in.x.partial = t > 3;
        assert_int_equal(shop_try(&s, &in, 2), 0);
    }
    assert_int_equal(s.paper.odac.node[0].n, 4); /* complete ones */
    in.value[0] = 1;
    p = homer_paper_predict(&s.paper, &in.x);
    assert_true(p[0] > 0.8f && p[1] < 0.5f);
    in.value[0] = -1;
    p = homer_paper_predict(&s.paper, &in.x);
    assert_true(p[0] < 0.5f && p[1] > 0.8f);
    shop_stop(&s);
}

/* Splits, new partitions, alternates: each instance is tried with each of its allocations refused. */
static void refused_memory_leaves_no_trace(void **state) {
    (void)state;
    struct shop s, undisturbed;
    struct garden g;
    unsigned refused = 0;
    char before[33], after[33];
    garden_init(&g, 830, 3, 4, true);
    shop_start(&s, 40, 30);
    shop_start(&undisturbed, 40, 30);
    for (int t = 0; t < 250; t++) {
        struct one in;
        garden_next(&g, &in);
        in.x.partial = t % 6 == 5;
        if (in.x.partial && in.x.positive_n && in.positive[0] != 0) {
            in.negative[0] = 0;
            in.x.negative_n = 1;
        }
        shop_digest(&s, before);
        for (uint64_t k = 1;; k++) {
            uint64_t failures = s.mem.failed;
            s.mem.fail_in = k;
            int rc = shop_try(&s, &in, g.known);
            s.mem.fail_in = 0;
            if (s.mem.failed == failures) {
                assert_int_equal(rc, 0);
                break;
            }
            assert_int_equal(rc, -ENOMEM);
            shop_digest(&s, after);
            assert_string_equal(before, after);
            refused++;
        }
        assert_int_equal(shop_try(&undisturbed, &in, g.known), 0);
        shop_digest(&s, before);
        shop_digest(&undisturbed, after);
        assert_string_equal(before, after);
    }
    assert_true(refused > 500 && s.paper.generation > 2);
    assert_true(s.paper.counted[HOMER_EVENT_TREE_SPLIT] > 0);
    shop_stop(&s);
    shop_stop(&undisturbed);
}

/* What is remembered shows in the digest. */
static void the_digest_covers_the_state(void **state) {
    (void)state;
    struct shop s;
    struct garden g;
    char before[33], after[33];
    garden_init(&g, 835, 3, 4, false);
    shop_start(&s, 100, 200);
    (void)wrong(&s, &g, 400);
    struct homer_paper *p = &s.paper;
    struct homer_mlhat_leaf *l = p->part[0].tree->root.leaf;
    assert_non_null(l);
    uint64_t *counts[] = {&p->generation,     &p->clustered,
                          &p->stage_next,     &p->trees,
                          &p->sizes[5],       &p->events,
                          &p->counted[0],     &p->part[1].drifts,
                          &p->odac.ids,       &p->odac.generation,
                          &p->part[1].id,     &p->odac.node[0].id,
                          &p->odac.node[0].n, &p->part[0].tree->rng.s[2]};
    double *reals[] = {&p->loss.sum, &p->part[1].loss.m2, &l->weight,        &l->tried,
                       &l->none,     &l->count[0],        &p->odac.node[0].e};
    uint32_t *words[] = {&p->odac.timer, &p->odac.leaf_of[2], &p->odac.count[1], &p->odac.pair[3],
                         &p->part[1].label[0]};
    shop_digest(&s, before);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        ++*counts[i];
        shop_digest(&s, after);
        if (strcmp(before, after) == 0) fail_msg("count %zu", i);
        --*counts[i];
    }
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        double was = *reals[i];
        *reals[i] = was + 1;
        shop_digest(&s, after);
        if (strcmp(before, after) == 0) fail_msg("real %zu", i);
        *reals[i] = was;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        ++*words[i];
        shop_digest(&s, after);
        if (strcmp(before, after) == 0) fail_msg("word %zu", i);
        --*words[i];
    }
    shop_digest(&s, after);
    assert_string_equal(before, after);
    shop_stop(&s);
}

static void a_refused_start_leaves_nothing(void **state) {
    (void)state;
    struct homer_paper_config c;
    homer_paper_config_default(&c);
    bool refused = true;
    for (uint64_t k = 1; refused; k++) {
        struct homer_mem mem = {.fail_in = k};
        struct homer_paper p;
        refused = homer_paper_init(&p, &mem, &c) == -ENOMEM;
        if (!refused) homer_paper_deinit(&p);
        assert_int_equal(mem.used_bytes, 0);
        assert_true(k < 30);
    }
}

/* Under a cap it grows less: what it has goes on being learned, and nothing passes the cap. */
static void the_cap_stops_growth_first(void **state) {
    (void)state;
    struct shop s;
    struct garden g;
    unsigned learned = 0;
    garden_init(&g, 840, 4, 6, false);
    shop_start(&s, 60, 30);
    s.mem.max_bytes = s.mem.used_bytes + 200000;
    for (int t = 0; t < 1500; t++) {
        struct one in;
        garden_next(&g, &in);
        learned += shop_try(&s, &in, g.known) == 0;
        assert_true(s.mem.used_bytes <= s.mem.max_bytes);
        assert_partition(&s.paper);
    }
    assert_true(s.mem.peak_bytes > s.mem.max_bytes / 16 * 15); /* it was short */
    if (learned < 1400) fail_msg("only %u of 1500 learned", learned);
    shop_stop(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_become_partitions_and_keep_their_trees),
        cmocka_unit_test(small_clusters_are_joined),
        cmocka_unit_test(a_global_drift_begins_the_clustering_anew),
        cmocka_unit_test(a_local_drift_is_told),
        cmocka_unit_test(partial_labellings_are_learned),
        cmocka_unit_test(refused_memory_leaves_no_trace),
        cmocka_unit_test(the_digest_covers_the_state),
        cmocka_unit_test(a_refused_start_leaves_nothing),
        cmocka_unit_test(the_cap_stops_growth_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
