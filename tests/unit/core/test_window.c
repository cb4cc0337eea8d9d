/* The window of the nearest-neighbour experts and the two indexes under it, against brute force over
 * everything that was ever stored. */
#include "expert_fixture.h"
#include "core/near/window.h"

enum { FEATURES = 50, SLOTS = HOMER_WINDOW_SLOTS, STORED = 5200, MOST = 40 };

/* columns */

static void columns_hold_what_was_set(void **state) {
    (void)state;
    enum { WIDTH = 24, KEYS = 300 };
    static float naive[KEYS][WIDTH];
    static bool there[KEYS];
    struct homer_mem mem = {0};
    struct homer_columns c;
    struct dice d = {1000};
    unsigned refused = 0;
    homer_columns_init(&c, &mem, WIDTH);
    memset(naive, 0, sizeof naive);
    memset(there, 0, sizeof there);
    for (uint32_t t = 0; t < 3000; t++) {
        uint32_t keys = 1 + t / 10, key = dice_below(&d, keys), slot = dice_below(&d, WIDTH);
        float x = (float)dice_normal(&d);
        for (bool done = false; !done;) {
            uint64_t failed = mem.failed;
            mem.fail_in = dice_chance(&d, 0.5);
            size_t used = mem.used_bytes;
            int rc = homer_columns_reserve(&c, keys);
            if (!rc) used = mem.used_bytes;
            if (!rc) rc = homer_columns_prepare(&c, key);
            done = mem.failed == failed;
            mem.fail_in = 0;
            assert_int_equal(rc, done ? 0 : -ENOMEM);
            refused += !done;
            if (!done) assert_int_equal(mem.used_bytes, used);
        }
        there[key] = true;
        naive[key][slot] = x;
        homer_columns_set(&c, key, slot, x);
        float dot[WIDTH] = {0};
        double expected[WIDTH] = {0};
        for (int i = 0; i < 4; i++) {
            uint32_t asked = dice_below(&d, KEYS + 50);
            homer_columns_add(&c, asked, 0.5f + (float)i, c.width, dot);
            for (uint32_t s = 0; s < WIDTH && asked < KEYS && there[asked]; s++)
                expected[s] += (0.5 + i) * (double)naive[asked][s];
        }
        for (uint32_t s = 0; s < WIDTH; s++) assert_close(dot[s], expected[s], 1e-5);
    }
    assert_true(refused > 50);
    homer_columns_deinit(&c);
    assert_int_equal(mem.used_bytes, 0);
}

/* postings */

/* First in, first out per key, with many a turn of the rings. */
static void postings_hold_the_latest(void **state) {
    (void)state;
    enum { KEYS = 12, WIDTH = 64 };
    static struct homer_posting naive[KEYS][20000];
    uint32_t first[KEYS] = {0}, last[KEYS] = {0};
    struct homer_mem mem = {0};
    struct homer_postings p;
    struct dice d = {1010};
    unsigned refused = 0;
    homer_postings_init(&p, &mem);
    for (uint32_t t = 0; t < 20000; t++) {
        uint32_t key = dice_below(&d, KEYS);
        bool growing = t / 1000 % 2 == 0;
        if (last[key] > first[key] && !dice_chance(&d, growing ? 0.55 : 0.45)) {
            homer_postings_pop(&p, key);
            first[key]++;
        } else {
            for (bool done = false; !done;) {
                uint64_t failed = mem.failed;
                mem.fail_in = dice_chance(&d, 0.5);
                int rc = homer_postings_reserve(&p, key + 1);
                if (!rc) rc = homer_postings_prepare(&p, key);
                done = mem.failed == failed;
                mem.fail_in = 0;
                assert_int_equal(rc, done ? 0 : -ENOMEM);
                refused += !done;
            }
            struct homer_posting one = {dice_below(&d, WIDTH), (float)dice_normal(&d)};
            naive[key][last[key]++] = one;
            homer_postings_push(&p, key, one.slot, one.x);
        }
        float dot[WIDTH] = {0};
        double expected[WIDTH] = {0};
        key = dice_below(&d, KEYS);
        homer_postings_add(&p, key, -1.5f, dot);
        homer_postings_add(&p, 5000, 1, dot); /* a key that never came */
        for (uint32_t i = first[key]; i < last[key]; i++)
            expected[naive[key][i].slot] += -1.5 * (double)naive[key][i].x;
        for (uint32_t s = 0; s < WIDTH; s++) assert_close(dot[s], expected[s], 1e-5);
    }
    assert_true(refused > 10);
    homer_postings_deinit(&p);
    assert_int_equal(mem.used_bytes, 0);
}

