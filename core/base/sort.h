#ifndef HOMER_SORT_H
#define HOMER_SORT_H

#include <stdint.h>

/* Sorts id[n], ascending: in place, without recursion or memory. For ids that no client chooses the order of:
 * Shell's sort with halved gaps takes n^2 steps at worst. */
void homer_sort_ids(uint32_t *id, uint32_t n);

#endif
