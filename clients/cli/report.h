/* What a replay prints at its end. */
#ifndef HOMER_CLI_REPORT_H
#define HOMER_CLI_REPORT_H

#include <jansson.h>
#include <stdio.h>
#include "clients/cli/pump.h"

/* One of several learners that learned the same stream. */
struct homer_result {
    const char *learner; /* borrowed */
    json_t *stats;       /* the stats reply */
    uint64_t done;       /* instances */
    double seconds;
};

enum { HOMER_COMPARED = 12 }; /* learners that one table has room for */

/* For people: one table, a column a learner (n at most HOMER_COMPARED), then NO-CHANGE and MAJORITY as the
 * first one saw them. 0 or -ENOMEM. */
int homer_report_compare(const struct homer_result *result, size_t n, FILE *to);

/* For people: the table of metrics, then instances, speed, labels, features, memory, and
 * clusters and drifts of a model that has them. 0 or -ENOMEM. */
int homer_report_print(const struct homer_pump *p, const json_t *stats, FILE *to);
/* For programs: one object in one line,
 * {"model":..,"instances":..,"refused":..,"seconds":..,"instances_per_second":..,
 * "interrupted":..,"stats":{the stats reply}}. 0 or -ENOMEM. */
int homer_report_json(const struct homer_pump *p, json_t *stats, FILE *to);

#endif
