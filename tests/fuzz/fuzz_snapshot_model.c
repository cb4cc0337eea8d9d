/* Reading a model's state: any bytes give a model that goes on, or an error and nothing left of it. The first
 * byte chooses the model's configuration, the second what follows: even, the state itself; odd, changes to
 * what an encoder writes, so that they reach deep into it whatever the format is. */
#include <errno.h>
#include <string.h>
#include "core/model.h"
#include "fuzz.h"

enum { BASES = 10, MOST_LABELS = 12, MOST_FEATURES = 30, ROOM = 32 << 20 };

static const uint8_t hash_key[16] = "fuzz";

struct bytes {
    uint8_t *p; /* [n] of cap */
    size_t n, cap, at;
};

static void sink(void *ctx, const void *p, size_t n) {
    struct bytes *b = ctx;
    if (!n) return;
    if (b->n + n > b->cap) {
        b->cap = 2 * (b->n + n);
        b->p = realloc(b->p, b->cap);
        CHECK(b->p);
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static int fill(void *ctx, void *p, size_t n) {
    struct bytes *b = ctx;
    if (n > b->n - b->at) return -ENODATA;
    memcpy(p, b->p + b->at, n);
    b->at += n;
    return 0;
}

static uint32_t below(uint64_t *rng, uint32_t n) {
    *rng = *rng * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*rng >> 33) % n);
}

/* Which model: three profiles, alternates and several trees among them, the paper's learner, and weights in
 * lists, from the start or soon. */
static struct homer_model *start(uint32_t base) {
    struct homer_model_config c;
    struct homer_model *m;
    homer_model_config_default(&c);
    c.profile = (enum homer_profile)(base % 4 == 3 ? HOMER_FAST : base % 4);
    c.learner = base % 4 == 3 ? HOMER_LEARNER_IHOMER_PAPER : HOMER_LEARNER_IHOMER;
    c.absent_missing = base >= 4;
    c.clusters.tree.alternate = base >= 4;
    c.clusters.tree.trees = base == 5 ? 2 : 1;
    c.clusters.tree.grace = 20;
    c.storage = base == 8 ? HOMER_STORAGE_SPARSE : HOMER_STORAGE_AUTO;
    c.dense_labels = base == 9 ? 2 : MOST_LABELS;
    c.clusters.tree_bytes = 50000;
    c.window = 20;
    c.max_labels = MOST_LABELS;
    c.max_features = MOST_FEATURES;
    c.max_memory = ROOM;
    CHECK(homer_model_new(&m, &c, hash_key) == 0);
    return m;
}

/* One instance of names that a model may or may not know. */
static int learn(struct homer_model *m, uint64_t *rng, struct homer_prediction *out) {
    uint32_t feature[6], positive[2], n = 0;
    float value[6];
    struct homer_schema *s = homer_model_schema(m);
    struct homer_instance x = {.feature = feature, .value = value, .positive = positive, .weight = 1};
    struct homer_error err;
    homer_model_begin(m);
    uint32_t first = below(rng, 8), label = below(rng, 5);
    for (uint32_t i = 0; i < 6; i++) {
        char name[8];
        size_t name_n = (size_t)snprintf(name, sizeof name, "f%u", i < 4 ? i : first + i);
        if (homer_schema_feature(s, name, name_n, HOMER_NUMERIC, NULL, 0, true, &feature[n], &err)) continue;
        value[n++] = (float)below(rng, 100) / 50 + (float)(label == i);
    }
    x.feature_n = n;
    for (uint32_t i = 0; i < 2; i++) {
        char name[8];
        size_t name_n = (size_t)snprintf(name, sizeof name, "l%u", label + i);
        x.positive_n += !homer_schema_label(s, name, name_n, true, &positive[x.positive_n], &err);
    }
    if (x.positive_n == 2 && positive[0] > positive[1]) {
        uint32_t first_id = positive[0];
        positive[0] = positive[1];
        positive[1] = first_id;
    }
    x.partial = below(rng, 8) == 0;
    struct homer_decide decide = homer_model_decide_default(m);
    return homer_model_learn(m, &x, &decide, out, &err);
}

/* What the encoder writes of a model that has learned a little; made once. */
static const struct bytes *written(uint32_t base) {
    static struct bytes made[BASES];
    struct bytes *b = &made[base];
    if (b->n) return b;
    struct homer_model *m = start(base);
    uint64_t rng = base;
    struct homer_prediction p;
    for (int t = 0; t < (base % 4 == 2 ? 60 : 400); t++) CHECK(learn(m, &rng, &p) == 0);
    struct homer_codec c = {.sink = sink, .ctx = b};
    homer_model_encode(m, &c);
    homer_model_free(m);
    return b;
}

static uint32_t number(const uint8_t *p, size_t n) {
    uint32_t v = 0;
    memcpy(&v, p, n);
    return v;
}

/* Changes of eight bytes each: where (3), what (1), with which number (4). */
static void change(struct bytes *b, const uint8_t *p, size_t n) {
    static const uint32_t telling[] = {0, 1, 2, UINT32_MAX, 0x7fc00000, 0x7f800000, 1u << 30, 1u << 31};
    for (; n >= 8 && b->n >= 8; p += 8, n -= 8) {
        size_t at = number(p, 3) % (b->n - 7);
        uint32_t v = p[3] & 8 ? telling[p[4] % 8] : number(p + 4, 4), was = number(b->p + at, 4);
        switch (p[3] % 4) {
        case 0:
            b->p[at] ^= (uint8_t)(1u << v % 8);
            break;
        case 1: /* a number here, or one more or less */
            if (p[3] & 16) v = p[3] & 32 ? was + 1 : was - 1;
            memcpy(b->p + at, &v, 4);
            break;
        case 2: /* bytes from elsewhere in the state */
            memmove(b->p + at, b->p + v % (b->n - 7), 8);
            break;
        default: /* some left out */
            v = v % 16 < b->n - at ? v % 16 : (uint32_t)(b->n - at);
            memmove(b->p + at, b->p + at + v, b->n - at - v);
            b->n -= v;
        }
    }
}

/* It predicts, learns what it knows and what is new to it, and can be written. */
static void go_on(struct homer_model *m, uint64_t seed) {
    struct homer_prediction p;
    struct homer_model_config c = *homer_model_config(m);
    for (int t = 0; t < 60; t++) {
        if (learn(m, &seed, &p)) continue;
        CHECK(p.label_n <= p.score_n && p.score_n <= c.max_labels);
        for (uint32_t i = 0; i < p.label_n; i++) CHECK(p.label[i] < p.score_n);
    }
    struct bytes again = {0};
    struct homer_codec codec = {.sink = sink, .ctx = &again};
    homer_model_encode(m, &codec);
    free(again.p);
    CHECK(homer_model_mem(m)->used_bytes <= ROOM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct bytes b = {0};
    if (n < 2) return 0;
    uint32_t base = data[0] % BASES;
    if (data[1] % 2) {
        const struct bytes *w = written(base);
        sink(&b, w->p, w->n);
        change(&b, data + 2, n - 2);
    } else {
        sink(&b, data + 2, n - 2);
    }
    struct homer_model *m = start(base);
    struct homer_decoder d = {.fill = fill, .ctx = &b};
    int rc = homer_model_decode(m, &d);
    CHECK(rc <= 0 && d.scratch.used_bytes == 0);
    if (rc == 0) go_on(m, n);
    homer_model_free(m); /* a sanitizer sees what is left */
    free(b.p);
    return 0;
}
