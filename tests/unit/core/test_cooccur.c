/* Faded co-occurrence counts against a naive recount; what a full list of neighbours keeps; the generator. */
#include <errno.h>
#include "core_fixture.h"
#include "core/labels/cooccur.h"

enum { LABELS = 40 };

/* The published vectors of SplitMix64 (seed 1234567) and xoshiro256** (state 1, 2, 3, 4). */
static void generator_is_the_published_one(void **state) {
    (void)state;
    struct homer_rng r;
    homer_rng_seed(&r, 1234567);
    const uint64_t filled[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                               4593380528125082431u};
    assert_memory_equal(r.s, filled, sizeof filled);
    r = (struct homer_rng){{1, 2, 3, 4}};
    const uint64_t next[] = {11520u, 0u, 1509978240u, 1215971899390074240u, 1216172134540287360u};
    for (size_t i = 0; i < 5; i++) assert_int_equal(homer_rng_next(&r), next[i]);
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double u = homer_rng_unit(&r);
        assert_true(u >= 0 && u < 1);
        sum += u;
    }
    assert_close(sum / 100000, 0.5, 0.005);
}

static uint32_t draw(struct dice *d, uint32_t labels, uint32_t *y) {
    uint32_t n = 0;
    for (uint32_t l = 0; l < labels; l++)
        if (dice_chance(d, 0.02 + 0.3 / (1 + l))) y[n++] = l;
    return n;
}

/* lambda = .99 passes the rescaling of weights many times; labels come by and by. */
static void agrees_with_a_recount(void **state) {
    (void)state;
    const double lambdas[] = {0.9998, 0.99};
    for (int v = 0; v < 2; v++) {
        struct homer_mem mem = {0};
        struct homer_cooccur c;
        struct dice d = {5};
        static double n[LABELS], both[LABELS][LABELS];
        memset(n, 0, sizeof n);
        memset(both, 0, sizeof both);
        homer_cooccur_init(&c, &mem, lambdas[v], 64, 1);
        double scale = 1;
        for (uint32_t t = 0; t < 4000; t++) {
            uint32_t y[LABELS], labels = 1 + t / 50 < LABELS ? 1 + t / 50 : LABELS,
                                many = draw(&d, labels, y);
            assert_int_equal(homer_cooccur_reserve(&c, labels), 0);
            scale *= homer_cooccur_learn(&c, y, many, labels);
            for (int i = 0; i < LABELS; i++) {
                n[i] *= lambdas[v];
                for (int j = 0; j < LABELS; j++) both[i][j] *= lambdas[v];
            }
            for (uint32_t a = 0; a < many; a++) {
                n[y[a]]++;
                for (uint32_t b = 0; b < many; b++)
                    if (a != b) both[y[a]][y[b]]++;
            }
            if (t % 97) continue;
            for (uint32_t i = 0; i < labels; i++) {
                assert_close(homer_cooccur_label(&c, i), n[i], 1e-9);
                for (uint32_t j = 0; j < labels; j++) {
                    if (i == j) continue;
                    assert_close(homer_cooccur_pair(&c, i, j), both[i][j], 1e-9);
                    assert_close(homer_cooccur_jaccard(&c, i, j), both[i][j] / (n[i] + n[j] - both[i][j] + 2),
                                 1e-9);
                    assert_same(homer_cooccur_jaccard(&c, i, j), homer_cooccur_jaccard(&c, j, i));
                }
            }
        }
        assert_true(v == 0 ? scale == 1 : scale < 1e-10);
        homer_cooccur_deinit(&c);
        assert_int_equal(mem.used_bytes, 0);
    }
}

/* 200 labels pass by label 0; the eight frequent ones are among the eight it may keep, the memory stays what
 * it was. */
