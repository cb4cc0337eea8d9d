#include "core/eval.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "core/base/ids.h"
#include "core/eval_scores.h"

enum { TP = 0, FP, FN, CELLS };
enum { SETS = 1 + HOMER_PREDICTORS }; /* in the ring, per instance: Y, then each predictor's P */
#define GROWN_MAX 1e100

static uint32_t row_of(int by, int span, int cell) {
    return (uint32_t)((by * HOMER_SPANS + span) * CELLS + cell);
}

void homer_eval_init(struct homer_eval *e, struct homer_mem *mem, uint32_t window) {
    *e = (struct homer_eval){.mem = mem, .window = window, .grown = 1};
    homer_grid_init(&e->label, mem, HOMER_PREDICTORS * HOMER_SPANS * CELLS, sizeof(double));
}

void homer_eval_deinit(struct homer_eval *e) {
    homer_mem_free(e->mem, e->previous, e->label.cap, sizeof *e->previous);
    homer_mem_free(e->mem, e->scratch, (size_t)e->label.cap * (SETS + 1), sizeof *e->scratch);
    homer_mem_free(e->mem, e->ring, e->ring_cap, sizeof *e->ring);
    homer_grid_deinit(&e->label);
}

static int reserve_labels(struct homer_eval *e, uint32_t labels) {
    if (labels <= e->label.cap) return 0;
    struct homer_grid grown = e->label;
    uint32_t old = e->label.cap;
    uint32_t *previous = NULL, *scratch = NULL;
    grown.cap = 0;
    grown.data = NULL;
    if (homer_grid_reserve(&grown, labels < old + old / 2 ? old + old / 2 : labels)) return -ENOMEM;
    previous = homer_mem_alloc(e->mem, grown.cap, sizeof *previous);
    scratch = homer_mem_alloc(e->mem, (size_t)grown.cap * (SETS + 1), sizeof *scratch);
    if (!previous || !scratch) {
        homer_mem_free(e->mem, previous, grown.cap, sizeof *previous);
        homer_mem_free(e->mem, scratch, (size_t)grown.cap * (SETS + 1), sizeof *scratch);
        homer_grid_deinit(&grown);
        return -ENOMEM;
    }
    for (uint32_t r = 0; r < grown.rows && old; r++)
        memcpy(homer_grid_f64(&grown, r), homer_grid_f64(&e->label, r), old * sizeof(double));
    if (e->previous_n) memcpy(previous, e->previous, e->previous_n * sizeof *previous);
    homer_mem_free(e->mem, e->previous, old, sizeof *previous);
    homer_mem_free(e->mem, e->scratch, (size_t)old * (SETS + 1), sizeof *scratch);
    homer_grid_deinit(&e->label);
    e->label = grown;
    e->previous = previous;
    e->scratch = scratch;
    return 0;
}

int homer_eval_reserve(struct homer_eval *e, const struct homer_outcome *o, uint32_t labels) {
    if (reserve_labels(e, labels ? labels : 1)) return -ENOMEM;
    size_t known = (size_t)o->truth->positive_n + o->truth->negative_n;
    size_t more = 2 + SETS + 2 * known + e->previous_n + o->majority_n + labels;
    if (e->ring_n + more <= e->ring_cap) return 0;
    size_t cap = e->ring_cap ? e->ring_cap : 1024;
    while (cap < e->ring_n + more) cap *= 2;
    uint32_t *ring = homer_mem_alloc(e->mem, cap, sizeof *ring);
    if (!ring) return -ENOMEM;
    for (size_t i = 0; i < e->ring_n; i++) ring[i] = e->ring[(e->ring_head + i) % e->ring_cap];
    homer_mem_free(e->mem, e->ring, e->ring_cap, sizeof *ring);
    e->ring = ring;
    e->ring_cap = cap;
    e->ring_head = 0;
    return 0;
}

struct set {
    const uint32_t *id; /* ascending */
    uint32_t n;
};

/* Sets of one instance, already restricted to its known labels. known: number of known labels of a partial
 * labelling, else 0. */
struct entry {
    struct set truth, by[HOMER_PREDICTORS];
    uint32_t known;
    bool partial;
};

