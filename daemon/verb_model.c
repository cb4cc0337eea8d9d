/* model.create, model.drop, model.list: several independent models in one daemon. */
#include <string.h>

#include "daemon/verbs.h"

/* [A-Za-z0-9_.-]{1,64} */
static bool is_model_name(struct homer_str s) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    if (s.n < 1 || s.n > HOMER_MODEL_NAME) return false;
    for (size_t i = 0; i < s.n; i++)
        if (!memchr(allowed, s.s[i], sizeof allowed - 1)) return false;
    return true;
}

static void acknowledge(const struct homer_request *req, struct homer_buf *out) {
    struct homer_reply r;
    homer_reply_init(&r, out);
    homer_reply_begin_ok(&r, req);
    homer_reply_string(&r, "name", req->name.s, req->name.n);
    homer_reply_end(&r);
}

int homer_verb_model_create(struct homer_engine *e, const struct homer_request *req, struct homer_buf *out,
                            struct homer_error *err) {
    struct homer_entry *entry;
    struct homer_model_config config = e->config->model;
    if (!is_model_name(req->name))
        return homer_err_set(err, HOMER_E_BAD_REQUEST,
                             "\"name\" must be 1 to %d of the characters A-Z a-z 0-9 _ . -",
                             HOMER_MODEL_NAME);
    if (homer_engine_find(e, req->name, &entry, NULL) == 0)
        return homer_err_set(err, HOMER_E_MODEL_EXISTS, "there already is a model \"%s\"", entry->name);
    if (e->entry_n >= e->config->max_models)
        return homer_err_limit(err, HOMER_E_TOO_MANY, "max_models", "there already are %u models",
                               e->config->max_models);
    int rc = req->config.s ? homer_config_model(&config, req->config, err) : 0;
    if (rc == 0) rc = homer_engine_add(e, req->name, &config);
    if (rc) return rc;
    acknowledge(req, out);
    return 0;
}

int homer_verb_model_drop(struct homer_engine *e, const struct homer_request *req, struct homer_buf *out,
                          struct homer_error *err) {
    struct homer_entry *entry;
    int rc = homer_engine_find(e, req->name, &entry, err);
    if (rc) return rc;
    homer_engine_drop(e, entry);
    acknowledge(req, out);
    return 0;
}

int homer_verb_model_list(struct homer_engine *e, const struct homer_request *req, struct homer_buf *out,
                          struct homer_error *err) {
    (void)err;
    struct homer_reply r;
    homer_reply_init(&r, out);
    homer_reply_begin_ok(&r, req);
    homer_reply_open(&r, "models", '[');
    for (size_t i = 0; i < e->entry_n; i++) {
        const struct homer_entry *entry = e->entry[i];
        const struct homer_schema *s = homer_model_schema(entry->model);
        const char *objective = homer_objective_word(homer_model_config(entry->model)->objective);
        homer_reply_open(&r, NULL, '{');
        homer_reply_string(&r, "name", entry->name, strlen(entry->name));
        homer_reply_u64(&r, "seq", homer_model_seq(entry->model));
        homer_reply_u64(&r, "labels", s->labels.n);
        homer_reply_u64(&r, "features", s->features.n);
        homer_reply_u64(&r, "used_bytes", homer_model_mem(entry->model)->used_bytes);
        homer_reply_string(&r, "objective", objective, strlen(objective));
        homer_reply_close(&r, '}');
    }
    homer_reply_close(&r, ']');
    homer_reply_end(&r);
    return 0;
}
