/* Instances made up for a load: {"x":{...},"y":[...]} lines with something to learn in them. For speed, not
 * for accuracy: tests/streams/generate.py makes streams that are worth a study. The same options give the
 * same lines everywhere. One thread. */
#ifndef HOMER_CLI_SYNTHETIC_H
#define HOMER_CLI_SYNTHETIC_H

#include <stdint.h>
#include "core/base/buf.h"
#include "core/base/rng.h"

struct homer_synthetic {
    /* set by the caller, each at least 1 */
    uint64_t features, labels;
    uint64_t nonzero; /* features an instance has; below `features` the instances are sparse, of ones */
    struct homer_rng rng;
};

/* Sets *out to the next instance. Dense: every feature a number of 4 decimals, each of 1 to 3 labels moves
 * half of them up or down. Sparse: about `nonzero` features, half of them of the instance's labels. `out`
 * fails when there is no memory. */
void homer_synthetic_line(struct homer_synthetic *s, struct homer_buf *out);

#endif