/* window */

/* All that was stored, oldest first. */
struct stored {
    double x[2][FEATURES]; /* the dense block, the sparse one */
    double z[MOST + 1];
    int8_t truth[MOST + 1];
    bool partial;
    float w;
};
static struct stored all[STORED];

static void x_of(const struct homer_frame *f, bool known_only, double x[2][FEATURES]) {
    memset(x, 0, 2 * FEATURES * sizeof(double));
    for (uint32_t i = 0; i < f->n; i++)
        if (!known_only || f->feature[i] < f->known_features)
            x[i >= f->n - f->present_n][f->feature[i]] = (double)f->x[i];
}

static void z_of(const float *p, uint32_t labels, double *z) {
    for (uint32_t l = 0; l <= MOST; l++) z[l] = l < labels && p[l] > 0.001f ? sqrt((double)p[l]) : 0;
}

static double square_distance(const double *a, const double *b, uint32_t n) {
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static void assert_distances(struct homer_window *w, const struct homer_frame *f, uint32_t stored) {
    static double x[2][FEATURES], z[MOST + 1];
    x_of(f, true, x);
    z_of(f->p, f->labels, z);
    homer_window_measure_x(w, f);
    homer_window_measure_z(w, f->p, f->labels);
    assert_int_equal(w->n, stored < SLOTS ? stored : SLOTS);
    for (uint32_t age = 0; age < w->n; age++) {
        uint32_t slot = homer_window_slot(w, age);
        const struct stored *s = &all[stored - 1 - age];
        assert_close(w->distance_x[slot], square_distance(x[0], s->x[0], 2 * FEATURES), 2e-5);
        assert_close(w->distance_z[slot], square_distance(z, s->z, MOST + 1), 2e-5);
        assert_true(w->distance_x[slot] >= 0 && w->distance_z[slot] >= 0);
    }
}

/* What a slot says about the labels is what the instance of that age said. */
static void assert_labels(const struct homer_window *w, uint32_t age, uint32_t stored) {
    const struct homer_window_slot *s = &w->slot[homer_window_slot(w, age)];
    const struct stored *naive = &all[stored - 1 - age];
    uint32_t positive = 0, negative = 0;
    for (uint32_t l = 0; l < MOST; l++) {
        if (naive->truth[l] == TRUE_LABEL) assert_int_equal(s->label[positive++], l);
        negative += naive->truth[l] == FALSE_LABEL;
    }
    assert_int_equal(s->positive_n, positive);
    assert_int_equal(s->partial, naive->partial);
    assert_int_equal(s->negative_n, naive->partial ? negative : 0);
    for (uint32_t i = 0; i < s->negative_n; i++)
        assert_int_equal(naive->truth[s->label[positive + i]], FALSE_LABEL);
    for (uint32_t i = 1; i < s->negative_n; i++)
        assert_true(s->label[positive + i] > s->label[positive + i - 1]);
    assert_same(s->weight, naive->w);
}

/* Which features are dense drifts; those of an instance keep the block in which they came. */
static void next_x(struct bench *b, uint32_t t) {
    uint32_t features = 3 + t / 20 < FEATURES ? 3 + t / 20 : FEATURES;
    bench_predict(b, features);
    bench_dense(b, t / 900 * 5, t / 900 * 5 + 15);
}

static void next_y(struct bench *b) {
    b->n = 0; /* the window's own history is longer than the bench's */
    bench_truth(b, true);
}

static void store(const struct bench *b, struct stored *out) {
    x_of(&b->f, false, out->x);
    z_of(b->p, b->f.labels, out->z);
    memset(out->truth, UNKNOWN, sizeof out->truth);
    memcpy(out->truth, b->truth[0], b->f.labels);
    out->partial = !b->f.complete;
    out->w = (float)b->f.w;
}

static void distances_are_those_of_brute_force(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_window *w;
    assert_int_equal(homer_window_new(&w, &mem), 0);
    bench_init(&b, 1020, MOST);
    for (uint32_t t = 0; t < STORED; t++) {
        next_x(&b, t);
        assert_int_equal(homer_window_reserve(w, b.f.features, MOST + 1), 0);
        if (t < 40 || t % 67 == 0) assert_distances(w, &b.f, t);
        next_y(&b);
        assert_int_equal(homer_window_prepare(w, &b.f), 0);
        homer_window_add(w, &b.f);
        store(&b, &all[t]);
        assert_labels(w, 0, t + 1);
        assert_labels(w, dice_below(&b.dice, w->n), t + 1);
    }
    assert_int_equal(w->n, SLOTS);
    assert_null(homer_window_free(w));
    assert_int_equal(mem.used_bytes, 0);
}

static void write_window(const struct homer_window *w, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    homer_window_encode(w, &c);
    homer_hasher_free(h, hex);
}

/* Also over slots that are taken again: a refused prepare shows nowhere, measuring neither. */
static void refused_and_measured_shows_nowhere(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0}, other = {0};
    struct homer_window *w, *calm;
    unsigned refused = 0;
    char x[33], y[33];
    mem.fail_in = 1;
    assert_int_equal(homer_window_new(&w, &mem), -ENOMEM);
    assert_int_equal(mem.used_bytes, 0);
    assert_int_equal(homer_window_new(&w, &mem), 0);
    assert_int_equal(homer_window_new(&calm, &other), 0);
    bench_init(&b, 1030, MOST);
    for (uint32_t t = 0; t < 2600; t++) {
        bool look = t < 30 || t % 50 == 0;
        next_x(&b, t);
        next_y(&b);
        for (uint64_t k = 1;; k++) {
            if (look) write_window(w, x);
            mem.fail_in = t % 3 ? 0 : k;
            int rc = homer_window_reserve(w, b.f.features, MOST + 1);
            if (!rc) homer_window_measure_x(w, &b.f);
            if (!rc) homer_window_measure_z(w, b.f.p, b.f.labels);
            if (!rc) rc = homer_window_prepare(w, &b.f);
            bool spent = mem.fail_in == 0;
            mem.fail_in = 0;
            if (look) write_window(w, y);
            if (look) assert_string_equal(x, y);
            refused += rc != 0;
            if (!rc) break;
            assert_true(spent && rc == -ENOMEM);
        }
        assert_int_equal(homer_window_reserve(calm, b.f.features, MOST + 1), 0);
        assert_int_equal(homer_window_prepare(calm, &b.f), 0);
        homer_window_add(w, &b.f);
        homer_window_add(calm, &b.f);
        if (look) write_window(w, x);
        if (look) write_window(calm, y);
        if (look) assert_string_equal(x, y);
    }
    assert_true(refused > 500);
    assert_null(homer_window_free(w));
    assert_null(homer_window_free(calm));
    assert_int_equal(mem.used_bytes, 0);
    assert_int_equal(other.used_bytes, 0);
}

