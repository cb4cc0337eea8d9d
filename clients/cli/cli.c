#include "clients/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "clients/cli/printable.h"

enum { CONNECT_MS = 10000 };

bool homer_cli_options(struct homer_cli *cli, const struct homer_command *cmd, const struct homer_opt *own,
                       int *argc, char **argv, int *exit_code) {
    const struct homer_opt shared[] = {
        {"to", "ADDRESS", "the daemon: HOST:PORT (default " HOMER_DEFAULT_ADDRESS ")", HOMER_OPT_STRING,
         &cli->to},
        {"unix", "PATH", "the daemon: a Unix socket", HOMER_OPT_STRING, &cli->unix_path},
        {"token-file", "FILE", "the token to show first (default $HOMER_TOKEN_FILE)", HOMER_OPT_STRING,
         &cli->trust.token_file},
        {"tls", NULL, "encrypt, and check the daemon's certificate; also --to tls://HOST:PORT",
         HOMER_OPT_FLAG, &cli->trust.tls},
        {"ca", "FILE", "certificates (PEM) that vouch for the daemon's (default: the system's)",
         HOMER_OPT_STRING, &cli->trust.ca_file},
        {"json", NULL, "results as JSON, for programs", HOMER_OPT_FLAG, &cli->json},
        {"help", NULL, "this text", HOMER_OPT_FLAG, &cli->help},
        {0},
    };
    struct homer_error err;
    *exit_code = HOMER_EXIT_OK;
    if (homer_args_parse(argc, argv, own, shared, false, &err)) {
        *exit_code = homer_cli_misused(cmd, "%s", err.message);
        return false;
    }
    if (cli->help) {
        printf("homer %s %s\n%s\n", cmd->name, cmd->usage, cmd->summary);
        if (cmd->detail) printf("\n%s", cmd->detail);
        if (own) {
            printf("\nOptions:\n");
            homer_args_help(stdout, own);
        }
        printf("\nEvery command takes:\n");
        homer_args_help(stdout, shared);
        *exit_code = homer_cli_finish(HOMER_EXIT_OK);
        return false;
    }
    if (cli->trust.tls && cli->unix_path) {
        *exit_code = homer_cli_misused(cmd, "--tls is for TCP; a Unix socket needs none");
        return false;
    }
    if (cli->to && cli->unix_path) {
        *exit_code = homer_cli_misused(cmd, "--to and --unix name two daemons; give one");
        return false;
    }
    return true;
}

int homer_cli_misused(const struct homer_command *cmd, const char *fmt, ...) {
    va_list ap;
    fprintf(stderr, "homer %s: ", cmd->name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\nusage: homer %s %s\n'homer %s --help' says more\n", cmd->name, cmd->usage, cmd->name);
    return HOMER_EXIT_USAGE;
}

int homer_cli_failed(const struct homer_error *err) {
    fputs("homer: ", stderr);
    homer_print_safe(stderr, err->message);
    fputc('\n', stderr);
    return HOMER_EXIT_FAILURE;
}

const char *homer_cli_address(struct homer_cli *cli) {
    if (cli->to) return cli->to;
    if (!cli->unix_path) return HOMER_DEFAULT_ADDRESS;
    /* cut when too long, and then refused as too long for a socket */
    snprintf(cli->address, sizeof(cli->address), "unix:%s", cli->unix_path);
    return cli->address;
}

int homer_cli_connect(const struct homer_cli *cli, const char *address, struct homer_client **out) {
    struct homer_client_trust trust = {0};
    struct homer_error err;
    if (cli) {
        trust = cli->trust;
        if (!trust.token_file) trust.token_file = getenv("HOMER_TOKEN_FILE");
        if (trust.token_file && !*trust.token_file) trust.token_file = NULL;
    }
    int rc = homer_client_open(out, address, &trust, CONNECT_MS, &err);
    if (rc == 0) return HOMER_EXIT_OK;
    (void)homer_cli_failed(&err);
    if (rc == -EINVAL) return HOMER_EXIT_USAGE;
    if (rc == -ECONNREFUSED || rc == -ENOENT)
        fputs("start one with 'homerd', or name another one with --to HOST:PORT or --unix PATH\n", stderr);
    return HOMER_EXIT_FAILURE;
}

int homer_cli_finish(int exit_code) {
    errno = EIO;
    if (fflush(stdout) == 0 && !ferror(stdout)) return exit_code;
    if (errno != EPIPE) fprintf(stderr, "homer: cannot write the results: %s\n", strerror(errno));
    return exit_code ? exit_code : HOMER_EXIT_FAILURE;
}
