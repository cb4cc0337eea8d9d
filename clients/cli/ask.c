#include "clients/cli/ask.h"

#include <errno.h>
#include <string.h>
#include "clients/cli/request_line.h"

int homer_ask_build_with(struct homer_buf *out, const char *op, const char *key, const char *value,
                         struct homer_error *err) {
    homer_buf_truncate(out, 0);
    homer_buf_putc(out, '{');
    int rc = homer_request_member(out, "op", op, err);
    if (rc == 0 && value) rc = homer_request_member(out, key, value, err);
    homer_buf_putc(out, '}');
    return rc ? rc : out->failed ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
}

int homer_ask_build(struct homer_buf *out, const char *op, const char *model, struct homer_error *err) {
    return homer_ask_build_with(out, op, "model", model, err);
}

json_t *homer_ask_parse(const char *text, size_t n, struct homer_error *err) {
    json_error_t why;
    json_t *reply = json_loadb(text, n, JSON_ALLOW_NUL, &why);
    if (json_is_object(reply)) return reply;
    json_decref(reply);
    homer_err_set(err, -EPROTO, "the reply is no JSON object; it does not come from homerd");
    return NULL;
}

const char *homer_ask_code(const json_t *reply) {
    const char *s = json_string_value(json_object_get(json_object_get(reply, "error"), "code"));
    return s ? s : "error";
}

const char *homer_ask_message(const json_t *reply) {
    const char *s = json_string_value(json_object_get(json_object_get(reply, "error"), "message"));
    return s ? s : "the daemon did not say why";
}

json_t *homer_ask_read(const char *text, size_t n, struct homer_error *err) {
    json_t *reply = homer_ask_parse(text, n, err);
    if (!reply || json_is_true(json_object_get(reply, "ok"))) return reply;
    homer_err_set(err, -EREMOTEIO, "%s: %s", homer_ask_code(reply), homer_ask_message(reply));
    json_decref(reply);
    return NULL;
}

json_t *homer_ask(struct homer_client *c, const char *request, size_t n, struct homer_error *err) {
    const char *text;
    size_t text_n;
    if (homer_client_call(c, request, n, &text, &text_n, err)) return NULL;
    return homer_ask_read(text, text_n, err);
}

json_t *homer_ask_with(struct homer_client *c, const char *op, const char *key, const char *value,
                       struct homer_error *err) {
    struct homer_mem mem = {0};
    struct homer_buf b;
    homer_buf_init(&b, &mem);
    json_t *reply = homer_ask_build_with(&b, op, key, value, err) ? NULL : homer_ask(c, b.data, b.n, err);
    homer_buf_deinit(&b);
    return reply;
}

json_t *homer_ask_op(struct homer_client *c, const char *op, const char *model, struct homer_error *err) {
    return homer_ask_with(c, op, "model", model, err);
}
