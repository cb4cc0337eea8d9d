/* The flat learner: a label that comes late stands where it would stand had it been known and false all
 * along; what a prediction says; what a refused reserve leaves behind. */
#include <errno.h>
#include "flat_fixture.h"
#include "core/flat.h"

static const struct drawing mixed = {
    .partial = 0.2, .weighted = 0.3, .empty = 0.1, .null = 0.03, .noise = 0.5};

static void start(struct homer_flat *f, struct homer_mem *mem, bool missing, enum homer_profile profile) {
    struct homer_clusters_config clusters;
    homer_clusters_config_default(&clusters);
    clusters.scope = HOMER_DRIFT_OFF; /* what drifts depends on which labels are known */
    assert_int_equal(homer_flat_init(f, mem, missing, profile, &clusters), 0);
}

static void learn(struct homer_flat *f, const struct drawn *x, uint32_t features, uint32_t labels) {
    assert_int_equal(homer_flat_reserve(f, features, labels), 0);
    homer_flat_predict(f, &x->x);
    assert_int_equal(homer_flat_prepare(f, &x->x, features, labels, f->scale.n + 1), 0);
    homer_flat_learn(f, &x->x, features, labels);
}

/* Without learning. */
static const float *predict(struct homer_flat *f, const struct drawn *x) {
    return homer_flat_predict(f, &x->x);
}

static void assert_same_bytes(const void *a, const void *b, size_t n, const char *what, uint32_t column) {
    if (memcmp(a, b, n)) fail_msg("%s differ in column %u", what, column);
}

static void assert_same_grids(const struct homer_grid *a, const struct homer_grid *b, uint32_t columns,
                              const char *what) {
    for (uint32_t r = 0; r < a->rows; r++)
        for (uint32_t c = 0; c < columns; c++)
            assert_same_bytes((char *)homer_grid_row(a, r) + c * a->size,
                              (char *)homer_grid_row(b, r) + c * b->size, a->size, what, c);
}

/* Columns 0..columns-1 of `linear` (e = 0) or `linear-tracking` (e = 1). */
static void assert_same_linear(const struct homer_linear *a, const struct homer_linear *b, uint32_t columns,
                               int e) {
    assert_int_equal(a->features, b->features);
    for (uint32_t j = 0; j <= a->features; j++)
        for (uint32_t c = 0; c < columns; c++) {
            const struct homer_linear_group *p = &(j < a->features ? a->row[j] : a->bias)[c / HOMER_LANES];
            const struct homer_linear_group *q = &(j < b->features ? b->row[j] : b->bias)[c / HOMER_LANES];
            uint32_t i = c % HOMER_LANES;
            assert_same_bytes(&p->w[e][i], &q->w[e][i], sizeof(float), e ? "tracking weights" : "weights", c);
            assert_same_bytes(&p->var[e][i], &q->var[e][i], sizeof(float),
                              e ? "tracking variances" : "variances", c);
        }
}

/* `late` learns labels as they come from instance 500 on, `early` knew them all from the start; the first
 * `first` are known from the start in both. `linear` is compared only when every labelling is complete and
 * every label busy: then both always update all its columns, which a differing number of columns could
 * otherwise tell apart. */
static void late_is_as_early(enum homer_profile profile, uint32_t first, uint32_t most, double partial,
                             uint64_t seed) {
    struct homer_mem mem = {0};
    struct homer_flat late, early;
    struct dice d = {seed};
    const struct drawing how = {
        .partial = partial, .weighted = 0.3, .empty = 0, .null = 0.02, .noise = 1, .busy = !(partial > 0)};
    uint32_t labels = first, features = 4;
    start(&late, &mem, false, profile);
    start(&early, &mem, false, profile);
    for (uint32_t t = 0; t < 700; t++) {
        struct drawn x;
        uint32_t before = labels;
        if (t >= 500 && labels < most && dice_chance(&d, 0.1)) labels += 1 + dice_below(&d, 3);
        if (labels > most) labels = most;
        if (features < FLAT_X && dice_chance(&d, 0.1)) features++;
        draw_x(&x, &d, &how, features);
        draw_y(&x, &d, &how, before, labels);
        learn(&late, &x, features, labels);
        learn(&early, &x, features, most);
        if (how.busy) assert_same_linear(&late.linear, &early.linear, labels, 0);
        if (how.busy) assert_same_grids(&late.rls.w, &early.rls.w, labels, "least squares");
        assert_same_linear(&late.linear, &early.linear, labels, 1);
        assert_same_grids(&late.markov.count, &early.markov.count, labels, "transitions");
        assert_same_grids(&late.markov.previous, &early.markov.previous, labels, "previous truths");
        assert_same_grids(&late.recent.frequency, &early.recent.frequency, labels, "frequencies");
        assert_same_grids(&late.prior.count, &early.prior.count, labels, "counts");
        if (labels == most) { /* what all labels share has met again */
            for (int i = 0; i < 4; i++) assert_same(late.markov.pooled[i], early.markov.pooled[i]);
            assert_same(late.prior.observed, early.prior.observed);
        }
    }
    assert_int_equal(labels, most);
    homer_flat_deinit(&late);
    homer_flat_deinit(&early);
    assert_int_equal(mem.used_bytes, 0);
}

