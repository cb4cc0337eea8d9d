/* Bare command words, for people at a terminal: the word, and for listings the prefix they want. */
#include <string.h>
#include <utf8proc.h>
#include "proto/request_parse.h"

static bool separator(char c) {
    return c == ' ' || c == '\t';
}

/* The next word of the line from *at on; n 0 at the end. */
static struct homer_str next_word(const char *line, size_t n, size_t *at) {
    while (*at < n && separator(line[*at])) ++*at;
    size_t from = *at;
    while (*at < n && !separator(line[*at])) ++*at;
    return (struct homer_str){.s = line + from, .n = *at - from};
}

/* Valid UTF-8 without control characters: what may be looked up, and shown again in a message. */
static bool readable(struct homer_str s) {
    utf8proc_ssize_t n;
    for (size_t at = 0; at < s.n; at += (size_t)n) {
        utf8proc_int32_t code;
        n = utf8proc_iterate((const utf8proc_uint8_t *)s.s + at, (utf8proc_ssize_t)(s.n - at), &code);
        if (n <= 0 || utf8proc_category(code) == UTF8PROC_CATEGORY_CC) return false;
    }
    return true;
}

static int parse(struct homer_parse *p, const char *line, size_t n) {
    struct homer_request *r = p->r;
    size_t at = 0;
    struct homer_str word = next_word(line, n, &at);
    if (word.n == 0 || line[at - word.n] == '[' || line[at - word.n] == '"') {
        return homer_err_set(&r->error, HOMER_E_BAD_JSON,
                             "a request is a JSON object, or a command word such as help");
    }
    if (!readable(word)) {
        return homer_err_set(&r->error, HOMER_E_UNKNOWN_OP,
                             "the line is neither a JSON object nor a command word");
    }
    struct homer_str more = next_word(line, n, &at);
    switch (r->op = homer_op_parse(word)) {
    case HOMER_OP_NONE:
        return homer_err_set(&r->error, HOMER_E_UNKNOWN_OP,
                             "unknown command \"%s\"; help lists what there is", homer_quote(word).text);
    case HOMER_OP_LEARN:
    case HOMER_OP_PREDICT:
    case HOMER_OP_TEST:
    case HOMER_OP_LABEL:
    case HOMER_OP_BATCH:
    case HOMER_OP_MODEL_CREATE:
    case HOMER_OP_MODEL_DROP:
        return homer_err_set(&r->error, HOMER_E_BAD_REQUEST, "%s has fields: send it as {\"op\":\"%s\", ...}",
                             homer_op_word(r->op), homer_op_word(r->op));
    case HOMER_OP_AUTH:
        if (more.n == 0)
            return homer_err_set(&r->error, HOMER_E_BAD_REQUEST, "auth needs the token behind it");
        r->token = homer_parse_copy(p, more.s, more.n);
        if (!r->token.s) return homer_parse_no_memory(p);
        more = next_word(line, n, &at);
        break;
    case HOMER_OP_LABELS:
    case HOMER_OP_FEATURES:
        if (more.n == 0) return 0;
        if (!readable(more))
            return homer_err_set(&r->error, HOMER_E_BAD_REQUEST, "the prefix is not readable text");
        r->prefix = homer_parse_copy(p, more.s, more.n);
        if (!r->prefix.s) return homer_parse_no_memory(p);
        more = next_word(line, n, &at);
        break;
    default:
        break;
    }
    if (more.n == 0) return 0;
    return homer_err_set(&r->error, HOMER_E_BAD_REQUEST, "%s takes no more words", homer_op_word(r->op));
}

void homer_parse_bare(struct homer_parse *p, const char *line, size_t n) {
    p->r->bare = true;
    if (parse(p, line, n)) p->r->op = HOMER_OP_NONE;
}
