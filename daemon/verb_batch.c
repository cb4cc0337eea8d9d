/* batch: several requests in one line, several replies in one line.
 *
 * Each item's reply is the object it would get by itself. An item with noreply has none unless it fails, so a
 * batch of such items costs no reply bytes; give items an id to tell which one a failure belongs to. */
#include <errno.h>

#include "daemon/verbs.h"

static size_t short_bytes(const struct homer_request *req) {
    return HOMER_SHORT_REPLY + req->id.n + 1; /* and a comma */
}

/* One more element of the list; refused when the reply is long enough already. */
static void answer_item(struct homer_engine *e, const struct homer_request *item, size_t begin,
                        struct homer_reply *r) {
    struct homer_error err;
    if (item->error.code || r->out->n - begin <= e->config->max_reply) {
        homer_engine_answer(e, item, r);
        return;
    }
    homer_err_limit(&err, HOMER_E_TOO_LARGE, "max_reply",
                    "the batch's reply is over %zu bytes; this item was not run", e->config->max_reply);
    homer_engine_refuse(e, r, &err, &item->id);
}

int homer_verb_batch(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                     struct homer_error *err) {
    size_t outer = e->tail, begin = r->out->n;
    homer_reply_begin_ok(r, req);
    homer_reply_open(r, "replies", '[');
    /* Room for a short reply to every item behind the current one, and for the end of the list: what was
     * applied can always be acknowledged. */
    e->tail = outer + sizeof "]}\n";
    for (size_t i = 0; i < req->items_n; i++) e->tail += short_bytes(&req->items[i]);
    if (!homer_engine_fits(e, r)) {
        e->tail = outer;
        return homer_err_set(err, -ENOMEM, "no memory for the replies of a batch");
    }
    for (size_t i = 0; i < req->items_n; i++) {
        e->tail -= short_bytes(&req->items[i]);
        answer_item(e, &req->items[i], begin, r);
    }
    e->tail = outer;
    homer_reply_close(r, ']');
    homer_reply_end(r);
    return 0;
}
