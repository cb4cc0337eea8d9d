/* Canonical bytes, and the hash over them. */
#include <xxhash.h>
#include "core_fixture.h"
#include "core/base/codec.h"
#include "core/base/err.h"

struct collected {
    unsigned char bytes[256];
    size_t n;
};

static void collect(void *ctx, const void *p, size_t n) {
    struct collected *c = ctx;
    assert_true(c->n + n <= sizeof c->bytes);
    memcpy(c->bytes + c->n, p, n);
    c->n += n;
}

static void writes_little_endian(void **state) {
    (void)state;
    struct collected got = {0};
    struct homer_codec c = {.sink = collect, .ctx = &got};
    homer_put_u8(&c, 0xab);
    homer_put_u32(&c, 0x01020304);
    homer_put_u64(&c, 0x1122334455667788u);
    homer_put_f32(&c, 1.0f);
    homer_put_f64(&c, -2.0);
    homer_put_bytes(&c, "xyz", 3);
    homer_put_bytes(&c, NULL, 0);
    homer_put_u32s(&c, (uint32_t[]){1, 2}, 2);
    homer_put_u64s(&c, (uint64_t[]){3}, 1);
    homer_put_f32s(&c, (float[]){0.5f}, 1);
    homer_put_f64s(&c, (double[]){0.5}, 1);
    homer_put_f64s(&c, NULL, 0);
    const unsigned char expected[] = {
        0xab, 4, 3,    2,    1, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* u8 u32 u64 */
        0,    0, 0x80, 0x3f, 0, 0,    0,    0,    0,    0,    0,    0xc0,       /* 1.0f -2.0 */
        3,    0, 0,    0,    0, 0,    0,    0,    'x',  'y',  'z',  0,    0,    0, 0, 0,
        0,    0, 0, /* bytes, length first */
        1,    0, 0,    0,    2, 0,    0,    0,    3,    0,    0,    0,    0,    0, 0, 0, /* arrays */
        0,    0, 0,    0x3f, 0, 0,    0,    0,    0,    0,    0xe0, 0x3f,
    };
    assert_int_equal(got.n, sizeof expected);
    assert_memory_equal(got.bytes, expected, sizeof expected);
}

static void hashes_the_bytes_and_nothing_else(void **state) {
    (void)state;
    unsigned char bytes[200];
    char hex[33], expected[33];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 7);
    XXH128_hash_t whole = XXH3_128bits(bytes, sizeof bytes);
    sprintf(expected, "%016llx%016llx", (unsigned long long)whole.high64, (unsigned long long)whole.low64);
    for (size_t piece = 1; piece < 200; piece += 13) {
        struct homer_codec c;
        struct homer_hasher *h = homer_hasher_new(&c);
        assert_non_null(h);
        for (size_t i = 0; i < sizeof bytes; i += piece)
            c.sink(c.ctx, bytes + i, i + piece < sizeof bytes ? piece : sizeof bytes - i);
        homer_hasher_free(h, hex);
        assert_string_equal(hex, expected);
    }
}

static void every_error_has_its_word(void **state) {
    (void)state;
    for (int a = 0; a < HOMER_E_COUNT; a++) {
        assert_non_null(homer_err_word(a));
        for (int b = 0; b < a; b++) assert_string_not_equal(homer_err_word(a), homer_err_word(b));
    }
    assert_string_equal(homer_err_word(-12), "internal");
    assert_string_equal(homer_err_word(HOMER_E_COUNT), "internal");
    struct homer_error e = {0};
    assert_int_equal(homer_err_limit(&e, HOMER_E_TOO_MANY, "max_labels", "%d labels", 7), HOMER_E_TOO_MANY);
    assert_int_equal(e.code, HOMER_E_TOO_MANY);
    assert_string_equal(e.limit, "max_labels");
    assert_string_equal(e.message, "7 labels");
    assert_false(e.retry);
    assert_int_equal(homer_err_set(&e, HOMER_E_BUSY, "%300s|", ""), HOMER_E_BUSY);
    assert_null(e.limit);
    assert_true(e.retry);
    assert_int_equal(strlen(e.message), sizeof e.message - 1);
    assert_int_equal(homer_err_set(NULL, -5, "nobody asks"), -5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_little_endian),
        cmocka_unit_test(hashes_the_bytes_and_nothing_else),
        cmocka_unit_test(every_error_has_its_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
