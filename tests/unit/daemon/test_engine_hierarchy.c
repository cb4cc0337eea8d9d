/* hierarchy and drifts: what they say agrees with itself, with the labels, with the metrics. */
#include <math.h>
#include <stdlib.h>

#include "tests/unit/daemon/engine_fixture.h"

enum { LABELS = 24, GROUPS = 6, INSTANCES = 1500 };

static uint64_t draw; /* a small generator of the test's own */

static unsigned random_below(unsigned n) {
    draw = draw * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((draw >> 33) % n);
}

/* Labels of one group go together, most of them, and one feature tells the group; from `noise` on it does
 * not. */
static void teach_groups(struct fixture *f, unsigned from, unsigned to, unsigned noise) {
    char line[300];
    for (unsigned i = from; i < to; i++) {
        unsigned group = random_below(GROUPS), size = LABELS / GROUPS;
        int n = snprintf(line, sizeof line, "{\"x\":{\"f%u\":1,\"g\":%u},\"noreply\":true,\"y\":[",
                         i < noise ? group : random_below(GROUPS), random_below(9));
        for (unsigned k = 0; k < size; k++)
            if (random_below(10))
                n += snprintf(line + n, sizeof line - (size_t)n, "%s\"l%u\"", line[n - 1] == '[' ? "" : ",",
                              group * size + k);
        snprintf(line + n, sizeof line - (size_t)n, "]}");
        fixture_send(f, line, strlen(line));
        assert_int_equal(f->out.n, 0);
    }
}

static void set(struct fixture *f, const char *assignment) {
    struct homer_error err;
    if (homer_config_set(&f->config, assignment, &err)) fail_msg("%s", err.message);
}

static void open_grouped(struct fixture *f) {
    fixture_configure(f);
    set(f, "model.hierarchy.max_leaf=6");
    set(f, "model.tree.grace=20");
    fixture_start(f, 7);
    draw = 1;
    teach_groups(f, 0, INSTANCES, INSTANCES);
}

struct found {
    size_t nodes, leaves, depth;
    json_t *labels, *ids; /* objects used as sets */
};

static double number(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    if (!json_is_number(v)) fail_msg("%s is no number", key);
    return json_number_value(v);
}

static void add_to(json_t *names, const char *name) {
    if (json_object_get(names, name)) fail_msg("%s twice", name);
    json_object_set_new(names, name, json_true());
}

/* Looks at a node and all below; returns how many labels it has. */
static size_t look(const json_t *node, size_t depth, struct found *found) {
    char id[32];
    size_t i, sum = 0;
    json_t *v;
    snprintf(id, sizeof id, "%lld", (long long)int_of(node, "id"));
    add_to(found->ids, id);
    found->nodes++;
    if (depth > found->depth) found->depth = depth;
    assert_true(number(node, "pairs") >= 0);
    assert_true(number(node, "within") >= 0 && number(node, "within") <= 1);
    const json_t *f1 = json_object_get(node, "f1"), *children = json_object_get(node, "children");
    assert_true(json_is_null(f1) || (number(node, "f1") >= 0 && number(node, "f1") <= 1));
    if (children) {
        assert_int_equal(json_array_size(children), 2);
        assert_null(json_object_get(node, "labels"));
        assert_true(number(node, "between") >= 0 && number(node, "between") <= 1);
        json_array_foreach(children, i, v) sum += look(v, depth + 1, found);
    } else {
        found->leaves++;
        const json_t *tree = json_object_get(node, "tree");
        json_array_foreach(json_object_get(node, "labels"), i, v) add_to(found->labels, json_string_value(v));
        sum = i;
        assert_true(int_of(node, "drifts") >= 0);
        if (!json_is_null(tree)) {
            assert_int_equal(int_of(tree, "nodes"), 2 * int_of(tree, "leaves") - 1);
            assert_true(int_of(tree, "depth") < int_of(tree, "leaves") && int_of(tree, "bytes") > 0);
        }
    }
    assert_int_equal(int_of(node, "size"), sum);
    return sum;
}

/* Asks for the hierarchy and holds it against the labels listed. The caller decrefs. */
static json_t *check(struct fixture *f) {
    struct found found = {.labels = json_object(), .ids = json_object()};
    json_t *listed = ask_ok(f, "labels"), *reply = ask_ok(f, "hierarchy"), *label;
    size_t i, n = look(json_object_get(reply, "hierarchy"), 0, &found);
    json_array_foreach(json_object_get(listed, "labels"), i, label) {
        const char *name = json_string_value(json_object_get(label, "name"));
        if (!json_object_get(found.labels, name)) fail_msg("%s is in no cluster", name);
    }
    assert_int_equal(n, i);
    assert_int_equal(int_of(reply, "clusters"), found.leaves);
    assert_int_equal(int_of(reply, "depth"), found.depth);
    json_decref(listed);
    json_decref(found.labels);
    json_decref(found.ids);
    return reply;
}

