/* Expert `ema`: two exponentially decayed label frequencies, decay .9 and .98, each mixed .97/.03 with the
 * prior. */
#ifndef HOMER_LEAF_RECENT_H
#define HOMER_LEAF_RECENT_H

#include "core/base/grid.h"
#include "core/leaf/expert.h"

enum { HOMER_RECENT_ROWS = 2 };
extern const float homer_recent_decay[HOMER_RECENT_ROWS];

struct homer_recent {
    struct homer_grid frequency; /* f32: a row per decay */
};

/* Everything else through homer_recent_ops. */
void homer_recent_init(struct homer_recent *r, struct homer_mem *mem);

#endif
