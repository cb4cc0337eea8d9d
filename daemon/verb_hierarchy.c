/* hierarchy: how the labels group now, as nested JSON or as a graph for Graphviz.
 *
 * Nodes are visited in preorder and brackets closed on the way up: nothing recurses. Cost: labels x
 * neighbours for every level of the hierarchy, for the Jaccard figures. */
#include <math.h>
#include <string.h>

#include "daemon/verbs.h"

/* A visit of all nodes. */
struct walk {
    const struct homer_clusters *clusters;
    const struct homer_hierarchy *h;
    const struct homer_schema *schema;
    const struct homer_eval *eval;
    uint32_t next; /* the cluster of the next leaf, unless the hierarchy has changed since it was made */
};

double homer_hierarchy_f1(const struct homer_eval *eval, const uint32_t *label, uint32_t n) {
    double tp = 0, fp = 0, fn = 0;
    for (uint32_t i = 0; i < n; i++) homer_eval_add_label(eval, label[i], &tp, &fp, &fn);
    double all = 2 * tp + fp + fn;
    return all > 0 ? 2 * tp / all : (double)NAN;
}

static double f1_of(const struct walk *w, uint32_t slot) {
    return homer_hierarchy_f1(w->eval, homer_hierarchy_labels(w->h, slot),
                              homer_hierarchy_node(w->h, slot)->labels);
}

/* What has learned a leaf's labels; NULL while it is too new. Both lists are in preorder, so it is rarely
 * searched for. */
static const struct homer_cluster *cluster_of(struct walk *w, uint64_t id) {
    const struct homer_clusters *c = w->clusters;
    const struct homer_cluster *k = w->next < c->n ? &c->cluster[w->next] : NULL;
    if (!k || k->id != id) k = homer_clusters_find(c, id);
    if (k) w->next = (uint32_t)(k - c->cluster) + 1;
    return k;
}

static void write_trees(struct homer_reply *r, const struct homer_forest *f) {
    uint32_t nodes = 0, leaves = 0, depth = 0;
    for (uint32_t k = 0; k < f->n; k++) {
        const struct homer_tree *t = f->tree[k].tree;
        nodes += t->node_n;
        for (uint32_t i = 0; i < t->node_n; i++) {
            leaves += t->node[i].stats != NULL;
            if (t->node[i].depth > depth) depth = t->node[i].depth;
        }
    }
    homer_reply_open(r, "tree", '{');
    homer_reply_u64(r, "nodes", nodes);
    homer_reply_u64(r, "leaves", leaves);
    homer_reply_u64(r, "depth", depth);
    homer_reply_u64(r, "bytes", homer_forest_bytes(f));
    homer_reply_close(r, '}');
}

void homer_hierarchy_names(struct homer_reply *r, const struct homer_schema *schema, const uint32_t *label,
                           uint32_t n) {
    homer_reply_open(r, "labels", '[');
    for (uint32_t i = 0; i < n; i++) {
        size_t length;
        const char *name = homer_schema_label_name(schema, label[i], &length);
        homer_reply_string(r, NULL, name, length);
    }
    homer_reply_close(r, ']');
}

static void write_leaf(struct walk *w, uint32_t slot, struct homer_reply *r) {
    const struct homer_hierarchy_node *node = homer_hierarchy_node(w->h, slot);
    const uint32_t *label = homer_hierarchy_labels(w->h, slot);
    const struct homer_cluster *k = cluster_of(w, node->id);
    homer_hierarchy_names(r, w->schema, label, node->labels);
    if (k)
        write_trees(r, k->forest);
    else
        homer_reply_null(r, "tree");
    homer_reply_real(r, "loss", k && homer_adwin_width(&k->loss) ? homer_adwin_mean(&k->loss) : (double)NAN);
    homer_reply_u64(r, "drifts", k ? k->drifts : 0);
}

/* Opens a node: what a leaf and an inner node have alike. */
static void open_node(const struct walk *w, uint32_t slot, struct homer_reply *r) {
    const struct homer_hierarchy_node *node = homer_hierarchy_node(w->h, slot);
    double within, between;
    homer_hierarchy_cohesion(w->h, slot, &within, &between);
    homer_reply_open(r, slot == 0 ? "hierarchy" : NULL, '{');
    homer_reply_u64(r, "id", node->id);
    homer_reply_u64(r, "size", node->labels);
    homer_reply_real(r, "f1", f1_of(w, slot));
    homer_reply_real(r, "pairs", node->pairs / w->h->counts.weight);
    homer_reply_real(r, "within", within);
    if (homer_hierarchy_is_leaf(w->h, slot)) return;
    homer_reply_real(r, "between", between);
    homer_reply_real(r, "cut", node->pairs > 0 ? node->cut / node->pairs : (double)NAN);
}

