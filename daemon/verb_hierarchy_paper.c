/* hierarchy, for the learner ihomer-paper: its partitions of the labels as clusters, under one root when
 * there are several. The clustering behind them is not shown: a partition may hold several of its leaves. */
#include <math.h>

#include "daemon/verbs.h"

static void write_part(struct homer_reply *r, const char *key, const struct homer_model *m,
                       const struct homer_schema *schema, const struct homer_paper_part *part) {
    struct homer_mlhat_size size = homer_mlhat_size(part->tree);
    homer_reply_open(r, key, '{');
    homer_reply_u64(r, "id", part->id);
    homer_reply_u64(r, "size", part->m);
    homer_reply_real(r, "f1", homer_hierarchy_f1(homer_model_eval(m), part->label, part->m));
    homer_hierarchy_names(r, schema, part->label, part->m);
    homer_reply_open(r, "tree", '{');
    homer_reply_u64(r, "nodes", size.nodes);
    homer_reply_u64(r, "leaves", size.leaves);
    homer_reply_u64(r, "depth", size.depth);
    homer_reply_close(r, '}');
    homer_reply_real(r, "loss", homer_adwin_width(&part->loss) ? homer_adwin_mean(&part->loss) : (double)NAN);
    homer_reply_u64(r, "drifts", part->drifts);
    homer_reply_close(r, '}');
}

static double f1_of_all(const struct homer_model *m, const struct homer_paper *p) {
    double tp = 0, fp = 0, fn = 0;
    for (uint32_t l = 0; l < p->labels; l++) homer_eval_add_label(homer_model_eval(m), l, &tp, &fp, &fn);
    double all = 2 * tp + fp + fn;
    return all > 0 ? 2 * tp / all : (double)NAN;
}

static void write_json(struct homer_reply *r, const struct homer_model *m, const struct homer_schema *schema,
                       const struct homer_paper *p) {
    bool several = p->parts > 1;
    if (several) {
        homer_reply_open(r, "hierarchy", '{');
        homer_reply_u64(r, "id", HOMER_PAPER_ROOT);
        homer_reply_u64(r, "size", p->labels);
        homer_reply_real(r, "f1", f1_of_all(m, p));
        homer_reply_open(r, "children", '[');
    }
    for (uint32_t i = 0; i < p->parts; i++)
        write_part(r, several ? NULL : "hierarchy", m, schema, &p->part[i]);
    if (several) {
        homer_reply_close(r, ']');
        homer_reply_close(r, '}');
    }
    homer_reply_u64(r, "clusters", p->parts);
    homer_reply_u64(r, "depth", several);
    homer_reply_u64(r, "generation", p->generation);
}

static void write_dot(struct homer_buf *out, const struct homer_model *m, const struct homer_schema *schema,
                      const struct homer_paper *p) {
    struct homer_dot_node root = {.id = HOMER_PAPER_ROOT, .labels = p->labels, .f1 = f1_of_all(m, p)};
    homer_buf_puts(out, "digraph hierarchy {\n  rankdir=LR;\n");
    if (p->parts > 1) homer_hierarchy_dot(out, schema, &root);
    for (uint32_t i = 0; i < p->parts; i++) {
        const struct homer_paper_part *part = &p->part[i];
        struct homer_dot_node node = {.id = part->id,
                                      .parent = p->parts > 1 ? HOMER_PAPER_ROOT : 0,
                                      .label = part->label,
                                      .labels = part->m,
                                      .f1 = homer_hierarchy_f1(homer_model_eval(m), part->label, part->m)};
        homer_hierarchy_dot(out, schema, &node);
    }
    homer_buf_puts(out, "}\n");
}

int homer_hierarchy_paper(struct homer_engine *e, struct homer_model *m, const struct homer_request *req,
                          struct homer_reply *r) {
    const struct homer_paper *p = homer_model_paper(m);
    const struct homer_schema *schema = homer_model_schema(m);
    homer_reply_begin_ok(r, req);
    if (req->dot) {
        struct homer_buf dot;
        homer_buf_init(&dot, &e->mem);
        write_dot(&dot, m, schema, p);
        if (dot.failed)
            r->out->failed = true; /* the dispatcher takes the reply back */
        else
            homer_reply_string(r, "dot", dot.data, dot.n);
        homer_buf_deinit(&dot);
    } else {
        write_json(r, m, schema, p);
    }
    homer_reply_end(r);
    return 0;
}