static void a_late_label_is_as_if_known_from_the_start(void **state) {
    (void)state;
    static const struct { uint32_t first, most; } sizes[] = {{5, 6}, {6, 9}, {7, 17}, {8, 12}, {60, 75}};
    for (uint64_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        late_is_as_early(HOMER_LINEAR_ONLY, sizes[i].first, sizes[i].most, 0, 100 + i);
        late_is_as_early(HOMER_LINEAR_ONLY, sizes[i].first, sizes[i].most, 0.3, 200 + i);
        late_is_as_early(HOMER_ACCURATE, sizes[i].first, sizes[i].most, 0, 300 + i);
    }
}

/* Completely labelled with one label, or told about it as true or false: the same to whatever does not look
 * at the column of labels that never came (`linear` does, when it counts who moves). */
static void partial_is_as_complete_for_one_label(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_flat complete, partial;
    struct dice d = {130};
    uint32_t features = 4, zero = 0;
    start(&complete, &mem, false, HOMER_ACCURATE);
    start(&partial, &mem, false, HOMER_ACCURATE);
    for (uint32_t t = 0; t < 600; t++) {
        struct drawn x;
        if (features < FLAT_X && dice_chance(&d, 0.1)) features++;
        draw_x(&x, &d, &mixed, features);
        bool y = t == 0 || dice_chance(&d, x.x.feature_n > 2 && x.value[0] > 0 ? 0.7 : 0.1);
        x.x.positive = x.x.negative = &zero;
        x.x.positive_n = y;
        learn(&complete, &x, features, 1);
        x.x.partial = true;
        x.x.negative_n = !y;
        learn(&partial, &x, features, 1);
        assert_same_linear(&complete.linear, &partial.linear, 1, 1);
        assert_same_grids(&complete.markov.count, &partial.markov.count, 1, "transitions");
        assert_same_grids(&complete.markov.previous, &partial.markov.previous, 1, "previous truths");
        assert_same_grids(&complete.recent.frequency, &partial.recent.frequency, 1, "frequencies");
        for (int i = 0; i < 4; i++) assert_same(complete.markov.pooled[i], partial.markov.pooled[i]);
        assert_same(homer_prior_count(&complete.prior, 0), homer_prior_count(&partial.prior, 0));
        for (uint32_t k = 0; k < complete.rls.dim; k++)
            assert_same(homer_grid_f32(&complete.rls.w, k)[0], homer_grid_f32(&partial.rls.w, k)[0]);
        draw_x(&x, &d, &mixed, features);
        predict(&complete, &x);
        predict(&partial, &x);
        assert_same(complete.frame.prior[0], partial.frame.prior[0]);
        const int blind[] = {HOMER_X_RLS, HOMER_X_NEIGHBOURS, HOMER_X_SHARP};
        for (int i = 0; i < 3; i++)
            assert_same(complete.frame.evidence[blind[i]][0], partial.frame.evidence[blind[i]][0]);
    }
    homer_flat_deinit(&complete);
    homer_flat_deinit(&partial);
    assert_int_equal(mem.used_bytes, 0);
}

/* Column c of a is column `from` of b, over the rows that b has. */
static void assert_same_column(const struct homer_linear *a, uint32_t c, const struct homer_linear *b,
                               uint32_t from) {
    for (uint32_t j = 0; j <= b->features; j++) {
        const struct homer_linear_group *p = &(j < b->features ? a->row[j] : a->bias)[c / HOMER_LANES];
        const struct homer_linear_group *q = &(j < b->features ? b->row[j] : b->bias)[from / HOMER_LANES];
        for (int e = 0; e < 2; e++) {
            assert_same(p->w[e][c % HOMER_LANES], q->w[e][from % HOMER_LANES]);
            assert_same(p->var[e][c % HOMER_LANES], q->var[e][from % HOMER_LANES]);
        }
    }
}

