/* A growing byte buffer, append only, with a sticky failure: appends after a refused allocation do nothing,
 * and the one check at the end (`failed`) tells. Owned by one thread; memory is charged to `mem`. */
#ifndef HOMER_BASE_BUF_H
#define HOMER_BASE_BUF_H

#include <stdarg.h>
#include "core/base/mem.h"

struct homer_buf {
    struct homer_mem *mem;
    char *data; /* n bytes used of cap; not NUL-terminated */
    size_t n, cap;
    bool failed; /* an append was refused; data[0..n) is still what was appended before it */
};

void homer_buf_init(struct homer_buf *b, struct homer_mem *mem);
void homer_buf_deinit(struct homer_buf *b);
/* Makes room for `more` bytes behind n. 0, or -ENOMEM (then failed is set). */
int homer_buf_reserve(struct homer_buf *b, size_t more);
void homer_buf_append(struct homer_buf *b, const void *data, size_t n);
void homer_buf_puts(struct homer_buf *b, const char *s);
void homer_buf_putc(struct homer_buf *b, char c);
void homer_buf_printf(struct homer_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first k bytes (k <= n), moving the rest to the front. */
void homer_buf_consume(struct homer_buf *b, size_t k);
/* Cuts back to n bytes (n <= b->n) and clears the failure: undoes appends. */
void homer_buf_truncate(struct homer_buf *b, size_t n);

#endif
