#include "core/near/window.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

#define LIKELY 0.001f

enum { SLOTS = HOMER_WINDOW_SLOTS };

int homer_window_new(struct homer_window **out, struct homer_mem *mem) {
    struct homer_window *w = homer_mem_alloc(mem, 1, sizeof *w);
    if (!w) return -ENOMEM;
    w->mem = mem;
    homer_postings_init(&w->sparse, mem);
    homer_columns_init(&w->dense, mem, SLOTS);
    homer_columns_init(&w->z, mem, SLOTS);
    *out = w;
    return 0;
}

static void free_slot(struct homer_window *w, struct homer_window_slot *s) {
    homer_mem_free(w->mem, s->feature, s->feature_cap, sizeof *s->feature);
    homer_mem_free(w->mem, s->x, s->feature_cap, sizeof *s->x);
    homer_mem_free(w->mem, s->label, s->label_cap, sizeof *s->label);
    homer_mem_free(w->mem, s->likely, s->likely_cap, sizeof *s->likely);
    *s = (struct homer_window_slot){0};
}

struct homer_window *homer_window_free(struct homer_window *w) {
    if (!w) return NULL;
    for (uint32_t i = 0; i < SLOTS; i++) free_slot(w, &w->slot[i]);
    homer_postings_deinit(&w->sparse);
    homer_columns_deinit(&w->dense);
    homer_columns_deinit(&w->z);
    return homer_mem_free(w->mem, w, 1, sizeof *w);
}

int homer_window_reserve(struct homer_window *w, uint32_t features, uint32_t labels) {
    int rc = homer_postings_reserve(&w->sparse, features);
    if (!rc) rc = homer_columns_reserve(&w->dense, features);
    return rc ? rc : homer_columns_reserve(&w->z, labels);
}

HOMER_WIDE static void distances(const float *norm, float own, uint32_t n, float *restrict dot) {
    for (uint32_t i = 0; i < n; i++) {
        float d = norm[i] + own - 2 * dot[i];
        dot[i] = d > 0 ? d : 0;
    }
}

void homer_window_measure_x(struct homer_window *w, const struct homer_frame *f) {
    uint32_t sparse = f->n - f->present_n;
    float norm = 0;
    memset(w->distance_x, 0, w->used * sizeof *w->distance_x);
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->feature[i] >= f->known_features) continue;
        norm += f->x[i] * f->x[i];
        if (i < sparse)
            homer_columns_add(&w->dense, f->feature[i], f->x[i], w->used, w->distance_x);
        else
            homer_postings_add(&w->sparse, f->feature[i], f->x[i], w->distance_x);
    }
    distances(w->norm_x, norm, w->used, w->distance_x);
}

void homer_window_measure_z(struct homer_window *w, const float *p, uint32_t labels) {
    float norm = 0;
    memset(w->distance_z, 0, w->used * sizeof *w->distance_z);
    for (uint32_t l = 0; l < labels; l++) {
        if (!(p[l] > LIKELY)) continue;
        norm += p[l];
        homer_columns_add(&w->z, l, sqrtf(p[l]), w->used, w->distance_z);
    }
    distances(w->norm_z, norm, w->used, w->distance_z);
}

static int room(struct homer_mem *mem, uint32_t **list, uint32_t *cap, uint32_t need) {
    if (need <= *cap) return 0;
    uint32_t *grown = homer_mem_alloc(mem, need, sizeof *grown);
    if (!grown) return -ENOMEM;
    if (*cap) memcpy(grown, *list, *cap * sizeof *grown);
    homer_mem_free(mem, *list, *cap, sizeof *grown);
    *list = grown;
    *cap = need;
    return 0;
}

static int room_for_x(struct homer_mem *mem, struct homer_window_slot *s, uint32_t n) {
    if (n <= s->feature_cap) return 0;
    uint32_t cap = s->feature_cap;
    float *x = homer_mem_alloc(mem, n, sizeof *x);
    if (!x || room(mem, &s->feature, &s->feature_cap, n)) {
        homer_mem_free(mem, x, n, sizeof *x);
        return -ENOMEM;
    }
    if (cap) memcpy(x, s->x, cap * sizeof *x);
    homer_mem_free(mem, s->x, cap, sizeof *x);
    s->x = x;
    return 0;
}