static void clusters_partition_the_labels(void **state) {
    (void)state;
    struct fixture f;
    fixture_configure(&f);
    set(&f, "model.hierarchy.max_leaf=6");
    fixture_start(&f, 7);
    json_decref(check(&f));
    draw = 3;
    size_t clusters = 0;
    for (unsigned i = 0; i < INSTANCES; i += 50) {
        teach_groups(&f, i, i + 50, INSTANCES);
        json_t *reply = check(&f);
        clusters = (size_t)int_of(reply, "clusters");
        json_decref(reply);
    }
    assert_true(clusters >= GROUPS);
    fixture_close(&f);
}

/* The root's F1 is the faded micro F1 of the metrics; a node's lies between those of its children. */
static void recent_f1_agrees_with_the_metrics(void **state) {
    (void)state;
    struct fixture f;
    open_grouped(&f);
    json_t *reply = check(&f), *stats = ask_ok(&f, "stats"), *root = json_object_get(reply, "hierarchy");
    double f1 = number(root, "f1");
    double micro = number(json_object_get(json_object_get(stats, "metrics"), "faded"), "micro_f1");
    assert_true(f1 > 0.2 && fabs(f1 - micro) < 1e-9);
    json_t *children = json_object_get(root, "children");
    double a = number(json_array_get(children, 0), "f1"), b = number(json_array_get(children, 1), "f1");
    assert_true(fmin(a, b) <= f1 && f1 <= fmax(a, b));
    assert_int_equal(int_of(stats, "clusters"), int_of(reply, "clusters"));
    assert_int_equal(int_of(stats, "depth"), int_of(reply, "depth"));
    json_decref(reply);
    json_decref(stats);
    fixture_close(&f);
}

static size_t count(const char *text, const char *word) {
    size_t n = 0;
    for (; (text = strstr(text, word)); text += strlen(word)) n++;
    return n;
}

static void dot_has_every_node_and_edge(void **state) {
    (void)state;
    struct fixture f;
    open_grouped(&f);
    do_ok(&f, "{\"x\":{},\"y\":[\"a \\\"quoted\\\" \\\\n name\\n\"]}");
    json_t *reply = check(&f), *graph = ask_ok(&f, "{\"op\":\"hierarchy\",\"format\":\"dot\",\"id\":5}");
    assert_int_equal(int_of(graph, "id"), 5);
    const char *dot = json_string_value(json_object_get(graph, "dot"));
    size_t nodes = 2 * (size_t)int_of(reply, "clusters") - 1;
    assert_int_equal(count(dot, " [label=\""), nodes);
    assert_int_equal(count(dot, " -> "), nodes - 1);
    assert_int_equal(count(dot, "shape=box"), (nodes + 1) / 2);
    assert_int_equal(strncmp(dot, "digraph hierarchy {\n", 20), 0);
    assert_string_equal(dot + strlen(dot) - 2, "}\n");
    assert_non_null(strstr(dot, "a \\\"quoted\\\" \\\\n name "));
    json_decref(reply);
    json_decref(graph);
    fixture_close(&f);
}

static void linear_models_have_none(void **state) {
    (void)state;
    struct fixture f;
    fixture_open(&f);
    do_ok(&f, "{\"op\":\"model.create\",\"name\":\"flat\",\"config\":{\"profile\":\"linear\"}}");
    ask_bad(&f, "{\"op\":\"hierarchy\",\"model\":\"flat\"}", "bad_request", NULL,
            "the model has no hierarchy: profile linear");
    ask_bad(&f, "{\"op\":\"hierarchy\",\"model\":\"flat\",\"format\":\"dot\"}", "bad_request", NULL,
            "profile linear");
    ask_bad(&f, "{\"op\":\"drifts\",\"model\":\"flat\"}", "bad_request", NULL, "profile linear");
    json_t *stats = ask_ok(&f, "{\"op\":\"stats\",\"model\":\"flat\"}");
    assert_null(json_object_get(stats, "clusters"));
    assert_null(json_object_get(stats, "drift"));
    json_decref(stats);
    fixture_close(&f);
}

/* Counts by place, and that they come in order. */
static void tally(const json_t *reply, json_int_t since, size_t by_place[4]) {
    static const char *const places[] = {"global", "cluster", "hierarchy", "tree"};
    json_int_t last = since + 1;
    size_t i;
    json_t *event;
    json_array_foreach(json_object_get(reply, "drifts"), i, event) {
        const char *place = json_string_value(json_object_get(event, "place"));
        assert_true(int_of(event, "seq") >= last);
        last = int_of(event, "seq");
        assert_true(int_of(event, "labels") >= 0);
        assert_non_null(json_string_value(json_object_get(event, "kind")));
        size_t p = 0;
        while (p < 4 && strcmp(place, places[p]) != 0) p++;
        assert_true(p < 4);
        by_place[p]++;
        assert_true(json_is_null(json_object_get(event, "node")) == (p == 0));
        assert_true(json_is_null(json_object_get(event, "after")) == (p == 3));
    }
}

