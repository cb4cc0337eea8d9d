/* What a codec wrote is read back; what it cannot have written is not. */
#include <errno.h>
#include "core/base/grid.h"
#include "core/base/map.h"
#include "written_fixture.h"

struct tape {
    struct written w;
    size_t at;
    int broken; /* what reading behind the end returns */
};

static int fill(void *ctx, void *bytes, size_t n) {
    struct tape *t = ctx;
    if (n > t->w.n - t->at) return t->broken;
    memcpy(bytes, t->w.bytes + t->at, n);
    t->at += n;
    return 0;
}

static struct homer_decoder decoder_of(struct tape *t) {
    t->broken = -EIO;
    t->at = 0;
    return (struct homer_decoder){.fill = fill, .ctx = t};
}

static struct homer_codec codec_of(struct tape *t) {
    *t = (struct tape){0};
    return (struct homer_codec){.sink = collect_bytes, .ctx = &t->w};
}

static void reading_mirrors_writing(void **state) {
    (void)state;
    struct tape t;
    struct homer_codec c = codec_of(&t);
    struct homer_mem mem = {0};
    uint32_t ids[3];
    uint64_t wide[2];
    float f[2];
    double g[2];
    char text[3];
    homer_put_u8(&c, 7);
    homer_put_u32(&c, 0x01020304);
    homer_put_u64(&c, UINT64_MAX);
    homer_put_f32(&c, -0.0f);
    homer_put_f64(&c, 1e300);
    homer_put_bytes(&c, "xyz", 3);
    homer_put_u32s(&c, (uint32_t[]){1, 5, 6}, 3);
    homer_put_u64s(&c, (uint64_t[]){8, 9}, 2);
    homer_put_f32s(&c, (float[]){0.5f, 2}, 2);
    homer_put_f64s(&c, (double[]){0.25, 3}, 2);
    homer_put_room(&c, 27);
    struct homer_decoder d = decoder_of(&t);
    assert_int_equal(homer_get_u8(&d, 7), 7);
    assert_int_equal(homer_get_most(&d, 0x01020304), 0x01020304);
    assert_true(homer_get_u64(&d) == UINT64_MAX);
    assert_true(signbit(homer_get_f32(&d)));
    assert_same(homer_get_f64(&d), 1e300);
    assert_int_equal(homer_get_u64(&d), 3);
    homer_get_bytes(&d, text, 3);
    assert_memory_equal(text, "xyz", 3);
    homer_get_set(&d, ids, 3, 7);
    assert_int_equal(ids[2], 6);
    homer_get_u64s(&d, wide, 2);
    assert_int_equal(wide[1], 9);
    homer_get_f32s(&d, f, 2);
    homer_get_weights(&d, g, 2);
    assert_same((double)f[0] + g[1], 3.5);
    assert_int_equal(homer_get_grown_room(&d, 8, 20), 27); /* 8, 12, 18, 27 */
    assert_int_equal(d.error, 0);
    assert_int_equal(t.at, t.w.n);
    assert_null(homer_get_block(&d, &mem, 0, 8));
    assert_int_equal(d.error, 0);
    assert_int_equal(homer_get_u32(&d), 0); /* behind the end */
    assert_int_equal(d.error, -EIO);
    free(t.w.bytes);
}

static void a_digest_leaves_room_out(void **state) {
    (void)state;
    struct tape t;
    struct homer_codec c = codec_of(&t);
    c.bare = true;
    homer_put_room(&c, 5);
    assert_int_equal(t.w.n, 0);
}

/* Each reads the same number, which none may take. */
static void read_u8(struct homer_decoder *d) {
    homer_get_u8(d, 0xef);
}
static void read_most(struct homer_decoder *d) {
    homer_get_most(d, 0xffffffef);
}
static void read_room(struct homer_decoder *d) {
    homer_get_room(d, 0);
}
static void read_long_room(struct homer_decoder *d) {
    homer_get_long_room(d, 0);
}
static void read_ids(struct homer_decoder *d) {
    uint32_t v[2];
    homer_get_ids(d, v, 2, UINT32_MAX - 20);
}
static void read_set(struct homer_decoder *d) {
    uint32_t v[2];
    homer_get_set(d, v, 2, UINT32_MAX);
}
static void read_weights(struct homer_decoder *d) {
    double v;
    homer_get_weights(d, &v, 1);
}

