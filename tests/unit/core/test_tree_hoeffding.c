/* A tree over a stream: what it learns, when and how it splits, its books; copies of it. */
#include "tree_fixture.h"

enum { CONCEPTS = 4 };

/* Share of right answers about a label among instances not learned, by one of the three predictions. */
static double accuracy(struct plant *p, uint32_t label, uint32_t by) {
    struct dice d = {999};
    struct sample s;
    int right = 0;
    for (int i = 0; i < 1000; i++) {
        concept_next(&d, &s);
        plant_predict(p, &s);
        right += (p->logits[by * p->tree->stride + label] > 0) == s.y[label];
    }
    return right / 1000.0;
}

enum { COUNTS = 0, BAYES, BETTER };

static void learns_what_a_line_cannot_tell(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct plant p;
        struct sample s;
        struct dice d = {seed};
        plant_start(&p, CONCEPTS);
        for (int i = 0; i < 10000; i++) {
            concept_next(&d, &s);
            plant_learn(&p, &s);
        }
        for (uint32_t by = COUNTS; by <= BETTER; by += 2) {
            assert_true(accuracy(&p, 0, by) > 0.93);
            assert_true(accuracy(&p, 1, by) > 0.88);
            assert_true(accuracy(&p, 2, by) > 0.93);
            assert_true(accuracy(&p, 3, by) > 0.6);
        }
        assert_true(p.tree->node_n > 10);
        plant_stop(&p);
    }
}

static bool on_path_to(const struct homer_tree *t, uint32_t node, uint32_t leaf) {
    const struct homer_tree_node *n = &t->node[node];
    return node == leaf ||
           (!n->stats && (on_path_to(t, n->child[0], leaf) || on_path_to(t, n->child[1], leaf)));
}

/* Of every node: children know their depth, an inner node has no counts, a leaf no children. */
static void assert_tree(const struct homer_tree *t) {
    uint32_t leaves = 0;
    for (uint32_t i = 0; i < t->node_n; i++) {
        const struct homer_tree_node *n = &t->node[i];
        assert_null(n->staged[0]);
        assert_null(n->staged[1]);
        assert_false(n->due);
        assert_true(n->depth <= t->config->max_depth);
        assert_true(on_path_to(t, 0, i));
        leaves += n->stats != NULL;
        if (n->stats) continue;
        for (int k = 0; k < 2; k++) {
            assert_true(n->child[k] > i && n->child[k] < t->node_n);
            assert_int_equal(t->node[n->child[k]].depth, n->depth + 1);
        }
    }
    assert_int_equal(2 * leaves - 1, t->node_n);
}

/* Every split closes a leaf and opens two with the weight to start with; all other weight is what was
 * learned. A leaf is tried a grace period after it was opened, not before. */
static void weights_add_up(void **state) {
    (void)state;
    struct plant p;
    struct sample s;
    struct dice d = {4};
    double expected = 0;
    uint32_t splits = 0, in_vain = 0;
    plant_start(&p, CONCEPTS);
    p.config.grace = 150;
    p.tree->node[0].next = 150;
    for (int i = 0; i < 8000; i++) {
        concept_next(&d, &s);
        s.w = 0.25 * (1 + dice_below(&d, 8));
        plant_predict(&p, &s);
        const struct homer_stats *leaf = p.tree->node[p.leaf].stats;
        double before = leaf->n, next = p.tree->node[p.leaf].next;
        uint32_t at = p.leaf, nodes = p.tree->node_n;
        float share = leaf->c[0] / (float)leaf->n;
        expected += s.w;
        if (plant_learn(&p, &s)) {
            const struct homer_tree_node *n = &p.tree->node[at];
            assert_true(before + s.w >= next && before >= 149);
            assert_int_equal(p.tree->node_n, nodes + 2);
            assert_int_equal(n->child[0], nodes);
            float shares[2];
            for (int k = 0; k < 2; k++) {
                const struct homer_tree_node *child = &p.tree->node[n->child[k]];
                double own = child->stats->n - (homer_tree_leaf(p.tree, &p.v.f) == n->child[k] ? s.w : 0);
                assert_true(own >= 5 && own <= 20);
                assert_same(child->next >= own + 150, 1);
                shares[k] = child->stats->prior[0];
                expected += own;
            }
            expected -= before;
            assert_true(fminf(shares[0], shares[1]) <= share + 0.02f &&
                        fmaxf(shares[0], shares[1]) >= share - 0.02f);
            splits++;
        } else {
            assert_int_equal(p.tree->node_n, nodes);
            bool tried = before + s.w >= next; /* in vain: then not for a while */
            assert_true(p.tree->node[at].next >= (tried ? before + s.w + 150 : next));
            in_vain += tried;
        }
        assert_close(plant_weight(&p), expected, 1e-9);
        if (i % 500 == 0) assert_tree(p.tree);
    }
    assert_true(splits > 5 && in_vain > 5);
    plant_stop(&p);
}

