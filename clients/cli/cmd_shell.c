/* shell: a person types at the daemon; without a terminal, a filter from requests to replies. */
#include <errno.h>
#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clients/cli/ask.h"
#include "clients/cli/cli.h"
#include "clients/cli/outline.h"
#include "clients/cli/predict.h"
#include "clients/cli/pretty.h"
#include "clients/cli/request_line.h"
#include "clients/cli/stream.h"
#include "clients/cli/printable.h"

enum { HISTORY_LINES = 500, PROMPT_CAP = 160 };
/* A request with noreply is answered only when it fails: a ping behind it tells that it is done. */
static const char SYNC[] = "{\"op\":\"ping\",\"id\":\"homer-shell\"}";

struct shell {
    struct homer_client *client;
    struct homer_mem mem;
    struct homer_buf request;
    bool person; /* at a terminal */
    bool left;   /* the daemon said goodbye */
    char prompt[PROMPT_CAP];
};

static void show(struct shell *s, const char *text, size_t n) {
    struct homer_error err;
    if (!s->person) {
        printf("%.*s\n", (int)n, text);
        return;
    }
    json_t *reply = homer_ask_read(text, n, &err);
    if (!reply) {
        homer_print_safe(stdout, err.message);
        putchar('\n');
    } else if (json_is_array(json_object_get(reply, "labels")) &&
               json_is_object(json_object_get(reply, "scores"))) {
        homer_predict_print(reply, true, stdout);
    } else if (json_is_object(json_object_get(reply, "hierarchy"))) {
        (void)homer_outline_print(reply, homer_outline_width(stdout), stdout);
    } else if (json_object_size(reply) == 1) {
        puts("ok");
    } else {
        (void)homer_pretty_print(reply, stdout);
    }
    json_decref(reply);
}

/* What to send for a line: itself, or for "? some text" the request that predicts it. */
static int translate(struct shell *s, const char *line, size_t n, struct homer_error *err) {
    homer_buf_truncate(&s->request, 0);
    if (line[0] != '?') {
        homer_buf_append(&s->request, line, n);
        return s->request.failed ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
    }
    char *text = strndup(line + 1, n - 1);
    if (!text) return homer_err_set(err, -ENOMEM, "out of memory");
    homer_buf_puts(&s->request, "{\"op\":\"predict\"");
    int rc = homer_request_member(&s->request, "text", text + strspn(text, " \t"), err);
    homer_buf_putc(&s->request, '}');
    free(text);
    return rc ? rc : s->request.failed ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
}

/* The value of a top-level member of a request, borrowed from *owner (a new reference); NULL when there is
 * none. */
static const json_t *member(const struct homer_buf *request, const char *key, json_t **owner) {
    *owner = request->data[0] == '{' ? json_loadb(request->data, request->n, 0, NULL) : NULL;
    return json_object_get(*owner, key);
}

/* Sends one line and shows its reply. 0, or a negative errno when the connection is of no use any more. */
static int line_in(struct shell *s, const char *line, size_t n, struct homer_error *err) {
    json_t *parsed;
    const char *text;
    size_t text_n;
    int rc = translate(s, line, n, err);
    if (rc == -EILSEQ) {
        fprintf(stderr, "homer: %s\n", err->message);
        return 0;
    }
    if (rc) return rc;
    bool silent = json_is_true(member(&s->request, "noreply", &parsed));
    json_decref(parsed);
    const char *op = json_string_value(member(&s->request, "op", &parsed));
    s->left =
        (op && strcmp(op, "quit") == 0) || (s->request.n == 4 && memcmp(s->request.data, "quit", 4) == 0);
    json_decref(parsed);

    rc = homer_client_send(s->client, s->request.data, s->request.n, err);
    if (rc == 0 && silent) rc = homer_client_send(s->client, SYNC, sizeof(SYNC) - 1, err);
    for (bool waiting = true; rc == 0 && waiting;) {
        rc = homer_client_step(s->client, -1, err);
        while (rc == 0 && waiting && (rc = homer_client_reply(s->client, &text, &text_n, err)) == 1) {
            rc = 0;
            waiting = silent && !memmem(text, text_n, "\"id\":\"homer-shell\"", 18);
            if (!silent || waiting) show(s, text, text_n);
        }
    }
    return rc;
}

static const char *prompt_of(EditLine *el) {
    struct shell *s;
    el_get(el, EL_CLIENTDATA, &s);
    return s->prompt;
}

static int at_terminal(struct shell *s, struct homer_error *err) {
    HistEvent event;
    int n, rc = 0;
    const char *line;
    EditLine *el = el_init("homer", stdin, stdout, stderr);
    History *past = history_init();
    if (!el || !past) {
        if (el) el_end(el);
        if (past) history_end(past);
        return homer_err_set(err, -ENOMEM, "the terminal cannot be set up");
    }
    snprintf(s->prompt, sizeof(s->prompt), "%.120s> ", homer_client_address(s->client));
    history(past, &event, H_SETSIZE, HISTORY_LINES);
    el_set(el, EL_CLIENTDATA, s);
    el_set(el, EL_PROMPT, prompt_of);
    el_set(el, EL_HIST, history, past);
    el_set(el, EL_EDITOR, "emacs");
    el_set(el, EL_SIGNAL, 1); /* the terminal is put right before a Ctrl-C ends us */
    el_source(el, NULL);
    puts("words such as help, ping, stats, labels; a JSON request; or '? some text' to predict; Ctrl-D "
         "leaves");
    while (rc == 0 && !s->left && (line = el_gets(el, &n)) && n > 0) {
        while (n > 0 && strchr(" \t\r\n", line[n - 1])) n--;
        while (n > 0 && strchr(" \t", *line)) line++, n--;
        if (n == 0) continue;
        if ((n == 4 && memcmp(line, "exit", 4) == 0)) break;
        history(past, &event, H_ENTER, line);
        rc = line_in(s, line, (size_t)n, err);
    }
    if (!s->left) putchar('\n');
    history_end(past);
    el_end(el);
    return rc;
}

static int as_filter(struct shell *s, struct homer_error *err) {
    struct homer_stream *in;
    const char *line;
    size_t n;
    int rc = homer_stream_open(&in, "-", err);
    if (rc) return rc;
    while (!s->left && (rc = homer_stream_line(in, &line, &n, err)) == 1) {
        rc = line_in(s, line, n, err);
        if (rc || fflush(stdout)) break;
    }
    homer_stream_free(in);
    return rc;
}

int homer_cmd_shell(struct homer_cli *cli, const struct homer_command *cmd, int argc, char **argv) {
    int code;
    struct homer_error err;
    struct shell s = {0};
    if (!homer_cli_options(cli, cmd, NULL, &argc, argv, &code)) return code;
    if (argc) return homer_cli_misused(cmd, "unexpected '%s'", argv[0]);
    code = homer_cli_connect(cli, homer_cli_address(cli), &s.client);
    if (code) return code;
    homer_buf_init(&s.request, &s.mem);
    s.person = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !cli->json;
    int rc = s.person ? at_terminal(&s, &err) : as_filter(&s, &err);
    if (rc < 0) code = homer_cli_failed(&err);
    homer_buf_deinit(&s.request);
    homer_client_free(s.client);
    return homer_cli_finish(code);
}
