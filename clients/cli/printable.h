/* Text that came from elsewhere (labels, feature names, messages), made safe to show: a label may hold escape
 * sequences. Pure. */
#ifndef HOMER_CLI_PRINTABLE_H
#define HOMER_CLI_PRINTABLE_H

#include <stdio.h>
#include "core/base/buf.h"

/* Appends text with every control character, every character that turns or breaks a line (U+202E, U+2028,
 * ...) and every byte that is not UTF-8 replaced by '?'. */
void homer_printable(struct homer_buf *out, const char *text, size_t n);
/* The same, to a stream. */
void homer_print_safe(FILE *to, const char *text);
/* Columns of a terminal that printable text takes: East Asian wide characters two, combining ones none. */
size_t homer_printable_width(const char *text);

#endif