static void drifts_are_listed_and_counted(void **state) {
    (void)state;
    struct fixture f;
    open_grouped(&f);
    teach_groups(&f, 0, 4 * INSTANCES, 0); /* the features tell nothing any more */
    json_t *all = ask_ok(&f, "{\"op\":\"drifts\",\"limit\":100000}"), *stats = ask_ok(&f, "stats");
    const json_t *drift = json_object_get(stats, "drift");
    size_t by_place[4] = {0}, n = json_array_size(json_object_get(all, "drifts"));
    tally(all, 0, by_place);
    assert_int_equal(int_of(all, "total"), n); /* none is forgotten yet */
    assert_int_equal(int_of(all, "kept"), n);
    assert_true(json_is_false(json_object_get(all, "truncated")));
    assert_true(by_place[0] > 0 && by_place[1] > 0 && by_place[2] > 0 && by_place[3] > 0);
    assert_int_equal(int_of(drift, "global"), by_place[0]);
    assert_int_equal(int_of(drift, "cluster"), by_place[1]);
    assert_int_equal(int_of(drift, "structure"), by_place[2]);
    assert_int_equal(int_of(drift, "tree_splits"), by_place[3]);

    /* page by page, by the last seq seen, everything is met once */
    json_t *paged = json_array();
    for (json_int_t since = 0;;) {
        char line[100];
        snprintf(line, sizeof line, "{\"op\":\"drifts\",\"since\":%lld,\"limit\":3}", (long long)since);
        json_t *page = ask_ok(&f, line), *events = json_object_get(page, "drifts");
        size_t got = json_array_size(events);
        bool more = json_is_true(json_object_get(page, "truncated"));
        assert_true(!more || got >= 3);
        if (got) since = int_of(json_array_get(events, got - 1), "seq");
        json_array_extend(paged, events);
        json_decref(page);
        if (!more) break;
    }
    assert_true(json_equal(paged, json_object_get(all, "drifts")));
    json_decref(paged);
    json_decref(all);
    json_decref(stats);
    expect(&f, "{\"op\":\"drifts\",\"since\":9223372036854775807,\"model\":\"gone\"}",
           "{\"ok\":false,\"error\":{\"code\":\"unknown_model\",\"message\":\"there is no model "
           "\\\"gone\\\"\",\"retry\":false}}");
    fixture_close(&f);
}

static void old_events_are_forgotten_but_counted(void **state) {
    (void)state;
    struct fixture f;
    fixture_configure(&f);
    set(&f, "model.hierarchy.max_leaf=2");
    set(&f, "model.hierarchy.fading=0.9");
    set(&f, "model.hierarchy.effect=0");
    set(&f, "model.hierarchy.replace=0");
    set(&f, "model.hierarchy.delta=0.5");
    set(&f, "model.drift.delta=0.5");
    set(&f, "model.tree.grace=1");
    set(&f, "model.tree.level=0.5");
    set(&f, "model.tree.range=0.001");
    fixture_start(&f, 7);
    draw = 5;
    for (unsigned round = 0; round < 40; round++) {
        teach_groups(&f, 0, INSTANCES, round % 2 ? INSTANCES : 0);
        json_decref(check(&f)); /* at the edges of what may be configured, too */
        json_t *reply = ask_ok(&f, "{\"op\":\"drifts\",\"limit\":100000}"), *stats = ask_ok(&f, "stats");
        const json_t *drift = json_object_get(stats, "drift");
        json_int_t total = int_of(reply, "total"), kept = int_of(reply, "kept");
        assert_int_equal(json_array_size(json_object_get(reply, "drifts")), kept);
        assert_int_equal(kept, total < HOMER_EVENTS_KEPT ? total : HOMER_EVENTS_KEPT);
        assert_int_equal(total, int_of(drift, "global") + int_of(drift, "cluster") +
                                    int_of(drift, "structure") + int_of(drift, "tree_splits"));
        json_decref(reply);
        json_decref(stats);
        if (total > HOMER_EVENTS_KEPT + 50) break;
        if (round == 39) fail_msg("only %lld events", (long long)total);
    }
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clusters_partition_the_labels),
        cmocka_unit_test(recent_f1_agrees_with_the_metrics),
        cmocka_unit_test(dot_has_every_node_and_edge),
        cmocka_unit_test(linear_models_have_none),
        cmocka_unit_test(drifts_are_listed_and_counted),
        cmocka_unit_test(old_events_are_forgotten_but_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
