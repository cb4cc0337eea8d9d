#include "proto/text.h"

#include <errno.h>
#include <string.h>
#include <utf8proc.h>
#include "core/base/buf.h"
#include "core/base/map.h"

/* Bounds on what one word can cost. RAW_MAX bytes of it are looked at: enough for the default max_name of 256
 * however much folding and composing shrink it. Ordering combining marks takes quadratic time in the length
 * of their run: Unicode's stream-safe format (UAX 15) allows 30, and what follows them in a run is dropped.
 */
enum { RAW_MAX = 1024, MAX_MARKS = 30, KEEP_SLOTS = 4096 };

struct homer_text {
    struct homer_mem *mem;
    struct homer_map words;    /* token -> index, this text's */
    struct homer_token *token; /* [words.n] of token_cap */
    size_t token_cap;
    struct homer_buf folded; /* folded words, a space between neighbours */
    size_t word_at;          /* where the word being folded starts in `folded` */
    int32_t *code;           /* [code_cap] code points of one word */
    size_t code_cap;
};

struct scan {
    const char *s;
    size_t n, at;
    size_t max_name;
};

int homer_text_new(struct homer_text **out, struct homer_mem *mem, const uint8_t hash_key[16]) {
    struct homer_text *t = homer_mem_alloc(mem, 1, sizeof *t);
    if (!t) return -ENOMEM;
    t->mem = mem;
    homer_map_init(&t->words, mem, hash_key);
    homer_buf_init(&t->folded, mem);
    *out = t;
    return 0;
}

struct homer_text *homer_text_free(struct homer_text *t) {
    if (!t) return NULL;
    homer_map_deinit(&t->words);
    homer_mem_free(t->mem, t->token, t->token_cap, sizeof *t->token);
    homer_mem_free(t->mem, t->code, t->code_cap, sizeof *t->code);
    homer_buf_deinit(&t->folded);
    return homer_mem_free(t->mem, t, 1, sizeof *t);
}

static bool ascii_word(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Of a code point beyond ASCII. */
static bool is_word(int32_t code) {
    int category = utf8proc_category(code);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO; /* letters, marks, numbers */
}

/* The character at s->at: its bytes, and whether it belongs to a word. */
static size_t peek(const struct scan *s, int32_t *code, bool *word) {
    unsigned char c = (unsigned char)s->s[s->at];
    if (c < 0x80) {
        *code = c;
        *word = ascii_word(c);
        return 1;
    }
    utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)s->s + s->at, (utf8proc_ssize_t)(s->n - s->at), code);
    *word = n > 0 && is_word(*code);
    return n > 0 ? (size_t)n : 1;
}

/* `max` bytes of s, or fewer so that no character is cut. */
static size_t cut(const char *s, size_t n, size_t max) {
    if (n <= max) return n;
    while (max && ((unsigned char)s[max] & 0xc0) == 0x80) max--;
    return max;
}

/* Grows the array of code points to at least n. */
static int code_room(struct homer_text *t, size_t n) {
    if (n <= t->code_cap) return 0;
    int32_t *code = homer_mem_grow(t->mem, t->code, t->code_cap, n * 2, sizeof *code);
    if (!code) return -ENOMEM;
    t->code = code;
    t->code_cap = n * 2;
    return 0;
}

/* Appends the word that starts at s->at, which has letters beyond ASCII, and goes behind it. */
static int fold_unicode(struct homer_text *t, struct scan *s) {
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD;
    char raw[RAW_MAX];
    size_t raw_n = 0;
    unsigned marks = 0;
    for (bool full = false; s->at < s->n;) {
        int32_t code;
        bool word;
        size_t n = peek(s, &code, &word);
        if (!word) break;
        marks = utf8proc_get_property(code)->combining_class ? marks + 1 : 0;
        full = full || raw_n + n > RAW_MAX;
        if (!full && marks <= MAX_MARKS) {
            memcpy(raw + raw_n, s->s + s->at, n);
            raw_n += n;
        }
        s->at += n;
    }
    utf8proc_ssize_t n = 0;
    do { /* it says how many code points it needs when they do not fit */
        if (code_room(t, (size_t)n + 64)) return -ENOMEM;
        n = utf8proc_decompose((const utf8proc_uint8_t *)raw, (utf8proc_ssize_t)raw_n, t->code,
                               (utf8proc_ssize_t)t->code_cap, options);
    } while (n > (utf8proc_ssize_t)t->code_cap);
    if (n > 0) n = utf8proc_normalize_utf32(t->code, n, options);
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        utf8proc_uint8_t bytes[4];
        homer_buf_append(&t->folded, bytes, (size_t)utf8proc_encode_char(t->code[i], bytes));
    }
    return t->folded.failed ? -ENOMEM : 0;
}

