#include "clients/cli/report.h"

#include <errno.h>
#include <math.h>
#include "clients/cli/metrics.h"
#include "clients/cli/table.h"

static double speed(const struct homer_pump *p) {
    return p->seconds > 0 ? (double)p->done / p->seconds : 0;
}

static void add_count(struct homer_table *t, const char *title, const json_t *count) {
    homer_table_add(t, title);
    if (json_is_integer(count))
        homer_table_addf(t, "%" JSON_INTEGER_FORMAT, json_integer_value(count));
    else
        homer_table_add(t, "-");
}

static void add_figure(struct homer_table *t, double v, int digits) {
    if (isnan(v))
        homer_table_add(t, "-");
    else
        homer_table_addf(t, "%.*f", digits, v);
}

static double megabytes(const json_t *stats) {
    const json_t *used = json_object_get(json_object_get(stats, "memory"), "used_bytes");
    return json_is_number(used) ? json_number_value(used) / (1 << 20) : (double)NAN;
}

/* One line: how the labels group, and what moved. */
static void print_clusters(const json_t *stats, FILE *to) {
    static const struct {
        const char *key, *title;
    } kinds[] = {{"structure", "changes of the hierarchy"},
                 {"cluster", "drifts of clusters"},
                 {"global", "global drifts"},
                 {"tree_splits", "splits of trees"}};
    const json_t *drift = json_object_get(stats, "drift");
    if (!drift) return;
    fprintf(to, "\n%" JSON_INTEGER_FORMAT " clusters, depth %" JSON_INTEGER_FORMAT ": ",
            json_integer_value(json_object_get(stats, "clusters")),
            json_integer_value(json_object_get(stats, "depth")));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        fprintf(to, "%s%" JSON_INTEGER_FORMAT " %s", i ? ", " : "",
                json_integer_value(json_object_get(drift, kinds[i].key)), kinds[i].title);
    fputc('\n', to);
}

int homer_report_print(const struct homer_pump *p, const json_t *stats, FILE *to) {
    struct homer_table t;
    int rc = homer_metrics_print(stats, to);
    fputc('\n', to);
    homer_table_init(&t, 2, false);
    homer_table_add(&t, "instances");
    homer_table_addf(&t, "%llu", (unsigned long long)p->done);
    if (p->refused) {
        homer_table_add(&t, "refused");
        homer_table_addf(&t, "%llu", (unsigned long long)p->refused);
    }
    homer_table_add(&t, "seconds");
    homer_table_addf(&t, "%.2f", p->seconds);
    homer_table_add(&t, "instances/s");
    homer_table_addf(&t, "%.0f", speed(p));
    add_count(&t, "labels", json_object_get(stats, "labels"));
    add_count(&t, "features", json_object_get(stats, "features"));
    homer_table_add(&t, "memory (MiB)");
    add_figure(&t, megabytes(stats), 1);
    if (homer_table_print(&t, to)) rc = -ENOMEM;
    homer_table_deinit(&t);
    print_clusters(stats, to);
    return rc;
}

int homer_report_compare(const struct homer_result *result, size_t n, FILE *to) {
    struct homer_table t;
    homer_table_init(&t, n + 3, true);
    homer_table_add(&t, "");
    for (size_t i = 0; i < n; i++) homer_table_add(&t, result[i].learner);
    homer_table_add(&t, "NO-CHANGE");
    homer_table_add(&t, "MAJORITY");
    for (const struct homer_metric *m = homer_metrics; m->wire; m++) {
        homer_table_add(&t, m->title);
        for (size_t i = 0; i < n; i++) add_figure(&t, homer_metric_get(result[i].stats, "total", m->wire), 4);
        add_figure(&t, homer_metric_get(result[0].stats, "no_change", m->wire), 4);
        add_figure(&t, homer_metric_get(result[0].stats, "majority", m->wire), 4);
    }
    const char *const rest[] = {"instances", "instances/s", "memory (MiB)"};
    for (int row = 0; row < 3; row++) {
        homer_table_add(&t, rest[row]);
        for (size_t i = 0; i < n; i++) {
            double done = (double)result[i].done, seconds = result[i].seconds;
            double rate = seconds > 0 ? done / seconds : (double)NAN;
            add_figure(&t, row == 0 ? done : row == 1 ? rate : megabytes(result[i].stats), row == 2);
        }
        homer_table_add(&t, "");
        homer_table_add(&t, "");
    }
    int rc = homer_table_print(&t, to);
    homer_table_deinit(&t);
    return rc;
}

int homer_report_json(const struct homer_pump *p, json_t *stats, FILE *to) {
    json_t *j =
        json_pack("{s:s, s:I, s:I, s:f, s:f, s:b, s:O}", "model", p->model ? p->model : "default",
                  "instances", (json_int_t)p->done, "refused", (json_int_t)p->refused, "seconds", p->seconds,
                  "instances_per_second", speed(p), "interrupted", p->interrupted != 0, "stats", stats);
    int rc = j && json_dumpf(j, to, JSON_COMPACT) == 0 ? 0 : -ENOMEM;
    json_decref(j);
    fputc('\n', to);
    return rc;
}
