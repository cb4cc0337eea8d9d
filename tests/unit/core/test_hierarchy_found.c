/* What the hierarchy of labels finds: planted clusters under any names, their drift, where new labels belong.
 */
#include "hierarchy_fixture.h"

static void finds_planted_clusters(void **state) {
    (void)state;
    const uint32_t shape[][2] = {{2, 8}, {3, 10}, {4, 8}, {8, 8}, {5, 14}, {16, 6}};
    for (size_t c = 0; c < sizeof shape / sizeof *shape; c++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct homer_mem mem;
            struct homer_hierarchy h;
            struct planted p;
            struct labelset s;
            planted_init(&p, seed, shape[c][0], shape[c][1]);
            hierarchy_start(&h, &mem);
            for (uint32_t t = 0; t < 3000; t++) {
                planted_next(&p, &s);
                hierarchy_step(&h, &s, p.labels, t + 1);
            }
            double index = adjusted_rand(&h, p.group);
            if (index < 1)
                fail_msg("%u groups of %u, seed %d: adjusted Rand index %g", shape[c][0], shape[c][1],
                         (int)seed, index);
            double within, between;
            homer_hierarchy_cohesion(&h, 0, &within, &between);
            assert_true(within > 3 * between);
            hierarchy_stop(&h);
        }
}

/* Renaming labels by any permutation gives the same clusters, renamed: what ties is the only thing ids
 * decide, and frequencies do not tie once there is some evidence, which the first regrouping here waits for.
 * All labels are known from the start, few enough for one leaf. */
static void renaming_does_not_matter(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct homer_mem mem[2];
        struct homer_hierarchy h[2];
        struct planted p;
        struct labelset s, renamed;
        uint32_t name[FIXTURE_LABELS];
        struct dice d = {seed + 100};
        planted_init(&p, seed, 4, 8);
        p.noise = 0.6;
        for (uint32_t l = 0; l < p.labels; l++) name[l] = l;
        for (uint32_t l = p.labels - 1; l; l--) {
            uint32_t other = dice_below(&d, l + 1), kept = name[l];
            name[l] = name[other], name[other] = kept;
        }
        for (int k = 0; k < 2; k++) {
            hierarchy_start(&h[k], &mem[k]);
            h[k].due_visits = 400;
        }
        for (uint32_t t = 0; t < 2000; t++) {
            planted_next(&p, &s);
            if (t == 1200) planted_permute(&p);
            renamed.n = s.n;
            for (uint32_t k = 0; k < s.n; k++) renamed.y[k] = name[s.y[k]];
            labelset_sort(&renamed);
            hierarchy_step(&h[0], &s, p.labels, t + 1);
            hierarchy_step(&h[1], &renamed, p.labels, t + 1);
            assert_int_equal(h[0].generation, h[1].generation);
            if (t % 50) continue;
            for (uint32_t i = 0; i < p.labels; i++)
                for (uint32_t j = 0; j < i; j++)
                    assert_int_equal(h[0].leaf[i] == h[0].leaf[j], h[1].leaf[name[i]] == h[1].leaf[name[j]]);
        }
        for (int k = 0; k < 2; k++) hierarchy_stop(&h[k]);
    }
}

