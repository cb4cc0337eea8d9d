/* The keyed map against a list that is searched from the front. */
#include "core_fixture.h"
#include "core/base/map.h"

enum { KEYS = 4000, KEY_BYTES = 12 };

struct list {
    char key[KEYS][KEY_BYTES];
    size_t length[KEYS];
    uint32_t n;
};

static uint32_t list_find(const struct list *l, const char *key, size_t n) {
    for (uint32_t i = 0; i < l->n; i++)
        if (l->length[i] == n && memcmp(l->key[i], key, n) == 0) return i;
    return UINT32_MAX;
}

/* Few distinct bytes and short keys, so that many are asked for again; some are prefixes of others, some hold
 * NULs. */
static size_t some_key(struct dice *d, char key[KEY_BYTES]) {
    size_t n = dice_below(d, KEY_BYTES + 1);
    for (size_t i = 0; i < n; i++) key[i] = (char)dice_below(d, 2 + (uint32_t)(i % 2));
    return n;
}

static void assert_equals_list(const struct homer_map *m, const struct list *l) {
    assert_int_equal(m->n, l->n);
    for (uint32_t i = 0; i < l->n; i++) {
        size_t n;
        const char *key = homer_map_key(m, i, &n);
        assert_int_equal(n, l->length[i]);
        assert_memory_equal(key, l->key[i], n);
        assert_int_equal(homer_map_get(m, key, n), i);
    }
}

static void finds_what_a_list_finds(void **state) {
    (void)state;
    static struct list l;
    struct homer_mem mem = {0};
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct homer_map m;
        struct dice d = {seed};
        uint8_t hash_key[16] = {(uint8_t)seed};
        homer_map_init(&m, &mem, hash_key);
        l.n = 0;
        for (int step = 0; step < 8000; step++) {
            char key[KEY_BYTES];
            size_t n = some_key(&d, key);
            uint32_t expected = list_find(&l, key, n);
            assert_int_equal(homer_map_get(&m, key, n), expected);
            if (dice_chance(&d, 0.7) && l.n < KEYS) {
                if (expected == UINT32_MAX) {
                    memcpy(l.key[l.n], key, n);
                    l.length[l.n] = n;
                    expected = l.n++;
                }
                assert_int_equal(homer_map_add(&m, key, n), expected);
            }
            if (dice_chance(&d, 0.01)) { /* forgets a few, or nearly all */
                uint32_t keep =
                    dice_chance(&d, 0.2) ? dice_below(&d, l.n + 1) : l.n - (l.n > 5 ? dice_below(&d, 5) : 0);
                homer_map_truncate(&m, keep);
                l.n = keep;
                assert_equals_list(&m, &l);
            }
        }
        assert_true(l.n > 100);
        assert_equals_list(&m, &l);
        homer_map_deinit(&m);
        assert_int_equal(mem.used_bytes, 0);
    }
}

static void truncation_leaves_every_order_whole(void **state) {
    (void)state;
    /* small tables, so that probe runs wrap around the end and holes fall into the middle of runs */
    struct homer_mem mem = {0};
    for (uint32_t seed = 0; seed < 300; seed++) {
        struct homer_map m;
        uint8_t hash_key[16];
        memset(hash_key, (int)seed, sizeof hash_key);
        homer_map_init(&m, &mem, hash_key);
        uint32_t n = 1 + seed % 24;
        for (uint32_t round = 0; round < 3; round++) {
            for (uint32_t i = 0; i < n; i++)
                assert_int_equal(homer_map_add(&m, &(uint32_t){i * 7 + round}, 4), i);
            for (uint32_t keep = n; keep-- > 0;) {
                homer_map_truncate(&m, keep);
                for (uint32_t i = 0; i < n; i++)
                    assert_int_equal(homer_map_get(&m, &(uint32_t){i * 7 + round}, 4),
                                     i < keep ? i : UINT32_MAX);
            }
        }
        homer_map_deinit(&m);
        assert_int_equal(mem.used_bytes, 0);
    }
}

static void ids_do_not_depend_on_the_hash_key(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_map a, b;
    struct dice d = {5};
    homer_map_init(&a, &mem, (const uint8_t *)"0123456789abcdef");
    homer_map_init(&b, &mem, (const uint8_t *)"fedcba9876543210");
    for (int i = 0; i < 3000; i++) {
        char key[KEY_BYTES];
        size_t n = some_key(&d, key);
        assert_int_equal(homer_map_add(&a, key, n), homer_map_add(&b, key, n));
        if (i % 500 == 499) {
            homer_map_truncate(&a, a.n - 20);
            homer_map_truncate(&b, b.n - 20);
        }
    }
    homer_map_deinit(&a);
    homer_map_deinit(&b);
    assert_int_equal(mem.used_bytes, 0);
}

static void a_refused_add_changes_nothing(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_map m;
    uint32_t refused = 0;
    homer_map_init(&m, &mem, fixture_key);
    for (uint32_t i = 0; i < 2000; i++) {
        char key[16];
        size_t n = (size_t)sprintf(key, "key %u", i);
        for (uint64_t k = 1; k <= 4; k++) {
            mem.fail_in = k;
            uint32_t before = m.n, id = homer_map_add(&m, key, n);
            mem.fail_in = 0;
            if (id == UINT32_MAX) {
                refused++;
                assert_int_equal(m.n, before);
                assert_int_equal(homer_map_get(&m, key, n), UINT32_MAX);
            } else {
                assert_int_equal(id, i);
                homer_map_truncate(&m, i);
            }
        }
        assert_int_equal(homer_map_add(&m, key, n), i);
    }
    assert_true(refused > 10);
    for (uint32_t i = 0; i < 2000; i++) {
        char key[16];
        size_t n = (size_t)sprintf(key, "key %u", i);
        assert_int_equal(homer_map_get(&m, key, n), i);
    }
    homer_map_deinit(&m);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_list_finds),
        cmocka_unit_test(truncation_leaves_every_order_whole),
        cmocka_unit_test(ids_do_not_depend_on_the_hash_key),
        cmocka_unit_test(a_refused_add_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
