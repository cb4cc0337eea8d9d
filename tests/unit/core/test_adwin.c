/* ADWIN against river on recorded sequences (golden/adwin.tsv, made by golden/adwin_record.py), against a
 * naive window, and against what the paper promises. */
#include <inttypes.h>
#include "core_fixture.h"
#include "core/drift/adwin.h"

static const char *golden; /* path of adwin.tsv */

enum { PARTS = 32 };

struct part {
    char kind[8];
    uint32_t n;
    double from, to;
};

static double value(struct dice *d, const struct part *p, uint32_t i) {
    double level = p->from + (p->to - p->from) * i / p->n;
    if (strcmp(p->kind, "coin") == 0) return dice_chance(d, level);
    if (strcmp(p->kind, "bell") == 0) return fmin(fmax(level + 0.1 * dice_normal(d), 0), 1);
    if (strcmp(p->kind, "wide") == 0) return level * dice_unit(d);
    assert_string_equal(p->kind, "flat");
    return level;
}

/* A sequence that is being replayed, and its detector. */
struct replay {
    char name[64];
    struct dice dice;
    struct part part[PARTS];
    uint32_t parts, at_part, at_value; /* known; the next value's */
    uint32_t next;                     /* its index in the sequence */
    struct homer_adwin adwin;
    int reset, detected;
};

/* One value further. */
static void step(struct replay *r) {
    while (r->at_value == r->part[r->at_part].n) {
        r->at_part++;
        r->at_value = 0;
        assert_true(r->at_part < r->parts);
    }
    if (r->detected && r->reset) homer_adwin_reset(&r->adwin);
    r->detected = homer_adwin_add(&r->adwin, value(&r->dice, &r->part[r->at_part], r->at_value++));
    r->next++;
}

static void compare(struct replay *r, const char *row) {
    uint32_t index, width;
    int detected;
    double mean, variance;
    assert_int_equal(sscanf(row, "at %u %d %u %lf %lf", &index, &detected, &width, &mean, &variance), 5);
    while (r->next <= index) {
        step(r);
        if (r->next <= index && r->detected) fail_msg("%s: river is silent at %u", r->name, r->next - 1);
    }
    if (r->detected != detected) fail_msg("%s: river says %d at %u", r->name, detected, index);
    if (homer_adwin_width(&r->adwin) != width)
        fail_msg("%s: width %u at %u, river's %u", r->name, homer_adwin_width(&r->adwin), index, width);
    assert_close(homer_adwin_mean(&r->adwin), mean, 1e-9);
    assert_close(homer_adwin_variance(&r->adwin), variance, 1e-9);
}

static void says_what_river_says(void **state) {
    (void)state;
    FILE *f = fopen(golden, "r");
    assert_non_null(f);
    static struct replay r;
    char row[256];
    int cases = 0, rows = 0;
    while (fgets(row, sizeof row, f)) {
        struct homer_adwin_config c;
        struct replay fresh = {0};
        struct part *p = &r.part[r.parts];
        if (row[0] == '#') continue;
        if (sscanf(row, "case\t%63[^\t] %" SCNu64 " %lf %u %u %u %d", fresh.name, &fresh.dice.state, &c.delta,
                   &c.clock, &c.min_window, &c.grace, &fresh.reset) == 7) {
            r = fresh;
            homer_adwin_init(&r.adwin, &c);
            cases++;
        } else if (row[0] == 'p') {
            assert_true(r.parts++ < PARTS);
            assert_int_equal(sscanf(row, "part %7s %u %lf %lf", p->kind, &p->n, &p->from, &p->to), 4);
        } else {
            compare(&r, row);
            rows++;
        }
    }
    assert_int_equal(fclose(f), 0);
    assert_true(cases >= 40 && rows >= 900);
}

