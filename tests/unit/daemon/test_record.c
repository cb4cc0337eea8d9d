/* Accepted requests as bytes: there and back, one form only, and no bytes that hurt. */
#include <math.h>
#include "daemon/record.h"
#include "wal_fixture.h"

static const struct homer_request_limits limits = {
    .max_line = 1 << 16, .max_depth = 8, .max_name = 256, .max_items = 5, .max_x = 5000, .max_y = 500};

static char bytes[1 << 17];

static size_t encode(const struct homer_record *r) {
    size_t n = homer_record_size(r);
    assert_true(n < sizeof bytes - 1);
    bytes[n] = 'Z';
    homer_record_encode(r, bytes);
    assert_int_equal(bytes[n], 'Z');
    return n;
}

static void assert_str(struct homer_str a, struct homer_str b) {
    assert_int_equal(a.s == NULL, b.s == NULL);
    assert_int_equal(a.n, b.n);
    if (a.n) assert_memory_equal(a.s, b.s, a.n);
}

static void assert_request(const struct homer_request *a, const struct homer_request *b) {
    assert_str(a->model, b->model);
    assert_int_equal(a->has_x, b->has_x);
    assert_int_equal(a->x_n, b->x_n);
    for (size_t i = 0; i < a->x_n; i++) {
        assert_str(a->x[i].name, b->x[i].name);
        assert_str(a->x[i].string, b->x[i].string);
        assert_int_equal(a->x[i].type, b->x[i].type);
        assert_memory_equal(&a->x[i].number, &b->x[i].number, sizeof(double)); /* -0 is not 0 */
    }
    assert_int_equal(a->has_y, b->has_y);
    assert_int_equal(a->y_partial, b->y_partial);
    assert_int_equal(a->y_n, b->y_n);
    for (size_t i = 0; i < a->y_n; i++) {
        assert_str(a->y[i].name, b->y[i].name);
        assert_int_equal(a->y[i].positive, b->y[i].positive);
    }
    assert_str(a->text, b->text);
    assert_true(a->weight <= b->weight && a->weight >= b->weight);
    assert_str(a->src, b->src);
    assert_int_equal(a->has_n, b->has_n);
    assert_int_equal(a->n, b->n);
    assert_str(a->ref, b->ref);
    assert_str(a->name, b->name);
    assert_str(a->config, b->config);
}

/* There and back; the bytes of the copy are those of the original. Bytes. */
static size_t round_trip(const struct homer_record *r) {
    struct homer_mem mem = {0};
    struct homer_request into;
    struct homer_record back;
    struct homer_error err = {0};
    static char first[sizeof bytes];
    size_t n = encode(r);
    memcpy(first, bytes, n);
    homer_request_init(&into, &mem);
    int rc = homer_record_decode(&back, &into, first, n, &err);
    if (rc) fail_msg("%s", err.message);
    assert_int_equal(back.kind, r->kind);
    assert_int_equal(back.flag, r->flag);
    assert_int_equal(back.time_ms, r->time_ms);
    assert_ptr_equal(back.request, &into);
    assert_request(&into, r->request);
    assert_int_equal(into.track, r->kind == HOMER_RECORD_TRACK);
    assert_true(isnan(into.threshold) && into.error.code == 0);
    assert_int_equal(encode(&back), n);
    assert_memory_equal(bytes, first, n);
    homer_request_deinit(&into);
    assert_int_equal(mem.used_bytes, 0);
    return n;
}

static size_t round_trip_line(const char *line) {
    struct homer_mem mem = {0};
    struct homer_request req;
    homer_request_init(&req, &mem);
    homer_request_parse(&req, line, strlen(line), &limits);
    if (req.error.code) fail_msg("%s", req.error.message);
    enum homer_record_kind kind = req.op == HOMER_OP_MODEL_CREATE ? HOMER_RECORD_MODEL_CREATE
                                  : req.op == HOMER_OP_MODEL_DROP ? HOMER_RECORD_MODEL_DROP
                                                                  : HOMER_RECORD_LEARN;
    struct homer_record r = {.kind = kind, .time_ms = 1234567890123, .request = &req};
    size_t n = round_trip(&r);
    assert_true(n <= homer_record_bound(&limits));
    r.flag = true;
    req.src = (struct homer_str){"client", 6};
    req.has_n = true;
    req.n = UINT64_MAX;
    if (kind == HOMER_RECORD_LEARN) round_trip(&r);
    homer_request_deinit(&req);
    assert_int_equal(mem.used_bytes, 0);
    return n;
}

