/* Files that hold secrets: read whole, and only when nobody else could have read or written them. Start-up
 * and reload only; one thread. */
#ifndef HOMER_DAEMON_SECRET_H
#define HOMER_DAEMON_SECRET_H

#include <stddef.h>
#include <sys/types.h>
#include "core/base/err.h"

/* Reads the file at `path` into out[0..cap) and gives its length in *n. Its mode may let nobody but its owner
 * in, and its owner must be root, the user this process runs as, or `other` (whom it is going to run as).
 * `key`: the configuration key that named it, for messages. 0; HOMER_E_BAD_REQUEST or a negative errno, with
 * err saying what to do. */
int homer_secret_read(const char *path, const char *key, uid_t other, char *out, size_t cap, size_t *n,
                      struct homer_error *err);
/* Overwrites, in a way that no compiler leaves out. */
void homer_secret_wipe(void *p, size_t n);

#endif
