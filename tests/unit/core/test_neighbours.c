/* Expert `neighbours`: who is near, how they vote, and what the evidence says, against brute force. */
#include "expert_fixture.h"
#include "core/near/neighbours.h"

enum { FEATURES = 30, AMONG = 1000, STEPS = 2600, MOST = 24 };

/* Any k, any part of the window, many ties: nearest first, of equally near ones the later first. */
static void the_nearest_are_found(void **state) {
    (void)state;
    static struct homer_window w;
    static float distance[HOMER_WINDOW_SLOTS];
    struct dice d = {1100};
    for (uint32_t t = 0; t < 400; t++) {
        w.n = t < 60 ? t : 1 + dice_below(&d, HOMER_WINDOW_SLOTS);
        if (t % 5 == 0) w.n = HOMER_WINDOW_SLOTS;
        w.next = w.n < HOMER_WINDOW_SLOTS ? w.n : dice_below(&d, HOMER_WINDOW_SLOTS);
        uint32_t among = t % 3 ? AMONG : 1 + dice_below(&d, HOMER_WINDOW_SLOTS);
        uint32_t k = 1 + dice_below(&d, HOMER_NEIGHBOURS), range = 1 + dice_below(&d, 2000);
        for (uint32_t i = 0; i < HOMER_WINDOW_SLOTS; i++) distance[i] = (float)dice_below(&d, range) * 0.25f;
        struct homer_near n;
        homer_near_find(&n, &w, distance, among, k);

        uint32_t searched = among < w.n ? among : w.n;
        double sum = 0;
        for (uint32_t age = 0; age < searched; age++) sum += (double)distance[homer_window_slot(&w, age)];
        assert_close(n.mean, searched ? sum / searched : 0, 1e-4);
        assert_int_equal(n.n, k < searched ? k : searched);
        for (uint32_t i = 0; i < n.n; i++) {
            uint32_t best = 0, better = 0; /* the age that i others come before */
            for (uint32_t age = 0; age < searched; age++) {
                float own = distance[homer_window_slot(&w, age)];
                better = 0;
                for (uint32_t a = 0; a < searched && better <= i; a++) {
                    float other = distance[homer_window_slot(&w, a)];
                    better += other < own || (other <= own && a < age);
                }
                best = age;
                if (better == i) break;
            }
            assert_int_equal(better, i);
            assert_int_equal(n.slot[i], homer_window_slot(&w, best));
            assert_same(n.distance[i], distance[n.slot[i]]);
            if (i == 2 && t % 20) break; /* the rest takes long */
        }
    }
}

/* The stream's whole history; what a label's truth was by instance, UNKNOWN where not told. */
static int8_t truth[STEPS][MOST + 1];
static double value[STEPS][FEATURES];

static double distance_to(const struct bench *b, uint32_t t) {
    double x[FEATURES] = {0}, sum = 0;
    for (uint32_t i = 0; i < b->f.n; i++)
        if (b->f.feature[i] < b->f.known_features) x[b->f.feature[i]] = (double)b->f.x[i];
    for (uint32_t j = 0; j < FEATURES; j++) sum += (x[j] - value[t][j]) * (x[j] - value[t][j]);
    return sum;
}

static double clipped_evidence(double p, double pi) {
    p = p < (double)1e-6f ? (double)1e-6f : p > (double)0.999999f ? (double)0.999999f : p;
    double x = log(p / (1 - p)) - log(pi / (1 - pi));
    return x > 8 ? 8 : x < -8 ? -8 : x;
}

/* The neighbours are right but for rounding; given them, so is the evidence. */
static void assert_neighbours(const struct homer_neighbours *n, const struct bench *b, uint32_t stored) {
    const struct homer_near *near = &n->near;
    uint32_t first = stored > AMONG ? stored - AMONG : 0, t[HOMER_NEIGHBOURS];
    double mean = 0, weight[HOMER_NEIGHBOURS];
    for (uint32_t i = first; i < stored; i++) mean += distance_to(b, i) / (stored - first);
    assert_close(near->mean, mean, 1e-4);
    assert_int_equal(near->n, stored < HOMER_NEIGHBOURS ? stored : HOMER_NEIGHBOURS);
    for (uint32_t i = 0; i < near->n; i++) {
        for (t[i] = first; homer_window_slot(n->window, stored - 1 - t[i]) != near->slot[i];) t[i]++;
        assert_close(near->distance[i], distance_to(b, t[i]), 1e-5);
        weight[i] = (double)near->mean / ((double)near->distance[i] + 0.05 * (double)near->mean);
    }
    uint32_t nearer = 0;
    for (uint32_t i = first; i < stored; i++)
        nearer += near->n && distance_to(b, i) < (double)near->distance[near->n - 1] - 1e-4;
    assert_true(nearer < HOMER_NEIGHBOURS);

    for (uint32_t l = 0; l <= b->f.labels; l++) {
        double yes = 0, all = 0, yes3 = 0, all3 = 0, pi = (double)b->prior[l];
        for (uint32_t i = 0; i < near->n; i++) {
            int8_t y = truth[t[i]][l < b->f.labels ? l : MOST];
            if (y == UNKNOWN) continue;
            yes += y == TRUE_LABEL ? weight[i] : 0;
            all += weight[i];
            yes3 += i < 3 && y == TRUE_LABEL;
            all3 += i < 3;
        }
        double e = 0.1 * all + 0.3;
        assert_close(b->evidence[HOMER_X_NEIGHBOURS][l], clipped_evidence((yes + e * pi) / (all + e), pi),
                     2e-4);
        assert_close(b->evidence[HOMER_X_SHARP][l], clipped_evidence((yes3 + 0.5 * pi) / (all3 + 0.5), pi),
                     2e-4);
    }
}

