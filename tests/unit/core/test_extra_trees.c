/* Extra trees from outside: leaves against the window's instances that reach them, the rhythm of growth, the
 * evidence against a mean over trees, refused memory and the memory cap. */
#include "expert_fixture.h"
#include "core/near/extra_trees.h"
#include "core/near/neighbours.h"

enum { FEATURES = 40, DENSE = 10, MOST = 30, NODES = HOMER_TREE_NODES, NUMBERS = 14 };

static const uint32_t dense[DENSE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

/* The trees together with the window that they grow from, as one expert. */
struct grove {
    struct homer_neighbours near;
    struct homer_extra_trees trees;
};

static int grove_reserve(void *self, uint32_t features, uint32_t columns) {
    struct grove *g = self;
    int rc = homer_neighbours_ops.reserve(&g->near, features, columns);
    return rc ? rc : homer_extra_trees_ops.reserve(&g->trees, features, columns);
}

static void grove_predict(void *self, struct homer_frame *f) {
    struct grove *g = self;
    f->dense = dense;
    f->dense_n = f->features < DENSE ? f->features : DENSE;
    homer_neighbours_ops.predict(&g->near, f);
    homer_extra_trees_ops.predict(&g->trees, f);
}

static int grove_prepare(void *self, const struct homer_frame *f) {
    struct grove *g = self;
    int rc = homer_neighbours_ops.prepare(&g->near, f);
    return rc ? rc : homer_extra_trees_ops.prepare(&g->trees, f);
}

static void grove_learn(void *self, const struct homer_frame *f) {
    struct grove *g = self;
    homer_neighbours_ops.learn(&g->near, f);
    homer_extra_trees_ops.learn(&g->trees, f);
}

static void grove_add_label(void *self, uint32_t from) {
    struct grove *g = self;
    homer_neighbours_ops.add_label(&g->near, from);
    homer_extra_trees_ops.add_label(&g->trees, from);
}

static void grove_encode(const void *self, uint32_t columns, struct homer_codec *c) {
    const struct grove *g = self;
    homer_extra_trees_ops.encode(&g->trees, columns, c);
}

static const struct homer_expert_ops grove_ops = {
    .reserve = grove_reserve,
    .predict = grove_predict,
    .prepare = grove_prepare,
    .learn = grove_learn,
    .add_label = grove_add_label,
    .encode = grove_encode,
};

static void grove_init(struct grove *g, struct homer_mem *mem, uint64_t seed) {
    assert_int_equal(homer_neighbours_init(&g->near, mem), 0);
    homer_extra_trees_init(&g->trees, mem, g->near.window, seed);
}

static void grove_deinit(struct grove *g) {
    homer_extra_trees_ops.deinit(&g->trees);
    homer_neighbours_ops.deinit(&g->near);
}

static uint32_t route(const struct homer_extra_tree *t, const uint32_t *feature, const float *x, uint32_t n) {
    float value[FEATURES] = {0};
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) value[feature[i]] = x[i];
    while (t->node[at].child) at = t->node[at].child + (value[t->node[at].feature] > t->node[at].threshold);
    return at;
}

static float share_of(const struct homer_extra_tree *t, uint32_t node, uint32_t label) {
    const struct homer_extra_node *n = &t->node[node];
    for (uint32_t k = n->share; k < n->share + n->shares; k++)
        if (t->share[k].label == label) return t->share[k].share;
    return 0;
}

static float set_share(const struct homer_extra_tree *t, uint32_t node, uint32_t set) {
    const struct homer_extra_node *n = &t->node[node];
    for (uint32_t k = n->set; k < n->set + n->sets; k++)
        if (t->set[k].set == set) return t->set[k].share;
    return 0;
}

