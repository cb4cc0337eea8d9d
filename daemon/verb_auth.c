/* auth: the client shows the token. A wrong one is an error like any other; after some the connection ends.
 */
#include "daemon/verbs.h"

int homer_verb_auth(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                    struct homer_error *err) {
    static const struct homer_auth nobody = {.needed = true};
    int rc = homer_auth_show(e->auth ? e->auth : &nobody, e->session, req->token, err);
    if (rc) {
        if (e->session->refused >= HOMER_AUTH_TRIES) e->flags |= HOMER_LINE_QUIT;
        return rc;
    }
    homer_reply_begin_ok(r, req);
    homer_reply_end(r);
    return 0;
}
