/* Errors: one integer says what went wrong, one struct says it to a person.
 *
 * Convention of every function that can fail: 0 is ok; < 0 is a negative errno,
 * forwarded unchanged; > 0 is one of HOMER_E_*, which travels on the wire as the
 * stable word homer_err_word() gives. Pure; any thread. */
#ifndef HOMER_BASE_ERR_H
#define HOMER_BASE_ERR_H

#include <stdbool.h>

enum homer_err {
    HOMER_OK = 0,
    HOMER_E_BAD_JSON,    /* not JSON, or JSON that no instance can hold (NaN, duplicate keys, bad UTF-8) */
    HOMER_E_BAD_REQUEST, /* missing or ill-typed field */
    HOMER_E_BAD_FEATURE, /* a feature's name, value or type cannot be taken */
    HOMER_E_BAD_LABEL,   /* a label's name or value cannot be taken */
    HOMER_E_TOO_LARGE,   /* line longer than max_line */
    HOMER_E_TOO_DEEP,    /* nesting deeper than max_depth */
    HOMER_E_TOO_MANY,    /* features, labels, items, bytes of memory over a limit */
    HOMER_E_UNKNOWN_OP,
    HOMER_E_UNKNOWN_MODEL,
    HOMER_E_UNKNOWN_REF,
    HOMER_E_MODEL_EXISTS,
    HOMER_E_NOT_READY,
    HOMER_E_READ_ONLY,
    HOMER_E_SHUTTING_DOWN,
    HOMER_E_DENIED,
    HOMER_E_BUSY,
    HOMER_E_INTERNAL, /* no memory from the system, or a bug; the request changed nothing */
    HOMER_E_COUNT
};

/* What a failed call tells. `limit` is a static string, the configuration key that was passed, or NULL. */
struct homer_error {
    int code;          /* HOMER_E_* or negative errno; 0 = no error */
    const char *limit; /* e.g. "max_labels" */
    bool retry;        /* true: the same request may succeed later */
    char message[256]; /* for people; names the field, never echoes a payload whole */
};

/* The stable wire word of a code; any negative errno is "internal". Never NULL. */
const char *homer_err_word(int code);

/* Fills *e (may be NULL) and returns code, so that `return homer_err_set(e, ...)` reads well. */
int homer_err_set(struct homer_error *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As homer_err_set, naming the configuration key of the limit that was passed (a static string). */
int homer_err_limit(struct homer_error *e, int code, const char *limit, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
