/* What `homer bench` is made of: the histogram against sorted values, mixes, the requests put together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "clients/cli/latency.h"
#include "clients/cli/load.h"

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Quantiles are those of the sorted values, within half a percent. */
static void test_quantiles(void **state) {
    enum { N = 20000 };
    static struct homer_latency h, half[2];
    static uint64_t value[N];
    static const double q[] = {0, .001, .5, .9, .99, .999, 1};
    struct homer_rng rng;
    double sum = 0;
    (void)state;
    homer_rng_seed(&rng, 7);
    for (size_t i = 0; i < N; i++) {
        value[i] = (uint64_t)exp(homer_rng_unit(&rng) * 28); /* 1 ns to 24 minutes */
        homer_latency_add(&h, value[i]);
        homer_latency_add(&half[i % 2], value[i]);
        sum += (double)value[i];
    }
    homer_latency_merge(&half[0], &half[1]);
    assert_memory_equal(h.bucket, half[0].bucket, sizeof h.bucket);
    qsort(value, N, sizeof *value, by_size);
    assert_int_equal(h.count, N);
    assert_int_equal(h.least, value[0]);
    assert_int_equal(h.most, value[N - 1]);
    assert_int_equal(half[0].least, value[0]);
    assert_int_equal(half[0].most, value[N - 1]);
    assert_true(fabs(homer_latency_mean(&h) / (sum / N) - 1) < 1e-9);
    for (size_t i = 0; i < sizeof q / sizeof *q; i++) {
        size_t place = (size_t)ceil(q[i] * N);
        double exact = (double)value[place ? place - 1 : 0];
        double told = (double)homer_latency_quantile(&h, q[i]);
        assert_true(fabs(told - exact) <= 0.005 * exact);
    }
}

static void test_buckets(void **state) {
    static struct homer_latency h;
    (void)state;
    assert_int_equal(homer_latency_quantile(&h, .5), 0);
    assert_true(homer_latency_mean(&h) == 0);
    for (size_t i = 0; i < HOMER_LATENCY_BUCKETS; i++) {
        uint64_t low = homer_latency_edge(i), high = homer_latency_edge(i + 1);
        assert_true(high > low);
        assert_true(low < 128 || (double)(high - low) / (double)low <= 1.0 / 128);
        homer_latency_add(&h, low);
        homer_latency_add(&h, high - 1);
        assert_int_equal(h.bucket[i], 2);
    }
    assert_int_equal(homer_latency_below(&h, 128), 256);
    assert_int_equal(homer_latency_below(&h, UINT64_MAX), h.count);
    homer_latency_add(&h, UINT64_MAX); /* beyond the last */
    assert_int_equal(h.bucket[HOMER_LATENCY_BUCKETS - 1], 3);
    assert_int_equal(homer_latency_quantile(&h, 1), UINT64_MAX);
}

static void test_mix(void **state) {
    static const char *const wrong[] = {"",         "fly",           "learn=",    "learn=-1", "learn=1001",
                                        "learn=1x", "learn,learn=2", "learn=0",   "learn=1,", "learn 1",
                                        ",learn",   "learn=1=2",     "learn=1.5", "learn= 1"};
    struct homer_mix m;
    struct homer_error err;
    unsigned came[HOMER_VERBS] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(homer_mix_parse(&m, wrong[i], &err), -EINVAL);
    assert_int_equal(homer_mix_parse(&m, "learn=80,predict=20,ping=0", &err), 0);
    assert_int_equal(homer_mix_period(&m), 5);
    for (int i = 0, since = 0; i < 500; i++, since++) {
        enum homer_verb v = homer_mix_next(&m);
        came[v]++;
        if (v == HOMER_VERB_PREDICT) {
            assert_true(came[v] == 1 || since == 5); /* evenly spread */
            since = 0;
        }
    }
    assert_int_equal(came[HOMER_VERB_LEARN], 400);
    assert_int_equal(came[HOMER_VERB_PREDICT], 100);
    assert_int_equal(homer_mix_parse(&m, "test", &err), 0);
    assert_int_equal(homer_mix_period(&m), 1);
    assert_int_equal(homer_mix_next(&m), HOMER_VERB_TEST);
}

