#include "core/learners/query.h"

#include <errno.h>
#include <string.h>
#include "core/base/num.h"

#define MOST 1e6f

void homer_query_init(struct homer_query *q, struct homer_mem *mem) {
    *q = (struct homer_query){.mem = mem};
    homer_grid_init(&q->given, mem, 1, sizeof(float));
    homer_grid_init(&q->listed, mem, 1, sizeof(uint32_t));
}

void homer_query_deinit(struct homer_query *q) {
    homer_grid_deinit(&q->given);
    homer_grid_deinit(&q->listed);
}

int homer_query_reserve(struct homer_query *q, uint32_t features) {
    int rc = homer_grid_reserve(&q->given, features);
    return rc ? rc : homer_grid_reserve(&q->listed, features);
}

void homer_query_set(struct homer_query *q, const struct homer_instance *x, uint32_t features) {
    float *given = homer_grid_f32(&q->given, 0);
    uint32_t *listed = homer_grid_row(&q->listed, 0);
    for (uint32_t i = 0; i < q->n; i++) given[listed[i]] = 0;
    q->n = q->nonzero = 0;
    q->norm2 = 0;
    q->stamp++;
    for (uint32_t i = 0; i < x->feature_n; i++) {
        float v = homer_clip(x->value[i], -MOST, MOST);
        if (v == 0) continue;
        q->nonzero++;
        q->norm2 += (double)v * (double)v;
        if (x->feature[i] >= features) continue;
        given[x->feature[i]] = v;
        listed[q->n++] = x->feature[i];
    }
}

static struct homer_memo *bare_memo(struct homer_mem *mem, uint32_t features, uint32_t labels) {
    size_t words = (size_t)2 * features + labels;
    struct homer_memo *m = homer_mem_alloc(mem, 1, sizeof *m + words * sizeof(uint32_t));
    if (!m) return NULL;
    *m = (struct homer_memo){.refs = 1, .feature_n = features, .label_n = labels};
    m->feature = (uint32_t *)(m + 1);
    m->value = (float *)(m->feature + features);
    m->label = (uint32_t *)(m->value + features);
    return m;
}

int homer_memo_new(struct homer_memo **out, const struct homer_query *q, const uint32_t *label,
                   uint32_t label_n) {
    struct homer_memo *m = bare_memo(q->mem, q->n, label_n);
    if (!m) return -ENOMEM;
    const uint32_t *listed = homer_query_features(q);
    for (uint32_t i = 0; i < q->n; i++) {
        m->feature[i] = listed[i];
        m->value[i] = homer_query_value(q, listed[i]);
    }
    if (label_n) memcpy(m->label, label, label_n * sizeof *label);
    *out = m;
    return 0;
}

struct homer_memo *homer_memo_drop(struct homer_memo *m, struct homer_mem *mem) {
    if (!m || --m->refs) return NULL;
    size_t words = (size_t)2 * m->feature_n + m->label_n;
    return homer_mem_free(mem, m, 1, sizeof *m + words * sizeof(uint32_t));
}

double homer_memo_distance(struct homer_memo *m, const struct homer_query *q) {
    if (m->asked == q->stamp) return m->distance;
    double sum = 0, met = 0;
    uint32_t both = 0;
    for (uint32_t i = 0; i < m->feature_n; i++) {
        double v = (double)homer_query_value(q, m->feature[i]), gap = (double)m->value[i] - v;
        sum += gap * gap;
        met += v * v;
        both += v != 0;
    }
    double rest = both == q->nonzero ? 0 : q->norm2 - met; /* what the query has alone */
    m->asked = q->stamp;
    m->distance = sum + (rest > 0 ? rest : 0);
    return m->distance;
}

void homer_memo_encode(const struct homer_memo *m, struct homer_codec *c) {
    homer_put_room(c, m->born);
    homer_put_u32(c, m->feature_n);
    homer_put_u32(c, m->label_n);
    homer_put_u32s(c, m->feature, m->feature_n);
    homer_put_f32s(c, m->value, m->feature_n);
    homer_put_u32s(c, m->label, m->label_n);
}

void homer_memos_init(struct homer_memos *s, struct homer_mem *scratch) {
    static const uint8_t key[16] = "memos";
    *s = (struct homer_memos){0};
    homer_map_init(&s->born, scratch, key);
}

void homer_memos_deinit(struct homer_memos *s) {
    homer_mem_free(s->born.mem, s->memo, s->cap, sizeof(struct homer_memo *));
    homer_map_deinit(&s->born);
}

/* Enters a memo that is not there yet; 0 or -ENOMEM. */
static int enter(struct homer_memos *s, struct homer_memo *m) {
    if (s->born.n == s->cap) {
        uint32_t cap = s->cap ? 2 * s->cap : 256;
        struct homer_memo **memo = homer_mem_grow(s->born.mem, s->memo, s->cap, cap, sizeof(*memo));
        if (!memo) return -ENOMEM;
        s->memo = memo;
        s->cap = cap;
    }
    uint32_t id = homer_map_add(&s->born, &m->born, sizeof m->born);
    if (id == UINT32_MAX) return -ENOMEM;
    s->memo[id] = m;
    return 0;
}

/* Whether the n words at p are what is read next. */
static bool reads(const void *p, size_t n, struct homer_decoder *d) {
    const char *at = p;
    bool same = true;
    for (size_t i = 0; i < n; i++) {
        uint32_t word = homer_get_u32(d);
        same = same && memcmp(at + i * sizeof word, &word, sizeof word) == 0;
    }
    return same;
}

struct homer_memo *homer_memo_decode(struct homer_memos *s, struct homer_mem *mem, uint32_t features,
                                     uint32_t labels, struct homer_decoder *d) {
    uint64_t born = homer_get_u64(d);
    uint32_t feature_n = homer_get_most(d, features), label_n = homer_get_most(d, labels);
    uint32_t id = d->error ? UINT32_MAX : homer_map_get(&s->born, &born, sizeof born);
    struct homer_memo *m = id == UINT32_MAX ? NULL : s->memo[id];
    if (m) {
        bool same = m->feature_n == feature_n && m->label_n == label_n;
        if (!homer_get_holds(d, same && reads(m->feature, 2 * (size_t)feature_n + label_n, d))) return NULL;
        m->refs++;
        return m;
    }
    m = d->error ? NULL : bare_memo(mem, feature_n, label_n);
    if (!m) {
        homer_get_fail(d, -ENOMEM);
        return NULL;
    }
    m->born = born;
    homer_get_ids(d, m->feature, feature_n, features);
    homer_get_f32s(d, m->value, feature_n);
    homer_get_set(d, m->label, label_n, labels);
    if (!d->error && enter(s, m)) homer_get_fail(d, -ENOMEM);
    return d->error ? homer_memo_drop(m, mem) : m;
}
