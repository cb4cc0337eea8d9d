#include "core/near/postings.h"

#include <errno.h>

enum { FIRST_ROOM = 64, FIRST_RING = 4 };

void homer_postings_init(struct homer_postings *p, struct homer_mem *mem) {
    *p = (struct homer_postings){.mem = mem};
}

void homer_postings_deinit(struct homer_postings *p) {
    for (uint32_t k = 0; k < p->cap; k++)
        homer_mem_free(p->mem, p->list[k].ring, p->list[k].cap, sizeof(struct homer_posting));
    homer_mem_free(p->mem, p->list, p->cap, sizeof *p->list);
    homer_postings_init(p, p->mem);
}

int homer_postings_reserve(struct homer_postings *p, uint32_t keys) {
    if (keys <= p->cap) return 0;
    uint32_t cap = p->cap ? p->cap : FIRST_ROOM;
    while (cap < keys) cap += cap / 2;
    void *list = homer_mem_grow(p->mem, p->list, p->cap, cap, sizeof *p->list);
    if (!list) return -ENOMEM;
    p->list = list;
    p->cap = cap;
    return 0;
}

static struct homer_posting *at(const struct homer_posting_list *l, uint32_t i) {
    return &l->ring[(l->head + i) & (l->cap - 1)];
}

int homer_postings_prepare(struct homer_postings *p, uint32_t key) {
    struct homer_posting_list *l = &p->list[key];
    if (l->n < l->cap) return 0;
    uint32_t cap = l->cap ? 2 * l->cap : FIRST_RING;
    struct homer_posting *ring = homer_mem_alloc(p->mem, cap, sizeof *ring);
    if (!ring) return -ENOMEM;
    for (uint32_t i = 0; i < l->n; i++) ring[i] = *at(l, i);
    homer_mem_free(p->mem, l->ring, l->cap, sizeof *ring);
    *l = (struct homer_posting_list){ring, cap, 0, l->n};
    return 0;
}

void homer_postings_push(struct homer_postings *p, uint32_t key, uint32_t slot, float x) {
    struct homer_posting_list *l = &p->list[key];
    l->n++;
    *at(l, l->n - 1) = (struct homer_posting){slot, x};
}

void homer_postings_pop(struct homer_postings *p, uint32_t key) {
    struct homer_posting_list *l = &p->list[key];
    l->head = (l->head + 1) & (l->cap - 1);
    l->n--;
}

void homer_postings_add(const struct homer_postings *p, uint32_t key, float x, float *dot) {
    if (key >= p->cap) return;
    const struct homer_posting_list *l = &p->list[key];
    for (uint32_t i = 0; i < l->n; i++) dot[at(l, i)->slot] += x * at(l, i)->x;
}

void homer_postings_put_room(const struct homer_postings *p, struct homer_codec *c) {
    homer_put_room(c, p->cap);
    for (uint32_t k = 0; k < p->cap; k++) homer_put_room(c, p->list[k].cap);
}

void homer_postings_get_room(struct homer_postings *p, uint32_t keys, struct homer_decoder *d) {
    uint32_t cap = homer_get_grown_room(d, FIRST_ROOM, keys);
    p->list = homer_get_block(d, p->mem, cap, sizeof *p->list);
    if (d->error) return;
    p->cap = cap;
    for (uint32_t k = 0; k < cap && !d->error; k++) {
        struct homer_posting_list *l = &p->list[k];
        l->cap = homer_get_room(d, 0);
        homer_get_holds(d, l->cap == 0 || (l->cap >= FIRST_RING && (l->cap & (l->cap - 1)) == 0));
        l->ring = homer_get_block(d, p->mem, l->cap, sizeof *l->ring);
    }
}
