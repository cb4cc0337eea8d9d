/* Sends the lines of a source to a daemon as pipelined requests and takes the replies: what `replay` and
 * `learn` do.
 *
 * At most `window` requests and a megabyte are under way. A line that is refused is reported by its place and
 * the pump goes on. One thread. */
#ifndef HOMER_CLI_PUMP_H
#define HOMER_CLI_PUMP_H

#include <jansson.h>
#include "clients/c/homer.h"
#include "clients/cli/curve.h"
#include "clients/cli/progress.h"
#include "clients/cli/source.h"

struct homer_pump {
    /* set by the caller; all borrowed */
    struct homer_client *client;
    struct homer_source *source;
    const char *op;    /* "test" or "learn" */
    const char *model; /* a model's name; NULL = default, and none is named in the requests */
    const char *src;   /* numbers the lines for this source, so that none is learned twice; NULL = does not */
    uint64_t window;   /* requests in flight at most, at least 1 */
    double rate;       /* instances per second; 0 = as fast as it goes */
    struct homer_curve *curve;       /* NULL = none */
    struct homer_progress *progress; /* fed with stats about once a second */

    /* results */
    uint64_t sent;     /* instances */
    uint64_t done;     /* of them, acknowledged: learned */
    uint64_t repeated; /* of those, learned before: their numbers were known */
    uint64_t refused;  /* lines that were no instance, or that the daemon refused */
    double seconds;    /* from the first send to the last reply */
    int interrupted;   /* the signal that ended it, 0 = none */
    bool lost;         /* the connection is of no use any more */
};

/* Runs until the source's end, an interrupt (then replies under way are awaited for two seconds) or an error.
 * Refused lines are reported on standard error; a file that cannot be read on ends it as its end would. 0, or
 * a negative errno; the results are valid either way. */
int homer_pump_run(struct homer_pump *p, struct homer_error *err);

#endif
