#include "clients/cli/synthetic.h"

enum { MOST_LABELS = 3 };

static uint64_t below(struct homer_rng *rng, uint64_t n) {
    return (uint64_t)(homer_rng_unit(rng) * (double)n);
}

/* 1 to 3 different labels; low numbers are frequent, as in real streams. */
static size_t draw_labels(struct homer_synthetic *s, uint64_t *label) {
    size_t wanted = 1 + (size_t)below(&s->rng, MOST_LABELS), n = 0;
    for (size_t i = 0; i < wanted; i++) {
        double u = homer_rng_unit(&s->rng);
        uint64_t l = (uint64_t)(u * u * (double)s->labels);
        for (size_t j = 0; j < n; j++)
            if (label[j] == l) l = s->labels;
        if (l < s->labels) label[n++] = l;
    }
    return n;
}

static void dense(struct homer_synthetic *s, const uint64_t *label, size_t n, struct homer_buf *out) {
    for (uint64_t f = 0; f < s->features; f++) {
        double v = homer_rng_unit(&s->rng) - 0.5;
        for (size_t i = 0; i < n; i++) {
            uint64_t way = homer_rng_mix(label[i] * s->features + f) & 3; /* two of four leave it alone */
            v += way == 0 ? 0.25 : way == 1 ? -0.25 : 0;
        }
        homer_buf_printf(out, "%s\"f%llu\":%.4f", f ? "," : "", (unsigned long long)f, v);
    }
}

static void sparse(struct homer_synthetic *s, const uint64_t *label, size_t n, struct homer_buf *out) {
    /* one feature from each of `nonzero` equal stretches, so that none comes twice */
    for (uint64_t k = 0; k < s->nonzero; k++) {
        uint64_t from = k * s->features / s->nonzero, room = (k + 1) * s->features / s->nonzero - from;
        uint64_t at = below(&s->rng, room);
        if (k % 2) at = homer_rng_mix(label[k / 2 % n] * s->nonzero + k) % room;
        homer_buf_printf(out, "%s\"f%llu\":1", k ? "," : "", (unsigned long long)(from + at));
    }
}

void homer_synthetic_line(struct homer_synthetic *s, struct homer_buf *out) {
    uint64_t label[MOST_LABELS];
    size_t n = draw_labels(s, label);
    homer_buf_truncate(out, 0);
    homer_buf_puts(out, "{\"x\":{");
    (s->nonzero < s->features ? sparse : dense)(s, label, n, out);
    homer_buf_puts(out, "},\"y\":[");
    for (size_t i = 0; i < n; i++)
        homer_buf_printf(out, "%s\"l%llu\"", i ? "," : "", (unsigned long long)label[i]);
    homer_buf_puts(out, "]}");
}
