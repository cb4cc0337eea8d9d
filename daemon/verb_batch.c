/* batch: several requests in one line, several replies in one line.
 *
 * Each item's reply is the object it would get by itself. An item with noreply has none unless it fails, so a
 * batch of such items costs no reply bytes; give items an id to tell which one a failure belongs to.
 *
 * When the turn is over, a batch is interrupted between two items and goes on in the next turn. It keeps its
 * request object then, and the room that is reserved in the output for what its items may have to say. Where
 * there is no memory for that, or interrupted ones hold much already, it runs through. */
#include <errno.h>

#include "daemon/journal.h"

/* A batch of which some items are done. */
struct homer_batch {
    struct homer_parsed *parsed; /* NULL: not interrupted yet */
    size_t bytes;                /* of it */
    const struct homer_request *request;
    struct homer_reply reply;
    size_t next;    /* item */
    size_t written; /* bytes of reply */
    size_t tail;    /* bytes that must stay free behind it */
    bool is_held;   /* the reply waits for the log */
};

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

/* Keeps *b for the next turn. False when it cannot be. */
static bool interrupt(struct homer_engine *e, struct homer_batch *b) {
    if (b->parsed) return true;
    size_t bytes = (*e->current)->mem.used_bytes;
    if (bytes > e->batch_max || e->batch_bytes > e->batch_max - bytes) return false;
    struct homer_batch *kept = homer_mem_alloc(&e->mem, 1, sizeof *kept);
    struct homer_parsed *spare = homer_parsed_new();
    if (!kept || !spare) {
        homer_mem_free(&e->mem, kept, 1, sizeof *kept);
        homer_parsed_free(spare);
        return false;
    }
    b->bytes = bytes;
    b->parsed = *e->current;
    *e->current = spare;
    *kept = *b;
    e->session->batch = kept;
    e->batch_bytes += bytes;
    return true;
}

/* Runs items from b->next on. False: the rest in the next turn. */
static bool run(struct homer_engine *e, struct homer_batch *b) {
    const struct homer_request *req = b->request;
    size_t begin = b->reply.out->n - b->written;
    bool may_end = e->session->until_ns != 0;
    e->tail = b->tail;
    while (b->next < req->items_n) {
        const struct homer_request *item = &req->items[b->next++];
        e->tail -= short_bytes(item);
        answer_item(e, item, begin, &b->reply);
        if (!may_end || b->next == req->items_n || uv_hrtime() < e->session->until_ns) continue;
        b->written = b->reply.out->n - begin;
        b->tail = e->tail;
        b->is_held |= (e->flags & HOMER_LINE_HOLD) != 0;
        may_end = interrupt(e, b);
        if (may_end) return false;
    }
    e->tail = 0;
    homer_reply_close(&b->reply, ']');
    homer_reply_end(&b->reply);
    if (b->is_held) homer_journal_wait(e);
    return true;
}

int homer_verb_batch(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                     struct homer_error *err) {
    struct homer_batch b = {.request = req, .tail = sizeof "]}\n"};
    size_t begin = r->out->n;
    homer_reply_begin_ok(r, req);
    homer_reply_open(r, "replies", '[');
    /* Room for a short reply to every item behind the current one, and for the end of the list: what was
     * applied can always be acknowledged. */
    for (size_t i = 0; i < req->items_n; i++) b.tail += short_bytes(&req->items[i]);
    if (homer_buf_reserve(r->out, b.tail))
        return homer_err_set(err, -ENOMEM, "no memory for the replies of a batch");
    b.reply = *r;
    b.written = r->out->n - begin;
    if (!run(e, &b)) e->flags |= HOMER_LINE_MORE;
    *r = b.reply;
    return 0;
}

unsigned homer_engine_go_on(struct homer_engine *e, struct homer_session *session, struct homer_buf *out) {
    struct homer_batch *b = session->batch;
    e->flags = 0;
    e->session = session;
    b->reply.out = out;
    if (!run(e, b)) return HOMER_LINE_MORE;
    session->batch = NULL;
    e->batch_bytes -= b->bytes;
    homer_parsed_free(b->parsed);
    homer_mem_free(&e->mem, b, 1, sizeof *b);
    return e->flags;
}
