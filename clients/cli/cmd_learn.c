/* learn: instances of files, or one given as an argument. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "clients/cli/ask.h"
#include "clients/cli/cli.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/pump.h"
#include "clients/cli/request_line.h"

enum { WINDOW = 512 };

static int learn_one(struct homer_cli *cli, struct homer_client *client, const char *model,
                     const char *json) {
    struct homer_error err;
    struct homer_mem mem = {0};
    struct homer_buf fields, request;
    homer_buf_init(&fields, &mem);
    homer_buf_init(&request, &mem);
    int rc = homer_request_member(&fields, "op", "learn", &err);
    if (rc == 0 && model) rc = homer_request_member(&fields, "model", model, &err);
    homer_buf_putc(&fields, '\0');
    if (rc == 0) rc = homer_request_line(&request, fields.data, NULL, json, strlen(json), &err);
    json_t *reply = rc ? NULL : homer_ask(client, request.data, request.n, &err);
    int code = reply ? HOMER_EXIT_OK : homer_cli_failed(&err);
    if (reply && cli->json) {
        json_dumpf(reply, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (reply) {
        printf("learned as instance %" JSON_INTEGER_FORMAT "\n",
               json_integer_value(json_object_get(reply, "seq")));
    }
    json_decref(reply);
    homer_buf_deinit(&fields);
    homer_buf_deinit(&request);
    return code;
}

static int learn_files(struct homer_cli *cli, struct homer_client *client, const char *model, const char *src,
                       char **path, int path_n) {
    struct homer_error err;
    struct homer_progress progress;
    struct homer_source *source;
    homer_progress_init(&progress, stderr, 0);
    const struct homer_source_options options = {
        .path = (const char *const *)path, .path_n = (size_t)path_n, .count = progress.to != NULL};
    homer_interrupt_watch();
    int rc = homer_source_open(&source, &options, &err);
    if (rc == -EINTR && homer_interrupted()) return HOMER_EXIT_SIGNAL + homer_interrupted();
    if (rc) return homer_cli_failed(&err);
    progress.total = homer_source_total(source);
    struct homer_pump pump = {.client = client,
                              .source = source,
                              .op = "learn",
                              .model = model,
                              .src = src,
                              .window = WINDOW,
                              .progress = &progress};
    rc = homer_pump_run(&pump, &err);
    if (rc) (void)homer_cli_failed(&err);
    if (cli->json)
        printf("{\"learned\":%llu,\"repeated\":%llu,\"refused\":%llu,\"seconds\":%.6f}\n",
               (unsigned long long)(pump.done - pump.repeated), (unsigned long long)pump.repeated,
               (unsigned long long)pump.refused, pump.seconds);
    else
        printf("learned %llu instances in %.2f s, refused %llu\n",
               (unsigned long long)(pump.done - pump.repeated), pump.seconds,
               (unsigned long long)pump.refused);
    if (pump.repeated && !cli->json)
        printf("%llu were learned before: the model knows that %s has sent them\n",
               (unsigned long long)pump.repeated, src);
    homer_source_free(source);
    if (pump.interrupted) return HOMER_EXIT_SIGNAL + pump.interrupted;
    return rc || pump.refused ? HOMER_EXIT_FAILURE : HOMER_EXIT_OK;
}

int homer_cmd_learn(struct homer_cli *cli, const struct homer_command *cmd, int argc, char **argv) {
    const char *model = NULL, *src = NULL;
    const struct homer_opt own[] = {
        {"model", "NAME", "which model (default: default)", HOMER_OPT_STRING, &model},
        {"src", "NAME", "number the lines for NAME, so that what is sent again is learned once",
         HOMER_OPT_STRING, &src},
        {0},
    };
    int code;
    struct homer_client *client;
    if (!homer_cli_options(cli, cmd, own, &argc, argv, &code)) return code;
    static char standard_input[] = "-", *piped[] = {standard_input};
    if (argc == 0 && isatty(STDIN_FILENO))
        return homer_cli_misused(cmd, "no file and no instance given; - is standard input");
    if (argc == 0) argv = piped, argc = 1;
    bool one = argv[0][0] == '{';
    if (one && src) return homer_cli_misused(cmd, "--src numbers the lines of files");
    if (one && argc > 1) return homer_cli_misused(cmd, "one instance, or files, not both");
    code = homer_cli_connect(cli, homer_cli_address(cli), &client);
    if (code) return code;
    code = one ? learn_one(cli, client, model, argv[0]) : learn_files(cli, client, model, src, argv, argc);
    homer_client_free(client);
    return homer_cli_finish(code);
}
