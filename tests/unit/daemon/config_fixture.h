/* A configuration under test, what it complained about, and ways to read, print and compare configurations.
 */
#ifndef TESTS_CONFIG_FIXTURE_H
#define TESTS_CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <errno.h>
#include <jansson.h>

#include "daemon/config.h"
#include "daemon/config_keys.h"
#include "daemon/log.h"

static struct homer_config c;
static struct homer_error err;
static struct homer_mem mem;
static char file[64];
static unsigned problems;
static char last_problem[256];

static inline void on_problem(const struct homer_error *e) {
    problems++;
    snprintf(last_problem, sizeof last_problem, "%s", e->message);
}

static inline int setup(void **state) {
    (void)state;
    snprintf(file, sizeof file, "/tmp/homer-test-config-%ld.json", (long)getpid());
    problems = 0;
    err = (struct homer_error){0};
    int rc = homer_config_init(&c);
    c.on_problem = on_problem;
    return rc;
}

static inline int teardown(void **state) {
    (void)state;
    homer_config_deinit(&c);
    unlink(file);
    return mem.used_bytes != 0;
}

static inline int load_text(const char *text) {
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    return homer_config_load(&c, file, &err);
}

/* The configuration as parsed JSON; the caller's reference. */
static inline json_t *printed(const struct homer_config *config) {
    struct homer_buf out;
    homer_buf_init(&out, &mem);
    homer_config_print(config, &out);
    assert_false(out.failed);
    json_t *v = json_loadb(out.data, out.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(v);
    homer_buf_deinit(&out);
    return v;
}

static inline void assert_prints_the_same(const struct homer_config *a, const struct homer_config *b) {
    json_t *x = printed(a), *y = printed(b);
    assert_true(json_equal(x, y));
    json_decref(x);
    json_decref(y);
}

/* The value at a dotted path, borrowed; NULL when there is none. */
static inline json_t *at(json_t *v, const char *path) {
    char name[64];
    for (;; path += strlen(name) + 1) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(path, "."), path);
        v = json_object_get(v, name);
        if (!v || !path[strlen(name)]) return v;
    }
}

/* What refusing must say: all of the words. */
static inline void assert_says(const char *words) {
    char copy[256], *save = NULL;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save))
        if (!strstr(err.message, w)) fail_msg("\"%s\" does not say \"%s\"", err.message, w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
