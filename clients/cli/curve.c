#include "clients/cli/curve.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "clients/cli/metrics.h"

static const char *const spans[] = {"total", "window", "no_change", "majority"};
enum { SPANS = sizeof(spans) / sizeof(spans[0]) };

struct homer_curve {
    FILE *file;
    char *path;
    uint64_t every;
    char model[80]; /* of the last row */
    double n;       /* instances at the last row */
};

static int failed(const struct homer_curve *c, int e, struct homer_error *err) {
    return homer_err_set(err, -e, "cannot write %.150s: %s", c->path, strerror(e));
}

static int flush(struct homer_curve *c, struct homer_error *err) {
    errno = EIO; /* should the library not say why */
    return fflush(c->file) || ferror(c->file) ? failed(c, errno, err) : 0;
}

int homer_curve_open(struct homer_curve **out, const char *path, uint64_t every, struct homer_error *err) {
    struct homer_curve *c = calloc(1, sizeof(*c));
    if (!c || !(c->path = strdup(path))) {
        free(c);
        return homer_err_set(err, -ENOMEM, "out of memory");
    }
    c->every = every;
    c->file = fopen(path, "we");
    int rc = c->file ? 0 : failed(c, errno, err);
    if (rc == 0) {
        fputs("model,n,seconds", c->file);
        for (size_t s = 0; s < SPANS; s++)
            for (const struct homer_metric *m = homer_metrics; m->wire; m++)
                fprintf(c->file, ",%s_%s", spans[s], m->wire);
        fputc('\n', c->file);
        rc = flush(c, err);
    }
    if (rc) {
        (void)homer_curve_close(c, NULL);
        return rc;
    }
    *out = c;
    return 0;
}

uint64_t homer_curve_every(const struct homer_curve *c) {
    return c->every;
}

int homer_curve_row(struct homer_curve *c, const char *model, double seconds, const json_t *stats,
                    struct homer_error *err) {
    double n = homer_metric_get(stats, "total", "n");
    if (n == c->n && strcmp(model, c->model) == 0) return 0;
    c->n = n;
    snprintf(c->model, sizeof(c->model), "%s", model);
    fprintf(c->file, "%s,%.0f,%.3f", model, n, seconds);
    for (size_t s = 0; s < SPANS; s++) {
        for (const struct homer_metric *m = homer_metrics; m->wire; m++) {
            double v = homer_metric_get(stats, spans[s], m->wire);
            if (isnan(v))
                fputc(',', c->file);
            else
                fprintf(c->file, ",%.17g", v);
        }
    }
    fputc('\n', c->file);
    return flush(c, err);
}

int homer_curve_close(struct homer_curve *c, struct homer_error *err) {
    if (!c) return 0;
    int rc = c->file && fclose(c->file) ? failed(c, errno, err) : 0;
    free(c->path);
    free(c);
    return rc;
}
