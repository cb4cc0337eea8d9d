#include "core/decide/emptiness.h"

#include "core/base/num.h"

double homer_emptiness_probability(const struct homer_emptiness *e) {
    double hidden = e->expected > e->shown ? e->expected - e->shown : 0;
    double n = (double)e->n + e->shown + hidden;
    return ((double)e->empty + hidden + 0.5) / (n + 1);
}

double homer_emptiness_complete(const struct homer_emptiness *e) {
    return e->told > 0 ? (double)e->n / e->told : 0;
}

/* Of the labelsets that are not empty, as an instance of which the share r is told needs it. */
static double mean_size(const struct homer_emptiness *e, double r) {
    double size = e->told > 0 ? e->true_labels / e->told / (1 - r * homer_emptiness_probability(e)) : 1;
    return size > 1 ? size : 1;
}

void homer_emptiness_learn(struct homer_emptiness *e, const struct homer_instance *x, uint32_t labels) {
    if (x->partial && labels) {
        double r = (double)(x->positive_n + x->negative_n) / labels;
        e->expected += 1 - (1 - r) * (double)homer_exp((float)(-(mean_size(e, r) - 1) * r));
        e->shown += x->positive_n > 0;
        e->told += r;
    } else {
        e->n++;
        e->empty += x->positive_n == 0;
        e->told++;
    }
    e->true_labels += x->positive_n;
}

void homer_emptiness_encode(const struct homer_emptiness *e, struct homer_codec *c) {
    homer_put_u64(c, e->n);
    homer_put_u64(c, e->empty);
    homer_put_f64(c, e->expected);
    homer_put_f64(c, e->shown);
    homer_put_f64(c, e->told);
    homer_put_f64(c, e->true_labels);
}

void homer_emptiness_decode(struct homer_emptiness *e, struct homer_decoder *d) {
    e->n = homer_get_u64(d);
    e->empty = homer_get_u64(d);
    e->expected = homer_get_f64(d);
    e->shown = homer_get_f64(d);
    e->told = homer_get_f64(d);
    e->true_labels = homer_get_f64(d);
}
