/* Drift: whose it is, when it is told, what is learned anew; and the ring of events. */
#include "clusters_fixture.h"

enum { FLIPPED = 2, HALF = 4000, AFTER = 2000 };

/* The cluster that has most labels of a group. */
static const struct homer_cluster *cluster_of_group(const struct homer_clusters *c, const struct garden *g,
                                                    uint32_t group) {
    const struct homer_cluster *best = NULL;
    uint32_t most = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < c->cluster[i].m; k++) n += g->group[c->cluster[i].label[k]] == group;
        if (n > most) best = &c->cluster[i];
        if (n > most) most = n;
    }
    assert_non_null(best);
    return best;
}

struct told {
    uint32_t at[2];  /* first of the flipped cluster, first global; 0 = never */
    uint32_t others; /* of other clusters, or before */
};

/* Half way one group turns round, or every one. */
static struct told run(uint64_t seed, enum homer_drift_scope scope, bool all, struct learner *l) {
    struct homer_clusters_config config;
    struct garden g;
    struct one in;
    struct told told = {{0}, 0};
    const struct homer_clusters *c = &l->flat.clusters;
    uint64_t seen = 0, flipped = 0;
    homer_clusters_config_default(&config);
    config.scope = scope;
    garden_init(&g, seed, 4, 6, false);
    learner_start(l, &config);
    for (uint32_t t = 0; t < HALF + AFTER; t++) {
        uint32_t anew[GARDEN_Y], anew_n = 0;
        bool global = false;
        if (t == HALF) {
            flipped = cluster_of_group(c, &g, FLIPPED)->id;
            for (uint32_t k = 0; k < g.groups; k++) g.sign[k] = all || k == FLIPPED ? -1 : 1;
        }
        garden_next(&g, &in);
        uint32_t followed = 0; /* clusters whose loss may not have come back */
        for (uint32_t i = 0; i < c->n; i++) followed += c->cluster[i].recovery.left > 0;
        learner_learn(l, &in, g.known);
        for (; seen < c->events; seen++) {
            const struct homer_event *e = homer_clusters_event(c, seen);
            assert_int_equal(e->seq, t + 1);
            if (e->kind != HOMER_EVENT_CLUSTER_DRIFT && e->kind != HOMER_EVENT_GLOBAL_DRIFT) continue;
            assert_true(e->after > e->before && e->before >= 0 && e->after <= 1);
            bool is_global = e->kind == HOMER_EVENT_GLOBAL_DRIFT;
            const struct homer_cluster *k = homer_clusters_find(c, e->node);
            for (uint32_t i = 0; !is_global && i < k->m; i++) anew[anew_n++] = k->label[i];
            if (!is_global) assert_true(k->drifts > 0 && e->labels == k->m);
            assert_int_equal(homer_adwin_width(is_global ? &c->loss : &k->loss), 0); /* told of once */
            global = global || is_global;
            assert_int_equal(e->node == 0, is_global);
            if (t < HALF || (!is_global && e->node != flipped)) told.others++;
            if (t >= HALF && !told.at[is_global]) told.at[is_global] = t - HALF + 1;
            if (is_global) assert_int_equal(e->labels, g.labels);
        }
        /* what the linear experts are told to learn anew */
        if (global && (scope == HOMER_DRIFT_GLOBAL || (scope == HOMER_DRIFT_BOTH && all))) {
            assert_int_equal(c->softened_n, g.labels);
        } else if (anew_n && (scope == HOMER_DRIFT_CLUSTER || scope == HOMER_DRIFT_BOTH)) {
            if (!followed) assert_int_equal(c->softened_n, anew_n);
            if (!followed) assert_memory_equal(c->softened, anew, anew_n * sizeof *anew);
        } else if (!followed || scope == HOMER_DRIFT_OFF || scope == HOMER_DRIFT_GLOBAL) {
            assert_int_equal(c->softened_n, 0);
        }
    }
    return told;
}

