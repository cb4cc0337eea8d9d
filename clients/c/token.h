/* Showing the daemon its token. Private to libhomer. */
#ifndef HOMER_CLIENT_TOKEN_H
#define HOMER_CLIENT_TOKEN_H

#include "clients/c/homer.h"

/* Reads the token from `file` (one newline at its end does not count) and has the daemon take it, as the
 * first thing on a fresh connection. 0; -EINVAL for a file that cannot be read or holds no token; -EACCES
 * when the daemon does not take it; -ETIMEDOUT; what homer_client_step returns. No message shows the token.
 */
int homer_client_show_token(struct homer_client *c, const char *file, int timeout_ms,
                            struct homer_error *err);

#endif