/* rng: as it was before the tree was grown; it first draws who takes part, the latest instance first. */
static void assert_tree(const struct homer_extra_tree *t, const struct homer_window *w, uint32_t labels,
                        struct homer_rng rng, unsigned *splits, unsigned *unknown) {
    static uint32_t reach[NODES], have[NODES][MOST], tell[NODES][MOST], parents[NODES], has[NODES][NUMBERS];
    uint32_t members = 0, all_have[MOST] = {0}, all_tell[MOST] = {0}, told = 0;
    memset(reach, 0, sizeof reach);
    memset(have, 0, sizeof have);
    memset(tell, 0, sizeof tell);
    memset(parents, 0, sizeof parents);
    memset(has, 0, sizeof has);
    for (uint32_t age = 0; age < w->n; age++) {
        const struct homer_window_slot *s = &w->slot[homer_window_slot(w, age)];
        if (!((float)(homer_rng_next(&rng) >> 40) * 0x1p-24f < 0.8f)) continue;
        uint32_t leaf = route(t, s->feature, s->x, s->feature_n);
        reach[leaf]++;
        members++;
        if (s->set != HOMER_NO_NUMBER) has[leaf][s->set]++;
        for (uint32_t l = 0; l < labels; l++) {
            bool yes = false, known = !s->partial;
            for (uint32_t i = 0; i < s->positive_n; i++) yes = yes || s->label[i] == l;
            for (uint32_t i = 0; i < s->positive_n + s->negative_n; i++) known = known || s->label[i] == l;
            have[leaf][l] += yes;
            tell[leaf][l] += known;
            all_have[l] += yes;
            all_tell[l] += known;
            told += known;
        }
    }
    double least = told ? 2.0 * members * labels / told : 2;
    assert_true(t->nodes > 0 && t->nodes <= NODES);
    for (uint32_t i = 0; i < t->nodes; i++) {
        const struct homer_extra_node *n = &t->node[i];
        if (n->child) { /* each node but the root is the child of one */
            assert_true(n->child > i && n->child + 1 < t->nodes);
            parents[n->child]++;
            parents[n->child + 1]++;
            *splits += 1;
            continue;
        }
        if (t->nodes > 1) assert_true(reach[i] >= least - 1e-9);
        uint32_t listed = 0;
        for (uint32_t l = 0; l < MOST; l++) {
            uint32_t yes = have[i][l], of = tell[i][l];
            if (reach[i] && !of) { /* what is not told is never false */
                yes = all_have[l];
                of = all_tell[l];
                *unknown += yes > 0;
            }
            assert_same(share_of(t, i, l), of ? (float)yes / (float)of : 0);
            listed += yes > 0;
        }
        assert_int_equal(n->shares, listed);
        assert_true(n->share + n->shares <= t->shares);
        uint32_t sets = 0, kept = 0;
        for (uint32_t k = 0; k < NUMBERS; k++) { /* exact, unless there are too many */
            float share = set_share(t, i, k);
            sets += has[i][k] > 0;
            kept += share > 0;
            if (share > 0) assert_close(share, (double)has[i][k] / reach[i], 1e-5);
        }
        assert_int_equal(kept, n->sets);
        assert_int_equal(kept, sets < HOMER_LEAF_SETS ? sets : HOMER_LEAF_SETS);
        assert_true(n->set + n->sets <= t->sets);
    }
    for (uint32_t i = 0; i < t->nodes; i++) assert_int_equal(parents[i], i > 0);
    if (t->nodes == 1) assert_int_equal(reach[0], members);
}

static void assert_evidence(const struct homer_extra_trees *f, const struct bench *b) {
    double plus = 1 + 0.05 * f->trees;
    for (uint32_t l = 0; l < b->f.labels; l++) {
        double sum = 0, pi = (double)b->prior[l];
        for (uint32_t i = 0; i < f->trees; i++) {
            const struct homer_extra_tree *t = &f->tree[i];
            sum += (double)share_of(t, route(t, b->feature, b->x, b->f.n), l);
        }
        double p = (sum + plus * pi) / (f->trees + plus), e = log(p / (1 - p)) - log(pi / (1 - pi));
        e = !f->trees ? 0 : e > 8 ? 8 : e < -8 ? -8 : e;
        assert_close(b->evidence[HOMER_X_EXTRA_TREES][l], e, 2e-4);
    }
}

