/* The tables of sources and of tracked predictions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "daemon/pending.h"
#include "daemon/sources.h"

static const uint8_t key[16] = "pending";

static struct homer_str str(const char *s) {
    return (struct homer_str){s, strlen(s)};
}

/* Bytes written, to be read again. */
struct tape {
    char bytes[1 << 16];
    size_t n, at;
};

static void record(void *ctx, const void *p, size_t n) {
    struct tape *t = ctx;
    assert_true(t->n + n <= sizeof t->bytes);
    memcpy(t->bytes + t->n, p, n);
    t->n += n;
}

static int play(void *ctx, void *p, size_t n) {
    struct tape *t = ctx;
    if (n > t->n - t->at) return -EBADMSG;
    memcpy(p, t->bytes + t->at, n);
    t->at += n;
    return 0;
}

/* ---- tracked predictions ---- */

static void track(struct homer_pending *p, const char *model, const char *ref, const char *payload,
                  uint64_t ms) {
    struct homer_pending_item *item;
    assert_int_equal(homer_pending_make(p, str(model), str(ref), strlen(payload), ms, &item, NULL), 0);
    memcpy(homer_pending_room(item), payload, strlen(payload));
    homer_pending_put(p, item);
}

static void assert_waits(const struct homer_pending *p, const char *model, const char *ref,
                         const char *payload) {
    const struct homer_pending_item *item = homer_pending_find(p, str(model), str(ref));
    if (!payload) {
        assert_null(item);
        return;
    }
    assert_non_null(item);
    struct homer_str got = homer_pending_payload(item);
    assert_int_equal(got.n, strlen(payload));
    assert_memory_equal(got.s, payload, got.n);
}

static void test_finds_by_model_and_ref(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_pending p;
    homer_pending_init(&p, &mem, key, &(struct homer_pending_limits){1000, 1 << 20, 1000});
    assert_waits(&p, "m", "1", NULL);
    for (int i = 0; i < 500; i++) {
        char ref[16];
        snprintf(ref, sizeof ref, "%d", i);
        track(&p, i % 2 ? "odd" : "even", ref, ref, 1);
    }
    assert_waits(&p, "odd", "17", "17");
    assert_waits(&p, "even", "17", NULL);
    assert_waits(&p, "od", "d17", NULL);
    track(&p, "odd", "17", "again", 2);
    assert_int_equal(p.n, 500);
    assert_int_equal(p.expired, 0);
    assert_waits(&p, "odd", "17", "again");
    homer_pending_remove(&p, homer_pending_find(&p, str("odd"), str("17")));
    assert_waits(&p, "odd", "17", NULL);
    homer_pending_forget(&p, str("even"));
    assert_int_equal(p.n, 249);
    assert_waits(&p, "even", "18", NULL);
    assert_waits(&p, "odd", "19", "19");
    homer_pending_deinit(&p);
    assert_int_equal(mem.used_bytes, 0);
}

static void test_is_bounded(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_pending p;
    struct homer_pending_item *item;
    struct homer_error err = {0};
    homer_pending_init(&p, &mem, key, &(struct homer_pending_limits){3, 600, 100});
    track(&p, "m", "1", "a", 10);
    track(&p, "m", "2", "b", 20);
    track(&p, "m", "3", "c", 30);
    track(&p, "m", "4", "d", 40); /* by count */
    assert_waits(&p, "m", "1", NULL);
    assert_int_equal(p.expired, 1);
    char long_payload[400];
    memset(long_payload, 'x', sizeof long_payload);
    long_payload[sizeof long_payload - 1] = '\0';
    track(&p, "m", "5", long_payload, 50); /* by bytes */
    assert_true(p.bytes <= 600);
    assert_waits(&p, "m", "4", "d");
    assert_waits(&p, "m", "2", NULL);
    homer_pending_expire(&p, 150); /* age: not yet */
    assert_waits(&p, "m", "5", long_payload);
    homer_pending_expire(&p, 151);
    assert_int_equal(p.n, 0);
    assert_int_equal(p.expired, 5);
    assert_int_equal(p.bytes, 0);
    homer_pending_expire(&p, 5); /* a clock set back */
    assert_int_equal(homer_pending_make(&p, str("m"), str("6"), 700, 0, &item, &err), HOMER_E_TOO_MANY);
    assert_string_equal(err.limit, "max_tracked_bytes");
    homer_pending_deinit(&p);
    assert_int_equal(mem.used_bytes, 0);
}

static void test_refused_memory_changes_nothing(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_pending p;
    struct homer_pending_item *item;
    homer_pending_init(&p, &mem, key, &(struct homer_pending_limits){1000, 1 << 20, 1000});
    for (uint64_t k = 1; k <= 2; k++) {
        mem.fail_in = k;
        assert_int_equal(homer_pending_make(&p, str("m"), str("1"), 5, 0, &item, NULL), -ENOMEM);
        assert_int_equal(p.n, 0);
        homer_pending_deinit(&p);
    }
    assert_int_equal(homer_pending_make(&p, str("m"), str("1"), 5, 0, &item, NULL), 0);
    homer_pending_drop(&p, item);
    homer_pending_deinit(&p);
    assert_int_equal(mem.used_bytes, 0);
}

