/* Numbers of JSON to doubles, exactly: the nearest double, as strtod gives it in the C locale.
 *
 * Three steps, each only where the one before cannot settle it: a mantissa below 2^53 times or over a power
 * of ten up to 10^22, both exact, is rounded once (Clinger 1990); else the product of the mantissa and the
 * 128 leading bits of a power of five is rounded (Lemire, "Number Parsing at a Gigabyte per Second", 2021;
 * arXiv 2101.11408); what even that leaves open, and powers beyond the table, are left to the caller. Pure;
 * any thread. */
#ifndef HOMER_PROTO_NUMBER_H
#define HOMER_PROTO_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

struct homer_number {
    double d;
    int64_t i; /* integers only: exact */
    bool is_integer;
};

/* Bytes behind a text that the functions of proto/scan.h and this one may read, whatever they are. */
enum { HOMER_SCAN_PAD = 16 };

/* Reads the number that s begins with. Returns what stands behind it; NULL when it is no number of JSON's
 * grammar, an integer beyond 64 bits, or one that is not settled here. HOMER_SCAN_PAD bytes behind its end
 * must be readable, and the first of them must not continue it. */
const char *homer_number_read(const char *s, struct homer_number *out);

#endif
