/* A model and a stream of instances in names: numbers, nominal values, words and nulls; features and labels
 * that come late, empty x and y, partial labellings, weights. Plays the part of the daemon's resolver. */
#ifndef HOMER_TESTS_MODEL_FIXTURE_H
#define HOMER_TESTS_MODEL_FIXTURE_H

#include "core_fixture.h"
#include "core/model.h"

enum { PAIRS = 60, TELLS = 60 };

struct pair {
    uint32_t name; /* j: attribute "f<j>" */
    enum homer_feature_type type;
    uint32_t value; /* nominal: the value; word: which one */
    float number;
    bool null;
};

struct named {
    struct pair pair[PAIRS];
    uint32_t pairs;
    struct {
        uint32_t label;
        bool y;
    } tell[TELLS];
    uint32_t tells;
    bool partial;
    double weight;
};

/* What the stream draws from; grows as it goes. */
struct source {
    struct dice dice;
    uint32_t features, labels, t;
    uint32_t most_labels, most_features;
    double partial, weighted;
};

static inline void source_init(struct source *s, uint64_t seed) {
    *s = (struct source){.dice = {seed},
                         .features = 3,
                         .most_labels = 35,
                         .most_features = 40,
                         .partial = 0.15,
                         .weighted = 0.1};
}

static inline void source_next(struct source *s, struct named *out) {
    struct dice *d = &s->dice;
    memset(out, 0, sizeof *out);
    uint32_t known = s->labels;
    if (s->features < s->most_features && dice_chance(d, 0.15)) s->features++;
    if (s->labels < s->most_labels && dice_chance(d, 0.1)) s->labels += 1 + dice_below(d, 2);
    bool empty_x = dice_chance(d, 0.03), empty_y = dice_chance(d, 0.1);
    double lean = 0;
    for (uint32_t j = 0; j < s->features && !empty_x; j++) {
        struct pair *p = &out->pair[out->pairs];
        *p = (struct pair){.name = j, .number = 1};
        if (!dice_chance(d, j % 4 == 0 ? 0.95 : 0.15)) continue;
        p->type = j % 4 == 3 ? HOMER_NOMINAL : j % 4 == 2 ? HOMER_BINARY : HOMER_NUMERIC;
        p->null = p->type == HOMER_NUMERIC && dice_chance(d, 0.05);
        if (p->type == HOMER_NUMERIC) p->number = dice_chance(d, 0.05) ? 0 : (float)(dice_normal(d) + j);
        if (p->type == HOMER_NOMINAL) p->value = dice_below(d, 1 + s->t / 60);
        lean += ((double)p->number - j) * (j % 8 ? 1 : -1);
        out->pairs++;
    }
    for (uint32_t i = 0; i < 4 && s->t % 3 == 0; i++) { /* words last, each once */
        uint32_t word = i * 100 + dice_below(d, 2 + s->t / 40);
        out->pair[out->pairs++] =
            (struct pair){.type = HOMER_TEXT, .value = word, .number = dice_chance(d, 0.2) ? 1.6931472f : 1};
    }
    out->partial = dice_chance(d, s->partial);
    out->weight = dice_chance(d, s->weighted) ? 0.5 + dice_below(d, 5) : 1;
    for (uint32_t l = 0; l < s->labels; l++) {
        bool y = l >= known || (!empty_y && dice_chance(d, (l % 2 ? lean : -lean) > 0.4 * l ? 0.8 : 0.05));
        if (out->partial && l < known && dice_chance(d, 0.6)) continue;
        if (!y && !out->partial) continue;
        out->tell[out->tells].label = l;
        out->tell[out->tells++].y = y;
    }
    s->t++;
}

static inline struct homer_model *model_start(const struct homer_model_config *config,
                                              const uint8_t key[16]) {
    struct homer_model *m;
    assert_int_equal(homer_model_new(&m, config, key), 0);
    return m;
}

static inline void model_stop(struct homer_model *m) {
    assert_null(homer_model_free(m));
}

struct resolved {
    struct homer_instance x;
    uint32_t feature[PAIRS], missing[PAIRS], positive[TELLS], negative[TELLS];
    float value[PAIRS];
};

static inline int resolve_x(struct homer_model *m, const struct named *in, bool intern, struct resolved *out,
                            struct homer_error *err) {
    struct homer_schema *s = homer_model_schema(m);
    *out = (struct resolved){
        .x = {.feature = out->feature, .value = out->value, .missing = out->missing, .weight = 1}};
    for (uint32_t i = 0; i < in->pairs; i++) {
        const struct pair *p = &in->pair[i];
        char name[16], value[16];
        size_t name_n = p->type == HOMER_TEXT ? 0 : (size_t)sprintf(name, "f%u", p->name);
        size_t value_n = (size_t)sprintf(value, "v%u", p->value);
        uint32_t id;
        int rc = homer_schema_feature(s, name, name_n, p->type, value, value_n, intern && !p->null, &id, err);
        if (rc) return rc;
        if (p->null) {
            if (id != HOMER_NO_ID) out->missing[out->x.missing_n++] = id;
            continue;
        }
        out->feature[out->x.feature_n] = id;
        out->value[out->x.feature_n++] = p->number;
        out->x.text_n += p->type == HOMER_TEXT;
    }
    return 0;
}

static inline int resolve_y(struct homer_model *m, const struct named *in, struct resolved *out,
                            struct homer_error *err) {
    for (uint32_t i = 0; i < in->tells; i++) {
        char name[16];
        uint32_t id;
        int n = sprintf(name, "l%u", in->tell[i].label);
        int rc = homer_schema_label(homer_model_schema(m), name, (size_t)n, true, &id, err);
        if (rc) return rc;
        if (in->tell[i].y)
            out->positive[out->x.positive_n++] = id;
        else
            out->negative[out->x.negative_n++] = id;
    }
    qsort(out->positive, out->x.positive_n, sizeof *out->positive, fixture_by_id);
    qsort(out->negative, out->x.negative_n, sizeof *out->negative, fixture_by_id);
    out->x.positive = out->positive;
    out->x.negative = out->negative;
    out->x.partial = in->partial;
    out->x.weight = in->weight;
    return 0;
}

/* The whole transaction; decide and out may be NULL. */
static inline int model_learn(struct homer_model *m, const struct named *in,
                              const struct homer_decide *decide, struct homer_prediction *out,
                              struct homer_error *err) {
    struct resolved r;
    homer_model_begin(m);
    int rc = resolve_x(m, in, true, &r, err);
    if (!rc) rc = resolve_y(m, in, &r, err);
    if (rc) {
        homer_model_abort(m);
        return rc;
    }
    return homer_model_learn(m, &r.x, decide, out, err);
}

static inline void model_predict(struct homer_model *m, const struct named *in,
                                 const struct homer_decide *decide, struct homer_prediction *out) {
    struct resolved r;
    assert_int_equal(resolve_x(m, in, false, &r, NULL), 0);
    homer_model_predict(m, &r.x, decide, out);
}

#endif
