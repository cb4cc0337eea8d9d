/* Numbers as text, for JSON: independent of the locale, the shortest digits that read back to the same value.
 * Pure; any thread; nothing can fail. */
#ifndef HOMER_PROTO_NUM_H
#define HOMER_PROTO_NUM_H

#include <stddef.h>
#include <stdint.h>

enum { HOMER_NUM_MAX = 40 }; /* room that any of these needs */

/* Each writes to out[HOMER_NUM_MAX], without a NUL, and returns the bytes written. v is finite. */
size_t homer_num_u64(char *out, uint64_t v);
size_t homer_num_double(char *out, double v);
size_t homer_num_float(char *out, float v);

#endif
