/* A stream of very many labels, each with words of its own; frequencies as in Zipf's law. */
#ifndef HOMER_TESTS_SPARSE_FIXTURE_H
#define HOMER_TESTS_SPARSE_FIXTURE_H

#include "core_fixture.h"
#include "core/instance.h"

enum { MOST_WORDS = 60, MOST_TRUE = 3, OWN_WORDS = 8 };

struct many {
    struct dice dice;
    uint32_t labels, words;
    uint32_t shift; /* label l has the words of l + shift */
    double partial;

    struct homer_instance x; /* the last one; ids are the names */
    uint32_t feature[MOST_WORDS];
    float value[MOST_WORDS];
    uint32_t positive[MOST_TRUE], negative[MOST_TRUE];
};

static inline uint32_t many_word(const struct many *s, uint32_t label, uint32_t i) {
    struct dice d = {(label + s->shift) % s->labels * 1000 + i};
    return dice_below(&d, s->words);
}

static inline void many_add(struct many *s, uint32_t word) {
    for (uint32_t i = 0; i < s->x.feature_n; i++)
        if (s->feature[i] == word) return;
    s->feature[s->x.feature_n] = word;
    s->value[s->x.feature_n++] = 1;
}

/* l with probability about 1/(l + 5). */
static inline uint32_t many_label(struct many *s) {
    return (uint32_t)(5 * exp(dice_unit(&s->dice) * log((s->labels + 4.9) / 5))) - 5;
}

static inline void many_next(struct many *s) {
    s->x = (struct homer_instance){.feature = s->feature,
                                   .value = s->value,
                                   .positive = s->positive,
                                   .negative = s->negative,
                                   .partial = dice_chance(&s->dice, s->partial),
                                   .weight = dice_chance(&s->dice, 0.1) ? 2 : 1};
    for (uint32_t n = 1 + dice_below(&s->dice, MOST_TRUE); n; n--) {
        uint32_t l = many_label(s), at = s->x.positive_n;
        while (at && s->positive[at - 1] >= l) at--;
        if (at < s->x.positive_n && s->positive[at] == l) continue;
        memmove(s->positive + at + 1, s->positive + at, (s->x.positive_n++ - at) * sizeof l);
        s->positive[at] = l;
    }
    for (uint32_t i = 0; i < s->x.positive_n; i++)
        for (uint32_t k = 0; k < OWN_WORDS; k++)
            if (dice_chance(&s->dice, 0.7)) many_add(s, many_word(s, s->positive[i], k));
    for (uint32_t k = 0; k < 6; k++) many_add(s, dice_below(&s->dice, s->words));
    if (!s->x.partial) return;
    uint32_t l = many_label(s);
    bool is_true = false;
    for (uint32_t i = 0; i < s->x.positive_n; i++) is_true = is_true || s->positive[i] == l;
    if (!is_true) s->negative[s->x.negative_n++] = l;
}

#endif
