/* What an expert is: something that gives evidence for every label and learns from the truth. The flat
 * learner runs a list of them in order; to add one, write its operations, give its outputs an index in
 * frame.h, and list it in flat.c. */
#ifndef HOMER_LEAF_EXPERT_H
#define HOMER_LEAF_EXPERT_H

#include "core/base/codec.h"
#include "core/leaf/frame.h"

struct homer_expert_ops {
    /* Room for that many features and columns; 0 or -ENOMEM, then as before. */
    int (*reserve)(void *self, uint32_t features, uint32_t columns);
    /* Forgets rows of features from `features` on, which have learned nothing: undoes a reserve. May be NULL.
     */
    void (*truncate)(void *self, uint32_t features);
    /* Fills its evidence rows of the frame for all columns; changes only scratch. */
    void (*predict)(void *self, struct homer_frame *f);
    /* Takes what learning the frame, whose predict came last, will need: the last step that may fail. 0 or
     * -ENOMEM, then nothing has changed that a result could show. May be NULL, as may cancel, which undoes
     * it. */
    int (*prepare)(void *self, const struct homer_frame *f);
    void (*cancel)(void *self);
    /* Learns the frame whose predict came last. */
    void (*learn)(void *self, const struct homer_frame *f);
    /* A new label: column `from` (the virtual one) is copied to `from` + 1, and becomes the label's. */
    void (*add_label)(void *self, uint32_t from);
    void (*encode)(const void *self, uint32_t columns, struct homer_codec *c);
    /* Into an expert just made; so many features are known, and columns as encode had them. */
    void (*decode)(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d);
    void (*deinit)(void *self);
};

struct homer_expert {
    const struct homer_expert_ops *ops;
    void *self;
};

extern const struct homer_expert_ops homer_linear_ops, homer_recent_ops, homer_markov_ops, homer_clusters_ops,
    homer_neighbours_ops, homer_rls_ops, homer_products_ops, homer_residual_ops, homer_extra_trees_ops;

#endif