static void requests_come_back(void **state) {
    (void)state;
    round_trip_line(
        "{\"op\":\"learn\",\"x\":{\"a\":1,\"b\":0.1,\"c\":-0.0,\"d\":true,\"e\":false,\"f\":\"v\",\"g\":null,"
        "\"h\":[\"p\",\"q\",\"p\"],\"i\":[\"p\"],\"j\":[],\"k\":3.4028234663852886e38,\"l\":1e-310},"
        "\"y\":[\"red\",\"green\"]}");
    round_trip_line("{\"op\":\"learn\",\"x\":{},\"y\":[]}");
    round_trip_line("{\"op\":\"learn\",\"text\":\"\",\"y\":{\"a\":true,\"b\":false,\"c\":null},\"w\":2.5}");
    round_trip_line("{\"op\":\"learn\",\"text\":\"some "
                    "w\\u00f6rds\",\"x\":[1,2.5,0,-7e-9],\"y\":{},\"model\":\"a-b_c.D9\"}");
    round_trip_line("{\"op\":\"model.create\",\"name\":\"m\",\"config\":{\"seed\":7}}");
    round_trip_line("{\"op\":\"model.create\",\"name\":\"m\"}");
    round_trip_line("{\"op\":\"model.drop\",\"name\":\"m\"}");
}

static void tracked_and_labelled_come_back(void **state) {
    (void)state;
    struct homer_value x[] = {{.name = {"f", 1}, .number = 1, .type = HOMER_VALUE_NUMBER}};
    struct homer_label_value y[] = {{.name = {"l", 1}, .positive = true}};
    struct homer_request track = {.model = {"default", 7},
                                  .has_x = true,
                                  .x = x,
                                  .x_n = 1,
                                  .weight = 1,
                                  .ref = {"\"id\"", 4},
                                  .track = true};
    struct homer_request label = {.model = {"default", 7},
                                  .text = {"shown", 5},
                                  .has_y = true,
                                  .y = y,
                                  .y_n = 1,
                                  .weight = 3,
                                  .ref = {"", 0},
                                  .src = {"", 0}};
    round_trip(&(struct homer_record){.kind = HOMER_RECORD_TRACK, .time_ms = UINT64_MAX, .request = &track});
    round_trip(&(struct homer_record){.kind = HOMER_RECORD_LABEL, .flag = true, .request = &label});
}

/* Small numbers and the entries of bags are short; nothing within the limits passes the bound. */
static void it_is_compact_and_bounded(void **state) {
    (void)state;
    size_t one = round_trip_line("{\"op\":\"learn\",\"x\":{\"bag\":[\"p\"]},\"y\":[]}");
    size_t two = round_trip_line("{\"op\":\"learn\",\"x\":{\"bag\":[\"p\",\"q\"]},\"y\":[]}");
    assert_int_equal(two - one, 3);
    assert_int_equal(round_trip_line("{\"op\":\"learn\",\"x\":[1],\"y\":[]}") -
                         round_trip_line("{\"op\":\"learn\",\"x\":[],\"y\":[]}"),
                     1 + 2 + 4);
    /* as many pairs as a line can hold, in the forms that grow most */
    static char line[1 << 16];
    static const char *const pieces[] = {"1,", "1.1,", "\"s\","};
    for (int form = 0; form < 3; form++) {
        struct homer_request_limits tight = limits;
        size_t n = (size_t)sprintf(line, "%s",
                                   form < 2 ? "{\"y\":[],\"x\":[" : "{\"y\":[],\"x\":{\"name of the bag\":[");
        for (int i = 0; i < 4999; i++) n += (size_t)sprintf(line + n, "%s", pieces[form]);
        n += (size_t)sprintf(line + n - 1, "%s", form < 2 ? "]}" : "]}}") - 1;
        tight.max_line = n;
        struct homer_mem mem = {0};
        struct homer_request req;
        homer_request_init(&req, &mem);
        homer_request_parse(&req, line, n, &tight);
        assert_int_equal(req.error.code, 0);
        assert_int_equal(req.x_n, 4999);
        size_t size = homer_record_size(&(struct homer_record){.kind = HOMER_RECORD_LEARN, .request = &req});
        assert_true(size <= homer_record_bound(&tight));
        homer_request_deinit(&req);
    }
}

