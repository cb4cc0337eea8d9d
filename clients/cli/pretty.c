#include "clients/cli/pretty.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "clients/cli/printable.h"
#include "clients/cli/table.h"

enum { MAX_JOINED = 200 };

/* jansson's iterators take non-const objects, and change nothing. */
static json_t *mutable(const json_t *j) {
    return (json_t *)(uintptr_t)j;
}

static bool is_scalar(const json_t *j) {
    return !json_is_object(j) && !json_is_array(j);
}

/* An object whose members are all objects of scalars: `metrics`. */
static bool is_matrix(const json_t *j) {
    const char *key, *inner;
    json_t *row, *cell;
    if (!json_is_object(j) || json_object_size(j) == 0) return false;
    json_object_foreach(mutable(j), key, row) {
        if (!json_is_object(row) || json_object_size(row) == 0) return false;
        json_object_foreach(row, inner, cell) {
            if (!is_scalar(cell)) return false;
        }
    }
    return true;
}

static bool is_list(const json_t *j) {
    return json_is_array(j) && json_is_object(json_array_get(j, 0));
}

/* An array of strings that would not fit in one line. */
static bool is_text(const json_t *j) {
    size_t n = 0, i;
    json_t *item;
    json_array_foreach(j, i, item) n += json_string_length(item); /* 0 for other types */
    return n > MAX_JOINED;
}

/* Columns of the table of its own that a top-level member is shown as; 0: it is a row among the others. */
static size_t own_columns(const json_t *j) {
    const char *key;
    json_t *v;
    size_t n = 0;
    if (is_matrix(j))
        n = json_object_size(j) + 1;
    else if (is_list(j))
        json_object_foreach(json_array_get(j, 0), key, v) n += is_scalar(v);
    else if (json_is_array(j) && is_text(j))
        n = 1;
    return n <= HOMER_TABLE_COLUMNS ? n : 0;
}

static void scalar_text(const char *key, const json_t *v, struct homer_buf *out) {
    size_t n = strlen(key);
    if (json_is_string(v)) {
        homer_printable(out, json_string_value(v), json_string_length(v));
    } else if (json_is_integer(v) && n > 6 && strcmp(key + n - 6, "_bytes") == 0 &&
               json_integer_value(v) >= 1024) {
        double size = (double)json_integer_value(v);
        int unit = 0;
        for (; size >= 1024 && unit < 4; unit++) size /= 1024;
        homer_buf_printf(out, "%.1f %s", size, (const char *const[]){"B", "KiB", "MiB", "GiB", "TiB"}[unit]);
    } else if (json_is_integer(v)) {
        homer_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    } else if (json_is_real(v)) {
        double x = json_real_value(v);
        homer_buf_printf(out, x == floor(x) && fabs(x) < 1e15 ? "%.0f" : fabs(x) < 10 ? "%.4f" : "%.1f", x);
    } else {
        homer_buf_puts(out, json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "-");
    }
}

static void add_scalar(struct homer_table *t, const char *key, const json_t *v) {
    struct homer_buf b;
    homer_buf_init(&b, &t->mem);
    if (v)
        scalar_text(key, v, &b);
    else
        homer_buf_putc(&b, '-');
    homer_buf_putc(&b, '\0');
    if (b.failed)
        t->failed = true;
    else
        homer_table_add(t, b.data);
    homer_buf_deinit(&b);
}

static void add_values(struct homer_table *t, const char *key, const json_t *array) {
    struct homer_buf b;
    json_t *item;
    size_t i;
    homer_buf_init(&b, &t->mem);
    json_array_foreach(array, i, item) {
        if (i) homer_buf_puts(&b, ", ");
        scalar_text(key, item, &b);
    }
    homer_buf_puts(&b, i ? "" : "(none)");
    homer_buf_putc(&b, '\0');
    if (b.failed)
        t->failed = true;
    else
        homer_table_add(t, b.data);
    homer_buf_deinit(&b);
}

/* Rows: names and values, inner objects by dotted names. Matrices and lists are tables of their own. */
static void add_fields(struct homer_table *t, const char *prefix, const json_t *object) {
    const char *key;
    json_t *v;
    json_object_foreach(mutable(object), key, v) {
        if (!*prefix && (strcmp(key, "ok") == 0 || own_columns(v))) continue;
        struct homer_buf name;
        homer_buf_init(&name, &t->mem);
        homer_buf_printf(&name, "%s%s%s", prefix, *prefix ? "." : "", key);
        homer_buf_putc(&name, '\0');
        if (name.failed) {
            t->failed = true;
        } else if (json_is_object(v)) {
            add_fields(t, name.data, v);
        } else {
            homer_table_add(t, name.data);
            if (json_is_array(v))
                add_values(t, key, v);
            else
                add_scalar(t, key, v);
        }
        homer_buf_deinit(&name);
    }
}

/* Columns: the members; rows: the names inside the first of them. */
static void add_matrix(struct homer_table *t, const json_t *matrix) {
    const char *column, *row;
    json_t *members, *cell;
    homer_table_add(t, "");
    json_object_foreach(mutable(matrix), column, members) homer_table_add(t, column);
    json_object_foreach(json_object_iter_value(json_object_iter(mutable(matrix))), row, cell) {
        homer_table_add(t, row);
        json_object_foreach(mutable(matrix), column, members)
            add_scalar(t, row, json_object_get(members, row));
    }
}

static void add_list(struct homer_table *t, const json_t *list) {
    const char *key;
    json_t *v, *item, *first = json_array_get(list, 0);
    size_t i;
    json_object_foreach(first, key, v) {
        if (is_scalar(v)) homer_table_add(t, key);
    }
    json_array_foreach(list, i, item) {
        json_object_foreach(first, key, v) {
            if (is_scalar(v)) add_scalar(t, key, json_object_get(item, key));
        }
    }
}

static void add_text(struct homer_table *t, const json_t *text) {
    json_t *item;
    size_t i;
    json_array_foreach(text, i, item) add_scalar(t, "", item);
}

int homer_pretty_print(const json_t *reply, FILE *to) {
    struct homer_table t;
    const char *key;
    json_t *v;
    int rc = 0;
    bool first = true;
    json_object_foreach(mutable(reply), key, v) {
        size_t columns = own_columns(v);
        if (!columns) continue;
        if (!first) fputc('\n', to);
        first = false;
        homer_table_init(&t, columns, true);
        if (json_is_object(v))
            add_matrix(&t, v);
        else if (is_list(v))
            add_list(&t, v);
        else
            add_text(&t, v);
        if (homer_table_print(&t, to)) rc = -ENOMEM;
        homer_table_deinit(&t);
    }
    homer_table_init(&t, 2, false);
    add_fields(&t, "", reply);
    if (!first && t.cell_n) fputc('\n', to);
    if (homer_table_print(&t, to)) rc = -ENOMEM;
    homer_table_deinit(&t);
    return rc;
}