/* All correlations are dealt anew half way: no drift is reported before, and the clusters follow. */
static void follows_a_drift_of_the_structure(void **state) {
    (void)state;
    enum { SEEDS = 7, HALF = 5000, NEVER = 100000 };
    uint32_t after[SEEDS], reported[SEEDS];
    for (int k = 0; k < SEEDS; k++) {
        struct homer_mem mem;
        struct homer_hierarchy h;
        struct planted p;
        struct labelset s;
        planted_init(&p, (uint64_t)k + 1, 8, 8);
        hierarchy_start(&h, &mem);
        after[k] = reported[k] = NEVER;
        for (uint32_t t = 0; t < HALF + 5000; t++) {
            if (t == HALF) {
                assert_true(adjusted_rand(&h, p.group) > 0.9);
                planted_permute(&p);
                assert_true(adjusted_rand(&h, p.group) < 0.3);
            }
            planted_next(&p, &s);
            hierarchy_step(&h, &s, p.labels, t + 1);
            for (uint32_t e = 0; e < h.events_n; e++) {
                if (h.events[e].change != HOMER_HIERARCHY_DRIFT) continue;
                assert_true(t >= HALF);
                assert_true(h.events[e].after > h.events[e].before);
                if (reported[k] == NEVER) reported[k] = t - HALF;
            }
            if (t >= HALF && after[k] == NEVER && adjusted_rand(&h, p.group) >= 0.9) after[k] = t - HALF;
        }
        print_message("seed %d: reported after %u, clusters after %u\n", k + 1, reported[k], after[k]);
        assert_true(adjusted_rand(&h, p.group) > 0.9); /* and stay */
        hierarchy_stop(&h);
    }
    qsort(after, SEEDS, sizeof *after, fixture_by_id);
    qsort(reported, SEEDS, sizeof *reported, fixture_by_id);
    assert_true(after[SEEDS - 1] <= 500); /* the slowest */
    assert_true(reported[SEEDS - 1] <= 250);
}

/* Two groups become one: nothing sets them apart any more, and they are joined. The watch on the structure,
 * which would be faster, is all but off here. */
static void joins_what_belongs_together(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_hierarchy h;
    struct homer_hierarchy_config config;
    struct planted p;
    struct labelset s;
    uint32_t joined = 0;
    homer_hierarchy_config_default(&config);
    config.lambda = 0.999;
    config.drift_delta = 1e-300;
    assert_int_equal(homer_hierarchy_init(&h, &mem, &config), 0);
    planted_init(&p, 9, 2, 6);
    for (uint32_t t = 0; t < 8000; t++) {
        if (t == 2000) {
            assert_int_equal(h.leaves, 2);
            p.groups = 1;
            memset(p.group, 0, sizeof p.group);
        }
        planted_next(&p, &s);
        hierarchy_step(&h, &s, p.labels, t + 1);
        for (uint32_t e = 0; e < h.events_n; e++) {
            const struct homer_hierarchy_event *v = &h.events[e];
            if (t < 2000 || v->change != HOMER_HIERARCHY_REGROUP || h.leaves > 1) continue;
            assert_int_equal(v->node, 1); /* the root keeps its id */
            assert_int_equal(v->labels, 12);
            assert_true(v->before > 0.2);
            assert_same(v->after, 0);
            joined++;
        }
        if (h.events_n) assert_invariants(&h);
    }
    assert_true(joined > 0);
    hierarchy_stop(&h);
}

/* Once the groups are found, nothing changes any more: same clusters, same ids, no event. */
static void is_stable_without_drift(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct homer_mem mem;
        struct homer_hierarchy h;
        struct planted p;
        struct labelset s;
        planted_init(&p, seed, 8, 8);
        hierarchy_start(&h, &mem);
        for (uint32_t t = 0; t < 20000; t++) {
            planted_next(&p, &s);
            hierarchy_step(&h, &s, p.labels, t + 1);
            if (t >= 2000) assert_int_equal(h.events_n, 0);
        }
        hierarchy_stop(&h);
    }
}