/* The window's buckets, sums, variance and width against the values themselves; x[n - 1] came last. */
static void check_window(const struct homer_adwin *a, const double *x, uint32_t n) {
    double sum = 0, m2 = 0;
    uint32_t width = 0, rows = a->rows, oldest = n - homer_adwin_width(a);
    assert_in_range(rows, 1, HOMER_ADWIN_ROWS);
    for (uint32_t i = 0; i < rows && i < HOMER_ADWIN_ROWS; i++) {
        const struct homer_adwin_row *r = &a->row[i];
        assert_true(r->n <= HOMER_ADWIN_BUCKETS && r->n >= (i + 1 == rows ? 1 : HOMER_ADWIN_BUCKETS - 1));
        width += r->n << i;
    }
    assert_int_equal(width, homer_adwin_width(a));
    for (uint32_t i = oldest; i < n; i++) sum += x[i];
    for (uint32_t i = oldest; i < n; i++) m2 += (x[i] - sum / width) * (x[i] - sum / width);
    assert_close(homer_adwin_mean(a), sum / width, 1e-9);
    assert_close(homer_adwin_variance(a), m2 / width, 1e-9);
    for (uint32_t i = rows; i-- > 0;) {
        for (uint32_t k = 0; k < a->row[i].n; k++, oldest += 1u << i) {
            sum = m2 = 0;
            for (uint32_t j = oldest; j < oldest + (1u << i); j++) sum += x[j];
            double mean = sum / (1u << i);
            for (uint32_t j = oldest; j < oldest + (1u << i); j++) m2 += (x[j] - mean) * (x[j] - mean);
            assert_close(a->row[i].sum[k], sum, 1e-9);
            assert_close(a->row[i].m2[k], m2, 1e-9);
        }
    }
    assert_int_equal(oldest, n);
}

static void summarises_its_window(void **state) {
    (void)state;
    enum { N = 6000 };
    static double x[N];
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct dice d = {seed};
        struct homer_adwin a;
        struct homer_adwin_config c = {
            .delta = 0.05, .clock = 1 + dice_below(&d, 20), .min_window = 1 + dice_below(&d, 9), .grace = 10};
        homer_adwin_init(&a, &c);
        double level = 0.5;
        uint32_t cuts = 0, width = 0;
        for (uint32_t i = 0; i < N; i++) {
            if (dice_below(&d, 700) == 0) level = dice_unit(&d);
            x[i] = seed % 2 ? dice_chance(&d, level) : 0.5 * level + 0.5 * dice_unit(&d);
            double mean = (homer_adwin_mean(&a) * width + x[i]) / (width + 1);
            bool cut = homer_adwin_add(&a, x[i]);
            assert_true(cut == (homer_adwin_width(&a) <= width));
            if (cut) assert_close(a.before, mean, 1e-9);
            cuts += cut;
            width = homer_adwin_width(&a);
            if (cut || i % 97 == 0) check_window(&a, x, i + 1);
        }
        assert_true(cuts > 3);
    }
}

/* Past the last row the window stops growing, sums stay right and nothing is reported. */
static void forgets_past_its_capacity(void **state) {
    (void)state;
    const uint32_t n = 6000000;
    double *x = malloc(n * sizeof *x);
    assert_non_null(x);
    struct dice d = {5};
    struct homer_adwin a;
    struct homer_adwin_config c;
    homer_adwin_config_default(&c);
    c.clock = 1024;
    homer_adwin_init(&a, &c);
    uint32_t widest = 0;
    for (uint32_t i = 0; i < n; i++) {
        x[i] = dice_chance(&d, 0.25);
        assert_false(homer_adwin_add(&a, x[i]));
        if (homer_adwin_width(&a) > widest) widest = homer_adwin_width(&a);
    }
    assert_true(widest > 5200000 && widest < 5300000);
    assert_true(homer_adwin_width(&a) > widest - (1u << 19));
    check_window(&a, x, n);
    free(x);
}

