/* The hot path: which lines it takes, that it remembers keys without being fooled by them, its memory. That
 * it reads as jansson does is the business of fuzz_decode; here are the cases that a reader should see. */
#include <stdlib.h>
#include "core/base/buf.h"
#include "proto/request_parse.h"
#include "request_fixture.h"

static const struct homer_request_limits wide = {
    .max_line = 1 << 20, .max_depth = 8, .max_name = 256, .max_items = 1000, .max_x = 100000, .max_y = 1000};

static void what_clients_send_is_taken(void **state) {
    struct fixture *f = *state;
    static const char *const lines[] = {
        "{\"x\":{\"a\":1,\"b\":-0.25,\"c\":1.5e-7},\"y\":[\"p\",\"q\"]}",
        "{\"x\": {\"a\": 1, \"b\": 0.1234567890123456}, \"y\": [\"p\"]}",
        "{\"x\":{}} \t",
        "{\"x\":[0.5,2,-3],\"y\":[]}",
        "{\"x\":[]}",
        "{\"op\":\"learn\",\"x\":{\"s\":\"red\",\"t\":true,\"m\":null,\"bag\":[\"u\",\"v\",\"u\"]"
        "},\"y\":{\"p\":true,\"q\":false,\"r\":null}}",
        "{\"op\":\"test\",\"id\":17,\"model\":\"m\",\"text\":\"gr\xc3\xbc\xc3\x9f\",\"y\":[],\"w\":0.5,\"t\":"
        "17.5,\"src\":\"s\",\"n\":1,\"metrics\":true,\"k\":2}",
        "{\"op\":\"predict\",\"id\":\"i\",\"text\":\"say "
        "\\\"\\u00e9\\ud83d\\ude00\\\"\",\"threshold\":0.5,\"objective\":\"subset\",\"scores\":\"top:3\","
        "\"track\":true}",
        "{\"text\":\"a title\",\"y\":[\"p\"],\"noreply\":true}",
        "{\"op\":\"batch\",\"items\":[]}",
        "{\"op\":\"batch\",\"id\":1,\"model\":\"m\",\"items\":[{\"x\":{\"a\":1},\"y\":[],\"id\":2},{\"op\":"
        "\"predict\",\"x\":{\"a\":[\"b\"]}}]}",
        "{\"x\":{\"\\u00e9\":1,\"a\":2},\"y\":[\"caf\\u00e9\"]}",
        "{\"t\":\"2025\",\"id\":1,\"text\":\"t\",\"y\":[],\"places\":[\"usa\",1],\"title\":\"mine\","
        "\"score\":1.5,\"old\":null}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        bool taken = homer_request_parse_hot(&f->r, lines[i], strlen(lines[i]), &limits);
        if (!taken) print_error("not taken: %s\n", lines[i]);
        assert_true(taken);
        assert_int_equal(f->r.error.code, 0);
    }
}

