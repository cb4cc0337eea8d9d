/* Expert `ema`: two exponentially decayed label frequencies, decay .9 and .98, each mixed .97/.03 with the
 * prior. */
#ifndef HOMER_LEAF_RECENT_H
#define HOMER_LEAF_RECENT_H

#include "core/base/grid.h"
#include "core/leaf/expert.h"

struct homer_recent {
    struct homer_grid frequency; /* f32: row 0 decay .9, row 1 decay .98 */
};

/* Everything else through homer_recent_ops. */
void homer_recent_init(struct homer_recent *r, struct homer_mem *mem);

#endif