/* The order in which a stationary stream comes does not matter: forwards and backwards the same clusters. */
static void order_of_arrival_does_not_matter(void **state) {
    (void)state;
    enum { LENGTH = 3000 };
    static struct labelset stream[LENGTH];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct homer_mem mem[2];
        struct homer_hierarchy h[2];
        struct planted p;
        planted_init(&p, seed, 5, 12);
        p.noise = 0.8;
        for (uint32_t t = 0; t < LENGTH; t++) planted_next(&p, &stream[t]);
        for (int k = 0; k < 2; k++) {
            hierarchy_start(&h[k], &mem[k]);
            for (uint32_t t = 0; t < LENGTH; t++)
                hierarchy_step(&h[k], &stream[k ? LENGTH - 1 - t : t], p.labels, t + 1);
        }
        for (uint32_t i = 0; i < p.labels; i++)
            for (uint32_t j = 0; j < i; j++)
                assert_int_equal(h[0].leaf[i] == h[0].leaf[j], h[1].leaf[i] == h[1].leaf[j]);
        for (int k = 0; k < 2; k++) hierarchy_stop(&h[k]);
    }
}

/* Two groups exchange labels: the clusters follow, and most of the others keep their ids. */
static void a_local_drift_leaves_most_others_alone(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct homer_mem mem;
        struct homer_hierarchy h;
        struct planted p;
        struct labelset s;
        uint64_t was[FIXTURE_LABELS];
        uint32_t kept = 0;
        planted_init(&p, seed, 8, 8);
        hierarchy_start(&h, &mem);
        for (uint32_t t = 0; t < 8000; t++) {
            if (t == 5000) {
                for (uint32_t l = 0; l < p.labels; l++) was[l] = h.node[h.leaf[l]].id;
                for (uint32_t l = 0; l < 32; l++) /* 0 and 16 for 1 and 17 */
                    if (l % 16 < 2) p.group[l] = 1 - p.group[l];
            }
            planted_next(&p, &s);
            hierarchy_step(&h, &s, p.labels, t + 1);
        }
        assert_true(adjusted_rand(&h, p.group) > 0.95);
        for (uint32_t l = 0; l < p.labels; l++) kept += p.group[l] > 1 && h.node[h.leaf[l]].id == was[l];
        assert_true(kept >= 32); /* of 48: what is below the node that saw it is learned anew */
        hierarchy_stop(&h);
    }
}

/* Where a new label goes: to its most frequent companion, else to the smaller side. */
static void new_labels_find_a_place(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_hierarchy h;
    struct planted p;
    struct labelset s;
    planted_init(&p, 3, 2, 8);
    hierarchy_start(&h, &mem);
    for (uint32_t t = 0; t < 1000; t++) {
        planted_next(&p, &s);
        hierarchy_step(&h, &s, 16, t + 1);
    }
    assert_true(h.leaves >= 2);
    uint64_t generation = h.generation;
    s = (struct labelset){.y = {5, 16}, .n = 2};
    hierarchy_step(&h, &s, 17, 1001);
    assert_int_equal(h.leaf[16], h.leaf[5]);
    assert_true(h.generation > generation);
    assert_int_equal(h.events[0].change, HOMER_HIERARCHY_ARRIVAL);
    assert_int_equal(h.events[0].node, h.node[h.leaf[5]].id);
    /* Two that come together, with nobody else. */
    s = (struct labelset){.y = {17, 18}, .n = 2};
    hierarchy_step(&h, &s, 19, 1002);
    assert_int_equal(h.leaf[17], h.leaf[18]);
    uint32_t sides[2] = {h.node[h.node[0].child[0]].labels, h.node[h.node[0].child[1]].labels};
    s.n = 0;
    hierarchy_step(&h, &s, 20, 1003); /* known, not seen */
    uint32_t smaller = sides[1] < sides[0];
    assert_int_equal(h.node[h.node[0].child[smaller]].labels, sides[smaller] + 1);
    assert_invariants(&h);
    hierarchy_stop(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_planted_clusters),
        cmocka_unit_test(renaming_does_not_matter),
        cmocka_unit_test(follows_a_drift_of_the_structure),
        cmocka_unit_test(joins_what_belongs_together),
        cmocka_unit_test(is_stable_without_drift),
        cmocka_unit_test(order_of_arrival_does_not_matter),
        cmocka_unit_test(a_local_drift_leaves_most_others_alone),
        cmocka_unit_test(new_labels_find_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
