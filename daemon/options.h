/* The command line of homerd: which options there are, what they mean, and the configuration they lead to.
 * Start-up only; strings are borrowed from argv. */
#ifndef HOMER_DAEMON_OPTIONS_H
#define HOMER_DAEMON_OPTIONS_H

#include "daemon/config.h"

struct homer_options {
    const char *config_file; /* NULL = none */
    const char *port_file;   /* NULL = none */
    const char *http;        /* given, although this version refuses it */
    const char *data_dir;    /* NULL = none */
    const char *unix_path;   /* NULL = none */
    const char *listen[HOMER_MAX_LISTEN];
    unsigned listen_n;
    const char **set; /* [set_n] assignments, in order; owned */
    unsigned set_n;
    bool force_config, repair, check, help, version;
};

/* 0; HOMER_E_BAD_REQUEST after a message on standard error; -ENOMEM. */
int homer_options_parse(struct homer_options *o, int argc, char **argv);
void homer_options_deinit(struct homer_options *o);
void homer_options_help(void); /* to standard output */

/* Fills *c (initialised): the file, then --set in order, then the other options, then the checks. All
 * problems go to c->on_problem; returns the first one's code. */
int homer_options_apply(const struct homer_options *o, struct homer_config *c);

#endif
