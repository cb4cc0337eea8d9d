#include "core/base/sum.h"

#include <xxhash.h>

uint64_t homer_sum64(uint64_t seed, const void *bytes, size_t n) {
    return XXH3_64bits_withSeed(bytes, n, seed);
}
