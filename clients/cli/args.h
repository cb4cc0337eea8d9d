/* Command-line options: one table per command gives both the parsing and the help text. No state, any thread.
 */
#ifndef HOMER_CLI_ARGS_H
#define HOMER_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "core/base/err.h"

enum homer_opt_kind {
    HOMER_OPT_FLAG,   /* to: bool */
    HOMER_OPT_STRING, /* to: const char *, borrowed from argv */
    HOMER_OPT_LIST,   /* to: struct homer_list; may be given several times */
    HOMER_OPT_COUNT,  /* to: uint64_t, at least 1 */
    HOMER_OPT_RATE,   /* to: double, above 0 */
};

enum { HOMER_LIST_CAP = 64 };

struct homer_list {
    const char *item[HOMER_LIST_CAP]; /* borrowed from argv */
    size_t n;
};

struct homer_opt {
    const char *name; /* without "--"; NULL ends a table */
    const char *arg;  /* what stands behind it in the help; NULL for a flag */
    const char *help; /* NULL: not listed */
    enum homer_opt_kind kind;
    void *to;
};

/* Takes the options of the NULL-ended tables `own` and `shared` out of argv[0..*argc) ("--name value" or
 * "--name=value", in any place;
 * "--" ends them) and leaves the rest in order. `stop_at_word`: ends at the first argument that is no option.
 * 0, or -EINVAL with err. */
int homer_args_parse(int *argc, char **argv, const struct homer_opt *own, const struct homer_opt *shared,
                     bool stop_at_word, struct homer_error *err);

/* Prints the table's options, aligned. */
void homer_args_help(FILE *to, const struct homer_opt *opts);

/* The nearest of the words to `word`, or NULL when none is near. word_at(i) gives word i, NULL behind the
 * last. */
const char *homer_args_nearest(const char *word, const char *(*word_at)(const void *ctx, size_t i),
                               const void *ctx);

#endif
