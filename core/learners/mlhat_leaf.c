#include "core/learners/mlhat_leaf.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/num.h"

/* Its clients cannot choose collisions: the keys are column numbers. */
static const uint8_t set_key[16] = "labelset columns";

int homer_mlhat_leaf_new(struct homer_mlhat_leaf **out, struct homer_mem *mem) {
    struct homer_mlhat_leaf *l = homer_mem_alloc(mem, 1, sizeof *l);
    if (!l) return -ENOMEM;
    l->mem = mem;
    homer_map_init(&l->sets, mem, set_key);
    homer_bagged_init(&l->bagged, mem);
    homer_observers_init(&l->observers, mem);
    *out = l;
    return 0;
}

struct homer_mlhat_leaf *homer_mlhat_leaf_free(struct homer_mlhat_leaf *l) {
    if (!l) return NULL;
    for (uint32_t i = 0; i < l->memo_n; i++)
        homer_memo_drop(l->memo[(l->oldest + i) % HOMER_MLHAT_WINDOW], l->mem);
    homer_mem_free(l->mem, l->count, l->cap, sizeof *l->count);
    homer_map_deinit(&l->sets);
    homer_bagged_deinit(&l->bagged);
    homer_observers_deinit(&l->observers);
    return homer_mem_free(l->mem, l, 1, sizeof *l);
}

/* The K nearest, nearest first; ties: the older one. Returns how many. */
static uint32_t nearest(const struct homer_mlhat_leaf *l, const struct homer_query *q,
                        struct homer_memo *best[HOMER_MLHAT_K], double distance[HOMER_MLHAT_K]) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->memo_n; i++) {
        struct homer_memo *memo = l->memo[(l->oldest + i) % HOMER_MLHAT_WINDOW];
        double d = homer_memo_distance(memo, q);
        if (n == HOMER_MLHAT_K && !(d < distance[n - 1])) continue;
        uint32_t at = n < HOMER_MLHAT_K ? n++ : n - 1;
        for (; at && d < distance[at - 1]; at--) {
            distance[at] = distance[at - 1];
            best[at] = best[at - 1];
        }
        distance[at] = d;
        best[at] = memo;
    }
    return n;
}

static void by_neighbours(const struct homer_mlhat_leaf *l, const struct homer_query *q,
                          const struct homer_mlhat_columns *columns, uint32_t m, float *p) {
    struct homer_memo *best[HOMER_MLHAT_K];
    double distance[HOMER_MLHAT_K], weight[HOMER_MLHAT_K], sum = 0;
    uint32_t n = nearest(l, q, best, distance);
    if (n && distance[0] == 0) n = 1;
    for (uint32_t i = 0; i < n; i++) sum += weight[i] = distance[i] > 0 ? 1 / sqrt(distance[i]) : 1;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < best[i]->label_n; k++) {
            uint32_t label = best[i]->label[k];
            if (columns->part_of[label] != columns->part || columns->column_of[label] >= m) continue;
            float *to = &p[columns->column_of[label]];
            *to = homer_clip(*to + (float)(weight[i] / sum), 0, 1);
        }
}

static bool mixed(const struct homer_mlhat_leaf *l, const struct homer_mlhat_config *config) {
    if (l->weight < config->cardinality) return false;
    double h =
        homer_bernoulli_entropy(l->count, l->m, l->weight) + homer_bernoulli_entropy(&l->none, 1, l->weight);
    return h >= config->entropy;
}

bool homer_mlhat_leaf_predict(const struct homer_mlhat_leaf *l, const struct homer_mlhat_config *config,
                              const struct homer_query *q, const struct homer_mlhat_columns *columns,
                              uint32_t m, float *p, struct homer_mlhat_scratch *scratch) {
    if (m) memset(p, 0, m * sizeof *p);
    if (l->sets_known == 0) return false;
    if (l->sets_known == 1) {
        size_t n;
        const char *key = homer_map_key(&l->sets, 0, &n);
        for (size_t i = 0; i < n; i += sizeof(uint32_t)) {
            uint32_t column;
            memcpy(&column, key + i, sizeof column);
            p[column] = 1;
        }
    } else if (mixed(l, config)) {
        homer_bagged_predict(&l->bagged, q, m, p, scratch->f32);
    } else {
        by_neighbours(l, q, columns, m, p);
    }
    return true;
}

