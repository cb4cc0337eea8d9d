/* The second layer's inputs against a naive version in double, given the neighbours it found. */
#include <errno.h>
#include "flat_fixture.h"
#include "core/base/num.h"
#include "core/second.h"

enum { STEPS = 250, MOST = 20 };

static const struct drawing mixed = {.partial = 0.2, .empty = 0.1, .noise = 0.5};

static double logit(double p) {
    p = p < 1e-6 ? 1e-6 : p > 0.999999 ? 0.999999 : p;
    return log(p / (1 - p));
}

static double clip4(double x) {
    return x > 4 ? 4 : x < -4 ? -4 : x;
}

static void assert_inputs(const struct homer_second *s, const struct homer_flat *f,
                          const struct homer_rules *r, const float *p) {
    const struct homer_window *w = f->neighbours.window;
    for (uint32_t l = 0; l < f->labels; l++) {
        double yes = 0, all = 0, m = 0, pi = (double)f->frame.prior[l], a = logit((double)p[l]);
        for (uint32_t i = 0; i < s->near.n; i++) {
            const struct homer_window_slot *slot = &w->slot[s->near.slot[i]];
            double weight = 1.5 / ((double)s->near.distance[i] + 0.075);
            bool known = !slot->partial;
            for (uint32_t j = 0; j < slot->positive_n + slot->negative_n; j++) {
                if (slot->label[j] != l) continue;
                if (j < slot->positive_n) yes += weight;
                known = true;
            }
            all += known ? weight : 0;
        }
        for (uint32_t i = 0; i < r->subset.candidates; i++)
            for (uint32_t j = 0; j < r->subset.candidate[i].n; j++)
                m += r->subset.candidate[i].y[j] == l ? (double)r->subset.candidate[i].p : 0;
        double e = 0.1 * all + 0.3, q = (yes + e * pi) / (all + e);
        assert_close(s->input[0][l], 1, 0);
        assert_close(s->input[1][l], a, 1e-4);
        assert_close(s->input[2][l], clip4(logit(0.8 * m + 0.2 * (double)p[l]) - a), 1e-3);
        assert_close(s->input[3][l], clip4(logit(q) - a), 1e-3);
    }
}

static void inputs_are_as_described(void **state) {
    (void)state;
    static struct homer_flat f;
    static struct homer_second s;
    struct homer_rules r;
    struct homer_mem mem = {0};
    struct homer_clusters_config clusters;
    struct dice d = {1400};
    uint32_t labels = 0;
    unsigned told = 0;
    homer_clusters_config_default(&clusters);
    assert_int_equal(homer_flat_init(&f, &mem, false, HOMER_ACCURATE, &clusters), 0);
    homer_rules_init(&r, &mem, fixture_key, true);
    homer_second_init(&s, &mem);
    assert_close(s.stack.w[1], 1, 0);
    assert_close(s.stack.w[2], 0.3, 0);
    assert_close(s.stack.w[3], 0.1, 0);
    mem.fail_in = 1;
    assert_int_equal(homer_second_reserve(&s, 4), -ENOMEM);
    mem.fail_in = 0;
    for (uint32_t t = 0; t < STEPS; t++) {
        struct drawn x;
        uint32_t known = labels;
        if (t > 3 && labels < MOST && dice_chance(&d, 0.2)) labels++;
        draw_x(&x, &d, &mixed, 12);
        draw_y(&x, &d, &mixed, known, labels);
        assert_int_equal(homer_flat_reserve(&f, 12, labels), 0);
        assert_int_equal(homer_rules_reserve(&r, &x.x, labels), 0);
        assert_int_equal(homer_second_reserve(&s, labels), 0);
        const float *p = homer_flat_predict(&f, &x.x), *p2 = homer_second_predict(&s, &f, &r, p);
        if (known) assert_inputs(&s, &f, &r, p);
        for (uint32_t i = 0; i < r.subset.candidates; i++) told += r.subset.candidate[i].f[9] > -3.9f;
        if (!known) assert_true(p2 == p && r.subset.candidates == 0);
        assert_int_equal(homer_flat_prepare(&f, &x.x, 12, labels, t + 1), 0);
        p2 = homer_second_learn(&s, &f, labels);
        for (uint32_t l = known; l < labels; l++) assert_same(p2[l], 0);
        homer_rules_learn(&r, p2, &x.x, labels);
        if (!x.x.partial) homer_flat_number_set(&f, r.sets.previous);
        homer_flat_learn(&f, &x.x, 12, labels);
        const struct homer_window *w = f.neighbours.window;
        assert_int_equal(w->slot[homer_window_slot(w, 0)].set,
                         x.x.partial ? HOMER_NO_NUMBER : r.sets.previous);
    }
    assert_int_equal(labels, MOST);
    assert_true(told > 500); /* log(.02/1.02) is what trees say of a labelset that they do not know */
    homer_second_deinit(&s);
    homer_rules_deinit(&r);
    homer_flat_deinit(&f);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_as_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
