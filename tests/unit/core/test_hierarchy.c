/* The hierarchy of labels: invariants over long streams, stable ids, counts, floods of labels, refused
 * memory.
 */
#include <errno.h>
#include "hierarchy_fixture.h"

/* A stream whose labels come by and by, with habits that change: everything the hierarchy does happens. */
struct unruly {
    struct dice dice;
    struct planted habits;
    uint32_t labels;
};

static void unruly_next(struct unruly *u, uint32_t t, struct labelset *s) {
    if (t % 700 == 699) planted_permute(&u->habits);
    planted_next(&u->habits, s);
    uint32_t top = 3 + t / 8, kept = 0; /* only labels below `top` are known so far */
    for (uint32_t k = 0; k < s->n; k++)
        if (s->y[k] < top) s->y[kept++] = s->y[k];
    s->n = kept;
    for (uint32_t k = 0; k < s->n; k++)
        if (s->y[k] >= u->labels) u->labels = s->y[k] + 1;
    if (dice_chance(&u->dice, 0.01) && u->labels < u->habits.labels) u->labels++; /* known, never seen yet */
}

static void invariants_hold_after_every_change(void **state) {
    (void)state;
    uint64_t happened[HOMER_HIERARCHY_CHANGES] = {0};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct homer_mem mem;
        struct homer_hierarchy h;
        struct unruly u = {.dice = {seed}};
        struct labelset s;
        planted_init(&u.habits, seed, 15, 20);
        hierarchy_start(&h, &mem);
        assert_invariants(&h);
        uint64_t generation = 0;
        for (uint32_t t = 0; t < 6000; t++) {
            unruly_next(&u, t, &s);
            hierarchy_step(&h, &s, u.labels, t + 1);
            for (uint32_t e = 0; e < h.events_n; e++) {
                const struct homer_hierarchy_event *v = &h.events[e];
                happened[v->change]++;
                assert_int_equal(v->seq, t + 1);
                assert_true(v->node > 0 && v->node < h.next_id);
                assert_true(v->before >= 0 && v->after >= 0);
                if (v->change == HOMER_HIERARCHY_ARRIVAL)
                    assert_true(v->after > v->before);
                else
                    assert_true(v->before <= 1 && v->after <= 1);
            }
            assert_true(h.generation >= generation);
            generation = h.generation;
            if (h.events_n || t % 100 == 0) assert_invariants(&h);
        }
        assert_true(h.labels > 280);
        hierarchy_stop(&h);
    }
    for (int c = 0; c < HOMER_HIERARCHY_CHANGES; c++)
        if (happened[c] == 0)
            fail_msg("no %s in the whole stream",
                     homer_hierarchy_change_word((enum homer_hierarchy_change)c));
}

static bool told_of(const struct homer_hierarchy *h, uint64_t node) {
    for (uint32_t e = 0; e < h->events_n; e++)
        if (h->events[e].node == node) return true;
    return false;
}

/* Whoever follows the clusters by id: without a change of generation nothing moves; an id stays with all its
 * labels or with none; a label's new id is new, or that of a node that an event names. */
static void ids_are_stable(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_hierarchy h;
    struct unruly u = {.dice = {4}};
    struct labelset s;
    static uint64_t was[FIXTURE_LABELS], is[FIXTURE_LABELS];
    uint32_t known = 0, stayed = 0, left = 0;
    uint64_t generation = 0, next_id = 0;
    planted_init(&u.habits, 4, 15, 20);
    hierarchy_start(&h, &mem);
    for (uint32_t t = 0; t < 5000; t++) {
        unruly_next(&u, t, &s);
        hierarchy_step(&h, &s, u.labels, t + 1);
        bool only_arrival = h.events_n == 1 && h.events[0].change == HOMER_HIERARCHY_ARRIVAL;
        for (uint32_t l = 0; l < h.labels; l++) is[l] = h.node[h.leaf[l]].id;
        bool changed = false;
        for (uint32_t l = 0; l < known; l++) {
            changed = changed || is[l] != was[l];
            if (is[l] != was[l]) assert_true(is[l] >= next_id || told_of(&h, is[l]));
            for (uint32_t k = 0; h.generation != generation && k < l; k++) {
                if (was[k] != was[l] || is[k] == is[l]) continue;
                assert_true(is[k] != was[k] && is[l] != was[l]);
                left++;
            }
            if (h.generation == generation) continue;
            stayed += is[l] == was[l];
            bool same = true;
            for (uint32_t k = 0; k < h.labels; k++)
                same = same && (is[k] == is[l]) == (k < known && was[k] == was[l]);
            if (same) assert_int_equal(is[l], was[l]);
        }
        if (h.generation == generation || only_arrival) assert_false(changed);
        if (h.generation == generation) assert_int_equal(known, h.labels);
        generation = h.generation;
        next_id = h.next_id;
        known = h.labels;
        memcpy(was, is, sizeof was);
    }
    assert_true(stayed > 0 && left > 0);
    hierarchy_stop(&h);
}

/* Weights of instances, pairs and cut pairs at the root since it was last cut, against a recount; through
 * rescalings. */
