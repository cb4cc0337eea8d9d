/* Expert `rls` against recursive least squares in double: exact, over the change to hashed features, with
 * labels that come late, and what could drive its covariance out of shape. */
#include "expert_fixture.h"
#include "core/leaf/rls.h"

enum { DIM = HOMER_RLS_DIM, MOST = 20 };

/* A whole state in double. */
struct squares {
    uint32_t dim;
    double p[DIM][DIM], w[DIM][MOST + 1];
};

static void read_squares(const struct homer_rls *r, uint32_t columns, struct squares *out) {
    memset(out, 0, sizeof *out);
    out->dim = r->dim;
    for (uint32_t i = 0; i < r->dim; i++) {
        for (uint32_t j = 0; j < r->dim; j++) out->p[i][j] = (double)r->p[(size_t)i * DIM + j];
        for (uint32_t l = 0; l < columns; l++) out->w[i][l] = (double)homer_grid_f32(&r->w, i)[l];
    }
}

static void extend(struct squares *s, uint32_t dim) {
    for (; s->dim < dim; s->dim++) s->p[s->dim][s->dim] = 20;
}

/* The two places of each feature, as the expert shows them when it meets the feature: place 0 is the
 * constant. */
struct hashing {
    bool seen[2 * DIM];
    uint32_t place[2 * DIM][2];
    int sign[2 * DIM][2];
};

/* x of the frame as the filter sees it; `known` features of it. */
static void inputs(const struct homer_frame *f, uint32_t known, const struct hashing *h, double x[DIM]) {
    memset(x, 0, DIM * sizeof *x);
    x[0] = 1;
    for (uint32_t i = 0; i < f->n; i++) {
        uint32_t j = f->feature[i];
        if (j >= known) continue;
        if (!h) x[1 + j] = (double)f->x[i];
        for (int k = 0; k < 2 && h; k++) {
            assert_true(h->seen[j]);
            x[h->place[j][k]] += h->sign[j][k] * sqrt(0.5) * (double)f->x[i];
        }
    }
}

static double output(const struct squares *s, const double x[DIM], uint32_t l) {
    double sum = 0;
    for (uint32_t d = 0; d < s->dim; d++) sum += x[d] * s->w[d][l];
    return sum;
}

static void assert_evidence(const struct squares *s, const struct homer_frame *f, const double x[DIM]) {
    for (uint32_t l = 0; l <= f->labels; l++) {
        double pi = (double)f->prior[l], p = output(s, x, l), least = 0.1 * pi, most = 1 - 0.1 * (1 - pi);
        p = p < least ? least : p > most ? most : p;
        p = p < (double)1e-6f ? (double)1e-6f : p > (double)0.999999f ? (double)0.999999f : p;
        double e = log(p / (1 - p)) - log(pi / (1 - pi));
        assert_close(f->evidence[HOMER_X_RLS][l], e > 8 ? 8 : e < -8 ? -8 : e, 1e-3);
    }
}

/* k = w P x/(1 + w x'Px), P -= k (Px)', W += k (y - W'x)'; w is scaled by the share of labels known. */
static void naive_learn(struct squares *s, const struct homer_frame *f, const double x[DIM]) {
    static double px[DIM], error[MOST + 1];
    double spread = 0, known = 0;
    for (uint32_t l = 0; l <= f->labels; l++) {
        error[l] = f->weight[l] > 0 ? (double)f->y[l] - output(s, x, l) : 0;
        known += l < f->labels && f->weight[l] > 0;
    }
    for (uint32_t i = 0; i < s->dim; i++) {
        px[i] = 0;
        for (uint32_t j = 0; j < s->dim; j++) px[i] += s->p[i][j] * x[j];
        spread += px[i] * x[i];
    }
    double w = f->w * (f->labels ? known / f->labels : 1);
    if (w > 100) w = 100;
    for (uint32_t i = 0; i < s->dim; i++) {
        double k = w * px[i] / (1 + w * spread);
        for (uint32_t j = 0; j < s->dim; j++) s->p[i][j] -= k * px[j];
        for (uint32_t l = 0; l <= f->labels; l++) s->w[i][l] += k * error[l];
    }
}

static void assert_squares(const struct squares *got, const struct squares *expected, uint32_t columns,
                           double within) {
    assert_int_equal(got->dim, expected->dim);
    for (uint32_t i = 0; i < got->dim; i++) {
        for (uint32_t j = 0; j < got->dim; j++) assert_close(got->p[i][j], expected->p[i][j], within);
        for (uint32_t l = 0; l < columns; l++) assert_close(got->w[i][l], expected->w[i][l], within);
    }
}

