/* What the protocol remembers of one connection between its lines. Embedded in the connection, which owns it;
 * the line handler reads and writes it. Loop thread only. */
#ifndef HOMER_DAEMON_SESSION_H
#define HOMER_DAEMON_SESSION_H

#include <stdbool.h>
#include <stdint.h>

struct homer_batch;

struct homer_session {
    uint64_t id; /* 1, 2, ... in order of arrival; never given twice, so that it may outlive the connection */
    bool trusted;      /* may ask for anything: no token is needed here, or the right one was shown */
    unsigned refused;  /* wrong tokens so far */
    uint64_t until_ns; /* of uv_hrtime: a line that takes longer should let others have their turn; 0 = it
                          need not */
    struct homer_batch *batch; /* the engine's: a line that let others have theirs; NULL = none */
};

#endif
