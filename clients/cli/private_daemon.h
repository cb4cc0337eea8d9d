/* A homerd of our own: started on a free loopback port, stopped when we end, however we end.
 *
 * It is not left behind: stop() ends it; when this process dies without that, the kernel sends it SIGTERM. It
 * has its own process group, so that a Ctrl-C reaches only us. Nothing of it stays in the file system. One
 * thread. */
#ifndef HOMER_CLI_PRIVATE_DAEMON_H
#define HOMER_CLI_PRIVATE_DAEMON_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include "core/base/err.h"

struct homer_private {
    pid_t pid;        /* 0 = not running */
    int log_fd;       /* what it wrote to standard error; -1 = none */
    int status;       /* of waitpid, once it has ended */
    char address[32]; /* 127.0.0.1:PORT */
};

/* Starts homerd with a --set for each of set[0..set_n) and waits until it is ready. The program is $HOMERD,
 * or the homerd beside this program, or where the build tree has it, or on PATH. 0; -EINVAL when it refused
 * its configuration; another negative errno. On failure nothing runs any more and err holds what homerd said.
 * -EINTR: the user asked to stop. */
int homer_private_start(struct homer_private *d, const char *const *set, size_t set_n,
                        struct homer_error *err);
/* Stops it (SIGTERM, after ten seconds SIGKILL), waits, frees. Harmless when it does not run. */
void homer_private_stop(struct homer_private *d);
/* When it has ended by itself: says how on `to`, with the end of its log, and returns true. */
bool homer_private_died(struct homer_private *d, FILE *to);

#endif
