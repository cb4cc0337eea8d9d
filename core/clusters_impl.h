/* What clusters.c and clusters_stage.c share. */
#ifndef HOMER_CLUSTERS_IMPL_H
#define HOMER_CLUSTERS_IMPL_H

#include "core/clusters.h"

/* Frees what a cluster owns, unless it is borrowed. */
void homer_cluster_deinit(struct homer_clusters *c, struct homer_cluster *k);
/* Sets `of` by the clusters that there are. */
void homer_clusters_index(struct homer_clusters *c);
/* A detector of losses that has seen none. */
void homer_clusters_watch(const struct homer_clusters *c, struct homer_adwin *watch);
/* Makes the clusters of the hierarchy's present leaves, trees handed on: c->staged. 0 or -ENOMEM with nothing
 * staged. */
int homer_clusters_stage(struct homer_clusters *c, const struct homer_frame *f);
/* Frees what is staged. */
void homer_clusters_unstage(struct homer_clusters *c);
/* The staged clusters take the place of the present ones. */
void homer_clusters_swap(struct homer_clusters *c);

/* What the trees of one cluster say of the frame's instance. */
void homer_cluster_predict(struct homer_cluster *k, const struct homer_frame *f);

/* clusters_codec.c */
void homer_clusters_encode(const void *self, uint32_t columns, struct homer_codec *codec);
void homer_clusters_decode(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d);

#endif
