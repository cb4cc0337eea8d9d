/* Recorded streams through the real path, JSON lines to metrics, against golden/core_streams.tsv: the digest
 * to the bit, whatever compiler, optimisation or sanitizer built this, and every metric.
 *
 *   test_golden core_streams.tsv FOLDER          compares
 *   test_golden core_streams.tsv FOLDER record   prints the table anew: after a change that is meant to
 * change results
 *
 * FOLDER holds the streams. A row of the table: stream, lines of it, settings, digest, predictor, span,
 * metrics. */
#include <assert.h>
#include "snapshot_fixture.h"
#include "clients/cli/stream.h"
#include "daemon/config.h"
#include "daemon/resolve.h"

enum { COLUMNS = 6, METRICS = 20, ROWS = 200, NAME = 120 };

static const char *table, *folder;

static const char *const predictors[] = {"model", "no_change", "majority"};
static const char *const spans[] = {"total", "window", "faded"};
static const char *const metric_names[METRICS] = {"n",
                                                  "subset",
                                                  "hamming",
                                                  "example_f1",
                                                  "example_precision",
                                                  "example_recall",
                                                  "micro_f1",
                                                  "macro_f1",
                                                  "cardinality",
                                                  "p@1",
                                                  "p@3",
                                                  "p@5",
                                                  "ndcg@1",
                                                  "ndcg@3",
                                                  "ndcg@5",
                                                  "psp@1",
                                                  "psp@3",
                                                  "psp@5",
                                                  "log_loss",
                                                  "calibration_error"};

static_assert(sizeof(struct homer_metrics) == METRICS * sizeof(double), "a column for every metric");

struct row {
    char stream[NAME], settings[NAME], digest[NAME], predictor[NAME], span[NAME];
    uint64_t lines;
    double metric[METRICS];
};

static uint32_t read_table(struct row *row) {
    char line[4000];
    uint32_t n = 0;
    FILE *f = fopen(table, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *rest = line;
        if (line[0] == '#') continue;
        line[strcspn(line, "\n")] = 0;
        assert_true(n < ROWS);
        struct row *r = &row[n++];
        char *const to[COLUMNS] = {r->stream, NULL, r->settings, r->digest, r->predictor, r->span};
        for (int i = 0; i < COLUMNS; i++) {
            const char *field = strsep(&rest, "\t");
            assert_non_null(field);
            if (to[i])
                snprintf(to[i], NAME, "%s", field);
            else
                r->lines = strtoull(field, NULL, 10);
        }
        for (int i = 0; i < METRICS; i++) {
            const char *field = rest ? strsep(&rest, "\t") : NULL;
            r->metric[i] = field ? strtod(field, NULL) : (double)NAN;
        }
    }
    fclose(f);
    return n;
}

static void configure(struct homer_config *config, const char *settings) {
    char words[NAME], *rest = words;
    struct homer_error err = {0};
    assert_int_equal(homer_config_init(config), 0);
    snprintf(words, sizeof words, "%s", settings);
    for (const char *word; (word = strsep(&rest, " "));)
        if (homer_config_set(config, word, &err)) fail_msg("%s: %s", word, err.message);
}

