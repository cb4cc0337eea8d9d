/* The living part of the learner: the hierarchy of labels, one or several Hoeffding trees for each of its
 * leaf clusters, and the drift detectors of every cluster and of the whole. An expert (expert.h): the trees
 * give three rows of evidence per label.
 *
 * A cluster's loss is min(1, 4/7 of the mean log-loss of its labels) under the whole model;
 * ADWIN(drift_delta) watches it, and the same of all labels. When a cluster's rises, its columns
 * are named in `softened`, for the linear experts to learn anew; when that of all labels does, those of every
 * cluster whose own has risen since by more than .3 of that (scope global: all): what one cluster's drift
 * does to the mean is no reason to forget the others. As long as a cluster's loss does not come back, its
 * columns are named again and again (recovery.h), without another event. When the hierarchy regroups labels,
 * each new cluster's trees are copies of those that had most of its labels; labels that came from elsewhere
 * begin neutral there. Changes take effect with the next instance, prepared before it and shown only when it
 * is learned. A tree learns an instance if at least a third of the labels of its cluster are known; one that
 * is not is drawn with the probability that the whole model gave it: filled in, so that it is not learned as
 * false. The hierarchy learns the known positives of partial labellings as if they were all: known at random,
 * labels meet less often, and all of them alike. One thread; memory charged to mem. */
#ifndef HOMER_CLUSTERS_H
#define HOMER_CLUSTERS_H

#include "core/drift/adwin.h"
#include "core/drift/recovery.h"
#include "core/labels/hierarchy.h"
#include "core/leaf/expert.h"
#include "core/tree/forest.h"

enum homer_drift_scope { HOMER_DRIFT_OFF = 0, HOMER_DRIFT_CLUSTER, HOMER_DRIFT_GLOBAL, HOMER_DRIFT_BOTH };

struct homer_clusters_config {
    struct homer_hierarchy_config hierarchy;
    struct homer_tree_config tree;
    double drift_delta;           /* of the ADWINs on losses; .002 */
    enum homer_drift_scope scope; /* which of them act */
    size_t tree_bytes;            /* trees above this give up their least promising leaves; 0 = no bound */
    bool random_groups; /* for measuring, no user's key: the hierarchy learns labelsets drawn at random */
};

void homer_clusters_config_default(struct homer_clusters_config *c);

struct homer_cluster {
    uint64_t id; /* of the hierarchy's leaf */
    uint32_t m;
    uint32_t *label; /* [m] ascending: what the trees' columns stand for */
    struct homer_forest *forest;
    struct homer_adwin loss;
    struct homer_recovery recovery; /* from its last drift */
    uint64_t drifts;
    bool borrowed; /* staged: forest and labels belong to the present cluster of that id */

    bool known;    /* enough of its labels are, of the instance at hand */
    bool softened; /* named in softened by the last learn */
};

/* drift: place `cluster` or `global`, before and after: mean loss; structure: a change of the hierarchy, see
 * there. */
enum homer_event_kind {
    HOMER_EVENT_STRUCTURE = 0,
    HOMER_EVENT_CLUSTER_DRIFT,
    HOMER_EVENT_GLOBAL_DRIFT,
    HOMER_EVENT_TREE_SPLIT,
    HOMER_EVENT_KINDS
};

struct homer_event {
    uint64_t seq;
    uint64_t node; /* id of the hierarchy's node; 0 for global */
    enum homer_event_kind kind;
    enum homer_hierarchy_change change; /* of a structure event */
    uint32_t labels;
    double before, after;
};

enum { HOMER_EVENTS_KEPT = 1024 };

struct homer_clusters {
    struct homer_mem *mem;
    struct homer_clusters_config config;
    struct homer_hierarchy hierarchy;
    struct homer_cluster *cluster; /* [n] in preorder of the hierarchy */
    uint32_t n;
    uint64_t generation;          /* of the hierarchy that `cluster` shows */
    struct homer_cluster *staged; /* [staged_n] for the coming instance; NULL: none */
    uint32_t staged_n;
    uint64_t staged_generation;
    uint64_t stage_next;                 /* instance before which clusters are not made anew */
    bool stage_refused;                  /* by the memory cap, for the instance at hand */
    struct homer_adwin loss;             /* of all labels */
    struct homer_rng rng;                /* draws the trees' weights; used when there are several */
    struct homer_rng drawn;              /* the same after the instance that is prepared */
    uint64_t counted[HOMER_EVENT_KINDS]; /* events ever, by kind */

    struct homer_event *event; /* the last HOMER_EVENTS_KEPT, a ring */
    uint64_t events;           /* ever */

    uint32_t *softened; /* [softened_n] columns that the last learn found drifted */
    uint32_t softened_n;
    uint32_t *on; /* scratch: columns that are true */
    uint32_t *of; /* scratch: by label, its cluster + 1 */
    float *log;   /* scratch [label_cap]: ln of what the truth of a label had been given */
    uint32_t label_cap;
};

int homer_clusters_init(struct homer_clusters *c, struct homer_mem *mem,
                        const struct homer_clusters_config *config);
/* Everything else through homer_clusters_ops. */

/* Without clusters, for very many labels: the hierarchy and the detector of all labels only. drop frees the
 * clusters that there are, and begins the detector anew; reserve makes room for a labelset of n labels with
 * `labels` known, 0 or -ENOMEM with nothing visible changed; learn takes in the frame's labels, positive,
 * positive_n and seq and the loss of the instance, in [0, 1] (negative: none). True: weights are to learn
 * anew. */
void homer_clusters_drop(struct homer_clusters *c);
int homer_clusters_reserve_groups(struct homer_clusters *c, uint32_t n, uint32_t labels);
bool homer_clusters_learn_groups(struct homer_clusters *c, const struct homer_frame *f, double loss);

/* The cluster of a hierarchy leaf, or NULL while it has no tree yet. */
const struct homer_cluster *homer_clusters_find(const struct homer_clusters *c, uint64_t id);
/* Number and kinds of events ever, and those of the ring `event` that are kept; decode: there is a ring,
 * unless `event` is NULL, which allows of none. */
void homer_events_encode(const struct homer_event *event, const uint64_t counted[HOMER_EVENT_KINDS],
                         uint64_t events, struct homer_codec *c);
void homer_events_decode(struct homer_event *event, uint64_t counted[HOMER_EVENT_KINDS], uint64_t *events,
                         struct homer_decoder *d);
/* Event number i (0 = first ever) if it is still kept, else NULL. */
const struct homer_event *homer_clusters_event(const struct homer_clusters *c, uint64_t i);

#endif
