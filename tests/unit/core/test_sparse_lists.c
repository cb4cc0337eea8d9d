/* Lists of weights: what is added stays in order, what weighs least goes first, memory is accounted for. */
#include "core_fixture.h"
#include "core/sparse/lists.h"
#include "snapshot_fixture.h"

enum { LABELS = 2000 };

static void start(struct homer_sparse_lists *s, struct homer_mem *mem, uint32_t features) {
    *mem = (struct homer_mem){0};
    homer_sparse_lists_init(s, mem);
    assert_int_equal(homer_sparse_lists_reserve(s, features), 0);
}

static void stop(struct homer_sparse_lists *s) {
    homer_sparse_lists_deinit(s);
    assert_int_equal(s->mem->used_bytes, 0);
}

static void add(struct homer_sparse_lists *s, uint32_t feature, uint32_t label, float w) {
    homer_sparse_pair ws = {w, 2 * w}, var = {3 * w, 4 * w};
    assert_int_equal(homer_sparse_list_reserve(s, feature, s->list[feature].n + 1), 0);
    homer_sparse_list_add(s, feature, label, ws, var);
}

static void assert_entry(const struct homer_sparse_lists *s, uint32_t feature, uint32_t k, uint32_t label,
                         float w) {
    const struct homer_sparse_list *l = &s->list[feature];
    assert_true(k < l->n);
    assert_int_equal(l->entry[k].label, label);
    assert_same(l->entry[k].w[0], w);
    assert_same(l->entry[k].w[1], 2 * w);
    assert_same(l->var[k][0], 3 * w);
    assert_same(l->var[k][1], 4 * w);
}

static void entries_stay_in_order(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_sparse_lists s;
    start(&s, &mem, 3);
    for (uint32_t i = 0; i < 900; i++) add(&s, i % 3, i, (float)i);
    for (uint32_t i = 0; i < 900; i++) assert_entry(&s, i % 3, i / 3, i, (float)i);
    assert_int_equal(s.entries, 900);
    homer_sparse_lists_truncate(&s, 1);
    assert_int_equal(s.entries, 300);
    assert_int_equal(homer_sparse_lists_reserve(&s, 2), 0);
    assert_int_equal(s.list[1].n, 0);
    stop(&s);
}

/* Against taking the least away one by one, the latest of equal ones first. */
static void halving_keeps_what_weighs_most(void **state) {
    (void)state;
    struct dice d = {80};
    for (int round = 0; round < 60; round++) {
        struct homer_mem mem;
        struct homer_sparse_lists s;
        uint32_t n = 1 + dice_below(&d, round < 50 ? 40 : HOMER_SPARSE_LIST), left = n;
        float w[HOMER_SPARSE_LIST];
        bool gone[HOMER_SPARSE_LIST] = {false};
        start(&s, &mem, 1);
        for (uint32_t k = 0; k < n; k++) {
            w[k] = round % 3 ? (float)dice_normal(&d) : (float)dice_below(&d, 4) - 2;
            add(&s, 0, k, w[k]);
        }
        for (; left > n / 2; left--) {
            uint32_t least = UINT32_MAX;
            for (uint32_t k = 0; k < n; k++)
                if (!gone[k] && (least == UINT32_MAX || fabsf(w[k]) <= fabsf(w[least]))) least = k;
            gone[least] = true;
        }
        homer_sparse_list_halve(&s, 0);
        assert_int_equal(s.list[0].n, n / 2);
        assert_int_equal(s.entries, n / 2);
        for (uint32_t k = 0, at = 0; k < n; k++)
            if (!gone[k]) assert_entry(&s, 0, at++, k, w[k]);
        stop(&s);
    }
}

static void refused_room_changes_nothing(void **state) {
    (void)state;
    struct homer_mem mem;
    struct homer_sparse_lists s;
    start(&s, &mem, 2);
    for (uint32_t i = 0; i < 20; i++) add(&s, 1, i, 1 + (float)i);
    size_t used = mem.used_bytes;
    for (int what = 0; what < 2; what++) {
        mem.fail_in = 1;
        assert_int_equal(what ? homer_sparse_list_reserve(&s, 1, 500) : homer_sparse_lists_reserve(&s, 1000),
                         -ENOMEM);
        assert_int_equal(mem.used_bytes, used);
        for (uint32_t i = 0; i < 20; i++) assert_entry(&s, 1, i, i, 1 + (float)i);
    }
    assert_int_equal(homer_sparse_list_reserve(&s, 1, HOMER_SPARSE_LIST), 0);
    assert_int_equal(s.list[1].cap, HOMER_SPARSE_LIST);
    stop(&s);
}

static void written_and_read(void **state) {
    (void)state;
    static uint32_t seen[LABELS];
    struct homer_mem mem, other;
    struct homer_sparse_lists s, t = {0};
    struct snapshot bytes = {0};
    struct homer_codec c = {.sink = snapshot_sink, .ctx = &bytes};
    start(&s, &mem, 5);
    for (uint32_t i = 0; i < 300; i++) add(&s, i % 4, i * 5 % 1999, (float)i);
    s.list[2].softened = 3;
    homer_sparse_lists_encode(&s, &c);
    for (int damage = 0; damage < 3; damage++) { /* 1: a label twice; 2: one that there is not */
        struct homer_decoder d = {.fill = snapshot_fill, .ctx = &bytes};
        uint32_t label = damage == 1 ? 20 : LABELS; /* the second of the first list */
        size_t at = 4 + 8 + 4 + 4 + 8 + 4;          /* the first, behind counts and rooms */
        if (damage) memcpy(bytes.bytes + at, &label, 4);
        bytes.at = 0;
        other = (struct homer_mem){0};
        memset(seen, 0, sizeof seen);
        homer_sparse_lists_init(&t, &other);
        homer_sparse_lists_decode(&t, 5, LABELS, seen, &d);
        assert_int_equal(d.error, damage ? -EBADMSG : 0);
        if (!damage) {
            assert_int_equal(other.used_bytes, mem.used_bytes);
            assert_int_equal(t.entries, 300);
            assert_int_equal(t.room, s.room);
            assert_int_equal(t.list[2].softened, 3);
            for (uint32_t i = 0; i < 300; i++) assert_entry(&t, i % 4, i / 4, i * 5 % 1999, (float)i);
        }
        stop(&t);
    }
    snapshot_free(&bytes);
    stop(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_stay_in_order),
        cmocka_unit_test(halving_keeps_what_weighs_most),
        cmocka_unit_test(refused_room_changes_nothing),
        cmocka_unit_test(written_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
