/* predict: the labels of one instance, or of one per line of standard input as they come. */
#include <errno.h>
#include <string.h>
#include "clients/cli/ask.h"
#include "clients/cli/cli.h"
#include "clients/cli/predict.h"
#include "clients/cli/request_line.h"
#include "clients/cli/stream.h"
#include "clients/cli/printable.h"

struct predict {
    struct homer_client *client;
    struct homer_mem mem;
    struct homer_buf fields, request; /* fields: those that every request has, NUL-terminated */
    bool json;
};

/* One instance, as JSON text; its labels in lines (`alone`) or in one line. */
static int predict(struct predict *p, const char *text, size_t n, bool alone, struct homer_error *err) {
    const char *answer;
    size_t answer_n;
    int rc = homer_request_line(&p->request, p->fields.data, NULL, text, n, err);
    if (rc == 0) rc = homer_client_call(p->client, p->request.data, p->request.n, &answer, &answer_n, err);
    if (rc) return rc;
    json_t *reply = homer_ask_read(answer, answer_n, err);
    if (p->json) printf("%.*s\n", (int)answer_n, answer); /* errors too: one line for each instance */
    if (!reply) return -EREMOTEIO;
    if (!p->json) homer_predict_print(reply, alone, stdout);
    json_decref(reply);
    return 0;
}

static int predict_lines(struct predict *p) {
    struct homer_stream *in;
    struct homer_error err;
    const char *line;
    size_t n;
    int rc, code = HOMER_EXIT_OK;
    if (homer_stream_open(&in, "-", &err)) return homer_cli_failed(&err);
    while ((rc = homer_stream_line(in, &line, &n, &err)) == 1) {
        rc = predict(p, line, n, false, &err);
        if (rc == -EREMOTEIO || rc == -EINVAL) { /* this line only */
            fprintf(stderr, "%s:%llu: ", homer_stream_name(in), (unsigned long long)homer_stream_number(in));
            homer_print_safe(stderr, err.message);
            fputc('\n', stderr);
            if (!p->json) fputc('\n', stdout); /* its line stays empty, the others keep their places */
            code = HOMER_EXIT_FAILURE;
        } else if (rc) {
            break;
        }
        if (fflush(stdout)) break; /* as they come; told at the end */
    }
    homer_stream_free(in);
    return rc < 0 && rc != -EREMOTEIO && rc != -EINVAL ? homer_cli_failed(&err) : code;
}

static int prepare(struct predict *p, const char *model, const char *objective, uint64_t k,
                   struct homer_error *err) {
    homer_buf_init(&p->fields, &p->mem);
    homer_buf_init(&p->request, &p->mem);
    int rc = homer_request_member(&p->fields, "op", "predict", err);
    if (rc == 0 && model) rc = homer_request_member(&p->fields, "model", model, err);
    if (rc == 0 && objective) rc = homer_request_member(&p->fields, "objective", objective, err);
    if (k) homer_buf_printf(&p->fields, ",\"k\":%llu", (unsigned long long)k);
    homer_buf_putc(&p->fields, '\0');
    return rc ? rc : p->fields.failed ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
}

int homer_cmd_predict(struct homer_cli *cli, const struct homer_command *cmd, int argc, char **argv) {
    const char *model = NULL, *text = NULL, *objective = NULL;
    uint64_t k = 0;
    const struct homer_opt own[] = {
        {"text", "TEXT", "the instance is this text", HOMER_OPT_STRING, &text},
        {"k", "N", "the N labels with the highest scores", HOMER_OPT_COUNT, &k},
        {"objective", "NAME", "example_f1, micro_f1, macro_f1, subset or hamming", HOMER_OPT_STRING,
         &objective},
        {"model", "NAME", "which model (default: default)", HOMER_OPT_STRING, &model},
        {0},
    };
    int code;
    struct homer_error err;
    if (!homer_cli_options(cli, cmd, own, &argc, argv, &code)) return code;
    if (argc > 1 || (argc && text))
        return homer_cli_misused(cmd, "one instance at a time; several go to standard input");

    struct predict p = {.json = cli->json};
    struct homer_buf instance;
    homer_buf_init(&instance, &p.mem);
    int rc = prepare(&p, model, objective, k, &err);
    if (rc == 0 && text) {
        homer_buf_putc(&instance, '{');
        rc = homer_request_member(&instance, "text", text, &err);
        homer_buf_putc(&instance, '}');
    } else if (rc == 0 && argc) {
        homer_buf_puts(&instance, argv[0]);
    }
    if (rc)
        code = homer_cli_failed(&err);
    else
        code = homer_cli_connect(cli, homer_cli_address(cli), &p.client);
    if (code == HOMER_EXIT_OK) {
        if (!text && !argc)
            code = predict_lines(&p);
        else if (predict(&p, instance.data, instance.n, true, &err))
            code = homer_cli_failed(&err);
    }
    homer_client_free(p.client);
    homer_buf_deinit(&instance);
    homer_buf_deinit(&p.fields);
    homer_buf_deinit(&p.request);
    return homer_cli_finish(code);
}
