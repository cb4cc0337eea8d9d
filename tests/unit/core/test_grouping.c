/* Grouping of labels: against a plain recount of what it is defined by, on counts drawn at random. */
#include <errno.h>
#include "hierarchy_fixture.h"
#include "core/labels/grouping.h"

enum { LABELS = 60 };

static const struct homer_grouping_limits limits = {.most = 7, .apart = 0.9, .log_delta = 3};

struct set {
    struct homer_mem mem;
    struct homer_cooccur c;
    struct homer_grouping g;
    uint32_t label[LABELS];
};

static void set_start(struct set *s, uint64_t seed, uint32_t instances, double noise) {
    struct planted p;
    struct labelset y;
    *s = (struct set){0};
    homer_cooccur_init(&s->c, &s->mem, 0.999, 64, 1);
    homer_grouping_init(&s->g, &s->mem, &limits);
    assert_int_equal(homer_cooccur_reserve(&s->c, LABELS), 0);
    planted_init(&p, seed, 6, LABELS / 6);
    p.noise = noise;
    for (uint32_t t = 0; t < instances; t++) {
        planted_next(&p, &y);
        homer_cooccur_learn(&s->c, y.y, y.n, LABELS);
    }
    for (uint32_t l = 0; l < LABELS; l++) s->label[l] = l;
    assert_int_equal(homer_grouping_reserve(&s->g, LABELS, s->c.pairs), 0);
    homer_grouping_load(&s->g, &s->c, s->label, LABELS);
}

static void set_stop(struct set *s) {
    homer_grouping_deinit(&s->g);
    homer_cooccur_deinit(&s->c);
    assert_int_equal(s->mem.used_bytes, 0);
}

/* Share of pair events that groups separate, and quality, from pair counts alone. */
static struct homer_grouping_rating recount(const struct set *s) {
    const struct homer_grouping *g = &s->g;
    double all = 0, apart = 0, v[LABELS] = {0}, chance = 0;
    for (uint32_t i = 0; i < g->m; i++)
        for (uint32_t j = 0; j < g->m; j++) {
            if (i == j) continue;
            double both = homer_cooccur_pair(&s->c, g->label[i], g->label[j]);
            all += both;
            v[g->group[i]] += both;
            if (g->group[i] != g->group[j]) apart += both;
        }
    if (all <= 0) return (struct homer_grouping_rating){0};
    for (uint32_t k = 0; k < LABELS; k++) chance += v[k] / all * (v[k] / all);
    return (struct homer_grouping_rating){all / 2, apart / all, 1 - apart / all - limits.apart * chance};
}

static void assert_numbered(const struct homer_grouping *g) {
    uint32_t next = 0, size[LABELS] = {0};
    for (uint32_t r = 0; r < g->m; r++) {
        assert_true(g->group[r] <= next);
        next += g->group[r] == next;
        assert_true(++size[g->group[r]] <= limits.most);
    }
    assert_int_equal(next, g->groups);
}

static void ratings_are_what_they_say(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct set s;
        struct homer_grouping_rating r;
        struct dice d = {seed};
        set_start(&s, seed, 300, 1);
        for (uint32_t k = 0; k < LABELS; k++) s.g.group[k] = dice_below(&d, 9);
        homer_grouping_number(&s.g);
        homer_grouping_rate(&s.g, &r);
        struct homer_grouping_rating expected = recount(&s);
        assert_close(r.pairs, expected.pairs, 1e-9);
        assert_close(r.apart, expected.apart, 1e-9);
        assert_close(r.quality, expected.quality, 1e-9);
        set_stop(&s);
    }
}

/* No single move to a group with room raises the quality once find is done; what it found beats chance. */
static void no_single_move_is_better(void **state) {
    (void)state;
    uint32_t optimal = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct set s;
        struct homer_grouping_rating found, moved;
        set_start(&s, seed, 400, 1.5);
        homer_grouping_find(&s.g);
        assert_numbered(&s.g);
        homer_grouping_rate(&s.g, &found);
        assert_true(found.quality > 0.1);
        uint32_t size[LABELS] = {0}, kept[LABELS], groups = s.g.groups;
        for (uint32_t r = 0; r < LABELS; r++) size[kept[r] = s.g.group[r]]++;
        double best = found.quality;
        for (uint32_t r = 0; r < LABELS; r++)
            for (uint32_t k = 0; k < groups; k++) {
                if (k == kept[r] || size[k] >= limits.most || size[kept[r]] == 1) continue;
                memcpy(s.g.group, kept, sizeof kept);
                s.g.group[r] = k;
                s.g.groups = groups;
                homer_grouping_rate(&s.g, &moved);
                if (moved.quality > best + 1e-8) best = moved.quality;
            }
        optimal += best <= found.quality;
        set_stop(&s);
    }
    assert_true(optimal >= 17); /* the passes are limited */
}