static void full_lists_keep_the_frequent(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_cooccur c;
    struct dice d = {7};
    homer_cooccur_init(&c, &mem, 0.9998, 8, 1);
    assert_int_equal(homer_cooccur_reserve(&c, 201), 0);
    size_t used = mem.used_bytes;
    for (int t = 0; t < 6000; t++) {
        uint32_t label = dice_chance(&d, 0.7) ? 1 + dice_below(&d, 6) : 7 + dice_below(&d, 194);
        homer_cooccur_learn(&c, (uint32_t[]){0, label}, 2, 201);
    }
    assert_int_equal(mem.used_bytes, used);
    assert_int_equal(c.used[0], 8);
    for (uint32_t l = 1; l <= 6; l++) assert_true(homer_cooccur_find(&c, 0, l) < 8);
    for (uint32_t l = 7; l <= 200; l++) {
        /* Inherited counts never pass for more than the label itself. */
        assert_true(homer_cooccur_pair(&c, 0, l) <= homer_cooccur_label(&c, l) + 1e-12);
        assert_true(homer_cooccur_pair(&c, l, 0) > 0); /* the other copy still knows */
        assert_same(homer_cooccur_pair(&c, 0, l), homer_cooccur_pair(&c, l, 0));
    }
    uint64_t stored = 0;
    for (uint32_t l = 0; l <= 200; l++) {
        stored += c.used[l];
        if (c.used[l] < c.k) continue;
        for (uint32_t k = 0; k < c.k; k++) assert_true(c.count[l * c.k + c.least[l]] <= c.count[l * c.k + k]);
    }
    assert_int_equal(c.pairs, stored);
    homer_cooccur_deinit(&c);
}

static void forgetting_scales_both_copies(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_cooccur c;
    homer_cooccur_init(&c, &mem, 0.999, 64, 1);
    assert_int_equal(homer_cooccur_reserve(&c, 4), 0);
    for (int t = 0; t < 50; t++) homer_cooccur_learn(&c, (uint32_t[]){0, 1, 2, 3}, 4, 4);
    double n = homer_cooccur_label(&c, 0), pair = homer_cooccur_pair(&c, 0, 1); /* as many as instances */
    const uint32_t rank[] = {0, 1, UINT32_MAX, UINT32_MAX};
    homer_cooccur_forget(&c, (uint32_t[]){0, 1}, 2, rank, n * 0.1);
    assert_close(homer_cooccur_label(&c, 0), n * 0.1, 1e-12);
    assert_close(homer_cooccur_label(&c, 2), n, 1e-12);
    assert_close(homer_cooccur_pair(&c, 0, 1), pair * 0.1, 1e-12); /* within */
    assert_close(homer_cooccur_pair(&c, 2, 1), pair * 0.1, 1e-12); /* across */
    assert_close(homer_cooccur_pair(&c, 2, 3), pair, 1e-12);       /* outside */
    /* what has shrunk so far already stays, alone, with others and across */
    const uint32_t wider[] = {0, 1, 2, UINT32_MAX};
    homer_cooccur_forget(&c, (uint32_t[]){0, 1, 2}, 3, wider, n * 0.2);
    assert_close(homer_cooccur_label(&c, 0), n * 0.1, 1e-12);
    assert_close(homer_cooccur_label(&c, 2), n * 0.2, 1e-12);
    assert_close(homer_cooccur_pair(&c, 0, 1), pair * 0.1, 1e-12);
    assert_close(homer_cooccur_pair(&c, 2, 1), pair * 0.1, 1e-12);
    assert_close(homer_cooccur_pair(&c, 2, 3), pair * 0.2, 1e-12);
    homer_cooccur_deinit(&c);
}

static void refused_growth_changes_nothing(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_cooccur c;
    homer_cooccur_init(&c, &mem, 0.999, 64, 1);
    assert_int_equal(homer_cooccur_reserve(&c, 3), 0);
    homer_cooccur_learn(&c, (uint32_t[]){0, 2}, 2, 3);
    size_t used = mem.used_bytes;
    int rc = -ENOMEM, refused = 0;
    for (uint64_t k = 1; rc; k++) {
        mem.fail_in = k;
        rc = homer_cooccur_reserve(&c, 100);
        if (rc == 0) break;
        refused++;
        assert_int_equal(rc, -ENOMEM);
        assert_int_equal(mem.used_bytes, used);
        assert_close(homer_cooccur_pair(&c, 0, 2), 1, 1e-12);
    }
    mem.fail_in = 0;
    assert_int_equal(refused, 6);
    assert_close(homer_cooccur_pair(&c, 2, 0), 1, 1e-12);
    assert_same(homer_cooccur_label(&c, 1), 0);
    homer_cooccur_deinit(&c);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generator_is_the_published_one), cmocka_unit_test(agrees_with_a_recount),
        cmocka_unit_test(full_lists_keep_the_frequent),   cmocka_unit_test(forgetting_scales_both_copies),
        cmocka_unit_test(refused_growth_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