static uint32_t negatives(const struct homer_frame *f) {
    uint32_t n = 0;
    for (uint32_t l = 0; l < f->labels && !f->complete; l++) n += f->weight[l] > 0 && !(f->y[l] > 0);
    return n;
}

static int room_for_all(struct homer_window *w, const struct homer_frame *f) {
    struct homer_window_slot *s = &w->slot[w->next];
    uint32_t likely = 0, sparse = f->n - f->present_n;
    int rc = room_for_x(w->mem, s, f->n);
    if (!rc) rc = room(w->mem, &s->label, &s->label_cap, f->positive_n + negatives(f));
    for (uint32_t i = 0; i < f->n && !rc; i++)
        rc = i < sparse ? homer_columns_prepare(&w->dense, f->feature[i])
                        : homer_postings_prepare(&w->sparse, f->feature[i]);
    for (uint32_t l = 0; l < f->labels && !rc; l++) {
        if (!(f->p[l] > LIKELY)) continue;
        likely++;
        rc = homer_columns_prepare(&w->z, l);
    }
    return rc ? rc : room(w->mem, &s->likely, &s->likely_cap, likely);
}

int homer_window_prepare(struct homer_window *w, const struct homer_frame *f) {
    uint64_t capped = w->mem->capped;
    int rc = room_for_all(w, f);
    w->capped = rc && w->mem->capped > capped;
    return w->capped ? 0 : rc;
}

static void forget(struct homer_window *w, uint32_t slot) {
    const struct homer_window_slot *s = &w->slot[slot];
    for (uint32_t i = 0; i < s->feature_n; i++) {
        if (i < s->sparse)
            homer_columns_set(&w->dense, s->feature[i], slot, 0);
        else
            homer_postings_pop(&w->sparse, s->feature[i]);
    }
    for (uint32_t i = 0; i < s->likely_n; i++) homer_columns_set(&w->z, s->likely[i], slot, 0);
}

static void give_up_oldest(struct homer_window *w) {
    if (!w->n) return;
    uint32_t slot = homer_window_slot(w, --w->n);
    forget(w, slot);
    free_slot(w, &w->slot[slot]);
}

void homer_window_add(struct homer_window *w, const struct homer_frame *f) {
    uint32_t slot = w->next;
    if (w->capped) {
        give_up_oldest(w);
        return;
    }
    struct homer_window_slot *s = &w->slot[slot];
    forget(w, slot);
    if (slot >= w->used) w->used += HOMER_LANES;
    s->feature_n = f->n;
    s->sparse = f->n - f->present_n;
    w->norm_x[slot] = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        s->feature[i] = f->feature[i];
        s->x[i] = f->x[i];
        w->norm_x[slot] += f->x[i] * f->x[i];
        if (i < s->sparse)
            homer_columns_set(&w->dense, f->feature[i], slot, f->x[i]);
        else
            homer_postings_push(&w->sparse, f->feature[i], slot, f->x[i]);
    }
    s->positive_n = f->positive_n;
    s->negative_n = 0;
    s->partial = !f->complete;
    s->set = f->set;
    s->weight = (float)f->w;
    if (f->positive_n) memcpy(s->label, f->positive, f->positive_n * sizeof *s->label);
    for (uint32_t l = 0; l < f->labels && s->partial; l++)
        if (f->weight[l] > 0 && !(f->y[l] > 0)) s->label[s->positive_n + s->negative_n++] = l;
    s->likely_n = 0;
    w->norm_z[slot] = 0;
    for (uint32_t l = 0; l < f->labels; l++) {
        if (!(f->p[l] > LIKELY)) continue;
        s->likely[s->likely_n++] = l;
        w->norm_z[slot] += f->p[l];
        homer_columns_set(&w->z, l, slot, sqrtf(f->p[l]));
    }
    w->next = (slot + 1) % SLOTS;
    if (w->n < SLOTS) w->n++;
}
