/* What `homer bench` prints at its end. One thread. */
#ifndef HOMER_CLI_BENCH_REPORT_H
#define HOMER_CLI_BENCH_REPORT_H

#include <stdio.h>
#include "clients/cli/drive.h"

/* For people: a table of verbs (rates, latencies), errors by code, bytes, the distribution of the latencies.
 * 0, or -ENOMEM. */
int homer_bench_report_print(const struct homer_drive *d, FILE *to);

/* For programs: one line of JSON; per verb the histogram's buckets as [[below_us, count], ...]. 0, or
 * -ENOMEM. */
int homer_bench_report_json(const struct homer_drive *d, const char *address, const char *model, FILE *to);

#endif
