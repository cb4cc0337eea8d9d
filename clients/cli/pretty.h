/* Shows a reply to a person: names and values aligned, lists of objects as tables, `metrics` as a matrix.
 * Pure. */
#ifndef HOMER_CLI_PRETTY_H
#define HOMER_CLI_PRETTY_H

#include <jansson.h>
#include <stdio.h>

/* Prints everything in the reply but "ok". 0 or -ENOMEM. */
int homer_pretty_print(const json_t *reply, FILE *to);

#endif
