/* The byte buffer against a plain array. */
#include <errno.h>
#include "core_fixture.h"
#include "core/base/buf.h"

enum { ROOM = 20000 };

static void appends_cuts_and_consumes(void **state) {
    (void)state;
    struct homer_mem m = {0};
    struct homer_buf b;
    struct dice d = {2};
    static char naive[ROOM * 2];
    size_t n = 0;
    homer_buf_init(&b, &m);
    for (int step = 0; step < 20000; step++) {
        char bytes[300];
        size_t k = dice_below(&d, sizeof bytes);
        for (size_t i = 0; i < k; i++) bytes[i] = (char)dice_below(&d, 256);
        switch (dice_below(&d, 7)) {
        case 0:
            homer_buf_append(&b, bytes, k);
            memcpy(naive + n, bytes, k);
            n += k;
            break;
        case 1:
            homer_buf_putc(&b, bytes[0]);
            naive[n++] = bytes[0];
            break;
        case 2:
            homer_buf_puts(&b, "words");
            memcpy(naive + n, "words", 5);
            n += 5;
            break;
        case 3:
            homer_buf_printf(&b, "%zu-%s", k, "x");
            n += (size_t)sprintf(naive + n, "%zu-%s", k, "x");
            break;
        case 4:
            k = k < n ? k : n;
            homer_buf_consume(&b, k);
            memmove(naive, naive + k, n - k);
            n -= k;
            break;
        case 5:
            k = k < n ? k : n;
            homer_buf_truncate(&b, n - k);
            n -= k;
            break;
        default:
            assert_int_equal(homer_buf_reserve(&b, k), 0);
            assert_true(b.cap - b.n >= k);
        }
        if (n > ROOM) {
            homer_buf_truncate(&b, 10);
            n = 10;
        }
        assert_int_equal(b.n, n);
        assert_true(n == 0 || memcmp(b.data, naive, n) == 0);
        assert_int_equal(m.used_bytes, b.cap);
    }
    homer_buf_deinit(&b);
    assert_int_equal(m.used_bytes, 0);
}

static void failure_sticks_until_truncated(void **state) {
    (void)state;
    struct homer_mem m = {0};
    struct homer_buf b;
    homer_buf_init(&b, &m);
    homer_buf_puts(&b, "kept");
    m.fail_in = 1;
    homer_buf_reserve(&b, 1000);
    assert_true(b.failed);
    assert_int_equal(m.failed, 1);
    homer_buf_putc(&b, 'x'); /* there would be room */
    homer_buf_printf(&b, "%d", 1);
    assert_int_equal(homer_buf_reserve(&b, 1), -ENOMEM);
    assert_int_equal(b.n, 4);
    assert_memory_equal(b.data, "kept", 4);
    homer_buf_truncate(&b, 2);
    assert_false(b.failed);
    homer_buf_puts(&b, "y");
    assert_int_equal(b.n, 3);
    assert_memory_equal(b.data, "key", 3);
    assert_int_equal(homer_buf_reserve(&b, SIZE_MAX / 2), -ENOMEM);
    assert_true(b.failed);
    homer_buf_deinit(&b);
    assert_int_equal(m.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_cuts_and_consumes),
        cmocka_unit_test(failure_sticks_until_truncated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