static uint32_t depth_of(const struct homer_grouping *g, uint32_t node, uint8_t *seen) {
    assert_false(seen[node]);
    seen[node] = 1;
    if (node < g->groups) return 0;
    uint32_t a = depth_of(g, g->joint[node - g->groups].left, seen),
             b = depth_of(g, g->joint[node - g->groups].right, seen);
    return 1 + (a > b ? a : b);
}

/* A tree over all groups, none twice, of limited depth, whatever the counts: even where all labels but one
 * are linked to that one only, of which linkage makes a chain. */
static void joins_make_a_shallow_tree(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct set s;
        struct dice d = {seed};
        set_start(&s, seed, seed % 3 ? 200 : 0, 2);
        for (uint32_t t = 1; seed % 3 == 0 && t < LABELS; t++)
            for (uint32_t k = 0; k < t; k++) homer_cooccur_learn(&s.c, (uint32_t[]){0, t}, 2, LABELS);
        assert_int_equal(homer_grouping_reserve(&s.g, LABELS, s.c.pairs), 0);
        homer_grouping_load(&s.g, &s.c, s.label, LABELS);
        uint32_t groups = seed % 3 ? 1 + dice_below(&d, LABELS) : LABELS, depth = 2;
        for (uint32_t k = 0; k < LABELS; k++) s.g.group[k] = groups == LABELS ? k : dice_below(&d, groups);
        homer_grouping_number(&s.g);
        while (1u << (depth - 2) < s.g.groups) depth++;
        homer_grouping_join(&s.g);
        uint8_t seen[2 * LABELS] = {0};
        assert_true(depth_of(&s.g, s.g.groups > 1 ? 2 * s.g.groups - 2 : 0, seen) <= depth);
        for (uint32_t k = 0; k < 2 * s.g.groups - 1; k++) assert_true(seen[k]);
        set_stop(&s);
    }
}

/* Labels that never met fill up groups; those that are frequent enough for that to mean something do not. */
static void strangers_join_until_it_is_evidence(void **state) {
    (void)state;
    struct set s;
    set_start(&s, 1, 0, 0);
    homer_grouping_find(&s.g);
    assert_numbered(&s.g);
    assert_int_equal(s.g.groups, (LABELS + limits.most - 1) / limits.most);
    /* Two pairs of labels, n times each: x = .9 (2n)^2 / 4n, and 3 is too much: n = 3.33. */
    for (uint32_t n = 1; n <= 20; n++) {
        homer_cooccur_learn(&s.c, (uint32_t[]){0, 1}, 2, LABELS);
        homer_cooccur_learn(&s.c, (uint32_t[]){2, 3}, 2, LABELS);
        assert_int_equal(homer_grouping_reserve(&s.g, LABELS, s.c.pairs), 0);
        homer_grouping_load(&s.g, &s.c, s.label, 4);
        homer_grouping_find(&s.g);
        assert_int_equal(s.g.group[s.g.rank[0]], s.g.group[s.g.rank[1]]);
        assert_int_equal(s.g.groups, n < 4 ? 1 : 2);
    }
    set_stop(&s);
}

static void refused_growth_changes_nothing(void **state) {
    (void)state;
    struct set s;
    set_start(&s, 1, 100, 1);
    size_t used = s.mem.used_bytes;
    int rc = -ENOMEM, refused = 0;
    for (uint64_t k = 1; rc; k++) {
        s.mem.fail_in = k;
        rc = homer_grouping_reserve(&s.g, 500, 0);
        if (rc == 0) break;
        refused++;
        assert_int_equal(rc, -ENOMEM);
        assert_int_equal(s.mem.used_bytes, used);
    }
    s.mem.fail_in = 0;
    assert_true(refused > 15);
    homer_grouping_load(&s.g, &s.c, s.label, LABELS);
    homer_grouping_find(&s.g);
    assert_numbered(&s.g);
    set_stop(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratings_are_what_they_say),
        cmocka_unit_test(no_single_move_is_better),
        cmocka_unit_test(joins_make_a_shallow_tree),
        cmocka_unit_test(strangers_join_until_it_is_evidence),
        cmocka_unit_test(refused_growth_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