/* What a partial labelling does not tell about a label, nothing of that label learns; nor does the column of
 * those that never came learn from any partial labelling. */
static void unknown_is_never_learned(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_flat f, before;
    struct dice d = {131};
    uint32_t labels = 0, features = 4;
    unsigned checked = 0;
    start(&f, &mem, false, HOMER_ACCURATE);
    start(&before, &mem, false, HOMER_ACCURATE);
    for (uint32_t t = 0; t < 250; t++) {
        struct drawn x;
        uint32_t known = labels;
        if (labels < 25 && dice_chance(&d, 0.2)) labels++;
        if (features < 30 && dice_chance(&d, 0.1)) features++;
        draw_x(&x, &d, &mixed, features);
        draw_y(&x, &d, &mixed, known, labels);
        learn(&f, &x, features, labels);
        for (uint32_t c = 0; x.x.partial && c <= labels; c++) {
            bool told = c < labels &&
                        (c >= known || bsearch(&c, x.positive, x.x.positive_n, sizeof c, fixture_by_id) ||
                         bsearch(&c, x.negative, x.x.negative_n, sizeof c, fixture_by_id));
            if (told) continue;
            uint32_t from = c < known ? c : known; /* where the column was before */
            if (known) {
                assert_same_column(&f.linear, c, &before.linear, from);
                assert_same_column(&f.spread, c, &before.spread, from);
                assert_same_column(&f.products.filters, c, &before.products.filters, from);
                for (uint32_t k = 0; k < before.rls.dim; k++)
                    assert_same(homer_grid_f32(&f.rls.w, k)[c], homer_grid_f32(&before.rls.w, k)[from]);
                checked++;
            }
            for (uint32_t r = 0; r < 4 && known; r++)
                assert_same(homer_grid_f64(&f.markov.count, r)[c],
                            homer_grid_f64(&before.markov.count, r)[from]);
            for (uint32_t r = 0; r < 2 && known; r++)
                assert_same(homer_grid_f32(&f.recent.frequency, r)[c],
                            homer_grid_f32(&before.recent.frequency, r)[from]);
            for (uint32_t r = 0; r < 2 && c < known; r++)
                assert_same(homer_grid_f64(&f.prior.count, r)[c], homer_grid_f64(&before.prior.count, r)[c]);
            for (uint32_t r = 0; r < 2 * HOMER_EXPERTS && c < known; r++)
                assert_same(homer_grid_f32(&f.stack.offset, r)[c],
                            homer_grid_f32(&before.stack.offset, r)[c]);
        }
        learn(&before, &x, features, labels); /* one instance behind, until here */
    }
    assert_true(checked > 300);
    homer_flat_deinit(&f);
    homer_flat_deinit(&before);
    assert_int_equal(mem.used_bytes, 0);
}

static void hash(const struct homer_flat *f, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    homer_flat_encode(f, &c);
    homer_hasher_free(h, hex);
}

static void predictions_leave_no_trace(void **state) {
    (void)state;
    struct homer_mem mem = {0};
    struct homer_flat f, undisturbed;
    struct dice d = {110};
    char a[33], b[33];
    for (int round = 0; round < 4; round++) {
        enum homer_profile profile = round < 2 ? HOMER_LINEAR_ONLY : HOMER_ACCURATE;
        uint32_t labels = 0, features = 0;
        start(&f, &mem, round % 2, profile);
        start(&undisturbed, &mem, round % 2, profile);
        for (uint32_t t = 0; t < 600; t++) {
            struct drawn x, other;
            float before[FLAT_Y];
            draw_x(&other, &d, &mixed, features);
            uint32_t known = labels;
            if (labels < 40 && dice_chance(&d, 0.15)) labels += 1 + dice_below(&d, 3);
            if (features < FLAT_X && dice_chance(&d, 0.2)) features++;
            draw_x(&x, &d, &mixed, features);
            draw_y(&x, &d, &mixed, known, labels);
            predict(&f, &other);

            assert_int_equal(homer_flat_reserve(&f, features, labels), 0);
            const float *p = predict(&f, &x);
            if (known) memcpy(before, p, known * sizeof *p);
            p = homer_flat_predict(&f, &x.x);
            for (uint32_t l = 0; l < known; l++) {
                assert_same(p[l], before[l]);
                assert_true(p[l] >= 0 && p[l] < 1.0000001f);
            }
            assert_int_equal(homer_flat_prepare(&f, &x.x, features, labels, f.scale.n + 1), 0);
            p = homer_flat_learn(&f, &x.x, features, labels);
            for (uint32_t l = 0; l < labels; l++) assert_same(p[l], l < known ? before[l] : 0);
            learn(&undisturbed, &x, features, labels);
            if (profile == HOMER_ACCURATE && t % 20) continue; /* a digest takes long */
            hash(&f, a);
            hash(&undisturbed, b);
            assert_string_equal(a, b);
        }
        homer_flat_deinit(&f);
        homer_flat_deinit(&undisturbed);
    }
    assert_int_equal(mem.used_bytes, 0);
}

