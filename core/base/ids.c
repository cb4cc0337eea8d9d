#include "core/base/ids.h"

void homer_sort_ids(uint32_t *id, uint32_t n) {
    for (uint32_t gap = n / 2; gap > 0; gap /= 2)
        for (uint32_t i = gap; i < n; i++) {
            uint32_t x = id[i], j = i;
            for (; j >= gap && id[j - gap] > x; j -= gap) id[j] = id[j - gap];
            id[j] = x;
        }
}
