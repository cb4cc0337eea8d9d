/* Ranking against qsort, the histogram's cut against every threshold. */
#include "core_fixture.h"
#include "core/decide/histogram.h"
#include "core/decide/rank.h"

enum { LABELS = 300 };

static const float *sorted_by;

static int by_score(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (sorted_by[x] != sorted_by[y]) return sorted_by[x] < sorted_by[y] ? 1 : -1;
    return (x > y) - (x < y);
}

/* Scores of several characters: few distinct values, mostly tiny, all equal, zeros. */
static void some_scores(struct dice *d, float *p, uint32_t n) {
    uint32_t kind = dice_below(d, 5);
    for (uint32_t l = 0; l < n; l++) {
        double u = dice_unit(d);
        p[l] = kind == 0   ? (float)u
               : kind == 1 ? (float)dice_below(d, 4) * 0.02f
               : kind == 2 ? (float)(u * u * u * u * u * 0.1)
               : kind == 3 ? 0.02f
                           : (dice_chance(d, 0.02) ? 0.7f : 0);
    }
}

static void ranks_like_qsort(void **state) {
    (void)state;
    struct dice d = {200};
    for (int round = 0; round < 3000; round++) {
        uint32_t n = dice_below(&d, round % 2 ? LABELS : 30) + 1, expected[LABELS], got[LABELS], above = 0;
        float p[LABELS];
        some_scores(&d, p, n);
        for (uint32_t l = 0; l < n; l++) {
            expected[l] = l;
            above += p[l] > 0.02f;
        }
        sorted_by = p;
        qsort(expected, n, sizeof *expected, by_score);

        uint32_t k = dice_below(&d, n + 20), top = k < n ? k : n;
        assert_int_equal(homer_rank_top(p, n, k, got), top);
        for (uint32_t i = 0; i < top; i++) assert_int_equal(got[i], expected[i]);

        uint32_t some = above >= 5 ? above : n < 16 ? n : 16;
        assert_int_equal(homer_rank(p, n, got), some);
        for (uint32_t i = 0; i < some; i++) assert_int_equal(got[i], expected[i]);

        uint32_t id[LABELS], ids = 0, apart = 0; /* of some labels only */
        for (uint32_t l = 0; l < n; l++)
            if (dice_chance(&d, 0.5)) id[ids++] = l;
        uint32_t few = homer_rank_of(p, id, ids, got);
        for (uint32_t i = 0; i < n && apart < few; i++)
            if (bsearch(&expected[i], id, ids, sizeof *id, fixture_by_id))
                assert_int_equal(got[apart++], expected[i]);
        assert_int_equal(apart, few);
        assert_true(few >= (ids < 5 ? ids : 5) && few <= ids);

        for (uint32_t i = 0; i < n; i++) got[i] = (i * 7 + 3) % n; /* any ids, in any order */
        uint32_t m = dice_below(&d, n + 1);
        for (uint32_t i = 0; i < n; i++) got[i] = n - 1 - i;
        homer_rank_sort(p, got, m);
        for (uint32_t i = 1; i < m; i++) assert_true(by_score(&got[i - 1], &got[i]) < 0);
    }
    uint32_t none[1];
    assert_int_equal(homer_rank_top(NULL, 0, 5, none), 0);
}

/* Every threshold from 1/40 to 39/40 on the pairs themselves. */
struct pair {
    uint32_t bin;
    bool y;
    double weight;
    bool more;
};

static double f1_at(const struct pair *pair, int n, double scale, uint32_t cut) {
    double tp = 0, fp = 0, fn = 0;
    for (int i = 0; i < n; i++) {
        double w = pair[i].weight * (pair[i].more ? scale : 1);
        if (pair[i].bin >= cut)
            *(pair[i].y ? &tp : &fp) += w;
        else if (pair[i].y)
            fn += w;
    }
    return tp > 0 ? 2 * tp / (2 * tp + fp + fn) : 0;
}

static void cuts_where_f1_is_best(void **state) {
    (void)state;
    struct dice d = {201};
    unsigned at_start = 0;
    for (int round = 0; round < 2000; round++) {
        struct homer_histogram h = {0}, more = {0};
        struct pair pair[60];
        int n = (int)dice_below(&d, 60);
        double scale = round % 2 ? 0.25 : 0; /* a power of two: no rounding among equals */
        for (int i = 0; i < n; i++) {
            float p = (float)dice_unit(&d);
            pair[i].bin = homer_histogram_bin(p);
            assert_int_equal(pair[i].bin, (uint32_t)(p * 40));
            pair[i].y = dice_chance(&d, round % 3 ? (double)p * (double)p : 0.03);
            pair[i].weight = 0.5 * (1 + dice_below(&d, 3));
            pair[i].more = scale > 0 && i % 3 == 0;
            homer_histogram_add(pair[i].more ? &more : &h, pair[i].bin, pair[i].y, pair[i].weight);
        }
        double positives = 0;
        for (int i = 0; i < n; i++) positives += pair[i].y && !pair[i].more ? pair[i].weight : 0;
        assert_close(homer_histogram_positives(&h), positives, 1e-12);
        double best = 0;
        for (uint32_t b = 1; b < HOMER_BINS; b++) best = fmax(best, f1_at(pair, n, scale, b));
        float cut = homer_histogram_cut(&h, scale > 0 ? &more : NULL, scale, 0.123f);
        at_start += best <= 0;
        if (best <= 0) {
            assert_same(cut, 0.123f);
            continue;
        }
        double own =
            2 * (double)cut - 0.5 * best; /* the answer is the mean of the best bin's edge and best / 2 */
        uint32_t at = (uint32_t)(own * 40 + 0.5);
        assert_close(own, at / 40.0, 1e-5);
        assert_true(at >= 1 && at < 40);
        assert_close(f1_at(pair, n, scale, at), best, 1e-9);
    }
    assert_true(at_start > 0);
    assert_int_equal(homer_histogram_bin(0), 0);
    assert_int_equal(homer_histogram_bin(1), 39);
    assert_int_equal(homer_histogram_bin(0.9999999f), 39);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_like_qsort),
        cmocka_unit_test(cuts_where_f1_is_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
