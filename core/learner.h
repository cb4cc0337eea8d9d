/* The learning algorithm of a model: a table of operations over its state. From an instance to a probability
 * per label, and back. One thread. */
#ifndef HOMER_LEARNER_H
#define HOMER_LEARNER_H

#include "core/flat.h"
#include "core/learners/ihomer_paper.h"
#include "core/sparse/convert.h"

enum homer_learner_kind { HOMER_LEARNER_IHOMER = 0, HOMER_LEARNER_IHOMER_PAPER, HOMER_LEARNERS };

struct homer_learner;

/* What each does and promises: flat.h. */
struct homer_learner_ops {
    int (*reserve)(struct homer_learner *l, uint32_t features, uint32_t labels);
    const float *(*predict)(struct homer_learner *l, const struct homer_instance *x);
    int (*prepare)(struct homer_learner *l, const struct homer_instance *x, uint32_t features,
                   uint32_t labels, uint64_t seq);
    void (*cancel)(struct homer_learner *l);
    const float *(*learn)(struct homer_learner *l, const struct homer_instance *x, uint32_t features,
                          uint32_t labels);
    uint32_t (*labels)(const struct homer_learner *l); /* known */
    /* [*n] ascending: the labels whose score may not be 0, of the last predict, until the next call; NULL:
     * that is said of none */
    const uint32_t *(*scored)(const struct homer_learner *l, uint32_t *n);
    const double *(*label_counts)(const struct homer_learner *l); /* [labels] weight of the positives */
    double (*feature_count)(const struct homer_learner *l,
                            uint32_t feature); /* weight of the instances with it */
    void (*encode)(const struct homer_learner *l, struct homer_codec *c);
    void (*decode)(struct homer_learner *l, uint32_t features, uint32_t labels, struct homer_decoder *d);
    void (*deinit)(struct homer_learner *l);
};

struct homer_learner {
    const struct homer_learner_ops *ops;
    union {
        struct homer_flat flat;
        struct homer_paper paper;
        struct homer_sparse sparse;
    };
    struct homer_sparse *next; /* that the flat one turns into with the instance at hand; NULL */
};

/* The algorithms described in flat.h, sparse/sparse.h and learners/ihomer_paper.h. 0, or -ENOMEM and nothing
 * to deinit. */
int homer_learner_init_ihomer(struct homer_learner *l, struct homer_mem *mem, bool absent_missing,
                              enum homer_profile profile, const struct homer_clusters_config *clusters);
int homer_learner_init_sparse(struct homer_learner *l, struct homer_mem *mem, bool absent_missing,
                              enum homer_profile profile, const struct homer_clusters_config *clusters);
int homer_learner_init_paper(struct homer_learner *l, struct homer_mem *mem, uint64_t seed);
/* Of a flat learner that has prepared an instance: makes ready for the sparse one to go on with all that was
 * learned, then, after its learn, lets it. plan: 0, or -ENOMEM (then cancel, which undoes it, too). */
int homer_learner_plan_sparse(struct homer_learner *l, uint32_t features, uint32_t labels);
void homer_learner_turn_sparse(struct homer_learner *l);
/* NULL when it is not that algorithm. */
const struct homer_flat *homer_learner_flat(const struct homer_learner *l);
const struct homer_sparse *homer_learner_sparse(const struct homer_learner *l);
const struct homer_paper *homer_learner_paper(const struct homer_learner *l);

#endif