/* Random requests, among them ones that only other clients of the format could make. */
static void any_request_comes_back(void **state) {
    (void)state;
    struct homer_rng rng;
    static char strings[64];
    static struct homer_value x[40];
    static struct homer_label_value y[20];
    homer_rng_seed(&rng, 5);
    for (size_t i = 0; i < sizeof strings; i++) strings[i] = (char)('a' + i % 26);
#define BELOW(n) ((size_t)(homer_rng_next(&rng) % (n)))
#define STR(least) ((struct homer_str){strings + BELOW(8), (least) + BELOW(20)})
    for (unsigned i = 0; i < scaled(20000); i++) {
        struct homer_request r = {.model = STR(1), .weight = 1};
        enum homer_record_kind kind = (enum homer_record_kind)(1 + BELOW(HOMER_RECORD_KINDS - 1));
        bool learn = kind == HOMER_RECORD_LEARN, label = kind == HOMER_RECORD_LABEL,
             track = kind == HOMER_RECORD_TRACK;
        if (learn || track || label) {
            r.has_x = BELOW(4);
            if (!r.has_x || BELOW(3) == 0) r.text = STR(0);
            r.x = x;
            r.x_n = r.has_x ? BELOW(40) : 0;
            for (size_t k = 0; k < r.x_n; k++) {
                double number = homer_rng_unit(&rng) - 0.5;
                x[k] = (struct homer_value){.name = STR(1), .type = (enum homer_value_type)BELOW(5)};
                if (x[k].type == HOMER_VALUE_NUMBER)
                    x[k].number = BELOW(2) ? number : (double)(float)(number * 1e30);
                if (x[k].type == HOMER_VALUE_BOOL) x[k].number = (double)BELOW(2);
                if (x[k].type == HOMER_VALUE_STRING || x[k].type == HOMER_VALUE_ITEM) x[k].string = STR(1);
                if (k && BELOW(3) == 0) x[k].name = x[k - 1].name;
            }
        }
        if (learn || label) {
            r.has_y = true;
            r.y = y;
            r.y_n = BELOW(20);
            r.y_partial = BELOW(2);
            for (size_t k = 0; k < r.y_n; k++)
                y[k] = (struct homer_label_value){.name = STR(1), .positive = !r.y_partial || BELOW(2)};
            if (BELOW(2)) r.weight = 0.1 + 10 * homer_rng_unit(&rng);
            if (BELOW(2)) r.src = STR(0);
            r.has_n = BELOW(2);
            if (r.has_n) r.n = homer_rng_next(&rng) >> BELOW(64);
        }
        if (label || track) r.ref = STR(0);
        if (!r.has_y && !track) r.name = STR(1);
        if (kind == HOMER_RECORD_MODEL_CONFIG || (kind == HOMER_RECORD_MODEL_CREATE && BELOW(2)))
            r.config = STR(0);
        struct homer_record record = {
            .kind = kind, .flag = BELOW(2), .time_ms = homer_rng_next(&rng) >> BELOW(64), .request = &r};
        round_trip(&record);
    }
}

/* Cut anywhere or with any byte changed it is refused, or another record that is as sound: what decodes
 * encodes to the same bytes. */