/* Takes down where the expert has put the instance's features: twice each, always the same. */
static void learn_hashing(struct hashing *h, const struct homer_rls *r, const struct homer_frame *f) {
    assert_int_equal(r->n, 1 + 2 * f->n);
    assert_int_equal(r->place[0], 0);
    for (uint32_t i = 0; i < f->n; i++)
        for (uint32_t k = 0, j = f->feature[i]; k < 2; k++) {
            uint32_t at = 1 + 2 * i + k, place = r->place[at];
            int sign = (r->x[at] < 0) == (f->x[i] < 0) ? 1 : -1;
            assert_true(place >= 1 && place < 256);
            assert_close(fabsf(r->x[at]), sqrt(0.5) * fabs((double)f->x[i]), 1e-6);
            if (h->seen[j]) assert_int_equal(h->place[j][k], place);
            if (h->seen[j]) assert_int_equal(h->sign[j][k], sign);
            h->place[j][k] = place;
            h->sign[j][k] = sign;
            h->seen[j] |= k == 1;
        }
}

static void learn(struct homer_rls *r, const struct bench *b, uint32_t labels) {
    expert_learn(&(struct homer_expert){&homer_rls_ops, r}, &b->f, labels);
}

static void copy_columns(struct squares *s, uint32_t from, uint32_t to) {
    for (uint32_t l = from; l < to; l++)
        for (uint32_t d = 0; d < s->dim; d++) s->w[d][l + 1] = s->w[d][l];
}

