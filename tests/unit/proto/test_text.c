/* Text to words: folding, normalising, counting, and what hostile text costs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>
#include "core/base/buf.h"
#include "proto/text.h"

static const uint8_t hash_key[16] = "0123456789abcde";

/* Checks the tokens of `text`, written as "word:count word:count ..." with ' ' inside bigrams shown as '+'.
 */
static void expect_with(const char *text, bool bigrams, size_t max_name, const char *tokens) {
    struct homer_mem mem = {0};
    struct homer_buf out;
    struct homer_text *t;
    const struct homer_token *token;
    size_t n;
    struct homer_error err;
    homer_buf_init(&out, &mem);
    assert_int_equal(homer_text_new(&t, &mem, hash_key), 0);
    for (int round = 0; round < 2; round++) { /* buffers are reused: the second call says the same */
        homer_buf_truncate(&out, 0);
        assert_int_equal(homer_text_tokens(t, (struct homer_str){text, strlen(text)}, bigrams, max_name, 1000,
                                           &token, &n, &err),
                         0);
        for (size_t i = 0; i < n; i++) {
            assert_true(token[i].word.n <= max_name);
            for (size_t k = 0; k < token[i].word.n; k++) {
                homer_buf_putc(&out, token[i].word.s[k] == ' ' ? '+' : token[i].word.s[k]);
            }
            homer_buf_printf(&out, ":%u ", token[i].count);
        }
        homer_buf_putc(&out, '\0');
        assert_string_equal(out.data, tokens);
    }
    homer_text_free(t);
    homer_buf_deinit(&out);
    assert_int_equal(mem.used_bytes, 0);
}

static void expect(const char *text, const char *tokens) {
    expect_with(text, false, 256, tokens);
}

static void ascii(void **state) {
    (void)state;
    expect("", "");
    expect(" .,;-!", "");
    expect("CORDIC Is All You Need", "cordic:1 is:1 all:1 you:1 need:1 ");
    expect("a b A c a", "a:3 b:1 c:1 ");
    expect("x_1-y2 3.14\tz", "x_1:1 y2:1 3:1 14:1 z:1 ");
}

static void unicode(void **state) {
    (void)state;
    expect("Straße STRASSE", "strasse:2 ");
    expect("ΣΊΣΥΦΟΣ σίσυφος", "σίσυφοσ:2 "); /* the final sigma folds as well */
    expect("caf\u00e9 cafe\u0301 CAF\u00c9", "caf\u00e9:3 ");
    expect("\u0130 i\u0307", "i\u0307:2 "); /* Turkish capital dotted I */
    expect("\u212bngstr\u00f6m \u00c5NGSTR\u00d6M",
           "\u00e5ngstr\u00f6m:2 "); /* the Angstrom sign is the letter */
    expect("\u673a\u5668\u5b66\u4e60\uff0c\u6df1\u5ea6", "\u673a\u5668\u5b66\u4e60:1 \u6df1\u5ea6:1 ");
    expect("\u0939\u093f\u0928\u094d\u0926\u0940",
           "\u0939\u093f\u0928\u094d\u0926\u0940:1 "); /* vowel signs are marks */
    expect("\U0001F600 ok\U0001F680go \u2014 \u201cq\u201d", "ok:1 go:1 q:1 ");
    expect("\uFB03x \u216B\u00b2", "ffix:1 \u217b\u00b2:1 ");
    expect("caf\u00e9s\u00a0bar", "caf\u00e9s:1 bar:1 ");
}

static void bigrams(void **state) {
    (void)state;
    expect_with("A b, a B", true, 256, "a:2 b:2 a+b:2 b+a:1 ");
    expect_with("one", true, 256, "one:1 ");
    expect_with("\u00c9t\u00e9 fini", true, 256, "\u00e9t\u00e9:1 fini:1 \u00e9t\u00e9+fini:1 ");
}

static void cuts_long_words_between_characters(void **state) {
    (void)state;
    expect_with("abcdefgh", false, 4, "abcd:1 ");
    expect_with("abc\u00e9f abc\u00c9", false, 4, "abc:2 ");
    expect_with("\u00e9\u00e9\u00e9", false, 4, "\u00e9\u00e9:1 ");
    expect_with("abc de", true, 4, "abc:1 de:1 abc+:1 ");
    expect_with("\U00020000", false, 3, "");
}