static void what_is_wrong_or_rare_is_not(void **state) {
    struct fixture *f = *state;
    static const char *const lines[] = {
        "ping",
        "{\"op\":\"batch\",\"items\":[{\"op\":\"ping\"}]}",
        "{\"op\":\"batch\",\"items\":[{\"op\":\"batch\",\"items\":[]}]}",
        "{\"op\":\"batch\",\"items\":[{\"x\":{}},{\"x\":{},\"x\":{}}]}",
        "{\"op\":\"batch\",\"items\":[{\"x\":{}}],\"model\":\"late\"}",
        "{\"op\":\"batch\",\"items\":[{},{},{},{},{}]}",
        "{\"op\":\"stats\"}",
        "{\"x\":{\"a\":1,\"a\":2}}",
        "{\"x\":{\"a\":1},\"x\":{}}",
        "{\"x\":{\"a\":1}",
        "{\"x\":{\"a\":1}}}",
        "{\"x\":{\"a\":1},}",
        "{\"x\":{\"a\":1,}}",
        "{\"x\":{\"a\":01}}",
        "{\"x\":{\"a\":1e39}}",
        "{\"x\":{\"a\":99999999999999999999}}",
        "{\"x\":{\"a\":{}}}",
        "{\"x\":{\"a\":[1]}}",
        "{\"x\":{\"\":1}}",
        "{\"x\":{\"a name of 17 byte\":1}}",
        "{\"x\":{\"\xff\":1}}",
        "{\"x\":{\"a\tb\":1}}",
        "{\"x\":{\"\\ud800\":1}}",
        "{\"x\":{\"\\u0000\":1}}",
        "{\"x\":[1,\"a\"]}",
        "{\"x\":[1,2,3,4,5,6,7]}",
        "{\"x\":{},\"y\":[\"a\",\"b\",\"c\",\"d\"]}",
        "{\"x\":{},\"y\":[1]}",
        "{\"x\":{},\"y\":{\"a\":true,\"a\":true}}",
        "{\"x\":{},\"y\":{\"a\":1}}",
        "{\"op\":\"learn\",\"x\":{}}",
        "{\"op\":\"predict\",\"x\":{},\"y\":[]}",
        "{\"op\":\"learn\",\"x\":{},\"y\":[],\"wieght\":2}",
        "{\"x\":{},\"y\":[],\"explain\":1}",
        "{\"x\":{},\"own\":{\"a\":1}}",
        "{\"x\":{},\"own\":1,\"own\":2}",
        "{\"x\":{},\"id\":\"\\n\"}",
        "{\"x\":{},\"src\":\"s\"}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        bool taken = homer_request_parse_hot(&f->r, lines[i], strlen(lines[i]), &limits);
        if (taken) print_error("taken: %s\n", lines[i]);
        assert_false(taken);
    }
    const char nul[] = "{\"x\":{\"a\0b\":1}}", behind[] = "{\"x\":{}}\0";
    assert_false(homer_request_parse_hot(&f->r, nul, sizeof nul - 1, &limits));
    assert_false(homer_request_parse_hot(&f->r, behind, sizeof behind - 1, &limits));
}

static void a_remembered_order_hides_no_key_given_twice(void **state) {
    struct fixture *f = *state;
    good(f, "{\"x\":{\"a\":1,\"b\":2,\"c\":3}}");
    bad(f, "{\"x\":{\"a\":1,\"b\":2,\"a\":3}}", HOMER_E_BAD_JSON, "twice");
    bad(f, "{\"x\":{\"a\":1,\"b\":2,\"b\":3}}", HOMER_E_BAD_JSON, "twice");
    bad(f, "{\"x\":{\"a\":1,\"b\":2,\"c\":3,\"a\":4}}", HOMER_E_BAD_JSON, "twice");
    bad(f, "{\"x\":{\"b\":1,\"a\":2,\"b\":3}}", HOMER_E_BAD_JSON, "twice");
    good(f, "{\"x\":{\"c\":1,\"b\":2,\"a\":3}}");
    bad(f, "{\"x\":{\"c\":1,\"b\":2,\"\\u0062\":3}}", HOMER_E_BAD_JSON, "twice");
    good(f, "{\"x\":{\"\\u0062\":1,\"a\":2}}");
    bad(f, "{\"x\":{\"\\u0062\":1,\"b\":2}}", HOMER_E_BAD_JSON, "twice");
    const struct homer_request *r = good(f, "{\"x\":{\"\\u0062\":1,\"c\":2}}");
    assert_str(r->x[0].name, "b");
    assert_str(r->x[1].name, "c");
    assert_str(good(f, "{\"x\":{\"\\u0062\":7}}")->x[0].name, "b");
}

