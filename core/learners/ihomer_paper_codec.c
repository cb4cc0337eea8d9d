/* Writes the learner, and reads it. */
#include <errno.h>
#include "core/learners/ihomer_paper_impl.h"

/* Of the scratch. */
static void encode_room(const struct homer_paper *p, struct homer_codec *c) {
    homer_grid_put_room(&p->query.given, c);
    homer_grid_put_room(&p->query.listed, c);
    homer_grid_put_room(&p->map, c);
    homer_grid_put_room(&p->f32, c);
    homer_grid_put_room(&p->f64, c);
}

void homer_paper_encode(const struct homer_paper *p, struct homer_codec *c) {
    homer_put_u32(c, p->labels);
    homer_grid_put_room(&p->label_count, c);
    homer_grid_put_room(&p->feature_count, c);
    homer_put_f64s(c, homer_grid_f64(&p->label_count, 0), p->labels);
    homer_put_f64s(c, homer_grid_f64(&p->feature_count, 0), p->features);
    homer_odac_encode(&p->odac, c);
    homer_put_u64(c, p->generation);
    homer_put_u64(c, p->clustered);
    homer_put_u64(c, p->stage_next);
    homer_put_u64(c, p->trees);
    homer_put_u64s(c, p->sizes, HOMER_PAPER_SIZES);
    homer_adwin_encode(&p->loss, c);
    homer_put_u32(c, p->parts);
    for (uint32_t i = 0; i < p->parts; i++) {
        const struct homer_paper_part *part = &p->part[i];
        homer_put_u64(c, part->id);
        homer_put_u64(c, part->drifts);
        homer_put_u32(c, part->m);
        homer_put_room(c, part->cap);
        homer_put_u32s(c, part->label, part->m);
        homer_adwin_encode(&part->loss, c);
        homer_mlhat_encode(part->tree, part->m, c);
    }
    homer_events_encode(p->event, p->counted, p->events, c);
    encode_room(p, c);
}

static void decode_room(struct homer_paper *p, struct homer_decoder *d) {
    homer_grid_get_room(&p->query.given, 0, d);
    homer_grid_get_room(&p->query.listed, 0, d);
    homer_grid_get_room(&p->map, p->labels, d);
    homer_grid_get_room(&p->f32, p->labels, d);
    homer_grid_get_room(&p->f64, 0, d);
}

static void decode_part(struct homer_paper *p, struct homer_paper_part *part, struct homer_memos *memos,
                        struct homer_decoder *d) {
    part->id = homer_get_u64(d);
    part->drifts = homer_get_u64(d);
    part->m = homer_get_most(d, p->labels);
    homer_get_holds(d, part->m > 0 || p->labels == 0);
    part->cap = homer_get_room(d, part->m ? part->m : 1);
    part->label = homer_get_block(d, p->mem, part->cap, sizeof *part->label);
    if (d->error) return;
    homer_get_set(d, part->label, part->m, p->labels);
    homer_paper_watch(p, &part->loss);
    homer_adwin_decode(&part->loss, d);
    struct homer_mlhat_known known = {memos, part->m, p->features, p->labels};
    part->tree = homer_mlhat_decode(p->mem, &p->config.tree, &known, d);
}

/* In the place of the one that it began with. */
static void decode_parts(struct homer_paper *p, struct homer_decoder *d) {
    struct homer_memos memos;
    homer_paper_part_deinit(p, p->part);
    p->part = homer_mem_free(p->mem, p->part, p->parts, sizeof *p->part);
    p->parts = 0;
    uint32_t n = homer_get_most(d, p->labels ? p->labels : 1);
    homer_get_holds(d, n > 0);
    p->part = homer_get_block(d, p->mem, n, sizeof *p->part);
    if (d->error) return;
    homer_memos_init(&memos, &d->scratch);
    for (p->parts = n, n = 0; n < p->parts && !d->error; n++) decode_part(p, &p->part[n], &memos, d);
    homer_memos_deinit(&memos);
}

/* Which part and column a label is: each one in one part. */
static void index_parts(struct homer_paper *p, struct homer_decoder *d) {
    uint32_t *part_of = homer_paper_map(p, HOMER_PAPER_PART), placed = 0;
    for (uint32_t l = 0; l < p->labels; l++) part_of[l] = UINT32_MAX;
    for (uint32_t i = 0; i < p->parts && !d->error; i++)
        for (uint32_t k = 0; k < p->part[i].m; k++, placed++) {
            uint32_t l = p->part[i].label[k];
            if (!homer_get_holds(d, part_of[l] == UINT32_MAX)) return;
            part_of[l] = i;
            homer_paper_map(p, HOMER_PAPER_COLUMN)[l] = k;
        }
    homer_get_holds(d, placed == p->labels);
}

void homer_paper_decode(struct homer_paper *p, uint32_t features, uint32_t labels, struct homer_decoder *d) {
    p->labels = labels;
    p->features = features;
    homer_get_holds(d, homer_get_u32(d) == labels);
    if (!homer_grid_get_room(&p->label_count, labels, d)) return;
    if (!homer_grid_get_room(&p->feature_count, features, d)) return;
    homer_get_f64s(d, homer_grid_f64(&p->label_count, 0), labels);
    homer_get_f64s(d, homer_grid_f64(&p->feature_count, 0), features);
    homer_odac_decode(&p->odac, labels, d);
    p->generation = homer_get_u64(d);
    p->clustered = homer_get_u64(d);
    p->stage_next = homer_get_u64(d);
    uint64_t trees = homer_get_u64(d);
    homer_get_u64s(d, p->sizes, HOMER_PAPER_SIZES);
    homer_adwin_decode(&p->loss, d);
    decode_parts(p, d);
    p->trees = trees;
    homer_events_decode(p->event, p->counted, &p->events, d);
    decode_room(p, d);
    if (d->error) return;
    index_parts(p, d);
    /* what an encoder wrote has this room already */
    if (!d->error && p->f32.cap && homer_paper_reserve(p, features, labels)) homer_get_fail(d, -ENOMEM);
}
