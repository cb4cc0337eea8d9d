/* model.create, model.drop, model.list: several independent models in one daemon. */
#include <string.h>

#include "daemon/journal.h"

static void acknowledge(const struct homer_engine *e, const struct homer_request *req,
                        struct homer_reply *r) {
    homer_reply_begin_ok(r, req);
    homer_reply_string(r, "name", req->name.s, req->name.n);
    homer_journal_promise(e, r);
    homer_reply_end(r);
}

int homer_verb_model_create(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                            struct homer_error *err) {
    struct homer_entry *entry;
    struct homer_model_config config = e->config->model;
    if (homer_engine_find(e, req->name, &entry, NULL) == 0)
        return homer_err_set(err, HOMER_E_MODEL_EXISTS, "there already is a model \"%s\"", entry->name);
    if (e->entry_n >= e->config->max_models)
        return homer_err_limit(err, HOMER_E_TOO_MANY, "max_models", "there already are %u models",
                               e->config->max_models);
    int rc = req->config.s ? homer_config_model(&config, req->config, err) : 0;
    if (rc == 0) rc = homer_engine_add(e, req->name, &config, false);
    if (rc) return rc;
    entry = e->entry[e->entry_n - 1];
    rc = homer_journal_create(e, entry, err);
    if (rc) {
        homer_engine_drop(e, entry);
        return rc;
    }
    acknowledge(e, req, r);
    return 0;
}

int homer_verb_model_drop(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                          struct homer_error *err) {
    struct homer_entry *entry;
    const struct homer_record rec = {.kind = HOMER_RECORD_MODEL_DROP, .request = req};
    int rc = homer_engine_find(e, req->name, &entry, err);
    if (rc == 0) rc = homer_journal_begin(e, &rec, err);
    if (rc) return rc;
    homer_engine_drop(e, entry);
    homer_journal_end(e);
    acknowledge(e, req, r);
    return 0;
}

int homer_verb_model_list(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                          struct homer_error *err) {
    (void)err;
    homer_reply_begin_ok(r, req);
    homer_reply_open(r, "models", '[');
    for (size_t i = 0; i < e->entry_n; i++) {
        const struct homer_entry *entry = e->entry[i];
        const struct homer_schema *s = homer_model_schema(entry->model);
        homer_reply_open(r, NULL, '{');
        homer_reply_string(r, "name", entry->name, strlen(entry->name));
        homer_reply_u64(r, "seq", homer_model_seq(entry->model));
        homer_reply_u64(r, "labels", s->labels.n);
        homer_reply_u64(r, "features", s->features.n);
        homer_reply_u64(r, "used_bytes", homer_model_mem(entry->model)->used_bytes);
        homer_reply_raw(r, "config", "", 0); /* the printer appends the value behind the key */
        homer_config_print_model(homer_model_config(entry->model), r->out);
        homer_reply_close(r, '}');
    }
    homer_reply_close(r, ']');
    homer_reply_end(r);
    return 0;
}