static void write_json(struct walk *w, struct homer_reply *r) {
    uint32_t depth = 0; /* of the node that is open */
    for (uint32_t slot = 0; slot != HOMER_NO_NODE; slot = homer_hierarchy_next(w->h, slot)) {
        for (; depth > homer_hierarchy_node(w->h, slot)->depth; depth--) {
            homer_reply_close(r, ']');
            homer_reply_close(r, '}');
        }
        open_node(w, slot, r);
        if (homer_hierarchy_is_leaf(w->h, slot)) {
            write_leaf(w, slot, r);
            homer_reply_close(r, '}');
        } else {
            homer_reply_open(r, "children", '[');
            depth++;
        }
    }
    for (; depth; depth--) {
        homer_reply_close(r, ']');
        homer_reply_close(r, '}');
    }
}

/* A label inside a quoted string of the dot language. */
static void put_quoted(struct homer_buf *out, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"' || s[i] == '\\') homer_buf_putc(out, '\\');
        homer_buf_putc(out, (unsigned char)s[i] < 0x20 ? ' ' : s[i]);
    }
}

void homer_hierarchy_dot(struct homer_buf *out, const struct homer_schema *schema,
                         const struct homer_dot_node *node) {
    homer_buf_printf(out, "  n%llu [label=\"%u labels", (unsigned long long)node->id, node->labels);
    if (isfinite(node->f1)) homer_buf_printf(out, "\\nF1 %.3f", node->f1);
    for (uint32_t i = 0; node->label && i < node->labels; i++) {
        size_t n;
        const char *name = homer_schema_label_name(schema, node->label[i], &n);
        homer_buf_puts(out, i ? "\\n" : "\\n\\n");
        put_quoted(out, name, n);
    }
    homer_buf_printf(out, "\"%s];\n", node->label ? ",shape=box" : "");
    if (node->parent)
        homer_buf_printf(out, "  n%llu -> n%llu;\n", (unsigned long long)node->parent,
                         (unsigned long long)node->id);
}

static void put_dot_node(const struct walk *w, uint32_t slot, struct homer_buf *out) {
    const struct homer_hierarchy_node *node = homer_hierarchy_node(w->h, slot);
    struct homer_dot_node dot = {.id = node->id, .labels = node->labels, .f1 = f1_of(w, slot)};
    if (homer_hierarchy_is_leaf(w->h, slot)) dot.label = homer_hierarchy_labels(w->h, slot);
    if (node->parent != HOMER_NO_NODE) dot.parent = homer_hierarchy_node(w->h, node->parent)->id;
    homer_hierarchy_dot(out, w->schema, &dot);
}

static void write_dot(const struct walk *w, struct homer_buf *out) {
    homer_buf_puts(out, "digraph hierarchy {\n  rankdir=LR;\n");
    for (uint32_t slot = 0; slot != HOMER_NO_NODE; slot = homer_hierarchy_next(w->h, slot))
        put_dot_node(w, slot, out);
    homer_buf_puts(out, "}\n");
}

uint32_t homer_hierarchy_depth(const struct homer_hierarchy *h) {
    uint32_t depth = 0;
    for (uint32_t slot = 0; slot != HOMER_NO_NODE; slot = homer_hierarchy_next(h, slot))
        if (homer_hierarchy_node(h, slot)->depth > depth) depth = homer_hierarchy_node(h, slot)->depth;
    return depth;
}

int homer_verb_hierarchy(struct homer_engine *e, const struct homer_request *req, struct homer_reply *r,
                         struct homer_error *err) {
    struct homer_entry *entry;
    int rc = homer_engine_find(e, req->model, &entry, err);
    if (rc) return rc;
    if (homer_model_paper(entry->model)) return homer_hierarchy_paper(e, entry->model, req, r);
    struct walk w = {.clusters = homer_model_clusters(entry->model),
                     .schema = homer_model_schema(entry->model),
                     .eval = homer_model_eval(entry->model)};
    if (!w.clusters)
        return homer_err_set(err, HOMER_E_BAD_REQUEST, "the model has no hierarchy: profile linear");
    w.h = &w.clusters->hierarchy;
    homer_reply_begin_ok(r, req);
    if (req->dot) {
        struct homer_buf dot;
        homer_buf_init(&dot, &e->mem);
        write_dot(&w, &dot);
        if (dot.failed)
            r->out->failed = true; /* the dispatcher takes the reply back */
        else
            homer_reply_string(r, "dot", dot.data, dot.n);
        homer_buf_deinit(&dot);
    } else {
        write_json(&w, r);
        homer_reply_u64(r, "clusters", w.h->leaves);
        homer_reply_u64(r, "depth", homer_hierarchy_depth(w.h));
        homer_reply_u64(r, "generation", w.h->generation);
    }
    homer_reply_end(r);
    return 0;
}
