#include "core/near/sample.h"

#include <errno.h>
#include <string.h>
#include "core/base/num.h"

enum { WORDS = HOMER_SAMPLE_WORDS, SIZE = HOMER_SAMPLE_SIZE };

void homer_sample_init(struct homer_sample *s, struct homer_mem *mem, const struct homer_window *w) {
    *s = (struct homer_sample){.mem = mem, .window = w};
}

static void free_entries(struct homer_sample *s) {
    homer_mem_free(s->mem, s->feature, s->entry_cap, sizeof *s->feature);
    homer_mem_free(s->mem, s->value, s->entry_cap, sizeof *s->value);
}

void homer_sample_deinit(struct homer_sample *s) {
    free_entries(s);
    homer_mem_free(s->mem, s->label, s->label_cap, sizeof *s->label);
    homer_mem_free(s->mem, s->place, s->place_cap, sizeof *s->place);
    homer_mem_free(s->mem, s->having, s->having_cap, sizeof *s->having);
    homer_sample_init(s, s->mem, s->window);
}

static int reserve_entries(struct homer_sample *s, uint32_t need) {
    if (need <= s->entry_cap) return 0;
    struct homer_sample n = {.mem = s->mem, .entry_cap = need + need / 2};
    n.feature = homer_mem_alloc(s->mem, n.entry_cap, sizeof *n.feature);
    n.value = homer_mem_alloc(s->mem, n.entry_cap, sizeof *n.value);
    if (!n.feature || !n.value) {
        free_entries(&n);
        return -ENOMEM;
    }
    free_entries(s);
    s->feature = n.feature;
    s->value = n.value;
    s->entry_cap = n.entry_cap;
    return 0;
}

static int room(struct homer_mem *mem, uint32_t **array, uint32_t *cap, uint32_t need) {
    if (need <= *cap) return 0;
    uint32_t *a = homer_mem_alloc(mem, need + need / 2, sizeof *a);
    if (!a) return -ENOMEM;
    homer_mem_free(mem, *array, *cap, sizeof *a);
    *array = a;
    *cap = need + need / 2;
    return 0;
}

/* Forgets the instances, so that no feature has a place, and no label is true. */
static void clear(struct homer_sample *s) {
    for (uint32_t i = 0; i < s->features; i++) s->place[s->feature[i].feature] = 0;
    for (uint32_t i = 0; s->n && i < s->first_label[s->n]; i++)
        memset(s->having[s->label[i]], 0, sizeof *s->having);
    s->features = s->n = 0;
}

int homer_sample_widen(struct homer_sample *s, uint32_t labels) {
    void *having = homer_mem_alloc(s->mem, labels, sizeof *s->having);
    if (!having) return -ENOMEM;
    clear(s);
    homer_mem_free(s->mem, s->having, s->having_cap, sizeof *s->having);
    s->having = having;
    s->having_cap = labels;
    return 0;
}

int homer_sample_reserve(struct homer_sample *s, const struct homer_frame *f) {
    uint32_t most = f->positive_n, entries = f->present_n, widest = f->present_n;
    for (uint32_t age = 0; age < s->window->n; age++) {
        const struct homer_window_slot *w = &s->window->slot[homer_window_slot(s->window, age)];
        uint32_t own = w->feature_n - w->sparse;
        if (w->positive_n > most) most = w->positive_n;
        if (own > widest) widest = own;
        entries += own;
    }
    clear(s);
    if (entries > (uint64_t)widest * SIZE) entries = widest * SIZE;
    if (reserve_entries(s, entries) || room(s->mem, &s->label, &s->label_cap, most * SIZE)) return -ENOMEM;
    return room(s->mem, &s->place, &s->place_cap, f->features);
}

/* Finds the features of instance i a place, and counts their values. */
static void enter(struct homer_sample *s, uint32_t i) {
    const struct homer_window_slot *w = &s->window->slot[s->slot[i]];
    for (uint32_t k = w->sparse; k < w->feature_n; k++) {
        uint32_t *place = &s->place[w->feature[k]];
        if (!*place) {
            s->feature[s->features] = (struct homer_sample_feature){.feature = w->feature[k]};
            *place = ++s->features;
        }
        s->feature[*place - 1].have[i / 64] |= (uint64_t)1 << (i % 64);
        s->feature[*place - 1].value[i / 64]++;
    }
}

void homer_sample_take(struct homer_sample *s, const uint32_t *slot, uint32_t n) {
    uint32_t labels = 0, values = 0;
    clear(s);
    s->n = n;
    memcpy(s->slot, slot, n * sizeof *slot);
    for (uint32_t i = 0; i < n; i++) {
        const struct homer_window_slot *w = &s->window->slot[slot[i]];
        s->first_label[i] = labels;
        for (uint32_t k = 0; k < w->positive_n; k++) {
            s->label[labels++] = w->label[k];
            s->having[w->label[k]][i / 64] |= (uint64_t)1 << (i % 64);
        }
        enter(s, i);
    }
    s->first_label[n] = labels;
    for (uint32_t k = 0; k < s->features; k++)
        for (int w = 0; w < WORDS; w++) {
            uint32_t here = s->feature[k].value[w];
            s->feature[k].value[w] = values;
            values += here;
        }
    for (uint32_t i = 0; i < n; i++) {
        const struct homer_window_slot *w = &s->window->slot[slot[i]];
        for (uint32_t k = w->sparse; k < w->feature_n; k++) {
            struct homer_sample_feature *f = &s->feature[s->place[w->feature[k]] - 1];
            s->value[f->value[i / 64]++] = w->x[k];
        }
    }
    values = 0;
    for (uint32_t k = 0; k < s->features; k++)
        for (int w = 0; w < WORDS; w++) { /* each stands at its end now, where the next one begins */
            uint32_t end = s->feature[k].value[w];
            s->feature[k].value[w] = values;
            values = end;
        }
}

HOMER_WIDE void homer_sample_beyond(const struct homer_sample *s, uint32_t feature, float threshold,
                                    const uint64_t *of, uint64_t *out) {
    const struct homer_sample_feature *f = &s->feature[s->place[feature] - 1];
    bool above = threshold > 0;
    for (int w = 0; w < WORDS; w++) {
        uint64_t found = 0;
        const float *value = s->value + f->value[w];
        for (uint64_t left = f->have[w] & of[w]; left; left &= left - 1) {
            uint64_t bit = left & -left;
            float x = value[__builtin_popcountll(f->have[w] & (bit - 1))];
            found |= (x > threshold) == above ? bit : 0;
        }
        out[w] = found;
    }
}

void homer_sample_put_room(const struct homer_sample *s, struct homer_codec *c) {
    homer_put_room(c, s->label_cap);
    homer_put_room(c, s->entry_cap);
    homer_put_room(c, s->place_cap);
}

void homer_sample_get_room(struct homer_sample *s, uint32_t labels, struct homer_decoder *d) {
    s->having_cap = labels;
    s->having = homer_get_block(d, s->mem, labels, sizeof *s->having);
    s->label_cap = homer_get_room(d, 0);
    s->label = homer_get_block(d, s->mem, s->label_cap, sizeof *s->label);
    s->entry_cap = homer_get_room(d, 0);
    s->feature = homer_get_block(d, s->mem, s->entry_cap, sizeof *s->feature);
    s->value = homer_get_block(d, s->mem, s->entry_cap, sizeof *s->value);
    s->place_cap = homer_get_room(d, 0);
    s->place = homer_get_block(d, s->mem, s->place_cap, sizeof *s->place);
}
