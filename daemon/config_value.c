#include "daemon/config_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/address.h"

static void *field(struct homer_config *c, const struct homer_config_key *key) {
    return (char *)c + key->offset;
}

static const void *field_const(const struct homer_config *c, const struct homer_config_key *key) {
    return (const char *)c + key->offset;
}

/* ---- what is allowed, and what was given ---- */

static void describe(const struct homer_config_key *key, struct homer_buf *out) {
    unsigned long long min = key->min, max = key->max;
    switch (key->type) {
    case HOMER_KEY_UINT:
        homer_buf_printf(out, "an integer from %llu to %llu", min, max);
        break;
    case HOMER_KEY_REAL:
        homer_buf_printf(out, "a number from %g to %g", key->least, key->most);
        break;
    case HOMER_KEY_BYTES:
        homer_buf_printf(out, "bytes from %llu to %llu, as an integer or like \"512MiB\"", min, max);
        break;
    case HOMER_KEY_BOOL:
        homer_buf_puts(out, "true or false");
        break;
    case HOMER_KEY_STRING:
        homer_buf_puts(out, "a string that is not empty, or null");
        break;
    case HOMER_KEY_LISTEN:
        homer_buf_printf(out, "\"HOST:PORT\" or an array of at most %llu of them", max);
        break;
    case HOMER_KEY_WORD:
        for (const char *const *w = key->words; *w; w++)
            homer_buf_printf(out, "%s\"%s\"", w == key->words ? "" : " or ", *w);
        break;
    case HOMER_KEY_LACKING:
        homer_buf_printf(out, "%s: %s", key->fallback, key->meaning);
        break;
    }
    homer_buf_putc(out, '\0');
}

static int refuse(const struct homer_config_key *key, const char *name, const json_t *v,
                  struct homer_error *err) {
    struct homer_mem mem = {0};
    struct homer_buf allowed;
    char *got = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
    homer_buf_init(&allowed, &mem);
    describe(key, &allowed);
    bool cut = got && strlen(got) > 40;
    homer_err_set(err, HOMER_E_BAD_REQUEST, "%s: got %.40s%s, allowed is %s", name, got ? got : "?",
                  cut ? "..." : "", allowed.failed ? "?" : allowed.data);
    homer_buf_deinit(&allowed);
    free(got);
    return HOMER_E_BAD_REQUEST;
}

/* ---- storing ---- */

/* "4096", "512MiB": false when it is not that or does not fit. Locale-free. */
static bool parse_bytes(const char *s, uint64_t *out) {
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    uint64_t v = 0;
    if (!isdigit((unsigned char)*s)) return false;
    for (; *s >= '0' && *s <= '9'; s++)
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
            return false;
    for (unsigned i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(s, units[i]) != 0) continue;
        *out = v << (10 * i);
        return *out >> (10 * i) == v;
    }
    return false;
}

static bool number_of(const struct homer_config_key *key, const json_t *v, uint64_t *out) {
    if (json_is_integer(v) && json_integer_value(v) >= 0)
        *out = (uint64_t)json_integer_value(v);
    else if (key->type != HOMER_KEY_BYTES || !json_is_string(v) || !parse_bytes(json_string_value(v), out))
        return false;
    return *out >= key->min && *out <= key->max;
}

static void store_uint(struct homer_config *c, const struct homer_config_key *key, uint64_t v) {
    void *p = field(c, key);
    if (key->width == sizeof(bool))
        *(bool *)p = v != 0;
    else if (key->width == sizeof(uint32_t))
        memcpy(p, &(uint32_t){(uint32_t)v}, sizeof(uint32_t));
    else
        memcpy(p, &v, sizeof v);
}

static uint64_t load_uint(const struct homer_config *c, const struct homer_config_key *key) {
    uint64_t wide = 0;
    uint32_t narrow = 0;
    const void *p = field_const(c, key);
    if (key->width == sizeof(bool)) return *(const bool *)p;
    if (key->width == sizeof narrow)
        memcpy(&narrow, p, sizeof narrow);
    else
        memcpy(&wide, p, sizeof wide);
    return wide + narrow;
}

static bool store_real(struct homer_config *c, const struct homer_config_key *key, const json_t *v) {
    double x = json_number_value(v);
    if (!json_is_number(v) || !(x >= key->least && x <= key->most)) return false;
    if (key->width == sizeof(float))
        memcpy(field(c, key), &(float){(float)x}, sizeof(float));
    else
        memcpy(field(c, key), &x, sizeof x);
    return true;
}

static void write_real(const struct homer_config *c, const struct homer_config_key *key, const char *name,
                       struct homer_reply *r) {
    double wide;
    float narrow;
    if (key->width == sizeof narrow) {
        memcpy(&narrow, field_const(c, key), sizeof narrow);
        homer_reply_float(r, name, narrow);
    } else {
        memcpy(&wide, field_const(c, key), sizeof wide);
        homer_reply_real(r, name, wide);
    }
}

static int store_string(char **place, const json_t *v) {
    char *copy = NULL;
    if (json_is_string(v) && !(copy = strdup(json_string_value(v)))) return -ENOMEM;
    free(*place);
    *place = copy;
    return 0;
}

