/* Lines parsed ahead are the lines, in their order, whoever parsed them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/ahead.h"

enum { N = HOMER_AHEAD_LINES, ROUNDS = 300, WIDTH = 4000 };

static const struct homer_request_limits limits = {
    .max_line = 1 << 22, .max_depth = 8, .max_name = 256, .max_items = 1000, .max_x = 1000000, .max_y = 1000};

/* Line i of a stream: every seventh is no request; their lengths differ. */
static size_t write_line(char *to, unsigned i) {
    if (i % 7 == 3) return (size_t)sprintf(to, "{\"op\":\"fly\",\"id\":%u}", i);
    size_t n = (size_t)sprintf(to, "{\"id\":%u,\"y\":[\"a\"],\"x\":{\"first\":%u", i, i);
    for (unsigned k = 0; k < i * 31 % 100; k++) n += (size_t)sprintf(to + n, ",\"f%u\":%u", k, i + k);
    return n + (size_t)sprintf(to + n, "}}");
}

static void check_line(const struct homer_parsed *p, unsigned i) {
    const struct homer_request *r = &p->request;
    char id[16];
    assert_int_equal(r->id.n, (size_t)sprintf(id, "%u", i));
    assert_memory_equal(r->id.s, id, r->id.n);
    if (i % 7 == 3) {
        assert_int_equal(r->error.code, HOMER_E_UNKNOWN_OP);
        return;
    }
    assert_int_equal(r->error.code, 0);
    assert_int_equal(r->op, HOMER_OP_LEARN);
    assert_int_equal(r->x_n, 1 + i * 31 % 100);
    assert_true(r->x[0].number >= i && r->x[0].number <= i);
}

struct stream {
    char *bytes;
    struct homer_piece line[N];
};

/* Lines from..from + n, where the lines before them were. */
static void place(struct stream *s, unsigned from, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        s->line[i].text = s->bytes + i * WIDTH;
        s->line[i].n = write_line(s->bytes + i * WIDTH, from + i);
    }
}

static struct homer_ahead *open_ahead(bool worker, struct stream *s) {
    struct homer_ahead *a;
    assert_int_equal(homer_ahead_new(&a, &limits), 0);
    if (worker) assert_int_equal(homer_ahead_start(a), 0);
    assert_int_equal(homer_ahead_has_worker(a), worker);
    s->bytes = malloc((size_t)N * WIDTH);
    assert_non_null(s->bytes);
    return a;
}

static void close_ahead(struct homer_ahead *a, struct stream *s) {
    assert_null(homer_ahead_free(a));
    free(s->bytes);
}

/* Runs of every length; each is left early somewhere, and what was left comes again at another place. */
static void lines_come_in_order(void **state) {
    (void)state;
    for (int worker = 0; worker < 2; worker++) {
        struct stream s;
        struct homer_ahead *a = open_ahead(worker, &s);
        for (unsigned round = 0, from = 0; round < ROUNDS; round++) {
            unsigned n = 1 + round * 13 % N, taken = round * 7 % (n + 1);
            place(&s, from, n);
            homer_ahead_begin(a, s.line, n);
            for (unsigned i = 0; i < taken; i++)
                check_line(*homer_ahead_get(a, s.line[i].text, s.line[i].n), from + i);
            homer_ahead_end(a);
            memset(s.bytes, '!', (size_t)N * WIDTH); /* nobody looks at it any more */
            from += taken;
        }
        close_ahead(a, &s);
    }
}

/* Sooner or later the worker is the first at some line. Without one nobody is. */
static void the_worker_takes_lines(void **state) {
    (void)state;
    for (int worker = 0; worker < 2; worker++) {
        struct stream s;
        struct homer_ahead *a = open_ahead(worker, &s);
        place(&s, 0, N);
        for (unsigned round = 0; worker ? homer_ahead_count(a) == 0 : round < 10; round++) {
            assert_true(round < 1000000);
            homer_ahead_begin(a, s.line, N);
            for (unsigned i = 0; i < N; i++) check_line(*homer_ahead_get(a, s.line[i].text, s.line[i].n), i);
            homer_ahead_end(a);
        }
        assert_true(worker || homer_ahead_count(a) == 0);
        close_ahead(a, &s);
    }
}

/* A line that was not announced, also in the middle of those that were. */
static void other_lines_are_parsed_at_once(void **state) {
    struct stream s;
    char other[WIDTH];
    (void)state;
    struct homer_ahead *a = open_ahead(true, &s);
    for (unsigned round = 0; round < ROUNDS; round++) {
        place(&s, round, N);
        size_t n = write_line(other, 5000 + round);
        check_line(*homer_ahead_get(a, other, n), 5000 + round);
        homer_ahead_begin(a, s.line, N);
        for (unsigned i = 0; i < N; i++) {
            check_line(*homer_ahead_get(a, s.line[i].text, s.line[i].n), round + i);
            if (i == round % N) check_line(*homer_ahead_get(a, other, n), 5000 + round);
        }
        homer_ahead_end(a);
    }
    close_ahead(a, &s);
}

