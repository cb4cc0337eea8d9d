/* Writes the linear experts, and reads them. */
#include <errno.h>
#include "core/leaf/linear.h"

enum { LANES = HOMER_LANES };

typedef struct homer_linear_group group;

/* Of the first n columns weight and variance side by side: all of the first filter, then all of the second.
 */
static void encode_row(const group *r, uint32_t n, struct homer_codec *c) {
    float pair[2 * LANES];
    for (int e = 0; e < 2; e++)
        for (uint32_t k = 0; k < n; k += LANES) {
            for (uint32_t i = 0; i < LANES; i++) {
                pair[2 * i] = r[k / LANES].w[e][i];
                pair[2 * i + 1] = r[k / LANES].var[e][i];
            }
            homer_put_f32s(c, pair, n - k < LANES ? 2 * (n - k) : 2 * LANES);
        }
}

static void decode_row(group *r, uint32_t n, struct homer_decoder *d) {
    float pair[2 * LANES];
    for (int e = 0; e < 2; e++)
        for (uint32_t k = 0; k < n; k += LANES) {
            uint32_t lanes = n - k < LANES ? n - k : LANES;
            homer_get_f32s(d, pair, 2 * lanes);
            for (uint32_t i = 0; i < lanes; i++) {
                r[k / LANES].w[e][i] = pair[2 * i];
                r[k / LANES].var[e][i] = pair[2 * i + 1];
            }
        }
}

void homer_linear_encode(const struct homer_linear *l, uint32_t columns, struct homer_codec *c) {
    homer_put_u32(c, columns ? l->features : 0);
    homer_put_room(c, l->row_cap);
    homer_put_room(c, l->groups_cap);
    homer_put_room(c, l->prepared_cap);
    if (!columns) return; /* nothing was learned, whatever has room already */
    for (uint32_t j = 0; j <= l->features; j++) {
        const group *r = j < l->features ? l->row[j] : l->bias;
        if (l->config.max_groups) homer_put_u8(c, r == l->fresh);
        if (r != l->fresh) encode_row(r, columns, c);
    }
}

void homer_linear_decode(struct homer_linear *l, uint32_t features, uint32_t columns,
                         struct homer_decoder *d) {
    homer_get_holds(d, homer_get_u32(d) == (columns ? features : 0));
    uint32_t rows = homer_get_room(d, columns ? features : 0);
    uint32_t groups = homer_get_room(d, (columns + LANES - 1) / LANES);
    l->prepared_cap = homer_get_room(d, 0);
    l->prepared = homer_get_block(d, l->mem, l->prepared_cap, sizeof *l->prepared);
    if (!homer_get_holds(d, groups <= UINT32_MAX / 2 / LANES)) return;
    if (homer_linear_make_room(l, rows, groups * LANES)) homer_get_fail(d, -ENOMEM);
    if (!homer_get_holds(d, l->row_cap == rows && l->groups_cap == groups) || !columns) return;
    for (uint32_t j = 0; j <= features && !d->error; j++) {
        bool fresh = l->config.max_groups && homer_get_u8(d, j < features); /* the bias is none */
        if (j < features) l->row[l->features++] = l->fresh;
        if (j < features && !fresh && homer_linear_make_row(l, j)) homer_get_fail(d, -ENOMEM);
        if (!fresh && !d->error) decode_row(j < features ? l->row[j] : l->bias, columns, d);
    }
}