/* A side that had less weight than children begin with begins with that. */
static void a_light_side_begins_light(void **state) {
    (void)state;
    struct plant p;
    struct sample s;
    plant_start(&p, 1);
    for (int i = 0; p.tree->node_n == 1; i++) {
        assert_true(i < 1000);
        s = (struct sample){.w = 1, .y = {i % 12 == 0}};
        if (s.y[0]) sample_set(&s, 0, 1);
        plant_learn(&p, &s);
    }
    const struct homer_tree_node *root = &p.tree->node[0];
    const struct homer_stats *light = p.tree->node[root->child[1]].stats;
    assert_true(light->n >= 8 && light->n < 10);
    assert_close(light->c[0], light->n, 1e-5);
    assert_close(p.tree->node[root->child[0]].stats->n, 21, 1e-5); /* and the instance that split it */
    plant_stop(&p);
}

static void depth_is_bounded(void **state) {
    (void)state;
    for (uint32_t depth = 0; depth <= 3; depth++) {
        struct plant p;
        struct sample s;
        struct dice d = {5};
        plant_start(&p, CONCEPTS);
        p.config.max_depth = depth;
        for (int i = 0; i < 6000; i++) {
            concept_next(&d, &s);
            plant_learn(&p, &s);
        }
        assert_tree(p.tree);
        assert_true(p.tree->node_n <= (2u << depth) - 1);
        assert_true(p.tree->node_n >= 2 * depth + 1);
        plant_stop(&p);
    }
}

/* A null goes where more instances went; an absent number is a zero, an absent sparse feature is absent. */
static void missing_values_follow_the_majority(void **state) {
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct plant p;
        struct sample s;
        struct dice d = {6};
        bool dense = kind % 2, mostly = kind / 2;
        plant_start(&p, 1);
        for (int i = 0; p.tree->node_n == 1; i++) {
            bool y = dice_chance(&d, mostly ? 0.8 : 0.2);
            assert_true(i < 1000);
            s = (struct sample){.w = 1, .is_dense = {dense}, .y = {y}};
            if (dense || y) sample_set(&s, 0, dense ? dice_normal(&d) + (y ? 9 : 3) : 1);
            plant_learn(&p, &s);
        }
        const struct homer_tree_node *root = &p.tree->node[0];
        assert_int_equal(root->presence, !dense);
        assert_int_equal(root->heavier, mostly);
        s.state[0] = HOMER_NULL;
        plant_predict(&p, &s);
        assert_int_equal(p.leaf, root->child[mostly]);
        s.state[0] = HOMER_ABSENT;
        plant_predict(&p, &s);
        assert_int_equal(p.leaf, root->child[0]);
        p.v.f.absent_missing = true;
        assert_int_equal(homer_tree_leaf(p.tree, &p.v.f), root->child[dense && mostly]);
        sample_set(&s, 0, dense ? 12 : -3);
        plant_predict(&p, &s);
        assert_int_equal(p.leaf, root->child[1]);
        sample_set(&s, 0, 0);
        plant_predict(&p, &s);
        assert_int_equal(p.leaf, root->child[0]);
        plant_stop(&p);
    }
}

