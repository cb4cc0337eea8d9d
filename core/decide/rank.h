/* Labels by score: ids, best score first, ties by smaller id. Pure; no allocation. */
#ifndef HOMER_DECIDE_RANK_H
#define HOMER_DECIDE_RANK_H

#include <stdint.h>

/* Sorts id[n] by p[id]. */
void homer_rank_sort(const float *p, uint32_t *id, uint32_t n);

/* The `n` best of `labels`: out[min(n, labels)]; returns how many. O(labels log n). */
uint32_t homer_rank_top(const float *p, uint32_t labels, uint32_t n, uint32_t *out);

/* The labels with p > .02, or the best 16 when fewer than five have that. out has room for `labels`; returns
 * how many. */
uint32_t homer_rank(const float *p, uint32_t labels, uint32_t *out);

/* The same of the labels id[labels] only, ascending; id NULL: of all. */
uint32_t homer_rank_top_of(const float *p, const uint32_t *id, uint32_t labels, uint32_t n, uint32_t *out);
uint32_t homer_rank_of(const float *p, const uint32_t *id, uint32_t labels, uint32_t *out);

#endif
