#include "clients/cli/outline.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "clients/cli/printable.h"

enum {
    USUAL_WIDTH = 100,
    FIGURES = 37,    /* columns of the figures, with the gap behind them */
    LEAST_TEXT = 16, /* columns for labels, however deep the node */
    MORE = 8         /* columns kept for ", +1234" */
};

struct outline {
    FILE *to;
    size_t width;
    struct homer_buf indent; /* what the branches above a node leave in its line */
    size_t columns;          /* of it */
    bool failed;
};

size_t homer_outline_width(FILE *to) {
    struct winsize w;
    return ioctl(fileno(to), TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : USUAL_WIDTH;
}

static void figure(FILE *to, int width, int digits, const json_t *v) {
    if (json_is_number(v))
        fprintf(to, "%*.*f", width, digits, json_number_value(v));
    else
        fprintf(to, "%*s", width, "-");
}

static void figures(FILE *to, const json_t *node) {
    const json_t *tree = json_object_get(node, "tree");
    figure(to, 6, 0, json_object_get(node, "size"));
    figure(to, 8, 3, json_object_get(node, "f1"));
    if (json_object_get(node, "children")) {
        fprintf(to, "%23s", "");
        return;
    }
    figure(to, 8, 4, json_object_get(node, "loss"));
    figure(to, 6, 0, json_object_get(tree, "nodes"));
    figure(to, 8, 0, json_object_get(node, "drifts"));
    fputs(" ", to);
}

/* Takes characters off the end until at most `room` columns are left. */
static void cut(struct homer_buf *b, size_t room) {
    homer_buf_putc(b, '\0');
    bool whole = true;
    while (!b->failed && b->n > 1 && homer_printable_width(b->data) > room - !whole) {
        size_t n = b->n - 1;
        while (n > 1 && ((unsigned char)b->data[n - 1] & 0xc0) == 0x80) n--;
        homer_buf_truncate(b, n - 1);
        homer_buf_putc(b, '\0');
        whole = false;
    }
    if (!b->failed) homer_buf_truncate(b, b->n - 1);
    if (!whole) homer_buf_puts(b, "…");
}

static size_t width_of(struct homer_buf *b) {
    homer_buf_putc(b, '\0');
    if (b->failed) return 0;
    size_t width = homer_printable_width(b->data);
    homer_buf_truncate(b, b->n - 1);
    return width;
}

/* The labels, as many as fit; the first one is always there, cut if need be. */
static void labels(struct outline *o, const json_t *names, size_t room) {
    struct homer_mem mem = {0};
    struct homer_buf one;
    size_t used = 0, n = json_array_size(names), i;
    homer_buf_init(&one, &mem);
    for (i = 0; i < n; i++) {
        const json_t *name = json_array_get(names, i);
        homer_buf_truncate(&one, 0);
        homer_printable(&one, json_string_value(name), json_string_length(name));
        size_t last = i + 1 == n ? 0 : MORE, gap = i ? 2 : 0;
        if (i == 0) cut(&one, room - last);
        size_t more = width_of(&one) + gap;
        if (one.failed || (i && used + more + last > room)) break;
        fprintf(o->to, "%s%.*s", i ? ", " : " ", (int)one.n, one.data);
        used += more;
    }
    if (i < n) fprintf(o->to, "%s+%zu", i ? ", " : "", n - i);
    o->failed |= one.failed;
    homer_buf_deinit(&one);
}

static void branch(struct outline *o, const json_t *node, const char *joint, const char *below);

static void children(struct outline *o, const json_t *list) {
    size_t n = json_array_size(list);
    for (size_t i = 0; i < n; i++)
        branch(o, json_array_get(list, i), i + 1 < n ? "├─" : "└─", i + 1 < n ? "│ " : "  ");
}

/* joint: what ties the node to the line above, two columns or none; below: what stands there in the lines of
 * its children. */
static void branch(struct outline *o, const json_t *node, const char *joint, const char *below) {
    const json_t *inner = json_object_get(node, "children"), *share = json_object_get(node, "cut");
    size_t used = FIGURES + o->columns + (*joint ? 2 : 0) + 2;
    figures(o->to, node);
    fprintf(o->to, "%.*s%s%s", (int)o->indent.n, o->indent.n ? o->indent.data : "", joint, inner ? "┐" : "╴");
    if (!inner)
        labels(o, json_object_get(node, "labels"),
               o->width > used + LEAST_TEXT ? o->width - used : LEAST_TEXT);
    else if (json_is_number(share))
        fprintf(o->to, " %.1f %% of pairs cut", 100 * json_number_value(share));
    fputc('\n', o->to);
    if (!inner) return;
    size_t n = o->indent.n;
    homer_buf_puts(&o->indent, below);
    o->columns += *joint ? 2 : 0;
    o->failed |= o->indent.failed;
    children(o, inner);
    homer_buf_truncate(&o->indent, n);
    o->columns -= *joint ? 2 : 0;
}

int homer_outline_print(const json_t *reply, size_t width, FILE *to) {
    struct homer_mem mem = {0};
    struct outline o = {.to = to, .width = width};
    const json_t *root = json_object_get(reply, "hierarchy");
    homer_buf_init(&o.indent, &mem);
    fputs("labels      F1    loss  tree  drifts\n", to);
    branch(&o, root, "", "");
    fprintf(to, "\n%lld labels in %lld clusters, depth %lld\n",
            (long long)json_integer_value(json_object_get(root, "size")),
            (long long)json_integer_value(json_object_get(reply, "clusters")),
            (long long)json_integer_value(json_object_get(reply, "depth")));
    homer_buf_deinit(&o.indent);
    return o.failed ? -ENOMEM : 0;
}
