#include "clients/cli/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

void homer_table_init(struct homer_table *t, size_t columns)
{
    *t = (struct homer_table){.columns = columns};
}

void homer_table_deinit(struct homer_table *t)
{
    for (size_t i = 0; i < t->cell_n; i++) free(t->cell[i]);
    free(t->cell);
    *t = (struct homer_table){0};
}

void homer_printable(struct homer_buf *out, const char *text, size_t n)
{
    const utf8proc_uint8_t *s = (const utf8proc_uint8_t *)text;
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t k = utf8proc_iterate(s + i, (utf8proc_ssize_t)(n - i), &c);
        /* format characters go too: U+202E would turn the rest of the line around */
        bool bad = k <= 0 || utf8proc_category(c) == UTF8PROC_CATEGORY_CC || utf8proc_category(c) == UTF8PROC_CATEGORY_CF ||
                   c == 0x2028 || c == 0x2029;
        if (bad) homer_buf_putc(out, '?');
        else homer_buf_append(out, s + i, (size_t)k);
        i += k > 0 ? (size_t)k : 1;
    }
}

void homer_print_safe(FILE *to, const char *text)
{
    struct homer_mem mem = {0};
    struct homer_buf b;
    homer_buf_init(&b, &mem);
    homer_printable(&b, text, strlen(text));
    if (b.n) fwrite(b.data, 1, b.n, to);
    homer_buf_deinit(&b);
}

/* Columns of a terminal that the text takes. */
static size_t width(const char *text)
{
    size_t n = strlen(text), w = 0;
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t k = utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &c);
        if (k <= 0) break; /* cannot be: the text is printable */
        w += (size_t)utf8proc_charwidth(c);
        i += (size_t)k;
    }
    return w;
}

void homer_table_add(struct homer_table *t, const char *text)
{
    if (t->cell_n == t->cell_cap) {
        size_t cap = t->cell_cap ? 2 * t->cell_cap : 64;
        char **cell = realloc(t->cell, cap * sizeof(*cell));
        if (!cell) {
            t->failed = true;
            return;
        }
        t->cell = cell;
        t->cell_cap = cap;
    }
    struct homer_buf b;
    homer_buf_init(&b, &t->mem);
    homer_printable(&b, text, strlen(text));
    char *copy = b.failed ? NULL : strndup(b.n ? b.data : "", b.n);
    homer_buf_deinit(&b);
    if (copy) t->cell[t->cell_n++] = copy;
    else t->failed = true;
}

void homer_table_addf(struct homer_table *t, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        t->failed = true;
        return;
    }
    homer_table_add(t, text);
    free(text);
}

static bool numeric(const char *text)
{
    char *end;
    if (strcmp(text, "-") == 0 || *text == '\0') return true;
    (void)strtod(text, &end);
    return *end == '\0' || strcmp(end, "%") == 0;
}

int homer_table_print(const struct homer_table *t, FILE *to)
{
    size_t widest[HOMER_TABLE_COLUMNS] = {0};
    bool words[HOMER_TABLE_COLUMNS] = {true};
    for (size_t i = 0; i < t->cell_n; i++) {
        size_t column = i % t->columns, w = width(t->cell[i]);
        if (w > widest[column]) widest[column] = w;
        if (i >= t->columns && !numeric(t->cell[i])) words[column] = true;
    }
    for (size_t i = 0; i < t->cell_n; i++) {
        size_t column = i % t->columns;
        bool last = column + 1 == t->columns || i + 1 == t->cell_n;
        int pad = (int)(widest[column] - width(t->cell[i]));
        if (!words[column]) fprintf(to, "%*s%s", pad, "", t->cell[i]);
        else fprintf(to, "%s%*s", t->cell[i], last ? 0 : pad, "");
        fputs(last ? "\n" : "  ", to);
    }
    return t->failed ? -ENOMEM : 0;
}
