/* iHOMER as published (Neves, Lourenco, Cano, Marreiros, ECAI 2025, arXiv 2507.20894), as close as its text
 * allows: a learner to compare with, whole in itself.
 *
 * Labels are clustered online (odac.h); clusters with fewer labels than the most frequent labelset has are
 * joined with the next one in preorder, as the authors' program does. Each partition has a multi-label
 * Hoeffding adaptive tree (mlhat.h), and the predictions of all are put together: a label's score is its
 * tree's, and the published labelset is that of the scores above 1/2. When the clustering changes, a
 * partition with the same labels keeps its tree, all others begin with a fresh one. Drift, locally: the
 * trees' own ADWINs and alternate subtrees; the loss of each partition is watched too, which is reported and
 * changes nothing. Globally: ADWIN(.002) on the Hamming loss of all labels; when it rises the clustering
 * begins anew, with all labels in one partition.
 *
 * Beyond the text, because a live stream needs it: labels that come late join the smallest cluster; partial
 * labellings teach the logistic regressions what they tell, and the rest of a tree only when all its labels
 * are known; the clustering counts complete labellings only. An instance's weight counts for classes,
 * observers and losses of branches; neighbours, regressions and the clustering take it as one. Changes are
 * prepared with the instance after they were decided. A feature that is not listed, or given as null, is 0.
 * One thread; memory charged to mem. */
#ifndef HOMER_LEARNERS_IHOMER_PAPER_H
#define HOMER_LEARNERS_IHOMER_PAPER_H

#include "core/clusters.h" /* what an event is */
#include "core/learners/mlhat.h"
#include "core/learners/odac.h"

struct homer_paper_config {
    struct homer_odac_config odac;
    struct homer_mlhat_config tree;
    double drift_delta; /* of the ADWINs on the losses of partitions and of all; .002 */
    uint64_t seed;
};

struct homer_paper_part {
    uint64_t id; /* of the leaf of the clustering that its first label was in at its beginning */
    uint32_t m, cap;
    uint32_t *label; /* [m] ascending: what the tree's columns stand for */
    struct homer_mlhat *tree;
    struct homer_adwin loss;
    uint64_t drifts;
    bool borrowed; /* staged: label and tree belong to the present part of the same id */
};

enum { HOMER_PAPER_SIZES = 64, HOMER_PAPER_ROOT = 1 /* id of the clustering's root */ };

struct homer_paper {
    struct homer_mem *mem;
    struct homer_paper_config config;
    struct homer_query query;
    struct homer_odac odac;
    struct homer_paper_part *part; /* [parts] */
    uint32_t parts;
    struct homer_paper_part *staged; /* [staged_n] for the coming instance; NULL: none */
    uint32_t staged_n;
    uint64_t generation; /* of the partition */
    uint64_t clustered;  /* odac.generation that it shows */
    uint64_t stage_next; /* instance before which it is not made anew */
    bool stage_refused;  /* by the memory cap, for the instance at hand */
    uint64_t trees;      /* ever made */
    struct homer_adwin loss;
    uint64_t sizes[HOMER_PAPER_SIZES]; /* complete labellings by number of labels, larger ones in the last */
    struct homer_memo *memo;           /* of the instance prepared */
    uint32_t labels, features;
    struct homer_grid label_count, feature_count; /* f64 weights */
    struct homer_grid map;                        /* u32 rows, by label */
    struct homer_grid f32, f64;                   /* scratch rows */
    uint64_t seq;
    struct homer_event *event; /* the last HOMER_EVENTS_KEPT, a ring */
    uint64_t events, counted[HOMER_EVENT_KINDS];
};

void homer_paper_config_default(struct homer_paper_config *c);
/* 0, or -ENOMEM and nothing to deinit. */
int homer_paper_init(struct homer_paper *p, struct homer_mem *mem, const struct homer_paper_config *config);
void homer_paper_deinit(struct homer_paper *p);

/* As in flat.h: reserve, predict, prepare, then learn or cancel. */
int homer_paper_reserve(struct homer_paper *p, uint32_t features, uint32_t labels);
const float *homer_paper_predict(struct homer_paper *p, const struct homer_instance *x);
int homer_paper_prepare(struct homer_paper *p, const struct homer_instance *x, uint32_t labels, uint64_t seq);
void homer_paper_cancel(struct homer_paper *p);
const float *homer_paper_learn(struct homer_paper *p, const struct homer_instance *x, uint32_t features,
                               uint32_t labels);
/* ihomer_paper_codec.c; decode: into one just made, so many features and labels being known. */
void homer_paper_encode(const struct homer_paper *p, struct homer_codec *c);
void homer_paper_decode(struct homer_paper *p, uint32_t features, uint32_t labels, struct homer_decoder *d);

/* Event number i (0 = first ever) if it is still kept, else NULL. */
const struct homer_event *homer_paper_event(const struct homer_paper *p, uint64_t i);

#endif