/* What the memory cap refuses a leaf goes without; true otherwise: it failed. */
static bool failed(const struct homer_mlhat_leaf *l, int rc, uint64_t capped) {
    return rc && l->mem->capped == capped;
}

static int reserve_counts(struct homer_mlhat_leaf *l, uint32_t m) {
    if (m <= l->cap) return 0;
    uint32_t cap = m + m / 2;
    double *count = homer_mem_grow(l->mem, l->count, l->cap, cap, sizeof *count);
    if (!count) return -ENOMEM;
    l->count = count;
    l->cap = cap;
    return 0;
}

int homer_mlhat_leaf_prepare(struct homer_mlhat_leaf *l, const struct homer_query *q,
                             const struct homer_mlhat_truth *y) {
    if (homer_bagged_reserve(&l->bagged, q, y->m)) return -ENOMEM;
    if (!y->known) return 0;
    if (reserve_counts(l, y->m)) return -ENOMEM;
    uint64_t capped = l->mem->capped;
    if (l->sets.n < HOMER_MLHAT_SETS &&
        homer_map_add(&l->sets, y->on, y->on_n * sizeof *y->on) == UINT32_MAX && failed(l, -ENOMEM, capped))
        return -ENOMEM;
    if (l->inactive) return 0;
    l->starved = homer_memory_short(l->mem);
    if (l->starved) return 0;
    capped = l->mem->capped;
    int rc = homer_observers_reserve(&l->observers, q, y->on_n ? y->on_n : 1);
    l->starved = rc != 0;
    return failed(l, rc, capped) ? rc : 0;
}

void homer_mlhat_leaf_cancel(struct homer_mlhat_leaf *l, const struct homer_query *q) {
    homer_map_truncate(&l->sets, l->sets_known);
    homer_bagged_cancel(&l->bagged, q);
    homer_observers_cancel(&l->observers, q);
}

/* memo NULL: the memory cap refused it, and the oldest one makes room for the next. */
static void remember(struct homer_mlhat_leaf *l, struct homer_memo *memo) {
    if (l->memo_n && (!memo || l->memo_n == HOMER_MLHAT_WINDOW)) {
        homer_memo_drop(l->memo[l->oldest], l->mem);
        l->oldest = (l->oldest + 1) % HOMER_MLHAT_WINDOW;
        l->memo_n--;
    }
    if (!memo) return;
    memo->refs++;
    l->memo[(l->oldest + l->memo_n++) % HOMER_MLHAT_WINDOW] = memo;
}

/* Stops growing: because one label is on nearly all, or memory is short. */
static void deactivate(struct homer_mlhat_leaf *l) {
    l->inactive = true;
    l->starved = false;
    homer_observers_deinit(&l->observers);
}

void homer_mlhat_leaf_learn(struct homer_mlhat_leaf *l, const struct homer_mlhat_config *config,
                            const struct homer_query *q, const struct homer_mlhat_truth *y, double weight,
                            struct homer_rng *rng, struct homer_mlhat_scratch *scratch) {
    static const uint32_t none = HOMER_NO_LABEL;
    homer_bagged_learn(&l->bagged, q, y->m, y->y, rng, scratch->f32);
    if (!y->known) return;
    l->m = y->m;
    l->weight += weight;
    for (uint32_t i = 0; i < y->on_n; i++) l->count[y->on[i]] += weight;
    if (!y->on_n) l->none += weight;
    l->sets_known = l->sets.n;
    remember(l, y->memo);
    if (l->inactive) return;
    if (l->starved) {
        deactivate(l);
        return;
    }
    homer_observers_add(&l->observers, q, y->on_n ? y->on : &none, y->on_n ? y->on_n : 1, weight);
    double most = l->none;
    for (uint32_t i = 0; i < l->m; i++) most = l->count[i] > most ? l->count[i] : most;
    bool due = l->weight - l->tried >= config->grace && l->sets_known > 1;
    if (due && most > config->pure * l->weight) deactivate(l);
}

