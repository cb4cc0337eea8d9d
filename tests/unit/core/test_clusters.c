/* Clusters and their trees over long streams: they show the hierarchy of the last regrouping, trees are
 * handed on, nobody learns what is not told. */
#include "clusters_fixture.h"
#include "core/clusters_impl.h"

/* The leaves of the hierarchy, in order. */
struct leaves {
    uint64_t generation, id[GARDEN_Y];
    uint32_t n, labels, label[GARDEN_Y], leaf_n[GARDEN_Y];
};

static void look(const struct homer_hierarchy *h, struct leaves *out) {
    *out = (struct leaves){.generation = h->generation};
    for (uint32_t s = 0; s != HOMER_NO_NODE; s = homer_hierarchy_next(h, s)) {
        const struct homer_hierarchy_node *n = homer_hierarchy_node(h, s);
        if (!homer_hierarchy_is_leaf(h, s)) continue;
        out->id[out->n] = n->id;
        out->leaf_n[out->n++] = n->labels;
        for (uint32_t k = 0; k < n->labels; k++) out->label[out->labels++] = homer_hierarchy_labels(h, s)[k];
    }
}

static void assert_shows(const struct homer_clusters *c, const struct leaves *h) {
    bool seen[GARDEN_Y] = {false};
    uint32_t placed = 0;
    assert_null(c->staged);
    assert_int_equal(c->generation, h->generation);
    assert_int_equal(c->n, h->n);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct homer_cluster *k = &c->cluster[i];
        assert_int_equal(k->id, h->id[i]);
        assert_int_equal(k->m, h->leaf_n[i]);
        assert_int_equal(k->forest->tree[0].tree->m, k->m);
        assert_false(k->borrowed);
        assert_ptr_equal(homer_clusters_find(c, k->id), k);
        for (uint32_t j = 0; j < k->m; j++) {
            assert_int_equal(k->label[j], h->label[placed++]);
            assert_false(seen[k->label[j]]);
            assert_int_equal(c->of[k->label[j]], i + 1);
            seen[k->label[j]] = true;
        }
    }
    assert_int_equal(placed, h->labels);
}

/* Labels come late, habits change; after every instance the clusters partition the labels as the hierarchy
 * did when they were last made, and they are made anew in time. */
static void clusters_show_the_hierarchy(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct learner l;
        struct garden g;
        struct one in;
        struct leaves before, shown = {0};
        uint32_t swaps = 0, behind = 0;
        garden_init(&g, seed, 8, 6, true);
        learner_start(&l, NULL);
        for (int t = 0; t < 5000; t++) {
            if (t % 1500 == 1499) g.group[dice_below(&g.dice, g.labels)] = dice_below(&g.dice, g.groups);
            look(&l.flat.clusters.hierarchy, &before);
            garden_next(&g, &in);
            in.x.partial = dice_chance(&g.dice, 0.05);
            learner_learn(&l, &in, g.known);
            if (l.flat.clusters.generation != shown.generation) {
                shown = before;
                swaps++;
            }
            if (t) assert_shows(&l.flat.clusters, &shown);
            behind = shown.generation == before.generation ? 0 : behind + 1;
            assert_true(behind <= 51);
            assert_int_equal(l.flat.clusters.hierarchy.labels, g.known);
        }
        assert_int_equal(g.known, 48);
        assert_true(swaps > 15);
        assert_true(l.flat.clusters.n >= 4 && l.flat.clusters.counted[HOMER_EVENT_TREE_SPLIT] > 0);
        learner_stop(&l);
    }
}

static const struct homer_cluster *cluster_with(const struct homer_cluster *k, uint32_t n, uint32_t label,
                                                uint32_t *column) {
    for (uint32_t i = 0; i < n; i++)
        for (*column = 0; *column < k[i].m; (*column)++)
            if (k[i].label[*column] == label) return &k[i];
    return NULL;
}

static float logit_of(const struct homer_cluster *k, uint32_t row, uint32_t column) {
    return k->forest->logits[row * k->forest->stride + column];
}

static uint32_t nodes_of(const struct homer_cluster *k) {
    return k->forest->tree[0].tree->node_n;
}

static bool same_labels(const struct homer_cluster *a, const struct homer_cluster *b) {
    return a->m == b->m && memcmp(a->label, b->label, a->m * sizeof *a->label) == 0;
}