/* Without memory for it a line is refused, alone. */
static void a_refused_allocation_is_the_lines_own(void **state) {
    (void)state;
    for (int worker = 0; worker < 2; worker++) {
        struct stream s;
        struct homer_ahead *a = open_ahead(worker, &s);
        place(&s, 100, N);
        homer_ahead_begin(a, s.line, N);
        struct homer_parsed *poor = *homer_ahead_get(a, s.line[0].text, s.line[0].n);
        homer_ahead_end(a);
        homer_request_deinit(&poor->request);
        poor->mem.max_bytes = poor->mem.used_bytes + 1;
        homer_ahead_begin(a, s.line, N);
        unsigned refused = 0;
        for (unsigned i = 0; i < N; i++) {
            struct homer_parsed *p = *homer_ahead_get(a, s.line[i].text, s.line[i].n);
            if (p->request.error.code == HOMER_E_INTERNAL)
                refused++;
            else
                check_line(p, 100 + i);
            if (p == poor) assert_int_equal(p->request.error.code, HOMER_E_INTERNAL);
        }
        assert_int_equal(refused, worker ? 1 : N); /* without a worker it is the same object for all */
        poor->mem.max_bytes = 0;
        check_line(*homer_ahead_get(a, s.line[1].text, s.line[1].n), 101);
        homer_ahead_end(a);
        close_ahead(a, &s);
    }
}

static void what_is_taken_stays(void **state) {
    (void)state;
    for (int worker = 0; worker < 2; worker++) {
        struct stream s;
        struct homer_ahead *a = open_ahead(worker, &s);
        struct homer_parsed *kept = NULL;
        for (unsigned round = 0; round < 10; round++) {
            place(&s, 200 + round, N);
            homer_ahead_begin(a, s.line, N);
            for (unsigned i = 0; i < N; i++) {
                struct homer_parsed **at = homer_ahead_get(a, s.line[i].text, s.line[i].n);
                check_line(*at, 200 + round + i);
                if (kept || i != 5) continue;
                kept = *at;
                *at = homer_parsed_new();
                assert_non_null(*at);
            }
            homer_ahead_end(a);
        }
        check_line(kept, 205);
        homer_parsed_free(kept);
        close_ahead(a, &s);
    }
}

/* Long lines do not stay charged for, however many there are. */
static void memory_of_long_lines_comes_back(void **state) {
    enum { PAIRS = 20000, ALL = HOMER_AHEAD_KEEP + (N + 1) * HOMER_AHEAD_KEEP_ONE };
    char *line = malloc(PAIRS * 16);
    assert_non_null(line);
    size_t n = (size_t)sprintf(line, "{\"y\":[],\"x\":{\"a\":1");
    for (unsigned i = 0; i < PAIRS; i++) n += (size_t)sprintf(line + n, ",\"f%u\":1", i);
    n += (size_t)sprintf(line + n, "}}");
    (void)state;
    for (int announced = 0; announced < 2; announced++) {
        struct stream s;
        struct homer_ahead *a = open_ahead(true, &s);
        struct homer_parsed *seen[N];
        size_t sum = 0;
        for (unsigned i = 0; i < N; i++) s.line[i] = (struct homer_piece){line, n};
        if (announced) homer_ahead_begin(a, s.line, N);
        for (unsigned i = 0; i < N; i++) {
            seen[i] = *homer_ahead_get(a, line, n);
            assert_int_equal(seen[i]->request.x_n, PAIRS + 1);
            assert_true(seen[i]->mem.used_bytes > HOMER_AHEAD_KEEP_ONE);
        }
        homer_ahead_end(a);
        place(&s, 1, 1);
        check_line(*homer_ahead_get(a, s.line[0].text, s.line[0].n), 1);
        for (unsigned i = 0; i < N; i++) sum += announced || i == 0 ? seen[i]->mem.used_bytes : 0;
        assert_true(sum <= ALL);
        assert_true(!announced || sum > HOMER_AHEAD_KEEP / 2); /* nor is it taken for each line anew */
        close_ahead(a, &s);
    }
    free(line);
}

/* A line that somebody else has parsed is not parsed again, and forgotten when its turn is over. */
static void a_parsed_line_is_found(void **state) {
    struct stream s;
    (void)state;
    struct homer_ahead *a = open_ahead(true, &s);
    struct homer_parsed *p = homer_parsed_new();
    place(&s, 1, 1);
    homer_ahead_parse(a, p, s.line[0].text, s.line[0].n);
    homer_ahead_put(a, s.line[0].text, p);
    assert_ptr_equal(*homer_ahead_get(a, s.line[0].text, s.line[0].n), p);
    check_line(p, 1);
    p = homer_parsed_new();
    homer_ahead_parse(a, p, s.line[0].text, s.line[0].n);
    homer_ahead_put(a, s.line[0].text, p);
    homer_ahead_end(a);
    place(&s, 2, 1); /* another one in its place */
    check_line(*homer_ahead_get(a, s.line[0].text, s.line[0].n), 2);
    close_ahead(a, &s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_in_order),
        cmocka_unit_test(the_worker_takes_lines),
        cmocka_unit_test(other_lines_are_parsed_at_once),
        cmocka_unit_test(a_refused_allocation_is_the_lines_own),
        cmocka_unit_test(what_is_taken_stays),
        cmocka_unit_test(memory_of_long_lines_comes_back),
        cmocka_unit_test(a_parsed_line_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
