#include "clients/cli/load.h"

#include <errno.h>
#include <string.h>
#include "clients/cli/ask.h"
#include "clients/cli/request_line.h"
#include "clients/cli/source.h"

enum { MADE = 10000 };

/* What each verb takes of an instance. */
static const char *const taught[] = {"x", "text", "y", "w", "t", NULL};
static const char *const asked[] = {"x", "text", "t", NULL};
static const char *const nothing[] = {NULL};
static const char *const *const members[HOMER_VERBS] = {taught, asked, taught, nothing};

struct build {
    struct homer_load *load;
    struct homer_mix mix;
    struct homer_buf fields[HOMER_VERBS]; /* NUL-terminated: what stands in front of an instance */
    struct homer_buf request;
    struct homer_source *source; /* NULL: instances are made up */
    struct homer_place place;
    struct homer_synthetic made;
    struct homer_buf line;
    uint64_t made_n, most;
};

static int no_memory(struct homer_error *err) {
    return homer_err_set(err, -ENOMEM, "out of memory for the requests; --limit N takes fewer instances");
}

static int add(struct homer_load *l, const char *line, size_t n, uint8_t verb, struct homer_error *err) {
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 1024;
        struct homer_load_request *more = homer_mem_grow(&l->mem, l->request, l->cap, cap, sizeof *more);
        if (!more) return no_memory(err);
        l->request = more;
        l->cap = cap;
    }
    homer_buf_append(&l->bytes, line, n);
    homer_buf_putc(&l->bytes, '\n');
    if (l->bytes.failed) return no_memory(err);
    l->request[l->n++] = (struct homer_load_request){l->bytes.n, verb};
    return 0;
}

static int add_instance(struct build *b, const char *line, size_t n, struct homer_error *err) {
    enum homer_verb verb = homer_mix_next(&b->mix);
    int rc = homer_request_line(&b->request, b->fields[verb].data, members[verb], line, n, err);
    return rc ? rc : add(b->load, b->request.data, b->request.n, (uint8_t)verb, err);
}

static int write_fields(struct build *b, const struct homer_load_options *o, struct homer_error *err) {
    for (int v = 0; v < HOMER_VERBS; v++) {
        struct homer_buf *f = &b->fields[v];
        int rc = homer_request_member(f, "op", homer_verb_word((enum homer_verb)v), err);
        if (rc == 0 && o->model && strcmp(o->model, "default") != 0 && v != HOMER_VERB_PING)
            rc = homer_request_member(f, "model", o->model, err);
        if (rc) return rc;
        if (!o->scores && (v == HOMER_VERB_PREDICT || v == HOMER_VERB_TEST))
            homer_buf_puts(f, ",\"scores\":false");
        homer_buf_putc(f, '\0');
        if (f->failed) return no_memory(err);
    }
    return 0;
}

static int add_fresh(struct build *b, const char *model, struct homer_error *err) {
    static const char *const ops[] = {"model.drop", "model.create"};
    struct homer_buf *r = &b->request;
    int rc = 0;
    for (int i = 0; rc == 0 && i < 2; i++) {
        rc = homer_ask_build_with(r, ops[i], "name", model ? model : "default", err);
        if (rc == 0) rc = add(b->load, r->data, r->n, HOMER_VERB_NONE, err);
    }
    return rc;
}

/* The next instance of the files, borrowed until the next call: 1, 0 at their end, or a negative errno. */
static int next_read(struct build *b, const char **line, size_t *n, struct homer_error *err) {
    return homer_source_next(b->source, line, n, &b->place, err);
}

/* The same of those made up. */
static int next_made(struct build *b, const char **line, size_t *n, struct homer_error *err) {
    if (b->made_n++ == b->most) return 0;
    homer_synthetic_line(&b->made, &b->line);
    if (b->line.failed) return no_memory(err);
    *line = b->line.data;
    *n = b->line.n;
    return 1;
}

static int next_instance(struct build *b, const char **line, size_t *n, struct homer_error *err) {
    return b->source ? next_read(b, line, n, err) : next_made(b, line, n, err);
}

/* Once through the instances, then again from the first until the mix has come out even. */
static int add_pass(struct build *b, const struct homer_mix *mix, struct homer_error *err) {
    struct homer_mix whole = *mix;
    uint64_t once = 0, n = 0, period = homer_mix_period(&whole);
    for (;;) {
        const char *line;
        size_t line_n;
        struct homer_error why;
        int rc = next_instance(b, &line, &line_n, err);
        if (rc < 0) return rc;
        if (rc == 0 && n == 0) return homer_err_set(err, -ENODATA, "there is no instance to send");
        if (rc == 0) {
            if (once == 0) once = n;
            if (b->source) homer_source_rewind(b->source);
            b->made_n = 0;
        }
        if (once && n % period == 0) return 0;
        if (rc == 0) continue;
        rc = add_instance(b, line, line_n, &why);
        if (rc && b->source)
            return homer_err_set(err, rc, "%.100s:%llu: %.150s", b->place.file,
                                 (unsigned long long)b->place.line, why.message);
        if (rc) return homer_err_set(err, rc, "%s", why.message);
        n++;
    }
}

static int build(struct build *b, const struct homer_load_options *o, struct homer_error *err) {
    const struct homer_source_options options = {
        .path = o->path, .path_n = o->path_n, .limit = o->limit, .again = true};
    int rc = write_fields(b, o, err);
    if (rc == 0 && o->fresh) rc = add_fresh(b, o->model, err);
    if (rc == 0 && o->path_n) rc = homer_source_open(&b->source, &options, err);
    return rc ? rc : add_pass(b, &o->mix, err);
}

int homer_load_init(struct homer_load *l, const struct homer_load_options *o, struct homer_error *err) {
    struct build b = {.load = l, .mix = o->mix, .made = o->made, .most = o->limit ? o->limit : MADE};
    *l = (struct homer_load){0};
    homer_buf_init(&l->bytes, &l->mem);
    homer_buf_init(&b.request, &l->mem);
    homer_buf_init(&b.line, &l->mem);
    for (int v = 0; v < HOMER_VERBS; v++) homer_buf_init(&b.fields[v], &l->mem);
    int rc = build(&b, o, err);
    homer_source_free(b.source);
    homer_buf_deinit(&b.request);
    homer_buf_deinit(&b.line);
    for (int v = 0; v < HOMER_VERBS; v++) homer_buf_deinit(&b.fields[v]);
    if (rc) homer_load_deinit(l);
    return rc;
}

void homer_load_deinit(struct homer_load *l) {
    homer_buf_deinit(&l->bytes);
    homer_mem_free(&l->mem, l->request, l->cap, sizeof *l->request);
    l->request = NULL;
    l->n = l->cap = 0;
}
