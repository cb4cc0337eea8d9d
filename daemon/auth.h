/* The token that clients have to show: read from a file, compared in constant time, never written anywhere.
 * Loop thread only. */
#ifndef HOMER_DAEMON_AUTH_H
#define HOMER_DAEMON_AUTH_H

#include "core/base/err.h"
#include "daemon/session.h"
#include "proto/request.h"
#include "proto/token.h"

enum { HOMER_AUTH_TRIES = 3 }; /* wrong tokens, after which the connection is closed */

struct homer_auth {
    bool needed;                          /* false: everybody is trusted */
    unsigned char token[HOMER_TOKEN_MAX]; /* zeros behind it */
    size_t n;
};

/* Reads the token from `path` (NULL: none is needed); one newline at its end does not count. *a is replaced
 * on success and unchanged on failure: HOMER_E_BAD_REQUEST or a negative errno; err names the file and what
 * to do. `user`: whom the daemon is going to run as; his file is as good as ours. */
int homer_auth_load(struct homer_auth *a, const char *path, unsigned user, struct homer_error *err);
void homer_auth_wipe(struct homer_auth *a);

/* Whether anybody may ask it at any moment: it tells nothing of a model and needs none. */
bool homer_auth_is_open(enum homer_op op);
/* May this session have `op` answered? 0 or HOMER_E_DENIED. */
int homer_auth_check(const struct homer_session *session, enum homer_op op, struct homer_error *err);
/* Shows a token: 0, and the session is trusted, or HOMER_E_DENIED, counted in session->refused. In a time
 * that does not depend on the right token. */
int homer_auth_show(const struct homer_auth *a, struct homer_session *session, struct homer_str token,
                    struct homer_error *err);

#endif