/* Without change at most the share delta of sequences is cut. */
static void false_alarms_are_rare(void **state) {
    (void)state;
    enum { RUNS = 400 };
    struct homer_adwin_config c;
    homer_adwin_config_default(&c);
    c.delta = 0.05;
    for (int kind = 0; kind < 3; kind++) {
        int alarmed = 0;
        for (uint64_t run = 0; run < RUNS; run++) {
            struct dice d = {1000 * (uint64_t)kind + run};
            struct homer_adwin a;
            homer_adwin_init(&a, &c);
            bool alarm = false;
            for (int i = 0; i < 3000; i++)
                alarm |= homer_adwin_add(&a, kind == 2 ? dice_unit(&d) : dice_chance(&d, kind ? 0.5 : 0.05));
            alarmed += alarm;
        }
        assert_true(alarmed <= c.delta * RUNS);
    }
}

/* Values until a coin that changes from p to q after 2,000 tosses is found out, and whether the direction is
 * seen. */
static uint32_t delay(uint64_t seed, double p, double q) {
    struct dice d = {seed};
    struct homer_adwin a;
    struct homer_adwin_config c;
    homer_adwin_config_default(&c);
    homer_adwin_init(&a, &c);
    for (int i = 0; i < 2000; i++) assert_false(homer_adwin_add(&a, dice_chance(&d, p)));
    for (uint32_t n = 1; n < 4000; n++) {
        if (!homer_adwin_add(&a, dice_chance(&d, q))) continue;
        assert_true((homer_adwin_mean(&a) > a.before) == (q > p));
        return n;
    }
    return 4000;
}

static void changes_are_found_soon(void **state) {
    (void)state;
    static const struct {
        double p, q;
        uint32_t within; /* for each of 40 seeds */
    } change[] = {{0.2, 0.8, 64}, {0.8, 0.2, 64}, {0.1, 0.3, 300}, {0.5, 0.4, 2500}, {0, 1, 32}};
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        uint32_t slowest = 0;
        for (uint64_t seed = 0; seed < 40; seed++) {
            uint32_t n = delay(seed, change[i].p, change[i].q);
            if (n > slowest) slowest = n;
        }
        if (slowest > change[i].within) fail_msg("%g to %g seen after %u", change[i].p, change[i].q, slowest);
    }
}

struct bytes {
    unsigned char at[4096];
    size_t n;
};

static void collect(void *ctx, const void *p, size_t n) {
    struct bytes *b = ctx;
    assert_true(b->n + n <= sizeof b->at);
    memcpy(b->at + b->n, p, n);
    b->n += n;
}

static struct bytes encoded(const struct homer_adwin *a) {
    struct bytes b = {0};
    struct homer_codec c = {.sink = collect, .ctx = &b};
    homer_adwin_encode(a, &c);
    return b;
}

static bool same(const struct homer_adwin *a, const struct homer_adwin *b) {
    struct bytes x = encoded(a), y = encoded(b);
    return x.n == y.n && memcmp(x.at, y.at, x.n) == 0;
}

/* Bytes tell states apart, and do not show what buckets held that are gone. */
static void encodes_its_state(void **state) {
    (void)state;
    struct homer_adwin_config c;
    homer_adwin_config_default(&c);
    struct homer_adwin a, b, fresh;
    homer_adwin_init(&a, &c);
    fresh = a;
    struct dice d = {9};
    for (int i = 0; i < 3000; i++) homer_adwin_add(&a, dice_chance(&d, i < 1500 ? 0.2 : 0.7));
    assert_true(a.before > 0);
    b = a;
    struct homer_adwin_row *oldest = &b.row[b.rows - 1];
    assert_true(b.rows < HOMER_ADWIN_ROWS);
    memset(&b.row[b.rows], 0, sizeof b.row[0] * (HOMER_ADWIN_ROWS - b.rows));
    for (uint32_t k = oldest->n; k < HOMER_ADWIN_BUCKETS; k++) oldest->sum[k] = 77;
    for (int i = 0; i < 3000; i++) {
        assert_true(same(&a, &b));
        double x = dice_chance(&d, i < 1500 ? 0.7 : 0.3);
        assert_int_equal(homer_adwin_add(&a, x), homer_adwin_add(&b, x));
    }
    assert_true(same(&a, &b));
    homer_adwin_add(&a, 0);
    assert_false(same(&a, &b));
    homer_adwin_add(&b, 1);
    assert_false(same(&a, &b));
    b = a;
    b.since++; /* as good as a value: the next test comes sooner */
    assert_false(same(&a, &b));
    homer_adwin_reset(&a);
    assert_true(same(&a, &fresh));
    assert_int_equal(a.config.clock, 32);
}

