/* Who the daemon runs as. Start-up only; one thread. */
#ifndef HOMER_DAEMON_PRIVILEGES_H
#define HOMER_DAEMON_PRIVILEGES_H

#include <sys/types.h>
#include "core/base/err.h"

/* The ids of a user; name NULL: of whoever this process runs as. 0 or HOMER_E_BAD_REQUEST. */
int homer_user_find(const char *name, uid_t *uid, gid_t *gid, struct homer_error *err);
/* Becomes that user for good: groups, group, user, and nothing is left to go back with. Nothing to do when
 * the process runs as him already (or name is NULL); refused, when it is neither that user nor root. Comes
 * after everything that needs root is open. 0; HOMER_E_BAD_REQUEST or a negative errno, after which the
 * process has to end. */
int homer_user_become(const char *name, struct homer_error *err);

#endif