/* relayed: the model is written and read, and the copy goes on, at a third and at two thirds of the lines. */
static struct homer_model *run(const struct row *r, bool relayed) {
    struct homer_config config;
    struct homer_mem mem = {0};
    struct homer_resolver resolver;
    struct homer_request request;
    struct homer_stream *stream;
    struct homer_model *m;
    struct homer_instance x;
    struct homer_error err = {0};
    const char *line;
    size_t n;
    char path[1000];
    configure(&config, r->settings);
    snprintf(path, sizeof path, "%.800s/%.100s.jsonl.zst", folder, r->stream);
    assert_int_equal(homer_resolver_init(&resolver, &mem, fixture_key), 0);
    assert_int_equal(homer_model_new(&m, &config.model, fixture_key), 0);
    homer_request_init(&request, &mem);
    if (homer_stream_open(&stream, path, &err)) fail_msg("%s", err.message);
    for (uint64_t i = 0; i < r->lines && homer_stream_line(stream, &line, &n, &err) == 1; i++) {
        if (relayed && i && i % (r->lines / 3) == 0) {
            struct homer_model *copy = snapshot_copy(m);
            homer_model_free(m);
            m = copy;
        }
        homer_request_parse(&request, line, n, &config.request);
        if (request.error.code) fail_msg("%s: %s", r->stream, request.error.message);
        homer_model_begin(m);
        if (homer_resolve_x(&resolver, m, &request, &config.request, true, &x, &err) ||
            homer_resolve_y(&resolver, m, &request, &x, &err) || homer_model_learn(m, &x, NULL, NULL, &err))
            fail_msg("%s: %s", r->stream, err.message);
    }
    assert_int_equal(homer_model_seq(m), r->lines);
    homer_stream_free(stream);
    homer_request_deinit(&request);
    homer_resolver_deinit(&resolver);
    homer_config_deinit(&config);
    assert_int_equal(mem.used_bytes, 0);
    return m;
}

static int place_of(const char *word, const char *const *words, int n) {
    for (int i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0) return i;
    fail_msg("%s?", word);
    return -1;
}

/* The row as the model has it now. */
static struct row measure(const struct homer_model *m, const struct row *r) {
    struct row now = *r;
    struct homer_metrics metrics;
    homer_model_digest(m, now.digest);
    homer_eval_metrics(homer_model_eval(m), (enum homer_predictor)place_of(r->predictor, predictors, 3),
                       (enum homer_span)place_of(r->span, spans, 3), &metrics);
    memcpy(now.metric, &metrics, sizeof metrics);
    return now;
}

static void print(const struct row *r) {
    printf("%s\t%llu\t%s\t%s\t%s\t%s", r->stream, (unsigned long long)r->lines, r->settings, r->digest,
           r->predictor, r->span);
    for (int i = 0; i < METRICS && !isnan(r->metric[i]); i++) printf("\t%.9g", r->metric[i]);
    printf("\n");
}

static void compare(const struct row *now, const struct row *then) {
    for (int i = 0; i < METRICS; i++) {
        double a = now->metric[i], b = then->metric[i];
        if (isnan(a) && isnan(b)) continue;
        if (!(fabs(a - b) <= 1e-6 * fmax(1, fabs(b))))
            fail_msg("%s, %s: %s of %s (%s) is %.9g, was %.9g", then->stream, then->settings, metric_names[i],
                     then->predictor, then->span, a, b);
    }
    if (strcmp(now->digest, then->digest))
        fail_msg("%s, %s: digest %s, was %s", then->stream, then->settings, now->digest, then->digest);
}

static void each_row(bool relayed, void (*with)(const struct row *now, const struct row *then)) {
    static struct row row[ROWS];
    uint32_t n = read_table(row);
    struct homer_model *m = NULL;
    assert_true(n > 0);
    for (uint32_t i = 0; i < n; i++) {
        const struct row *last = i ? &row[i - 1] : NULL;
        if (!last || strcmp(last->stream, row[i].stream) || strcmp(last->settings, row[i].settings) ||
            last->lines != row[i].lines) {
            homer_model_free(m);
            m = run(&row[i], relayed);
        }
        struct row now = measure(m, &row[i]);
        with(&now, &row[i]);
    }
    homer_model_free(m);
}

static void results_are_as_recorded(void **state) {
    (void)state;
    each_row(false, compare);
}

static void results_are_the_same_after_a_snapshot(void **state) {
    (void)state;
    each_row(true, compare);
}

static void print_row(const struct row *now, const struct row *then) {
    (void)then;
    print(now);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_as_recorded),
        cmocka_unit_test(results_are_the_same_after_a_snapshot),
    };
    if (argc < 3) return 2;
    table = argv[1];
    folder = argv[2];
    if (argc == 3) return cmocka_run_group_tests(tests, NULL, NULL);
    printf("# stream\tlines\tsettings\tdigest\tpredictor\tspan");
    for (int i = 0; i < METRICS; i++) printf("\t%s", metric_names[i]);
    printf("\n");
    each_row(false, print_row);
    return 0;
}