static void test_pending_is_read_as_it_was_written(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_pending p, q;
    struct tape *tape = calloc(1, sizeof *tape), *second = calloc(1, sizeof *second);
    assert_non_null(tape);
    assert_non_null(second);
    const struct homer_pending_limits limits = {3, 1 << 20, 1000};
    homer_pending_init(&p, &mem, key, &limits);
    homer_pending_init(&q, &mem, key, &limits);
    for (int i = 0; i < 5; i++)
        track(&p, "model", (const char *[]){"1", "2", "3", "4", "5"}[i], "payload", 7);
    homer_pending_encode(&p, &(struct homer_codec){.sink = record, .ctx = tape});
    assert_int_equal(homer_pending_decode(&q, &(struct homer_decoder){.fill = play, .ctx = tape}), 0);
    assert_int_equal(tape->at, tape->n);
    assert_int_equal(q.expired, 2);
    assert_waits(&q, "model", "3", "payload");
    homer_pending_encode(&q, &(struct homer_codec){.sink = record, .ctx = second});
    assert_int_equal(second->n, tape->n);
    assert_memory_equal(second->bytes, tape->bytes, tape->n);
    for (size_t cut = 0; cut < second->n; cut++) { /* whatever the end, no crash, no leak */
        struct homer_pending r;
        struct tape *part = second;
        size_t whole = part->n;
        homer_pending_init(&r, &mem, key, &limits);
        part->n = cut;
        part->at = 0;
        assert_int_equal(homer_pending_decode(&r, &(struct homer_decoder){.fill = play, .ctx = part}),
                         -EBADMSG);
        part->n = whole;
        homer_pending_deinit(&r);
    }
    homer_pending_deinit(&p);
    homer_pending_deinit(&q);
    free(tape);
    free(second);
    assert_int_equal(mem.used_bytes, 0);
}

/* ---- sources ---- */

static void test_sources(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_sources s, t;
    struct homer_error err = {0};
    struct tape *tape = calloc(1, sizeof *tape);
    assert_non_null(tape);
    uint32_t id;
    homer_sources_init(&s, &mem, key, 3);
    assert_null(homer_sources_find(&s, str("a")));
    for (uint64_t k = 1; k <= 3; k++) {
        mem.fail_in = k;
        assert_int_equal(homer_sources_reserve(&s, str("a"), &id, NULL), -ENOMEM);
        assert_null(homer_sources_find(&s, str("a")));
    }
    mem.fail_in = 0;
    assert_int_equal(homer_sources_reserve(&s, str("a"), &id, NULL), 0);
    homer_sources_cancel(&s, id);
    assert_null(homer_sources_find(&s, str("a")));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(homer_sources_reserve(&s, str((const char *[]){"a", "b", "c"}[i]), &id, NULL), 0);
        homer_sources_set(&s, id, 10 + (uint64_t)i, 1 + (uint64_t)i);
    }
    assert_int_equal(homer_sources_reserve(&s, str("b"), &id, NULL), 0);
    homer_sources_cancel(&s, id); /* it was there before: it stays */
    assert_int_equal(homer_sources_find(&s, str("b"))->n, 11);
    assert_int_equal(homer_sources_find(&s, str("b"))->seq, 2);
    assert_int_equal(homer_sources_reserve(&s, str("d"), &id, &err), HOMER_E_TOO_MANY);
    assert_string_equal(err.limit, "max_sources");

    homer_sources_encode(&s, &(struct homer_codec){.sink = record, .ctx = tape});
    homer_sources_init(&t, &mem, key, 2); /* a lower bound forgets nobody */
    assert_int_equal(homer_sources_decode(&t, &(struct homer_decoder){.fill = play, .ctx = tape}), 0);
    assert_int_equal(homer_sources_find(&t, str("c"))->n, 12);
    assert_int_equal(homer_sources_reserve(&t, str("d"), &id, &err), HOMER_E_TOO_MANY);
    homer_sources_deinit(&t);
    size_t whole = tape->n;
    for (tape->n = 0; tape->n < whole; tape->n++) {
        tape->at = 0;
        homer_sources_init(&t, &mem, key, 9);
        assert_int_equal(homer_sources_decode(&t, &(struct homer_decoder){.fill = play, .ctx = tape}),
                         -EBADMSG);
        homer_sources_deinit(&t);
    }
    homer_sources_deinit(&s);
    free(tape);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_by_model_and_ref),
        cmocka_unit_test(test_is_bounded),
        cmocka_unit_test(test_refused_memory_changes_nothing),
        cmocka_unit_test(test_pending_is_read_as_it_was_written),
        cmocka_unit_test(test_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