/* Returns how many labelsets are told. */
static uint32_t assert_sets(struct homer_extra_trees *f, const struct bench *b) {
    double mean[NUMBERS] = {0};
    struct homer_extra_set best[HOMER_EXTRA_SETS];
    uint32_t n = homer_extra_trees_sets(f, best), any = 0;
    for (uint32_t i = 0; i < f->trees; i++) {
        const struct homer_extra_tree *t = &f->tree[i];
        uint32_t leaf = route(t, b->feature, b->x, b->f.n);
        for (uint32_t k = 0; k < NUMBERS; k++) mean[k] += (double)set_share(t, leaf, k) / f->trees;
    }
    for (uint32_t k = 0; k < NUMBERS; k++) any += mean[k] > 0;
    assert_int_equal(n, any < HOMER_EXTRA_SETS ? any : HOMER_EXTRA_SETS);
    for (uint32_t i = 0; i < n; i++) {
        assert_close(best[i].share, mean[best[i].set], 1e-5);
        if (i) assert_true(best[i].share <= best[i - 1].share);
        mean[best[i].set] = 0; /* none comes twice */
    }
    for (uint32_t k = 0; k < NUMBERS && n; k++) assert_true(mean[k] <= (double)best[n - 1].share + 1e-5);
    for (uint32_t k = 0; k < HOMER_EXTRA_VOTES; k++) assert_same(f->vote[k].share, 0);
    return n;
}

/* With that probability: of the labels known before, each is told with probability `share` only. */
static void tell_less(struct bench *b, uint32_t known, double partial, double share) {
    if (!dice_chance(&b->dice, partial)) return;
    b->f.complete = false;
    for (uint32_t l = 0; l < COLUMNS; l++)
        if (l >= b->f.labels || (l < known && !dice_chance(&b->dice, share))) b->weight[l] = b->y[l] = 0;
    b->f.positive_n = 0;
    for (uint32_t l = 0; l < b->f.labels; l++)
        if (b->y[l] > 0) b->positive[b->f.positive_n++] = l;
}

static void trees_of(double partial, double share) {
    static struct bench b;
    static struct grove g;
    struct homer_mem mem = {0};
    const struct homer_expert e = {&grove_ops, &g};
    uint32_t wait = 0, grown = 0;
    unsigned splits = 0, unseen = 0, unknown = 0, full = 0;
    grove_init(&g, &mem, 1);
    bench_init(&b, 1300, MOST);
    for (uint32_t t = 0; t < 600; t++) {
        char before[33], after[33];
        uint32_t features = 3 + t / 10 < FEATURES ? 3 + t / 10 : FEATURES, labels = b.f.labels;
        assert_int_equal(grove_reserve(&g, features, MOST + 1), 0);
        bench_predict(&b, features);
        bench_dense(&b, 0, DENSE);
        expert_digest(&e, MOST, before);
        grove_predict(&g, &b.f);
        expert_digest(&e, MOST, after);
        assert_string_equal(before, after);
        for (uint32_t i = 0; i < b.f.n; i++) unseen += b.feature[i] >= b.f.known_features;
        assert_evidence(&g.trees, &b);
        full += assert_sets(&g.trees, &b) == HOMER_EXTRA_SETS;
        bench_truth(&b, true);
        tell_less(&b, labels, partial, share);
        b.f.set = b.f.complete && t % 7 ? dice_below(&b.dice, t < 300 ? 5 : NUMBERS) : HOMER_NO_NUMBER;
        assert_int_equal(grove_prepare(&g, &b.f), 0);
        struct homer_rng rng = g.trees.grower.rng;
        uint32_t place = g.trees.next;
        expert_learn(&e, &b.f, labels);
        expert_digest(&e, MOST, after);
        assert_string_not_equal(before, after); /* at least the wait has changed */
        if (wait > 0) {
            wait--;
            assert_memory_equal(&rng, &g.trees.grower.rng, sizeof rng);
            continue;
        }
        wait = (t + 1) / 100;
        assert_int_equal(place, grown++ % HOMER_EXTRA_TREES);
        assert_int_equal(g.trees.next, grown % HOMER_EXTRA_TREES);
        assert_int_equal(g.trees.trees, grown < HOMER_EXTRA_TREES ? grown : HOMER_EXTRA_TREES);
        assert_tree(&g.trees.tree[place], g.near.window, b.f.labels, rng, &splits, &unknown);
    }
    assert_true(grown > 200 && splits > (partial < 1 ? 2000 : 300) && unseen > 3 && b.f.labels == MOST);
    assert_true(partial < 1 ? full > 20 : unknown > 100);
    grove_deinit(&g);
    assert_int_equal(mem.used_bytes, 0);
}

