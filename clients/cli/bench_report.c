#include "clients/cli/bench_report.h"

#include <errno.h>
#include <string.h>
#include "clients/cli/ask.h"
#include "clients/cli/table.h"

enum { BAR = 40 };
static const double MS = 1e6, MIB = 1 << 20;

static const struct {
    const char *word;
    double q;
} quantiles[] = {{"p50", .5}, {"p90", .9}, {"p99", .99}, {"p99.9", .999}};
enum { QUANTILES = sizeof quantiles / sizeof *quantiles };

/* All verbs as one. */
static void add_up(const struct homer_drive *d, struct homer_drive_verb *all) {
    *all = (struct homer_drive_verb){0};
    for (int v = 0; v < HOMER_VERBS; v++) {
        all->done += d->by[v].done;
        all->failed += d->by[v].failed;
        homer_latency_merge(&all->latency, &d->by[v].latency);
    }
}

static double per_second(const struct homer_drive *d, double n) {
    return d->measured > 0 ? n / d->measured : 0;
}

static void add_row(struct homer_table *t, const char *name, const struct homer_drive *d,
                    const struct homer_drive_verb *v) {
    homer_table_add(t, name);
    homer_table_addf(t, "%llu", (unsigned long long)v->done);
    homer_table_addf(t, "%llu", (unsigned long long)v->failed);
    homer_table_addf(t, "%.0f", per_second(d, (double)v->done));
    homer_table_addf(t, "%.3f", homer_latency_mean(&v->latency) / MS);
    for (int q = 0; q < QUANTILES; q++)
        homer_table_addf(t, "%.3f", (double)homer_latency_quantile(&v->latency, quantiles[q].q) / MS);
    homer_table_addf(t, "%.3f", (double)v->latency.most / MS);
}

/* The share of the latencies between steps of 1, 2, 5, 10, ... */
static void print_distribution(const struct homer_latency *h, FILE *to) {
    static const uint64_t steps[] = {1, 2, 5};
    uint64_t below = 0, unit = 1000;
    if (h->count == 0) return;
    fputs("\nlatency (ms)   requests\n", to);
    for (int i = 0; below < h->count; i++) {
        uint64_t edge = unit * steps[i % 3];
        if (i % 3 == 2) unit *= 10;
        uint64_t now = edge > h->most ? h->count : homer_latency_below(h, edge), n = now - below;
        below = now;
        if (n == 0) continue;
        double share = (double)n / (double)h->count;
        int bar = (int)(share * BAR + 0.5);
        fprintf(to, "below %-8.6g %5.1f %% %.*s\n", (double)edge / MS, share * 100, bar,
                "########################################");
    }
}

int homer_bench_report_print(const struct homer_drive *d, FILE *to) {
    static const char *const head[] = {"", "requests", "errors", "per second", "mean (ms)"};
    struct homer_drive_verb all;
    struct homer_table t;
    int verbs = 0;
    add_up(d, &all);
    homer_table_init(&t, 6 + QUANTILES, true);
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) homer_table_add(&t, head[i]);
    for (int q = 0; q < QUANTILES; q++) homer_table_add(&t, quantiles[q].word);
    homer_table_add(&t, "max");
    for (int v = 0; v < HOMER_VERBS; v++) {
        if (d->by[v].done == 0) continue;
        add_row(&t, homer_verb_word((enum homer_verb)v), d, &d->by[v]);
        verbs++;
    }
    if (verbs != 1) add_row(&t, "all", d, &all);
    int rc = homer_table_print(&t, to);
    homer_table_deinit(&t);
    for (size_t i = 0; i < d->error_n; i++)
        fprintf(to, "%s%s: %llu", i ? ", " : "\nerrors: ", d->error[i].code,
                (unsigned long long)d->error[i].n);
    if (d->error_n) fputc('\n', to);
    print_distribution(&all.latency, to);
    double out = (double)d->bytes_out, in = (double)d->bytes_in;
    fprintf(to, "\n%.2f s; sent %.1f MiB (%.1f MiB/s), received %.1f MiB (%.1f MiB/s)\n", d->measured,
            out / MIB, per_second(d, out) / MIB, in / MIB, per_second(d, in) / MIB);
    return rc;
}

static json_t *buckets(const struct homer_latency *h) {
    json_t *list = json_array();
    for (size_t i = 0; i < HOMER_LATENCY_BUCKETS; i++)
        if (h->bucket[i])
            json_array_append_new(
                list, json_pack("[f, I]", (double)homer_latency_edge(i + 1) / 1e3, (json_int_t)h->bucket[i]));
    return list;
}

static json_t *verb_json(const struct homer_drive *d, const struct homer_drive_verb *v) {
    json_t *latency = json_pack("{s:f}", "mean", homer_latency_mean(&v->latency) / MS);
    for (int q = 0; q < QUANTILES; q++)
        json_object_set_new(latency, quantiles[q].word,
                            json_real((double)homer_latency_quantile(&v->latency, quantiles[q].q) / MS));
    json_object_set_new(latency, "max", json_real((double)v->latency.most / MS));
    return json_pack("{s:I, s:I, s:f, s:o, s:o}", "requests", (json_int_t)v->done, "errors",
                     (json_int_t)v->failed, "per_second", per_second(d, (double)v->done), "latency_ms",
                     latency, "histogram_us", buckets(&v->latency));
}

int homer_bench_report_json(const struct homer_drive *d, const char *address, const char *model, FILE *to) {
    struct homer_drive_verb all;
    json_t *verbs = json_object(), *errors = json_object();
    add_up(d, &all);
    for (int v = 0; v < HOMER_VERBS; v++)
        if (d->by[v].done)
            json_object_set_new(verbs, homer_verb_word((enum homer_verb)v), verb_json(d, &d->by[v]));
    json_object_set_new(verbs, "all", verb_json(d, &all));
    for (size_t i = 0; i < d->error_n; i++)
        json_object_set_new(errors, d->error[i].code, json_integer((json_int_t)d->error[i].n));
    json_t *j = json_pack("{s:s, s:s, s:I, s:I, s:f, s:b, s:o, s:o, s:I, s:I}", "address", address, "model",
                          model ? model : "default", "connections", (json_int_t)d->client_n, "pipeline",
                          (json_int_t)d->pipeline, "seconds", d->measured, "interrupted", d->interrupted != 0,
                          "verbs", verbs, "errors", errors, "bytes_out", (json_int_t)d->bytes_out, "bytes_in",
                          (json_int_t)d->bytes_in);
    int rc = j && json_dumpf(j, to, JSON_COMPACT) == 0 ? 0 : -ENOMEM;
    json_decref(j);
    fputc('\n', to);
    return rc;
}
