/* The hot path allocates nothing: once names have settled a model of profile linear takes no memory to learn
 * an instance, one with trees only where it grows a tree, or groups the labels anew, and predicting never
 * does, whatever is asked. Counted twice: what is charged to the model, and what is asked of the system. */
#include <stdlib.h>
#include "model_fixture.h"

enum { FEATURES = 24, LABELS = 12, WARM = 3000, STEADY = 2000 };

static uint64_t asked; /* of the system */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);

void *__wrap_malloc(size_t n) {
    asked++;
    return __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size) {
    asked++;
    return __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n) {
    asked++;
    return __real_realloc(p, n);
}
void *__wrap_aligned_alloc(size_t align, size_t n) {
    asked++;
    return __real_aligned_alloc(align, n);
}

/* Numbers in two thirds of the features, half of them in every instance; one of eight labelsets, which they
 * lean to. */
static void draw(struct dice *d, struct resolved *r) {
    uint32_t kind = dice_below(d, 8);
    *r = (struct resolved){
        .x = {.feature = r->feature, .value = r->value, .positive = r->positive, .weight = 1}};
    for (uint32_t j = 0; j < FEATURES; j++) {
        if (j % 2 && !dice_chance(d, 0.2)) continue;
        r->feature[r->x.feature_n] = j;
        r->value[r->x.feature_n++] = j % 2 ? 1 : (float)(dice_normal(d) + (j % 8 == kind ? 2 : 0));
    }
    for (uint32_t l = 0; l < LABELS; l++)
        if ((l * 5 + 3) % 8 <= kind && l % 4 >= kind % 4) r->positive[r->x.positive_n++] = l;
}

/* Another number when the hierarchy has changed, a tree has split, or a leaf observes one more feature. */
static uint64_t changes(const struct homer_model *m) {
    uint64_t total;
    const struct homer_clusters *c = homer_model_clusters(m);
    (void)homer_model_events(m, &total);
    for (uint32_t i = 0; c && i < c->n; i++) total += homer_forest_bytes(c->cluster[i].forest);
    return total + (c ? c->generation : 0);
}

static void takes_nothing(enum homer_profile profile) {
    struct homer_model_config c;
    struct dice d = {7};
    struct resolved r;
    homer_model_config_default(&c);
    c.profile = profile;
    c.window = 100;
    struct homer_model *m = model_start(&c, fixture_key);
    struct homer_mem *mem = homer_model_mem(m);
    uint32_t took = 0;
    homer_model_begin(m);
    for (uint32_t j = 0; j < FEATURES; j++) {
        char name[16];
        uint32_t id;
        int n = sprintf(name, "f%u", j);
        assert_int_equal(homer_schema_feature(homer_model_schema(m), name, (size_t)n, HOMER_NUMERIC, "", 0,
                                              true, &id, NULL),
                         0);
        if (j < LABELS)
            assert_int_equal(homer_schema_label(homer_model_schema(m), name, (size_t)n, true, &id, NULL), 0);
    }
    for (int t = 0; t < WARM + STEADY; t++) {
        draw(&d, &r);
        if (t) homer_model_begin(m);
        uint64_t taken = mem->taken, before = asked, changed = changes(m);
        for (int o = 0; o < HOMER_OBJECTIVE_COUNT; o++) {
            struct homer_decide decide = {.objective = (enum homer_objective)o, .threshold = (double)NAN};
            struct homer_prediction out;
            if (t >= WARM) homer_model_predict(m, &r.x, &decide, &out);
        }
        assert_true(mem->taken == taken && asked == before);
        assert_int_equal(homer_model_learn(m, &r.x, NULL, NULL, NULL), 0);
        if (t < WARM) continue;
        assert_true(asked - before == mem->taken - taken); /* nothing behind the model's back */
        if (changes(m) == changed) took += mem->taken > taken;
    }
    if (took) fail_msg("%u of %d instances took memory although nothing grew", took, STEADY);
    model_stop(m);
}

static void linear(void **state) {
    (void)state;
    takes_nothing(HOMER_LINEAR_ONLY);
}

static void fast(void **state) {
    (void)state;
    takes_nothing(HOMER_FAST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),
        cmocka_unit_test(fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
