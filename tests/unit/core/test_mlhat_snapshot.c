/* MLHAT read back, before every instance: with alternates, and memos that leaves share. */
#include <errno.h>
#include "mlhat_fixture.h"
#include "written_fixture.h"

static struct grove a, b; /* b is written and read on and on */

struct reader {
    const unsigned char *bytes;
    size_t n;
};

static int fill(void *ctx, void *bytes, size_t n) {
    struct reader *r = ctx;
    if (n > r->n) return -ENODATA;
    memcpy(bytes, r->bytes, n);
    r->bytes += n;
    r->n -= n;
    return 0;
}

static struct written write_tree(const struct grove *g) {
    struct written w = {0};
    struct homer_codec c = {.sink = collect_bytes, .ctx = &w};
    homer_mlhat_encode(g->tree, g->m, &c);
    return w;
}

/* In the place of the tree, one that was read from what it writes. */
static void relay(struct grove *g) {
    struct written w = write_tree(g);
    struct reader r = {w.bytes, w.n};
    struct homer_decoder d = {.fill = fill, .ctx = &r};
    struct homer_memos memos;
    struct homer_mlhat_known known = {&memos, g->m, GROVE_X, GROVE_Y};
    size_t used = g->mem.used_bytes;
    homer_mlhat_free(g->tree);
    homer_memos_init(&memos, &d.scratch);
    g->tree = homer_mlhat_decode(&g->mem, &g->config, &known, &d);
    homer_memos_deinit(&memos);
    assert_int_equal(d.error, 0);
    assert_int_equal(r.n, 0);
    assert_int_equal(d.scratch.used_bytes, 0);
    assert_int_equal(g->mem.used_bytes, used);
    assert_true(same_bytes(w, write_tree(g)));
}

/* The memos of the alternate at the root that the leaves beside it hold, too. */
static uint32_t shared(const struct grove *g) {
    const struct homer_mlhat_branch *top = g->tree->root.branch;
    const struct homer_mlhat_leaf *leaf = top ? top->alternate.leaf : NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; leaf && i < leaf->memo_n; i++) n += leaf->memo[i]->refs > 1;
    return n;
}

static void a_tree_read_back_goes_on(void **state) {
    (void)state;
    struct dice d = {51};
    uint32_t most_shared = 0;
    char x[33], y[33];
    grove_start(&a, 2);
    grove_start(&b, 2);
    for (uint32_t t = 0; t < 1500; t++) {
        float v[2] = {(float)dice_normal(&d), (float)dice_normal(&d)};
        uint32_t labels = (v[0] > 0) == (t < 800) ? 1 : 2;
        bool split[2] = {false, false};
        relay(&b);
        grove_ask(&a, 2, v);
        grove_ask(&b, 2, v);
        assert_memory_equal(a.p, b.p, sizeof a.p);
        uint32_t known = t % 9 ? UINT32_MAX : 1;
        assert_int_equal(grove_try(&a, labels & known, known, &split[0]), 0);
        assert_int_equal(grove_try(&b, labels & known, known, &split[1]), 0);
        assert_int_equal(split[0], split[1]);
        if (shared(&b) > most_shared) most_shared = shared(&b);
        assert_int_equal(shared(&a), shared(&b));
    }
    grove_digest(&a, x);
    grove_digest(&b, y);
    assert_string_equal(x, y);
    assert_true(most_shared > 20);
    grove_stop(&a);
    grove_stop(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_read_back_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
