#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const words[HOMER_E_COUNT] = {
    [HOMER_OK] = "ok",
    [HOMER_E_BAD_JSON] = "bad_json",
    [HOMER_E_BAD_REQUEST] = "bad_request",
    [HOMER_E_BAD_FEATURE] = "bad_feature",
    [HOMER_E_BAD_LABEL] = "bad_label",
    [HOMER_E_TOO_LARGE] = "too_large",
    [HOMER_E_TOO_DEEP] = "too_deep",
    [HOMER_E_TOO_MANY] = "too_many",
    [HOMER_E_UNKNOWN_OP] = "unknown_op",
    [HOMER_E_UNKNOWN_MODEL] = "unknown_model",
    [HOMER_E_UNKNOWN_REF] = "unknown_ref",
    [HOMER_E_MODEL_EXISTS] = "model_exists",
    [HOMER_E_NOT_READY] = "not_ready",
    [HOMER_E_READ_ONLY] = "read_only",
    [HOMER_E_SHUTTING_DOWN] = "shutting_down",
    [HOMER_E_DENIED] = "denied",
    [HOMER_E_BUSY] = "busy",
    [HOMER_E_INTERNAL] = "internal",
};

const char *homer_err_word(int code) {
    return code >= 0 && code < HOMER_E_COUNT ? words[code] : words[HOMER_E_INTERNAL];
}

__attribute__((format(printf, 4, 0))) static void set(struct homer_error *e, int code, const char *limit,
                                                      const char *fmt, va_list ap) {
    if (!e) return;
    e->code = code;
    e->limit = limit;
    e->retry = code == HOMER_E_BUSY || code == HOMER_E_NOT_READY || code == HOMER_E_READ_ONLY ||
               code == HOMER_E_SHUTTING_DOWN;
    vsnprintf(e->message, sizeof e->message, fmt, ap);
}

int homer_err_set(struct homer_error *e, int code, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    set(e, code, NULL, fmt, ap);
    va_end(ap);
    return code;
}

int homer_err_limit(struct homer_error *e, int code, const char *limit, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    set(e, code, limit, fmt, ap);
    va_end(ap);
    return code;
}
