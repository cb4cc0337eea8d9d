#include "core/sparse/sparse.h"

#include <errno.h>
#include <string.h>
#include "core/sparse/impl.h"

int homer_sparse_init(struct homer_sparse *s, struct homer_mem *mem, bool absent_missing, bool grouped,
                      const struct homer_clusters_config *clusters) {
    *s = (struct homer_sparse){.mem = mem, .grouped = grouped};
    int rc = grouped ? homer_clusters_init(&s->clusters, mem, clusters) : 0;
    if (rc) return rc;
    struct homer_stack_config stack;
    homer_stack_config_default(&stack, HOMER_FLAT_ONLY);
    stack.young = false;
    homer_scale_init(&s->scale, mem, absent_missing);
    homer_prior_init(&s->prior, mem);
    homer_prior_init(&s->seen, mem);
    homer_sparse_lists_init(&s->lists, mem);
    homer_stack_init(&s->stack, mem, &stack);
    s->stack.no_offsets = true;
    homer_recent_init(&s->recent, mem);
    homer_markov_init(&s->markov, mem);
    homer_grid_init(&s->grid, mem, HOMER_SPARSE_ROWS, sizeof(float));
    return 0;
}

static void free_labels(struct homer_sparse *s) {
    homer_mem_free(s->mem, s->label, s->label_cap, sizeof *s->label);
    homer_mem_free(s->mem, s->p, s->label_cap, sizeof *s->p);
    homer_mem_free(s->mem, s->score, s->label_cap, sizeof *s->score);
    homer_mem_free(s->mem, s->touched, s->label_cap ? (size_t)s->label_cap + 1 : 0, sizeof *s->touched);
    homer_mem_free(s->mem, s->promise, s->label_cap, sizeof *s->promise);
    homer_mem_free(s->mem, s->pick, s->label_cap, sizeof *s->pick);
    homer_mem_free(s->mem, s->column_of, s->label_cap, sizeof *s->column_of);
}

void homer_sparse_deinit(struct homer_sparse *s) {
    free_labels(s);
    homer_mem_free(s->mem, s->column, s->column_cap, sizeof *s->column);
    homer_mem_free(s->mem, s->moving, s->column_cap, sizeof *s->moving);
    homer_mem_free(s->mem, s->hit, s->hit_cap, sizeof *s->hit);
    homer_mem_free(s->mem, s->hits_of, s->hits_of_cap, sizeof *s->hits_of);
    homer_scale_deinit(&s->scale);
    homer_prior_deinit(&s->prior);
    homer_prior_deinit(&s->seen);
    homer_sparse_lists_deinit(&s->lists);
    homer_stack_deinit(&s->stack);
    homer_recent_ops.deinit(&s->recent);
    homer_markov_ops.deinit(&s->markov);
    homer_grid_deinit(&s->grid);
    if (s->grouped) homer_clusters_ops.deinit(&s->clusters);
}

static int reserve_labels(struct homer_sparse *s, uint32_t labels) {
    if (labels <= s->label_cap) return 0;
    struct homer_sparse g = *s;
    g.label_cap = s->label_cap ? s->label_cap : 64;
    while (g.label_cap < labels) g.label_cap += g.label_cap / 2;
    g.label = homer_mem_alloc(s->mem, g.label_cap, sizeof *g.label);
    g.p = homer_mem_alloc(s->mem, g.label_cap, sizeof *g.p);
    g.score = homer_mem_alloc(s->mem, g.label_cap, sizeof *g.score);
    g.touched = homer_mem_alloc(s->mem, (size_t)g.label_cap + 1, sizeof *g.touched);
    g.promise = homer_mem_alloc(s->mem, g.label_cap, sizeof *g.promise);
    g.pick = homer_mem_alloc(s->mem, g.label_cap, sizeof *g.pick);
    g.column_of = homer_mem_alloc(s->mem, g.label_cap, sizeof *g.column_of);
    if (!g.label || !g.p || !g.score || !g.touched || !g.promise || !g.pick || !g.column_of) {
        free_labels(&g);
        return -ENOMEM;
    }
    if (s->labels) memcpy(g.label, s->label, s->labels * sizeof *g.label);
    for (uint32_t l = 0; l < s->labels; l++) g.score[l].log_count = s->score[l].log_count;
    g.touched_n = g.candidates = g.columns = 0; /* of the instance before */
    g.handed_on = false;
    free_labels(s);
    *s = g;
    return 0;
}

int homer_sparse_reserve(struct homer_sparse *s, uint32_t features, uint32_t labels) {
    int rc = homer_scale_reserve(&s->scale, features);
    if (!rc) rc = homer_prior_reserve(&s->prior, labels + 1);
    if (!rc) rc = homer_sparse_lists_reserve(&s->lists, features);
    if (!rc) rc = homer_sparse_reserve_columns(s, 0);
    if (!rc) rc = reserve_labels(s, labels + 1);
    if (rc) homer_sparse_cancel(s);
    return rc;
}

