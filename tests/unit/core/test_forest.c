/* Several trees of one cluster: weights by Poisson(4), features left aside, the mean; one tree is a tree. */
#include <errno.h>
#include "tree_fixture.h"
#include "core/tree/forest.h"

enum { M = 4 };

struct wood {
    struct homer_mem mem;
    struct homer_tree_config config;
    struct homer_forest *forest;
    struct homer_rng rng;
    struct view v;
};

static void wood_start(struct wood *w, uint32_t trees, uint64_t seed) {
    memset(w, 0, sizeof *w);
    homer_tree_config_default(&w->config);
    w->config.trees = trees;
    w->config.seed = seed;
    homer_rng_seed(&w->rng, seed);
    assert_int_equal(homer_forest_new(&w->forest, &w->mem, &w->config, M), 0);
    for (uint32_t l = 0; l < M; l++) w->forest->prior[l] = 0.3f;
}

static void wood_stop(struct wood *w) {
    assert_null(homer_forest_free(w->forest));
    assert_int_equal(w->mem.used_bytes, 0);
}

static void wood_predict(struct wood *w, const struct sample *s) {
    view_of(&w->v, s);
    homer_forest_predict(w->forest, &w->v.f);
}

/* How many trees split. */
static uint32_t wood_learn(struct wood *w, const struct sample *s) {
    wood_predict(w, s);
    assert_int_equal(homer_forest_prepare(w->forest, &w->v.f, &w->rng), 0);
    w->mem.fail_in = 1;
    uint32_t splits = homer_forest_learn(w->forest, &w->v.f, w->v.on, w->v.on_n);
    assert_int_equal(w->mem.fail_in, 1);
    w->mem.fail_in = 0;
    return splits;
}

static struct written wood_written(const struct wood *w) {
    struct written out = {0};
    struct homer_codec c = {.sink = collect_bytes, .ctx = &out, .bare = true};
    homer_forest_encode(w->forest, &c);
    homer_rng_encode(&w->rng, &c);
    return out;
}

/* The shares of 200,000 draws are Poisson's within five standard errors. */
static void draws_are_poisson(void **state) {
    (void)state;
    enum { N = 200000 };
    struct homer_rng rng, twin;
    double seen[16] = {0}, p = exp(-4);
    homer_rng_seed(&rng, 5);
    twin = rng;
    for (int i = 0; i < N; i++) {
        uint32_t k = homer_poisson4(&rng);
        assert_true(k < 16);
        seen[k]++;
        homer_rng_next(&twin); /* one number each */
    }
    assert_memory_equal(&rng, &twin, sizeof rng);
    for (int k = 0; k < 15; k++, p *= 4.0 / k)
        assert_true(fabs(seen[k] - N * p) < 5 * sqrt(N * p * (1 - p)) + 1);
}

static void one_tree_is_a_tree(void **state) {
    (void)state;
    struct wood w;
    struct plant p;
    struct dice d = {1};
    wood_start(&w, 0, 7);
    plant_start(&p, M);
    struct homer_rng before = w.rng;
    uint32_t splits = 0;
    for (int i = 0; i < 6000; i++) {
        struct sample s;
        concept_next(&d, &s);
        s.w = 1 + i % 3;
        bool split = plant_learn(&p, &s);
        assert_int_equal(wood_learn(&w, &s), split);
        splits += split;
        for (uint32_t e = 0; e < 3; e++)
            for (uint32_t l = 0; l < M; l++)
                assert_same(w.forest->logits[e * w.forest->stride + l], p.logits[e * p.tree->stride + l]);
    }
    assert_true(splits > 5);
    assert_memory_equal(&before, &w.rng, sizeof before);
    assert_true(same_bytes(tree_written(p.tree), tree_written(w.forest->tree[0].tree)));
    assert_int_equal(homer_forest_bytes(w.forest), homer_tree_bytes(p.tree));
    wood_stop(&w);
    plant_stop(&p);
}

/* Each is what a tree by itself becomes from the same weights and with the same mask; none is like another;
 * what they say together is the mean. */
static void several_are_trees_of_their_own(void **state) {
    (void)state;
    enum { TREES = 5 };
    struct wood w;
    struct plant p[TREES];
    struct dice d = {2};
    uint32_t passed_by = 0, splits = 0;
    wood_start(&w, TREES, 3);
    struct homer_rng rng = w.rng;
    for (int k = 0; k < TREES; k++) {
        plant_start(&p[k], M);
        p[k].tree->mask = w.forest->tree[k].tree->mask;
        for (int j = 0; j < k; j++) assert_true(p[j].tree->mask != p[k].tree->mask);
    }
    for (int i = 0; i < 3000; i++) {
        struct sample s;
        concept_next(&d, &s);
        s.w = i % 2 ? 1 : 0.5;
        splits += wood_learn(&w, &s);
        double sum[3 * TREE_STRIDE] = {0}, whole = s.w;
        for (int k = 0; k < TREES; k++) {
            plant_predict(&p[k], &s);
            for (uint32_t e = 0; e < 3 * p[k].tree->stride; e++) sum[e] += (double)p[k].logits[e];
            s.w = whole * homer_poisson4(&rng);
            passed_by += s.w == 0;
            if (s.w > 0) plant_learn(&p[k], &s);
        }
        for (uint32_t e = 0; e < 3; e++)
            for (uint32_t l = 0; l < M; l++)
                assert_close(w.forest->logits[e * w.forest->stride + l],
                             sum[e * w.forest->stride + l] / TREES, 1e-4);
    }
    assert_memory_equal(&rng, &w.rng, sizeof rng);
    assert_true(passed_by > 150 && splits > 20);
    for (int k = 0; k < TREES; k++) {
        assert_true(same_bytes(tree_written(p[k].tree), tree_written(w.forest->tree[k].tree)));
        for (int j = 0; j < k; j++)
            assert_false(same_bytes(tree_written(p[k].tree), tree_written(p[j].tree)));
    }
    for (int k = 0; k < TREES; k++) plant_stop(&p[k]);
    wood_stop(&w);
}

