/* Labelset statistics against a recount of the recorded stream. */
#include <errno.h>
#include "core_fixture.h"
#include "core/decide/labelsets.h"

enum { LABELS = 40, MOST = 5, DISTINCT = 600, LONG = 26000 };

/* Sets numbered by first appearance, each with all its times. */
struct naive {
    uint32_t y[DISTINCT][MOST], n[DISTINCT];
    uint64_t count[DISTINCT];
    double faded[DISTINCT];
    uint32_t sets, t, previous, majority;
    struct homer_labelset_lists lists[LABELS];
    uint64_t sizes[HOMER_SIZES];
};

static uint32_t naive_find(const struct naive *v, const uint32_t *y, uint32_t n) {
    for (uint32_t s = 0; s < v->sets; s++)
        if (v->n[s] == n && (n == 0 || memcmp(v->y[s], y, n * sizeof *y) == 0)) return s;
    return UINT32_MAX;
}

/* A label's lists as the header words them: replace the rarest (the first of them) by what is more frequent;
 * latest first. */
static void naive_lists(struct naive *v, struct homer_labelset_lists *lists, uint32_t set) {
    int place = -1, rarest = 0;
    for (int i = HOMER_FREQUENT - 1; i >= 0; i--) {
        if (lists->frequent[i] == 0) place = i;
        if (lists->frequent[i] && v->count[lists->frequent[i] - 1] <= v->count[lists->frequent[rarest] - 1])
            rarest = i;
    }
    bool there = false;
    for (int i = 0; i < HOMER_FREQUENT; i++) there = there || lists->frequent[i] == set + 1;
    if (!there && place >= 0)
        lists->frequent[place] = set + 1;
    else if (!there && v->count[set] > v->count[lists->frequent[rarest] - 1])
        lists->frequent[rarest] = set + 1;

    uint32_t recent[HOMER_RECENT + 1] = {set + 1};
    int n = 1;
    for (int i = 0; i < HOMER_RECENT; i++)
        if (lists->recent[i] && lists->recent[i] != set + 1) recent[n++] = lists->recent[i];
    memcpy(lists->recent, recent, sizeof lists->recent);
}

static void naive_add(struct naive *v, const uint32_t *y, uint32_t n) {
    uint32_t s = naive_find(v, y, n);
    if (s == UINT32_MAX) {
        s = v->sets++;
        if (n) memcpy(v->y[s], y, n * sizeof *y);
        v->n[s] = n;
    }
    for (uint32_t i = 0; i < v->sets; i++) v->faded[i] *= 0.99;
    v->faded[s] += 1;
    v->count[s]++;
    v->sizes[n]++;
    v->previous = s;
    if (v->t++ == 0 || v->count[s] > v->count[v->majority]) v->majority = s;
    for (uint32_t i = 0; i < n; i++) naive_lists(v, &v->lists[y[i]], s);
}

/* Ascending, distinct, skewed so that sets come again. */
static uint32_t some_set(struct dice *d, uint32_t y[MOST], uint32_t labels) {
    uint32_t n = 0, want = dice_below(d, MOST + 1);
    for (uint32_t l = 0; l < labels && n < want; l++)
        if (dice_chance(d, l < 6 ? 0.4 : 0.02)) y[n++] = l;
    return n;
}

static void assert_equals_naive(const struct homer_labelsets *s, const struct naive *v) {
    assert_int_equal(s->map.n, v->sets);
    assert_int_equal(s->n, v->t);
    assert_int_equal(s->previous, v->previous);
    assert_int_equal(s->majority, v->majority);
    for (uint32_t i = 0; i < v->sets; i++) {
        uint32_t n;
        const uint32_t *y = homer_labelsets_get(s, i, &n);
        assert_int_equal(n, v->n[i]);
        if (n) assert_memory_equal(y, v->y[i], n * sizeof *y);
        assert_int_equal(homer_labelsets_find(s, v->y[i], v->n[i]), i);
        assert_int_equal(s->count[i], v->count[i]);
        assert_close(homer_labelsets_faded(s, i), v->faded[i], 1e-9);
    }
    for (uint32_t l = 0; l < LABELS && v->t; l++)
        assert_memory_equal(&s->lists[l], &v->lists[l], sizeof *s->lists);
    assert_memory_equal(s->size_count, v->sizes, sizeof v->sizes);
}