/* Keys of an item are remembered for the next one, and for the next line. */
static void items_of_a_batch(void **state) {
    struct fixture *f = *state;
    const struct homer_request *r = NULL;
    for (int again = 0; again < 3; again++) {
        r = good(f,
                 "{\"op\":\"batch\",\"model\":\"m\",\"items\":[{\"x\":{\"one\":1,\"two\":2},\"y\":[\"p\"]},"
                 "{\"x\":{\"one\":3,\"two\":4},\"model\":\"own\"},{\"text\":\"t\",\"id\":5}]}");
        assert_int_equal(r->op, HOMER_OP_BATCH);
        assert_int_equal(r->items_n, 3);
        assert_int_equal(r->items[0].op, HOMER_OP_LEARN);
        assert_int_equal(r->items[1].op, HOMER_OP_PREDICT);
        assert_str(r->items[0].model, "m");
        assert_str(r->items[1].model, "own");
        assert_str(r->items[1].x[1].name, "two");
        assert_true(r->items[1].x[1].number == 4);
        assert_str(r->items[2].id, "5");
        assert_str(good(f, "{\"x\":{\"one\":1,\"six\":2}}")->x[1].name, "six");
    }
    bad(f, "{\"x\":{\"one\":1,\"one\":2}}", HOMER_E_BAD_JSON, "twice");
    r = good(f, "{\"op\":\"batch\",\"items\":[{\"x\":{\"one\":1}},{\"x\":{\"one\":1},\"wieght\":2,\"op\":"
                "\"test\"}]}");
    assert_int_equal(r->items[0].error.code, 0);
    assert_int_equal(r->items[1].error.code, HOMER_E_BAD_REQUEST);
}

/* Every length around those that are compared in one, two or more pieces, and names that begin alike. */
static void keys_of_every_length_are_told_apart(void **state) {
    struct fixture *f = *state;
    char line[400], name[64];
    for (int n = 1; n <= 40; n++) {
        for (int other = 0; other <= n; other++) { /* which character differs; none at n */
            for (int which = 0; which < 2; which++) {
                memset(name, 'k', sizeof name);
                name[n] = '\0';
                if (which && other < n) name[other] = 'j';
                size_t line_n =
                    (size_t)snprintf(line, sizeof line, "{\"x\":{\"%s\":%d,\"z\":2}}", name, which);
                assert_true(homer_request_parse_hot(&f->r, line, line_n, &wide));
                assert_str(f->r.x[0].name, name);
                assert_true(f->r.x[0].number == which);
            }
        }
        snprintf(line, sizeof line, "{\"x\":{\"%sk\":1}}", name);
        assert_true(homer_request_parse_hot(&f->r, line, strlen(line), &wide));
        assert_int_equal(f->r.x[0].name.n, n + 1);
    }
}

/* n features, their order turned by `turn`; `twice`: one of them again. */
static void put_line(struct homer_buf *line, unsigned n, unsigned turn, bool twice) {
    homer_buf_truncate(line, 0);
    homer_buf_puts(line, "{\"x\":{");
    for (unsigned i = 0; i < n + twice; i++)
        homer_buf_printf(line, "%s\"feature %u\":0.%u", i ? "," : "", (i + turn) % n, i);
    homer_buf_puts(line, "},\"y\":{\"p\":true,\"q\":false}}");
}

static void many_keys(void **state) {
    struct fixture *f = *state;
    struct homer_mem lines = {0};
    struct homer_buf line;
    homer_buf_init(&line, &lines);
    for (unsigned n = 1; n < 20000; n = n * 3 + 1) {
        for (unsigned turn = 0; turn < 3; turn++) {
            put_line(&line, n, turn, false);
            assert_true(homer_request_parse_hot(&f->r, line.data, line.n, &wide));
            assert_int_equal(f->r.x_n, n);
            for (unsigned i = 0; i < n; i++) {
                char name[32];
                snprintf(name, sizeof name, "feature %u", (i + turn) % n);
                assert_str(f->r.x[i].name, name);
            }
            put_line(&line, n, turn, true);
            assert_false(homer_request_parse_hot(&f->r, line.data, line.n, &wide));
        }
    }
    homer_buf_deinit(&line);
}

