/* The shipped files, their manual and the printed configuration: all tell of every key, and alike. */
#include "config_fixture.h"

static void test_the_shipped_file_has_every_key_at_its_default(void **state) {
    struct homer_config untouched;
    (void)state;
    json_t *shipped = json_load_file(HOMER_CONFIGS "/homerd.json", JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(shipped);
    for (size_t i = 0; i < homer_config_keys_n; i++) {
        json_t *fallback = json_loads(homer_config_keys[i].fallback, JSON_DECODE_ANY, NULL);
        json_t *v = at(shipped, homer_config_keys[i].path);
        assert_non_null(fallback);
        if (!json_equal(v, fallback)) fail_msg("homerd.json: %s", homer_config_keys[i].path);
        json_decref(fallback);
    }
    json_decref(shipped);
    assert_int_equal(homer_config_init(&untouched), 0);
    assert_int_equal(homer_config_load(&c, HOMER_CONFIGS "/homerd.json", &err), 0);
    assert_prints_the_same(&c, &untouched);
    homer_config_deinit(&untouched);
    assert_int_equal(homer_config_load(&c, HOMER_CONFIGS "/dev.json", &err), 0);
    assert_int_equal(homer_config_check(&c, &err), 0);
}

static void test_the_printed_configuration_has_every_key_and_reads_back(void **state) {
    struct homer_config back;
    (void)state;
    assert_int_equal(homer_config_set(&c, "listen=[\"127.0.0.1:1\",\"[::1]:2\"]", &err), 0);
    assert_int_equal(homer_config_set(&c, "log.file=/tmp/\"x\"", &err), 0);
    assert_int_equal(homer_config_set(&c, "model.window=17", &err), 0);
    json_t *v = printed(&c);
    for (size_t i = 0; i < homer_config_keys_n; i++) assert_non_null(at(v, homer_config_keys[i].path));
    char *text = json_dumps(v, 0);
    assert_int_equal(homer_config_init(&back), 0);
    struct homer_config mine = c;
    c = back;
    assert_int_equal(load_text(text), 0);
    back = c;
    c = mine;
    assert_prints_the_same(&c, &back);
    homer_config_deinit(&back);
    free(text);
    json_decref(v);
}

static void test_every_key_is_explained(void **state) {
    (void)state;
    FILE *in = fopen(HOMER_CONFIGS "/CONFIGURATION.md", "r");
    assert_non_null(in);
    static char text[65536];
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    for (size_t i = 0; i < homer_config_keys_n; i++) {
        const struct homer_config_key *key = &homer_config_keys[i];
        char row[256];
        snprintf(row, sizeof row, "\n| `%s` | `%s`", key->path, key->fallback);
        const char *found = strstr(text, row);
        if (!found) {
            fail_msg("CONFIGURATION.md: no row %s", row + 1);
            return;
        }
        const char *meaning = strstr(found + 1, key->meaning), *end = strchr(found + 1, '\n');
        if (!meaning || meaning > end) fail_msg("CONFIGURATION.md: %s is explained otherwise", key->path);
    }
}
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_the_shipped_file_has_every_key_at_its_default),
        TEST(test_the_printed_configuration_has_every_key_and_reads_back),
        TEST(test_every_key_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
