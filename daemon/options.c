#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Usage: homerd [OPTION]...\n"
    "Learns multi-label streams over a socket and answers from the same live model.\n"
    "\n"
    "  --config FILE       read the configuration (JSON; every key has a default)\n"
    "  --listen HOST:PORT  take TCP connections here (beyond loopback: with auth_token_file only);\n"
    "                      repeatable; port 0 picks a free one; default 127.0.0.1:7707\n"
    "  --unix PATH         take connections on a Unix socket, alone or beside --listen\n"
    "  --http HOST:PORT    not in this version\n"
    "  --data-dir DIR      keep the models in this folder; without it nothing is kept on disk\n"
    "  --port-file FILE    once ready, write {\"tcp\":PORT,\"http\":null,\"pid\":PID} here\n"
    "  --set KEY=VALUE     set a configuration key, such as model.objective=micro_f1; repeatable\n"
    "  --force-config      go on with models that were built with another model{}, as far as they\n"
    "                      can change (objective, text.bigrams, max_memory, max_labels, max_features)\n"
    "  --repair            cut the log in the data folder before its first damage, keeping copies, and exit\n"
    "  --check-config      check the configuration and exit\n"
    "  --version           print the version and exit\n"
    "  --help              print this and exit\n"
    "\n"
    "Signals: SIGTERM and SIGINT answer what was read, take a snapshot and end it, a second one at once;\n"
    "SIGHUP opens the log file again, and reads token and certificate again. Exit status: 0 ok, 1 failure,\n"
    "2 wrong usage or configuration.\n";

void homer_options_help(void) {
    fputs(help, stdout);
}

enum { CONFIG = 1, LISTEN, UNIX, HTTP, DATA_DIR, PORT_FILE, SET, FORCE_CONFIG, REPAIR, CHECK, VERSION, HELP };

static const struct option table[] = {
    {"config", required_argument, NULL, CONFIG},
    {"listen", required_argument, NULL, LISTEN},
    {"unix", required_argument, NULL, UNIX},
    {"http", required_argument, NULL, HTTP},
    {"data-dir", required_argument, NULL, DATA_DIR},
    {"port-file", required_argument, NULL, PORT_FILE},
    {"set", required_argument, NULL, SET},
    {"force-config", no_argument, NULL, FORCE_CONFIG},
    {"repair", no_argument, NULL, REPAIR},
    {"check-config", no_argument, NULL, CHECK},
    {"version", no_argument, NULL, VERSION},
    {"help", no_argument, NULL, HELP},
    {0},
};

static int usage(const char *what, const char *word) {
    fprintf(stderr, "homerd: %s%s\nTry homerd --help.\n", what, word);
    return HOMER_E_BAD_REQUEST;
}

static int once(const char **place, const char *option) {
    if (*place) return usage("given twice: ", option);
    *place = optarg;
    return 0;
}

static int take(struct homer_options *o, int option) {
    switch (option) {
    case CONFIG:
        return once(&o->config_file, "--config");
    case UNIX:
        return once(&o->unix_path, "--unix");
    case HTTP:
        return once(&o->http, "--http");
    case DATA_DIR:
        return once(&o->data_dir, "--data-dir");
    case PORT_FILE:
        return once(&o->port_file, "--port-file");
    case LISTEN:
        if (o->listen_n == HOMER_MAX_LISTEN) return usage("too many of --listen", "");
        o->listen[o->listen_n++] = optarg;
        return 0;
    case SET:
        o->set[o->set_n++] = optarg;
        return 0;
    case FORCE_CONFIG:
        o->force_config = true;
        return 0;
    case REPAIR:
        o->repair = true;
        return 0;
    case CHECK:
        o->check = true;
        return 0;
    case VERSION:
        o->version = true;
        return 0;
    case HELP:
        o->help = true;
        return 0;
    default:
        fputs("Try homerd --help.\n", stderr);
        return HOMER_E_BAD_REQUEST; /* getopt_long has said what is wrong */
    }
}

int homer_options_parse(struct homer_options *o, int argc, char **argv) {
    int option, err = 0;
    *o = (struct homer_options){.set = calloc((size_t)argc + 1, sizeof *o->set)};
    if (!o->set) return -ENOMEM;
    while (!err && (option = getopt_long(argc, argv, "", table, NULL)) != -1) err = take(o, option);
    if (!err && optind < argc) err = usage("unexpected argument: ", argv[optind]);
    return err;
}

void homer_options_deinit(struct homer_options *o) {
    free(o->set);
    *o = (struct homer_options){0};
}

/* An option that stands for a configuration key. */
static int set_key(struct homer_config *c, const char *key, const char *value) {
    char assignment[1024];
    snprintf(assignment, sizeof assignment, "%s=%s", key, value);
    return homer_config_set(c, assignment, NULL);
}

static int first(int a, int b) {
    return a ? a : b;
}

int homer_options_apply(const struct homer_options *o, struct homer_config *c) {
    int err = 0;
    if (o->config_file) err = homer_config_load(c, o->config_file, NULL);
    for (unsigned i = 0; i < o->set_n; i++) err = first(err, homer_config_set(c, o->set[i], NULL));
    if (o->http) err = first(err, set_key(c, "http", o->http));
    if (o->data_dir) err = first(err, set_key(c, "data_dir", o->data_dir));
    if (o->listen_n || o->unix_path)
        err = first(err, homer_config_listen(c, o->listen, o->listen_n, o->unix_path));
    if (o->repair && !c->store.dir && !err)
        err = usage("--repair needs a data folder: ", "give --data-dir DIR");
    return first(err, homer_config_check(c, NULL));
}
