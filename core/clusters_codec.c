/* Writes the clusters, and reads them. */
#include "core/clusters_impl.h"

/* The number of the first event that is kept. */
static uint64_t first_kept(uint64_t events) {
    return events > HOMER_EVENTS_KEPT ? events - HOMER_EVENTS_KEPT : 0;
}

static void encode_event(const struct homer_event *e, struct homer_codec *c) {
    homer_put_u64(c, e->seq);
    homer_put_u64(c, e->node);
    homer_put_u32(c, (uint32_t)e->kind);
    homer_put_u32(c, (uint32_t)e->change);
    homer_put_u32(c, e->labels);
    homer_put_f64(c, e->before);
    homer_put_f64(c, e->after);
}

static void decode_event(struct homer_event *e, struct homer_decoder *d) {
    e->seq = homer_get_u64(d);
    e->node = homer_get_u64(d);
    e->kind = (enum homer_event_kind)homer_get_most(d, HOMER_EVENT_KINDS - 1);
    e->change = (enum homer_hierarchy_change)homer_get_most(d, HOMER_HIERARCHY_AGGREGATE);
    e->labels = homer_get_u32(d);
    e->before = homer_get_f64(d);
    e->after = homer_get_f64(d);
}

void homer_events_encode(const struct homer_event *event, const uint64_t counted[HOMER_EVENT_KINDS],
                         uint64_t events, struct homer_codec *c) {
    homer_put_u64s(c, counted, HOMER_EVENT_KINDS);
    homer_put_u64(c, events);
    for (uint64_t i = first_kept(events); i < events; i++) encode_event(&event[i % HOMER_EVENTS_KEPT], c);
}

void homer_events_decode(struct homer_event *event, uint64_t counted[HOMER_EVENT_KINDS], uint64_t *events,
                         struct homer_decoder *d) {
    homer_get_u64s(d, counted, HOMER_EVENT_KINDS);
    uint64_t n = homer_get_u64(d);
    if (!homer_get_holds(d, n == 0 || event)) return;
    for (uint64_t i = first_kept(n); i < n && !d->error; i++) decode_event(&event[i % HOMER_EVENTS_KEPT], d);
    *events = n;
}

void homer_clusters_encode(const void *self, uint32_t columns, struct homer_codec *codec) {
    const struct homer_clusters *c = self;
    (void)columns;
    homer_hierarchy_encode(&c->hierarchy, codec);
    homer_put_u64(codec, c->generation);
    homer_put_u64(codec, c->stage_next);
    homer_put_u32(codec, c->n);
    homer_put_room(codec, c->label_cap);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct homer_cluster *k = &c->cluster[i];
        homer_put_u64(codec, k->id);
        homer_put_u64(codec, k->drifts);
        homer_put_u32(codec, k->m);
        homer_put_u32s(codec, k->label, k->m);
        homer_adwin_encode(&k->loss, codec);
        homer_recovery_encode(&k->recovery, codec);
        homer_forest_encode(k->forest, codec);
    }
    homer_adwin_encode(&c->loss, codec);
    if (c->config.tree.trees > 1) homer_rng_encode(&c->rng, codec);
    homer_put_room(codec, c->event != NULL);
    homer_events_encode(c->event, c->counted, c->events, codec);
}

static void decode_room(struct homer_clusters *c, uint32_t labels, struct homer_decoder *d) {
    c->label_cap = homer_get_room(d, labels);
    c->softened = homer_get_block(d, c->mem, c->label_cap, sizeof *c->softened);
    c->on = homer_get_block(d, c->mem, c->label_cap, sizeof *c->on);
    c->of = homer_get_block(d, c->mem, c->label_cap, sizeof *c->of);
    c->log = homer_get_block(d, c->mem, c->label_cap, sizeof *c->log);
}

/* A cluster has labels, and none that another one has. */
static void decode_cluster(struct homer_clusters *c, struct homer_cluster *k, uint32_t labels,
                           uint32_t features, struct homer_decoder *d) {
    k->id = homer_get_u64(d);
    k->drifts = homer_get_u64(d);
    k->m = homer_get_most(d, labels);
    if (!homer_get_holds(d, k->m > 0)) return;
    k->label = homer_get_block(d, c->mem, k->m, sizeof *k->label);
    if (d->error) return;
    homer_get_set(d, k->label, k->m, labels);
    for (uint32_t i = 0; i < k->m && !d->error; i++) {
        homer_get_holds(d, c->of[k->label[i]] == 0);
        c->of[k->label[i]] = 1;
    }
    homer_clusters_watch(c, &k->loss);
    homer_adwin_decode(&k->loss, d);
    homer_recovery_decode(&k->recovery, d);
    k->forest = homer_forest_decode(c->mem, &c->config.tree, k->m, features, d);
}

void homer_clusters_decode(void *self, uint32_t features, uint32_t columns, struct homer_decoder *d) {
    struct homer_clusters *c = self;
    uint32_t labels = columns ? columns - 1 : 0;
    homer_hierarchy_decode(&c->hierarchy, labels, d);
    c->generation = homer_get_u64(d);
    c->stage_next = homer_get_u64(d);
    uint32_t n = homer_get_most(d, labels);
    decode_room(c, labels, d);
    c->cluster = homer_get_block(d, c->mem, n, sizeof *c->cluster);
    if (d->error) return;
    for (c->n = n, n = 0; n < c->n && !d->error; n++) decode_cluster(c, &c->cluster[n], labels, features, d);
    homer_adwin_decode(&c->loss, d);
    if (c->config.tree.trees > 1) homer_rng_decode(&c->rng, d);
    if (homer_get_room(d, 0)) c->event = homer_get_block(d, c->mem, HOMER_EVENTS_KEPT, sizeof *c->event);
    homer_events_decode(c->event, c->counted, &c->events, d);
    if (!d->error && c->label_cap) homer_clusters_index(c);
}
