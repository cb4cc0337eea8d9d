/* Alternate subtrees (Hulten et al. 2001, as in Bifet and Gavalda's Hoeffding adaptive tree, 2009), an option
 * of the tree: homer_tree_config.alternate.
 *
 * Each inner node has an ADWIN on the loss of the subtree below it: min(1, 4/7 of the mean log-loss of
 * `better` over the columns). When it rises at a node, the topmost on the path of the instance, a fresh tree
 * begins there with the next instance and learns beside the subtree what passes the node. From `grace` of
 * weight on, so that it need not answer for its first steps, both losses are counted; from 2 grace on, with
 * means e and e' of n losses each, it
 *     takes the node's place if e - e' > sqrt(2 e (1 - e) ln(2/.05) 2/n),
 *     is dropped if e' - e is,
 * and is dropped after 10 grace without either. One at a time in a tree; meanwhile the tree's watches rest,
 * and nothing alternates within the alternate. Where the memory cap refuses, there is no watch, no alternate,
 * or no taking of the place, and no error. Part of a homer_tree, with its ownership and thread. */
#ifndef HOMER_TREE_ALTERNATE_H
#define HOMER_TREE_ALTERNATE_H

#include "core/drift/adwin.h"
#include "core/leaf/frame.h"

struct homer_tree;
struct homer_tree_node;

struct homer_alternate {
    struct homer_tree *tree; /* on trial; NULL: none */
    uint32_t node;           /* where it is on trial */
    uint32_t wanted;         /* where one begins with the next instance; HOMER_NOWHERE */
    bool within;             /* this tree is an alternate itself */
    double weight;           /* of what passed the node since it began */
    double counted;          /* instances whose losses are in loss[] */
    double loss[2];          /* sums: of the subtree, of the alternate */
    uint64_t begun, taken;   /* ever */

    /* prepared for the coming learn: */
    struct homer_tree *staged;
    struct homer_adwin *staged_watch; /* of the leaf that splits */
    bool passes;                      /* the instance passes the node: */
    uint32_t leaf;                    /* leaf of the alternate */
    float *logits; /* [3][stride] of the alternate there, [stride] priors as homer_tree_predict got them */
};

#define HOMER_NOWHERE UINT32_MAX

/* Of a tree with the option, by hoeffding.c only. */
int homer_alternate_init(struct homer_tree *t);
void homer_alternate_deinit(struct homer_tree *t);
/* A watch of no losses yet; NULL: no memory. */
struct homer_adwin *homer_alternate_watch(struct homer_tree *t);
/* As homer_tree_prepare, after it did its own; on failure nothing is left of either. */
int homer_alternate_prepare(struct homer_tree *t, uint32_t leaf, const struct homer_frame *f, double weight);
void homer_alternate_cancel(struct homer_tree *t);
/* After the tree learned; loss: its, at that leaf. */
void homer_alternate_learn(struct homer_tree *t, uint32_t leaf, const struct homer_frame *f,
                           const uint32_t *on, uint32_t on_n, double weight, double loss);
/* Gives up what is on trial; false when nothing is. */
bool homer_alternate_drop(struct homer_tree *t);
size_t homer_alternate_bytes(const struct homer_tree *t);
void homer_alternate_encode(const struct homer_tree *t, struct homer_codec *c);
/* After the nodes were read. */
void homer_alternate_decode(struct homer_tree *t, bool within, uint32_t features, struct homer_decoder *d);

#endif
