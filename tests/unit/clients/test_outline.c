/* The hierarchy as people see it: lines, figures, what is left out where there is no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "clients/cli/outline.h"
#include "clients/cli/printable.h"

#define LEAF(size, labels)                                                                                   \
    "{\"id\":1,\"size\":" size ",\"f1\":0.5,\"labels\":[" labels                                             \
    "],\"tree\":{\"nodes\":7},\"loss\":0.25,\"drifts\":2}"
#define INNER(size, a, b) "{\"id\":2,\"size\":" size ",\"f1\":null,\"cut\":0.125,\"children\":[" a "," b "]}"
#define REPLY(root, clusters, depth)                                                                         \
    "{\"ok\":true,\"hierarchy\":" root ",\"clusters\":" clusters ",\"depth\":" depth ",\"generation\":1}"

/* What is drawn; the caller frees it. */
static char *drawn(const char *json, size_t width) {
    char *text;
    size_t n;
    json_error_t why;
    json_t *reply = json_loads(json, 0, &why);
    if (!reply) fail_msg("%s", why.text);
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    assert_int_equal(homer_outline_print(reply, width, f), 0);
    fclose(f);
    json_decref(reply);
    return text;
}

static void expect(const char *json, size_t width, const char *wanted) {
    char *text = drawn(json, width);
    assert_string_equal(text, wanted);
    free(text);
}

static void one_cluster(void **state) {
    (void)state;
    expect(REPLY(LEAF("2", "\"a\",\"b\""), "1", "0"), 80,
           "labels      F1    loss  tree  drifts\n"
           "     2   0.500  0.2500     7       2 ╴ a, b\n"
           "\n2 labels in 1 clusters, depth 0\n");
}

static void no_labels_and_no_tree_yet(void **state) {
    (void)state;
    expect("{\"hierarchy\":{\"id\":1,\"size\":0,\"f1\":null,\"labels\":[],\"tree\":null,\"loss\":null,"
           "\"drifts\":0},"
           "\"clusters\":1,\"depth\":0}",
           80,
           "labels      F1    loss  tree  drifts\n"
           "     0       -       -     -       0 ╴\n"
           "\n0 labels in 1 clusters, depth 0\n");
}

static void branches(void **state) {
    (void)state;
    expect(
        REPLY(INNER("5", INNER("3", LEAF("2", "\"a\",\"b\""), LEAF("1", "\"c\"")), LEAF("2", "\"d\",\"e\"")),
              "3", "2"),
        80,
        "labels      F1    loss  tree  drifts\n"
        "     5       -                       ┐ 12.5 % of pairs cut\n"
        "     3       -                       ├─┐ 12.5 % of pairs cut\n"
        "     2   0.500  0.2500     7       2 │ ├─╴ a, b\n"
        "     1   0.500  0.2500     7       2 │ └─╴ c\n"
        "     2   0.500  0.2500     7       2 └─╴ d, e\n"
        "\n5 labels in 3 clusters, depth 2\n");
}

static void what_does_not_fit_is_counted(void **state) {
    (void)state;
    expect(REPLY(LEAF("4", "\"first\",\"second\",\"third\",\"fourth\""), "1", "0"), 64,
           "labels      F1    loss  tree  drifts\n"
           "     4   0.500  0.2500     7       2 ╴ first, second, +2\n"
           "\n4 labels in 1 clusters, depth 0\n");
    /* without room even for one: its beginning, between characters */
    expect(
        REPLY(LEAF("2", "\"\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\",\"much too long\""),
              "1", "0"),
        10,
        "labels      F1    loss  tree  drifts\n"
        "     2   0.500  0.2500     7       2 ╴ \u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9…, +1\n"
        "\n2 labels in 1 clusters, depth 0\n");
}

static void no_line_is_wider_than_asked(void **state) {
    (void)state;
    static const char json[] =
        REPLY(INNER("9",
                    INNER("7", LEAF("4", "\"alpha\",\"beta\",\"gamma\",\"\u65e5\u672c\u8a9e\""),
                          LEAF("3", "\"a\",\"b\",\"c\"")),
                    LEAF("2", "\"a label of many words that goes on and on\",\"e\"")),
              "3", "2");
    for (size_t width = 60; width < 120; width++) {
        char *text = drawn(json, width), *save = NULL;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
            if (homer_printable_width(line) > width) fail_msg("%zu: %s", width, line);
        free(text);
    }
}

static void hostile_labels_are_harmless(void **state) {
    (void)state;
    char *text = drawn(REPLY(LEAF("1", "\"\\u001b[31mred\\u0007\\n\""), "1", "0"), 80);
    assert_null(strchr(text, '\x1b'));
    assert_non_null(strstr(text, "?[31mred??\n"));
    free(text);
}

static void deep_ones_are_drawn(void **state) {
    (void)state;
    enum { LEVELS = 150 };
    json_t *node = json_loads(LEAF("1", "\"deepest\""), 0, NULL);
    for (int i = 0; i < LEVELS; i++)
        node = json_pack("{s:i, s:[o, o]}", "size", i + 2, "children",
                         json_loads(LEAF("1", "\"x\""), 0, NULL), node);
    json_t *reply = json_pack("{s:o}", "hierarchy", node);
    char *json = json_dumps(reply, 0), *text = drawn(json, 80);
    assert_non_null(strstr(text, "└─╴ deepest\n"));
    free(text);
    free(json);
    json_decref(reply);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_cluster),
        cmocka_unit_test(no_labels_and_no_tree_yet),
        cmocka_unit_test(branches),
        cmocka_unit_test(what_does_not_fit_is_counted),
        cmocka_unit_test(no_line_is_wider_than_asked),
        cmocka_unit_test(hostile_labels_are_harmless),
        cmocka_unit_test(deep_ones_are_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
