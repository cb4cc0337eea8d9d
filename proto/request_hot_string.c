/* Strings of the hot path: where they end, that they are UTF-8, and their escapes. */
#include <string.h>
#include "proto/number.h"
#include "proto/request_hot.h"
#include "proto/scan.h"

static bool follows(char c) {
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Bytes of the character beyond ASCII that s begins with; 0 when it is no valid one: too short, longer than
 * need be, half of a surrogate pair, or beyond U+10FFFF. */
static unsigned char_length(const char *s) {
    unsigned first = (unsigned char)s[0], second = (unsigned char)s[1];
    if (first < 0xc2 || first > 0xf4 || !follows(s[1])) return 0;
    if (first < 0xe0) return 2;
    if (first < 0xf0) {
        if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0)) return 0;
        return follows(s[2]) ? 3 : 0;
    }
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90)) return 0;
    return follows(s[2]) && follows(s[3]) ? 4 : 0;
}

/* The first byte that is not plain: a quote, a backslash, a control character or one beyond ASCII. There is
 * one: the end of the line, which is a NUL. */
static const char *plain_end(const char *s) {
    for (;; s += 8) {
        uint64_t v = homer_load8(s);
        uint64_t marks =
            homer_equal(v, '"') | homer_equal(v, '\\') | homer_below(v, ' ') | (v & HOMER_HIGH_BITS);
        if (marks) return s + homer_first_byte(marks);
    }
}

const char *homer_hot_string(const char *at, struct homer_hot_key *out) {
    const char *begin = ++at;
    out->escaped = false;
    for (;;) {
        at = plain_end(at);
        if (*at == '"') break;
        if (*at == '\\') {
            if (!at[1]) return NULL;
            out->escaped = true;
            at += 2; /* only that it is no end: homer_hot_unescape looks at what it is */
            continue;
        }
        unsigned n = char_length(at);
        if (!n) return NULL;
        do at += n;
        while ((unsigned char)*at >= 0x80 && (n = char_length(at)));
    }
    size_t n = (size_t)(at + 1 - begin);
    if (n > UINT32_MAX) return NULL;
    out->text = begin;
    out->n = (uint32_t)n;
    return at + 1;
}

/* The code unit of \uXXXX, s at its first digit; -1 when it is none. */
static int32_t unit(const char *s) {
    int32_t code = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)s[i], lower = c | 0x20;
        int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
        if (digit < 0) return -1;
        code = code * 16 + digit;
    }
    return code;
}

static char *put_char(char *to, int32_t code) {
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* One escape, *at at its backslash; writes what it stands for, goes behind it. NULL: none that may be. */
static char *put_escape(char *to, const char **at) {
    static const char from[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *s = *at + 1;
    if (*s != 'u') {
        const char *known = strchr(from, *s);
        if (!*s || !known) return NULL;
        *at = s + 1;
        *to = meant[known - from];
        return to + 1;
    }
    int32_t code = unit(s + 1);
    s += 5;
    if (code >= 0xd800 && code < 0xdc00) {
        int32_t low = s[0] == '\\' && s[1] == 'u' ? unit(s + 2) : -1;
        if (low < 0xdc00 || low > 0xdfff) return NULL;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        s += 6;
    } else if (code <= 0 || (code >= 0xdc00 && code < 0xe000)) {
        return NULL; /* no digits, a NUL, or the second half of a pair */
    }
    *at = s;
    return put_char(to, code);
}

bool homer_hot_unescape(struct homer_hot_scan *s, const struct homer_hot_key *key, struct homer_str *out) {
    size_t n = key->n - 1;
    char *copy = homer_arena_alloc(s->p->arena, n + HOMER_SCAN_PAD, 1), *to = copy;
    if (!copy) {
        s->refused = true;
        return false;
    }
    for (const char *at = key->text, *end = at + n; at < end;) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (escape && !(to = put_escape(to, &at))) return false;
    }
    memset(to, 0, HOMER_SCAN_PAD);
    *out = (struct homer_str){.s = copy, .n = (size_t)(to - copy)};
    return true;
}
