/* What a load consists of: verbs and how often each comes, such as "learn=80,predict=20". Pure. */
#ifndef HOMER_CLI_MIX_H
#define HOMER_CLI_MIX_H

#include <stdint.h>
#include "core/base/err.h"

enum homer_verb { HOMER_VERB_LEARN, HOMER_VERB_PREDICT, HOMER_VERB_TEST, HOMER_VERB_PING, HOMER_VERBS };

enum { HOMER_MIX_MOST = 1000 }; /* of one weight */

struct homer_mix {
    uint32_t weight[HOMER_VERBS];
    int64_t credit[HOMER_VERBS]; /* of homer_mix_next */
};

/* The word of the protocol. */
const char *homer_verb_word(enum homer_verb verb);

/* Reads "VERB[=WEIGHT],...": weights are whole numbers from 0 to HOMER_MIX_MOST, 1 when not given, each verb
 * at most once, one of them above 0. 0, or -EINVAL with err saying what is wrong. */
int homer_mix_parse(struct homer_mix *m, const char *text, struct homer_error *err);

/* The next verb. Each comes evenly spread and, over every homer_mix_period calls, exactly as often as its
 * weight says; the order is always the same. */
enum homer_verb homer_mix_next(struct homer_mix *m);
/* The sum of the weights over their greatest common divisor. */
uint64_t homer_mix_period(const struct homer_mix *m);

#endif
