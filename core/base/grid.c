#include "core/base/grid.h"

#include <errno.h>
#include <string.h>

void homer_grid_init(struct homer_grid *g, struct homer_mem *mem, uint32_t rows, uint32_t size) {
    *g = (struct homer_grid){.mem = mem, .rows = rows, .size = size};
}

void homer_grid_deinit(struct homer_grid *g) {
    homer_mem_free(g->mem, g->data, (size_t)g->rows * g->cap, g->size);
    g->data = NULL;
    g->cap = 0;
}

int homer_grid_reserve(struct homer_grid *g, uint32_t columns) {
    if (columns <= g->cap) return 0;
    uint32_t cap = g->cap ? g->cap : 16;
    while (cap < columns) cap = cap < 128 ? cap * 2 : (cap + cap / 2 + 15) / 16 * 16;
    char *data = homer_mem_alloc(g->mem, (size_t)g->rows * cap, g->size);
    if (!data) return -ENOMEM;
    for (uint32_t r = 0; r < g->rows && g->cap; r++)
        memcpy(data + (size_t)r * cap * g->size, homer_grid_row(g, r), (size_t)g->cap * g->size);
    homer_mem_free(g->mem, g->data, (size_t)g->rows * g->cap, g->size);
    g->data = data;
    g->cap = cap;
    return 0;
}

void homer_grid_put_room(const struct homer_grid *g, struct homer_codec *c) {
    homer_put_room(c, g->cap);
}

bool homer_grid_get_room(struct homer_grid *g, uint32_t least, struct homer_decoder *d) {
    uint32_t cap = homer_get_room(d, least);
    if (homer_grid_reserve(g, cap)) homer_get_fail(d, -ENOMEM);
    return homer_get_holds(d, g->cap == cap);
}

void homer_grid_copy_column(struct homer_grid *g, uint32_t from, uint32_t to) {
    for (uint32_t r = 0; r < g->rows; r++) {
        char *row = homer_grid_row(g, r);
        memcpy(row + (size_t)to * g->size, row + (size_t)from * g->size, g->size);
    }
}
