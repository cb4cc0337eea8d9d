/* What the sub-commands of `homer` share: global options, the way to the daemon, exit codes. */
#ifndef HOMER_CLI_H
#define HOMER_CLI_H

#include "clients/c/homer.h"
#include "clients/cli/args.h"

enum {
    HOMER_EXIT_OK = 0,
    HOMER_EXIT_FAILURE = 1, /* unreachable, refused by the daemon, unreadable */
    HOMER_EXIT_USAGE = 2,
    HOMER_EXIT_SIGNAL = 128, /* + its number */
};

struct homer_cli {
    const char *to, *unix_path; /* as given; NULL = not */
    struct homer_client_trust trust;
    bool json, help, version;
    char address[128]; /* "unix:..." is put together here */
};

struct homer_command {
    const char *name;
    const char *usage;   /* behind "homer NAME " */
    const char *summary; /* one line */
    const char *detail;  /* further text of its help; NULL = none */
    /* argv[0..argc): what stands behind the name. Returns the exit code. */
    int (*run)(struct homer_cli *cli, const struct homer_command *cmd, int argc, char **argv);
};

/* Takes the command's options and the global ones out of argv. True: go on. False: stop with *exit_code,
 * because help was asked for (and printed) or because of wrong usage (told on standard error). */
bool homer_cli_options(struct homer_cli *cli, const struct homer_command *cmd, const struct homer_opt *own,
                       int *argc, char **argv, int *exit_code);
/* Prints "homer NAME: message" and the way to its help; returns HOMER_EXIT_USAGE. */
int homer_cli_misused(const struct homer_command *cmd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints "homer: message"; returns HOMER_EXIT_FAILURE. */
int homer_cli_failed(const struct homer_error *err);

/* The address that the options name, or the default. Borrowed from cli. */
const char *homer_cli_address(struct homer_cli *cli);
/* Connects to `address`, as the options say: 0 and *out, or an exit code, told on standard error. cli NULL: a
 * daemon of our own, which trusts us. */
int homer_cli_connect(const struct homer_cli *cli, const char *address, struct homer_client **out);

/* Flushes standard output; when it cannot be written (disk full, closed pipe) says so and returns
 * HOMER_EXIT_FAILURE, else exit_code. What every command ends with. */
int homer_cli_finish(int exit_code);

int homer_cmd_bench(struct homer_cli *, const struct homer_command *, int, char **);
int homer_cmd_replay(struct homer_cli *, const struct homer_command *, int, char **);
int homer_cmd_learn(struct homer_cli *, const struct homer_command *, int, char **);
int homer_cmd_predict(struct homer_cli *, const struct homer_command *, int, char **);
int homer_cmd_simple(struct homer_cli *, const struct homer_command *, int, char **);
int homer_cmd_shell(struct homer_cli *, const struct homer_command *, int, char **);

#endif
