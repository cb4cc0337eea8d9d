#include "clients/cli/request_line.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Where the string that begins at i ends: behind its closing quote, or n. */
static size_t skip_string(const char *line, size_t i, size_t n) {
    for (i++; i < n && line[i] != '"'; i++)
        if (line[i] == '\\') i++;
    return i < n ? i + 1 : n;
}

/* Where the member at i ends: at the comma or brace behind its value, or n. */
static size_t skip_member(const char *line, size_t i, size_t n) {
    size_t depth = 0;
    while (i < n) {
        char c = line[i];
        if (depth == 0 && (c == ',' || c == '}')) return i;
        if (c == '"') {
            i = skip_string(line, i, n);
            continue;
        }
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && depth) depth--;
        i++;
    }
    return n;
}

static size_t skip_space(const char *line, size_t i, size_t n) {
    while (i < n && strchr(" \t\r\n", line[i])) i++;
    return i;
}

/* What the protocol knows. */
static const char *const known[] = {
    "x",       "text",    "y",     "w",       "t",         "id",        "op",  "model", "k",   "scores",
    "metrics", "noreply", "track", "explain", "threshold", "objective", "src", "n",     "ref", NULL};

/* Whether the member whose key begins at `key` is one of the NULL-ended words. What is no plain key is left
 * to the daemon to judge. */
static bool is_one_of(const char *const *words, const char *key, size_t n) {
    if (n < 2 || key[0] != '"') return true;
    size_t end = skip_string(key, 0, n);
    for (; *words; words++)
        if (strlen(*words) == end - 2 && memcmp(*words, key + 1, end - 2) == 0) return true;
    return false;
}

int homer_request_line(struct homer_buf *out, const char *fields, const char *const *only, const char *line,
                       size_t n, struct homer_error *err) {
    if (n == 0 || line[0] != '{')
        return homer_err_set(err, -EINVAL,
                             "a line must be a JSON object, {\"x\":{...},\"y\":[...]} or {\"text\":\"...\","
                             "\"y\":[...]}; this one does not begin with '{'");
    homer_buf_truncate(out, 0);
    homer_buf_putc(out, '{');
    homer_buf_puts(out, fields);
    size_t i = skip_space(line, 1, n);
    if (i < n && line[i] == '}') { /* no members */
        homer_buf_append(out, line + i, n - i);
        return out->failed ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
    }
    for (;;) {
        size_t end = skip_member(line, i, n);
        if (is_one_of(only ? only : known, line + i, end - i)) {
            homer_buf_putc(out, ',');
            homer_buf_append(out, line + i, end - i);
        }
        if (end == n || line[end] == '}') {
            homer_buf_append(out, line + end, n - end);
            break;
        }
        i = skip_space(line, end + 1, n);
    }
    return out->failed ? homer_err_set(err, -ENOMEM, "out of memory for a line of %zu bytes", n) : 0;
}

int homer_request_member(struct homer_buf *out, const char *key, const char *text, struct homer_error *err) {
    json_t *s = json_string(text);
    if (!s) return homer_err_set(err, -EILSEQ, "the %s is not valid UTF-8", key);
    char *json = json_dumps(s, JSON_ENCODE_ANY);
    json_decref(s);
    if (!json) return homer_err_set(err, -ENOMEM, "out of memory");
    if (out->n && out->data[out->n - 1] != '{') homer_buf_putc(out, ',');
    homer_buf_printf(out, "\"%s\":%s", key, json);
    free(json);
    return out->failed ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
}