/* At a regrouping, old and new clusters are asked about the same instance. A cluster of the same id
 * is watched on. One with the same labels has the same forest; one that was copied gives its old
 * labels the same class counts to the bit, and nearly the same naive Bayes;
 * labels from elsewhere begin near their prior.
 */
static void trees_are_handed_on(void **state) {
    (void)state;
    uint32_t unchanged = 0, kept = 0, moved = 0;
    double apart = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct learner l;
        struct garden g;
        struct one in;
        const struct homer_clusters *c = &l.flat.clusters;
        garden_init(&g, seed, 6, 6, true);
        learner_start(&l, NULL);
        for (int t = 0; t < 4000; t++) {
            if (t == 2000)
                for (uint32_t k = 0; k < g.labels; k++) g.group[k] = k / 6;
            garden_next(&g, &in);
            for (uint32_t i = 0; i < c->n; i++) c->cluster[i].drifts = 10 + i; /* to be recognised */
            assert_int_equal(learner_prepare(&l, &in, g.known), 0);
            for (uint32_t i = 0; i < c->staged_n && c->n; i++) {
                const struct homer_cluster *new = &c->staged[i], *was = homer_clusters_find(c, new->id);
                const struct homer_forest *source = NULL;
                assert_int_equal(new->drifts, was ? was->drifts : 0);
                assert_int_equal(homer_adwin_width(&new->loss), was ? homer_adwin_width(&was->loss) : 0);
                for (uint32_t j = 0; j < new->m; j++) {
                    uint32_t column;
                    const struct homer_cluster *old = cluster_with(c->cluster, c->n, new->label[j], &column);
                    if (!old) continue;
                    bool same = same_labels(old, new);
                    if (same) assert_ptr_equal(new->forest, old->forest);
                    unchanged += same;
                    if (same || nodes_of(new) != nodes_of(old) || old->m <= new->m / 2) continue;
                    uint32_t shared = 0;
                    for (uint32_t k = 0; k < new->m; k++) {
                        uint32_t ignored;
                        shared += cluster_with(c->cluster, c->n, new->label[k], &ignored) == old;
                    }
                    if (2 * shared > new->m) {
                        assert_true(!source || source == old->forest);
                        source = old->forest;
                        assert_same(logit_of(new, 0, j), logit_of(old, 0, column));
                        apart += (double)fabsf(logit_of(new, 1, j) - logit_of(old, 1, column));
                        kept++;
                    } else if (source) {
                        float prior = l.flat.frame.prior_logit[new->label[j]];
                        assert_true(fabsf(logit_of(new, 0, j) - prior) < 0.3f);
                        assert_true(fabsf(logit_of(new, 1, j) - prior) < 1.5f);
                        moved++;
                    }
                }
            }
            learner_finish(&l, &in, g.known);
        }
        learner_stop(&l);
    }
    print_message("unchanged %u, kept %u (%.2f apart), moved %u\n", unchanged, kept, apart / kept, moved);
    assert_true(unchanged > 100 && kept > 50 && moved > 10 && apart < 0.5 * kept);
}

/* Tells each label with probability `share`, true or not; notes which. */
static void tell_some(struct garden *g, struct one *in, double share, bool told[GARDEN_Y]) {
    uint32_t on = 0, off = 0;
    for (uint32_t k = 0, i = 0; k < g->known; k++) {
        bool y = i < in->x.positive_n && in->positive[i] == k;
        i += y;
        told[k] = dice_chance(&g->dice, share);
        if (!told[k]) continue;
        if (y)
            in->positive[on++] = k;
        else
            in->negative[off++] = k;
    }
    in->x.partial = true;
    in->x.positive_n = on;
    in->x.negative_n = off;
}

