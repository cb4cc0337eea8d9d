/* Expert `extra-trees`: extremely randomised trees (Geurts, Ernst, Wehenkel 2006) for all labels at once,
 * grown from the window of the last instances; one tree after another is replaced by a fresh one.
 *
 * A tree takes a random 4/5 of the instances; at a node, 2 sqrt(features) times (4 to 60; of complete
 * labellings at most once per instance), a random feature that some instance there has is drawn, and a
 * threshold: between its values in two random instances (dense), or between 0 and its value in one (sparse).
 * The draw with the largest sum_l (a_l^2/n_a + b_l^2/n_b), a and b the positives of label l on either side,
 * splits the node; in a large node, of those among a sample of its instances (grower.h). Nodes of fewer than
 * 6 instances are not split; leaves have at least 2, and hold label shares and the shares of the numbered
 * labelsets of their instances, the first 8 they meet; where labellings are partial, told.h says what
 * changes. p_l is the mean label share over the trees, shrunk to pi_l by 1 + .05 trees.
 *
 * One tree is grown per 1/100 of the instances in the window, at least one instance. Memory: 160 KiB a tree
 * and 12 bytes per instance and per positive in the window, 384 KiB more where labellings are partial; for
 * all trees the sample's (sample.h); where the memory cap refuses, nothing is grown. One thread; charged to
 * mem. */
#ifndef HOMER_NEAR_EXTRA_TREES_H
#define HOMER_NEAR_EXTRA_TREES_H

#include "core/near/grower.h"
#include "core/leaf/expert.h"

enum {
    HOMER_EXTRA_TREES = 50,
    HOMER_EXTRA_SETS = 10, /* that are told */
    HOMER_EXTRA_VOTES = 1024,
};

struct homer_extra_trees {
    struct homer_mem *mem;
    struct homer_grower grower;
    struct homer_extra_tree tree[HOMER_EXTRA_TREES];
    uint32_t trees; /* grown so far, at most all */
    uint32_t next;  /* the one to be replaced */
    uint32_t wait;  /* instances to the next growth */
    bool due;       /* one is grown with the coming learn: prepared */
    float *value;   /* [cap] scratch: values of the instance at hand, by feature */
    uint32_t cap;
    uint32_t leaf[HOMER_EXTRA_TREES]; /* [trees] scratch: those that the instance at hand reaches */
    struct homer_extra_set vote[HOMER_EXTRA_VOTES]; /* scratch, all 0: hashed by labelset */
};

/* Everything else through homer_extra_trees_ops. The window is the caller's; it learns an instance before
 * they do. */
void homer_extra_trees_init(struct homer_extra_trees *f, struct homer_mem *mem,
                            const struct homer_window *window, uint64_t seed);

/* The labelsets of largest mean share in the leaves that the instance predicted last has reached, best first;
 * ties: those met first. Their number; 0 where no tree has grown. */
uint32_t homer_extra_trees_sets(struct homer_extra_trees *f, struct homer_extra_set best[HOMER_EXTRA_SETS]);

/* Whether no leaf names a labelset numbered `sets` or higher. */
bool homer_extra_trees_sets_hold(const struct homer_extra_trees *f, uint32_t sets);

#endif
