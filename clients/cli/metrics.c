#include "clients/cli/metrics.h"

#include <math.h>
#include "clients/cli/table.h"

const struct homer_metric homer_metrics[] = {
    {"subset", "subset accuracy", true},
    {"hamming", "Hamming loss", false},
    {"example_f1", "example F1", true},
    {"example_precision", "example precision", true},
    {"example_recall", "example recall", true},
    {"micro_f1", "micro F1", true},
    {"macro_f1", "macro F1", true},
    {"p@1", "P@1", true},
    {"p@3", "P@3", true},
    {"p@5", "P@5", true},
    {"ndcg@5", "nDCG@5", true},
    {"log_loss", "log loss", false},
    {"calibration_error", "calibration error", false},
    {NULL, NULL, false},
};

double homer_metric_get(const json_t *stats, const char *span, const char *wire) {
    const json_t *v = json_object_get(json_object_get(json_object_get(stats, "metrics"), span), wire);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

double homer_metric_gain(double model, double no_change) {
    double room = 1 - no_change; /* none: NO-CHANGE is perfect */
    return room > 0 ? (model - no_change) / room : (double)NAN;
}

static void add(struct homer_table *t, double v) {
    if (isnan(v))
        homer_table_add(t, "-");
    else
        homer_table_addf(t, "%.4f", v);
}

int homer_metrics_print(const json_t *stats, FILE *to) {
    struct homer_table t;
    homer_table_init(&t, 5, true);
    const char *const head[] = {"", "MODEL", "NO-CHANGE", "MAJORITY", "GAIN"};
    for (size_t i = 0; i < 5; i++) homer_table_add(&t, head[i]);
    for (const struct homer_metric *m = homer_metrics; m->wire; m++) {
        double model = homer_metric_get(stats, "total", m->wire);
        double no_change = homer_metric_get(stats, "no_change", m->wire);
        homer_table_add(&t, m->title);
        add(&t, model);
        add(&t, no_change);
        add(&t, homer_metric_get(stats, "majority", m->wire));
        add(&t, m->higher ? homer_metric_gain(model, no_change) : (double)NAN);
    }
    int rc = homer_table_print(&t, to);
    homer_table_deinit(&t);
    return rc;
}