bool homer_mlhat_leaf_due(const struct homer_mlhat_leaf *l, const struct homer_mlhat_config *config) {
    return !l->inactive && l->weight - l->tried >= config->grace;
}

bool homer_mlhat_leaf_split(const struct homer_mlhat_leaf *l, const struct homer_mlhat_config *config,
                            struct homer_mlhat_scratch *scratch, struct homer_best_split *split) {
    if (l->sets_known < 2) return false;
    homer_observers_split(&l->observers, l->weight, l->count, l->m, l->none, scratch->f64, split);
    double range = l->sets_known > 2 ? homer_log_double(l->sets_known) / homer_log_double(2) : 1;
    double bound = sqrt(range * range * -homer_log_double(config->delta) / (2 * l->weight));
    return split->found && (split->gain - split->second > bound || bound < config->tau);
}

void homer_mlhat_leaf_encode(const struct homer_mlhat_leaf *l, uint32_t m, struct homer_codec *c) {
    homer_put_f64(c, l->weight);
    homer_put_f64(c, l->tried);
    homer_put_f64(c, l->none);
    homer_put_u8(c, l->inactive);
    homer_put_u32(c, l->m);
    homer_put_room(c, l->cap);
    homer_put_f64s(c, l->count, l->m);
    homer_map_put_room(&l->sets, c);
    homer_put_u32(c, l->sets_known);
    for (uint32_t i = 0; i < l->sets_known; i++) homer_map_put_key(&l->sets, i, c);
    homer_put_u32(c, l->memo_n);
    for (uint32_t i = 0; i < l->memo_n; i++)
        homer_memo_encode(l->memo[(l->oldest + i) % HOMER_MLHAT_WINDOW], c);
    homer_bagged_encode(&l->bagged, m, c);
    homer_observers_encode(&l->observers, c);
}

/* Whether a set has only columns below m. */
static bool is_set(const struct homer_mlhat_leaf *l, uint32_t set, uint32_t m) {
    size_t n;
    const char *key = homer_map_key(&l->sets, set, &n);
    bool so = n % sizeof(uint32_t) == 0;
    for (size_t i = 0; i < n && so; i += sizeof(uint32_t)) {
        uint32_t column;
        memcpy(&column, key + i, sizeof column);
        so = column < m;
    }
    return so;
}

static void decode_sets(struct homer_mlhat_leaf *l, uint32_t m, struct homer_decoder *d) {
    homer_map_get_room(&l->sets, d);
    uint32_t n = homer_get_most(d, HOMER_MLHAT_SETS);
    for (uint32_t i = 0; i < n && !d->error; i++) {
        homer_map_get_key(&l->sets, (size_t)m * sizeof(uint32_t), d);
        homer_get_holds(d, !d->error && is_set(l, i, m));
    }
    l->sets_known = l->sets.n;
}

void homer_mlhat_leaf_decode(struct homer_mlhat_leaf *l, const struct homer_mlhat_known *known,
                             struct homer_decoder *d) {
    l->weight = homer_get_f64(d);
    l->tried = homer_get_f64(d);
    l->none = homer_get_f64(d);
    l->inactive = homer_get_u8(d, 1);
    l->m = homer_get_most(d, known->m);
    l->cap = homer_get_room(d, l->m);
    l->count = homer_get_block(d, l->mem, l->cap, sizeof *l->count);
    if (d->error) return;
    homer_get_f64s(d, l->count, l->m);
    decode_sets(l, known->m, d);
    uint32_t memos = homer_get_most(d, HOMER_MLHAT_WINDOW);
    while (l->memo_n < memos && !d->error) {
        struct homer_memo *m = homer_memo_decode(known->memos, l->mem, known->features, known->labels, d);
        if (m) l->memo[l->memo_n++] = m;
    }
    homer_bagged_decode(&l->bagged, known->m, known->features, d);
    homer_observers_decode(&l->observers, known->m, known->features, d);
}
