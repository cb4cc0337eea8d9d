/* Groups a set of labels by how they co-occur, and rates groupings.
 *
 * The set is loaded as a graph: one vertex a label, ranked by frequency (ties: smaller id), one edge a pair
 * that has co-occurred, with its weight of instances and its Jaccard similarity J. Everything below speaks in
 * ranks, so that renaming the labels does not change a result unless frequencies tie.
 *
 * Notation: v = pair events of a label or a group, T = sum of all v, both = pair events of two groups, x =
 * v_A v_B / T = what chance would give them.
 *
 * find, in two steps. 1. Average linkage in J, the two most similar groups first, as long as they have
 * together at most `most` labels and both >= a x: they do not meet less often than chance by more than the
 * share 1 - a. Groups that never met follow, smallest first, unless that is evidence, too: by chance it
 * happens with probability e^-x, which must not be below delta. 2. Passes of single moves, or swaps where the
 * better group is full, that raise the quality: the share of pair events inside groups less a times the share
 * that chance would put there, sum (v_c / T)^2: Newman's modularity (PRE 69, 066133, 2004) with the
 * resolution a of Reichardt and Bornholdt.
 *
 * join: the tree above the groups, again by average linkage; a pair is passed over where the tree could not
 * be finished within ceil(log2(groups)) + 2 levels.
 *
 * Both use that a merged group is never nearer to a third one than the nearer of its parts was (average
 * linkage is reducible: Bruynooghe 1977): nearest neighbours are kept in a heap and looked at again when
 * popped.
 *
 * Cost: O(m K) to load, O(m K log m) or so to find and to join. Scratch only: no state outlives a call of the
 * owner; nothing here allocates but reserve. One thread. */
#ifndef HOMER_LABELS_GROUPING_H
#define HOMER_LABELS_GROUPING_H

#include "core/labels/cooccur.h"

struct homer_edge {
    uint32_t to;      /* rank */
    float similarity; /* J */
    double both;      /* weight of the instances with both labels */
};

/* Two groups that may be merged, each named by its first rank. */
struct homer_link {
    double key; /* the largest one goes first; ties: smaller `of` */
    uint32_t of, with;
    uint32_t of_state, with_state; /* as of which the key holds */
};

/* A node of the tree above the groups: 0 .. groups - 1 are the groups, groups + i is join i. */
struct homer_join {
    uint32_t left, right;
};

struct homer_grouping_limits {
    uint32_t most;    /* labels of a group, >= 1 */
    double apart;     /* a, in [0, 1] */
    double log_delta; /* ln(1/delta) */
};

struct homer_grouping {
    struct homer_mem *mem;
    struct homer_grouping_limits limits;
    const struct homer_cooccur *counts; /* as of the last load */
    uint32_t m;                         /* labels in the set */
    uint32_t cap;                       /* labels there is room for */
    size_t edge_cap;
    uint32_t *label;         /* [m] by rank */
    uint32_t *rank;          /* [cap] by label; UINT32_MAX: not in the set */
    size_t *first;           /* [m] where the edges of a rank start */
    uint32_t *degree;        /* [m] and how many they are */
    struct homer_edge *edge; /* [edge_cap] */
    double *volume;          /* [m] v of a rank */
    double total;            /* T */
    uint32_t *group;         /* [m] the grouping, found or to be rated: numbers from 0, none left out */
    uint32_t groups;
    struct homer_join *joint; /* [groups - 1] */

    /* scratch; by group: by its first rank while linking, by its number while moving */
    uint32_t *head;   /* [m] by group: its first member */
    uint32_t *next;   /* [m] by rank: the next member; UINT32_MAX: the last one */
    uint32_t *tail;   /* [m] by group: its last member */
    uint32_t *size;   /* [m] by group: labels; UINT32_MAX: merged into another */
    uint32_t *state;  /* [m] by group: goes up when it is merged */
    uint32_t *height; /* [m] by group: levels below it */
    uint32_t *node;   /* [m] by group: its node in the tree */
    double *mass;     /* [m] by group: v */
    double *near;     /* [m] by group: sum of J to the group at hand */
    double *both;     /* [m] by group: pair events with it */
    uint32_t *seen;   /* [seen_n] groups that have any */
    uint32_t seen_n;
    struct homer_link *heap; /* [2 cap] */
    uint32_t heap_n;
};

/* What a grouping is worth. */
struct homer_grouping_rating {
    double pairs;   /* pair events inside the set, in instances, faded */
    double apart;   /* share of them that the groups separate */
    double quality; /* see above */
};

void homer_grouping_init(struct homer_grouping *g, struct homer_mem *mem,
                         const struct homer_grouping_limits *limits);
void homer_grouping_deinit(struct homer_grouping *g);

/* Room for sets of `labels` labels that have `pairs` neighbours stored; 0, or -ENOMEM with nothing changed.
 */
int homer_grouping_reserve(struct homer_grouping *g, uint32_t labels, uint64_t pairs);

/* All there is to write of it, for a snapshot only: what it has room for, at least `labels`. */
void homer_grouping_put_room(const struct homer_grouping *g, struct homer_codec *c);
void homer_grouping_get_room(struct homer_grouping *g, uint32_t labels, struct homer_decoder *d);

/* Loads the set[0..m), m >= 1. */
void homer_grouping_load(struct homer_grouping *g, const struct homer_cooccur *c, const uint32_t *set,
                         uint32_t m);

/* Groups the loaded set, into group and groups. */
void homer_grouping_find(struct homer_grouping *g);

/* Renumbers group, which holds any numbers below `cap`, by the first rank of each; counts groups. */
void homer_grouping_number(struct homer_grouping *g);

/* Rates the grouping in `group`. */
void homer_grouping_rate(struct homer_grouping *g, struct homer_grouping_rating *out);

/* The tree above the grouping in `group`, as homer_grouping_number leaves it, into joint; the last join is
 * its root. Of the two sides of a join, the one with the most frequent label is left. Uses up `group`. */
void homer_grouping_join(struct homer_grouping *g);

/* grouping_move.c, the second step of find: raises the quality as far as moves of one or two labels do. */
void homer_grouping_move(struct homer_grouping *g);

#endif