/* An instance that tells only some labels: only the trees of clusters learn of which it tells a third. */
static void trees_learn_where_enough_is_known(void **state) {
    (void)state;
    struct learner l;
    struct garden g;
    struct one in;
    const struct homer_clusters *c = &l.flat.clusters;
    struct written before[GARDEN_Y];
    uint32_t learned = 0, left = 0;
    garden_init(&g, 4, 4, 6, false);
    learner_start(&l, NULL);
    for (int t = 0; t < 1500; t++) {
        garden_next(&g, &in);
        learner_learn(&l, &in, g.known);
    }
    assert_true(c->n >= 3);
    for (int t = 0; t < 400; t++) {
        bool told[GARDEN_Y];
        garden_next(&g, &in);
        tell_some(&g, &in, dice_unit(&g.dice), told);
        bool new_clusters = c->generation != c->hierarchy.generation;
        for (uint32_t i = 0; i < c->n; i++) before[i] = cluster_tree_written(&c->cluster[i]);
        learner_learn(&l, &in, g.known);
        for (uint32_t i = 0; i < c->n && !new_clusters; i++) {
            uint32_t known = 0;
            for (uint32_t k = 0; k < c->cluster[i].m; k++) known += told[c->cluster[i].label[k]];
            bool enough = 3 * known >= c->cluster[i].m;
            assert_int_equal(same_bytes(before[i], cluster_tree_written(&c->cluster[i])), !enough);
            learned += enough;
            left += !enough;
        }
    }
    assert_true(learned > 400 && left > 400);
    learner_stop(&l);
}

/* With half of the labels told, groups are found, and what is not told is not learned as false: the leaves
 * hold as many positives as there were. */
static void partial_labellings_teach(void **state) {
    (void)state;
    struct learner l;
    struct garden g;
    struct one in;
    const struct homer_clusters *c = &l.flat.clusters;
    double positives[GARDEN_Y] = {0}, n = 4000;
    garden_init(&g, 8, 4, 6, false);
    learner_start(&l, NULL);
    for (int t = 0; t < (int)n; t++) {
        bool told[GARDEN_Y];
        garden_next(&g, &in);
        for (uint32_t i = 0; i < in.x.positive_n; i++) positives[in.positive[i]]++;
        tell_some(&g, &in, 0.5, told);
        learner_learn(&l, &in, g.known);
    }
    assert_int_equal(c->n, 4);
    for (uint32_t k = 0; k < g.labels; k++) assert_int_equal(c->of[k] == c->of[0], g.group[k] == g.group[0]);
    assert_true(c->counted[HOMER_EVENT_TREE_SPLIT] > 0);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct homer_tree *tree = c->cluster[i].forest->tree[0].tree;
        for (uint32_t k = 0; k < c->cluster[i].m; k++) {
            double with = 0, all = 0;
            for (uint32_t j = 0; j < tree->node_n; j++) {
                if (!tree->node[j].stats) continue;
                with += (double)tree->node[j].stats->c[k];
                all += tree->node[j].stats->n;
            }
            /* a leaf that splits takes its counts with it; .35 of them if half were learned as false */
            double share = with / all / (positives[c->cluster[i].label[k]] / n);
            assert_true(share > 0.55 && share < 1.5);
        }
    }
    learner_stop(&l);
}

static struct homer_clusters_config with_trees(uint32_t trees, uint64_t seed) {
    struct homer_clusters_config config;
    homer_clusters_config_default(&config);
    config.tree.trees = trees;
    config.tree.seed = seed;
    return config;
}

/* The same history, with questions in between or not, and with instances given up after they were prepared:
 * the same bytes. One instance less: others. */
static void check_history(uint32_t trees) {
    struct learner l[3];
    struct garden g;
    struct one in;
    struct homer_clusters_config config = with_trees(trees, 1);
    garden_init(&g, 5, 6, 7, true);
    for (int k = 0; k < 3; k++) learner_start(&l[k], &config);
    for (int t = 0; t < 3000; t++) {
        if (t == 2000) g.sign[1] = -1;
        garden_next(&g, &in);
        if (t != 700) learner_learn(&l[2], &in, g.known);
        for (int k = 0; k < 2; k++) learner_learn(&l[k], &in, g.known);
        struct garden other = g;
        garden_next(&other, &in);
        homer_flat_predict(&l[1].flat, &in.x);
        if (t % 7 == 0 && learner_prepare(&l[1], &in, other.known) == 0) homer_flat_cancel(&l[1].flat);
        if (t % 500 == 0) assert_true(same_bytes(learner_written(&l[0]), learner_written(&l[1])));
    }
    assert_true(same_bytes(learner_written(&l[0]), learner_written(&l[1])));
    assert_false(same_bytes(learner_written(&l[0]), learner_written(&l[2])));
    for (int k = 0; k < 3; k++) learner_stop(&l[k]);
}

static void same_history_same_bytes(void **state) {
    (void)state;
    check_history(1);
    check_history(4);
}

