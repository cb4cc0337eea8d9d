#include "daemon/engine.h"

#include <errno.h>
#include <string.h>

#include "daemon/verbs.h"

enum { BATCH_MAX = 256 << 20 }; /* bytes of all interrupted batches */

static const homer_verb_fn verbs[HOMER_OP_COUNT] = {
    [HOMER_OP_HELLO] = homer_verb_hello,
    [HOMER_OP_PING] = homer_verb_ping,
    [HOMER_OP_HELP] = homer_verb_help,
    [HOMER_OP_QUIT] = homer_verb_quit,
    [HOMER_OP_AUTH] = homer_verb_auth,
    [HOMER_OP_LEARN] = homer_verb_learn,
    [HOMER_OP_PREDICT] = homer_verb_predict,
    [HOMER_OP_TEST] = homer_verb_test,
    [HOMER_OP_LABEL] = homer_verb_label,
    [HOMER_OP_BATCH] = homer_verb_batch,
    [HOMER_OP_STATS] = homer_verb_stats,
    [HOMER_OP_LABELS] = homer_verb_labels,
    [HOMER_OP_FEATURES] = homer_verb_features,
    [HOMER_OP_HIERARCHY] = homer_verb_hierarchy,
    [HOMER_OP_DRIFTS] = homer_verb_drifts,
    [HOMER_OP_CONFIG] = homer_verb_config,
    [HOMER_OP_DIGEST] = homer_verb_digest,
    [HOMER_OP_SNAPSHOT] = homer_verb_snapshot,
    [HOMER_OP_MODEL_CREATE] = homer_verb_model_create,
    [HOMER_OP_MODEL_DROP] = homer_verb_model_drop,
    [HOMER_OP_MODEL_LIST] = homer_verb_model_list,
};

homer_verb_fn homer_engine_verb(enum homer_op op) {
    return op < HOMER_OP_COUNT ? verbs[op] : NULL;
}

int homer_engine_new(struct homer_engine **out, const struct homer_config *config, const uint8_t hash_key[16],
                     const struct homer_clock *clock) {
    struct homer_mem own = {0};
    struct homer_engine *e = homer_mem_alloc(&own, 1, sizeof *e);
    if (!e) return -ENOMEM;
    e->mem = own;
    e->config = config;
    e->clock = *clock;
    e->started_ms = clock->now_ms();
    e->batch_max = BATCH_MAX;
    memcpy(e->hash_key, hash_key, sizeof e->hash_key);
    homer_request_init(&e->decoded, &e->mem);
    homer_pending_init(&e->pending, &e->mem, hash_key, &config->pending);
    int rc = homer_resolver_init(&e->resolver, &e->mem, hash_key);
    if (rc == 0) rc = homer_ahead_new(&e->ahead, &config->request);
    if (rc == 0 && !config->store.dir)
        rc = homer_engine_add(e, (struct homer_str){"default", 7}, &config->model, true);
    if (rc) {
        homer_engine_free(e);
        return rc;
    }
    *out = e;
    return 0;
}

struct homer_engine *homer_engine_free(struct homer_engine *e) {
    if (!e) return NULL;
    homer_engine_clear(e);
    homer_mem_free(&e->mem, e->entry, e->entry_cap, sizeof(struct homer_entry *));
    homer_mem_free(&e->mem, e->best, e->best_cap, sizeof *e->best);
    homer_resolver_deinit(&e->resolver);
    homer_ahead_free(e->ahead);
    homer_request_deinit(&e->decoded);
    struct homer_mem own = e->mem;
    return homer_mem_free(&own, e, 1, sizeof *e);
}

void homer_engine_clear(struct homer_engine *e) {
    while (e->entry_n) homer_engine_drop(e, e->entry[e->entry_n - 1]);
    homer_pending_deinit(&e->pending);
}

struct homer_ahead *homer_engine_ahead(struct homer_engine *e) {
    return e->ahead;
}

void homer_engine_guard(struct homer_engine *e, const struct homer_auth *auth) {
    e->auth = auth;
}

void homer_engine_watch(struct homer_engine *e, const struct homer_conn_stats *stats) {
    e->conns = stats;
}

int homer_engine_find(struct homer_engine *e, struct homer_str name, struct homer_entry **out,
                      struct homer_error *err) {
    for (size_t i = 0; i < e->entry_n; i++) {
        struct homer_entry *entry = e->entry[i];
        if (strlen(entry->name) == name.n && memcmp(entry->name, name.s, name.n) == 0) {
            *out = entry;
            return 0;
        }
    }
    return homer_err_set(err, HOMER_E_UNKNOWN_MODEL, "there is no model \"%.*s\"", homer_name_cut(name),
                         name.s);
}

static void entry_free(struct homer_engine *e, struct homer_entry *entry) {
    homer_model_free(entry->model);
    homer_sources_deinit(&entry->sources);
    homer_buf_deinit(&entry->config);
    homer_mem_free(&e->mem, entry, 1, sizeof *entry);
}

