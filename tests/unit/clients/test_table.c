/* Tables, safe text, the progress line, metrics, and replies as people see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "clients/cli/metrics.h"
#include "clients/cli/predict.h"
#include "clients/cli/pretty.h"
#include "clients/cli/printable.h"
#include "clients/cli/progress.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"

static char *text;
static size_t text_n;

static FILE *begin(void) {
    FILE *f = open_memstream(&text, &text_n);
    assert_non_null(f);
    return f;
}

static void expect(FILE *f, const char *wanted) {
    fclose(f);
    assert_string_equal(text, wanted);
    free(text);
}

static void test_alignment(void **state) {
    struct homer_table t;
    const char *const cells[] = {
        "name",   "count", "kind", "caf\xc3\xa9", "7", "a", "\xe6\x97\xa5\xe6\x9c\xac",
        "1234.5", "long",  "x",    "-",           ""};
    FILE *f = begin();
    (void)state;
    homer_table_init(&t, 3, true);
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) homer_table_add(&t, cells[i]);
    assert_int_equal(homer_table_print(&t, f), 0);
    homer_table_deinit(&t);
    expect(f, "name   count  kind\n"
              "caf\xc3\xa9       7  a\n"
              "\xe6\x97\xa5\xe6\x9c\xac  1234.5  long\n"
              "x          -\n");
}

static void test_safe_text(void **state) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"\x1b[31mred\x07", "?[31mred?"},
        {"a\nb\tc\x7f", "a?b?c?"},
        {"\xc2\x9b", "?"},         /* the one-character escape sequence */
        {"x\xe2\x80\xaey", "x?y"}, /* right-to-left override */
        {"\xff\xc3", "??"},        /* not UTF-8; cut */
        {"\xc0\xaf", "??"},        /* overlong */
        {"\xed\xa0\x80", "???"},   /* a surrogate */
        {"\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        FILE *f = begin();
        homer_print_safe(f, cases[i].in);
        expect(f, cases[i].out);
    }
    assert_int_equal(homer_printable_width("abc"), 3);
    assert_int_equal(homer_printable_width("e\xcc\x81"), 1);
    assert_int_equal(homer_printable_width("\xe6\x97\xa5"), 2);
}

static void test_progress_line(void **state) {
    struct homer_progress p = {.total = 200};
    char line[128];
    (void)state;
    homer_progress_format(&p, 50, 10, 100, line, sizeof(line));
    assert_string_equal(line, "[######------------------]  25%  50/200  5/s  ETA 0:30");
    strcpy(p.metrics, "micro F1 0.500");
    homer_progress_format(&p, 50, 10, 100, line, sizeof(line));
    assert_string_equal(line, "[######------------------]  25%  50/200  5/s  ETA 0:30  micro F1 0.500");
    for (size_t width = 1; width < 100; width++) { /* never wider than the terminal: it would wrap */
        homer_progress_format(&p, 50, 10, width, line, sizeof(line));
        assert_true(strlen(line) <= width);
    }
    p.total = 0;
    homer_progress_format(&p, 7, 0, 100, line, sizeof(line));
    assert_string_equal(line, "7 instances  0/s  micro F1 0.500");
    homer_duration_format(3723.4, line, sizeof(line));
    assert_string_equal(line, "1:02:03");
}

static const char STATS[] = "{\"ok\":true,\"seq\":4,\"labels\":2,\"features\":3,\"memory\":{\"used_bytes\":"
                            "1572864},\"metrics\":{\"total\":{\"n\":4,"
                            "\"subset\":0.75,\"hamming\":0.125,\"log_loss\":0.5},\"no_change\":{\"n\":4,"
                            "\"subset\":0.5,\"hamming\":0.25},"
                            "\"majority\":{\"n\":4,\"subset\":1}}}";

static void test_gain(void **state) {
    (void)state;
    assert_true(fabs(homer_metric_gain(0.75, 0.5) - 0.5) < 1e-12);
    assert_true(homer_metric_gain(0.25, 0.5) < 0);
    assert_true(isnan(homer_metric_gain(1, 1)));
    assert_true(isnan(homer_metric_gain((double)NAN, 0.5)));
}

static void test_metrics(void **state) {
    json_t *stats = json_loads(STATS, 0, NULL);
    FILE *f = begin();
    (void)state;
    assert_int_equal(homer_metrics_print(stats, f), 0);
    fclose(f);
    assert_non_null(strstr(text, "                    MODEL  NO-CHANGE  MAJORITY    GAIN\n"));
    assert_non_null(strstr(text, "subset accuracy    0.7500     0.5000    1.0000  0.5000\n"));
    assert_non_null(strstr(
        text, "Hamming loss       0.1250     0.2500         -       -\n")); /* lower is better: no gain */
    assert_non_null(strstr(text, "micro F1                -          -         -       -\n"));
    assert_non_null(strstr(text, "log loss           0.5000          -         -       -\n"));
    free(text);
    assert_true(isnan(homer_metric_get(stats, "window", "subset")));
    json_decref(stats);
}

