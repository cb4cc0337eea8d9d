#include "daemon/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/config_value.h"

enum {
    PATH_MAX_BYTES = 128, /* of a dotted path; longer than any key */
    READ_BYTES = 65536,   /* of one read of a connection */
    LINGER_MS = 1000,     /* for which a closing connection still drops input */
};

/* One source of settings: where it writes, how its problems are told. */
struct reading {
    struct homer_config *c;
    struct homer_error *err; /* the first problem; may be NULL */
    const char *origin;      /* "FILE: " or "" */
    size_t shown_from; /* bytes of a path that the source does not write: "model." of a model{} object */
    int failed;        /* code of the first problem */
};

static void take_problem(struct reading *r, const struct homer_error *problem) {
    struct homer_error whole = {0};
    homer_err_set(&whole, problem->code, "%s%s", r->origin, problem->message);
    if (r->c->on_problem) r->c->on_problem(&whole);
    if (r->failed) return;
    r->failed = problem->code;
    if (r->err) *r->err = whole;
}

static void report(struct reading *r, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void report(struct reading *r, int code, const char *fmt, ...) {
    struct homer_error e = {.code = code};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e.message, sizeof e.message, fmt, ap);
    va_end(ap);
    take_problem(r, &e);
}

/* ---- keys ---- */

static const struct homer_config_key *find(const char *path) {
    for (size_t i = 0; i < homer_config_keys_n; i++)
        if (strcmp(homer_config_keys[i].path, path) == 0) return &homer_config_keys[i];
    return NULL;
}

/* Is `path` an object that holds keys? */
static bool is_group(const char *path) {
    size_t n = strlen(path);
    for (size_t i = 0; i < homer_config_keys_n; i++)
        if (strncmp(homer_config_keys[i].path, path, n) == 0 && homer_config_keys[i].path[n] == '.')
            return true;
    return false;
}

/* Edit distance (insert, delete, replace) of a and b[0..bn); both are short. */
static size_t distance(const char *a, const char *b, size_t bn) {
    size_t row[PATH_MAX_BYTES + 1];
    for (size_t j = 0; j <= bn; j++) row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < bn; j++) {
            size_t replaced = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            size_t other = (row[j] < diagonal ? row[j] : diagonal) + 1;
            row[j + 1] = replaced < other ? replaced : other;
        }
    }
    return row[bn];
}

/* The path as its source writes it. */
static const char *shown(const struct reading *r, const char *path) {
    return strlen(path) > r->shown_from ? path + r->shown_from : "";
}

/* The key or group that was probably meant, in out; false when none is near. The right name in the wrong
 * object is nearest. */
static bool suggest(const char *path, char out[PATH_MAX_BYTES]) {
    const char *name = strrchr(path, '.') ? strrchr(path, '.') + 1 : path;
    size_t best = strlen(path) / 3 + 1;
    out[0] = '\0';
    for (size_t i = 0; i < homer_config_keys_n; i++) {
        const char *key = homer_config_keys[i].path;
        for (size_t n = strcspn(key, "."), from = 0;; from = n + 1, n = from + strcspn(key + from, ".")) {
            bool moved = !key[n] && strcmp(key + from, name) == 0;
            size_t d = moved ? 0 : distance(path, key, n);
            if (d < best) {
                best = d;
                snprintf(out, PATH_MAX_BYTES, "%.*s", (int)n, key);
            }
            if (!key[n]) break;
        }
    }
    return out[0] != '\0';
}

static void unknown(struct reading *r, const char *path) {
    char near[PATH_MAX_BYTES];
    for (size_t i = 0; i < homer_config_keys_n; i++) { /* a part of something that is refused as a whole? */
        const struct homer_config_key *key = &homer_config_keys[i];
        size_t n = strlen(key->path);
        if (key->type != HOMER_KEY_LACKING || strncmp(path, key->path, n) != 0 || path[n] != '.') continue;
        report(r, HOMER_E_BAD_REQUEST, "%s: %s", shown(r, path), key->meaning);
        return;
    }
    bool found = suggest(path, near) && *shown(r, near);
    report(r, HOMER_E_BAD_REQUEST, "unknown key \"%s\"%s%s%s", shown(r, path),
           found ? "; did you mean \"" : "", found ? shown(r, near) : "", found ? "\"?" : "");
}