static bool is_text(const json_t *v) {
    return json_is_string(v) && json_string_length(v) > 0;
}

static int store_listen(struct homer_config *c, const json_t *v) {
    char *copy[HOMER_MAX_LISTEN] = {NULL};
    unsigned n = json_is_array(v) ? (unsigned)json_array_size(v) : 1;
    int err = 0;
    for (unsigned i = 0; i < n && !err; i++)
        err = store_string(&copy[i], json_is_array(v) ? json_array_get(v, i) : v);
    char **lose = err ? copy : c->listen;
    for (unsigned i = 0; i < HOMER_MAX_LISTEN; i++) free(lose[i]);
    if (err) return err;
    memcpy(c->listen, copy, sizeof copy);
    c->listen_n = n;
    return 0;
}

static bool is_listen(const json_t *v) {
    if (!json_is_array(v)) return is_text(v);
    bool ok = json_array_size(v) <= HOMER_MAX_LISTEN;
    for (size_t i = 0; i < json_array_size(v); i++) ok = ok && is_text(json_array_get(v, i));
    return ok;
}

/* Refused here and not only when listening, so that a wrong address is told even when the command line
 * replaces it. */
static int check_addresses(const char *name, const json_t *v, struct homer_error *err) {
    union homer_address address;
    struct homer_error e = {0};
    for (size_t i = 0; i < (json_is_array(v) ? json_array_size(v) : 1); i++) {
        const char *text = json_string_value(json_is_array(v) ? json_array_get(v, i) : v);
        if (homer_address_parse(&address, text, &e) == 0) continue;
        return homer_err_set(err, e.code, "%s: %.200s", name, e.message);
    }
    return 0;
}

static int word_index(const struct homer_config_key *key, const json_t *v) {
    for (int i = 0; json_is_string(v) && key->words[i]; i++)
        if (strcmp(json_string_value(v), key->words[i]) == 0) return i;
    return -1;
}

static bool is_fallback(const struct homer_config_key *key, const json_t *v) {
    json_t *same = json_loads(key->fallback, JSON_DECODE_ANY, NULL);
    bool equal = same && json_equal(same, v);
    json_decref(same);
    return equal;
}

int homer_config_store(struct homer_config *c, const struct homer_config_key *key, const char *name,
                       const json_t *v, struct homer_error *err) {
    uint64_t n = 0;
    int word, refused, failed = 0;
    switch (key->type) {
    case HOMER_KEY_UINT:
    case HOMER_KEY_BYTES:
        if (!number_of(key, v, &n)) return refuse(key, name, v, err);
        store_uint(c, key, n);
        break;
    case HOMER_KEY_REAL:
        if (!store_real(c, key, v)) return refuse(key, name, v, err);
        break;
    case HOMER_KEY_BOOL:
        if (!json_is_boolean(v)) return refuse(key, name, v, err);
        store_uint(c, key, json_is_true(v));
        break;
    case HOMER_KEY_WORD:
        word = word_index(key, v);
        if (word < 0) return refuse(key, name, v, err);
        store_uint(c, key, (uint64_t)word);
        break;
    case HOMER_KEY_STRING:
        if (!is_text(v) && !json_is_null(v)) return refuse(key, name, v, err);
        failed = store_string(field(c, key), v);
        break;
    case HOMER_KEY_LISTEN:
        if (!is_listen(v)) return refuse(key, name, v, err);
        refused = check_addresses(name, v, err);
        if (refused) return refused;
        failed = store_listen(c, v);
        break;
    case HOMER_KEY_LACKING:
        if (!json_is_null(v) && !is_fallback(key, v)) return refuse(key, name, v, err);
        break;
    }
    return failed ? homer_err_set(err, failed, "%s: no memory", name) : 0;
}

/* ---- printing ---- */

static void write_text(struct homer_reply *r, const char *name, const char *s) {
    if (s)
        homer_reply_string(r, name, s, strlen(s));
    else
        homer_reply_null(r, name);
}

void homer_config_write(const struct homer_config *c, const struct homer_config_key *key, const char *name,
                        struct homer_reply *r) {
    switch (key->type) {
    case HOMER_KEY_UINT:
    case HOMER_KEY_BYTES:
        homer_reply_u64(r, name, load_uint(c, key));
        break;
    case HOMER_KEY_REAL:
        write_real(c, key, name, r);
        break;
    case HOMER_KEY_BOOL:
        homer_reply_bool(r, name, load_uint(c, key) != 0);
        break;
    case HOMER_KEY_WORD:
        write_text(r, name, key->words[load_uint(c, key)]);
        break;
    case HOMER_KEY_STRING:
        write_text(r, name, *(char *const *)field_const(c, key));
        break;
    case HOMER_KEY_LISTEN:
        homer_reply_open(r, name, '[');
        for (unsigned i = 0; i < c->listen_n; i++) write_text(r, NULL, c->listen[i]);
        homer_reply_close(r, ']');
        break;
    case HOMER_KEY_LACKING:
        homer_reply_raw(r, name, key->fallback, strlen(key->fallback));
        break;
    }
}
