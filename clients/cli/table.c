#include "clients/cli/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "clients/cli/printable.h"

void homer_table_init(struct homer_table *t, size_t columns, bool headed) {
    *t = (struct homer_table){.columns = columns, .headed = headed};
}

void homer_table_deinit(struct homer_table *t) {
    for (size_t i = 0; i < t->cell_n; i++) free(t->cell[i]);
    free(t->cell);
    *t = (struct homer_table){0};
}

void homer_table_add(struct homer_table *t, const char *text) {
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
    if (copy)
        t->cell[t->cell_n++] = copy;
    else
        t->failed = true;
}

void homer_table_addf(struct homer_table *t, const char *fmt, ...) {
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

static bool numeric(const char *text) {
    char *end;
    if (strcmp(text, "-") == 0 || *text == '\0') return true;
    (void)strtod(text, &end);
    return *end == '\0' || strcmp(end, "%") == 0;
}

int homer_table_print(const struct homer_table *t, FILE *to) {
    size_t widest[HOMER_TABLE_COLUMNS] = {0};
    bool words[HOMER_TABLE_COLUMNS] = {true};
    for (size_t i = 0; i < t->cell_n; i++) {
        size_t column = i % t->columns, w = homer_printable_width(t->cell[i]);
        if (w > widest[column]) widest[column] = w;
        if (!(t->headed && i < t->columns) && !numeric(t->cell[i])) words[column] = true;
    }
    int gap = 0; /* blanks due before the next text: none are left at the end of a line */
    for (size_t i = 0; i < t->cell_n; i++) {
        size_t column = i % t->columns;
        int pad = (int)(widest[column] - homer_printable_width(t->cell[i]));
        if (!words[column]) gap += pad;
        if (t->cell[i][0]) {
            fprintf(to, "%*s%s", gap, "", t->cell[i]);
            gap = 0;
        }
        gap += words[column] ? pad + 2 : 2;
        if (column + 1 == t->columns || i + 1 == t->cell_n) {
            fputc('\n', to);
            gap = 0;
        }
    }
    return t->failed ? -ENOMEM : 0;
}
