#include "core/drift/recovery.h"

#define COME_BACK 1.2 /* times the level before */

void homer_recovery_begin(struct homer_recovery *r, double level) {
    if (!r->left) r->level = level;
    r->left = HOMER_RECOVERY_TIMES;
    r->sum = 0;
    r->n = 0;
}

bool homer_recovery_add(struct homer_recovery *r, double loss) {
    if (!r->left) return false;
    r->sum += loss;
    if (++r->n < HOMER_RECOVERY_STRETCH) return false;
    bool again = r->sum > COME_BACK * r->level * r->n;
    r->left = again ? r->left - 1 : 0;
    r->sum = 0;
    r->n = 0;
    return again;
}

void homer_recovery_encode(const struct homer_recovery *r, struct homer_codec *c) {
    homer_put_f64(c, r->level);
    homer_put_f64(c, r->sum);
    homer_put_u32(c, r->n);
    homer_put_u32(c, r->left);
}

void homer_recovery_decode(struct homer_recovery *r, struct homer_decoder *d) {
    r->level = homer_get_f64(d);
    r->sum = homer_get_f64(d);
    r->n = homer_get_most(d, HOMER_RECOVERY_STRETCH);
    r->left = homer_get_most(d, HOMER_RECOVERY_TIMES);
}
