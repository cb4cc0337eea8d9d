/* The order that Python's random.Random(seed).shuffle(list) gives a list, so that a shuffled stream is the
 * same one here and in a study made with Python. Pure.
 *
 * Python seeds MT19937 (Matsumoto, Nishimura 1998) by init_by_array with the 32-bit digits of |seed|, draws
 * an index below n as the top bits of a word, again while it is not below n, and swaps from the end (Fisher,
 * Yates). */
#ifndef HOMER_CLI_SHUFFLE_H
#define HOMER_CLI_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* |seed| as Python takes it: the sign does not matter. order[0..n) becomes the permuted indices 0..n-1; n <
 * 2^32. */
void homer_shuffle(uint64_t seed, uint32_t *order, uint32_t n);

#endif
