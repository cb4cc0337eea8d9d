/* The learning curve of a replay as a CSV file: a header, then one row per `stats` reply. Columns: model, n
 * (instances), seconds, then every metric since the start (total_micro_f1), over the window (window_micro_f1)
 * and of the baselines (no_change_micro_f1, majority_micro_f1). One thread. */
#ifndef HOMER_CLI_CURVE_H
#define HOMER_CLI_CURVE_H

#include <jansson.h>
#include <stdint.h>
#include "core/base/err.h"

struct homer_curve;

/* Creates (or empties) the file and writes the header; every: instances between rows, for homer_curve_every.
 * 0 or a negative errno. */
int homer_curve_open(struct homer_curve **out, const char *path, uint64_t every, struct homer_error *err);
uint64_t homer_curve_every(const struct homer_curve *c);
/* Adds the row of a stats reply taken `seconds` after the start; nothing when the last row of the model
 * stands at the same instance. 0 or a negative errno. */
int homer_curve_row(struct homer_curve *c, const char *model, double seconds, const json_t *stats,
                    struct homer_error *err);
/* Closes; the last chance to hear of a write error. Accepts NULL. 0 or a negative errno. */
int homer_curve_close(struct homer_curve *c, struct homer_error *err);

#endif
