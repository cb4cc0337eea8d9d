#include "clients/cli/request_line.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int homer_request_line(struct homer_buf *out, const char *fields, const char *line, size_t n,
                       struct homer_error *err) {
    if (n == 0 || line[0] != '{')
        return homer_err_set(err, -EINVAL,
                             "a line must be a JSON object, {\"x\":{...},\"y\":[...]} or {\"text\":\"...\","
                             "\"y\":[...]}; this one does not begin with '{'");
    size_t i = 1;
    while (i < n && (line[i] == ' ' || line[i] == '\t')) i++;
    bool empty = i < n && line[i] == '}';
    homer_buf_truncate(out, 0);
    homer_buf_putc(out, '{');
    homer_buf_puts(out, fields);
    if (!empty) homer_buf_putc(out, ',');
    homer_buf_append(out, line + 1, n - 1);
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
