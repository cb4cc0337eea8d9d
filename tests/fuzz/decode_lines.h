/* Lines of learn, predict and test for fuzzing: of the usual shape and mostly right, like the lines before
 * them, with something odd or wrong in about half of them. */
#ifndef HOMER_FUZZ_DECODE_LINES_H
#define HOMER_FUZZ_DECODE_LINES_H

#include <stddef.h>
#include <stdint.h>

/* Where the choices come from: the first bytes of data, then a generator that they and all before seed. */
void decode_lines_begin(const uint8_t *data, size_t n);
/* The next line; borrowed until the next call. */
const char *decode_line(size_t *n);

#endif
