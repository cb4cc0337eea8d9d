#include "daemon/journal.h"

#include <errno.h>
#include <string.h>

int homer_journal_begin(struct homer_engine *e, const struct homer_record *rec, struct homer_error *err) {
    char *room;
    if (!e->store) return 0;
    e->record_n = homer_record_size(rec);
    int rc = homer_store_reserve(e->store, e->record_n, &room, err);
    if (rc == 0) homer_record_encode(rec, room);
    if (rc == HOMER_E_BUSY && !e->tail) e->flags |= HOMER_LINE_AGAIN; /* a batch cannot be taken back */
    return rc;
}

static int write_config(struct homer_engine *e, enum homer_record_kind kind, const struct homer_entry *entry,
                        struct homer_error *err) {
    const struct homer_request req = {.model = {"default", 7},
                                      .name = {entry->name, strlen(entry->name)},
                                      .config = {entry->config.data, entry->config.n},
                                      .weight = 1};
    const struct homer_record rec = {.kind = kind, .flag = entry->is_ours, .request = &req};
    int rc = homer_journal_begin(e, &rec, err);
    if (rc == 0) homer_journal_end(e);
    return rc;
}

int homer_journal_create(struct homer_engine *e, const struct homer_entry *entry, struct homer_error *err) {
    return write_config(e, HOMER_RECORD_MODEL_CREATE, entry, err);
}

int homer_journal_config(struct homer_engine *e, const struct homer_entry *entry, struct homer_error *err) {
    return write_config(e, HOMER_RECORD_MODEL_CONFIG, entry, err);
}

void homer_journal_end(struct homer_engine *e) {
    if (!e->store) return;
    homer_store_append(e->store, e->record_n);
    homer_journal_wait(e);
}

void homer_journal_wait(struct homer_engine *e) {
    if (e->store && homer_store_is_behind(e->store)) e->flags |= HOMER_LINE_HOLD;
}

void homer_journal_promise(const struct homer_engine *e, struct homer_reply *r) {
    if (!e->store) return;
    const char *word = homer_store_promise(&e->config->store);
    homer_reply_string(r, "durable", word, strlen(word));
}

/* ---- replay ---- */

static int relearn(struct homer_engine *e, const struct homer_record *rec, struct homer_error *err) {
    struct homer_entry *entry;
    int rc = homer_engine_find(e, rec->request->model, &entry, err);
    if (rc) return rc;
    /* It was accepted, so there was room for it: memory counted otherwise must not refuse it now. */
    struct homer_mem *mem = homer_model_mem(entry->model);
    size_t cap = mem->max_bytes;
    rc = homer_engine_learn(e, entry, rec, NULL, NULL, err);
    if (rc == HOMER_E_TOO_MANY) {
        mem->max_bytes = 0;
        rc = homer_engine_learn(e, entry, rec, NULL, NULL, err);
        mem->max_bytes = cap;
    }
    if (rc == 0 && rec->kind == HOMER_RECORD_LABEL) {
        struct homer_pending_item *item =
            homer_pending_find(&e->pending, rec->request->model, rec->request->ref);
        if (item) homer_pending_remove(&e->pending, item); /* it may have been too old to be kept */
    }
    return rc;
}

static int track_again(struct homer_engine *e, const struct homer_record *rec, const char *payload, size_t n,
                       struct homer_error *err) {
    struct homer_pending_item *item;
    int rc =
        homer_pending_make(&e->pending, rec->request->model, rec->request->ref, n, rec->time_ms, &item, err);
    if (rc == HOMER_E_TOO_MANY) return 0; /* the bounds are lower now */
    if (rc) return rc;
    memcpy(homer_pending_room(item), payload, n);
    homer_pending_put(&e->pending, item);
    return 0;
}

static int create_again(struct homer_engine *e, const struct homer_record *rec, struct homer_error *err) {
    struct homer_model_config config = e->config->model;
    struct homer_entry *entry;
    if (homer_engine_find(e, rec->request->name, &entry, NULL) == 0)
        return homer_err_set(err, HOMER_E_MODEL_EXISTS, "the model \"%s\" exists already", entry->name);
    int rc = homer_config_model(&config, rec->request->config, err);
    return rc ? rc : homer_engine_add(e, rec->request->name, &config, rec->flag);
}

static int configure_again(struct homer_engine *e, const struct homer_record *rec, struct homer_error *err) {
    struct homer_model_config config = e->config->model;
    struct homer_entry *entry;
    int rc = homer_engine_find(e, rec->request->name, &entry, err);
    if (rc == 0) rc = homer_config_model(&config, rec->request->config, err);
    return rc ? rc : homer_engine_reconfigure(e, entry, &config);
}

static int drop_again(struct homer_engine *e, const struct homer_record *rec, struct homer_error *err) {
    struct homer_entry *entry;
    int rc = homer_engine_find(e, rec->request->name, &entry, err);
    if (rc == 0) homer_engine_drop(e, entry);
    return rc;
}

int homer_engine_replay(struct homer_engine *e, const char *payload, size_t n, struct homer_error *err) {
    struct homer_record decoded, *rec = &decoded;
    int rc = homer_record_decode(rec, &e->decoded, payload, n, err);
    if (rc) return rc;
    switch (rec->kind) {
    case HOMER_RECORD_LEARN:
    case HOMER_RECORD_LABEL:
        return relearn(e, rec, err);
    case HOMER_RECORD_TRACK:
        return track_again(e, rec, payload, n, err);
    case HOMER_RECORD_MODEL_CREATE:
        return create_again(e, rec, err);
    case HOMER_RECORD_MODEL_DROP:
        return drop_again(e, rec, err);
    case HOMER_RECORD_MODEL_CONFIG:
        return configure_again(e, rec, err);
    case HOMER_RECORD_KINDS:
        break;
    }
    return homer_err_set(err, HOMER_E_INTERNAL, "a record of an unknown kind");
}