/* Rounded to a multiple of 2^-32: sums of up to 2^20 of them are exact in a double. */
static double fixed(double ratio) {
    return (double)(int64_t)(ratio * 4294967296.0 + 0.5) * 0x1p-32;
}

static void bump(struct homer_eval *e, int by, int span, int cell, uint32_t label, double v) {
    homer_grid_f64(&e->label, row_of(by, span, cell))[label] += v;
}

/* Adds `sign` times the entry to a span of a predictor; `unit` is what one label counts in the per-label
 * rows. */
static void tally_entry(struct homer_eval *e, int by, int span, const struct entry *x, double sign,
                        double unit) {
    struct homer_tally *t = &e->tally[by][span];
    struct set y = x->truth, p = x->by[by];
    uint32_t i = 0, j = 0, hits = 0;
    while (i < y.n || j < p.n) {
        if (j >= p.n || (i < y.n && y.id[i] < p.id[j])) {
            bump(e, by, span, FN, y.id[i++], unit);
        } else if (i >= y.n || p.id[j] < y.id[i]) {
            bump(e, by, span, FP, p.id[j++], unit);
        } else {
            bump(e, by, span, TP, y.id[i++], unit);
            j++;
            hits++;
        }
    }
    double both = hits, size = (double)y.n + p.n;
    t->n += sign;
    t->subset += sign * (hits == y.n && hits == p.n);
    t->f1 += sign * fixed(size > 0 ? 2 * both / size : 1);
    t->precision += sign * fixed(p.n ? both / p.n : y.n == 0);
    t->recall += sign * fixed(y.n ? both / y.n : p.n == 0);
    t->cardinality += sign * p.n;
    t->wrong += sign * (size - 2 * both);
    t->complete += sign * !x->partial;
    t->partial_pairs += sign * x->known;
    t->tp += sign * both;
    t->fp += sign * (p.n - both);
    t->fn += sign * (y.n - both);
}

static void ring_put(struct homer_eval *e, uint32_t word) {
    e->ring[(e->ring_head + e->ring_n++) % e->ring_cap] = word;
}

static uint32_t ring_take(struct homer_eval *e) {
    uint32_t word = e->ring[e->ring_head];
    e->ring_head = (e->ring_head + 1) % e->ring_cap;
    e->ring_n--;
    return word;
}

static void ring_put_set(struct homer_eval *e, struct set s) {
    ring_put(e, s.n);
    for (uint32_t i = 0; i < s.n; i++) ring_put(e, s.id[i]);
}

static struct set ring_take_set(struct homer_eval *e, uint32_t *room) {
    struct set s = {room, ring_take(e)};
    for (uint32_t i = 0; i < s.n; i++) room[i] = ring_take(e);
    return s;
}

static void forget_oldest(struct homer_eval *e) {
    struct entry x = {.partial = ring_take(e) != 0};
    uint32_t *room = e->scratch;
    x.known = ring_take(e);
    x.truth = ring_take_set(e, room);
    for (int by = 0; by < HOMER_PREDICTORS; by++)
        x.by[by] = ring_take_set(e, room + (size_t)(by + 1) * e->label.cap);
    for (int by = 0; by < HOMER_PREDICTORS; by++) tally_entry(e, by, HOMER_WINDOW, &x, -1, -1);
    e->ring_instances--;
}

/* Copies s, ascending and restricted to what x knows, into room. */
static struct set known_part(struct set s, const struct homer_instance *x, uint32_t *room) {
    uint32_t n = 0, i = 0, j = 0;
    for (uint32_t k = 0; k < s.n; k++) {
        if (x->partial) {
            while (i < x->positive_n && x->positive[i] < s.id[k]) i++;
            while (j < x->negative_n && x->negative[j] < s.id[k]) j++;
            bool known = (i < x->positive_n && x->positive[i] == s.id[k]) ||
                         (j < x->negative_n && x->negative[j] == s.id[k]);
            if (!known) continue;
        }
        room[n++] = s.id[k];
    }
    return (struct set){room, n};
}