static void nodes_count_their_pairs(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_hierarchy h;
    struct homer_hierarchy_config config;
    struct planted p;
    struct labelset s;
    double visits = 0, pairs = 0, cut = 0;
    homer_hierarchy_config_default(&config);
    config.lambda = 0.99;
    assert_int_equal(homer_hierarchy_init(&h, &mem, &config), 0);
    planted_init(&p, 12, 4, 8);
    for (uint32_t t = 0; t < 6000; t++) {
        planted_next(&p, &s);
        uint32_t left = 0, right = h.leaves > 1 ? h.node[h.node[0].child[1]].first : 0;
        for (uint32_t k = 0; k < s.n && right; k++) left += h.place[s.y[k]] < right;
        hierarchy_step(&h, &s, p.labels, t + 1);
        visits = visits * 0.99 + (s.n > 1);
        pairs = pairs * 0.99 + choose_two(s.n);
        cut = cut * 0.99 + left * (s.n - left);
        if (told_of(&h, h.node[0].id)) visits = pairs = cut = 0;
        if (t < 100) continue;
        assert_close(h.node[0].visits / h.counts.weight, visits, 1e-9);
        assert_close(h.node[0].pairs / h.counts.weight, pairs, 1e-9);
        assert_close(h.node[0].cut / h.counts.weight, cut, 1e-9);
    }
    assert_true(pairs > 10 && cut > 0);
    hierarchy_stop(&h);
}

static void same_history_same_bytes(void **state) {
    (void)state;
    struct homer_mem mem[3];
    struct homer_hierarchy h[3];
    struct unruly u = {.dice = {6}};
    struct labelset s;
    planted_init(&u.habits, 6, 15, 20);
    for (int k = 0; k < 3; k++) hierarchy_start(&h[k], &mem[k]);
    /* Room taken early must not show. */
    assert_int_equal(homer_hierarchy_reserve(&h[1], 200, 500), 0);
    for (uint32_t t = 0; t < 3000; t++) {
        unruly_next(&u, t, &s);
        for (int k = 0; k < 2; k++) hierarchy_step(&h[k], &s, u.labels, t + 1);
        if (t != 1500) hierarchy_step(&h[2], &s, u.labels, t + 1);
        if (t % 500 == 0) assert_true(same_bytes(hierarchy_written(&h[0]), hierarchy_written(&h[1])));
    }
    assert_true(same_bytes(hierarchy_written(&h[0]), hierarchy_written(&h[1])));
    assert_false(same_bytes(hierarchy_written(&h[0]), hierarchy_written(&h[2])));
    for (int k = 0; k < 3; k++) hierarchy_stop(&h[k]);
}

/* Thousands of labels at once, nothing known of them: no leaf grows beyond the bound. */
static void a_flood_of_labels_is_divided(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_hierarchy h;
    struct labelset s = {.n = 0};
    hierarchy_start(&h, &mem);
    const uint32_t known[] = {3, 200, 200, 1000, 1024};
    uint32_t most = 0;
    for (uint32_t t = 0; t < 5; t++) {
        s.n = t % 2 ? 0 : 2;
        s.y[0] = t, s.y[1] = known[t] - 1;
        hierarchy_step(&h, &s, known[t], t + 1);
        assert_invariants(&h);
        if (h.events_n > most) most = h.events_n;
    }
    assert_int_equal(most, 2); /* many leaves overflow at once: one arrival, one regrouping */
    assert_true(h.leaves >= 1024 / 32);
    hierarchy_stop(&h);
}

/* Every new label comes with label 0 and joins its leaf: one path grows, and yet the tree stays shallow. */
static void lopsided_growth_makes_no_chain(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_hierarchy h;
    uint32_t depth = 0;
    hierarchy_start(&h, &mem);
    for (uint32_t t = 1; t < 500; t++) {
        struct labelset s = {.y = {0, t}, .n = 2};
        hierarchy_step(&h, &s, t + 1, t);
        assert_invariants(&h); /* the bound on depth is among them */
    }
    for (uint32_t s = 0; s != HOMER_NO_NODE; s = homer_hierarchy_next(&h, s))
        if (h.node[s].depth > depth) depth = h.node[s].depth;
    assert_true(h.leaves >= 500 / 32);
    assert_true(depth <= 8);
    hierarchy_stop(&h);
}

static void refused_memory_changes_nothing(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_hierarchy h;
    struct homer_hierarchy_config config;
    struct planted p;
    struct labelset s;
    homer_hierarchy_config_default(&config);
    uint32_t refused = 0;
    for (uint64_t k = 1;; k++) {
        mem = (struct homer_mem){.fail_in = k};
        int rc = homer_hierarchy_init(&h, &mem, &config);
        mem.fail_in = 0;
        if (rc == 0) break;
        assert_int_equal(rc, -ENOMEM);
        assert_int_equal(mem.used_bytes, 0);
        refused++;
    }
    assert_true(refused > 20);
    homer_hierarchy_deinit(&h);
    planted_init(&p, 2, 10, 10);
    hierarchy_start(&h, &mem);
    refused = 0;
    for (uint32_t t = 0, labels = 0; t < 400; t++) {
        planted_next(&p, &s);
        if (labels < p.labels) labels = t / 4 + 1;
        uint32_t kept = 0;
        for (uint32_t k = 0; k < s.n; k++)
            if (s.y[k] < labels) s.y[kept++] = s.y[k];
        s.n = kept;
        for (uint64_t k = 1;; k++) {
            struct written before = hierarchy_written(&h);
            mem.fail_in = k;
            int rc = homer_hierarchy_reserve(&h, s.n, labels);
            mem.fail_in = 0;
            assert_true(same_bytes(before, hierarchy_written(&h)));
            if (rc == 0) break;
            assert_int_equal(rc, -ENOMEM);
            refused++;
        }
        hierarchy_step(&h, &s, labels, t + 1);
    }
    assert_true(refused > 60);
    assert_invariants(&h);
    hierarchy_stop(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invariants_hold_after_every_change),
        cmocka_unit_test(ids_are_stable),
        cmocka_unit_test(nodes_count_their_pairs),
        cmocka_unit_test(same_history_same_bytes),
        cmocka_unit_test(a_flood_of_labels_is_divided),
        cmocka_unit_test(lopsided_growth_makes_no_chain),
        cmocka_unit_test(refused_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