static void counts_like_a_recount(void **state) {
    (void)state;
    static struct naive v;
    struct homer_mem mem = {0};
    struct homer_labelsets s;
    struct dice d = {210};
    uint32_t n;
    homer_labelsets_init(&s, &mem, fixture_key);
    memset(&v, 0, sizeof v);
    assert_int_equal(s.majority, (uint32_t)HOMER_NO_SET);
    assert_int_equal(s.previous, (uint32_t)HOMER_NO_SET);
    assert_null(homer_labelsets_get(&s, (uint32_t)HOMER_NO_SET, &n));
    assert_int_equal(n, 0);
    assert_int_equal(homer_labelsets_find(&s, NULL, 0), (uint32_t)HOMER_NO_SET);
    double grown = 0;
    unsigned rescaled = 0;
    for (uint32_t t = 0; t < LONG; t++) { /* the faded counts are scaled back on the way */
        uint32_t y[MOST];
        n = some_set(&d, y, v.sets < DISTINCT ? LABELS : 2);
        assert_int_equal(homer_labelsets_reserve(&s, y, n, LABELS), 0);
        homer_labelsets_add(&s, y, n);
        naive_add(&v, y, n);
        rescaled += s.grown < grown;
        grown = s.grown;
        if (t < 300 || t % 500 == 0) assert_equals_naive(&s, &v);
    }
    assert_equals_naive(&s, &v);
    assert_int_equal(rescaled, 1);
    assert_true(v.sets > 100);
    homer_labelsets_deinit(&s);
    assert_int_equal(mem.used_bytes, 0);
}

static void hash(const struct homer_labelsets *s, uint32_t labels, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    homer_labelsets_encode(s, labels, &c);
    homer_hasher_free(h, hex);
}

static void refused_room_shows_nowhere(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_labelsets s;
    struct dice d = {211};
    char before[33], after[33];
    unsigned refused = 0;
    homer_labelsets_init(&s, &mem, fixture_key);
    for (uint32_t t = 0, known = 0; t < 400; t++) {
        uint32_t y[MOST], labels = 1 + t / 10, n = some_set(&d, y, labels);
        hash(&s, known, before);
        for (uint64_t k = 1;; k++) {
            mem.fail_in = k;
            int rc = homer_labelsets_reserve(&s, y, n, labels);
            bool injected = mem.fail_in == 0;
            mem.fail_in = 0;
            hash(&s, known, after);
            assert_string_equal(before, after);
            assert_int_equal(rc, injected ? -ENOMEM : 0);
            if (!injected) break;
            refused++;
        }
        mem.fail_in = 1; /* all the room was made: adding asks for none */
        homer_labelsets_add(&s, y, n);
        assert_int_equal(mem.fail_in, 1);
        known = labels;
    }
    assert_true(refused > 10);
    homer_labelsets_deinit(&s);
    assert_int_equal(mem.used_bytes, 0);
}

static void stops_at_the_cap(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_labelsets s;
    uint32_t few[1] = {7};
    homer_labelsets_init(&s, &mem, fixture_key);
    for (uint32_t i = 0; i < HOMER_MAX_LABELSETS + 10; i++) {
        uint32_t y[3] = {i % 60, 60 + i / 60 % 60, 120 + i / 3600};
        assert_int_equal(homer_labelsets_reserve(&s, y, 3, 200), 0);
        homer_labelsets_add(&s, y, 3);
        assert_int_equal(s.previous, i < HOMER_MAX_LABELSETS ? i : (uint32_t)HOMER_NO_SET);
    }
    assert_int_equal(s.map.n, HOMER_MAX_LABELSETS);
    assert_int_equal(s.n, HOMER_MAX_LABELSETS + 10);
    assert_int_equal(s.size_count[3], HOMER_MAX_LABELSETS + 10);
    assert_int_equal(homer_labelsets_reserve(&s, few, 1, 200), 0);
    homer_labelsets_add(&s, few, 1);
    assert_int_equal(homer_labelsets_find(&s, few, 1), (uint32_t)HOMER_NO_SET);
    uint32_t first[3] = {0, 60, 120}; /* those that are kept go on counting */
    homer_labelsets_add(&s, first, 3);
    assert_int_equal(s.previous, 0);
    assert_int_equal(s.majority, 0);
    assert_int_equal(s.count[0], 2);
    homer_labelsets_deinit(&s);
    assert_int_equal(mem.used_bytes, 0);
}

static void large_sets_count_together(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_labelsets s;
    uint32_t y[100];
    homer_labelsets_init(&s, &mem, fixture_key);
    for (uint32_t n = 0; n <= 100; n += 10) {
        for (uint32_t i = 0; i < n; i++) y[i] = i;
        assert_int_equal(homer_labelsets_reserve(&s, y, n, 100), 0);
        homer_labelsets_add(&s, y, n);
    }
    assert_int_equal(s.size_count[60], 1);
    assert_int_equal(s.size_count[HOMER_SIZES - 1], 4);
    homer_labelsets_deinit(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_like_a_recount),
        cmocka_unit_test(refused_room_shows_nowhere),
        cmocka_unit_test(stops_at_the_cap),
        cmocka_unit_test(large_sets_count_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