static struct entry entry_of(struct homer_eval *e, const struct homer_outcome *o) {
    const struct homer_instance *x = o->truth;
    uint32_t *room = e->scratch, cap = e->label.cap;
    struct entry out = {.partial = x->partial, .known = x->partial ? x->positive_n + x->negative_n : 0};
    uint32_t *sorted = room + (size_t)SETS * cap;
    if (o->predicted_n) memcpy(sorted, o->predicted, o->predicted_n * sizeof *sorted);
    homer_sort_ids(sorted, o->predicted_n);
    struct set p[HOMER_PREDICTORS] = {
        {sorted, o->predicted_n}, {e->previous, e->previous_n}, {o->majority, o->majority_n}};
    out.truth = (struct set){x->positive, x->positive_n};
    for (int by = 0; by < HOMER_PREDICTORS; by++) out.by[by] = known_part(p[by], x, room + (size_t)by * cap);
    return out;
}

static void fade(struct homer_eval *e) {
    double keep = homer_eval_keep(e);
    for (int by = 0; by < HOMER_PREDICTORS; by++) {
        struct homer_tally *t = &e->tally[by][HOMER_FADED];
        for (double *v = &t->n; v < (double *)(t + 1); v++) *v *= keep;
    }
    e->grown /= keep;
    if (e->grown < GROWN_MAX) return;
    for (int by = 0; by < HOMER_PREDICTORS; by++)
        for (int cell = 0; cell < CELLS; cell++) {
            double *row = homer_grid_f64(&e->label, row_of(by, HOMER_FADED, cell));
            for (uint32_t l = 0; l < e->label.cap; l++) row[l] /= e->grown;
        }
    e->grown = 1;
}

void homer_eval_count(struct homer_eval *e, const struct homer_outcome *o, uint32_t labels) {
    e->labels = labels;
    fade(e);
    if (e->ring_instances == e->window) forget_oldest(e);
    struct entry x = entry_of(e, o);
    for (int by = 0; by < HOMER_PREDICTORS; by++) {
        tally_entry(e, by, HOMER_TOTAL, &x, 1, 1);
        tally_entry(e, by, HOMER_WINDOW, &x, 1, 1);
        tally_entry(e, by, HOMER_FADED, &x, 1, e->grown);
    }
    ring_put(e, x.partial);
    ring_put(e, x.known);
    ring_put_set(e, x.truth);
    for (int by = 0; by < HOMER_PREDICTORS; by++) ring_put_set(e, x.by[by]);
    e->ring_instances++;
    homer_eval_count_scores(e, o);
    e->previous_n = o->truth->positive_n;
    if (e->previous_n) memcpy(e->previous, o->truth->positive, e->previous_n * sizeof *e->previous);
}

static double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

void homer_eval_metrics(const struct homer_eval *e, enum homer_predictor by, enum homer_span span,
                        struct homer_metrics *out) {
    const struct homer_tally *t = &e->tally[by][span];
    const double *tp = homer_grid_f64(&e->label, row_of((int)by, (int)span, TP));
    const double *fp = homer_grid_f64(&e->label, row_of((int)by, (int)span, FP));
    const double *fn = homer_grid_f64(&e->label, row_of((int)by, (int)span, FN));
    double macro = 0;
    for (uint32_t l = 0; l < e->labels; l++) macro += ratio(2 * tp[l], 2 * tp[l] + fp[l] + fn[l]);
    *out = (struct homer_metrics){
        .n = t->n,
        .subset = ratio(t->subset, t->n),
        .hamming = ratio(t->wrong, t->complete * e->labels + t->partial_pairs),
        .example_f1 = ratio(t->f1, t->n),
        .example_precision = ratio(t->precision, t->n),
        .example_recall = ratio(t->recall, t->n),
        .micro_f1 = ratio(2 * t->tp, 2 * t->tp + t->fp + t->fn),
        .macro_f1 = ratio(macro, e->labels),
        .cardinality = ratio(t->cardinality, t->n),
        .log_loss = (double)NAN,
        .calibration_error = (double)NAN,
    };
    if (by == HOMER_BY_MODEL && span != HOMER_WINDOW) {
        homer_eval_score_metrics(e, span, out);
        return;
    }
    for (int d = 0; d < 3; d++) out->precision_at[d] = out->ndcg_at[d] = out->psp_at[d] = (double)NAN;
}