/* What is watched: 4/7 of the mean log-loss of the labels that are told, at most 1; nothing where none is. */
static void the_watched_loss_is_that_of_the_whole_model(void **state) {
    (void)state;
    struct learner l;
    struct garden g;
    struct one in;
    const struct homer_clusters *c = &l.flat.clusters;
    uint32_t watched = 0;
    garden_init(&g, 6, 4, 6, false);
    learner_start(&l, NULL);
    for (int t = 0; t < 800; t++) {
        double before[GARDEN_Y];
        uint32_t width[GARDEN_Y];
        garden_next(&g, &in);
        in.x.partial = t % 3 == 0; /* only positives are told then */
        assert_int_equal(learner_prepare(&l, &in, g.known), 0);
        bool regrouped = c->staged != NULL;
        for (uint32_t i = 0; i < c->n; i++) {
            before[i] = c->cluster[i].loss.sum;
            width[i] = homer_adwin_width(&c->cluster[i].loss);
        }
        const float *p = learner_finish(&l, &in, g.known);
        for (uint32_t i = 0; i < c->n && !regrouped; i++) {
            const struct homer_cluster *k = &c->cluster[i];
            double sum = 0;
            uint32_t told = 0;
            for (uint32_t j = 0; j < k->m; j++) {
                bool y =
                    bsearch(&k->label[j], in.positive, in.x.positive_n, sizeof *in.positive, fixture_by_id);
                if (in.x.partial && !y) continue;
                sum -= log(fmax(1e-6, (double)(y ? p[k->label[j]] : 1 - p[k->label[j]])));
                told++;
            }
            if (told == 0) assert_int_equal(homer_adwin_width(&k->loss), width[i]);
            if (homer_adwin_width(&k->loss) != width[i] + 1) continue;
            assert_close(k->loss.sum - before[i], fmin(1, 4.0 / 7 * sum / told), 1e-5);
            watched++;
        }
    }
    assert_true(watched > 1000);
    learner_stop(&l);
}

/* One cluster's concept is turned round: that cluster is told of, soon, and nothing before; no other. */
static void a_drift_is_told_of_where_it_is(void **state) {
    (void)state;
    uint32_t late = 0, wrong = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct learner l;
        struct told told = run(seed, HOMER_DRIFT_BOTH, false, &l);
        print_message("seed %d: cluster after %u, global after %u, others %u\n", (int)seed, told.at[0],
                      told.at[1], told.others);
        late += !told.at[0] || told.at[0] > 400;
        wrong += told.others;
        learner_stop(&l);
    }
    assert_int_equal(late, 0);
    assert_int_equal(wrong, 0);
}

/* In any scope drifts are told of; which columns are softened depends on it, and is checked in run. */
static void the_scope_says_who_learns_anew(void **state) {
    (void)state;
    for (int scope = HOMER_DRIFT_OFF; scope <= HOMER_DRIFT_BOTH; scope++)
        for (int all = 0; all < 2; all++) {
            struct learner l;
            struct told told = run(3, (enum homer_drift_scope)scope, all, &l);
            assert_true(told.at[0] > 0);
            assert_int_equal(told.at[1] > 0, all);
            assert_int_equal(l.flat.clusters.counted[HOMER_EVENT_GLOBAL_DRIFT] > 0, all);
            learner_stop(&l);
        }
}

/* One group of two turns round, so that the mean of all labels rises too: only that group learns anew. */
static void one_drift_does_not_cost_the_others(void **state) {
    (void)state;
    uint32_t global = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct learner l;
        struct garden g;
        struct one in;
        const struct homer_clusters *c = &l.flat.clusters;
        uint32_t softened[2] = {0};
        garden_init(&g, seed, 2, 12, false);
        learner_start(&l, NULL);
        for (uint32_t t = 0; t < HALF + AFTER / 4; t++) {
            if (t == HALF) g.sign[0] = -1;
            garden_next(&g, &in);
            learner_learn(&l, &in, g.known);
            assert_true(c->softened_n <= g.labels);
            for (uint32_t i = 0; i < c->softened_n; i++) softened[g.group[c->softened[i]]]++;
        }
        global += c->counted[HOMER_EVENT_GLOBAL_DRIFT] > 0;
        assert_true(softened[0] >= 12);
        assert_int_equal(softened[1], 0);
        learner_stop(&l);
    }
    assert_true(global >= 3);
}