static void damaged_bytes_are_refused_or_sound(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_request req, into;
    struct homer_record back;
    struct homer_error err;
    homer_request_init(&req, &mem);
    homer_request_init(&into, &mem);
    static const char line[] = "{\"op\":\"learn\",\"x\":{\"a\":1,\"b\":0.1,\"d\":true,\"f\":\"v\",\"g\":null,"
                               "\"h\":[\"p\",\"q\"]},\"text\":\"t\",\"y\":{\"a\":true,\"b\":false},\"w\":2}";
    homer_request_parse(&req, line, sizeof line - 1, &limits);
    assert_int_equal(req.error.code, 0);
    struct homer_record r = {.kind = HOMER_RECORD_LEARN, .time_ms = 300, .request = &req};
    size_t n = encode(&r);
    char whole[256], copy[256];
    memcpy(whole, bytes, n);
    for (size_t cut = 0; cut < n; cut++) {
        char *exact = malloc(cut + !cut); /* so that a sanitizer sees reads behind it */
        assert_non_null(exact);
        memcpy(exact, whole, cut);
        assert_int_equal(homer_record_decode(&back, &into, exact, cut, &err), HOMER_E_BAD_REQUEST);
        assert_non_null(strstr(err.message, "cannot be read at byte"));
        free(exact);
    }
    unsigned refused = 0;
    for (size_t at = 0; at < n; at++) {
        for (int v = 0; v < 256; v++) {
            memcpy(copy, whole, n);
            copy[at] = (char)v;
            if (homer_record_decode(&back, &into, copy, n, &err)) {
                refused++;
                continue;
            }
            assert_int_equal(encode(&back), n);
            assert_memory_equal(bytes, copy, n);
        }
    }
    assert_true(refused > n * 100);
    memcpy(copy, whole, n);
    copy[n] = 0;
    assert_int_equal(homer_record_decode(&back, &into, copy, n + 1, &err), HOMER_E_BAD_REQUEST);
    /* two entries of a bag have one form only */
    static const char again[] = "\001\001\003\000\001m\002\005\001b\001p\006\001q";
    static const char twice[] = "\001\001\003\000\001m\002\005\001b\001p\005\001b\001q";
    memcpy(copy, again, sizeof again); /* with the NUL: no labels */
    assert_int_equal(homer_record_decode(&back, &into, copy, sizeof again, &err), 0);
    memcpy(copy, twice, sizeof twice);
    assert_int_equal(homer_record_decode(&back, &into, copy, sizeof twice, &err), HOMER_E_BAD_REQUEST);
    assert_non_null(strstr(err.message, "bag"));
    /* a count that would take all memory is refused before anything is allocated */
    static const char huge[] = "\x01\x01\x03\x00\x01m\xff\xff\xff\xff\x7f";
    size_t used = mem.peak_bytes;
    assert_int_equal(homer_record_decode(&back, &into, huge, sizeof huge - 1, &err), HOMER_E_BAD_REQUEST);
    assert_int_equal(mem.peak_bytes, used);
    homer_request_deinit(&req);
    homer_request_deinit(&into);
    assert_int_equal(mem.used_bytes, 0);
}

static void refused_memory_is_told(void **state) {
    (void)state;
    struct homer_mem mem = {.fail_in = 1};
    struct homer_request into;
    struct homer_record back;
    struct homer_error err;
    static const char small[] = "\x01\x01\x03\x00\x01m\x00\x00"; /* x and y empty */
    homer_request_init(&into, &mem);
    assert_int_equal(homer_record_decode(&back, &into, small, sizeof small - 1, &err), -ENOMEM);
    assert_int_equal(homer_record_decode(&back, &into, small, sizeof small - 1, &err), 0);
    assert_true(into.has_x && into.has_y && into.x_n == 0 && into.y_n == 0);
    homer_request_deinit(&into);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_come_back),
        cmocka_unit_test(tracked_and_labelled_come_back),
        cmocka_unit_test(it_is_compact_and_bounded),
        cmocka_unit_test(any_request_comes_back),
        cmocka_unit_test(damaged_bytes_are_refused_or_sound),
        cmocka_unit_test(refused_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
