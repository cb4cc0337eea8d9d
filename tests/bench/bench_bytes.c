/* What a model holds: bytes per label, per feature and per leaf of a tree, of each profile.
 *
 *   bench_bytes          a tab-separated row per profile and kind of features
 *
 * Synthetic streams that differ in one count only are learned, LENGTH instances each, and the bytes charged
 * to the models subtracted: dense features (a number in every instance) and sparse ones (in every eighth).
 * What a leaf holds is averaged over the trees of the largest model, at its end. Nothing is timed. */
#include <stdio.h>
#include "bench_lib.h"
#include "core/model.h"

enum { LENGTH = 2000, FEW_FEATURES = 64, MANY_FEATURES = 192, FEW_LABELS = 64, MANY_LABELS = 192 };

static const uint8_t hash_key[16] = "bench_bytes";

struct held {
    double bytes, leaves, leaf_bytes;
};

static void intern(struct homer_model *m, uint32_t features, uint32_t labels) {
    struct homer_error err = {0};
    char name[16];
    uint32_t id;
    for (uint32_t j = 0; j < features || j < labels; j++) {
        size_t n = (size_t)snprintf(name, sizeof name, "name%06u", j);
        struct homer_schema *s = homer_model_schema(m);
        if (j < features && homer_schema_feature(s, name, n, HOMER_NUMERIC, "", 0, true, &id, &err))
            bench_die("feature", err.message);
        if (j < labels && homer_schema_label(s, name, n, true, &id, &err)) bench_die("label", err.message);
    }
}

static void count_leaves(const struct homer_model *m, struct held *h) {
    const struct homer_clusters *c = homer_model_clusters(m);
    for (uint32_t i = 0; c && i < c->n; i++)
        for (uint32_t k = 0; k < c->cluster[i].forest->n; k++) {
            const struct homer_tree *t = c->cluster[i].forest->tree[k].tree;
            h->leaf_bytes += (double)homer_tree_bytes(t);
            h->leaves += (t->node_n + 1) / 2;
        }
}

/* Labels come in groups of eight, one group and two more of its labels an instance; a group shows in the
 * features of its number. */
static struct held learn(enum homer_profile profile, bool dense, uint32_t features, uint32_t labels) {
    struct homer_model_config config;
    struct homer_error err = {0};
    struct homer_model *m;
    struct homer_rng rng;
    struct held held = {0};
    uint32_t feature[MANY_FEATURES], positive[4];
    float value[MANY_FEATURES];
    homer_model_config_default(&config);
    config.profile = profile;
    config.window = 100;
    homer_rng_seed(&rng, 1);
    if (homer_model_new(&m, &config, hash_key)) bench_die("start", "out of memory");
    homer_model_begin(m);
    intern(m, features, labels);
    for (uint32_t t = 0; t < LENGTH; t++) {
        struct homer_instance x = {.feature = feature, .value = value, .positive = positive, .weight = 1};
        uint32_t group = (uint32_t)(homer_rng_next(&rng) % (labels / 8));
        for (uint32_t j = 0; j < features; j++) {
            double u = homer_rng_unit(&rng);
            if (!dense && u > (j % (labels / 8) == group ? 0.5 : 0.125)) continue;
            feature[x.feature_n] = j;
            value[x.feature_n++] = dense ? (float)(u + (j % (labels / 8) == group)) : 1;
        }
        for (uint32_t l = 0; l < 8 && x.positive_n < 4; l++)
            if (homer_rng_unit(&rng) < 0.4) positive[x.positive_n++] = group * 8 + l;
        if (t) homer_model_begin(m);
        if (homer_model_learn(m, &x, NULL, NULL, &err)) bench_die("learn", err.message);
    }
    held.bytes = (double)homer_model_mem(m)->used_bytes;
    count_leaves(m, &held);
    homer_model_free(m);
    return held;
}

int main(void) {
    static const char *const words[] = {"linear", "fast", "accurate"};
    puts("profile\tfeatures\tbytes_per_feature\tbytes_per_label\tbytes_per_feature_and_label\tleaves\tbytes_"
         "per_leaf\tbytes");
    for (int p = HOMER_LINEAR_ONLY; p <= HOMER_ACCURATE; p++)
        for (int dense = 1; dense >= 0; dense--) {
            enum homer_profile profile = (enum homer_profile)p;
            struct held few = learn(profile, dense, FEW_FEATURES, FEW_LABELS),
                        features = learn(profile, dense, MANY_FEATURES, FEW_LABELS),
                        labels = learn(profile, dense, FEW_FEATURES, MANY_LABELS),
                        both = learn(profile, dense, MANY_FEATURES, MANY_LABELS);
            double more_features = MANY_FEATURES - FEW_FEATURES, more_labels = MANY_LABELS - FEW_LABELS;
            printf("%s\t%s\t%.0f\t%.0f\t%.1f\t%.0f\t%.0f\t%.0f\n", words[p], dense ? "dense" : "sparse",
                   (features.bytes - few.bytes) / more_features, (labels.bytes - few.bytes) / more_labels,
                   (both.bytes - features.bytes - labels.bytes + few.bytes) / more_features / more_labels,
                   both.leaves, both.leaves > 0 ? both.leaf_bytes / both.leaves : 0, both.bytes);
            fflush(stdout);
        }
    return 0;
}