/* Splits without end, more than are kept. */
static void the_last_events_are_kept(void **state) {
    (void)state;
    struct homer_clusters_config config;
    struct learner l;
    struct garden g;
    struct one in;
    const struct homer_clusters *c = &l.flat.clusters;
    homer_clusters_config_default(&config);
    config.tree.grace = 5;
    config.tree.patience = 0;
    config.tree.split.range = 0; /* whatever is best is sure */
    garden_init(&g, 1, 4, 6, true);
    learner_start(&l, &config);
    while (l.seq < 30000 && c->events < 3 * HOMER_EVENTS_KEPT) {
        garden_next(&g, &in);
        uint64_t splits = c->counted[HOMER_EVENT_TREE_SPLIT];
        learner_learn(&l, &in, g.known);
        uint64_t first = c->events > HOMER_EVENTS_KEPT ? c->events - HOMER_EVENTS_KEPT : 0;
        assert_null(homer_clusters_event(c, c->events));
        if (first) assert_null(homer_clusters_event(c, first - 1));
        for (uint64_t i = c->events; i > first && splits < c->counted[HOMER_EVENT_TREE_SPLIT]; i--) {
            const struct homer_event *e = homer_clusters_event(c, i - 1);
            if (e->kind != HOMER_EVENT_TREE_SPLIT) continue;
            assert_int_equal(e->seq, l.seq);
            assert_int_equal(homer_clusters_find(c, e->node)->m, e->labels);
            splits++;
        }
        assert_int_equal(splits, c->counted[HOMER_EVENT_TREE_SPLIT]);
        for (uint64_t i = first; i + 1 < c->events && l.seq % 100 == 0; i++)
            assert_true(homer_clusters_event(c, i)->seq <= homer_clusters_event(c, i + 1)->seq);
    }
    assert_int_equal(c->events >= 3 * HOMER_EVENTS_KEPT, 1);
    learner_stop(&l);
}

/* What the hierarchy tells of is told on, once each. */
static void changes_of_the_hierarchy_are_events(void **state) {
    (void)state;
    struct learner l;
    struct garden g;
    struct one in;
    const struct homer_clusters *c = &l.flat.clusters;
    uint64_t seen = 0, structure = 0;
    garden_init(&g, 3, 6, 6, true);
    learner_start(&l, NULL);
    for (int t = 0; t < 3000; t++) {
        garden_next(&g, &in);
        learner_learn(&l, &in, g.known);
        const struct homer_hierarchy *h = &c->hierarchy;
        uint32_t told = 0;
        for (; seen < c->events; seen++) {
            const struct homer_event *e = homer_clusters_event(c, seen);
            if (e->kind != HOMER_EVENT_STRUCTURE) continue;
            const struct homer_hierarchy_event *v = &h->events[told++];
            assert_int_equal(e->seq, t + 1);
            assert_int_equal(e->node, v->node);
            assert_int_equal(e->change, v->change);
            assert_int_equal(e->labels, v->labels);
            assert_same(e->before, v->before);
            assert_same(e->after, v->after);
        }
        assert_int_equal(told, h->events_n);
        structure += told;
    }
    assert_true(structure > 30);
    learner_stop(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_watched_loss_is_that_of_the_whole_model),
        cmocka_unit_test(a_drift_is_told_of_where_it_is),
        cmocka_unit_test(one_drift_does_not_cost_the_others),
        cmocka_unit_test(the_scope_says_who_learns_anew),
        cmocka_unit_test(the_last_events_are_kept),
        cmocka_unit_test(changes_of_the_hierarchy_are_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
