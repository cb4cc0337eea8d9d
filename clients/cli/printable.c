#include "clients/cli/printable.h"

#include <string.h>

struct range {
    uint32_t from, to;
};

/* Controls, and what changes how the rest of the line is shown. */
static const struct range unsafe[] = {{0, 0x1f},        {0x7f, 0x9f},      {0x200e, 0x200f},
                                      {0x2028, 0x202e}, {0x2066, 0x2069},  {0xfeff, 0xfeff},
                                      {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
/* Main blocks only: a table that is a column out of line costs nothing. */
static const struct range narrow[] = {{0x300, 0x36f}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
static const struct range wide[] = {{0x1100, 0x115f},   {0x2e80, 0xa4cf},  {0xac00, 0xd7a3},
                                    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},  {0xff00, 0xff60},
                                    {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};

static bool within(uint32_t c, const struct range *r, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (c >= r[i].from && c <= r[i].to) return true;
    }
    return false;
}

/* One character of UTF-8 at s[0..n), n > 0: its bytes and *c; 0 when it is not UTF-8. */
static size_t decode(const unsigned char *s, size_t n, uint32_t *c) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t k = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf8 ? 4 : 0;
    if (k == 0 || k > n) return 0;
    *c = k == 1 ? s[0] : s[0] & (0x7fu >> k);
    for (size_t i = 1; i < k; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        *c = *c << 6 | (s[i] & 0x3f);
    }
    return *c < least[k] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff) ? 0 : k;
}

void homer_printable(struct homer_buf *out, const char *text, size_t n) {
    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t k = decode((const unsigned char *)text + i, n - i, &c);
        if (k == 0 || within(c, unsafe, sizeof(unsafe) / sizeof(unsafe[0])))
            homer_buf_putc(out, '?');
        else
            homer_buf_append(out, text + i, k);
        i += k ? k : 1;
    }
}

void homer_print_safe(FILE *to, const char *text) {
    struct homer_mem mem = {0};
    struct homer_buf b;
    homer_buf_init(&b, &mem);
    homer_printable(&b, text, strlen(text));
    if (b.n) fwrite(b.data, 1, b.n, to);
    homer_buf_deinit(&b);
}

size_t homer_printable_width(const char *text) {
    size_t n = strlen(text), width = 0;
    for (size_t i = 0; i < n;) {
        uint32_t c = '?';
        size_t k = decode((const unsigned char *)text + i, n - i, &c);
        i += k ? k : 1;
        if (within(c, narrow, sizeof(narrow) / sizeof(narrow[0]))) continue;
        width += within(c, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
    }
    return width;
}
