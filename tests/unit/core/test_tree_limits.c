/* A leaf's counts at their limits: so heavy that they are halved, and where memory is refused. */
#include <errno.h>
#include "tree_fixture.h"

enum { INSTANCES = 400 };

static struct sample kept[INSTANCES];

/* Everything counted so often that the weight is just below 2^22. */
static void multiply(struct homer_stats *s) {
    float by = (float)((4194304.0 - 1) / s->n);
    s->n = 4194304.0 - 1;
    for (uint32_t l = 0; l < s->m; l++) s->c[l] *= by;
    for (uint32_t i = 0; i < s->gauss_n; i++) {
        s->gauss[i].n *= by;
        s->gauss[i].m2 *= by;
        for (uint32_t l = 0; l < s->m; l++) {
            homer_stats_gauss(s, i, HOMER_N1)[l] *= by;
            homer_stats_gauss(s, i, HOMER_M2_1)[l] *= by;
        }
    }
    for (uint32_t i = 0; i < s->presence_n; i++) {
        s->presence[i].t *= by;
        for (uint32_t l = 0; l < s->m; l++) homer_stats_presence(s, i, HOMER_WITH)[l] *= by;
    }
    homer_stats_refresh(s);
}

static void counts_are_halved_in_time_and_evidence_stays(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_filled(&mem, 9, 5, kept, 400);
    struct sample add = kept[7];
    struct view v;
    float before[TREE_STRIDE], after[TREE_STRIDE];
    multiply(s);
    view_of(&v, &kept[11]);
    homer_stats_bayes(s, &v.f, before);
    float c = s->c[2], n1 = homer_stats_gauss(s, 1, HOMER_N1)[2], t = s->presence[3].t,
          mean = s->gauss[1].mean;
    add.w = 2;
    stats_take(s, &add);
    assert_same(s->n, (4194304.0 + 1) / 2);
    assert_close(s->c[2], (c + 2 * add.y[2]) / 2, 1e-6);
    assert_close(homer_stats_gauss(s, 1, HOMER_N1)[2], n1 / 2, 1e-5);
    assert_close(s->presence[3].t, t / 2, 1e-5);
    assert_close(s->gauss[1].mean, mean, 1e-5);
    homer_stats_bayes(s, &v.f, after);
    for (uint32_t l = 0; l < 9; l++) assert_close(after[l], before[l], 0.01);
    stats_stop(s);
}

/* The habits change after the first halving: what naive Bayes knows must follow, however long that takes in a
 * leaf that is halved again and again. */
static void evidence_is_renewed_after_a_halving(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_stats *s = stats_filled(&mem, 2, 6, kept, 400);
    struct dice d = {9};
    multiply(s);
    for (int i = 0; i < 2000; i++) {
        struct sample x = {.w = 10000, .y = {dice_chance(&d, 0.5), dice_chance(&d, 0.5)}};
        for (uint32_t j = 0; j < 26; j++) {
            x.is_dense[j] = j < 6;
            if (j < 6) sample_set(&x, j, x.y[0] ? 0 : 3);
            if (j >= 6 && !x.y[0] && !x.y[1] && dice_chance(&d, 0.5)) sample_set(&x, j, 1);
        }
        stats_take(s, &x);
        for (uint32_t p = 0; p < s->gauss_n; p++)
            assert_true(s->gauss[p].n <= 1.3f * s->gauss[p].told && s->gauss[p].told <= 2.1f * s->gauss[p].n);
        for (uint32_t p = 0; p < s->presence_n; p++)
            assert_true(s->presence[p].next <= 1.26f * s->presence[p].t);
    }
    stats_stop(s);
}

static void a_refused_reserve_leaves_no_trace(void **state) {
    (void)state;
    struct homer_mem mem, calm;
    struct homer_stats *s = stats_start(&mem, 9), *undisturbed = stats_start(&calm, 9);
    struct drawn_from from = {.dice = {8}, .m = 9};
    unsigned refused = 0;
    for (uint32_t i = 0; i < 120; i++) {
        struct view v;
        from.dense = 2 + i / 8;
        from.sparse = i / 4;
        sample_next(&from, &kept[i]);
        view_of(&v, &kept[i]);
        for (uint64_t k = 1;; k++) {
            struct written before = stats_written(s);
            size_t bytes = homer_stats_bytes(s);
            mem.fail_in = k;
            int rc = homer_stats_reserve(s, &v.f);
            mem.fail_in = 0;
            assert_true(same_bytes(before, stats_written(s)));
            assert_int_equal(homer_stats_bytes(s), bytes);
            if (rc == 0) break;
            assert_int_equal(rc, -ENOMEM);
            refused++;
        }
        stats_take(s, &kept[i]);
        stats_take(undisturbed, &kept[i]);
    }
    assert_true(same_bytes(stats_written(s), stats_written(undisturbed)));
    assert_true(refused > 20);
    stats_stop(s);
    stats_stop(undisturbed);
}

/* Whatever the reserve could not get, adding goes on with what there is, and every feature can be looked for.
 */
static void adds_what_there_is_room_for(void **state) {
    (void)state;
    unsigned refused = 0;
    for (uint64_t k = 1; k <= 6; k++) {
        struct homer_mem mem;
        struct homer_stats *s = stats_start(&mem, 1);
        for (uint32_t i = 0; i < 60; i++) {
            struct sample x = {.w = 1, .y = {i % 2}};
            struct view v;
            for (uint32_t j = 0; j <= i && j < 30; j++) {
                x.is_dense[2 * j] = true;
                sample_set(&x, 2 * j, i);
                sample_set(&x, 2 * j + 1, 1);
            }
            view_of(&v, &x);
            mem.fail_in = i ? k : 0;
            refused += homer_stats_reserve(s, &v.f) != 0;
            mem.fail_in = 0;
            homer_stats_add(s, &v.f, v.on, v.on_n, 1);
            for (uint32_t j = 0; j < TREE_X; j++) {
                uint32_t place = homer_stats_find(s, j, j % 2 == 0);
                assert_true(place == UINT32_MAX || place < (j % 2 ? s->presence_n : s->gauss_n));
            }
            assert_true(s->gauss_n + s->presence_n < s->index_n);
        }
        assert_same(s->n, 60);
        stats_stop(s);
    }
    assert_true(refused > 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_halved_in_time_and_evidence_stays),
        cmocka_unit_test(evidence_is_renewed_after_a_halving),
        cmocka_unit_test(a_refused_reserve_leaves_no_trace),
        cmocka_unit_test(adds_what_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
