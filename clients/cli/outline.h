/* The reply to `hierarchy`, drawn for a terminal: one line a node, figures to the left, the tree to the
 * right. */
#ifndef HOMER_CLI_OUTLINE_H
#define HOMER_CLI_OUTLINE_H

#include <jansson.h>
#include <stdio.h>

/* Columns of the terminal behind `to`; 100 when it is none. */
size_t homer_outline_width(FILE *to);
/* Draws it. Labels that do not fit into `width` columns are left out, and how many is said; they are made
 * printable (see printable.h). 0 or -ENOMEM. */
int homer_outline_print(const json_t *reply, size_t width, FILE *to);

#endif