static void trees_follow_the_window(void **state) {
    (void)state;
    trees_of(0, 1);
}

static void trees_follow_what_is_told(void **state) {
    (void)state;
    trees_of(1, 0.3);
}

static void digest_of_stream(uint64_t seed, uint64_t cap, char hex[33], uint32_t *trees) {
    static struct bench b;
    static struct grove g;
    struct homer_mem mem = {0};
    const struct homer_expert e = {&grove_ops, &g};
    grove_init(&g, &mem, seed);
    bench_init(&b, 1310, MOST);
    assert_int_equal(grove_reserve(&g, FEATURES, MOST + 1), 0);
    for (uint32_t t = 0; t < 150; t++) {
        uint32_t labels = b.f.labels;
        bench_predict(&b, FEATURES);
        bench_dense(&b, 0, DENSE);
        grove_predict(&g, &b.f);
        bench_truth(&b, true);
        assert_int_equal(homer_neighbours_ops.prepare(&g.near, &b.f), 0);
        if (cap) mem.max_bytes = mem.used_bytes; /* nothing more */
        assert_int_equal(homer_extra_trees_ops.prepare(&g.trees, &b.f), 0);
        mem.max_bytes = 0;
        expert_learn(&e, &b.f, labels);
        assert_int_equal(g.near.window->n, t + 1);
    }
    expert_digest(&e, MOST, hex);
    *trees = g.trees.trees;
    grove_deinit(&g);
    assert_int_equal(mem.used_bytes, 0);
}

static void the_seed_decides(void **state) {
    (void)state;
    char a[33], b[33], c[33];
    uint32_t trees;
    digest_of_stream(7, 0, a, &trees);
    digest_of_stream(7, 0, b, &trees);
    digest_of_stream(8, 0, c, &trees);
    assert_int_equal(trees, HOMER_EXTRA_TREES);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
}

static void under_the_cap_nothing_grows(void **state) {
    (void)state;
    char a[33];
    uint32_t trees;
    digest_of_stream(7, 1, a, &trees);
    assert_int_equal(trees, 0);
}

static void refused_memory_shows_nowhere(void **state) {
    (void)state;
    static struct bench b;
    static struct grove g, calm;
    struct homer_mem mem = {0};
    grove_init(&g, &mem, 3);
    grove_init(&calm, &mem, 3);
    bench_init(&b, 1320, MOST);
    const struct homer_expert e = {&grove_ops, &g}, other = {&grove_ops, &calm};
    assert_true(expert_refuse(&e, &other, &mem, &b, 100, FEATURES, DENSE) > 300);
    assert_int_equal(g.trees.trees, HOMER_EXTRA_TREES);
    grove_deinit(&g);
    grove_deinit(&calm);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_follow_the_window),
        cmocka_unit_test(trees_follow_what_is_told),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(under_the_cap_nothing_grows),
        cmocka_unit_test(refused_memory_shows_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
