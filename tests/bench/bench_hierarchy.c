/* The label hierarchy alone over a stream of labelsets: what it finds, and its cost.
 *
 *   bench_hierarchy [--lambda X] [--effect X] [--replace X] [--seed N] [--matrix OUT] [--events] FILE FILE:
 * plain JSON lines
 *
 * Labels get their ids by first appearance. What is timed is reserve + learn, in
 * processor time. Writes one JSON object to
 * standard output: figures, the clusters, and with --events every change but arrivals, with the clusters
 * after its instance. --matrix writes the final Jaccard similarities, label by label, as text: what batch
 * clustering is given to work on (hierarchy.py). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "core/base/map.h"
#include "core/labels/hierarchy_impl.h"
#include "proto/request.h"

static const uint8_t hash_key[16] = "bench_hierarchy";

struct labelsets {
    uint32_t *label; /* all labelsets, back to back, each ascending */
    size_t *end;     /* [n] */
    uint32_t *known; /* [n] labels known with the instance */
    size_t n, cap, label_n, label_cap;
};

static void die(const char *what, const char *why) {
    fprintf(stderr, "bench_hierarchy: %s: %s\n", what, why);
    exit(1);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *more(void *p, size_t n, size_t size) {
    p = realloc(p, n * size);
    if (!p) die("load", "out of memory");
    return p;
}

static int by_id(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void load(struct labelsets *s, const char *path, struct homer_map *names, struct homer_mem *mem) {
    const struct homer_request_limits limits = {.max_line = 1 << 24,
                                                .max_depth = 8,
                                                .max_name = 256,
                                                .max_items = 1,
                                                .max_x = 1 << 20,
                                                .max_y = 1 << 16};
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    struct homer_request r;
    if (!f) die(path, strerror(errno));
    homer_request_init(&r, mem);
    while ((n = getline(&line, &cap, f)) > 0) {
        if (line[n - 1] == '\n') n--;
        homer_request_parse(&r, line, (size_t)n, &limits);
        if (r.error.code) die(path, r.error.message);
        if (s->n == s->cap) {
            s->cap = s->cap ? s->cap * 2 : 1024;
            s->end = more(s->end, s->cap, sizeof *s->end);
            s->known = more(s->known, s->cap, sizeof *s->known);
        }
        if (s->label_n + r.y_n >= s->label_cap) {
            s->label_cap = (s->label_n + r.y_n + 1024) * 2;
            s->label = more(s->label, s->label_cap, sizeof *s->label);
        }
        size_t begin = s->label_n;
        for (size_t k = 0; k < r.y_n; k++)
            if (r.y[k].positive) s->label[s->label_n++] = homer_map_add(names, r.y[k].name.s, r.y[k].name.n);
        qsort(s->label + begin, s->label_n - begin, sizeof *s->label, by_id);
        s->end[s->n] = s->label_n;
        s->known[s->n++] = names->n;
    }
    homer_request_deinit(&r);
    free(line);
    fclose(f);
}

/* The clusters that the same algorithm makes of the final counts, with no past. */
static void write_fresh(struct homer_hierarchy *h) {
    struct homer_grouping *g = &h->grouper;
    struct homer_grouping_rating now, best;
    double start = seconds();
    homer_hierarchy_load(h, &now);
    homer_grouping_find(g);
    homer_grouping_rate(g, &best);
    double took = seconds() - start;
    printf("\"fresh\":[");
    for (uint32_t k = 0; k < g->groups; k++) {
        const char *comma = "";
        printf("%s[", k ? "," : "");
        for (uint32_t r = 0; r < g->m; r++) {
            if (g->group[r] != k) continue;
            printf("%s%u", comma, g->label[r]);
            comma = ",";
        }
        printf("]");
    }
    printf("],\"fresh_us\":%.0f,\"quality\":%.4f,\"fresh_quality\":%.4f}\n", took * 1e6, now.quality,
           best.quality);
}

struct report {
    uint64_t changes[HOMER_HIERARCHY_CHANGES];
    double seconds, slowest;
};

static void write_clusters(const struct homer_hierarchy *h, const char *name) {
    const char *comma = "";
    printf("\"%s\":[", name);
    for (uint32_t slot = 0; slot != HOMER_NO_NODE; slot = homer_hierarchy_next(h, slot)) {
        if (!homer_hierarchy_is_leaf(h, slot)) continue;
        printf("%s[", comma);
        for (uint32_t k = 0; k < homer_hierarchy_node(h, slot)->labels; k++)
            printf("%s%u", k ? "," : "", homer_hierarchy_labels(h, slot)[k]);
        printf("]");
        comma = ",";
    }
    printf("]");
}

static void learn_all(struct homer_hierarchy *h, const struct labelsets *s, struct report *r, bool show) {
    const char *comma = "";
    printf("\"changes\":[");
    for (size_t i = 0; i < s->n; i++) {
        size_t begin = i ? s->end[i - 1] : 0;
        uint32_t n = (uint32_t)(s->end[i] - begin);
        double start = seconds();
        if (homer_hierarchy_reserve(h, n, s->known[i])) die("learn", "out of memory");
        homer_hierarchy_learn(h, s->label + begin, n, s->known[i], i + 1);
        double took = seconds() - start;
        r->seconds += took;
        if (took > r->slowest) r->slowest = took;
        for (uint32_t e = 0; e < h->events_n; e++) {
            const struct homer_hierarchy_event *v = &h->events[e];
            r->changes[v->change]++;
            if (!show || v->change == HOMER_HIERARCHY_ARRIVAL) continue;
            printf("%s{\"seq\":%zu,\"node\":%llu,\"change\":\"%s\",\"labels\":%u,\"before\":%.4f,\"after\":%."
                   "4f,",
                   comma, i + 1, (unsigned long long)v->node, homer_hierarchy_change_word(v->change),
                   v->labels, v->before, v->after);
            write_clusters(h, "clusters");
            printf("}");
            comma = ",";
        }
    }
    printf("],");
}

static void write_matrix(const struct homer_hierarchy *h, const char *path) {
    FILE *f = fopen(path, "w");
    if (!f) die(path, strerror(errno));
    for (uint32_t i = 0; i < h->labels; i++)
        for (uint32_t j = 0; j < h->labels; j++)
            fprintf(f, "%.6f%c", i == j ? 1.0 : homer_cooccur_jaccard(&h->counts, i, j),
                    j + 1 < h->labels ? ' ' : '\n');
    if (fclose(f)) die(path, strerror(errno));
}

/* Mean similarity of all pairs within leaves, and of all others. */
static void cohesion(const struct homer_hierarchy *h, double *within, double *between) {
    double sum[2] = {0, 0}, pairs[2] = {1e-9, 1e-9};
    for (uint32_t i = 0; i < h->labels; i++)
        for (uint32_t j = 0; j < i; j++) {
            bool apart = h->leaf[i] != h->leaf[j];
            sum[apart] += homer_cooccur_jaccard(&h->counts, i, j);
            pairs[apart]++;
        }
    *within = sum[0] / pairs[0];
    *between = sum[1] / pairs[1];
}

int main(int argc, char **argv) {
    struct homer_mem mem = {0};
    struct homer_map names;
    struct labelsets s = {0};
    struct homer_hierarchy h;
    struct homer_hierarchy_config config;
    struct report r = {0};
    const char *matrix = NULL, *file = NULL;
    bool show = false;
    homer_hierarchy_config_default(&config);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--events") == 0)
            show = true;
        else if (i + 1 < argc && strcmp(argv[i], "--lambda") == 0)
            config.lambda = strtod(argv[++i], NULL);
        else if (i + 1 < argc && strcmp(argv[i], "--effect") == 0)
            config.effect = strtod(argv[++i], NULL);
        else if (i + 1 < argc && strcmp(argv[i], "--replace") == 0)
            config.replace = strtod(argv[++i], NULL);
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            config.seed = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--matrix") == 0)
            matrix = argv[++i];
        else
            file = argv[i];
    }
    if (!file)
        die("usage", "bench_hierarchy [--lambda X] [--effect X] [--replace X] [--seed N] [--matrix OUT] "
                     "[--events] FILE");
    homer_map_init(&names, &mem, hash_key);
    load(&s, file, &names, &mem);
    size_t before = mem.used_bytes;
    if (homer_hierarchy_init(&h, &mem, &config)) die("start", "out of memory");
    printf("{");
    learn_all(&h, &s, &r, show);
    uint32_t depth = 0, largest = 0, smallest = UINT32_MAX;
    write_clusters(&h, "clusters");
    printf(",");
    for (uint32_t slot = 0; slot != HOMER_NO_NODE; slot = homer_hierarchy_next(&h, slot)) {
        const struct homer_hierarchy_node *n = homer_hierarchy_node(&h, slot);
        if (n->depth > depth) depth = n->depth;
        if (!homer_hierarchy_is_leaf(&h, slot)) continue;
        if (n->labels > largest) largest = n->labels;
        if (n->labels < smallest) smallest = n->labels;
    }
    printf("\"labelsets\":[");
    for (size_t i = 0; i < s.n; i++) {
        printf("%s[", i ? "," : "");
        for (size_t k = i ? s.end[i - 1] : 0; k < s.end[i]; k++)
            printf("%s%u", k > (i ? s.end[i - 1] : 0) ? "," : "", s.label[k]);
        printf("]");
    }
    double within, between;
    cohesion(&h, &within, &between);
    printf(
        "],\"instances\":%zu,\"labels\":%u,\"depth\":%u,\"leaves\":%u,\"largest\":%u,\"smallest\":%u,"
        ""
        "\"within\":%.4f,\"between\":%.4f,\"us\":%.3f,\"slowest_us\":%.0f,\"bytes\":%zu,\"generation\":%llu",
        s.n, h.labels, depth, h.leaves, largest, smallest, within, between,
        r.seconds / (double)(s.n ? s.n : 1) * 1e6, r.slowest * 1e6, mem.used_bytes - before,
        (unsigned long long)h.generation);
    for (int c = 0; c < HOMER_HIERARCHY_CHANGES; c++)
        printf(",\"%s\":%llu", homer_hierarchy_change_word((enum homer_hierarchy_change)c),
               (unsigned long long)r.changes[c]);
    printf(",");
    write_fresh(&h);
    if (matrix) write_matrix(&h, matrix);
    homer_hierarchy_deinit(&h);
    homer_map_deinit(&names);
    free(s.label);
    free(s.end);
    free(s.known);
    return 0;
}