/* From the very first instance on: every allocation of a reserve, and of a prepare, refused in turn, a
 * prediction after each. */
static void refused_room_shows_nowhere(enum homer_profile profile) {
    struct homer_mem mem = {0};
    struct homer_flat f, calm;
    struct dice d = {120};
    char before[33], after[33];
    uint32_t labels = 0, features = 0;
    unsigned refused = 0;
    for (uint64_t k = 1; profile == HOMER_ACCURATE; k++) {
        struct homer_clusters_config clusters;
        homer_clusters_config_default(&clusters);
        mem.fail_in = k;
        if (homer_flat_init(&f, &mem, false, profile, &clusters) == 0) homer_flat_deinit(&f);
        bool injected = mem.fail_in == 0;
        mem.fail_in = 0;
        assert_int_equal(mem.used_bytes, 0);
        if (!injected) break;
    }
    start(&f, &mem, false, profile);
    start(&calm, &mem, false, profile);
    for (uint32_t t = 0; t < 60; t++) {
        struct drawn x, known_x;
        uint32_t known_labels = labels, known_features = features;
        draw_x(&known_x, &d, &mixed, features);
        labels += dice_below(&d, 4);
        features += dice_below(&d, 3);
        if (features > FLAT_X) features = FLAT_X;
        draw_x(&x, &d, &mixed, features);
        draw_y(&x, &d, &mixed, known_labels, labels);
        hash(&f, before);
        for (uint64_t k = 1;; k++) {
            mem.fail_in = k;
            int rc = homer_flat_reserve(&f, features, labels);
            if (!rc) {
                homer_flat_predict(&f, &x.x);
                rc = homer_flat_prepare(&f, &x.x, features, labels, f.scale.n + 1);
                if (rc) homer_flat_cancel(&f);
            }
            bool injected = mem.fail_in == 0;
            mem.fail_in = 0;
            assert_int_equal(rc, injected ? -ENOMEM : 0);
            if (!injected) break;
            refused++;
            const float *p = predict(&f, &known_x);
            for (uint32_t l = 0; l < known_labels; l++) assert_true(p[l] >= 0 && p[l] <= 1);
            hash(&f, after);
            assert_string_equal(before, after);
        }
        homer_flat_cancel(&f);
        predict(&f, &known_x);
        hash(&f, after);
        assert_string_equal(before, after);
        assert_int_equal(f.linear.features, known_features);
        learn(&f, &x, features, labels);
        learn(&calm, &x, features, labels);
        hash(&f, before);
        hash(&calm, after);
        assert_string_equal(before, after);
    }
    assert_true(refused > 100);
    homer_flat_deinit(&f);
    homer_flat_deinit(&calm);
    assert_int_equal(mem.used_bytes, 0);
}

static void refused_room_shows_nowhere_when_linear(void **state) {
    (void)state;
    refused_room_shows_nowhere(HOMER_LINEAR_ONLY);
}

static void refused_room_shows_nowhere_when_accurate(void **state) {
    (void)state;
    refused_room_shows_nowhere(HOMER_ACCURATE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_label_is_as_if_known_from_the_start),
        cmocka_unit_test(partial_is_as_complete_for_one_label),
        cmocka_unit_test(unknown_is_never_learned),
        cmocka_unit_test(predictions_leave_no_trace),
        cmocka_unit_test(refused_room_shows_nowhere_when_linear),
        cmocka_unit_test(refused_room_shows_nowhere_when_accurate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
