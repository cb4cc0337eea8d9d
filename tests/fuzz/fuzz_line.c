/* Line splitter: fed in random pieces it hands out what a plain reading of the whole says. The first two
 * bytes choose the limit and the pieces. */
#include <stdbool.h>
#include <string.h>
#include "core/base/err.h"
#include "fuzz.h"
#include "proto/line.h"

/* One result: its length first, so that no content can look like another division into lines. */
static void record(struct homer_buf *out, int rc, const char *text, size_t n) {
    CHECK(rc == 1 || rc == HOMER_E_TOO_LARGE);
    homer_buf_printf(out, "%d %zu ", rc, rc == 1 ? n : 0);
    if (rc == 1) homer_buf_append(out, text, n);
}

/* What the header promises, said without a stream. */
static void by_definition(struct homer_buf *out, const char *data, size_t n, size_t max_line) {
    for (size_t at = 0, next; at < n; at = next) {
        size_t end = at, len;
        while (end < n && data[end] != '\n') end++;
        next = end + 1;
        len = end - at;
        if (len && data[end - 1] == '\r') len--;
        if (len > max_line) {
            record(out, HOMER_E_TOO_LARGE, NULL, 0);
            continue;
        }
        bool blank = true;
        for (size_t i = 0; i < len; i++) blank = blank && (data[at + i] == ' ' || data[at + i] == '\t');
        if (!blank) record(out, 1, data + at, len);
    }
}

static void by_pieces(struct homer_buf *out, const char *data, size_t n, size_t max_line, uint32_t seed) {
    struct homer_mem mem = {0};
    struct homer_line l;
    const char *text;
    size_t len, room;
    int rc;
    homer_line_init(&l, &mem, max_line);
    while (n) {
        seed = seed * 1664525u + 1013904223u;
        size_t piece = 1 + (seed >> 24) % 40;
        if (piece > n) piece = n;
        char *to = homer_line_room(&l, piece, &room);
        CHECK(to && room >= piece);
        memcpy(to, data, piece);
        homer_line_feed(&l, piece);
        data += piece;
        n -= piece;
        while ((rc = homer_line_next(&l, &text, &len))) record(out, rc, text, len);
        CHECK(!homer_line_pending(&l));
        CHECK(l.in.n - l.next <= max_line + 1);
        if (seed >> 31) homer_line_trim(&l, seed >> 16 & 255);
    }
    while ((rc = homer_line_last(&l, &text, &len))) record(out, rc, text, len);
    CHECK(homer_line_last(&l, &text, &len) == 0);
    homer_line_deinit(&l);
    CHECK(mem.used_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n < 2) return 0;
    size_t max_line = 1 + data[0] % 64;
    struct homer_mem mem = {0};
    struct homer_buf pieces, definition;
    homer_buf_init(&pieces, &mem);
    homer_buf_init(&definition, &mem);
    by_definition(&definition, (const char *)data + 2, n - 2, max_line);
    by_pieces(&pieces, (const char *)data + 2, n - 2, max_line, data[1]);
    CHECK(!pieces.failed && !definition.failed && pieces.n == definition.n);
    CHECK(pieces.n == 0 || memcmp(pieces.data, definition.data, pieces.n) == 0);
    homer_buf_deinit(&pieces);
    homer_buf_deinit(&definition);
    return 0;
}
