/* The schema against two lists that are searched from the front. */
#include <errno.h>
#include "core_fixture.h"
#include "core/schema.h"

enum { MOST = 400, BYTES = 6 };

struct text {
    char s[BYTES];
    size_t n;
};

struct naive {
    struct text attribute[MOST];
    enum homer_feature_type type[MOST];
    uint32_t attributes;
    struct {
        uint32_t attribute;
        struct text value;
    } feature[MOST];
    uint32_t features;
    struct text label[MOST];
    uint32_t labels;
};

static bool equal(struct text a, struct text b) {
    return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

/* Short strings over the bytes 0, 1, 2: they look like the ids in front of the keys, and like each other's
 * ends. */
static struct text some_text(struct dice *d, uint32_t least) {
    struct text t = {.n = least + dice_below(d, BYTES - least)};
    for (size_t i = 0; i < t.n; i++) t.s[i] = (char)dice_below(d, i < 4 ? 3 : 2);
    return t;
}

static int naive_feature(struct naive *v, struct text name, enum homer_feature_type type, struct text value,
                         bool intern, uint32_t *id) {
    uint32_t a = 0, f = 0;
    *id = HOMER_NO_ID;
    if (type == HOMER_NUMERIC || type == HOMER_BINARY) value.n = 0;
    while (a < v->attributes && !equal(v->attribute[a], name)) a++;
    if (a < v->attributes && v->type[a] != type) return HOMER_E_BAD_FEATURE;
    while (f < v->features && !(v->feature[f].attribute == a && equal(v->feature[f].value, value))) f++;
    if (f < v->features) *id = f;
    if (f < v->features || !intern) return 0;
    if (v->features == MOST) return HOMER_E_TOO_MANY;
    if (a == v->attributes) {
        v->attribute[a] = name;
        v->type[a] = type;
        v->attributes++;
    }
    v->feature[f].attribute = a;
    v->feature[f].value = value;
    *id = v->features++;
    return 0;
}

static int naive_label(struct naive *v, struct text name, bool intern, uint32_t *id) {
    uint32_t l = 0;
    while (l < v->labels && !equal(v->label[l], name)) l++;
    *id = l < v->labels ? l : HOMER_NO_ID;
    if (l < v->labels || !intern) return 0;
    if (v->labels == MOST / 4) return HOMER_E_TOO_MANY;
    v->label[l] = name;
    *id = v->labels++;
    return 0;
}

static void assert_equals_naive(const struct homer_schema *s, const struct naive *v) {
    size_t n;
    assert_int_equal(s->attributes.n, v->attributes);
    assert_int_equal(s->features.n, v->features);
    assert_int_equal(s->labels.n, v->labels);
    for (uint32_t a = 0; a < v->attributes; a++) {
        uint32_t features = 0;
        const char *name = homer_schema_attribute_name(s, a, &n);
        assert_int_equal(n, v->attribute[a].n);
        assert_memory_equal(name, v->attribute[a].s, n);
        assert_int_equal(s->attribute_type[a], v->type[a]);
        for (uint32_t f = 0; f < v->features; f++) features += v->feature[f].attribute == a;
        assert_int_equal(s->attribute_features[a], features);
    }
    for (uint32_t l = 0; l < v->labels; l++) {
        const char *name = homer_schema_label_name(s, l, &n);
        assert_int_equal(n, v->label[l].n);
        assert_memory_equal(name, v->label[l].s, n);
    }
}

static void gives_the_ids_of_a_list(void **state) {
    (void)state;
    static struct naive v, before;
    struct homer_mem mem = {0};
    unsigned refused = 0, full = 0;
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct homer_schema s;
        struct dice d = {seed};
        uint8_t key[16] = {(uint8_t)seed};
        homer_schema_init(&s, &mem, key, MOST, MOST / 4);
        memset(&v, 0, sizeof v);
        for (int transaction = 0; transaction < 700; transaction++) {
            struct homer_schema_mark mark = homer_schema_mark(&s);
            before = v;
            bool failed = false;
            for (int i = 0; i < 5 && !failed; i++) {
                struct text name = some_text(&d, 1), value = some_text(&d, 0);
                enum homer_feature_type type =
                    (enum homer_feature_type)(name.s[0] == 2 ? dice_below(&d, 4) : name.n % 4);
                bool intern = dice_chance(&d, 0.5);
                uint32_t id, expected;
                if (dice_chance(&d, 0.1)) {
                    name.n = 0; /* words of a text */
                    type = HOMER_TEXT;
                }
                if (dice_chance(&d, 0.1)) mem.fail_in = 1 + dice_below(&d, 3);
                uint64_t failures = mem.failed;
                struct homer_error err = {0};
                /* where it may be found: right, wrong, or nowhere */
                uint32_t attribute = dice_chance(&d, 0.5) ? homer_map_get(&s.attributes, name.s, name.n)
                                                          : (uint32_t)dice_below(&d, 2 * MOST);
                int rc = homer_schema_feature_at(&s, &attribute, name.s, name.n, type, value.s, value.n,
                                                 intern, &id, &err);
                assert_int_equal(attribute, homer_map_get(&s.attributes, name.s, name.n));
                if (mem.failed > failures) {
                    assert_int_equal(rc, -ENOMEM);
                    failed = true;
                    refused++;
                } else {
                    assert_int_equal(rc, naive_feature(&v, name, type, value, intern, &expected));
                    assert_int_equal(id, expected);
                    if (rc == HOMER_E_TOO_MANY) assert_string_equal(err.limit, "max_features");
                    if (rc == HOMER_E_TOO_MANY) full++;
                }
                mem.fail_in = 0;
                if (name.n == 0) continue;
                rc = homer_schema_label(&s, name.s, name.n, intern, &id, &err);
                assert_int_equal(rc, naive_label(&v, name, intern, &expected));
                assert_int_equal(id, expected);
                if (rc) assert_string_equal(err.limit, "max_labels");
            }
            if (failed || dice_chance(&d, 0.3)) {
                homer_schema_rollback(&s, mark);
                v = before;
            }
            assert_equals_naive(&s, &v);
        }
        homer_schema_deinit(&s);
        assert_int_equal(mem.used_bytes, 0);
    }
    assert_true(refused > 0 && full > 0);
}

