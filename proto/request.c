#include "proto/request.h"

#include <math.h>
#include <string.h>
#include "proto/request_hot.h"
#include "proto/request_json.h"
#include "proto/request_parse.h"

static const char *const op_words[HOMER_OP_COUNT] = {
    [HOMER_OP_NONE] = "none",
    [HOMER_OP_HELLO] = "hello",
    [HOMER_OP_PING] = "ping",
    [HOMER_OP_HELP] = "help",
    [HOMER_OP_QUIT] = "quit",
    [HOMER_OP_AUTH] = "auth",
    [HOMER_OP_LEARN] = "learn",
    [HOMER_OP_PREDICT] = "predict",
    [HOMER_OP_TEST] = "test",
    [HOMER_OP_LABEL] = "label",
    [HOMER_OP_BATCH] = "batch",
    [HOMER_OP_STATS] = "stats",
    [HOMER_OP_LABELS] = "labels",
    [HOMER_OP_FEATURES] = "features",
    [HOMER_OP_HIERARCHY] = "hierarchy",
    [HOMER_OP_DRIFTS] = "drifts",
    [HOMER_OP_CONFIG] = "config",
    [HOMER_OP_DIGEST] = "digest",
    [HOMER_OP_SNAPSHOT] = "snapshot",
    [HOMER_OP_MODEL_CREATE] = "model.create",
    [HOMER_OP_MODEL_DROP] = "model.drop",
    [HOMER_OP_MODEL_LIST] = "model.list",
};

const char *homer_op_word(enum homer_op op) {
    return op_words[(unsigned)op < HOMER_OP_COUNT ? op : HOMER_OP_NONE];
}

enum homer_op homer_op_parse(struct homer_str word) {
    for (unsigned op = HOMER_OP_NONE + 1; op < HOMER_OP_COUNT; op++) {
        if (word.n && op_words[op][0] == word.s[0] && strlen(op_words[op]) == word.n &&
            memcmp(op_words[op], word.s, word.n) == 0)
            return (enum homer_op)op;
    }
    return HOMER_OP_NONE;
}

void homer_request_blank(struct homer_request *r, struct homer_str model) {
    *r = (struct homer_request){.model = model, .weight = 1, .threshold = (double)NAN};
}

void homer_request_init(struct homer_request *r, struct homer_mem *mem) {
    homer_json_setup();
    homer_request_blank(r, (struct homer_str){0});
    homer_arena_init(&r->arena, mem);
}

void homer_request_deinit(struct homer_request *r) {
    r->hot = homer_hot_free(r->hot);
    homer_arena_deinit(&r->arena);
    homer_request_init(r, r->arena.mem);
}

/* Forgets the line before. */
static void begin(struct homer_request *r) {
    struct homer_arena arena = r->arena;
    struct homer_hot *hot = r->hot;
    homer_arena_reset(&arena);
    homer_request_blank(r, (struct homer_str){.s = "default", .n = strlen("default")});
    r->arena = arena;
    r->hot = hot;
}

void homer_request_parse(struct homer_request *r, const char *line, size_t n,
                         const struct homer_request_limits *limits) {
    if (!homer_request_parse_hot(r, line, n, limits)) homer_request_parse_any(r, line, n, limits);
}

void homer_request_parse_any(struct homer_request *r, const char *line, size_t n,
                             const struct homer_request_limits *limits) {
    struct homer_parse p = {.r = r, .arena = &r->arena, .limits = limits};
    size_t start = 0;
    begin(r);
    while (start < n && (line[start] == ' ' || line[start] == '\t')) start++;
    if (start == n || line[start] != '{') {
        homer_parse_bare(&p, line, n);
        return;
    }
    json_t *object;
    if (homer_json_load(p.arena, line, n, limits->max_depth, &object, &p.int_as_real, &r->error)) return;
    homer_parse_object(&p, object, false);
}

bool homer_request_parse_hot(struct homer_request *r, const char *line, size_t n,
                             const struct homer_request_limits *limits) {
    struct homer_parse p = {.r = r, .arena = &r->arena, .limits = limits};
    begin(r);
    if (r->hot) homer_hot_trim(r->hot);
    if (!n || line[0] != '{') return false;
    int rc = homer_hot_read(&p, line, n);
    if (rc >= 0) return rc;
    r->op = HOMER_OP_NONE; /* jansson would need more */
    homer_parse_no_memory(&p);
    return true;
}
