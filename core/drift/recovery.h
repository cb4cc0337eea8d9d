/* Whether a loss comes back after a drift. A detector sees a drift once, when it begins; where the concept
 * moves on gradually, what was learned anew then is soon old. So the mean loss of every
 * HOMER_RECOVERY_STRETCH instances after a detection is held against the level before: above 1.2 of it the
 * answer is given again, at most HOMER_RECOVERY_TIMES times; else the drift is over. Plain data: embed, copy;
 * nothing allocates or fails. */
#ifndef HOMER_DRIFT_RECOVERY_H
#define HOMER_DRIFT_RECOVERY_H

#include <stdbool.h>

#include "core/base/codec.h"

enum { HOMER_RECOVERY_STRETCH = 128, HOMER_RECOVERY_TIMES = 8 };

struct homer_recovery {
    double level;  /* mean loss before the drift */
    double sum;    /* of the losses in the present stretch */
    uint32_t n;    /* how many they are */
    uint32_t left; /* answers that may still be given; 0: no drift is followed */
};

/* A drift was detected; level: the mean loss before it. While one is followed already its level stays. */
void homer_recovery_begin(struct homer_recovery *r, double level);
/* Takes in the loss of an instance; true when the answer should be given again. */
bool homer_recovery_add(struct homer_recovery *r, double loss);
void homer_recovery_encode(const struct homer_recovery *r, struct homer_codec *c);
void homer_recovery_decode(struct homer_recovery *r, struct homer_decoder *d);

#endif
