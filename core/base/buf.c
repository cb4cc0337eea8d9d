#include "core/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void homer_buf_init(struct homer_buf *b, struct homer_mem *mem) {
    *b = (struct homer_buf){.mem = mem};
}

void homer_buf_deinit(struct homer_buf *b) {
    homer_mem_free(b->mem, b->data, b->cap, 1);
    *b = (struct homer_buf){.mem = b->mem};
}

int homer_buf_reserve(struct homer_buf *b, size_t more) {
    if (b->failed) return -ENOMEM;
    if (b->cap - b->n >= more) return 0;
    size_t cap = b->cap ? b->cap : 256;
    while (cap - b->n < more) {
        if (cap > SIZE_MAX / 4) goto refused;
        cap *= 2;
    }
    char *data = homer_mem_grow(b->mem, b->data, b->cap, cap, 1);
    if (!data) goto refused;
    b->data = data;
    b->cap = cap;
    return 0;
refused:
    b->failed = true;
    return -ENOMEM;
}

void homer_buf_append(struct homer_buf *b, const void *data, size_t n) {
    if (n == 0 || homer_buf_reserve(b, n)) return;
    memcpy(b->data + b->n, data, n);
    b->n += n;
}

void homer_buf_puts(struct homer_buf *b, const char *s) {
    homer_buf_append(b, s, strlen(s));
}

void homer_buf_putc(struct homer_buf *b, char c) {
    homer_buf_append(b, &c, 1);
}

void homer_buf_printf(struct homer_buf *b, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || homer_buf_reserve(b, (size_t)n + 1)) {
        b->failed = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(b->data + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

void homer_buf_consume(struct homer_buf *b, size_t k) {
    if (k == 0) return;
    memmove(b->data, b->data + k, b->n - k);
    b->n -= k;
}

void homer_buf_truncate(struct homer_buf *b, size_t n) {
    b->n = n;
    b->failed = false;
}