static uint32_t feature(struct homer_schema *s, const char *name, enum homer_feature_type type,
                        const char *value) {
    uint32_t id;
    assert_int_equal(homer_schema_feature(s, name, strlen(name), type, value, strlen(value), true, &id, NULL),
                     0);
    return id;
}

static void namespaces_stay_apart(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_schema s;
    homer_schema_init(&s, &mem, fixture_key, 100, 100);
    const struct {
        const char *name, *value;
        enum homer_feature_type type;
    } apart[] = {
        {"color", "red", HOMER_NOMINAL}, {"colorred", "", HOMER_NUMERIC}, {"color=red", "", HOMER_BINARY},
        {"co", "lorred", HOMER_NOMINAL}, {"color", "", HOMER_NOMINAL},    {"red", "color", HOMER_BAG},
        {"", "red", HOMER_TEXT},         {"", "color", HOMER_TEXT},       {"", "", HOMER_TEXT},
        {"tags", "red", HOMER_BAG},      {"tags", "reda", HOMER_BAG},     {"tagsr", "ed", HOMER_BAG},
    };
    enum { N = sizeof apart / sizeof *apart };
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < N; i++)
            assert_int_equal(feature(&s, apart[i].name, apart[i].type, apart[i].value), i);
    /* values of numbers and flags are not looked at */
    assert_int_equal(feature(&s, "colorred", HOMER_NUMERIC, "anything"), 1);
    assert_int_equal(s.features.n, N);
    homer_schema_deinit(&s);
    assert_int_equal(mem.used_bytes, 0);
}

static void refuses_another_type(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_schema s;
    struct homer_error err;
    uint32_t id;
    homer_schema_init(&s, &mem, fixture_key, 100, 100);
    for (int have = HOMER_NUMERIC; have <= HOMER_BAG; have++) {
        char name[2] = {(char)('a' + have), 0};
        feature(&s, name, (enum homer_feature_type)have, "v");
        for (int want = HOMER_NUMERIC; want <= HOMER_BAG; want++)
            for (int intern = 0; intern < 2; intern++) {
                int rc = homer_schema_feature(&s, name, 1, (enum homer_feature_type)want, "v", 1, intern, &id,
                                              &err);
                assert_int_equal(rc, want == have ? 0 : HOMER_E_BAD_FEATURE);
                if (rc) assert_int_equal(id, HOMER_NO_ID);
                if (rc)
                    assert_non_null(
                        strstr(err.message, homer_feature_type_word((enum homer_feature_type)have)));
            }
    }
    assert_int_equal(s.features.n, 4);
    homer_schema_deinit(&s);
}

static void names_the_memory_cap(void **state) {
    (void)state;
    struct homer_mem mem = {.max_bytes = 6000};
    struct homer_schema s;
    struct homer_error err = {0};
    uint32_t id, known = 0;
    int rc = 0;
    homer_schema_init(&s, &mem, fixture_key, 100000, 100000);
    for (; rc == 0; known++) {
        char name[16];
        sprintf(name, "f%u", known);
        rc = homer_schema_feature(&s, name, strlen(name), HOMER_NUMERIC, NULL, 0, true, &id, &err);
    }
    assert_int_equal(rc, HOMER_E_TOO_MANY);
    assert_string_equal(err.limit, "max_memory");
    assert_true(known > 10);
    assert_int_equal(feature(&s, "f3", HOMER_NUMERIC, ""), 3);
    homer_schema_deinit(&s);
    assert_int_equal(mem.used_bytes, 0);
}

static void collect_hash(const struct homer_schema *s, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    homer_schema_encode(s, &c);
    homer_hasher_free(h, hex);
}

static void encodes_names_types_and_order(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    char first[33], second[33];
    for (int change = 0; change < 6; change++) {
        struct homer_schema s;
        uint8_t key[16] = {(uint8_t)change};
        uint32_t id;
        homer_schema_init(&s, &mem, key, 100, 100);
        feature(&s, change == 3 ? "b" : "a", HOMER_NUMERIC, "");
        feature(&s, change == 3 ? "a" : "b", HOMER_NUMERIC, "");
        feature(&s, "c", change == 4 ? HOMER_BAG : HOMER_NOMINAL, change == 5 ? "V" : "v");
        homer_schema_label(&s, "l", 1, true, &id, NULL);
        struct homer_schema_mark mark = homer_schema_mark(&s);
        if (change == 1 || change == 2) homer_schema_label(&s, "m", 1, true, &id, NULL);
        if (change == 1) homer_schema_rollback(&s, mark); /* leaves no trace */
        collect_hash(&s, change ? second : first);
        if (change == 1) assert_string_equal(first, second);
        if (change > 1) assert_string_not_equal(first, second);
        homer_schema_deinit(&s);
    }
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_ids_of_a_list),       cmocka_unit_test(namespaces_stay_apart),
        cmocka_unit_test(refuses_another_type),          cmocka_unit_test(names_the_memory_cap),
        cmocka_unit_test(encodes_names_types_and_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
