/* When the clustering has changed: a new partition of the labels, with new trees where it differs. */
#include <errno.h>
#include <string.h>
#include "core/learners/ihomer_paper_impl.h"

void homer_paper_watch(const struct homer_paper *p, struct homer_adwin *watch) {
    struct homer_adwin_config config;
    homer_adwin_config_default(&config);
    config.delta = p->config.drift_delta;
    homer_adwin_init(watch, &config);
}

int homer_paper_part_new(struct homer_paper *p, struct homer_paper_part *part, uint64_t id, uint32_t m) {
    uint32_t cap = m + m / 4 + 1;
    *part = (struct homer_paper_part){.id = id, .cap = cap};
    homer_paper_watch(p, &part->loss);
    part->label = homer_mem_alloc(p->mem, cap, sizeof *part->label);
    uint64_t seed = p->config.seed + (p->trees + id) * 0x9e3779b97f4a7c15u;
    if (part->label && homer_mlhat_new(&part->tree, p->mem, &p->config.tree, seed) == 0) return 0;
    homer_mem_free(p->mem, part->label, cap, sizeof *part->label);
    part->label = NULL;
    return -ENOMEM;
}

void homer_paper_part_deinit(struct homer_paper *p, struct homer_paper_part *part) {
    if (part->borrowed) return;
    homer_mem_free(p->mem, part->label, part->cap, sizeof *part->label);
    part->tree = homer_mlhat_free(part->tree);
}

void homer_paper_unstage(struct homer_paper *p) {
    for (uint32_t i = 0; i < p->staged_n; i++) homer_paper_part_deinit(p, &p->staged[i]);
    p->staged = homer_mem_free(p->mem, p->staged, p->staged_n, sizeof *p->staged);
    p->staged_n = 0;
}

/* The size that most labelsets have, at least 1. */
static uint32_t usual_size(const struct homer_paper *p) {
    uint32_t best = 1;
    for (uint32_t s = 2; s < HOMER_PAPER_SIZES; s++)
        if (p->sizes[s] > p->sizes[best]) best = s;
    return best;
}

/* Groups the clustering's leaves: group[label]; returns how many groups. */
static uint32_t group(const struct homer_paper *p, uint32_t *group) {
    const struct homer_odac *o = &p->odac;
    uint32_t least = usual_size(p), n = 0, size = 0;
    for (uint32_t s = 0; s != (uint32_t)HOMER_ODAC_NONE; s = homer_odac_next(o, s)) {
        if (!homer_odac_is_leaf(o, s)) continue;
        if (size >= least) {
            n++;
            size = 0;
        }
        size += o->node[s].labels;
        for (uint32_t l = 0; l < p->labels; l++)
            if (o->leaf_of[l] == s) group[l] = n;
    }
    if (size >= least || n == 0) return n + 1;
    for (uint32_t l = 0; l < p->labels; l++) /* too few in the last one: to the one before */
        if (group[l] == n) group[l] = n - 1;
    return n;
}

/* The present part that has these m labels and no others, of which `first` is one; NULL when there is none.
 */
static struct homer_paper_part *same_part(struct homer_paper *p, const uint32_t *group, uint32_t g,
                                          uint32_t m, uint32_t first) {
    struct homer_paper_part *part = &p->part[homer_paper_map(p, HOMER_PAPER_PART)[first]];
    if (part->m != m) return NULL;
    for (uint32_t i = 0; i < m; i++)
        if (group[part->label[i]] != g) return NULL;
    return part;
}

static int stage_part(struct homer_paper *p, const uint32_t *group, uint32_t g) {
    struct homer_paper_part *part = &p->staged[g];
    uint32_t m = 0, first = 0;
    for (uint32_t l = p->labels; l-- > 0;)
        if (group[l] == g) {
            m++;
            first = l;
        }
    struct homer_paper_part *same = m ? same_part(p, group, g, m, first) : NULL;
    if (same) {
        *part = *same;
        part->borrowed = true;
    } else {
        uint64_t id = p->odac.node[p->labels ? p->odac.leaf_of[first] : 0].id;
        if (homer_paper_part_new(p, part, id, m)) return -ENOMEM;
        struct homer_paper_part *was =
            p->labels ? &p->part[homer_paper_map(p, HOMER_PAPER_PART)[first]] : NULL;
        if (was && was->id == id) part->drifts = was->drifts;
        for (uint32_t l = 0; l < p->labels; l++)
            if (group[l] == g) part->label[part->m++] = l;
    }
    for (uint32_t i = 0; i < m; i++) {
        homer_paper_map(p, HOMER_PAPER_NEW_PART)[part->label[i]] = g;
        homer_paper_map(p, HOMER_PAPER_NEW_COLUMN)[part->label[i]] = i;
    }
    return 0;
}

int homer_paper_stage(struct homer_paper *p) {
    uint32_t *of = homer_paper_map(p, HOMER_PAPER_GROUP), n = group(p, of);
    p->staged = homer_mem_alloc(p->mem, n, sizeof *p->staged);
    if (!p->staged) return -ENOMEM;
    p->staged_n = n;
    for (uint32_t g = 0; g < n; g++)
        if (stage_part(p, of, g)) {
            for (uint32_t i = g; i < n; i++) p->staged[i].borrowed = true; /* nothing to free */
            homer_paper_unstage(p);
            return -ENOMEM;
        }
    return 0;
}

void homer_paper_swap(struct homer_paper *p) {
    for (uint32_t i = 0; i < p->staged_n; i++) {
        if (!p->staged[i].borrowed) {
            p->trees++;
            continue;
        }
        struct homer_paper_part *from = &p->part[homer_paper_map(p, HOMER_PAPER_PART)[p->staged[i].label[0]]];
        p->staged[i] = *from; /* prepare may have given it more room */
        from->borrowed = true;
    }
    for (uint32_t i = 0; i < p->parts; i++) homer_paper_part_deinit(p, &p->part[i]);
    homer_mem_free(p->mem, p->part, p->parts, sizeof *p->part);
    p->part = p->staged;
    p->parts = p->staged_n;
    p->staged = NULL;
    p->staged_n = 0;
    p->clustered = p->odac.generation;
    p->generation++;
    for (uint32_t l = 0; l < p->labels; l++) {
        homer_paper_map(p, HOMER_PAPER_PART)[l] = homer_paper_map(p, HOMER_PAPER_NEW_PART)[l];
        homer_paper_map(p, HOMER_PAPER_COLUMN)[l] = homer_paper_map(p, HOMER_PAPER_NEW_COLUMN)[l];
    }
}
