/* A 64-bit checksum of bytes (XXH3), for what is stored on disk. Finds damage; proves nothing against
 * somebody who knows the seed. Pure; any thread. */
#ifndef HOMER_BASE_SUM_H
#define HOMER_BASE_SUM_H

#include <stddef.h>
#include <stdint.h>

uint64_t homer_sum64(uint64_t seed, const void *bytes, size_t n);

#endif