static void survives_odd_values(void **state) {
    (void)state;
    struct homer_adwin_config c;
    homer_adwin_config_default(&c);
    struct homer_adwin a;
    homer_adwin_init(&a, &c);
    assert_same(homer_adwin_mean(&a), 0);
    assert_same(homer_adwin_variance(&a), 0);
    const double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (int i = 0; i < 300; i++) assert_false(homer_adwin_add(&a, odd[i % 3]));
    assert_int_equal(homer_adwin_width(&a), 0);
    for (int i = 0; i < 1000; i++) assert_false(homer_adwin_add(&a, 0.1));
    assert_close(homer_adwin_mean(&a), 0.1, 1e-12);
    assert_close(homer_adwin_variance(&a), 0, 1e-12);
}

/* Where the change is, when it shows, whatever the cut has left of the window. */
static void tells_what_came_since(void **state) {
    (void)state;
    struct dice d = {5};
    for (int jump = 1; jump <= 3; jump++) {
        struct homer_adwin a;
        struct homer_adwin_config c;
        homer_adwin_config_default(&c);
        homer_adwin_init(&a, &c);
        assert_int_equal(homer_adwin_newest(&a), 0);
        for (int i = 0; i < 5000; i++) assert_false(homer_adwin_add(&a, 0.2 + 0.05 * dice_normal(&d)));
        uint32_t since = 0;
        do since++;
        while (!homer_adwin_add(&a, 0.2 + 0.03 * jump + 0.05 * dice_normal(&d)));
        assert_true(homer_adwin_newest(&a) >= since / 2 && homer_adwin_newest(&a) <= 2 * since);
        assert_true(homer_adwin_newest(&a) <= homer_adwin_width(&a));
    }
}

/* The newest values against the others; up to the next border between buckets. */
static void tells_how_much_it_rose(void **state) {
    (void)state;
    struct homer_adwin a;
    struct homer_adwin_config c;
    homer_adwin_config_default(&c);
    c.clock = 1000; /* never cut here */
    homer_adwin_init(&a, &c);
    assert_close(homer_adwin_rise(&a, 5), 0, 1e-12);
    for (int i = 0; i < 96; i++) homer_adwin_add(&a, 0.2);
    assert_close(homer_adwin_rise(&a, 10), 0, 1e-12);
    for (int i = 0; i < 32; i++) homer_adwin_add(&a, 0.7);
    assert_close(homer_adwin_rise(&a, 1), 0.7 - (96 * 0.2 + 31 * 0.7) / 127, 1e-12);
    double rise = homer_adwin_rise(&a, 25);
    assert_true(rise > 0.3 && rise <= 0.5 + 1e-12);
    assert_close(homer_adwin_rise(&a, 128), 0, 1e-12);
    assert_close(homer_adwin_rise(&a, 0), 0, 1e-12);
    for (int i = 0; i < 64; i++) homer_adwin_add(&a, 0.1);
    assert_true(homer_adwin_rise(&a, 40) < -0.1);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    golden = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_river_says),  cmocka_unit_test(tells_how_much_it_rose),
        cmocka_unit_test(summarises_its_window), cmocka_unit_test(forgets_past_its_capacity),
        cmocka_unit_test(false_alarms_are_rare), cmocka_unit_test(changes_are_found_soon),
        cmocka_unit_test(encodes_its_state),     cmocka_unit_test(survives_odd_values),
        cmocka_unit_test(tells_what_came_since),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