/* Appends the next word of the text, folded, behind t->word_at. 1, or 0 at the end; -ENOMEM. */
static int next_word(struct homer_text *t, struct scan *s) {
    int32_t code;
    bool word = false;
    size_t n = 0;
    while (s->at < s->n && (n = peek(s, &code, &word)) && !word) s->at += n;
    if (s->at == s->n) return 0;
    size_t end = s->at;
    while (end < s->n && ascii_word((unsigned char)s->s[end])) end++;
    if (end < s->n && (unsigned char)s->s[end] >= 0x80) {
        int rc = fold_unicode(t, s);
        if (rc) return rc;
    } else {
        size_t word_n = cut(s->s + s->at, end - s->at, s->max_name);
        if (homer_buf_reserve(&t->folded, word_n)) return -ENOMEM;
        char *to = t->folded.data + t->folded.n;
        for (size_t i = 0; i < word_n; i++) {
            char c = s->s[s->at + i];
            to[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
        }
        t->folded.n += word_n;
        s->at = end;
    }
    homer_buf_truncate(&t->folded,
                       t->word_at + cut(t->folded.data + t->word_at, t->folded.n - t->word_at, s->max_name));
    return 1;
}

static int count(struct homer_text *t, const char *word, size_t n, size_t max_tokens,
                 struct homer_error *err) {
    uint32_t known = t->words.n;
    uint32_t id = homer_map_add(&t->words, word, n);
    if (id == UINT32_MAX) return -ENOMEM;
    if (id >= max_tokens) {
        return homer_err_limit(err, HOMER_E_TOO_MANY, "max_x", "text has more than %zu distinct words",
                               max_tokens);
    }
    if (id >= t->token_cap) {
        size_t cap = t->token_cap ? t->token_cap * 2 : 64;
        struct homer_token *token = homer_mem_grow(t->mem, t->token, t->token_cap, cap, sizeof *token);
        if (!token) return -ENOMEM;
        t->token = token;
        t->token_cap = cap;
    }
    if (id == known) t->token[id].count = 0;
    t->token[id].count++;
    return 0;
}

static int count_all(struct homer_text *t, struct scan *s, bool bigrams, size_t max_tokens,
                     struct homer_error *err) {
    size_t before = 0; /* where the word before starts in `folded` */
    bool has_before = false;
    t->word_at = 0;
    int rc;
    while ((rc = next_word(t, s)) == 1) {
        const char *word = t->folded.data + t->word_at;
        size_t n = t->folded.n - t->word_at;
        if (n == 0) continue; /* max_name below one character */
        rc = count(t, word, n, max_tokens, err);
        if (!rc && bigrams && has_before) {
            const char *pair = t->folded.data + before;
            rc = count(t, pair, cut(pair, t->folded.n - before, s->max_name), max_tokens, err);
        }
        if (rc) return rc;
        before = t->word_at;
        has_before = true;
        homer_buf_putc(&t->folded, ' ');
        if (t->folded.failed) return -ENOMEM;
        t->word_at = t->folded.n;
    }
    return rc;
}

int homer_text_tokens(struct homer_text *t, struct homer_str text, bool bigrams, size_t max_name,
                      size_t max_tokens, const struct homer_token **tokens, size_t *n,
                      struct homer_error *err) {
    struct scan s = {.s = text.s, .n = text.n, .max_name = max_name};
    homer_buf_truncate(&t->folded, 0);
    if (t->words.slot_n > KEEP_SLOTS) {
        /* Emptying takes time in slots: after one long text the short ones would pay for it. */
        const uint64_t key[2] = {t->words.key[0], t->words.key[1]};
        homer_map_deinit(&t->words);
        homer_map_init(&t->words, t->mem, (const uint8_t *)key);
    } else {
        homer_map_truncate(&t->words, 0);
    }
    int rc = count_all(t, &s, bigrams, max_tokens, err);
    if (rc < 0) return homer_err_set(err, rc, "no memory for the words of text");
    if (rc) return rc;
    for (uint32_t id = 0; id < t->words.n; id++) {
        t->token[id].word.s = homer_map_key(&t->words, id, &t->token[id].word.n);
    }
    *tokens = t->token;
    *n = t->words.n;
    return 0;
}
