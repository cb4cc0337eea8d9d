#include "core/near/columns.h"

#include <errno.h>
#include "core/base/num.h"

enum { FIRST_ROOM = 64 };

void homer_columns_init(struct homer_columns *c, struct homer_mem *mem, uint32_t width) {
    *c = (struct homer_columns){.mem = mem, .width = width};
}

void homer_columns_deinit(struct homer_columns *c) {
    for (uint32_t k = 0; k < c->cap; k++) homer_mem_free(c->mem, c->column[k], c->width, sizeof(float));
    homer_mem_free(c->mem, c->column, c->cap, sizeof *c->column);
    homer_columns_init(c, c->mem, c->width);
}

int homer_columns_reserve(struct homer_columns *c, uint32_t keys) {
    if (keys <= c->cap) return 0;
    uint32_t cap = c->cap ? c->cap : FIRST_ROOM;
    while (cap < keys) cap += cap / 2;
    void *column = homer_mem_grow(c->mem, c->column, c->cap, cap, sizeof *c->column);
    if (!column) return -ENOMEM;
    c->column = column;
    c->cap = cap;
    return 0;
}

int homer_columns_prepare(struct homer_columns *c, uint32_t key) {
    if (!c->column[key]) c->column[key] = homer_mem_alloc(c->mem, c->width, sizeof(float));
    return c->column[key] ? 0 : -ENOMEM;
}

HOMER_WIDE void homer_columns_add(const struct homer_columns *c, uint32_t key, float x, uint32_t n,
                                  float *restrict dot) {
    if (key >= c->cap || !c->column[key]) return;
    const float *column = c->column[key];
    for (uint32_t i = 0; i < n; i++) dot[i] += x * column[i];
}

void homer_columns_put_room(const struct homer_columns *c, struct homer_codec *codec) {
    homer_put_room(codec, c->cap);
    for (uint32_t k = 0; k < c->cap; k++) homer_put_room(codec, c->column[k] != NULL);
}

void homer_columns_get_room(struct homer_columns *c, uint32_t keys, struct homer_decoder *d) {
    uint32_t cap = homer_get_grown_room(d, FIRST_ROOM, keys);
    c->column = homer_get_block(d, c->mem, cap, sizeof *c->column);
    if (d->error) return;
    c->cap = cap;
    for (uint32_t k = 0; k < cap && !d->error; k++)
        if (homer_get_room(d, 0)) c->column[k] = homer_get_block(d, c->mem, c->width, sizeof(float));
}
