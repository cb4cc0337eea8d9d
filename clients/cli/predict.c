#include "clients/cli/predict.h"

#include "clients/cli/printable.h"
#include "clients/cli/table.h"

void homer_predict_print(const json_t *reply, bool lines, FILE *to) {
    const json_t *labels = json_object_get(reply, "labels"), *scores = json_object_get(reply, "scores");
    json_t *label;
    size_t i;
    struct homer_table t;
    homer_table_init(&t, 2, false);
    json_array_foreach(labels, i, label) {
        const json_t *score = json_object_get(scores, json_string_value(label));
        if (lines) {
            homer_table_add(&t, json_string_value(label));
            homer_table_addf(&t, json_is_number(score) ? "%.4f" : "-", json_number_value(score));
            continue;
        }
        if (i) fputc('\t', to);
        homer_print_safe(to, json_string_value(label));
        if (json_is_number(score)) fprintf(to, " %.4f", json_number_value(score));
    }
    if (i == 0) fputs("(none)", to);
    if (i == 0 || !lines) fputc('\n', to);
    (void)homer_table_print(&t, to);
    homer_table_deinit(&t);
}