static size_t count_words(struct homer_text *t, const char *text, size_t text_n, size_t max, int *rc,
                          struct homer_error *err) {
    const struct homer_token *token;
    size_t n = 0;
    *rc = homer_text_tokens(t, (struct homer_str){text, text_n}, false, 256, max, &token, &n, err);
    return n;
}

static void refuses_too_many_words(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_text *t;
    struct homer_error err;
    int rc;
    assert_int_equal(homer_text_new(&t, &mem, hash_key), 0);
    assert_int_equal(count_words(t, "a b a c", 7, 3, &rc, &err), 3);
    count_words(t, "a b a c d", 9, 3, &rc, &err);
    assert_int_equal(rc, HOMER_E_TOO_MANY);
    assert_string_equal(err.limit, "max_x");
    assert_int_equal(count_words(t, "d", 1, 3, &rc, &err), 1);
    assert_int_equal(rc, 0);
    homer_text_free(t);
}

static void one_word_of_marks_is_cheap_and_bounded(void **state) {
    (void)state;
    enum { N = 500000 };
    static char text[2 * N + 1];
    struct homer_mem mem = {0};
    struct homer_text *t;
    const struct homer_token *token;
    size_t n;
    /* Two marks of falling combining class in turn: the worst order for sorting them. Unbounded it would take
     * hours. */
    for (size_t i = 0; i < N; i++) memcpy(text + 2 * i, i & 1 ? "\u0316" : "\u0301", 2);
    assert_int_equal(homer_text_new(&t, &mem, hash_key), 0);
    assert_int_equal(homer_text_tokens(t, (struct homer_str){text, 2 * N}, false, 256, 10, &token, &n, NULL),
                     0);
    assert_int_equal(n, 1);
    assert_int_equal(token[0].word.n, 60);
    assert_true(mem.used_bytes < 64 * 1024);
    homer_text_free(t);
}

static void long_texts_do_not_slow_short_ones(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_buf text;
    struct homer_text *t;
    struct homer_error err;
    int rc;
    homer_buf_init(&text, &mem);
    for (int i = 0; i < 20000; i++) homer_buf_printf(&text, "w%d ", i);
    assert_int_equal(homer_text_new(&t, &mem, hash_key), 0);
    assert_int_equal(count_words(t, text.data, text.n, 100000, &rc, &err), 20000);
    assert_int_equal(count_words(t, "a b", 3, 100000, &rc, &err), 2);
    size_t before = mem.used_bytes;
    assert_int_equal(count_words(t, "w7 w8 w7", 8, 100000, &rc, &err), 2);
    assert_int_equal(mem.used_bytes, before);
    homer_text_free(t);
    homer_buf_deinit(&text);
}

static void survives_every_refused_allocation(void **state) {
    (void)state;
    static const char text[] = "Straße und caf\u00e9 one two three ΣΊΣΥΦΟΣ";
    int rc = -ENOMEM;
    for (uint64_t k = 1; rc; k++) {
        struct homer_mem mem = {.fail_in = k};
        struct homer_text *t = NULL;
        struct homer_error err;
        rc = homer_text_new(&t, &mem, hash_key);
        if (!rc) {
            size_t n = count_words(t, text, sizeof text - 1, 100, &rc, &err);
            if (rc) assert_int_equal(err.code, -ENOMEM);
            assert_int_equal(n, rc ? 0 : 7);
        }
        assert_true(rc == 0 || rc == -ENOMEM);
        assert_true(k < 100);
        homer_text_free(t);
        assert_int_equal(mem.used_bytes, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii),
        cmocka_unit_test(unicode),
        cmocka_unit_test(bigrams),
        cmocka_unit_test(cuts_long_words_between_characters),
        cmocka_unit_test(refuses_too_many_words),
        cmocka_unit_test(one_word_of_marks_is_cheap_and_bounded),
        cmocka_unit_test(long_texts_do_not_slow_short_ones),
        cmocka_unit_test(survives_every_refused_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