static void test_report(void **state) {
    const struct homer_pump p = {.done = 4, .refused = 1, .seconds = 2};
    json_t *stats = json_loads(STATS, 0, NULL);
    FILE *f = begin();
    (void)state;
    assert_int_equal(homer_report_print(&p, stats, f), 0);
    fclose(f);
    assert_non_null(strstr(text,
                           "instances        4\nrefused          1\nseconds       2.00\ninstances/s      2\n"
                           "labels           2\nfeatures         3\nmemory (MiB)   1.5\n"));
    free(text);
    f = begin();
    assert_int_equal(homer_report_json(&p, stats, f), 0);
    fclose(f);
    json_t *j = json_loads(text, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(j, "refused")), 1);
    assert_true(json_number_value(json_object_get(j, "instances_per_second")) == 2);
    assert_true(json_equal(json_object_get(j, "stats"), stats));
    json_decref(j);
    free(text);

    json_object_set_new(stats, "clusters", json_integer(5));
    json_object_set_new(stats, "depth", json_integer(3));
    json_object_set_new(
        stats, "drift",
        json_loads("{\"global\":1,\"cluster\":2,\"structure\":30,\"tree_splits\":4}", 0, NULL));
    f = begin();
    assert_int_equal(homer_report_print(&p, stats, f), 0);
    fclose(f);
    assert_non_null(strstr(text, "1.5\n\n5 clusters, depth 3: 30 changes of the hierarchy, 2 drifts of "
                                 "clusters, 1 global drifts, 4 splits of trees\n"));
    free(text);
    json_decref(stats);
}

static void test_pretty(void **state) {
    json_t *j = json_loads(
        "{\"ok\":true,\"seq\":3,\"memory\":{\"used_bytes\":2048,\"max_bytes\":12},\"listen\":[\"a\",\"b\"],"
        "\"none\":[],\"labels\":[{\"name\":\"l\\u001b\",\"count\":2.0},{\"name\":\"m\",\"count\":11.5}],"
        "\"metrics\":{\"total\":{\"n\":3,\"f\":0.5},\"window\":{\"n\":2}}}",
        0, NULL);
    FILE *f = begin();
    (void)state;
    assert_non_null(j);
    assert_int_equal(homer_pretty_print(j, f), 0);
    expect(f, "name  count\n"
              "l?        2\n"
              "m      11.5\n"
              "\n"
              "    total  window\n"
              "n       3       2\n"
              "f  0.5000       -\n"
              "\n"
              "seq                3\n"
              "memory.used_bytes  2.0 KiB\n"
              "memory.max_bytes   12\n"
              "listen             a, b\n"
              "none               (none)\n");
    json_decref(j);
}

/* What does not fit into a table is still there. */
static void test_pretty_odd_shapes(void **state) {
    json_t *j = json_loads("{\"models\":[{\"name\":\"a\",\"config\":{\"k\":1}}],\"config\":{"
                           "\"text\":{\"bigrams\":true},\"seed\":7},\"help\":[]}",
                           0, NULL);
    char sentence[150];
    FILE *f = begin();
    (void)state;
    memset(sentence, 's', sizeof(sentence) - 1);
    sentence[sizeof(sentence) - 1] = '\0';
    assert_non_null(j);
    for (int i = 0; i < 2; i++) json_array_append_new(json_object_get(j, "help"), json_string(sentence));
    assert_int_equal(homer_pretty_print(j, f), 0);
    fclose(f);
    assert_memory_equal(text, "name\na\n\nsss", 11);
    assert_non_null(strstr(text, "sss\nsss"));
    assert_non_null(strstr(text, "\n\nconfig.text.bigrams  yes\nconfig.seed          7\n"));
    free(text);
    json_decref(j);
}

static void test_prediction(void **state) {
    json_t *j = json_loads("{\"ok\":true,\"labels\":[\"sky\",\"sea\"],\"scores\":{\"sea\":0.5,\"sky\":0.75}}",
                           0, NULL);
    json_t *none = json_loads("{\"ok\":true,\"labels\":[],\"scores\":{}}", 0, NULL);
    FILE *f = begin();
    (void)state;
    homer_predict_print(j, true, f);
    homer_predict_print(j, false, f);
    homer_predict_print(none, true, f);
    expect(f, "sky  0.7500\nsea  0.5000\nsky 0.7500\tsea 0.5000\n(none)\n");
    json_decref(j);
    json_decref(none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment),     cmocka_unit_test(test_safe_text),
        cmocka_unit_test(test_progress_line), cmocka_unit_test(test_gain),
        cmocka_unit_test(test_metrics),       cmocka_unit_test(test_report),
        cmocka_unit_test(test_pretty),        cmocka_unit_test(test_pretty_odd_shapes),
        cmocka_unit_test(test_prediction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