static void what_is_out_of_range_is_damage(void **state) {
    (void)state;
    static void (*const read[])(struct homer_decoder * d) = {read_u8,  read_most, read_room,   read_long_room,
                                                             read_ids, read_set,  read_weights};
    for (size_t i = 0; i < sizeof read / sizeof *read; i++) {
        struct tape t;
        struct homer_codec c = codec_of(&t);
        homer_put_u64(&c, 0xfffffff0fffffff0);
        struct homer_decoder d = decoder_of(&t);
        read[i](&d);
        assert_int_equal(d.error, -EBADMSG);
        homer_get_fail(&d, -ENOMEM); /* the first one stays */
        assert_int_equal(d.error, -EBADMSG);
        uint64_t after = 1;
        homer_get_u64s(&d, &after, 1);
        assert_int_equal(after, 0);
        free(t.w.bytes);
    }
}

static void room_below_what_is_needed_is_damage(void **state) {
    (void)state;
    struct tape t;
    struct homer_codec c = codec_of(&t);
    homer_put_room(&c, 7);
    for (int grown = 0; grown < 3; grown++) {
        struct homer_decoder d = decoder_of(&t);
        if (grown == 0) assert_int_equal(homer_get_room(&d, 8), 0);
        if (grown == 1) assert_int_equal(homer_get_grown_room(&d, 4, 0), 0); /* 4, 6, 9 */
        if (grown == 2) assert_int_equal(homer_get_long_room(&d, 8), 0);
        assert_int_equal(d.error, -EBADMSG);
    }
    free(t.w.bytes);
}

static void maps_and_grids_come_back(void **state) {
    (void)state;
    struct homer_mem mem = {0}, other = {0};
    struct homer_map m, n;
    struct homer_grid g, h;
    struct tape t;
    struct homer_codec c = codec_of(&t);
    static const uint8_t key[16] = "another key";
    homer_map_init(&m, &mem, fixture_key);
    homer_grid_init(&g, &mem, 3, 4);
    assert_int_equal(homer_grid_reserve(&g, 50), 0);
    for (uint32_t i = 0; i < 100; i++) homer_map_add(&m, &i, i % 5);
    homer_map_truncate(&m, 5);
    homer_map_put_room(&m, &c);
    for (uint32_t i = 0; i < m.n; i++) homer_map_put_key(&m, i, &c);
    homer_grid_put_room(&g, &c);
    struct homer_decoder d = decoder_of(&t);
    homer_map_init(&n, &other, key);
    homer_grid_init(&h, &other, 3, 4);
    homer_map_get_room(&n, &d);
    for (uint32_t i = 0; i < m.n; i++) homer_map_get_key(&n, 4, &d);
    assert_true(homer_grid_get_room(&h, 50, &d));
    assert_int_equal(d.error, 0);
    assert_int_equal(other.used_bytes, mem.used_bytes);
    for (uint32_t i = 0; i < m.n; i++) {
        size_t size;
        const char *name = homer_map_key(&m, i, &size);
        assert_int_equal(homer_map_get(&n, name, size), i);
    }
    homer_map_deinit(&m);
    homer_map_deinit(&n);
    homer_grid_deinit(&g);
    homer_grid_deinit(&h);
    assert_int_equal(mem.used_bytes + other.used_bytes, 0);
    free(t.w.bytes);
}

/* A key that is there already, one that is too long, and one for which there is no room. */
static void keys_that_no_map_has(void **state) {
    (void)state;
    for (int wrong = 0; wrong < 3; wrong++) {
        struct homer_mem mem = {0};
        struct homer_map m;
        struct tape t;
        struct homer_codec c = codec_of(&t);
        homer_put_room(&c, 64);
        homer_put_room(&c, 64);
        homer_put_room(&c, 16);
        homer_put_bytes(&c, "same", 4);
        homer_put_bytes(&c,
                        wrong == 0 ? "same" : "a longer one which fills the bytes that there are, and more",
                        wrong == 0 ? 4 : 60);
        struct homer_decoder d = decoder_of(&t);
        homer_map_init(&m, &mem, fixture_key);
        homer_map_get_room(&m, &d);
        homer_map_get_key(&m, 60, &d);
        assert_int_equal(d.error, 0);
        homer_map_get_key(&m, wrong == 1 ? 59 : 60, &d);
        assert_int_equal(d.error, -EBADMSG);
        homer_map_deinit(&m);
        assert_int_equal(mem.used_bytes, 0);
        free(t.w.bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_mirrors_writing),
        cmocka_unit_test(a_digest_leaves_room_out),
        cmocka_unit_test(what_is_out_of_range_is_damage),
        cmocka_unit_test(room_below_what_is_needed_is_damage),
        cmocka_unit_test(maps_and_grids_come_back),
        cmocka_unit_test(keys_that_no_map_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