void homer_sparse_cancel(struct homer_sparse *s) {
    homer_sparse_lists_truncate(&s->lists, s->scale.features);
}

void homer_sparse_encode(const struct homer_sparse *s, struct homer_codec *c) {
    homer_put_u32(c, s->labels);
    homer_scale_encode(&s->scale, c);
    homer_prior_encode(&s->prior, s->labels, c);
    homer_stack_encode(&s->stack, 0, c);
    homer_put_room(c, s->label_cap);
    homer_put_room(c, s->column_cap);
    homer_put_room(c, s->hit_cap);
    homer_put_room(c, s->hits_of_cap);
    homer_grid_put_room(&s->grid, c);
    homer_grid_put_room(&s->seen.count, c);
    homer_grid_put_room(&s->recent.frequency, c);
    homer_grid_put_room(&s->markov.count, c);
    homer_grid_put_room(&s->markov.previous, c);
    for (uint32_t l = 0; l < s->labels; l++) {
        homer_put_f64(c, s->label[l].again);
        homer_put_u64(c, s->label[l].at);
        homer_put_f32s(c, s->label[l].recent, HOMER_RECENT_ROWS);
        homer_put_f32(c, s->score[l].log_count);
    }
    homer_put_u32(c, s->frequent_n);
    homer_put_u32s(c, s->frequent, s->frequent_n);
    homer_put_u32(c, s->previous_n);
    homer_put_u32s(c, s->previous, s->previous_n);
    homer_put_f64(c, s->again);
    homer_put_u64(c, s->complete);
    homer_put_u32(c, s->softened);
    homer_sparse_lists_encode(&s->lists, c);
    if (!s->grouped) return;
    homer_put_u32(c, s->clusters.hierarchy.labels);
    homer_clusters_ops.encode(&s->clusters, s->clusters.hierarchy.labels + 1, c);
}

static void decode_labels(struct homer_sparse *s, struct homer_decoder *d) {
    for (uint32_t l = 0; l < s->labels && !d->error; l++) {
        s->label[l].again = homer_get_f64(d);
        s->label[l].at = homer_get_u64(d);
        homer_get_f32s(d, s->label[l].recent, HOMER_RECENT_ROWS);
        s->score[l].log_count = homer_get_f32(d);
    }
    s->frequent_n = homer_get_most(d, HOMER_SPARSE_FREQUENT);
    homer_get_ids(d, s->frequent, s->frequent_n, s->labels);
    s->previous_n = homer_get_most(d, HOMER_SPARSE_PREVIOUS);
    homer_get_set(d, s->previous, s->previous_n, s->labels);
    s->again = homer_get_f64(d);
    s->complete = homer_get_u64(d);
    s->softened = homer_get_u32(d);
}

/* Scratch, as large as it was. */
static void decode_room(struct homer_sparse *s, struct homer_decoder *d) {
    s->column_cap = homer_get_room(d, 0);
    s->column = homer_get_block(d, s->mem, s->column_cap, sizeof *s->column);
    s->moving = homer_get_block(d, s->mem, s->column_cap, sizeof *s->moving);
    s->hit_cap = homer_get_room(d, 0);
    s->hit = homer_get_block(d, s->mem, s->hit_cap, sizeof *s->hit);
    s->hits_of_cap = homer_get_room(d, 0);
    s->hits_of = homer_get_block(d, s->mem, s->hits_of_cap, sizeof *s->hits_of);
    uint32_t stride = s->column_cap ? s->column_cap + HOMER_LANES : 0;
    homer_grid_get_room(&s->grid, stride, d);
    homer_grid_get_room(&s->seen.count, stride, d);
    homer_grid_get_room(&s->recent.frequency, stride, d);
    homer_grid_get_room(&s->markov.count, stride, d);
    homer_grid_get_room(&s->markov.previous, stride, d);
    homer_get_holds(d, s->stack.offset.cap >= stride);
    homer_sparse_point(s);
}

void homer_sparse_decode(struct homer_sparse *s, uint32_t features, uint32_t labels,
                         struct homer_decoder *d) {
    homer_get_holds(d, homer_get_u32(d) == labels);
    homer_scale_decode(&s->scale, features, d);
    homer_prior_decode(&s->prior, labels, d);
    homer_stack_decode(&s->stack, 0, d);
    uint32_t label_cap = homer_get_room(d, labels);
    decode_room(s, d);
    if (!homer_get_holds(d, !label_cap || s->column_cap >= HOMER_SPARSE_MOST)) return;
    if (reserve_labels(s, label_cap)) homer_get_fail(d, -ENOMEM);
    if (!homer_get_holds(d, s->label_cap == label_cap)) return;
    s->labels = labels;
    decode_labels(s, d);
    homer_sparse_lists_decode(&s->lists, features, labels, s->column_of, d);
    if (labels) memset(s->column_of, 0, labels * sizeof *s->column_of);
    if (!s->grouped || d->error) return;
    uint32_t placed = homer_get_most(d, labels);
    homer_clusters_ops.decode(&s->clusters, features, placed + 1, d);
}
