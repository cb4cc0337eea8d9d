/* Queries for the tests of the paper's learner. */
#ifndef HOMER_TESTS_QUERY_FIXTURE_H
#define HOMER_TESTS_QUERY_FIXTURE_H

#include "core_fixture.h"
#include "core/learners/query.h"

enum { QUERY_X = 64 };

struct asked {
    uint32_t feature[QUERY_X];
    float value[QUERY_X];
    struct homer_instance x;
};

static inline void ask(struct homer_query *q, struct asked *a, uint32_t n, uint32_t features) {
    a->x = (struct homer_instance){.feature = a->feature, .value = a->value, .feature_n = n, .weight = 1};
    assert_int_equal(homer_query_reserve(q, features), 0);
    homer_query_set(q, &a->x, features);
}

/* Features 0, 1, ... with these values. */
static inline void ask_values(struct homer_query *q, struct asked *a, uint32_t n, const float *value) {
    for (uint32_t i = 0; i < n; i++) {
        a->feature[i] = i;
        a->value[i] = value[i];
    }
    ask(q, a, n, n);
}

#endif