/* An exclusive or and the like are learned better by several than by one. */
static void several_know_more(void **state) {
    (void)state;
    double loss[2] = {0};
    for (uint64_t seed = 1; seed <= 3; seed++)
        for (int k = 0; k < 2; k++) {
            struct wood w;
            struct dice d = {seed};
            wood_start(&w, k ? 7 : 1, seed);
            for (int i = 0; i < 4000; i++) {
                struct sample s;
                concept_next(&d, &s);
                wood_learn(&w, &s);
                if (i >= 1000)
                    loss[k] += homer_tree_loss(w.forest->tree[0].tree, w.v.on, w.v.on_n, w.forest->logits);
            }
            wood_stop(&w);
        }
    assert_true(loss[1] < 0.97 * loss[0]);
}

/* Every allocation of every fifth instance refused in turn, and some instances that are prepared and not
 * learned: as if they had not come. The generator is the caller's to keep. */
static void a_refusal_leaves_no_trace(void **state) {
    (void)state;
    struct wood w, calm;
    struct dice d = {4};
    uint32_t refused = 0;
    wood_start(&w, 3, 9);
    wood_start(&calm, 3, 9);
    for (int i = 0; i < 1500; i++) {
        struct sample s;
        concept_next(&d, &s);
        for (uint64_t k = 1; i % 5 == 0; k++) {
            struct written before = wood_written(&w);
            struct homer_rng kept = w.rng;
            size_t used = w.mem.used_bytes;
            wood_predict(&w, &s);
            w.mem.fail_in = k;
            int rc = homer_forest_prepare(w.forest, &w.v.f, &w.rng);
            bool spent = w.mem.fail_in == 0;
            w.mem.fail_in = 0;
            w.rng = kept;
            assert_int_equal(rc, spent ? -ENOMEM : 0);
            if (rc == 0) homer_forest_cancel(w.forest);
            assert_true(same_bytes(before, wood_written(&w)));
            if (rc == 0) break;
            assert_true(w.mem.used_bytes >= used); /* room for observers may stay */
            refused++;
        }
        wood_learn(&w, &s);
        wood_learn(&calm, &s);
    }
    assert_true(same_bytes(wood_written(&w), wood_written(&calm)));
    assert_true(refused > 20);
    wood_stop(&w);
    wood_stop(&calm);
}

static void refused_at_birth(void **state) {
    (void)state;
    struct wood w;
    struct dice d = {6};
    wood_start(&w, 4, 1);
    for (int i = 0; i < 500; i++) {
        struct sample s;
        concept_next(&d, &s);
        wood_learn(&w, &s);
    }
    uint32_t source[M] = {3, 2, UINT32_MAX, 0};
    float share[M] = {0.1f, 0.2f, 0.3f, 0.4f};
    size_t used = w.mem.used_bytes;
    for (int clone = 0; clone < 2; clone++) {
        struct homer_forest *f = NULL;
        uint64_t k = 1;
        for (;; k++) {
            w.mem.fail_in = k;
            int rc = clone ? homer_forest_clone(&f, w.forest, source, M, share)
                           : homer_forest_new(&f, &w.mem, &w.config, M);
            if (rc == 0) break;
            assert_int_equal(rc, -ENOMEM);
            assert_int_equal(w.mem.used_bytes, used);
        }
        w.mem.fail_in = 0;
        assert_true(k > 12);
        assert_int_equal(f->n, 4);
        for (uint32_t i = 0; i < 4; i++) {
            assert_true(f->tree[i].tree->mask == w.forest->tree[i].tree->mask);
            if (clone) assert_int_equal(f->tree[i].tree->node_n, w.forest->tree[i].tree->node_n);
        }
        homer_forest_free(f);
        assert_int_equal(w.mem.used_bytes, used);
    }
    wood_stop(&w);
}

/* One leaf at a time, of the largest tree that has one, until none observes. */
static void all_can_be_deactivated(void **state) {
    (void)state;
    struct wood w;
    struct dice d = {8};
    struct sample s;
    wood_start(&w, 3, 2);
    for (int i = 0; i < 2000; i++) {
        concept_next(&d, &s);
        wood_learn(&w, &s);
    }
    uint32_t leaves = 0, given_up = 0;
    for (uint32_t i = 0; i < 3; i++) leaves += (w.forest->tree[i].tree->node_n + 1) / 2;
    for (size_t bytes = homer_forest_bytes(w.forest), now; homer_forest_deactivate(w.forest); bytes = now) {
        now = homer_forest_bytes(w.forest);
        assert_true(now < bytes);
        given_up++;
    }
    assert_int_equal(given_up, leaves);
    homer_forest_activate(w.forest);
    assert_true(homer_forest_deactivate(w.forest));
    wood_stop(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_poisson),
        cmocka_unit_test(one_tree_is_a_tree),
        cmocka_unit_test(several_are_trees_of_their_own),
        cmocka_unit_test(several_know_more),
        cmocka_unit_test(a_refusal_leaves_no_trace),
        cmocka_unit_test(refused_at_birth),
        cmocka_unit_test(all_can_be_deactivated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