int homer_engine_add(struct homer_engine *e, struct homer_str name, const struct homer_model_config *config,
                     bool is_ours) {
    if (name.n > HOMER_MODEL_NAME) return -EINVAL; /* the parser refuses such names */
    if (e->entry_n == e->entry_cap) {
        size_t cap = e->entry_cap ? e->entry_cap * 2 : 8;
        struct homer_entry **grown = homer_mem_grow(&e->mem, e->entry, e->entry_cap, cap, sizeof *grown);
        if (!grown) return -ENOMEM;
        e->entry = grown;
        e->entry_cap = cap;
    }
    struct homer_entry *entry = homer_mem_alloc(&e->mem, 1, sizeof *entry);
    if (!entry) return -ENOMEM;
    homer_sources_init(&entry->sources, &e->mem, e->hash_key, e->config->max_sources);
    homer_buf_init(&entry->config, &e->mem);
    homer_config_print_model(config, &entry->config);
    int rc = entry->config.failed ? -ENOMEM : homer_model_new(&entry->model, config, e->hash_key);
    if (rc) {
        entry_free(e, entry);
        return rc;
    }
    memcpy(entry->name, name.s, name.n);
    entry->is_ours = is_ours;
    homer_rate_init(&entry->rate, e->clock.now_ms());
    e->entry[e->entry_n++] = entry;
    return 0;
}

void homer_engine_drop(struct homer_engine *e, struct homer_entry *entry) {
    size_t i = 0;
    while (e->entry[i] != entry) i++;
    e->entry_n--;
    memmove(e->entry + i, e->entry + i + 1, (e->entry_n - i) * sizeof(struct homer_entry *));
    homer_pending_forget(&e->pending, (struct homer_str){entry->name, strlen(entry->name)});
    entry_free(e, entry);
}

bool homer_engine_fits(const struct homer_engine *e, struct homer_reply *r) {
    return !r->out->failed && homer_buf_reserve(r->out, e->tail) == 0;
}

void homer_engine_refuse(struct homer_engine *e, struct homer_reply *r, const struct homer_error *err,
                         const struct homer_str *id) {
    struct homer_mark mark = homer_mark(r);
    struct homer_error told = *err;
    if (told.code < 0) told.code = HOMER_E_INTERNAL;
    homer_reply_error(r, &told, id);
    if (!homer_engine_fits(e, r)) { /* a message too long for the room that is left: the shortest there is */
        homer_err_set(&told, HOMER_E_INTERNAL, "out of memory");
        homer_undo(r, &mark);
        homer_reply_error(r, &told, id);
    }
    e->errors[told.code]++;
}

void homer_engine_answer(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r) {
    struct homer_error err = req->error;
    struct homer_mark mark = homer_mark(r);
    homer_verb_fn verb = homer_engine_verb(req->op);
    e->requests[req->op]++;
    int rc = err.code;
    if (rc == 0 && !verb)
        rc = homer_err_set(&err, HOMER_E_UNKNOWN_OP, "this version has no \"%s\"", homer_op_word(req->op));
    if (rc == 0) rc = homer_auth_check(e->session, req->op, &err);
    if (rc == 0) rc = verb(e, req, r, &err);
    if (rc == 0 && !homer_engine_fits(e, r)) rc = -ENOMEM;
    if (rc == 0) return;
    /* allocation failures come without words */
    if (err.code != rc) homer_err_set(&err, rc, rc == -ENOMEM ? "out of memory" : "internal error");
    homer_undo(r, &mark);
    homer_engine_refuse(e, r, &err, &req->id);
}

/* A line that comes before the state is there. Touches nothing that the recovery works on. */
static unsigned answer_early(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r) {
    struct homer_error err = {0};
    if (req->error.code) {
        homer_reply_error(r, &req->error, &req->id);
    } else if (homer_auth_is_open(req->op)) {
        verbs[req->op](e, req, r, &err);
    } else {
        homer_err_set(&err, HOMER_E_NOT_READY,
                      "the state is being recovered, %llu records of the log so far; try again later",
                      (unsigned long long)*e->progress);
        err.retry = true;
        homer_reply_error(r, &err, &req->id);
    }
    return e->flags;
}

unsigned homer_engine_line(void *engine, struct homer_session *session, const char *text, size_t n,
                           bool too_large, struct homer_buf *out) {
    struct homer_engine *e = engine;
    struct homer_reply r;
    if (session->batch) return homer_engine_go_on(e, session, out);
    homer_reply_init(&r, out);
    e->tail = 0;
    e->flags = 0;
    e->session = session;
    if (too_large) {
        struct homer_error err = {0};
        homer_err_limit(&err, HOMER_E_TOO_LARGE, "max_line", "the line is longer than %zu bytes",
                        e->config->request.max_line);
        e->requests[HOMER_OP_NONE]++;
        homer_engine_refuse(e, &r, &err, NULL);
        return 0;
    }
    e->current = homer_ahead_get(e->ahead, text, n);
    const struct homer_request *req = &(*e->current)->request;
    if (e->progress) return answer_early(e, req, &r);
    /* Without room for the shortest reply nothing is tried; out->failed then tells the connection. */
    if (homer_buf_reserve(out, HOMER_SHORT_REPLY + req->id.n)) return 0;
    struct homer_mark mark = homer_mark(&r);
    homer_engine_answer(e, req, &r);
    if (e->flags & HOMER_LINE_AGAIN) { /* as if it had not come yet */
        homer_undo(&r, &mark);
        e->requests[req->op]--;
        e->errors[HOMER_E_BUSY]--;
    }
    return e->flags;
}
