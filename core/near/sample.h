/* Up to 256 instances of a window, laid out for the growth of a tree: instances are numbered from 0 and sets
 * of them are bit sets; for each sparse feature there is the set of instances that have it, with their
 * values; labels stand side by side. Memory: 60 bytes per sparse entry of the instances, 4 per positive and
 * per known feature, 32 per label. One thread; charged to mem. */
#ifndef HOMER_NEAR_SAMPLE_H
#define HOMER_NEAR_SAMPLE_H

#include "core/near/window.h"

enum { HOMER_SAMPLE_SIZE = 256, HOMER_SAMPLE_WORDS = HOMER_SAMPLE_SIZE / 64 };

struct homer_sample_feature {
    uint64_t have[HOMER_SAMPLE_WORDS];  /* instances that have it */
    uint32_t value[HOMER_SAMPLE_WORDS]; /* place of the value of each word's first instance */
    uint32_t feature;
};

struct homer_sample {
    struct homer_mem *mem;
    const struct homer_window *window;
    uint32_t n;
    uint32_t slot[HOMER_SAMPLE_SIZE];            /* of the window */
    uint32_t first_label[HOMER_SAMPLE_SIZE + 1]; /* label[first_label[i]..first_label[i + 1]) are true of i */
    uint32_t *label;                             /* [label_cap] */
    uint64_t (*having)[HOMER_SAMPLE_WORDS];      /* [having_cap] by label: the instances that it is true of */
    struct homer_sample_feature *feature;        /* [features] of entry_cap */
    uint32_t features;
    float *value;    /* [entry_cap] values by feature, ascending instances */
    uint32_t *place; /* [place_cap] by feature id: 1 + place in feature; 0: no instance has it */
    uint32_t label_cap, entry_cap, place_cap, having_cap;
};

void homer_sample_init(struct homer_sample *s, struct homer_mem *mem, const struct homer_window *w);
void homer_sample_deinit(struct homer_sample *s);
/* Room for labels below `labels`, more than before, and no more. 0, and the sample is empty; or -ENOMEM. */
int homer_sample_widen(struct homer_sample *s, uint32_t labels);
/* Room for any instances of the window and one more of f. 0 or -ENOMEM; the sample is empty then. */
int homer_sample_reserve(struct homer_sample *s, const struct homer_frame *f);
/* Takes the n instances in these slots, at most HOMER_SAMPLE_SIZE. */
void homer_sample_take(struct homer_sample *s, const uint32_t *slot, uint32_t n);

/* The instances among `of` whose value of a feature (absent: 0) is beyond the threshold, which is not 0, on
 * its side of 0: above it where it is positive, else not above it. The feature is sparse; some instance has
 * it. */
void homer_sample_beyond(const struct homer_sample *s, uint32_t feature, float threshold, const uint64_t *of,
                         uint64_t *out);

/* A sample is taken anew before it is used: its room is all there is to write, and to read; that for
 * labels is known. */
void homer_sample_put_room(const struct homer_sample *s, struct homer_codec *c);
void homer_sample_get_room(struct homer_sample *s, uint32_t labels, struct homer_decoder *d);

#endif
