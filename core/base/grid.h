/* A few parallel arrays of one element type that grow together: rows x columns, one allocation. Rows are the
 * quantities (counts, means, ...), columns the labels. New elements are zero. Owner's thread. */
#ifndef HOMER_BASE_GRID_H
#define HOMER_BASE_GRID_H

#include "core/base/codec.h"

struct homer_grid {
    struct homer_mem *mem;
    char *data; /* [rows][cap] elements of `size` bytes */
    uint32_t rows, cap;
    uint32_t size;
};

void homer_grid_init(struct homer_grid *g, struct homer_mem *mem, uint32_t rows, uint32_t size);
void homer_grid_deinit(struct homer_grid *g);
/* Room for `columns` columns in every row (cap is a multiple of 16); 0, or -ENOMEM with nothing changed.
 * Moves the rows. */
int homer_grid_reserve(struct homer_grid *g, uint32_t columns);

/* Row r, borrowed until the next reserve; NULL while there are no columns. */
static inline void *homer_grid_row(const struct homer_grid *g, uint32_t r) {
    return g->data ? g->data + (size_t)r * g->cap * g->size : NULL;
}

static inline float *homer_grid_f32(const struct homer_grid *g, uint32_t r) {
    return (float *)homer_grid_row(g, r);
}

static inline double *homer_grid_f64(const struct homer_grid *g, uint32_t r) {
    return (double *)homer_grid_row(g, r);
}

/* Writes its capacity, for a snapshot only. */
void homer_grid_put_room(const struct homer_grid *g, struct homer_codec *c);
/* Reads it, `least` or more, into an empty grid. False: there is an error, and perhaps no room. */
bool homer_grid_get_room(struct homer_grid *g, uint32_t least, struct homer_decoder *d);

/* In every row: element `to` = element `from`. */
void homer_grid_copy_column(struct homer_grid *g, uint32_t from, uint32_t to);

#endif
