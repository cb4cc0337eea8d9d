/* Lists of ids. */
#ifndef HOMER_BASE_IDS_H
#define HOMER_BASE_IDS_H

#include <stdbool.h>
#include <stdint.h>

/* Sorts id[n], ascending: in place, without recursion or memory. For ids that no client chooses the order of:
 * Shell's sort with halved gaps takes n^2 steps at worst. */
void homer_sort_ids(uint32_t *id, uint32_t n);

/* A walk through the union of a[a_n] and b[b_n], both ascending and distinct. */
struct homer_union {
    const uint32_t *a, *b;
    uint32_t a_n, b_n;
};

/* The next id, ascending, and whether b has it; false at the end. */
static inline bool homer_union_next(struct homer_union *u, uint32_t *id, bool *in_b) {
    if (!u->a_n && !u->b_n) return false;
    *in_b = u->b_n && (!u->a_n || *u->b <= *u->a);
    *id = *in_b ? *u->b : *u->a;
    bool in_a = u->a_n && *u->a == *id;
    u->a += in_a, u->a_n -= in_a;
    u->b += *in_b, u->b_n -= *in_b;
    return true;
}

#endif
