/* homer: the command-line tool for homerd. This file knows the commands by name; each has a cmd_*.c. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "clients/cli/cli.h"

static const struct homer_command commands[] = {
    {"replay", "FILE... [options]",
     "send recorded instances, each predicted first and then learned, and print the metrics",
     "FILE holds one JSON object a line, {\"x\":{...},\"y\":[...]} or {\"text\":\"...\",\"y\":[...]}; it\n"
     "may be compressed with gzip or zstd; - is standard input. Several files are one stream.\n"
     "Without --to or --unix a private daemon is started for the replay and stopped at its end.\n"
     "Ctrl-C ends early and prints the metrics so far.\n",
     homer_cmd_replay},
    {"predict", "[JSON] [options]", "predict the labels of an instance, or of one per line of standard input",
     "JSON is an instance, {\"x\":{...}} or {\"text\":\"...\"}. Labels are printed with their scores,\n"
     "best first.\n",
     homer_cmd_predict},
    {"learn", "[FILE... | JSON] [options]",
     "learn the instances of files, of standard input, or a single one",
     "As for replay, FILE may be compressed, and - is standard input. JSON is {\"x\":{...},\"y\":[...]} or\n"
     "{\"text\":\"...\",\"y\":[...]}. With --src the same command, run again after a lost connection, goes\n"
     "on where the daemon's knowledge ends: nothing is learned twice.\n",
     homer_cmd_learn},
    {"stats", "[options]", "counters, memory, throughput and metrics of a model", NULL, homer_cmd_simple},
    {"labels", "[options]", "the labels a model knows", NULL, homer_cmd_simple},
    {"features", "[options]", "the features a model knows",
     "The feature without a name stands for the words of \"text\".\n", homer_cmd_simple},
    {"hierarchy", "[options]", "how a model's labels group, drawn as a tree",
     "Of every group: how many labels it has, the micro F1 that they had lately, and of the smallest\n"
     "groups, the clusters, the loss, the nodes of the decision tree and how often it drifted.\n"
     "--dot prints a graph: homer hierarchy --dot | dot -Tsvg > labels.svg\n",
     homer_cmd_simple},
    {"drifts", "[options]", "what changed in the groups, their trees and their losses, oldest first",
     "before and after: of a drift the mean loss, or in the hierarchy the share of co-occurring pairs\n"
     "that a cut separates; of an arrival the number of labels.\n",
     homer_cmd_simple},
    {"models", "[options]", "the models of the daemon", NULL, homer_cmd_simple},
    {"digest", "[options]", "a hash of a model's state", NULL, homer_cmd_simple},
    {"snapshot", "[options]", "write the daemon's whole state to its data folder, now",
     "Waits until it is there, and prints the sequence number and the digest that the model had.\n",
     homer_cmd_simple},
    {"config", "[options]", "the daemon's effective configuration", NULL, homer_cmd_simple},
    {"ping", "[options]", "whether the daemon answers", NULL, homer_cmd_simple},
    {"bench", "[FILE...] [options]",
     "send requests as fast as they are answered, or at a rate, and time the replies",
     "FILE as for replay; its instances are held in memory and sent again and again. Without FILE they are\n"
     "made up, dense, or sparse with --nonzero. Without --to or --unix a private daemon is started; another\n"
     "daemon gets a model `bench` for it, dropped at the end, unless --model names one.\n"
     "Latency runs from writing a request to reading its reply; with --rate, from when it was due.\n"
     "Ctrl-C ends early and prints what was measured. Exit code 1 when a reply was an error.\n",
     homer_cmd_bench},
    {"shell", "[options]", "type requests and see the replies",
     "At a terminal: words such as ping or stats, a JSON request, or '? some text' to predict its\n"
     "labels; Ctrl-D leaves. Otherwise a filter: requests on standard input, one reply a line on\n"
     "standard output.\n",
     homer_cmd_shell},
    {0},
};

static const char *command_name(const void *ctx, size_t i) {
    const struct homer_command *c = ctx;
    return c[i].name;
}

static void help(FILE *to) {
    fputs("homer [--to HOST:PORT | --unix PATH] COMMAND ...\n"
          "The command-line tool for homerd, which learns multi-label classification from a stream.\n\n",
          to);
    for (const struct homer_command *c = commands; c->name; c++)
        fprintf(to, "  %-9s %s\n", c->name, c->summary);
    fputs("\nThe daemon is at " HOMER_DEFAULT_ADDRESS
          " unless --to or --unix says otherwise. 'homer COMMAND --help' says more.\n"
          "Exit codes: 0 ok, 1 failure, 2 wrong usage.\n",
          to);
}

static int misused(const char *message) {
    fprintf(stderr, "homer: %s\n'homer --help' lists the commands\n", message);
    return HOMER_EXIT_USAGE;
}

int main(int argc, char **argv) {
    struct homer_cli cli = {0};
    const struct homer_opt global[] = {
        {"to", "ADDRESS", NULL, HOMER_OPT_STRING, &cli.to},
        {"unix", "PATH", NULL, HOMER_OPT_STRING, &cli.unix_path},
        {"token-file", "FILE", NULL, HOMER_OPT_STRING, &cli.trust.token_file},
        {"tls", NULL, NULL, HOMER_OPT_FLAG, &cli.trust.tls},
        {"ca", "FILE", NULL, HOMER_OPT_STRING, &cli.trust.ca_file},
        {"json", NULL, NULL, HOMER_OPT_FLAG, &cli.json},
        {"help", NULL, NULL, HOMER_OPT_FLAG, &cli.help},
        {"version", NULL, NULL, HOMER_OPT_FLAG, &cli.version},
        {0},
    };
    struct homer_error err;
    char text[128];
    signal(SIGPIPE, SIG_IGN); /* a reader of our output that leaves is a write error, seen at the end */
    argc--, argv++;
    if (homer_args_parse(&argc, argv, global, NULL, true, &err)) return misused(err.message);
    if (cli.version) {
        puts("homer " HOMER_VERSION);
        return homer_cli_finish(HOMER_EXIT_OK);
    }
    bool asked = argc > 0 && strcmp(argv[0], "help") == 0; /* homer help COMMAND */
    if (asked) {
        cli.help = true;
        argc--, argv++;
    }
    if (argc == 0) {
        help(cli.help ? stdout : stderr);
        return homer_cli_finish(cli.help ? HOMER_EXIT_OK : HOMER_EXIT_USAGE);
    }
    for (const struct homer_command *c = commands; c->name; c++)
        if (strcmp(c->name, argv[0]) == 0) return c->run(&cli, c, argc - 1, argv + 1);
    const char *near = homer_args_nearest(argv[0], command_name, commands);
    snprintf(text, sizeof(text), "unknown command '%.40s'%s%s%s", argv[0], near ? "; did you mean '" : "",
             near ? near : "", near ? "'?" : "");
    return misused(text);
}