static void expect_load(const struct homer_load_options *o, const char *wanted, const char *verbs) {
    struct homer_load l;
    assert_int_equal(homer_load_init(&l, o, NULL), 0);
    assert_int_equal(l.bytes.n, strlen(wanted));
    assert_memory_equal(l.bytes.data, wanted, l.bytes.n);
    assert_int_equal(l.n, strlen(verbs));
    for (size_t i = 0; i < l.n; i++) {
        assert_int_equal(l.request[i].verb, verbs[i] - '0');
        assert_int_equal(l.bytes.data[l.request[i].end - 1], '\n');
    }
    assert_int_equal(l.request[l.n - 1].end, l.bytes.n);
    homer_load_deinit(&l);
    assert_int_equal(l.mem.used_bytes, 0);
}

static void test_load(void **state) {
    char path[] = "/tmp/test-bench-XXXXXX";
    const char *const paths[] = {path};
    struct homer_load_options o = {.path = paths, .path_n = 1};
    struct homer_load l;
    struct homer_error err;
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    static const char lines[] =
        "{\"x\":{\"a\":1},\"y\":[\"p\"],\"src\":\"s\",\"n\":1,\"noreply\":true}\n{\"text\":\"b\",\"y\":[]}\n";
    assert_int_equal(write(fd, lines, sizeof lines - 1), sizeof lines - 1);
    assert_int_equal(homer_mix_parse(&o.mix, "learn=2,predict", NULL), 0);
    /* two instances, a mix of three: the first comes again */
    expect_load(&o,
                "{\"op\":\"learn\",\"x\":{\"a\":1},\"y\":[\"p\"]}\n"
                "{\"op\":\"predict\",\"scores\":false,\"text\":\"b\"}\n"
                "{\"op\":\"learn\",\"x\":{\"a\":1},\"y\":[\"p\"]}\n",
                "010");
    assert_int_equal(homer_mix_parse(&o.mix, "test,ping", NULL), 0);
    o.model = "m";
    o.scores = o.fresh = true;
    expect_load(&o,
                "{\"op\":\"model.drop\",\"name\":\"m\"}\n{\"op\":\"model.create\",\"name\":\"m\"}\n"
                "{\"op\":\"test\",\"model\":\"m\",\"x\":{\"a\":1},\"y\":[\"p\"]}\n{\"op\":\"ping\"}\n",
                "4423");
    o.fresh = false;
    o.limit = 1;
    assert_int_equal(homer_mix_parse(&o.mix, "learn", NULL), 0);
    expect_load(&o, "{\"op\":\"learn\",\"model\":\"m\",\"x\":{\"a\":1},\"y\":[\"p\"]}\n", "0");
    o.limit = 0;
    assert_int_equal(write(fd, "[1]\n", 4), 4);
    assert_int_equal(homer_load_init(&l, &o, &err), -EINVAL);
    assert_non_null(strstr(err.message, ":3: "));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(homer_load_init(&l, &o, &err), -ENODATA);
    close(fd);
    unlink(path);
}

/* Instances made up: as many as asked for, each of its kind, the same every time. */
static void test_made(void **state) {
    struct homer_mem mem = {0};
    struct homer_buf line;
    char first[4096];
    (void)state;
    homer_buf_init(&line, &mem);
    for (int sparse = 0; sparse < 2; sparse++) {
        for (int again = 0; again < 2; again++) {
            struct homer_synthetic s = {.features = 30, .labels = 5, .nonzero = sparse ? 7 : 30};
            size_t names = 0;
            homer_rng_seed(&s.rng, 3);
            homer_synthetic_line(&s, &line);
            homer_buf_putc(&line, '\0');
            for (const char *p = line.data; (p = strstr(p, "\"f")); p++) names++;
            assert_int_equal(names, s.nonzero);
            assert_non_null(strstr(line.data, "},\"y\":[\"l"));
            if (again) assert_string_equal(line.data, first);
            snprintf(first, sizeof first, "%s", line.data);
        }
    }
    homer_buf_deinit(&line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles), cmocka_unit_test(test_buckets), cmocka_unit_test(test_mix),
        cmocka_unit_test(test_load),      cmocka_unit_test(test_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
