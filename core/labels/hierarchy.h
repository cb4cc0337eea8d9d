/* The living hierarchy of labels: a binary tree whose leaves, the clusters, partition the known labels by how
 * they co-occur, kept up to date instance by instance.
 *
 * After ODAC (Rodrigues, Gama, Pedroso, Hierarchical clustering of time series data streams, TKDE 2008) and
 * its use for labels in iHOMER, repaired for sparse labels: the dissimilarity is Jaccard's, evidence is
 * counted in pair events (two labels of one instance), and in place of splits and aggregations by diameters,
 * which are all 1 here, the labels are grouped anew (grouping.h: average linkage with at most max_leaf labels
 * a cluster, then single moves), and one test decides whether that replaces what there is.
 *
 * - regroup: a new grouping is taken when its quality is better by more than `replace`, or clusters have more
 *   than max_leaf labels. It is tried when there are an eighth more pair events than there have been since
 * the last drift (or that counts remember), at least 64, and an instance for every 32 neighbours that are
 * stored, which bounds its cost. It starts from the counts alone: of the order of arrival only they tell
 *
 * - drift: an ADWIN at each inner node watches the share of each instance's pairs that its cut separates; at
 *   the root, the share that clusters do. Where that rises, what is known of the labels below the topmost
 * such node counts next to nothing, and regrouping is tried 64 instances later, when others have had the time
 * to see the same drift, and soon again
 *
 * - arrival: a new label joins the leaf of its most frequent companion, else goes down to the smaller child;
 *   a leaf of more than 2 max_leaf labels is grouped anew, the others stay
 *
 * A cluster that has the same labels as before, and an inner node above the same two nodes, stay what they
 * are: id, counts, ADWIN. Between calls no leaf is empty (but the root of no labels) or has more than 2
 * max_leaf labels, and depth <= 2 + ceil(log2(leaves)).
 *
 * In ids; deterministic; ties go to the more frequent label, then to the smaller id. Owner: one thread.
 * Memory is charged to `mem`; only reserve allocates. */
#ifndef HOMER_LABELS_HIERARCHY_H
#define HOMER_LABELS_HIERARCHY_H

#include "core/drift/adwin.h"
#include "core/labels/grouping.h"
#include "core/labels/cooccur.h"

#define HOMER_NO_NODE UINT32_MAX

struct homer_hierarchy_config {
    double lambda;       /* fading of counts per instance, in (0, 1); .9998 */
    uint32_t neighbours; /* co-occurring labels counted per label, >= 1; 64 */
    double delta;        /* of the bound on pair events between clusters, in (0, 1); .05 */
    uint32_t max_leaf;   /* labels of a cluster, >= 2; 16 */
    double effect;  /* clusters that meet less often than chance by more than this share are kept apart; 0 */
    double replace; /* least gain in quality for which clusters change; 0 */
    double drift_delta; /* of the ADWINs on the structure; .002 */
    uint64_t seed;      /* of the generator that replaces neighbours; 1 */
};

struct homer_hierarchy_node {
    uint64_t id;       /* unique, never reused; the root always keeps its own */
    uint32_t parent;   /* slots; HOMER_NO_NODE: the root */
    uint32_t child[2]; /* both HOMER_NO_NODE: a leaf */
    uint32_t depth;    /* of the root: 0 */
    uint32_t first;    /* its labels are order[first .. first + labels), ascending in a leaf */
    uint32_t labels;
    double
        visits; /* weight of the instances with at least two of its labels, since its cut, or it, was made */
    double pairs;   /* weight of their pair events */
    double before;  /* weight of all instances that came before these */
    double cut;     /* weight of those that its cut separated; 0 in a leaf */
    uint32_t watch; /* private: its ADWIN; HOMER_NO_NODE: none */
    uint32_t hits;  /* private: labels of the instance at hand */
    bool drifted;   /* private: its ADWIN has just seen a rise */
};

enum homer_hierarchy_change {
    HOMER_HIERARCHY_REGROUP = 0,
    HOMER_HIERARCHY_DRIFT,
    HOMER_HIERARCHY_ARRIVAL,
    HOMER_HIERARCHY_CHANGES,
    HOMER_HIERARCHY_SPLIT = HOMER_HIERARCHY_CHANGES, /* these of learners/odac.h only */
    HOMER_HIERARCHY_AGGREGATE
};

/* What happened. regroup: node: the root; labels: those that are in a new cluster; before, after: the share
 * of all pair events that clusters separate. drift: the node, its labels, the mean share that its cut
 * separated before and since, as its ADWIN saw it. arrival (one event for all labels that came): node: where
 * the first one went, and its labels; before, after: known labels. */
struct homer_hierarchy_event {
    uint64_t seq;
    uint64_t node; /* id */
    enum homer_hierarchy_change change;
    uint32_t labels;
    double before, after;
};

struct homer_hierarchy {
    struct homer_mem *mem;
    struct homer_hierarchy_config config;
    struct homer_cooccur counts;
    struct homer_grouping grouper;
    uint32_t labels;                    /* known labels = placed labels */
    uint32_t cap;                       /* labels there is room for */
    uint32_t *order;                    /* [labels] labels, those of any node side by side */
    uint32_t *place;                    /* [labels] where a label stands in order */
    uint32_t *leaf;                     /* [labels] slot of the leaf a label is in */
    uint32_t *to;                       /* [labels] scratch of a change: the group of a label */
    uint32_t *members;                  /* [labels] scratch of a change, by group */
    struct homer_hierarchy_node *node;  /* [slots] in preorder */
    struct homer_hierarchy_node *spare; /* [node_cap] scratch of a change: the new tree */
    uint32_t *twin;    /* [node_cap] scratch of a change: the node of before; HOMER_NO_NODE: none */
    uint32_t node_cap; /* 2 cap: each leaf has a label */
    uint32_t slots;
    uint32_t *touched;         /* [node_cap] scratch of a learn: slots */
    struct homer_adwin *watch; /* [watch_cap] */
    uint32_t watch_cap, watches;
    uint32_t *free_watch; /* [free_watch_n] of watch_cap */
    uint32_t free_watch_n;
    uint64_t new_pairs;   /* pair events since regrouping was last tried */
    uint64_t new_visits;  /* instances that had any, since then */
    uint64_t due_pairs;   /* pair events after which it is tried again */
    uint64_t due_visits;  /* and instances */
    uint64_t since_drift; /* pair events since the last drift, or ever */
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

/* Takes in one labelset, weight 1, or what is known of it: y[0..n) ascending, each below `labels`, the number
 * of labels known now, which never falls; after a reserve for them. New labels get their place. Cannot fail.
 */
void homer_hierarchy_learn(struct homer_hierarchy *h, const uint32_t *y, uint32_t n, uint32_t labels,
                           uint64_t seq);

/* A node, borrowed until the next reserve or learn. Slot 0 is the root; slots change, ids do not. */
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

/* "regroup", "drift", "arrival" */
const char *homer_hierarchy_change_word(enum homer_hierarchy_change change);

/* The whole logical state, without the configuration and the events. */
void homer_hierarchy_encode(const struct homer_hierarchy *h, struct homer_codec *c);
/* Into one just made. */
void homer_hierarchy_decode(struct homer_hierarchy *h, uint32_t labels, struct homer_decoder *d);

#endif
