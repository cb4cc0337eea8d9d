/* Records of the log: any bytes are refused with a word, or are the one form of a request that keeps the
 * promises of request.h. */
#include <float.h>
#include <math.h>
#include <string.h>
#include "daemon/record.h"
#include "fuzz.h"

static void check_str(struct homer_str s, size_t least) {
    CHECK(s.s && s.n >= least && !memchr(s.s, '\0', s.n));
}

static void check(const struct homer_record *r) {
    const struct homer_request *q = r->request;
    bool instance = q->has_y || r->kind == HOMER_RECORD_TRACK;
    CHECK(r->kind >= HOMER_RECORD_LEARN && r->kind < HOMER_RECORD_KINDS);
    CHECK((q->has_x || q->text.s) == instance && q->track == (r->kind == HOMER_RECORD_TRACK));
    CHECK(q->has_y == (r->kind == HOMER_RECORD_LEARN || r->kind == HOMER_RECORD_LABEL));
    CHECK((q->ref.s != NULL) == (r->kind == HOMER_RECORD_TRACK || r->kind == HOMER_RECORD_LABEL));
    CHECK((q->name.s != NULL) == !instance);
    CHECK(q->model.n >= 1 && q->model.n <= 64 && q->name.n <= 64);
    CHECK(q->weight > 0 && q->weight <= DBL_MAX && isnan(q->threshold));
    for (size_t i = 0; i < q->x_n; i++) {
        const struct homer_value *v = &q->x[i];
        check_str(v->name, 1);
        if (v->type == HOMER_VALUE_STRING || v->type == HOMER_VALUE_ITEM) check_str(v->string, 1);
        if (v->type == HOMER_VALUE_NUMBER) CHECK(fabs(v->number) <= (double)FLT_MAX);
        if (v->type == HOMER_VALUE_BOOL) CHECK(v->number == 0 || v->number == 1);
    }
    for (size_t i = 0; i < q->y_n; i++) {
        check_str(q->y[i].name, 1);
        CHECK(q->y[i].positive || q->y_partial);
    }
    if (q->text.s) check_str(q->text, 0);
    if (q->src.s) check_str(q->src, 0);
    if (q->config.s) check_str(q->config, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static struct homer_request
        into; /* reused, as the daemon does: nothing may stay from the record before */
    static struct homer_mem mem;
    struct homer_record r;
    struct homer_error err = {0};
    if (!into.arena.mem) homer_request_init(&into, &mem);
    int rc = homer_record_decode(&r, &into, (const char *)data, n, &err);
    CHECK(rc == err.code && (rc == 0 || rc == HOMER_E_BAD_REQUEST) && (rc == 0 || *err.message));
    CHECK(mem.used_bytes <= 64 * n + (1 << 21));
    if (rc) return 0;
    check(&r);
    CHECK(homer_record_size(&r) == n);
    char *again = malloc(n);
    CHECK(again);
    homer_record_encode(&r, again);
    CHECK(memcmp(again, data, n) == 0);
    free(again);
    return 0;
}
