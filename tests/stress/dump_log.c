/* What a data folder's log holds: stress_log DIR [FROM]
 *
 * One line a record: sequence, kind, model, src, n, ref, separated by tabs; "" for what it does not have. At
 * the end "torn BYTES". Exit 1 and a message when the log is damaged. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/record.h"
#include "daemon/wal_read.h"

static const char *const kinds[] = {
    [HOMER_RECORD_LEARN] = "learn",     [HOMER_RECORD_TRACK] = "track",
    [HOMER_RECORD_LABEL] = "label",     [HOMER_RECORD_MODEL_CREATE] = "create",
    [HOMER_RECORD_MODEL_DROP] = "drop", [HOMER_RECORD_MODEL_CONFIG] = "config",
};

static void put(struct homer_str s) {
    printf("\t%.*s", (int)s.n, s.s ? s.s : "");
}

static int each(void *ctx, uint64_t sequence, const char *payload, size_t n) {
    struct homer_request *req = ctx;
    struct homer_record r;
    struct homer_error err = {0};
    int rc = homer_record_decode(&r, req, payload, n, &err);
    if (rc) {
        fprintf(stderr, "record %" PRIu64 ": %s\n", sequence, err.message);
        return rc;
    }
    printf("%" PRIu64 "\t%s", sequence, kinds[r.kind]);
    put(req->model);
    put(req->src);
    if (req->src.s)
        printf("\t%" PRIu64, req->n);
    else
        putchar('\t');
    put(req->ref);
    putchar('\n');
    return 0;
}

int main(int argc, char **argv) {
    struct homer_mem mem = {0};
    struct homer_request req;
    struct homer_wal_report report;
    struct homer_error err = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: %s DIR [FROM]\n", argv[0]);
        return 2;
    }
    homer_request_init(&req, &mem);
    uint64_t from = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    int rc = homer_wal_read(&homer_files_system, argv[1], from, each, &req, &report, &err);
    homer_request_deinit(&req);
    if (rc) fprintf(stderr, "%s: %s\n", argv[0], err.message);
    printf("torn %" PRIu64 "\n", report.torn_bytes);
    return rc != 0;
}
