/* The commands that are one request and one reply: ping, stats, labels, features, hierarchy, drifts, models,
 * digest, config. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "clients/cli/ask.h"
#include "clients/cli/cli.h"
#include "clients/cli/outline.h"
#include "clients/cli/pretty.h"
#include "clients/cli/printable.h"
#include "clients/cli/request_line.h"

struct wanted {
    const char *model, *prefix;
    uint64_t limit, since, width;
    bool dot;
};

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int build(struct homer_buf *out, const char *op, const struct wanted *w, struct homer_error *err) {
    int rc = homer_ask_build(out, op, w->model, err);
    if (rc) return rc;
    out->n--; /* the closing brace comes again */
    if (w->prefix) rc = homer_request_member(out, "prefix", w->prefix, err);
    if (w->since) homer_buf_printf(out, ",\"since\":%llu", (unsigned long long)w->since);
    if (w->dot) homer_buf_puts(out, ",\"format\":\"dot\"");
    if (w->limit) homer_buf_printf(out, ",\"limit\":%llu", (unsigned long long)w->limit);
    homer_buf_putc(out, '}');
    return rc ? rc : out->failed ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
}

/* Counters that never moved say nothing to a person. */
static void drop_zeros(json_t *counters) {
    const char *key;
    json_t *v;
    void *next;
    json_object_foreach_safe(counters, next, key, v) {
        if (json_is_integer(v) && json_integer_value(v) == 0) json_object_del(counters, key);
    }
}

/* Text of several lines, which may hold labels. */
static void print_lines(const char *text) {
    struct homer_mem mem = {0};
    struct homer_buf line;
    homer_buf_init(&line, &mem);
    for (size_t n; *text; text += n + (text[n] == '\n')) {
        n = strcspn(text, "\n");
        homer_buf_truncate(&line, 0);
        homer_printable(&line, text, n);
        printf("%.*s\n", (int)line.n, line.n ? line.data : "");
    }
    homer_buf_deinit(&line);
}

/* What a listing says beside its items: how many more there are, only when there are. */
static void drop_totals(json_t *reply) {
    const json_t *kept = json_object_get(reply, "kept"), *total = json_object_get(reply, "total");
    if (!kept || json_equal(kept, total)) {
        json_object_del(reply, "kept");
        json_object_del(reply, "total");
    }
    json_object_del(reply, "truncated");
}

static int show(const char *name, json_t *reply, const struct wanted *w) {
    if (w->dot) {
        const char *dot = json_string_value(json_object_get(reply, "dot"));
        print_lines(dot ? dot : "");
        return 0;
    }
    if (strcmp(name, "hierarchy") == 0)
        return homer_outline_print(reply, w->width ? w->width : homer_outline_width(stdout), stdout);
    if (strcmp(name, "digest") == 0) {
        printf("%s\n", json_string_value(json_object_get(reply, "digest")));
        return 0;
    }
    if (strcmp(name, "config") == 0) return homer_pretty_print(json_object_get(reply, "config"), stdout);
    drop_zeros(json_object_get(reply, "requests"));
    drop_zeros(json_object_get(reply, "errors"));
    drop_zeros(json_object_get(reply, "connections"));
    bool listing = json_is_array(json_object_get(reply, name)); /* labels, features, drifts */
    if (listing && !json_is_true(json_object_get(reply, "truncated"))) drop_totals(reply);
    int rc = homer_pretty_print(reply, stdout);
    if (json_is_true(json_object_get(reply, "truncated")))
        fputs("homer: there are more; --limit N shows more\n", stderr);
    return rc;
}

static int answer(const char *name, const char *address, struct homer_client *client, const char *request,
                  size_t n, bool json, const struct wanted *w) {
    struct homer_error err;
    const char *text;
    size_t text_n;
    double before = now_ms();
    if (homer_client_call(client, request, n, &text, &text_n, &err)) return homer_cli_failed(&err);
    double took = now_ms() - before;
    json_t *reply = homer_ask_read(text, text_n, &err);
    if (!reply) {
        if (json) printf("%.*s\n", (int)text_n, text);
        return homer_cli_failed(&err);
    }
    int rc = 0;
    if (json)
        printf("%.*s\n", (int)text_n, text);
    else if (strcmp(name, "ping") == 0)
        printf("homerd at %s answers, in %.2f ms\n", address, took);
    else
        rc = show(name, reply, w);
    json_decref(reply);
    return rc ? HOMER_EXIT_FAILURE : HOMER_EXIT_OK;
}

int homer_cmd_simple(struct homer_cli *cli, const struct homer_command *cmd, int argc, char **argv) {
    struct wanted w = {0};
    const struct homer_opt listing[] = {
        {"model", "NAME", "which model (default: default)", HOMER_OPT_STRING, &w.model},
        {"prefix", "TEXT", "only names that begin so", HOMER_OPT_STRING, &w.prefix},
        {"limit", "N", "at most N of them", HOMER_OPT_COUNT, &w.limit},
        {0},
    };
    const struct homer_opt of_model[] = {listing[0], {0}};
    const struct homer_opt drifts[] = {
        listing[0],
        {"since", "SEQ", "only what happened after instance SEQ", HOMER_OPT_COUNT, &w.since},
        listing[2],
        {0},
    };
    const struct homer_opt hierarchy[] = {
        listing[0],
        {"dot", NULL, "as a graph in the language of Graphviz", HOMER_OPT_FLAG, &w.dot},
        {"width", "N", "columns of a line (default: the terminal's)", HOMER_OPT_COUNT, &w.width},
        {0},
    };
    const struct {
        const char *name;
        const struct homer_opt *opts;
    } own[] = {{"labels", listing}, {"features", listing},    {"stats", of_model},   {"digest", of_model},
               {"drifts", drifts},  {"hierarchy", hierarchy}, {"snapshot", of_model}};
    const struct homer_opt *opts = NULL;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(cmd->name, own[i].name) == 0) opts = own[i].opts;
    const char *op = strcmp(cmd->name, "models") == 0 ? "model.list" : cmd->name;
    int code;
    if (!homer_cli_options(cli, cmd, opts, &argc, argv, &code)) return code;
    if (argc) return homer_cli_misused(cmd, "unexpected '%s'", argv[0]);

    struct homer_error err;
    struct homer_mem mem = {0};
    struct homer_buf request;
    struct homer_client *client;
    homer_buf_init(&request, &mem);
    const char *address = homer_cli_address(cli);
    if (build(&request, op, &w, &err)) {
        code = homer_cli_failed(&err);
    } else if ((code = homer_cli_connect(cli, address, &client)) == 0) {
        code = answer(cmd->name, address, client, request.data, request.n, cli->json, &w);
        homer_client_free(client);
    }
    homer_buf_deinit(&request);
    return homer_cli_finish(code);
}