void homer_eval_add_label(const struct homer_eval *e, uint32_t label, double *tp, double *fp, double *fn) {
    *tp += homer_grid_f64(&e->label, row_of(HOMER_BY_MODEL, HOMER_FADED, TP))[label];
    *fp += homer_grid_f64(&e->label, row_of(HOMER_BY_MODEL, HOMER_FADED, FP))[label];
    *fn += homer_grid_f64(&e->label, row_of(HOMER_BY_MODEL, HOMER_FADED, FN))[label];
}

void homer_eval_encode(const struct homer_eval *e, struct homer_codec *c) {
    homer_put_u32(c, e->labels);
    homer_put_f64(c, e->grown);
    homer_put_f64s(c, &e->tally[0][0].n, sizeof e->tally / (sizeof(double)));
    homer_put_f64s(c, &e->score[0].n, sizeof e->score / (sizeof(double)));
    homer_put_f64s(c, e->bin_n, HOMER_CALIBRATION_BINS);
    homer_put_f64s(c, e->bin_p, HOMER_CALIBRATION_BINS);
    homer_put_f64s(c, e->bin_y, HOMER_CALIBRATION_BINS);
    homer_grid_put_room(&e->label, c);
    for (uint32_t r = 0; r < e->label.rows; r++) homer_put_f64s(c, homer_grid_f64(&e->label, r), e->labels);
    homer_put_u32(c, e->previous_n);
    homer_put_u32s(c, e->previous, e->previous_n);
    homer_put_u32(c, e->ring_instances);
    homer_put_room(c, e->ring_cap);
    for (size_t i = 0; i < e->ring_n; i++) homer_put_u32(c, e->ring[(e->ring_head + i) % e->ring_cap]);
}

/* One instance of the window: what ring_take will find. */
static void decode_entry(struct homer_eval *e, struct homer_decoder *d) {
    size_t left = e->ring_cap - e->ring_n;
    if (!homer_get_holds(d, left >= 2)) return;
    ring_put(e, homer_get_most(d, 1));
    ring_put(e, homer_get_u32(d));
    for (int set = 0; set < SETS; set++) {
        uint32_t n = homer_get_most(d, e->labels);
        left = e->ring_cap - e->ring_n;
        if (!homer_get_holds(d, left > n)) return;
        ring_put(e, n);
        homer_get_set(d, e->ring + e->ring_n, n, e->labels);
        e->ring_n += n;
    }
}

void homer_eval_decode(struct homer_eval *e, uint32_t labels, struct homer_decoder *d) {
    e->labels = homer_get_u32(d);
    homer_get_holds(d, e->labels == labels);
    e->grown = homer_get_f64(d);
    homer_get_f64s(d, &e->tally[0][0].n, sizeof e->tally / (sizeof(double)));
    homer_get_f64s(d, &e->score[0].n, sizeof e->score / (sizeof(double)));
    homer_get_f64s(d, e->bin_n, HOMER_CALIBRATION_BINS);
    homer_get_f64s(d, e->bin_p, HOMER_CALIBRATION_BINS);
    homer_get_f64s(d, e->bin_y, HOMER_CALIBRATION_BINS);
    uint32_t cap = homer_get_room(d, labels);
    if (reserve_labels(e, cap)) homer_get_fail(d, -ENOMEM);
    if (!homer_get_holds(d, e->label.cap == cap)) return;
    for (uint32_t r = 0; r < e->label.rows; r++) homer_get_f64s(d, homer_grid_f64(&e->label, r), labels);
    e->previous_n = homer_get_most(d, labels);
    homer_get_set(d, e->previous, e->previous_n, labels);
    e->ring_instances = homer_get_most(d, e->window);
    e->ring_cap = homer_get_long_room(d, 0);
    e->ring = homer_get_block(d, e->mem, e->ring_cap, sizeof *e->ring);
    for (uint32_t i = 0; i < e->ring_instances && !d->error; i++) decode_entry(e, d);
}