/* The prediction of counts, in double, at the root and below; of the better: that with the lower loss. */
static void counts_are_shrunk_to_what_was_expected(void **state) {
    (void)state;
    struct plant p;
    struct sample s;
    struct dice d = {7};
    plant_start(&p, CONCEPTS);
    bool by_counts = false, by_bayes = false;
    for (int i = 0; i < 3000; i++) {
        concept_next(&d, &s);
        plant_predict(&p, &s);
        const struct homer_stats *leaf = p.tree->node[p.leaf].stats;
        for (uint32_t l = 0; l < CONCEPTS; l++) {
            uint32_t stride = p.tree->stride;
            double expected = p.leaf ? 0.9 * (double)leaf->prior[l] + 0.1 * 0.3 : 0.3;
            double q = ((double)leaf->c[l] + 5 * expected) / (leaf->n + 5);
            bool bayes = leaf->loss[stride + l] < leaf->loss[l];
            assert_close(p.logits[l], log(q / (1 - q)), 1e-4);
            assert_true(fabsf(p.logits[stride + l] - p.logits[l]) <= 10.001f);
            assert_same(p.logits[2 * stride + l], p.logits[bayes * stride + l]);
            by_counts = by_counts || !bayes;
            by_bayes = by_bayes || bayes;
        }
        plant_learn(&p, &s);
    }
    assert_true(by_counts && by_bayes);
    plant_stop(&p);
}

/* A label that comes to depend on a feature only when the leaf has long been halving its counts. */
static void heavy_leaves_are_tried_on(void **state) {
    (void)state;
    struct plant p;
    struct sample s;
    struct dice d = {8};
    plant_start(&p, 2);
    for (int i = 0; i < 3000; i++) {
        bool y = dice_chance(&d, 0.5);
        s = (struct sample){.w = 10000, .y = {y, dice_chance(&d, 0.5)}};
        if (i < 1000 ? dice_chance(&d, 0.5) : y) sample_set(&s, 1, 1);
        if (i == 1000) assert_int_equal(p.tree->node_n, 1);
        p.config.max_depth = i < 1000 ? 0 : 14; /* so many at once would be believed any chance */
        plant_learn(&p, &s);
    }
    assert_true(p.tree->node_n > 1);
    plant_stop(&p);
}

static const uint32_t source[] = {3, UINT32_MAX, 1, 0};
static const float share[] = {0, 0.25f, 0, 0};

/* A copy predicts for the labels it kept as the original does once its evidence of presence is computed anew;
 * what is new gets its share everywhere. */
static void a_clone_keeps_its_columns(void **state) {
    (void)state;
    struct plant p, q;
    struct sample s;
    struct dice d = {9};
    plant_start(&p, CONCEPTS);
    for (int i = 0; i < 5000; i++) {
        concept_next(&d, &s);
        plant_learn(&p, &s);
    }
    q = p;
    struct written before = tree_written(p.tree);
    assert_int_equal(homer_tree_clone(&q.tree, p.tree, source, 4, share), 0);
    assert_true(same_bytes(before, tree_written(p.tree)));
    assert_tree(q.tree);
    assert_close(plant_weight(&q), plant_weight(&p), 0);
    for (uint32_t i = 0; i < p.tree->node_n; i++) {
        struct homer_stats *leaf = p.tree->node[i].stats;
        for (uint32_t k = 0; leaf && k < leaf->presence_n; k++) homer_stats_refresh_presence(leaf, &k, 1);
    }
    for (int i = 0; i < 500; i++) {
        concept_next(&d, &s);
        plant_predict(&p, &s);
        plant_predict(&q, &s);
        assert_int_equal(q.leaf, p.leaf);
        for (uint32_t k = 0; k < 4; k++)
            for (uint32_t row = 0; row < 3; row++) {
                float got = q.logits[row * q.tree->stride + k];
                if (source[k] != UINT32_MAX)
                    assert_same(got, p.logits[row * p.tree->stride + source[k]]);
                else
                    assert_true(fabs((double)got - log(0.25 / 0.75)) < (row ? 0.5 : 0.1));
            }
    }
    q.mem = p.mem;                   /* both trees are charged to p.mem */
    for (int i = 0; i < 2000; i++) { /* and it learns on */
        concept_next(&d, &s);
        plant_predict(&q, &s);
        assert_int_equal(plant_prepare(&q, 1), 0);
        homer_tree_learn(q.tree, q.leaf, &q.v.f, q.v.on, q.v.on_n, 1, q.logits);
    }
    assert_tree(q.tree);
    homer_tree_free(q.tree);
    plant_stop(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_what_a_line_cannot_tell),
        cmocka_unit_test(weights_add_up),
        cmocka_unit_test(a_light_side_begins_light),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(missing_values_follow_the_majority),
        cmocka_unit_test(counts_are_shrunk_to_what_was_expected),
        cmocka_unit_test(heavy_leaves_are_tried_on),
        cmocka_unit_test(a_clone_keeps_its_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