static void places_of_arrays_have_names(void **state) {
    struct fixture *f = *state;
    struct homer_mem lines = {0};
    struct homer_buf line;
    homer_buf_init(&line, &lines);
    for (unsigned n = 1; n <= 12000; n *= 11) {
        homer_buf_truncate(&line, 0);
        homer_buf_puts(&line, "{\"x\":[");
        for (unsigned i = 0; i < n; i++) homer_buf_printf(&line, "%s%u.5", i ? "," : "", i);
        homer_buf_puts(&line, "]}");
        assert_true(homer_request_parse_hot(&f->r, line.data, line.n, &wide));
        assert_int_equal(f->r.x_n, n);
        for (unsigned i = 0; i < n; i++) {
            char name[32];
            snprintf(name, sizeof name, "%u", i);
            assert_str(f->r.x[i].name, name);
            assert_true(f->r.x[i].number == i + 0.5);
        }
    }
    homer_buf_deinit(&line);
}

/* Keys in the same and in other orders, arrays, escapes and text: all kinds of memory that the path has. */
static const char *const kinds[] = {
    "{\"x\":{\"a feature\":1,\"b\":[\"v\",\"\\u0077\"],\"\\u0063\":\"s\"},\"y\":[\"p\"],\"id\":7}",
    "{\"x\":{\"b\":[\"v\"],\"a feature\":2},\"y\":{\"p\":true,\"q\":false}}",
    "{\"x\":[1,2,3],\"y\":[\"p\",\"q\"]}",
    "{\"op\":\"batch\",\"items\":[{\"x\":{\"a\":1},\"y\":[]},{\"x\":{\"a\":2,\"b\":3}},{\"x\":[1]}]}",
    "{\"text\":\"plain, and \\\"quoted\\\"\",\"own\":[1,\"\\n\"]}",
};

static void a_refused_allocation_is_told(void **state) {
    (void)state;
    bool done = false;
    for (uint64_t k = 1; !done; k++) {
        struct fixture f = {.mem.fail_in = k};
        homer_request_init(&f.r, &f.mem);
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            uint64_t before = f.mem.failed;
            homer_request_parse(&f.r, kinds[i], strlen(kinds[i]), &wide);
            assert_int_equal(f.r.error.code, f.mem.failed > before ? HOMER_E_INTERNAL : 0);
            assert_int_equal(f.r.op == HOMER_OP_NONE, f.mem.failed > before);
        }
        done = f.mem.failed == 0;
        homer_request_deinit(&f.r);
        assert_int_equal(f.mem.used_bytes, 0);
    }
}

static void steady_state_allocates_nothing(void **state) {
    struct fixture *f = *state;
    struct homer_mem lines = {0};
    struct homer_buf line;
    homer_buf_init(&line, &lines);
    for (int round = 0; round < 20; round++) {
        if (round == 3) f->mem.fail_in = 1;
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            assert_true(homer_request_parse_hot(&f->r, kinds[i], strlen(kinds[i]), &wide));
        for (unsigned turn = 0; turn < 3; turn++) {
            put_line(&line, 500, turn, false);
            assert_true(homer_request_parse_hot(&f->r, line.data, line.n, &wide));
            assert_int_equal(f->r.error.code, 0);
        }
    }
    assert_int_equal(f->mem.failed, 0);
    f->mem.fail_in = 0;
    homer_buf_deinit(&line);
}

static void gives_back_what_a_huge_line_took(void **state) {
    struct fixture *f = *state;
    struct homer_mem lines = {0};
    struct homer_buf line;
    homer_buf_init(&line, &lines);
    for (unsigned turn = 0; turn < 3; turn++) {
        put_line(&line, 40000, turn, false);
        assert_true(homer_request_parse_hot(&f->r, line.data, line.n, &wide));
    }
    assert_true(f->mem.used_bytes > 4u << 20);
    good(f, "ping");
    assert_true(f->mem.used_bytes <= 2u << 20);
    homer_buf_deinit(&line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_clients_send_is_taken),
        TEST(what_is_wrong_or_rare_is_not),
        TEST(a_remembered_order_hides_no_key_given_twice),
        TEST(items_of_a_batch),
        TEST(keys_of_every_length_are_told_apart),
        TEST(many_keys),
        TEST(places_of_arrays_have_names),
        TEST(a_refused_allocation_is_told),
        TEST(steady_state_allocates_nothing),
        TEST(gives_back_what_a_huge_line_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