/* Stores the value at `path`: of a key, or of a whole group, recursively. */
static void apply(struct reading *r, const char *path, json_t *v) {
    const struct homer_config_key *key = find(path);
    struct homer_error e = {0};
    const char *name;
    json_t *inner;
    if (key) {
        if (homer_config_store(r->c, key, shown(r, path), v, &e)) take_problem(r, &e);
        return;
    }
    if (*path && !is_group(path)) {
        unknown(r, path);
        return;
    }
    if (!json_is_object(v)) {
        report(r, HOMER_E_BAD_REQUEST, "%s%sexpected an object {...}", shown(r, path),
               *shown(r, path) ? ": " : "");
        return;
    }
    json_object_foreach(v, name, inner) {
        char longer[PATH_MAX_BYTES];
        int n = snprintf(longer, sizeof longer, "%s%s%s", path, *path ? "." : "", name);
        /* Dotted names are for the command line; in an object they would be a second way to write a key. */
        if (*name && !strchr(name, '.') && n < (int)sizeof longer)
            apply(r, longer, inner);
        else
            report(r, HOMER_E_BAD_REQUEST, "unknown key \"%.40s\"", name);
    }
}

/* What follows from other settings. */
static int finish(struct reading *r) {
    r->c->conn.max_line = r->c->request.max_line;
    r->c->conn.needs_token = r->c->token_file != NULL;
    r->c->model.clusters.hierarchy.seed = r->c->model.clusters.tree.seed = r->c->model.seed;
    return r->failed;
}

/* ---- defaults ---- */

int homer_config_init(struct homer_config *c) {
    *c = (struct homer_config){.conn = {.read_bytes = READ_BYTES, .linger_ms = LINGER_MS}};
    struct reading r = {.c = c, .origin = ""};
    homer_model_config_default(&c->model);
    for (size_t i = 0; i < homer_config_keys_n && !r.failed; i++) {
        json_t *v = json_loads(homer_config_keys[i].fallback, JSON_DECODE_ANY, NULL);
        if (v)
            apply(&r, homer_config_keys[i].path, v);
        else
            r.failed = -ENOMEM; /* a test parses every default */
        json_decref(v);
    }
    return finish(&r);
}

void homer_config_deinit(struct homer_config *c) {
    for (unsigned i = 0; i < HOMER_MAX_LISTEN; i++) free(c->listen[i]);
    free(c->unix_path);
    free(c->token_file);
    free(c->tls_cert);
    free(c->tls_key);
    free(c->user);
    free(c->log_file);
    free(c->store.dir);
    *c = (struct homer_config){0};
}

/* ---- sources ---- */

static void report_syntax(struct reading *r, const json_error_t *e) {
    bool memory = json_error_code(e) == json_error_out_of_memory;
    report(r, memory ? -ENOMEM : HOMER_E_BAD_REQUEST, "line %d, column %d: %s", e->line, e->column, e->text);
}

int homer_config_load(struct homer_config *c, const char *path, struct homer_error *err) {
    char origin[160];
    json_error_t syntax;
    struct reading r = {.c = c, .err = err, .origin = origin};
    snprintf(origin, sizeof origin, "%.150s: ", path);
    FILE *in = fopen(path, "re");
    if (!in) {
        report(&r, -errno, "cannot be read: %s", strerror(errno));
        return r.failed;
    }
    json_t *v = json_loadf(in, JSON_REJECT_DUPLICATES, &syntax);
    if (ferror(in))
        report(&r, -EIO, "cannot be read: %s", strerror(EIO));
    else if (!v)
        report_syntax(&r, &syntax);
    else
        apply(&r, "", v);
    fclose(in);
    json_decref(v);
    return finish(&r);
}