/* At the memory cap the window goes on with fewer instances: still the latest, every other one. */
static void the_cap_makes_it_smaller(void **state) {
    (void)state;
    static struct bench b;
    static uint32_t kept[STORED];
    struct homer_mem mem = {0};
    struct homer_window *w;
    uint32_t n = 0, left_out = 0;
    assert_int_equal(homer_window_new(&w, &mem), 0);
    assert_int_equal(homer_window_reserve(w, FEATURES, MOST + 1), 0);
    bench_init(&b, 1040, MOST);
    for (uint32_t t = 0; t < 3000; t++) {
        if (t == 500) mem.max_bytes = mem.used_bytes + 20000;
        bool full = w->n == SLOTS;
        next_x(&b, 1000);
        if (t % 67 == 0) homer_window_measure_x(w, &b.f);
        for (uint32_t age = 0; age < w->n && t % 67 == 0; age++) {
            static double x[2][FEATURES];
            x_of(&b.f, true, x);
            assert_close(w->distance_x[homer_window_slot(w, age)],
                         square_distance(x[0], all[kept[n - 1 - age]].x[0], 2 * FEATURES), 2e-5);
        }
        next_y(&b);
        uint32_t before = w->n;
        assert_int_equal(homer_window_prepare(w, &b.f), 0);
        homer_window_add(w, &b.f);
        store(&b, &all[t]);
        assert_true(mem.used_bytes <= mem.max_bytes || t < 500);
        if (w->n == before + !full) {
            kept[n++] = t;
            continue;
        }
        assert_true(t >= 500 && w->n == before - 1);
        left_out++;
    }
    assert_true(w->n > 300 && w->n < 1000);
    assert_true(left_out > 500 && n > 1500 && kept[n - 1] > 2980);
    assert_null(homer_window_free(w));
    assert_int_equal(mem.used_bytes, 0);
}

