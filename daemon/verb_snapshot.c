/* snapshot: the whole state to disk, now. */
#include "daemon/verbs.h"

int homer_verb_snapshot(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                        struct homer_error *err) {
    struct homer_entry *entry;
    (void)r; /* the store answers when it is done */
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc) return rc;
    if (!e->store)
        return homer_err_set(err, HOMER_E_BAD_REQUEST,
                             "nothing is kept on disk; start homerd with --data-dir to have snapshots");
    rc = homer_store_snapshot(e->store, e->session->id, req->model, req->id, err);
    if (rc == 0) e->flags |= HOMER_LINE_WAIT;
    return rc;
}
