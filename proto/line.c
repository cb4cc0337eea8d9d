#include "proto/line.h"

#include <string.h>

void homer_line_init(struct homer_line *l, struct homer_mem *mem, size_t max_line) {
    *l = (struct homer_line){.max_line = max_line};
    homer_buf_init(&l->in, mem);
}

void homer_line_deinit(struct homer_line *l) {
    homer_buf_deinit(&l->in);
}

char *homer_line_room(struct homer_line *l, size_t want, size_t *room) {
    homer_buf_consume(&l->in, l->next);
    l->next = 0;
    if (homer_buf_reserve(&l->in, want)) {
        homer_buf_truncate(&l->in, l->in.n); /* clears the sticky failure: the caller may try again */
        return NULL;
    }
    *room = want;
    return l->in.data + l->in.n;
}

void homer_line_trim(struct homer_line *l, size_t keep) {
    if (l->in.n != l->next || l->in.cap <= keep) return;
    homer_buf_deinit(&l->in);
    l->next = l->scanned = 0;
}

void homer_line_feed(struct homer_line *l, size_t n) {
    l->in.n += n;
}

bool homer_line_pending(const struct homer_line *l) {
    return l->in.n - l->next > l->scanned;
}

void homer_line_rewind(struct homer_line *l, const struct homer_line_mark *mark) {
    l->next = mark->next;
    l->scanned = mark->scanned;
    l->discarding = mark->discarding;
}

bool homer_line_partial(const struct homer_line *l) {
    return l->in.n > l->next || l->discarding;
}

static bool blank(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (text[i] != ' ' && text[i] != '\t') return false;
    }
    return true;
}

/* Judges the line of n bytes that was just consumed: 1 hand out, 0 go on with the next, or too large. */
static int judge(struct homer_line *l, const char *line, size_t n, const char **text, size_t *text_n) {
    if (l->discarding) { /* its error was reported when it passed max_line */
        l->discarding = false;
        return 0;
    }
    if (n && line[n - 1] == '\r') n--;
    if (n > l->max_line) return HOMER_E_TOO_LARGE;
    if (blank(line, n)) return 0;
    *text = line;
    *text_n = n;
    return 1;
}

int homer_line_next(struct homer_line *l, const char **text, size_t *n) {
    while (homer_line_pending(l)) {
        const char *line = l->in.data + l->next;
        size_t have = l->in.n - l->next;
        const char *end = memchr(line + l->scanned, '\n', have - l->scanned);
        if (end) {
            size_t line_n = (size_t)(end - line);
            l->next += line_n + 1;
            l->scanned = 0;
            int rc = judge(l, line, line_n, text, n);
            if (rc) return rc;
            continue;
        }
        l->scanned = have;
        /* One byte over is still fine when it is the '\r' of a line end. */
        bool too_large = have > l->max_line + 1 || (have > l->max_line && line[have - 1] != '\r');
        if (!too_large && !l->discarding) return 0;
        l->next = l->in.n;
        l->scanned = 0;
        if (l->discarding) return 0;
        l->discarding = true;
        return HOMER_E_TOO_LARGE;
    }
    return 0;
}

int homer_line_last(struct homer_line *l, const char **text, size_t *n) {
    int rc = homer_line_next(l, text, n);
    if (rc) return rc;
    const char *line = l->in.data + l->next;
    size_t have = l->in.n - l->next;
    if (have == 0) return 0;
    l->next = l->in.n;
    l->scanned = 0;
    return judge(l, line, have, text, n);
}
