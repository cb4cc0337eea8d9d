/* hello, ping, help, quit, config, digest: about the daemon rather than its learning. */
#include <errno.h>
#include <string.h>

#include "daemon/verbs.h"

enum { PROTOCOL_VERSION = 1 };

static const char *const usage[HOMER_OP_COUNT] = {
    [HOMER_OP_HELLO] = "{\"op\":\"hello\"}: protocol version, verbs, limits, models",
    [HOMER_OP_PING] = "{\"op\":\"ping\"}: answers at once",
    [HOMER_OP_HELP] = "{\"op\":\"help\"}: this list",
    [HOMER_OP_QUIT] = "{\"op\":\"quit\"}: closes the connection once everything is answered",
    [HOMER_OP_AUTH] = "{\"op\":\"auth\",\"token\":..}: what a daemon with a token wants first",
    [HOMER_OP_LEARN] =
        "{\"x\":{feature:value},\"y\":[label]} or \"text\" for \"x\"; \"y\":{label:true|false} is partial; "
        "w, src and n, noreply: learns an instance",
    [HOMER_OP_PREDICT] =
        "{\"x\":{feature:value}} or \"text\"; k, threshold, objective, scores, track: predicts labels",
    [HOMER_OP_TEST] = "{\"op\":\"test\",\"x\":..,\"y\":..}; as predict, metrics: predicts, then learns",
    [HOMER_OP_LABEL] =
        "{\"op\":\"label\",\"ref\":id,\"y\":[label]}: learns what a predict with id and track showed",
    [HOMER_OP_BATCH] = "{\"op\":\"batch\",\"items\":[request]}: several requests, one line of replies",
    [HOMER_OP_STATS] = "{\"op\":\"stats\"}: counters, memory, throughput, prequential metrics",
    [HOMER_OP_LABELS] = "{\"op\":\"labels\"}; prefix, limit: known labels with counts",
    [HOMER_OP_FEATURES] = "{\"op\":\"features\"}; prefix, limit: known features with types",
    [HOMER_OP_HIERARCHY] =
        "{\"op\":\"hierarchy\"}; format (json, dot): how the labels group, with figures of every group",
    [HOMER_OP_DRIFTS] =
        "{\"op\":\"drifts\"}; since, limit: changes of the hierarchy, drifts, splits of trees",
    [HOMER_OP_CONFIG] = "{\"op\":\"config\"}: the effective configuration",
    [HOMER_OP_DIGEST] = "{\"op\":\"digest\"}: a hash of the model's state",
    [HOMER_OP_SNAPSHOT] = "{\"op\":\"snapshot\"}: writes the whole state to disk, answers when it is there",
    [HOMER_OP_MODEL_CREATE] = "{\"op\":\"model.create\",\"name\":..}; config: one more model",
    [HOMER_OP_MODEL_DROP] = "{\"op\":\"model.drop\",\"name\":..}: forgets a model",
    [HOMER_OP_MODEL_LIST] = "{\"op\":\"model.list\"}: the models",
};

static void write_limits(struct homer_reply *r, const struct homer_config *c) {
    homer_reply_open(r, "limits", '{');
    homer_reply_u64(r, "max_line", c->request.max_line);
    homer_reply_u64(r, "max_depth", c->request.max_depth);
    homer_reply_u64(r, "max_name", c->request.max_name);
    homer_reply_u64(r, "max_items", c->request.max_items);
    homer_reply_u64(r, "max_x", c->request.max_x);
    homer_reply_u64(r, "max_y", c->request.max_y);
    homer_reply_u64(r, "max_reply", c->max_reply);
    homer_reply_u64(r, "max_models", c->max_models);
    homer_reply_u64(r, "max_connections", c->conn.max_connections);
    homer_reply_u64(r, "max_labels", c->model.max_labels);
    homer_reply_u64(r, "max_features", c->model.max_features);
    homer_reply_close(r, '}');
}

int homer_verb_hello(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                     struct homer_error *err) {
    (void)err;
    homer_reply_begin_ok(r, req);
    homer_reply_u64(r, "protocol", PROTOCOL_VERSION);
    homer_reply_string(r, "server", "homerd", 6);
    homer_reply_string(r, "version", HOMER_VERSION, strlen(HOMER_VERSION));
    homer_reply_open(r, "verbs", '[');
    for (int op = HOMER_OP_NONE + 1; op < HOMER_OP_COUNT; op++) {
        const char *word = homer_op_word((enum homer_op)op);
        if (homer_engine_verb((enum homer_op)op)) homer_reply_string(r, NULL, word, strlen(word));
    }
    homer_reply_close(r, ']');
    write_limits(r, e->config);
    homer_reply_open(r, "models", '[');
    for (size_t i = 0; i < e->entry_n; i++)
        homer_reply_string(r, NULL, e->entry[i]->name, strlen(e->entry[i]->name));
    homer_reply_close(r, ']');
    homer_stats_durability(e, r, false);
    homer_reply_end(r);
    return 0;
}

int homer_verb_ping(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                    struct homer_error *err) {
    (void)e, (void)err;
    homer_reply_begin_ok(r, req);
    homer_reply_bool(r, "pong", true);
    homer_reply_end(r);
    return 0;
}

/* For a program an object by verb, for a person at a terminal the lines in order. */
int homer_verb_help(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                    struct homer_error *err) {
    (void)e, (void)err;
    homer_reply_begin_ok(r, req);
    homer_reply_open(r, "help", req->bare ? '[' : '{');
    for (int op = HOMER_OP_NONE + 1; op < HOMER_OP_COUNT; op++)
        if (homer_engine_verb((enum homer_op)op))
            homer_reply_string(r, req->bare ? NULL : homer_op_word((enum homer_op)op), usage[op],
                               strlen(usage[op]));
    homer_reply_close(r, req->bare ? ']' : '}');
    homer_reply_end(r);
    return 0;
}

int homer_verb_quit(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                    struct homer_error *err) {
    (void)err;
    homer_reply_begin_ok(r, req);
    homer_reply_bool(r, "bye", true);
    homer_reply_end(r);
    e->flags |= HOMER_LINE_QUIT;
    return 0;
}

int homer_verb_config(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                      struct homer_error *err) {
    (void)err;
    homer_reply_begin_ok(r, req);
    homer_reply_raw(r, "config", "", 0); /* the printer appends the value behind the key */
    homer_config_print(e->config, r->out);
    homer_reply_end(r);
    return 0;
}

int homer_verb_digest(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                      struct homer_error *err) {
    struct homer_entry *entry;
    char hex[33];
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc) return rc;
    rc = homer_entry_digest(entry, hex);
    if (rc) return rc;
    homer_reply_begin_ok(r, req);
    homer_reply_string(r, "digest", hex, strlen(hex));
    homer_reply_u64(r, "seq", homer_model_seq(entry->model));
    homer_reply_end(r);
    return 0;
}