static void evidence_is_that_of_brute_force(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_neighbours n;
    unsigned unseen = 0;
    assert_int_equal(homer_neighbours_init(&n, &mem), 0);
    bench_init(&b, 1110, MOST);
    for (uint32_t t = 0; t < STEPS; t++) {
        uint32_t features = 3 + t / 100 < FEATURES ? 3 + t / 100 : FEATURES;
        assert_int_equal(homer_neighbours_ops.reserve(&n, features, MOST + 1), 0);
        bench_predict(&b, features);
        for (uint32_t i = 0; i < b.f.n; i++) /* coarse: equal instances come often */
            b.x[i] = (float)(int)(b.x[i] * 2) * 0.5f;
        bench_dense(&b, 0, 8);
        homer_neighbours_ops.predict(&n, &b.f);
        for (uint32_t i = 0; i < b.f.n; i++) unseen += b.feature[i] >= b.f.known_features;
        if (t < 30 || t % 23 == 0) assert_neighbours(&n, &b, t);
        b.n = 0;
        uint32_t labels = b.f.labels;
        bench_truth(&b, true);
        assert_int_equal(homer_neighbours_ops.prepare(&n, &b.f), 0);
        expert_learn(&(struct homer_expert){&homer_neighbours_ops, &n}, &b.f, labels);
        for (uint32_t i = 0; i < b.f.n; i++) value[t][b.feature[i]] = (double)b.x[i];
        memset(truth[t], b.f.complete ? FALSE_LABEL : UNKNOWN, sizeof truth[t]);
        memcpy(truth[t], b.truth[0], b.f.labels);
    }
    assert_true(unseen > 3 && b.f.labels == MOST);
    homer_neighbours_ops.deinit(&n);
    assert_int_equal(mem.used_bytes, 0);
}

/* Before anything was learned, and for labels nobody near knows about, there is no evidence. */
static void nobody_knows_nothing(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_neighbours n;
    assert_int_equal(homer_neighbours_init(&n, &mem), 0);
    bench_init(&b, 1120, MOST);
    assert_int_equal(homer_neighbours_ops.reserve(&n, FEATURES, MOST + 1), 0);
    for (int round = 0; round < 2; round++) {
        bench_predict(&b, FEATURES);
        homer_neighbours_ops.predict(&n, &b.f);
        for (uint32_t l = 0; l <= b.f.labels; l++) {
            assert_close(b.evidence[HOMER_X_NEIGHBOURS][l], 0, 1e-5);
            assert_close(b.evidence[HOMER_X_SHARP][l], 0, 1e-5);
        }
        do { /* a labelling that tells nothing */
            b.n = 0;
            b.f.labels = 0;
            bench_truth(&b, false);
        } while (b.f.complete || b.f.labels);
        assert_int_equal(homer_neighbours_ops.prepare(&n, &b.f), 0);
        homer_neighbours_ops.learn(&n, &b.f);
    }
    homer_neighbours_ops.deinit(&n);
}

static void refused_memory_shows_nowhere(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_neighbours n, calm;
    mem.fail_in = 1;
    assert_int_equal(homer_neighbours_init(&n, &mem), -ENOMEM);
    assert_int_equal(mem.used_bytes, 0);
    assert_int_equal(homer_neighbours_init(&n, &mem), 0);
    assert_int_equal(homer_neighbours_init(&calm, &mem), 0);
    bench_init(&b, 1130, 60);
    struct homer_expert e = {&homer_neighbours_ops, &n}, other = {&homer_neighbours_ops, &calm};
    assert_true(expert_refuse(&e, &other, &mem, &b, 100, FEATURES, 10) > 300);
    homer_neighbours_ops.deinit(&n);
    homer_neighbours_ops.deinit(&calm);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_are_found),
        cmocka_unit_test(evidence_is_that_of_brute_force),
        cmocka_unit_test(nobody_knows_nothing),
        cmocka_unit_test(refused_memory_shows_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
