/* Two readers of one language: what the hot path takes it reads exactly as jansson's path does, number for
 * number and bit for bit, and what it gives up comes out the same through homer_request_parse.
 *
 * The input is read twice: as a line, and as the choices by which a line of the hot shape, or nearly so, is
 * written. The request object that remembers lines is one for all inputs. */
#include <string.h>
#include "decode_lines.h"
#include "fuzz.h"
#include "proto/request_parse.h"

static const struct homer_request_limits limits = {
    .max_line = 1 << 16, .max_depth = 6, .max_name = 24, .max_items = 5, .max_x = 40, .max_y = 5};

static unsigned long lines, taken;

static bool same_str(struct homer_str a, struct homer_str b) {
    return (a.s == NULL) == (b.s == NULL) && a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

static bool same_bits(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Two requests, also ones that were refused. */
static void check_same(const struct homer_request *a, const struct homer_request *b) {
    CHECK(a->op == b->op && a->error.code == b->error.code);
    CHECK(same_str(a->id, b->id));
    if (a->error.code) {
        CHECK(strcmp(a->error.message, b->error.message) == 0);
        return;
    }
    CHECK(same_str(a->model, b->model) && same_str(a->text, b->text) && same_str(a->src, b->src));
    CHECK(same_str(a->objective, b->objective) && same_str(a->ref, b->ref) && same_str(a->config, b->config));
    CHECK(a->has_x == b->has_x && a->has_y == b->has_y && a->y_partial == b->y_partial);
    CHECK((a->x == NULL) == (b->x == NULL) && (a->y == NULL) == (b->y == NULL));
    CHECK(a->x_n == b->x_n && a->y_n == b->y_n && same_bits(a->weight, b->weight) && a->n == b->n);
    CHECK(a->has_n == b->has_n && a->track == b->track && a->noreply == b->noreply &&
          a->metrics == b->metrics);
    CHECK(a->k == b->k && same_bits(a->threshold, b->threshold) && a->scores == b->scores);
    CHECK(a->scores_top == b->scores_top && a->bare == b->bare && a->items_n == b->items_n);
    for (size_t i = 0; i < a->x_n; i++) {
        const struct homer_value *v = &a->x[i], *w = &b->x[i];
        CHECK(v->type == w->type && same_str(v->name, w->name) && same_str(v->string, w->string));
        CHECK(same_bits(v->number, w->number));
    }
    for (size_t i = 0; i < a->y_n; i++)
        CHECK(same_str(a->y[i].name, b->y[i].name) && a->y[i].positive == b->y[i].positive);
    CHECK((a->items == NULL) == (b->items == NULL));
    for (size_t i = 0; i < a->items_n; i++) check_same(&a->items[i], &b->items[i]);
}

static void report(void) {
    printf("%lu lines compared, %lu taken by the hot path\n", lines, taken);
}

static void compare(const char *line, size_t n) {
    static struct homer_request hot, any; /* reused, as the daemon does */
    static struct homer_mem mem;
    if (!hot.arena.mem) {
        atexit(report);
        homer_request_init(&hot, &mem);
        homer_request_init(&any, &mem);
    }
    homer_request_parse_any(&any, line, n, &limits);
    bool is_taken = homer_request_parse_hot(&hot, line, n, &limits);
    if (is_taken) {
        CHECK(hot.error.code == 0);
    } else {
        homer_request_parse(&hot, line, n, &limits);
    }
    check_same(&hot, &any);
    lines++;
    taken += is_taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    compare((const char *)data, n);
    unsigned long before = lines, taken_before = taken;
    decode_lines_begin(data, n);
    for (int i = 0; i < 3; i++) {
        size_t line_n;
        const char *line = decode_line(&line_n);
        char *exact = malloc(line_n + !line_n); /* so that a sanitizer sees reads behind the end */
        CHECK(exact);
        memcpy(exact, line, line_n);
        compare(exact, line_n);
        free(exact);
    }
    static unsigned long written, written_taken;
    written += lines - before;
    written_taken += taken - taken_before;
    if (written >= 30000) { /* else this target would test nothing */
        CHECK(written_taken * 2 > written);
        written = written_taken = 0;
    }
    return 0;
}
