/* The learning algorithm of a model: a table of operations over its state. From an instance to a probability
 * per label, and back. One thread. */
#ifndef HOMER_LEARNER_H
#define HOMER_LEARNER_H

#include "core/flat.h"
#include "core/learners/ihomer_paper.h"

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
    uint32_t (*labels)(const struct homer_learner *l);            /* known */
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
    };
};

/* The algorithms described in flat.h and
 * learners/ihomer_paper.h. 0, or -ENOMEM and nothing to deinit. */
int homer_learner_init_ihomer(struct homer_learner *l, struct homer_mem *mem, bool absent_missing,
                              enum homer_profile profile, const struct homer_clusters_config *clusters);
int homer_learner_init_paper(struct homer_learner *l, struct homer_mem *mem, uint64_t seed);
/* NULL when it is not that algorithm. */
const struct homer_flat *homer_learner_flat(const struct homer_learner *l);
const struct homer_paper *homer_learner_paper(const struct homer_learner *l);

#endif
