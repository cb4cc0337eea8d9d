#include "core/decide/histogram.h"

#include <stddef.h>

double homer_histogram_positives(const struct homer_histogram *h) {
    double sum = 0;
    for (int b = 0; b < HOMER_BINS; b++) sum += h->positive[b];
    return sum;
}

float homer_histogram_cut(const struct homer_histogram *h, const struct homer_histogram *more, double scale,
                          float start) {
    double positives = homer_histogram_positives(h) + (more ? scale * homer_histogram_positives(more) : 0);
    double tp = 0, fp = 0, best = 0;
    float cut = start;
    for (int b = HOMER_BINS - 1; b > 0; b--) {
        tp += h->positive[b] + (more ? scale * more->positive[b] : 0);
        fp += h->negative[b] + (more ? scale * more->negative[b] : 0);
        double f1 = 2 * tp / (tp + fp + positives + 1e-12);
        if (f1 > best) {
            best = f1;
            cut = (float)b / (float)HOMER_BINS;
        }
    }
    return best > 0 ? (cut + 0.5f * (float)best) / 2 : cut;
}