static void exact_follows_the_textbook(void **state) {
    (void)state;
    static struct bench b;
    static struct squares before, now, whole;
    static double x[DIM];
    struct homer_mem mem = {0};
    struct homer_rls r;
    homer_rls_init(&r, &mem);
    bench_init(&b, 1200, MOST);
    memset(&whole, 0, sizeof whole);
    for (uint32_t t = 0; t < 500; t++) {
        uint32_t features = t / 3 < 60 ? t / 3 : 60, labels = b.f.labels;
        assert_int_equal(homer_rls_ops.reserve(&r, features, MOST + 1), 0);
        bench_predict(&b, features);
        read_squares(&r, labels + 1, &before);
        homer_rls_ops.predict(&r, &b.f);
        inputs(&b.f, b.f.known_features, NULL, x);
        assert_evidence(&before, &b.f, x);
        bench_truth(&b, t % 2);
        learn(&r, &b, labels);
        inputs(&b.f, features, NULL, x);
        struct squares *both[] = {&before, &whole};
        for (int i = 0; i < 2; i++) {
            copy_columns(both[i], labels, b.f.labels);
            extend(both[i], 1 + features);
            naive_learn(both[i], &b.f, x);
        }
        read_squares(&r, b.f.labels + 1, &now);
        assert_squares(&now, &before, b.f.labels + 1, 2e-5);
        for (uint32_t l = 0; l <= b.f.labels; l++) /* weightless, or nothing known: as before */
            if (!(b.weight[l] > 0))
                for (uint32_t d = 0; d < now.dim; d++) assert_same(now.w[d][l], before.w[d][l]);
    }
    assert_int_equal(b.f.labels, MOST);
    assert_squares(&now, &whole, MOST + 1, 2e-3);
    homer_rls_ops.deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

/* 511 features are exact; with the next one it starts anew, hashed. */
static void more_features_are_hashed(void **state) {
    (void)state;
    static struct bench b;
    static struct squares before, now;
    static struct hashing h;
    static double x[DIM];
    struct homer_mem mem = {0};
    struct homer_rls r;
    unsigned hashed = 0, without = 0; /* unknown features */
    homer_rls_init(&r, &mem);
    bench_init(&b, 1210, MOST);
    for (uint32_t t = 0; t < 900; t++) {
        uint32_t features = t < 20 ? 490 + t : t < 40 ? 511 : 512 + (t - 40) / 4, labels = b.f.labels;
        assert_int_equal(homer_rls_ops.reserve(&r, features, MOST + 1), 0);
        bench_predict(&b, features);
        bool has = false;
        for (uint32_t i = 0; i < b.f.n; i++) has = has || b.feature[i] == features - 1;
        if (b.f.n && !has && features > b.f.known_features) b.feature[0] = features - 1; /* unknown */
        bool look = t < 60 ? t % 10 < 2 || t > 36 : t % 50 == 0 || (t - 40) % 4 == 0;
        if (look) read_squares(&r, labels + 1, &before);
        homer_rls_ops.predict(&r, &b.f);
        uint32_t unseen = 0, unknown = 0; /* where an unseen one goes, only learning it shows */
        for (uint32_t i = 0; i < b.f.n; i++) {
            unknown += b.feature[i] >= b.f.known_features;
            unseen += b.feature[i] < b.f.known_features && !h.seen[b.feature[i]];
        }
        if (look && (!r.hashed || unseen == 0)) {
            inputs(&b.f, b.f.known_features, r.hashed ? &h : NULL, x);
            assert_evidence(&before, &b.f, x);
            without += r.hashed && unknown;
        }
        bench_truth(&b, true);
        learn(&r, &b, labels);
        assert_int_equal(r.hashed, features > 511);
        assert_int_equal(r.dim, r.hashed ? 256 : 1 + features);
        if (r.hashed) learn_hashing(&h, &r, &b.f);
        if (!look) continue;
        if (r.hashed && hashed++ == 0) memset(&before, 0, sizeof before); /* started anew */
        copy_columns(&before, labels, b.f.labels);
        extend(&before, r.hashed ? 256 : 1 + features);
        inputs(&b.f, features, r.hashed ? &h : NULL, x);
        naive_learn(&before, &b.f, x);
        read_squares(&r, b.f.labels + 1, &now);
        assert_squares(&now, &before, b.f.labels + 1, 2e-5);
    }
    /* places and signs look random: no place has many features, signs are about even */
    uint32_t features = 0, at[256] = {0}, positive = 0, most = 0;
    for (uint32_t j = 0; j < 2 * DIM; j++)
        for (uint32_t k = 0; k < 2 && h.seen[j]; k++) {
            features++;
            if (++at[h.place[j][k]] > most) most = at[h.place[j][k]];
            positive += h.sign[j][k] > 0;
        }
    assert_true(features > 1000 && hashed > 20 && without > 0);
    assert_true(most < 20);
    assert_true(positive > features * 2 / 5 && positive < features * 3 / 5);
    homer_rls_ops.deinit(&r);
    assert_int_equal(mem.used_bytes, 0);
}

/* Weights from one end of what the protocol lets in to the other; the same feature twice; a long stream: the
 * covariance stays one, weights and evidence finite. */
static void nothing_drives_it_out_of_shape(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_rls r;
    for (uint32_t round = 0; round < 4; round++) {
        bool heavy = round % 2, twins = round / 2;
        homer_rls_init(&r, &mem);
        assert_int_equal(homer_rls_ops.reserve(&r, 12, MOST + 1), 0);
        bench_init(&b, 1220 + round, MOST);
        for (uint32_t t = 0; t < 30000; t++) {
            uint32_t labels = b.f.labels;
            bench_predict(&b, 6);
            if (twins) {
                uint32_t n = b.f.n;
                for (uint32_t i = 0; i < n && b.f.n < GIVEN; i++) {
                    b.feature[b.f.n] = 6 + b.feature[i];
                    b.x[b.f.n++] = b.x[i];
                }
            }
            b.f.features = b.f.known_features = 12;
            homer_rls_ops.predict(&r, &b.f);
            for (uint32_t l = 0; l <= labels; l++) assert_true(fabsf(b.evidence[HOMER_X_RLS][l]) <= 8);
            b.n = 0;
            bench_truth(&b, false);
            if (heavy) b.f.w = dice_chance(&b.dice, 0.3) ? 1e6 : dice_chance(&b.dice, 0.3) ? 1e-6 : 1;
            for (uint32_t l = 0; l <= labels; l++) b.weight[l] *= (float)b.f.w;
            learn(&r, &b, labels);
            for (uint32_t d = 0; d < r.dim; d++) {
                float own = r.p[(size_t)d * DIM + d];
                if (!(own >= 2e-6f && own <= 20.001f))
                    fail_msg("variance %g at %u, %s%s", (double)own, t, heavy ? "heavy" : "",
                             twins ? " twins" : "");
                for (uint32_t l = 0; l <= b.f.labels; l++) {
                    double w = (double)homer_grid_f32(&r.w, d)[l];
                    if (!(fabs(w) < 10))
                        fail_msg("weight %g at %u, %s%s", w, t, heavy ? "heavy" : "", twins ? " twins" : "");
                }
            }
        }
        homer_rls_ops.deinit(&r);
    }
    assert_int_equal(mem.used_bytes, 0);
}

static void refused_memory_shows_nowhere(void **state) {
    (void)state;
    static struct bench b;
    struct homer_mem mem = {0};
    struct homer_rls r, calm;
    unsigned refused = 0;
    for (uint32_t round = 0; round < 2; round++) {
        homer_rls_init(&r, &mem);
        homer_rls_init(&calm, &mem);
        bench_init(&b, 1230, 60);
        b.f.features = round ? 500 : 0; /* over the change to hashing */
        struct homer_expert e = {&homer_rls_ops, &r}, other = {&homer_rls_ops, &calm};
        refused += expert_refuse(&e, &other, &mem, &b, round ? 30 : 70, 600, 10);
        assert_int_equal(r.hashed, round);
        homer_rls_ops.deinit(&r);
        homer_rls_ops.deinit(&calm);
    }
    assert_true(refused >= 12);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_follows_the_textbook),
        cmocka_unit_test(more_features_are_hashed),
        cmocka_unit_test(nothing_drives_it_out_of_shape),
        cmocka_unit_test(refused_memory_shows_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
