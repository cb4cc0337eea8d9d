/* Drives connections with a load and measures what comes back: several connections, one thread.
 *
 * Closed loop (rate 0): every connection keeps up to `pipeline` requests under way and sends more when half
 * of them are answered. A request's latency runs from the moment its last byte is given to the socket to the
 * moment its reply is read.
 * Open loop: requests are due at even intervals, whatever the daemon does, and are dealt to the connections
 * in turn. Latency runs from the moment a request was due: when the daemon falls behind, the wait of the
 * requests that could not be sent in time counts too. */
#ifndef HOMER_CLI_DRIVE_H
#define HOMER_CLI_DRIVE_H

#include "clients/c/homer.h"
#include "clients/cli/latency.h"
#include "clients/cli/load.h"
#include "clients/cli/progress.h"

enum { HOMER_DRIVE_CODES = 24, HOMER_DRIVE_CODE_BYTES = 32 };

/* What became of the requests of one verb. */
struct homer_drive_verb {
    uint64_t done, failed; /* replies; of them, errors */
    struct homer_latency latency;
};

struct homer_drive {
    /* set by the caller; all borrowed */
    const struct homer_load *load; /* sent again and again; connection i begins at the i-th part */
    struct homer_client **client;  /* [client_n], with nothing queued nor under way */
    size_t client_n;
    uint64_t pipeline; /* requests under way on a connection, at most, at least 1 */
    uint64_t requests; /* ends after so many, in all; 0 = by time */
    double seconds;    /* ends after so long; 0 = by number */
    double warmup;     /* seconds before, of which nothing is counted; 0 = none */
    double rate;       /* requests a second, in all; 0 = closed loop */
    struct homer_progress *progress;

    /* results, without the warm-up */
    struct homer_drive_verb by[HOMER_VERBS];
    struct {
        char code[HOMER_DRIVE_CODE_BYTES];
        uint64_t n;
    } error[HOMER_DRIVE_CODES]; /* [error_n]; codes beyond the last count there */
    size_t error_n;
    uint64_t bytes_out, bytes_in;
    double measured; /* seconds, to the last reply */
    int interrupted; /* the signal that ended it, 0 = none */
    bool lost;       /* a connection is of no use any more */
};

/* Runs to the end, an interrupt (then replies under way are awaited for two seconds) or an error. 0, or a
 * negative errno; the results are valid either way. */
int homer_drive_run(struct homer_drive *d, struct homer_error *err);

#endif