int homer_config_set(struct homer_config *c, const char *assignment, struct homer_error *err) {
    struct reading r = {.c = c, .err = err, .origin = ""};
    const char *equals = strchr(assignment, '=');
    char path[PATH_MAX_BYTES];
    if (!equals || equals == assignment || (size_t)(equals - assignment) >= sizeof path) {
        report(&r, HOMER_E_BAD_REQUEST, "\"%.100s\": expected key=value", assignment);
        return r.failed;
    }
    snprintf(path, sizeof path, "%.*s", (int)(equals - assignment), assignment);
    /* Words need no quotes: what is not JSON is a string, and the key says whether a string will do. */
    json_t *v = json_loads(equals + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (!v) v = json_string(equals + 1);
    if (v)
        apply(&r, path, v);
    else
        report(&r, HOMER_E_BAD_REQUEST, "%s: the value is not valid UTF-8", path);
    json_decref(v);
    return finish(&r);
}

int homer_config_model(struct homer_model_config *m, struct homer_str json, struct homer_error *err) {
    struct homer_config c = {.model = *m};
    struct reading r = {.c = &c, .err = err, .origin = "", .shown_from = strlen("model.")};
    json_error_t syntax;
    json_t *v = json_loadb(json.s, json.n, JSON_REJECT_DUPLICATES, &syntax);
    if (!v)
        report_syntax(&r, &syntax);
    else
        apply(&r, "model", v);
    json_decref(v);
    if (finish(&r) == 0) *m = c.model;
    return r.failed;
}

const char *homer_config_difference(const struct homer_model_config *a, const struct homer_model_config *b) {
    struct homer_config x = {.model = *a}, y = {.model = *b};
    for (size_t i = 0; i < homer_config_keys_n; i++) {
        const struct homer_config_key *key = &homer_config_keys[i];
        if (strncmp(key->path, "model.", strlen("model.")) != 0 || key->type == HOMER_KEY_LACKING) continue;
        if (memcmp((char *)&x + key->offset, (char *)&y + key->offset, key->width) != 0) return key->path;
    }
    return NULL;
}

int homer_config_listen(struct homer_config *c, const char *const *listen, unsigned n,
                        const char *unix_path) {
    for (unsigned i = 0; i < c->listen_n; i++) {
        free(c->listen[i]);
        c->listen[i] = NULL;
    }
    free(c->unix_path);
    c->unix_path = unix_path ? strdup(unix_path) : NULL;
    bool failed = unix_path && !c->unix_path;
    for (c->listen_n = 0; c->listen_n < n && !failed; c->listen_n += !failed) {
        c->listen[c->listen_n] = strdup(listen[c->listen_n]);
        failed = !c->listen[c->listen_n];
    }
    return failed ? -ENOMEM : 0;
}

/* ---- printing ---- */

/* Opens and closes objects so that the writer stands in the group of the key `path`, which is behind the one
 * of `last`; returns the key's own name. */
static const char *enter(struct homer_reply *r, const char *last, const char *path) {
    size_t common = 0;
    for (size_t i = 0; last[i] && last[i] == path[i]; i++)
        if (path[i] == '.') common = i + 1;
    for (const char *p = strchr(last + common, '.'); p; p = strchr(p + 1, '.')) homer_reply_close(r, '}');
    const char *name = path + common;
    for (const char *dot; (dot = strchr(name, '.')); name = dot + 1) {
        char group[PATH_MAX_BYTES];
        snprintf(group, sizeof group, "%.*s", (int)(dot - name), name);
        homer_reply_open(r, group, '{');
    }
    return name;
}

static void print(const struct homer_config *c, const char *prefix, struct homer_buf *out) {
    struct homer_reply r;
    const char *last = "";
    size_t skip = strlen(prefix);
    homer_reply_init(&r, out);
    homer_reply_open(&r, NULL, '{');
    for (size_t i = 0; i < homer_config_keys_n; i++) {
        const struct homer_config_key *key = &homer_config_keys[i];
        if (strncmp(key->path, prefix, skip) != 0) continue;
        const char *name = enter(&r, last, key->path + skip);
        homer_config_write(c, key, name, &r);
        last = key->path + skip;
    }
    enter(&r, last, "");
    homer_reply_close(&r, '}');
}

void homer_config_print(const struct homer_config *c, struct homer_buf *out) {
    print(c, "", out);
}

void homer_config_print_model(const struct homer_model_config *m, struct homer_buf *out) {
    struct homer_config c = {.model = *m};
    print(&c, "model.", out);
}
