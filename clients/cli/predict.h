/* Shows a prediction to a person. */
#ifndef HOMER_CLI_PREDICT_H
#define HOMER_CLI_PREDICT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Prints the labels of a predict reply with their scores, best first: one a line, or all in one line with
 * tabs between them. No label is "(none)". */
void homer_predict_print(const json_t *reply, bool lines, FILE *to);

#endif
