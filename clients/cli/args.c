#include "clients/cli/args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Levenshtein distance of short words; words over 31 bytes are far from everything. */
static size_t distance(const char *a, const char *b) {
    enum { CAP = 32 };
    size_t an = strlen(a), bn = strlen(b), row[CAP];
    if (an >= CAP || bn >= CAP) return CAP;
    for (size_t j = 0; j <= bn; j++) row[j] = j;
    for (size_t i = 1; i <= an; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= bn; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[bn];
}

const char *homer_args_nearest(const char *word, const char *(*word_at)(const void *ctx, size_t i),
                               const void *ctx) {
    const char *best = NULL, *w;
    size_t n = strlen(word), least = n < 4 ? 2 : 3; /* below this many edits it is a slip of the finger */
    for (size_t i = 0; (w = word_at(ctx, i)); i++) {
        size_t d = distance(word, w);
        if (n >= 3 && strncmp(w, word, n) == 0) d = 1; /* an abbreviation */
        if (d < least) {
            least = d;
            best = w;
        }
    }
    return best;
}

static const char *opt_name(const void *ctx, size_t i) {
    const struct homer_opt *opts = ctx;
    return opts[i].name;
}

static const struct homer_opt *find(const struct homer_opt *opts, const char *name, size_t n) {
    for (; opts && opts->name; opts++)
        if (strlen(opts->name) == n && memcmp(opts->name, name, n) == 0) return opts;
    return NULL;
}

static int unknown(const char *arg, size_t n, const struct homer_opt *own, const struct homer_opt *shared,
                   struct homer_error *err) {
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)(n < 60 ? n : 60), arg);
    const char *near = own ? homer_args_nearest(name, opt_name, own) : NULL;
    if (!near && shared) near = homer_args_nearest(name, opt_name, shared);
    return homer_err_set(
        err, -EINVAL, near ? "unknown option --%s; did you mean --%s?" : "unknown option --%s", name, near);
}

static int store(const struct homer_opt *o, const char *value, struct homer_error *err) {
    char *end;
    errno = 0;
    switch (o->kind) {
    case HOMER_OPT_FLAG:
        *(bool *)o->to = true;
        return 0;
    case HOMER_OPT_STRING:
        *(const char **)o->to = value;
        return 0;
    case HOMER_OPT_LIST: {
        struct homer_list *l = o->to;
        if (l->n == HOMER_LIST_CAP)
            return homer_err_set(err, -EINVAL, "--%s may be given at most %d times", o->name, HOMER_LIST_CAP);
        l->item[l->n++] = value;
        return 0;
    }
    case HOMER_OPT_COUNT: {
        unsigned long long v = strtoull(value, &end, 10);
        if (*value < '0' || *value > '9' || *end || errno || v == 0)
            return homer_err_set(err, -EINVAL, "--%s takes a whole number of at least 1, not '%.60s'",
                                 o->name, value);
        *(uint64_t *)o->to = v;
        return 0;
    }
    case HOMER_OPT_RATE: {
        double v = strtod(value, &end);
        if (end == value || *end || !isfinite(v) || v <= 0)
            return homer_err_set(err, -EINVAL, "--%s takes a number above 0, not '%.60s'", o->name, value);
        *(double *)o->to = v;
        return 0;
    }
    }
    return homer_err_set(err, -EINVAL, "--%s cannot be read", o->name);
}

int homer_args_parse(int *argc, char **argv, const struct homer_opt *own, const struct homer_opt *shared,
                     bool stop_at_word, struct homer_error *err) {
    int kept = 0, i = 0;
    for (; i < *argc; i++) {
        char *arg = argv[i];
        if (strcmp(arg, "--") == 0) {
            i++;
            break;
        }
        bool option = arg[0] == '-' && arg[1] != '\0';
        if (!option && stop_at_word) break;
        if (!option) {
            argv[kept++] = arg;
            continue;
        }
        if (strcmp(arg, "-h") == 0) {
            static char help[] = "--help";
            arg = help;
        }
        if (arg[1] != '-')
            return homer_err_set(err, -EINVAL, "unknown option %.60s; options begin with --", arg);
        const char *name = arg + 2, *value = strchr(name, '=');
        size_t n = value ? (size_t)(value - name) : strlen(name);
        const struct homer_opt *o = find(own, name, n);
        if (!o) o = find(shared, name, n);
        if (!o) return unknown(name, n, own, shared, err);
        if (o->kind == HOMER_OPT_FLAG && value)
            return homer_err_set(err, -EINVAL, "--%s takes no value", o->name);
        if (o->kind != HOMER_OPT_FLAG) {
            if (value)
                value++;
            else if (i + 1 < *argc)
                value = argv[++i];
            else
                return homer_err_set(err, -EINVAL, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
        }
        int rc = store(o, value, err);
        if (rc) return rc;
    }
    for (; i < *argc; i++) argv[kept++] = argv[i];
    *argc = kept;
    return 0;
}

void homer_args_help(FILE *to, const struct homer_opt *opts) {
    for (; opts->name; opts++) {
        if (!opts->help) continue;
        int n = fprintf(to, "  --%s%s%s", opts->name, opts->arg ? " " : "", opts->arg ? opts->arg : "");
        if (n > 24) n = fprintf(to, "\n") - 1;
        fprintf(to, "%*s%s\n", 26 - n, "", opts->help);
    }
}
