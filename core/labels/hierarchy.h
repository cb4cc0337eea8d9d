/* The living hierarchy of labels: a binary tree whose leaves, the clusters, partition the known labels by how
 * they co-occur, kept up to date instance by instance.
 *
 * After ODAC (Rodrigues, Gama, Pedroso, Hierarchical clustering of time series data streams, TKDE 2008),
 * repaired for sparse labels: the dissimilarity is Jaccard's, the n of the Hoeffding bounds is the number of
 * pair events, and in place of diameters, which are all 1 here, cuts are judged by the share of pair events
 * that they separate.
 *
 * Notation: pair event = two labels of one instance; of a cluster, P = its pair events (faded), f = share of
 * them that a cut separates, f0 = share expected of random pairs with the same degrees,
 * e = sqrt(ln(1/delta) / (2P)).
 *
 * - split: a leaf, when it has more than max_leaf labels, or min_split and the best cut has f0 - f > e +
 * effect
 *
 * - replace: an inner node's cut, when a fresh one raises f0 - f by more than e + replace; what is below is
 *   rebuilt
 *
 * - aggregate: two sibling leaves of together at most max_leaf labels, when f0 - f < aggregate and the best
 *   f0 - f < e + effect
 *
 * - drift: an ADWIN at each inner node watches the share of each instance's pairs that its cut separates;
 * when that rises, what is known of the labels below counts less, and the node is rebuilt, as it is at its
 * next three checks, when more is new; the nodes above wait for their own ADWINs
 *
 * - arrival: a new label joins the leaf of its most frequent companion, else goes down to the smaller child
 *
 * - balance: arrivals have left one side of a node with less than a tenth of its labels: it is rebuilt
 *
 * A node is checked after max(64, 2 x labels, half its P) new pair events, and as many visits as it has
 * labels. Between calls: no leaf is empty (but the root of no labels) or has more than 2 max_leaf labels, no
 * side of an inner node less than a tenth of its labels, so depth <= 1 + ln(labels) / ln(10/9).
 *
 * In ids; deterministic; ties go to the more frequent label, then to the smaller id. Owner: one thread.
 * Memory is charged to `mem`; only reserve allocates. */
#ifndef HOMER_LABELS_HIERARCHY_H
#define HOMER_LABELS_HIERARCHY_H

#include "core/drift/adwin.h"
#include "core/labels/bipartition.h"
#include "core/labels/cooccur.h"

#define HOMER_NO_NODE UINT32_MAX

struct homer_hierarchy_config {
    double lambda;       /* fading of counts per instance, in (0, 1); .9998 */
    uint32_t neighbours; /* co-occurring labels counted per label, >= 1; 64 */
    double delta;        /* of the bounds on cuts and pivots, in (0, 1); .05 */
    uint32_t max_leaf;   /* labels a leaf may have without a reason to split, >= min_split; 16 */
    uint32_t min_split;  /* labels a leaf must have to split for a reason, >= 2; 4 */
    double effect;       /* least gain in f0 - f that counts; .05 */
    double replace;      /* least rise of f0 - f by which a cut replaces another; .01 */
    double aggregate;    /* f0 - f below which siblings may be joined; .025 */
    double drift_delta;  /* of the ADWINs on the structure; .002 */
    uint64_t seed;       /* of the generator that replaces neighbours; 1 */
};

struct homer_hierarchy_node {
    uint64_t id;       /* unique, never reused; a leaf keeps its id while no label leaves it */
    uint32_t parent;   /* slots; HOMER_NO_NODE: the root */
    uint32_t child[2]; /* both HOMER_NO_NODE: a leaf */
    uint32_t depth;    /* of the root: 0 */
    uint32_t first;    /* its labels are order[first .. first + labels), ascending in a leaf */
    uint32_t labels;
    double
        visits; /* weight of the instances with at least two of its labels, since its cut, or it, was made */
    double pairs;        /* weight of their pair events */
    double before;       /* weight of all instances that came before these */
    double cut;          /* weight of those that its cut separated; 0 in a leaf */
    uint64_t new_pairs;  /* pair events since the last check */
    uint64_t new_visits; /* instances that had any, since then */
    uint64_t due_pairs;  /* pair events after which it is checked again */
    uint32_t watch;      /* private: its ADWIN; HOMER_NO_NODE: none */
    uint32_t renewals;   /* private: checks at which it will be rebuilt whatever its cut is worth */
    uint32_t hits;       /* private: labels of the instance at hand */
    bool drifted;        /* private: its ADWIN has just seen a rise */
};

enum homer_hierarchy_change {
    HOMER_HIERARCHY_SPLIT = 0,
    HOMER_HIERARCHY_REPLACE,
    HOMER_HIERARCHY_AGGREGATE,
    HOMER_HIERARCHY_DRIFT,
    HOMER_HIERARCHY_ARRIVAL,
    HOMER_HIERARCHY_BALANCE,
    HOMER_HIERARCHY_CHANGES
};

