/* The engine's durable state: as bytes, as a digest, and taken up again. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "daemon/journal.h"
#include "daemon/log.h"

enum { STATE_VERSION = 1 };

/* ---- digest ---- */

/* What a digest hashes, and a snapshot holds of a model. */
static void encode_entry(const struct homer_entry *entry, struct homer_codec *c) {
    homer_model_encode(entry->model, c);
    if (entry->sources.name.n) homer_sources_encode(&entry->sources, c);
}

int homer_entry_digest(const struct homer_entry *entry, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    if (!h) return -ENOMEM;
    encode_entry(entry, &c);
    homer_hasher_free(h, hex);
    return 0;
}

/* ---- encode ---- */

void homer_engine_encode(const struct homer_engine *e, struct homer_codec *c) {
    homer_put_u32(c, STATE_VERSION);
    homer_put_u32(c, (uint32_t)e->entry_n);
    for (size_t i = 0; i < e->entry_n; i++) {
        const struct homer_entry *entry = e->entry[i];
        homer_put_bytes(c, entry->name, strlen(entry->name));
        homer_put_u8(c, entry->is_ours);
        homer_put_bytes(c, entry->config.data, entry->config.n);
        homer_put_u8(c, entry->sources.name.n > 0);
        encode_entry(entry, c);
    }
    homer_pending_encode(&e->pending, c);
}

/* ---- decode ---- */

enum { CONFIG_MAX = 64 * 1024 /* bytes of a model's configuration */ };

/* A string as homer_put_bytes writes it, of at most `most` bytes, instead of what is in *out. */
static int get_text(struct homer_decoder *d, struct homer_buf *out, size_t most) {
    uint64_t n = homer_get_u64(d);
    homer_buf_truncate(out, 0);
    if (!homer_get_holds(d, n <= most)) return d->error;
    if (homer_buf_reserve(out, (size_t)n + 1)) return -ENOMEM;
    homer_get_bytes(d, out->data, (size_t)n);
    out->n = (size_t)n;
    return d->error;
}

static struct homer_str str_of(const struct homer_buf *b) {
    return (struct homer_str){b->data, b->n};
}

static int decode_entry(struct homer_engine *e, struct homer_decoder *d, struct homer_buf *text) {
    struct homer_entry *entry;
    struct homer_model_config config = e->config->model;
    char name[HOMER_MODEL_NAME];
    int rc = get_text(d, text, sizeof name);
    if (rc) return rc;
    struct homer_str key = {name, text->n};
    if (key.n) memcpy(name, text->data, key.n);
    bool is_ours = homer_get_u8(d, 1);
    rc = get_text(d, text, CONFIG_MAX);
    bool has_sources = homer_get_u8(d, 1);
    if (rc || d->error) return rc ? rc : d->error;
    bool sound = key.n && homer_engine_find(e, key, &entry, NULL) != 0 &&
                 homer_config_model(&config, str_of(text), NULL) == 0;
    rc = sound ? homer_engine_add(e, key, &config, is_ours) : -EBADMSG;
    if (rc) return rc;
    entry = e->entry[e->entry_n - 1];
    rc = homer_model_decode(entry->model, d);
    if (rc == 0 && has_sources) rc = homer_sources_decode(&entry->sources, d);
    return rc;
}

int homer_engine_decode(struct homer_engine *e, struct homer_decoder *d) {
    struct homer_buf text;
    homer_buf_init(&text, &e->mem);
    bool known = homer_get_u32(d) == STATE_VERSION;
    uint32_t n = homer_get_u32(d);
    int rc = d->error ? d->error : known ? 0 : -EBADMSG;
    for (uint32_t i = 0; i < n && !rc; i++) rc = decode_entry(e, d, &text);
    if (!rc) rc = homer_pending_decode(&e->pending, d);
    homer_buf_deinit(&text);
    if (rc) homer_engine_clear(e);
    return rc;
}

/* ---- after a recovery ---- */

void homer_engine_recovering(struct homer_engine *e, const _Atomic uint64_t *progress) {
    e->progress = progress;
}

/* A model goes on with the configuration's model{}, as far as a model can change. */
int homer_engine_reconfigure(struct homer_engine *e, struct homer_entry *entry,
                             const struct homer_model_config *wanted) {
    struct homer_model_config config = e->config->model;
    struct homer_buf text;
    int rc = homer_config_model(&config, str_of(&entry->config), NULL);
    if (rc) return rc;
    homer_model_config_adopt(&config, wanted);
    homer_buf_init(&text, &e->mem);
    homer_config_print_model(&config, &text);
    if (text.failed) {
        homer_buf_deinit(&text);
        return -ENOMEM;
    }
    homer_model_adopt(entry->model, wanted);
    homer_buf_deinit(&entry->config);
    entry->config = text;
    return 0;
}

/* Models made from the daemon's model{} must still have it. */
static int check_config(struct homer_engine *e, struct homer_entry *entry, bool force,
                        struct homer_error *err) {
    struct homer_model_config built = e->config->model;
    int rc = homer_config_model(&built, str_of(&entry->config), err);
    const char *key = rc ? NULL : homer_config_difference(&built, &e->config->model);
    if (!key) return rc;
    if (!force)
        return homer_err_set(
            err, HOMER_E_BAD_REQUEST,
            "the model \"%s\" in the data folder was built with another %s; set it back, use another "
            "data folder, or start with --force-config",
            entry->name, key);
    rc = homer_engine_reconfigure(e, entry, &e->config->model);
    if (rc) return rc;
    rc = homer_config_model(&built, str_of(&entry->config), err);
    key = rc ? NULL : homer_config_difference(&built, &e->config->model);
    if (key) homer_log(HOMER_LOG_WARN, "engine", "config_kept", "model=%s key=%s", entry->name, key);
    return rc ? rc : homer_journal_config(e, entry, err);
}

int homer_engine_restored(struct homer_engine *e, struct homer_store *store, bool fresh, bool force,
                          struct homer_error *err) {
    int rc = 0;
    e->progress = NULL;
    e->store = store;
    for (size_t i = 0; i < e->entry_n && !rc; i++)
        if (e->entry[i]->is_ours) rc = check_config(e, e->entry[i], force, err);
    if (!rc && fresh) {
        rc = homer_engine_add(e, (struct homer_str){"default", 7}, &e->config->model, true);
        if (!rc) rc = homer_journal_create(e, e->entry[0], err);
    }
    return rc;
}
