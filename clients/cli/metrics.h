/* The metrics of a `stats` reply: their names on the wire and for people, and the table that ends a replay.
 * Pure. */
#ifndef HOMER_CLI_METRICS_H
#define HOMER_CLI_METRICS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct homer_metric {
    const char *wire, *title;
    bool higher; /* is better */
};

/* What tables and learning curves show, in this order; wire NULL ends it. */
extern const struct homer_metric homer_metrics[];

/* metrics.SPAN.WIRE of a stats reply; NaN when it is not there. */
double homer_metric_get(const json_t *stats, const char *span, const char *wire);

/* (model - no_change) / (1 - no_change): 0 = no better than repeating the last labelset, 1 = perfect, below 0
 * = worse. NaN when it has no value. */
double homer_metric_gain(double model, double no_change);

/* Prints rows of metrics against MODEL, NO-CHANGE, MAJORITY and GAIN; what the reply lacks is "-". 0 or
 * -ENOMEM. */
int homer_metrics_print(const json_t *stats, FILE *to);

#endif
