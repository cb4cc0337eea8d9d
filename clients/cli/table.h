/* Tables of text for a terminal: columns aligned by what they show, not by bytes. One thread. */
#ifndef HOMER_CLI_TABLE_H
#define HOMER_CLI_TABLE_H

#include <stdio.h>
#include "core/base/buf.h"

enum { HOMER_TABLE_COLUMNS = 16 };

struct homer_table {
    struct homer_mem mem;
    size_t columns; /* at most HOMER_TABLE_COLUMNS */
    bool headed;
    char **cell; /* [cell_n], row by row; the last row may be short */
    size_t cell_n, cell_cap;
    bool failed; /* a cell was lost for lack of memory */
};

/* headed: the first row names the columns and does not count for their alignment. */
void homer_table_init(struct homer_table *t, size_t columns, bool headed);
void homer_table_deinit(struct homer_table *t);
/* Adds the next cell; text is copied and made printable (see printable.h). */
void homer_table_add(struct homer_table *t, const char *text);
void homer_table_addf(struct homer_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints all rows: the first column to the left; a column to the right when all its cells are numbers or "-".
 * No blanks at the end of a line. 0, or -ENOMEM when a cell was lost. */
int homer_table_print(const struct homer_table *t, FILE *to);

#endif
