/* How often labelsets are empty, learned from complete and from partial labellings. */
#include "core_fixture.h"
#include "core/decide/emptiness.h"

enum { LABELS = 20 };

/* A labelset: empty with probability `empty`, else of 1 + about Poisson(more) labels. */
static void draw(struct dice *d, double empty, double more, bool y[LABELS]) {
    memset(y, 0, LABELS * sizeof *y);
    if (dice_chance(d, empty)) return;
    uint32_t first = dice_below(d, LABELS);
    for (uint32_t l = 0; l < LABELS; l++) y[l] = l == first || dice_chance(d, more / (LABELS - 1));
}

static bool is_empty(const bool y[LABELS]) {
    for (uint32_t l = 0; l < LABELS; l++)
        if (y[l]) return false;
    return true;
}

/* Learns the labels that are told, each with the given probability; share >= 1: as a complete labelling. */
static void tell(struct homer_emptiness *e, struct dice *d, const bool y[LABELS], double share) {
    uint32_t positive[LABELS], negative[LABELS];
    struct homer_instance x = {.positive = positive, .negative = negative, .partial = share < 1, .weight = 1};
    for (uint32_t l = 0; l < LABELS; l++) {
        if (share < 1 && !dice_chance(d, share)) continue;
        if (y[l])
            positive[x.positive_n++] = l;
        else if (x.partial)
            negative[x.negative_n++] = l;
    }
    homer_emptiness_learn(e, &x, LABELS);
}

static void complete_labellings_are_counted(void **state) {
    (void)state;
    struct homer_emptiness e = {0};
    struct dice d = {510};
    bool y[LABELS];
    double n = 0, empty = 0;
    for (int t = 0; t < 500; t++) {
        assert_close(homer_emptiness_probability(&e), (empty + 0.5) / (n + 1), 1e-12);
        draw(&d, 0.2, 2, y);
        empty += is_empty(y);
        n++;
        tell(&e, &d, y, 1);
    }
    assert_close(homer_emptiness_probability(&e), (empty + 0.5) / (n + 1), 1e-12);
}

static double learned(double empty, double more, double share) {
    struct homer_emptiness e = {0};
    struct dice d = {520};
    bool y[LABELS];
    for (int t = 0; t < 20000; t++) {
        draw(&d, empty, more, y);
        tell(&e, &d, y, share);
    }
    return homer_emptiness_probability(&e);
}

/* What is not told is neither false nor an empty labelset: right where much is told or labelsets are single
 * labels, else not above the truth. */
static void partial_ones_tell_the_same(void **state) {
    (void)state;
    static const double share[] = {0.95, 0.5, 0.2, 0.05}, empty[] = {0, 0.1, 0.5, 0.9};
    for (int s = 0; s < 4; s++)
        for (int p = 0; p < 4; p++) {
            double within = share[s] < 0.3 ? 0.07 : 0.03;
            assert_close(learned(empty[p], 0, share[s]), empty[p], within);
            for (int more = 1; more <= 3; more++) {
                double got = learned(empty[p], more, share[s]);
                assert_true(got < empty[p] + 0.03);
                if (share[s] > 0.9) assert_close(got, empty[p], 0.03);
                if (empty[p] > 0.4 && share[s] > 0.1) assert_true(got > 0.02);
            }
        }
}

static void both_kinds_add_up(void **state) {
    (void)state;
    struct homer_emptiness e = {0};
    struct dice d = {530};
    bool y[LABELS];
    for (int t = 0; t < 20000; t++) {
        draw(&d, 0.3, 1, y);
        tell(&e, &d, y, t % 3 ? 0.4 : 1);
    }
    assert_close(homer_emptiness_probability(&e), 0.3, 0.1);
}

/* Only ever true labels are told: they are not told at random, but there is no empty labelset among them. */
static void a_known_positive_is_never_empty(void **state) {
    (void)state;
    struct homer_emptiness e = {0};
    uint32_t l = 3;
    struct homer_instance x = {.positive = &l, .positive_n = 1, .partial = true, .weight = 1};
    for (int t = 0; t < 99; t++) homer_emptiness_learn(&e, &x, LABELS);
    assert_close(homer_emptiness_probability(&e), 0.5 / 100, 1e-12);
    x.positive_n = 0; /* nothing told: nothing learned */
    for (int t = 0; t < 99; t++) homer_emptiness_learn(&e, &x, LABELS);
    assert_close(homer_emptiness_probability(&e), 0.5 / 100, 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_labellings_are_counted),
        cmocka_unit_test(partial_ones_tell_the_same),
        cmocka_unit_test(both_kinds_add_up),
        cmocka_unit_test(a_known_positive_is_never_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
