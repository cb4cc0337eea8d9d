/* Inside the record format only: what encode and decode share. */
#ifndef HOMER_DAEMON_RECORD_IMPL_H
#define HOMER_DAEMON_RECORD_IMPL_H

#include <string.h>
#include "daemon/record.h"

enum { HOMER_RECORD_VERSION = 1 };

enum {
    FIELD_X = 1 << 0,       /* count, then pairs: type u8, name, value */
    FIELD_Y = 1 << 1,       /* count, then names, each with a u8 0 or 1 behind it in a partial labelling */
    FIELD_PARTIAL = 1 << 2, /* nothing */
    FIELD_WEIGHT = 1 << 3,  /* f64, not 1 */
    FIELD_TEXT = 1 << 4,
    FIELD_SRC = 1 << 5,
    FIELD_N = 1 << 6,
    FIELD_REF = 1 << 7,
    FIELD_NAME = 1 << 8,
    FIELD_CONFIG = 1 << 9,
    FIELD_FLAG = 1 << 10, /* nothing */
    FIELDS = (1 << 11) - 1,
};

enum pair_type {
    PAIR_F64,    /* a number that 32 bits do not hold exactly */
    PAIR_F32,    /* a number that they do */
    PAIR_FALSE,  /* no value */
    PAIR_TRUE,   /* no value */
    PAIR_STRING, /* string */
    PAIR_ITEM,   /* string */
    PAIR_AGAIN,  /* string; an item of the same bag as the pair before, hence no name */
    PAIR_MISSING /* no value */
};

/* A number of the range that requests allow, which 32 bits hold exactly. */
static inline bool homer_record_is_f32(double v) {
    return (double)(float)v == v;
}

static inline bool homer_record_same(struct homer_str a, struct homer_str b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

#endif
