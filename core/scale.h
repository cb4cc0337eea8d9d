/* Feature scaling, online and without labels: what the experts see of an instance.
 *
 * A feature is dense when more than 30 % of the instances have it, decided anew at every power of two and
 * every 1,000 instances; until then it is sparse. Dense features are standardised, clip((x - mean)/sd,
 * +-4)/sqrt(number of dense), an absent one standing at 0 (absent: zero) or left out, which is its mean
 * (absent: missing, or given as null). Sparse features, the non-zeros only, are divided by the root mean
 * square of their non-zeros, clipped to +-4 (words of a text are left as they come: on reuters21578_topics
 * that gains .015 of micro F1), and the whole sparse block then has unit length. The statistics include the
 * instance that is scaled; scaling for a prediction computes the same numbers without storing them. Moments
 * are Welford's over the non-zeros, weighted; implicit zeros are merged in closed form, so that they cost
 * nothing. */
#ifndef HOMER_SCALE_H
#define HOMER_SCALE_H

#include "core/base/codec.h"
#include "core/base/mem.h"
#include "core/instance.h"
#include "core/leaf/frame.h"

struct homer_moments {
    double n;       /* weight of the instances that had the feature */
    double mean;    /* of those values */
    double m2;      /* sum of squared deviations from mean */
    double missing; /* weight of the instances that gave it as null */
};

struct homer_scale {
    struct homer_mem *mem;
    bool absent_missing;
    struct homer_moments *moments; /* [features] of cap */
    uint8_t *is_dense;             /* [features] of cap */
    uint32_t *dense;               /* [dense_n] of cap, ascending ids */
    uint32_t dense_n;
    uint32_t features; /* known to this module */
    uint32_t cap;
    double t;   /* weight of all instances */
    uint64_t n; /* instances */

    /* the instance applied last, [cap] each */
    struct homer_moments *fresh; /* moments including it, of the features it gives */
    uint8_t *state;              /* by feature: HOMER_ABSENT, HOMER_GIVEN, HOMER_NULL */
    float *given;                /* by feature: its value where given */
    uint32_t *touched;           /* [touched_n] features that are given or null */
    uint32_t touched_n;
    float *raw;            /* [dense_n] values of the dense features, NaN = missing */
    uint32_t *out_feature; /* scaled: the dense block, from `sparse` on the sparse one */
    float *out_x;
    uint32_t sparse;
};

void homer_scale_init(struct homer_scale *s, struct homer_mem *mem, bool absent_missing);
void homer_scale_deinit(struct homer_scale *s);
/* Makes room for ids below `features`; 0 or -ENOMEM with nothing changed. */
int homer_scale_reserve(struct homer_scale *s, uint32_t features);
/* Scales x: out_feature[0..return), out_x. The statistics stay. */
uint32_t homer_scale_apply(struct homer_scale *s, const struct homer_instance *x);
/* The statistics learn x, which was applied last. */
void homer_scale_commit(struct homer_scale *s, const struct homer_instance *x);
/* Decides density anew when it is time; called after an instance was learned. */
void homer_scale_redecide(struct homer_scale *s);
/* From now on all features are sparse; homer_scale_redecide is not called any more. */
void homer_scale_make_sparse(struct homer_scale *s);
void homer_scale_encode(const struct homer_scale *s, struct homer_codec *c);
/* Into an empty one, which then knows so many features. */
void homer_scale_decode(struct homer_scale *s, uint32_t features, struct homer_decoder *d);

#endif
