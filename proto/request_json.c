#include "proto/request_json.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

/* What the hooks of this thread serve: NULL = malloc and free. */
static _Thread_local struct {
    struct homer_arena *arena;
    jmp_buf refused; /* jansson holds only arena memory at that moment, so leaving it midway leaks nothing */
} active;

static void *on_malloc(size_t n) {
    if (!active.arena) return malloc(n);
    void *p = homer_arena_alloc(active.arena, n, 1);
    if (!p) longjmp(active.refused, 1);
    return p;
}

static void on_free(void *p) {
    if (!active.arena) free(p);
}

static void install(void) {
    json_set_alloc_funcs(on_malloc, on_free);
}

void homer_json_setup(void) {
    static once_flag once = ONCE_FLAG_INIT;
    call_once(&once, install);
}

static int no_memory(struct homer_error *err) {
    active.arena = NULL;
    return homer_err_set(err, HOMER_E_INTERNAL, "no memory for this request");
}

static bool too_deep(const char *text, size_t n, size_t max_depth) {
    size_t opened = 0, depth = 0;
    for (size_t i = 0; i < n; i++) opened += text[i] == '{' || text[i] == '[';
    if (opened <= max_depth) return false; /* nearly every line: no need to look where its strings are */
    for (size_t i = 0; i < n; i++) {
        switch (text[i]) {
        case '"':
            for (i++; i < n && text[i] != '"'; i++) i += text[i] == '\\';
            break;
        case '{':
        case '[':
            if (++depth > max_depth) return true;
            break;
        case '}':
        case ']':
            if (depth) depth--;
            break;
        default:
            break;
        }
    }
    return false;
}

/* What is wrong, without the piece of the payload that jansson's own text quotes. */
static const char *fault(const json_error_t *e) {
    switch (json_error_code(e)) {
    case json_error_invalid_utf8:
        return "invalid UTF-8";
    case json_error_premature_end_of_input:
        return "the line ends too early";
    case json_error_end_of_input_expected:
        return "something follows the object";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a string holds a NUL";
    case json_error_duplicate_key:
        return "a key is given twice in one object";
    case json_error_numeric_overflow:
        return "a number is too large";
    default:
        return "not valid JSON";
    }
}

/* json_loadb inside the arena; *ok false when memory was refused. */
static json_t *load(struct homer_arena *arena, const char *text, size_t n, size_t flags, json_error_t *e,
                    bool *ok) {
    *ok = false;
    if (setjmp(active.refused)) return NULL;
    active.arena = arena;
    json_t *root = json_loadb(text, n, flags, e);
    active.arena = NULL;
    *ok = true;
    return root;
}

int homer_json_load(struct homer_arena *arena, const char *text, size_t n, size_t max_depth, json_t **root,
                    bool *int_as_real, struct homer_error *err) {
    *root = NULL;
    *int_as_real = false;
    if (too_deep(text, n, max_depth)) {
        return homer_err_limit(err, HOMER_E_TOO_DEEP, "max_depth", "nested deeper than %zu levels",
                               max_depth);
    }
    json_error_t e;
    bool ok;
    json_t *doc = load(arena, text, n, JSON_REJECT_DUPLICATES, &e, &ok);
    if (ok && !doc && json_error_code(&e) == json_error_numeric_overflow) {
        *int_as_real = true; /* an integer or a real: only a second try tells */
        doc = load(arena, text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &e, &ok);
    }
    if (!ok) return no_memory(err);
    if (!doc && json_error_code(&e) == json_error_stack_overflow) {
        return homer_err_limit(err, HOMER_E_TOO_DEEP, "max_depth", "nested too deep");
    }
    if (!doc) return homer_err_set(err, HOMER_E_BAD_JSON, "%s, at byte %d", fault(&e), e.position);
    *root = doc;
    return 0;
}

int homer_json_dump(struct homer_arena *arena, const json_t *value, struct homer_str *out,
                    struct homer_error *err) {
    const size_t flags = JSON_ENCODE_ANY | JSON_COMPACT;
    if (setjmp(active.refused)) return no_memory(err);
    active.arena = arena;
    size_t n = json_dumpb(value, NULL, 0, flags);
    char *text = on_malloc(n);
    json_dumpb(value, text, n, flags);
    active.arena = NULL;
    *out = (struct homer_str){.s = text, .n = n};
    return 0;
}
