/* One instance in ids: a sparse vector of features and a labelset, complete or partial. Plain data; the
 * arrays are the caller's. */
#ifndef HOMER_INSTANCE_H
#define HOMER_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

struct homer_instance {
    /* Features given, each id at most once; any order (the model sorts nothing: sums run in this order).
     * Zeros may be listed: they equal absence, except under `absent: missing`. When predicting, non-zero ones
     * that have no id yet stand as UINT32_MAX: they count in the length of the sparse block as they would if
     * they were learned. */
    const uint32_t *feature; /* [feature_n] */
    const float *value;      /* [feature_n], finite */
    uint32_t feature_n;
    uint32_t text_n; /* the last text_n of them are words of a text, already weighted (1 + ln tf): scaled by
                        no moments */
    const uint32_t *missing; /* [missing_n]: features given as null */
    uint32_t missing_n;

    const uint32_t *positive; /* [positive_n], ascending, distinct: the labels that are true */
    uint32_t positive_n;
    const uint32_t *negative; /* [negative_n], ascending, distinct: labels known to be false; partial only */
    uint32_t negative_n;
    bool partial;  /* labels in neither list are unknown; false: they are false */
    double weight; /* > 0 */
};

#endif
