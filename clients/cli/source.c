#include "clients/cli/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "clients/cli/shuffle.h"
#include "clients/cli/stream.h"
#include "core/base/buf.h"

struct held {     /* a line in memory */
    size_t at, n; /* in text */
    uint64_t line;
    uint32_t file;
};

struct homer_source {
    struct homer_source_options o;
    uint64_t total, given;
    struct homer_stream *stream; /* of o.path[file - 1], when reading as it goes */
    size_t file;                 /* files opened so far */
    bool live;                   /* pipes are not waited for */
    int fd;                      /* of the stream, when it is a pipe */

    bool in_memory;
    struct homer_mem mem;
    struct homer_buf text;
    struct held *held; /* [held_n] */
    size_t held_n, held_cap;
    uint32_t *order; /* [held_n]; NULL: as they came */
};

static const char *file_name(const struct homer_source *s, size_t file) {
    return strcmp(s->o.path[file], "-") == 0 ? "standard input" : s->o.path[file];
}

static uint64_t capped(const struct homer_source *s, uint64_t n) {
    return s->o.limit && s->o.limit < n ? s->o.limit : n;
}

/* The next line of the files in order, without the limit. */
static int read_next(struct homer_source *s, const char **line, size_t *n, struct homer_place *place,
                     struct homer_error *err) {
    for (;;) {
        if (!s->stream) {
            if (s->file == s->o.path_n) return 0;
            int rc = homer_stream_open(&s->stream, s->o.path[s->file], err);
            if (rc) return rc;
            bool rereadable = true;
            if (s->live && (homer_stream_check(s->o.path[s->file], &rereadable, NULL) || !rereadable))
                s->fd = homer_stream_live(s->stream);
            s->file++;
        }
        int rc = homer_stream_line(s->stream, line, n, err);
        if (rc) {
            *place = (struct homer_place){file_name(s, s->file - 1), homer_stream_number(s->stream)};
            return rc;
        }
        s->stream = homer_stream_free(s->stream);
    }
}

static void restart(struct homer_source *s) {
    s->stream = homer_stream_free(s->stream);
    s->file = 0;
    s->given = 0;
}

static int count(struct homer_source *s, struct homer_error *err) {
    const char *line;
    size_t n;
    struct homer_place place;
    int rc;
    uint64_t lines = 0;
    while ((rc = read_next(s, &line, &n, &place, err)) == 1 && !(s->o.limit && lines == s->o.limit)) lines++;
    if (rc < 0) return rc;
    s->total = capped(s, lines);
    restart(s);
    return 0;
}

static int hold(struct homer_source *s, const char *line, size_t n, uint64_t number) {
    if (s->held_n == s->held_cap) {
        size_t cap = s->held_cap ? 2 * s->held_cap : 1024;
        struct held *held = homer_mem_grow(&s->mem, s->held, s->held_cap, cap, sizeof(*held));
        if (!held) return -ENOMEM;
        s->held = held;
        s->held_cap = cap;
    }
    s->held[s->held_n] = (struct held){s->text.n, n, number, (uint32_t)(s->file - 1)};
    homer_buf_append(&s->text, line, n);
    if (s->text.failed || s->held_n == UINT32_MAX - 1) return -ENOMEM;
    s->held_n++;
    return 0;
}

static int load(struct homer_source *s, struct homer_error *err) {
    const char *line;
    size_t n;
    struct homer_place place;
    int rc;
    uint64_t enough = s->o.shuffle ? 0 : s->o.limit; /* a shuffle needs all lines, whatever the limit */
    while (!(enough && s->held_n == enough) && (rc = read_next(s, &line, &n, &place, err))) {
        if (rc == 1 && hold(s, line, n, place.line))
            rc = homer_err_set(err, -ENOMEM,
                               "%.150s:%llu: out of memory: the lines are held to be sent in another order",
                               place.file, (unsigned long long)place.line);
        if (rc < 0) return rc;
    }
    restart(s);
    s->in_memory = true;
    s->total = capped(s, s->held_n);
    if (!s->o.shuffle || s->held_n == 0) return 0;
    s->order = homer_mem_alloc(&s->mem, s->held_n, sizeof(*s->order));
    if (!s->order) return homer_err_set(err, -ENOMEM, "out of memory");
    homer_shuffle(s->o.seed, s->order, (uint32_t)s->held_n);
    return 0;
}

int homer_source_open(struct homer_source **out, const struct homer_source_options *options,
                      struct homer_error *err) {
    struct homer_source *s = calloc(1, sizeof(*s));
    if (!s) return homer_err_set(err, -ENOMEM, "out of memory");
    s->o = *options;
    homer_buf_init(&s->text, &s->mem);
    bool rereadable = true;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->o.path_n; i++) /* a missing file is told now, not in the middle */
        rc = homer_stream_check(s->o.path[i], &rereadable, err);
    if (rc == 0 && (s->o.shuffle || (s->o.again && !rereadable)))
        rc = load(s, err);
    else if (rc == 0 && s->o.count && rereadable)
        rc = count(s, err);
    if (rc) {
        homer_source_free(s);
        return rc;
    }
    s->live = true;
    *out = s;
    return 0;
}

struct homer_source *homer_source_free(struct homer_source *s) {
    if (!s) return NULL;
    homer_stream_free(s->stream);
    homer_buf_deinit(&s->text);
    homer_mem_free(&s->mem, s->order, s->held_n, sizeof(*s->order));
    homer_mem_free(&s->mem, s->held, s->held_cap, sizeof(*s->held));
    free(s);
    return NULL;
}

int homer_source_next(struct homer_source *s, const char **line, size_t *n, struct homer_place *place,
                      struct homer_error *err) {
    if (s->o.limit && s->given == s->o.limit) return 0;
    if (!s->in_memory) {
        int rc = read_next(s, line, n, place, err);
        if (rc == 1) s->given++;
        return rc;
    }
    if (s->given == s->held_n) return 0;
    const struct held *h = &s->held[s->order ? s->order[s->given] : s->given];
    s->given++;
    *line = s->text.data + h->at;
    *n = h->n;
    *place = (struct homer_place){file_name(s, h->file), h->line};
    return 1;
}

int homer_source_fd(const struct homer_source *s) {
    return s->fd;
}

void homer_source_rewind(struct homer_source *s) {
    restart(s);
}

uint64_t homer_source_total(const struct homer_source *s) {
    return s->total;
}