/* What happened to a node. before, after: of split, replace, aggregate, balance: the share f of its pair
 * events that its cut separated, 0 while a leaf; of drift: the mean share before and since, as its ADWIN saw
 * it; of arrival (one event for all labels that came; node: where the first one went): known labels. */
struct homer_hierarchy_event {
    uint64_t seq;
    uint64_t node; /* id */
    enum homer_hierarchy_change change;
    uint32_t labels; /* of the node */
    double before, after;
};

struct homer_hierarchy {
    struct homer_mem *mem;
    struct homer_hierarchy_config config;
    double log_delta; /* ln(1/delta) */
    double memory;    /* 1/(1 - lambda): instances that faded counts amount to at most */
    struct homer_cooccur counts;
    struct homer_bipartition cutter;
    uint32_t labels;                   /* known labels = placed labels */
    uint32_t cap;                      /* labels there is room for */
    uint32_t *order;                   /* [labels] labels, those of any node side by side */
    uint32_t *place;                   /* [labels] where a label stands in order */
    uint32_t *leaf;                    /* [labels] slot of the leaf a label is in */
    uint64_t *was;                     /* [labels] scratch of a rebuild: id of the leaf a label was in */
    uint32_t *was_n;                   /* [labels] and how many labels that had */
    struct homer_hierarchy_node *node; /* [slots] slot 0 is the root */
    uint32_t node_cap;                 /* 2 cap + 1: each leaf has a label */
    uint32_t slots;                    /* slots ever in use */
    uint32_t *free_slot;               /* [free_n] of node_cap */
    uint32_t free_n;
    uint32_t *touched;         /* [node_cap] scratch of a learn: slots */
    struct homer_adwin *watch; /* [watch_cap] */
    uint32_t watch_cap, watches;
    uint32_t *free_watch; /* [free_watch_n] of watch_cap */
    uint32_t free_watch_n;
    uint64_t next_id;
    uint64_t generation; /* goes up when the partition into leaves has changed */
    uint32_t leaves;
    struct homer_hierarchy_event *events; /* [events_n] of the last learn, in the order they happened */
    uint32_t events_n, events_cap;
};

void homer_hierarchy_config_default(struct homer_hierarchy_config *c);

/* No labels, no memory but the root. 0, or -ENOMEM (nothing to deinit then). The configuration must be in
 * range. */
int homer_hierarchy_init(struct homer_hierarchy *h, struct homer_mem *mem,
                         const struct homer_hierarchy_config *config);
void homer_hierarchy_deinit(struct homer_hierarchy *h);

/* Allocates all that one following learn of n labels, with `labels` known, may need. 0, or -ENOMEM with
 * nothing visible changed. */
int homer_hierarchy_reserve(struct homer_hierarchy *h, uint32_t n, uint32_t labels);

/* Takes in one complete labelset, weight 1: y[0..n) ascending, each below `labels`, the number of labels
 * known now, which never falls; after a reserve for them. New labels get their place. Cannot fail. */
void homer_hierarchy_learn(struct homer_hierarchy *h, const uint32_t *y, uint32_t n, uint32_t labels,
                           uint64_t seq);

/* A node, borrowed until the next reserve or learn. Slot 0 is the root; slots are reused, ids never. */
static inline const struct homer_hierarchy_node *homer_hierarchy_node(const struct homer_hierarchy *h,
                                                                      uint32_t slot) {
    return &h->node[slot];
}

static inline bool homer_hierarchy_is_leaf(const struct homer_hierarchy *h, uint32_t slot) {
    return h->node[slot].child[0] == HOMER_NO_NODE;
}

/* The labels of a node, [node->labels]; borrowed as the node. */
static inline const uint32_t *homer_hierarchy_labels(const struct homer_hierarchy *h, uint32_t slot) {
    return h->order + h->node[slot].first;
}

/* The slot of the leaf that a known label is in. */
static inline uint32_t homer_hierarchy_cluster_of(const struct homer_hierarchy *h, uint32_t label) {
    return h->leaf[label];
}

/* The next node in preorder, starting with the root (slot 0); HOMER_NO_NODE after the last one. */
uint32_t homer_hierarchy_next(const struct homer_hierarchy *h, uint32_t slot);

/* Mean Jaccard similarity of the pairs of labels on the same side of the node's cut (in a leaf: of all its
 * pairs), and of the pairs that the cut separates (in a leaf: 0). For display: O(labels x neighbours). */
void homer_hierarchy_cohesion(const struct homer_hierarchy *h, uint32_t slot, double *within,
                              double *between);

/* "split", "replace", ... */
const char *homer_hierarchy_change_word(enum homer_hierarchy_change change);

/* The whole logical state, without the configuration and the events. */
void homer_hierarchy_encode(const struct homer_hierarchy *h, struct homer_codec *c);

#endif