/* The seed matters to several trees of a cluster, and to one it does not. */
static void seeds_matter_to_several(void **state) {
    (void)state;
    for (uint32_t trees = 0; trees < 4; trees++) {
        struct learner l[2];
        struct garden g;
        struct one in;
        struct homer_clusters_config config[2] = {with_trees(trees, 1), with_trees(trees, 2)};
        garden_init(&g, 6, 2, 5, false);
        for (int k = 0; k < 2; k++) learner_start(&l[k], &config[k]);
        for (int t = 0; t < 300; t++) {
            garden_next(&g, &in);
            for (int k = 0; k < 2; k++) learner_learn(&l[k], &in, g.known);
        }
        for (uint32_t i = 0; i < l[0].flat.clusters.n; i++)
            assert_int_equal(l[0].flat.clusters.cluster[i].forest->n, trees ? trees : 1);
        assert_int_equal(same_bytes(learner_written(&l[0]), learner_written(&l[1])), trees < 2);
        for (int k = 0; k < 2; k++) learner_stop(&l[k]);
    }
}

static void call_otherwise(const struct one *in, const uint32_t *feature, const uint32_t *label,
                           struct one *out) {
    *out = *in;
    out->x.feature = out->feature;
    out->x.value = out->value;
    out->x.positive = out->positive;
    for (uint32_t i = 0; i < in->x.feature_n; i++) out->feature[i] = feature[in->feature[i]];
    for (uint32_t i = 0; i < in->x.positive_n; i++) out->positive[i] = label[in->positive[i]];
    qsort(out->positive, in->x.positive_n, sizeof *out->positive, fixture_by_id);
}

static void shuffle(struct dice *d, uint32_t *name, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) name[i] = i;
    for (uint32_t i = n - 1; i; i--) {
        uint32_t other = dice_below(d, i + 1), kept = name[i];
        name[i] = name[other], name[other] = kept;
    }
}

/* Other ids for features and labels: the same clusters, exactly; the same number of splits in the trees,
 * exactly; predictions and losses but for rounding, since sums run in the order of ids. */
static void renaming_does_not_matter(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct learner l[2];
        struct garden g;
        struct one in, renamed;
        uint32_t feature[GARDEN_X], label[GARDEN_Y];
        double sum[2] = {0};
        garden_init(&g, seed, 4, 6, false);
        shuffle(&g.dice, feature, GARDEN_X);
        shuffle(&g.dice, label, g.labels);
        for (int k = 0; k < 2; k++) {
            learner_start(&l[k], NULL);
            l[k].flat.clusters.hierarchy.due_visits = 400; /* until when frequencies may tie */
        }
        for (int t = 0; t < 2500; t++) {
            garden_next(&g, &in);
            call_otherwise(&in, feature, label, &renamed);
            learner_learn(&l[0], &in, g.known);
            learner_learn(&l[1], &renamed, g.known);
            for (int k = 0; k < 2; k++) sum[k] += l[k].log_loss;
            assert_int_equal(l[0].flat.clusters.n, l[1].flat.clusters.n);
            assert_int_equal(l[0].flat.clusters.generation, l[1].flat.clusters.generation);
            const struct homer_hierarchy *h[2] = {&l[0].flat.clusters.hierarchy,
                                                  &l[1].flat.clusters.hierarchy};
            for (uint32_t i = 0; i < g.labels && t % 50 == 0; i++)
                for (uint32_t j = 0; j < i; j++)
                    assert_int_equal(h[0]->leaf[i] == h[0]->leaf[j],
                                     h[1]->leaf[label[i]] == h[1]->leaf[label[j]]);
        }
        assert_close(sum[0] / sum[1], 1, 1e-4);
        assert_int_equal(l[0].flat.clusters.counted[HOMER_EVENT_TREE_SPLIT],
                         l[1].flat.clusters.counted[HOMER_EVENT_TREE_SPLIT]);
        assert_true(l[0].flat.clusters.counted[HOMER_EVENT_TREE_SPLIT] > 3);
        for (int k = 0; k < 2; k++) learner_stop(&l[k]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clusters_show_the_hierarchy),       cmocka_unit_test(trees_are_handed_on),
        cmocka_unit_test(trees_learn_where_enough_is_known), cmocka_unit_test(partial_labellings_teach),
        cmocka_unit_test(same_history_same_bytes),           cmocka_unit_test(seeds_matter_to_several),
        cmocka_unit_test(renaming_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
