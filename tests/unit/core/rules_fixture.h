/* A stream of scores and truths for the decision rules: scores lean towards the truth, truths come from a few
 * labelsets and some noise, labels appear late, labellings are sometimes partial, sometimes empty. */
#ifndef HOMER_TESTS_RULES_FIXTURE_H
#define HOMER_TESTS_RULES_FIXTURE_H

#include "core_fixture.h"
#include "core/decide/rules.h"

enum { RULE_LABELS = 150 };

struct judged {
    struct homer_instance x;
    float p[RULE_LABELS];
    uint32_t scored; /* labels before */
    uint32_t labels; /* labels now */
    uint32_t positive[RULE_LABELS], negative[RULE_LABELS];
};

static inline void judge(struct judged *j, struct dice *d, uint32_t known, uint32_t most, double partial) {
    uint32_t positive = 0, negative = 0;
    uint32_t labels = known + (known < most && dice_chance(d, 0.1) ? 1 + dice_below(d, 4) : 0);
    if (labels > most) labels = most;
    bool half = dice_chance(d, partial);
    uint32_t kind = dice_below(d, 6); /* 0: empty */
    for (uint32_t l = 0; l < labels; l++) {
        bool member = kind && ((l * 2654435761u) >> 7) % (kind + 3) == 0 && l < 40;
        bool y = l >= known || (kind && (member ? dice_chance(d, 0.97) : dice_chance(d, 0.01)));
        double u = dice_unit(d), p = y ? 1 - u * u : u * u * u * (dice_chance(d, 0.7) ? 0.05 : 1);
        j->p[l] = l >= known || l % 11 == 10 ? 0 : dice_chance(d, 0.02) ? 0.5f : (float)p;
        if (half && l < known && dice_chance(d, 0.5)) continue;
        if (y)
            j->positive[positive++] = l;
        else if (half)
            j->negative[negative++] = l;
    }
    j->scored = known;
    j->labels = labels;
    j->x = (struct homer_instance){.positive = j->positive,
                                   .positive_n = positive,
                                   .negative = j->negative,
                                   .negative_n = negative,
                                   .partial = half,
                                   .weight = dice_chance(d, 0.2) ? 2.5 : 1};
}

/* What the model does with one instance: rank, (choose), learn. */
static inline void rules_learn(struct homer_rules *r, const struct judged *j) {
    assert_int_equal(homer_rules_reserve(r, &j->x, j->labels), 0);
    homer_rules_rank(r, j->p, j->scored);
    homer_rules_learn(r, j->p, &j->x, j->labels);
}

static inline void rules_hash(const struct homer_rules *r, uint32_t labels, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    homer_rules_encode(r, labels, &c);
    homer_hasher_free(h, hex);
}

#endif
