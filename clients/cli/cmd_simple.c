/* The commands that are one request and one reply: ping, stats, labels, features, models, digest, config. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "clients/cli/ask.h"
#include "clients/cli/cli.h"
#include "clients/cli/pretty.h"
#include "clients/cli/request_line.h"

struct wanted {
    const char *model, *prefix;
    uint64_t limit;
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

static int show(const char *name, json_t *reply) {
    if (strcmp(name, "digest") == 0) {
        printf("%s\n", json_string_value(json_object_get(reply, "digest")));
        return 0;
    }
    if (strcmp(name, "config") == 0) return homer_pretty_print(json_object_get(reply, "config"), stdout);
    drop_zeros(json_object_get(reply, "requests"));
    drop_zeros(json_object_get(reply, "errors"));
    drop_zeros(json_object_get(reply, "connections"));
    json_t *shown = json_object_get(reply, name);
    bool listing =
        json_is_array(shown); /* labels, features: say how many more there are only when there are */
    if (listing && !json_is_true(json_object_get(reply, "truncated"))) {
        json_object_del(reply, "truncated");
        json_object_del(reply, "total");
    }
    int rc = homer_pretty_print(reply, stdout);
    if (json_is_true(json_object_get(reply, "truncated")))
        fputs("homer: there are more; --limit N shows more\n", stderr);
    return rc;
}

static int answer(const char *name, const char *address, struct homer_client *client, const char *request,
                  size_t n, bool json) {
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
        rc = show(name, reply);
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
    bool lists = strcmp(cmd->name, "labels") == 0 || strcmp(cmd->name, "features") == 0;
    bool model = lists || strcmp(cmd->name, "stats") == 0 || strcmp(cmd->name, "digest") == 0;
    const char *op = strcmp(cmd->name, "models") == 0 ? "model.list" : cmd->name;
    int code;
    if (!homer_cli_options(cli, cmd, lists ? listing : model ? of_model : NULL, &argc, argv, &code))
        return code;
    if (argc) return homer_cli_misused(cmd, "unexpected '%s'", argv[0]);

    struct homer_error err;
    struct homer_mem mem = {0};
    struct homer_buf request;
    struct homer_client *client;
    homer_buf_init(&request, &mem);
    const char *address = homer_cli_address(cli);
    if (build(&request, op, &w, &err)) {
        code = homer_cli_failed(&err);
    } else if ((code = homer_cli_connect(address, &client)) == 0) {
        code = answer(cmd->name, address, client, request.data, request.n, cli->json);
        homer_client_free(client);
    }
    homer_buf_deinit(&request);
    return homer_cli_finish(code);
}