/* One number or label of one instance changed: another digest. */
static void one_bit_shows_in_the_digest(void **state) {
    (void)state;
    enum { NOTHING, VALUE, FEATURE, BLOCK, POSITIVE, NEGATIVE, TOLD, PARTIAL, WEIGHT, LIKELY, Z, CHANGES };
    char hex[CHANGES][33];
    for (int change = NOTHING; change < CHANGES; change++) {
        static struct bench b;
        struct homer_mem mem = {0};
        struct homer_window *w;
        assert_int_equal(homer_window_new(&w, &mem), 0);
        assert_int_equal(homer_window_reserve(w, 10, 8), 0);
        bench_init(&b, 1, 1);
        b.f.labels = 5;
        for (uint32_t t = 0; t < 3; t++) {
            bool now = t == 1;
            b.f.n = 2;
            b.feature[0] = 2;
            b.feature[1] = now && change == FEATURE ? 4 : 3;
            b.x[0] = 1;
            b.x[1] = now && change == VALUE ? nextafterf(0.5f, 1) : 0.5f;
            b.f.present_n = 1 + (now && change == BLOCK);
            memset(b.y, 0, sizeof b.y);
            memset(b.weight, 0, sizeof b.weight);
            b.positive[0] = now && change == POSITIVE ? 2 : 1;
            b.f.positive_n = 1;
            b.y[b.positive[0]] = b.weight[b.positive[0]] = 1;
            b.weight[now && change == NEGATIVE ? 3 : 4] = 1;
            if (now && change == TOLD) b.weight[0] = 1;
            b.f.complete = now && change == PARTIAL;
            b.f.w = now && change == WEIGHT ? 2 : 1;
            b.p[0] = now && change == Z ? nextafterf(0.3f, 1) : 0.3f;
            b.p[1] = now && change == LIKELY ? 0.0011f : 0.001f;
            assert_int_equal(homer_window_prepare(w, &b.f), 0);
            homer_window_add(w, &b.f);
        }
        write_window(w, hex[change]);
        for (int other = NOTHING; other < change; other++) assert_string_not_equal(hex[change], hex[other]);
        assert_null(homer_window_free(w));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_hold_what_was_set),
        cmocka_unit_test(postings_hold_the_latest),
        cmocka_unit_test(distances_are_those_of_brute_force),
        cmocka_unit_test(refused_and_measured_shows_nowhere),
        cmocka_unit_test(the_cap_makes_it_smaller),
        cmocka_unit_test(one_bit_shows_in_the_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
