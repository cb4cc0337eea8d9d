/* batch: several requests in one line, several replies in one line.
 *
 * Each item's reply is the object it would get by itself. An item with noreply has none unless it fails, so a
 * batch of such items costs no reply bytes; give items an id to tell which one a failure belongs to. */
#include <errno.h>
#include <string.h>

#include "daemon/verbs.h"

static size_t short_bytes(const struct homer_request *req) {
    return HOMER_SHORT_REPLY + req->id.n + 1; /* and a comma */
}

/* One item behind what is already in the list. */
static void answer_item(struct homer_engine *e, const struct homer_request *item, size_t begin, bool first,
                        struct homer_buf *out) {
    struct homer_request refused;
    if (item->error.code == 0 && out->n - begin > e->config->max_reply) {
        refused = *item;
        item = &refused;
        homer_err_limit(&refused.error, HOMER_E_TOO_LARGE, "max_reply",
                        "the batch's reply is over %zu bytes; this item was not run", e->config->max_reply);
    } else if (item->error.code == 0 && (item->op == HOMER_OP_BATCH || item->op == HOMER_OP_QUIT)) {
        refused = *item;
        item = &refused;
        homer_err_set(&refused.error, HOMER_E_BAD_REQUEST, "\"%s\" cannot be an item of a batch",
                      homer_op_word(item->op));
    }
    size_t mark = out->n;
    if (!first) homer_buf_putc(out, ',');
    size_t empty = out->n;
    homer_engine_answer(e, item, out);
    if (out->n == empty)
        out->n = mark; /* noreply */
    else
        out->n--; /* the line end */
}

int homer_verb_batch(struct homer_engine *e, const struct homer_request *req, struct homer_buf *out,
                     struct homer_error *err) {
    /* Room for a short reply to every item behind the current one, and for the end of the list: what was
     * applied can always be acknowledged. */
    size_t outer = e->tail, end = outer + sizeof "]}\n";
    size_t begin = out->n;
    struct homer_reply r;
    homer_reply_init(&r, out);
    homer_reply_begin_ok(&r, req);
    homer_reply_open(&r, "replies", '[');
    e->tail = end;
    for (size_t i = 0; i < req->items_n; i++) e->tail += short_bytes(&req->items[i]);
    if (!homer_engine_fits(e, out)) {
        e->tail = outer;
        return homer_err_set(err, -ENOMEM, "no memory for the replies of a batch");
    }
    size_t list = out->n;
    for (size_t i = 0; i < req->items_n; i++) {
        e->tail -= short_bytes(&req->items[i]);
        answer_item(e, &req->items[i], begin, out->n == list, out);
    }
    homer_reply_close(&r, ']');
    homer_reply_end(&r);
    e->tail = outer;
    return 0;
}
