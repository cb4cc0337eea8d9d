/* What growing trees know of partial labellings, against counting. */
#include <errno.h>
#include "core_fixture.h"
#include "core/near/told.h"

enum { LABELS = 12, SLOTS = 60 };

static struct homer_window w;
static uint32_t ids[SLOTS][LABELS], slots[SLOTS];

/* truth[i][l]: 1, 0, or -1 where it is not told. */
static int8_t truth[SLOTS][LABELS];

static void fill(struct dice *d, double partial, double share) {
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct homer_window_slot *s = &w.slot[i];
        *s = (struct homer_window_slot){.label = ids[i], .partial = dice_chance(d, partial)};
        slots[i] = i;
        for (uint32_t l = 0; l < LABELS; l++)
            truth[i][l] = s->partial && !dice_chance(d, share) ? -1 : dice_chance(d, 0.3);
        for (uint32_t l = 0; l < LABELS; l++)
            if (truth[i][l] == 1) ids[i][s->positive_n++] = l;
        for (uint32_t l = 0; l < LABELS && s->partial; l++)
            if (truth[i][l] == 0) ids[i][s->positive_n + s->negative_n++] = l;
    }
}

static void splits_are_worth_what_is_told(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_told t;
    struct dice d = {1400};
    homer_told_init(&t, &mem);
    assert_int_equal(homer_told_reserve(&t, LABELS), 0);
    for (int round = 0; round < 200; round++) {
        fill(&d, round % 3 ? 1 : 0.5, 0.2);
        assert_true(homer_told_begin(&t, &w, slots, SLOTS, LABELS, 2) >= 2);
        assert_true(t.partial);
        double yes[2][LABELS] = {{0}}, by[2][LABELS] = {{0}}, worth = 0;
        float all[LABELS] = {0}, side[LABELS] = {0};
        uint32_t label[LABELS];
        for (uint32_t l = 0; l < LABELS; l++) label[l] = l;
        for (uint32_t i = 0; i < SLOTS / 2; i++) {
            bool beside = dice_chance(&d, 0.3);
            homer_told_enter(&t, &w.slot[i]);
            if (beside) homer_told_beside(&t, &w.slot[i]);
            for (uint32_t l = 0; l < LABELS; l++) {
                if (truth[i][l] < 0) continue;
                by[beside][l]++;
                yes[beside][l] += truth[i][l];
                all[l] += truth[i][l];
                if (beside) side[l] += truth[i][l];
            }
        }
        for (uint32_t l = 0; l < LABELS; l++) {
            for (int b = 0; b < 2; b++) worth += by[b][l] > 0 ? yes[b][l] * yes[b][l] / by[b][l] : 0;
            assert_close(homer_told_by(&t, l), by[0][l] + by[1][l], 0);
        }
        assert_close(homer_told_worth(&t, label, LABELS, all, side), worth, 1e-9);
        homer_told_forget(&t);
        for (uint32_t l = 0; l < LABELS; l++) { /* nothing is left for the next */
            assert_same(homer_told_by(&t, l), 0);
            assert_same(t.side[l], 0);
        }
        assert_int_equal(t.beside, 0);
    }
    homer_told_deinit(&t);
    assert_int_equal(mem.used_bytes, 0);
}

/* An instance that tells nothing of a label changes neither its share nor what a split is worth for it. */
static void the_untold_is_never_false(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_told t;
    struct dice d = {1410};
    homer_told_init(&t, &mem);
    assert_int_equal(homer_told_reserve(&t, LABELS), 0);
    fill(&d, 1, 0.5);
    for (uint32_t i = 0; i < SLOTS / 2; i++) w.slot[i].positive_n = w.slot[i].negative_n = 0;
    homer_told_begin(&t, &w, slots + SLOTS / 2, SLOTS / 2, LABELS, 2);
    float root[LABELS];
    memcpy(root, t.root, sizeof root);
    homer_told_begin(&t, &w, slots, SLOTS, LABELS, 2);
    assert_memory_equal(root, t.root, sizeof root);
    float all[1] = {4}, side[1] = {3};
    uint32_t label[1] = {0};
    t.complete = 10;
    t.beside = 5;
    double worth = homer_told_worth(&t, label, 1, all, side);
    t.beside = 5;
    for (uint32_t i = 0; i < SLOTS / 2; i++) {
        homer_told_enter(&t, &w.slot[i]);
        homer_told_beside(&t, &w.slot[i]);
    }
    assert_close(homer_told_worth(&t, label, 1, all, side), worth, 0);
    homer_told_deinit(&t);
    assert_int_equal(mem.used_bytes, 0);
}

static void leaves_are_as_large_as_little_is_told(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_told t;
    struct dice d = {1420};
    homer_told_init(&t, &mem);
    mem.fail_in = 1;
    assert_int_equal(homer_told_reserve(&t, 100000), -ENOMEM);
    mem.fail_in = 3;
    assert_int_equal(homer_told_reserve(&t, 100000), -ENOMEM);
    mem.fail_in = 0;
    assert_int_equal(mem.used_bytes, 0);
    assert_int_equal(homer_told_reserve(&t, 100000), 0);
    fill(&d, 0, 1);
    assert_int_equal(homer_told_begin(&t, &w, slots, SLOTS, LABELS, 2), 2);
    assert_false(t.partial);
    fill(&d, 1, 1); /* everything is told, only not said to be complete */
    assert_int_equal(homer_told_begin(&t, &w, slots, SLOTS, LABELS, 2), 2);
    assert_true(t.partial);
    for (uint32_t i = 0; i < SLOTS; i++) { /* a quarter of the labels */
        w.slot[i].positive_n = 1;
        w.slot[i].negative_n = LABELS / 4 - 1;
    }
    assert_int_equal(homer_told_begin(&t, &w, slots, SLOTS, LABELS, 2), 8);
    for (uint32_t i = 0; i < SLOTS; i++) w.slot[i].positive_n = w.slot[i].negative_n = 0;
    assert_int_equal(homer_told_begin(&t, &w, slots, SLOTS, LABELS, 2), SLOTS);
    w.slot[0].partial = false; /* one tells 10,000, of 60 10,000: 120; but no more than there are */
    assert_int_equal(homer_told_begin(&t, &w, slots, SLOTS, 10000, 2), SLOTS);
    for (uint32_t i = 0; i < SLOTS; i++) w.slot[i].partial = i < 2; /* shares have room in 3 leaves */
    assert_int_equal(homer_told_begin(&t, &w, slots, SLOTS, 10000, 2), 60 * 10000 / HOMER_UNTOLD + 1);
    homer_told_deinit(&t);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_are_worth_what_is_told),
        cmocka_unit_test(the_untold_is_never_false),
        cmocka_unit_test(leaves_are_as_large_as_little_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
