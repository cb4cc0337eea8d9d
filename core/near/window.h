/* The last instances that were learned, as the nearest-neighbour experts search them: scaled features, the
 * truth, and what the first layer had predicted.
 *
 * A ring of HOMER_WINDOW slots. Squared Euclidean distances |x - x'|^2 = |x|^2 + |x'|^2 - 2 x.x' of an
 * instance to all slots come from an inverted index over its sparse features and full columns over its dense
 * ones; those of predictions z = sqrt(p) from full columns over labels with p > .001 (others count as 0). An
 * instance stays as it was scaled when it came; only where a feature was dense for one and sparse for the
 * other is their product left out. Where the memory cap refuses room for an instance, it is left out and the
 * oldest one given up, so that the window goes on with fewer. Memory: 4 bytes per dense feature or likely
 * label and slot, 16 per sparse entry. One thread; memory charged to mem. */
#ifndef HOMER_NEAR_WINDOW_H
#define HOMER_NEAR_WINDOW_H

#include "core/base/codec.h"
#include "core/leaf/frame.h"
#include "core/near/columns.h"
#include "core/near/postings.h"

enum { HOMER_WINDOW_SLOTS = 4000 };

struct homer_window_slot {
    uint32_t *feature; /* [feature_n] of feature_cap: the dense block, from sparse on the sparse one */
    float *x;          /* [feature_n] of feature_cap */
    uint32_t feature_n, feature_cap, sparse;
    uint32_t *label; /* [positive_n] true, then [negative_n] known to be false (partial only); of label_cap */
    uint32_t positive_n, negative_n, label_cap;
    uint32_t *likely; /* [likely_n] of likely_cap: labels with a z */
    uint32_t likely_n, likely_cap;
    bool partial;
    uint32_t set; /* its labelset's number, or HOMER_NO_NUMBER */
    float weight;
};

struct homer_window {
    struct homer_mem *mem;
    struct homer_window_slot slot[HOMER_WINDOW_SLOTS];
    float norm_x[HOMER_WINDOW_SLOTS], norm_z[HOMER_WINDOW_SLOTS]; /* |x|^2, |z|^2 */
    uint32_t next;                                                /* slot of the coming instance */
    uint32_t n;                                                   /* slots in use, those before next */
    bool capped; /* the memory cap refused room for the instance at hand */
    struct homer_postings sparse;
    struct homer_columns dense;
    struct homer_columns z;

    uint32_t used; /* a multiple of 8: later slots never were in use */

    /* of the instance at hand */
    float distance_x[HOMER_WINDOW_SLOTS]; /* [used] squared, of the slots in use */
    float distance_z[HOMER_WINDOW_SLOTS];
};

/* 0 and *out, or -ENOMEM. */
int homer_window_new(struct homer_window **out, struct homer_mem *mem);
struct homer_window *homer_window_free(struct homer_window *w);
int homer_window_reserve(struct homer_window *w, uint32_t features, uint32_t labels);

/* Fills distance_x for the frame's known features; distance_z for p[labels]. Changes only scratch. */
void homer_window_measure_x(struct homer_window *w, const struct homer_frame *f);
void homer_window_measure_z(struct homer_window *w, const float *p, uint32_t labels);

/* Room for the frame's instance; 0 or -ENOMEM, nothing visible changed. A refusal by the cap is forgiven. */
int homer_window_prepare(struct homer_window *w, const struct homer_frame *f);
/* The frame's instance, prepared and with truth, takes the place of the oldest. */
void homer_window_add(struct homer_window *w, const struct homer_frame *f);

/* The slot that was filled `age` instances ago (0: the last). */
static inline uint32_t homer_window_slot(const struct homer_window *w, uint32_t age) {
    return (w->next + HOMER_WINDOW_SLOTS - 1 - age) % HOMER_WINDOW_SLOTS;
}
/* window_codec.c; decode: into an empty window, with features and labels below these. */
/* Whether no slot in use names a labelset numbered `sets` or higher. */
bool homer_window_sets_hold(const struct homer_window *w, uint32_t sets);
void homer_window_encode(const struct homer_window *w, struct homer_codec *c);
void homer_window_decode(struct homer_window *w, uint32_t features, uint32_t labels, struct homer_decoder *d);

#endif
