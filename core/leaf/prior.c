#include "core/leaf/prior.h"

#include "core/base/num.h"

enum { POSITIVE = 0, PARTIAL = 1, ROWS };

void homer_prior_init(struct homer_prior *p, struct homer_mem *mem) {
    *p = (struct homer_prior){0};
    homer_grid_init(&p->count, mem, ROWS, sizeof(double));
}

void homer_prior_deinit(struct homer_prior *p) {
    homer_grid_deinit(&p->count);
}

int homer_prior_reserve(struct homer_prior *p, uint32_t columns) {
    return homer_grid_reserve(&p->count, columns);
}

double homer_prior_density(const struct homer_prior *p) {
    return p->observed > 0 ? p->positives / p->observed : 0.1;
}

HOMER_WIDE void homer_prior_predict(const struct homer_prior *p, struct homer_frame *f) {
    const double *c = homer_grid_f64(&p->count, POSITIVE), *partial = homer_grid_f64(&p->count, PARTIAL);
    double rho = homer_prior_density(p) + 0.001;
    for (uint32_t l = 0; l < f->stride; l++) {
        double pi = (c[l] + rho) / (p->complete + partial[l] + 1.002);
        float x = pi > 0.999 ? 0.999f : (float)pi;
        f->prior[l] = x;
        f->prior_logit[l] = homer_logit(x);
    }
}

void homer_prior_add_label(struct homer_prior *p) {
    p->observed += p->complete;
}

void homer_prior_learn(struct homer_prior *p, const struct homer_frame *f) {
    double *c = homer_grid_f64(&p->count, POSITIVE), *partial = homer_grid_f64(&p->count, PARTIAL);
    for (uint32_t i = 0; i < f->positive_n; i++) c[f->positive[i]] += f->w;
    p->positives += f->w * f->positive_n;
    if (f->complete) {
        p->complete += f->w;
        p->observed += f->w * f->labels;
        return;
    }
    for (uint32_t l = 0; l < f->labels; l++) {
        partial[l] += (double)f->weight[l];
        p->observed += (double)f->weight[l];
    }
}

void homer_prior_encode(const struct homer_prior *p, uint32_t labels, struct homer_codec *c) {
    homer_grid_put_room(&p->count, c);
    homer_put_f64s(c, homer_grid_f64(&p->count, POSITIVE), labels);
    homer_put_f64s(c, homer_grid_f64(&p->count, PARTIAL), labels);
    homer_put_f64(c, p->complete);
    homer_put_f64(c, p->positives);
    homer_put_f64(c, p->observed);
}

void homer_prior_decode(struct homer_prior *p, uint32_t labels, struct homer_decoder *d) {
    if (!homer_grid_get_room(&p->count, labels, d)) return;
    homer_get_f64s(d, homer_grid_f64(&p->count, POSITIVE), labels);
    homer_get_f64s(d, homer_grid_f64(&p->count, PARTIAL), labels);
    p->complete = homer_get_f64(d);
    p->positives = homer_get_f64(d);
    p->observed = homer_get_f64(d);
}
