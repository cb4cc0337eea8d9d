/* The reader of snapshot files: any file gives a state that is the one written, or -EBADMSG and a message.
 *
 * An input is: what to fix (bit 0: header, bit 1: the hash), then the file. With the hash right, mutations
 * reach the decompression and the decoder, which then has to end within the file's own means. */
#include <errno.h>
#include <string.h>
#include "daemon/snapshot_impl.h"
#include "fuzz.h"
#include "tests/lib/disk.h"

enum { SEQUENCE = 7, FIX_HEADER = 1, FIX_HASH = 2, MOST = 1 << 20 };

static void fix(char *bytes, size_t n, unsigned how) {
    if (n < HOMER_SNAPSHOT_HEADER + HOMER_SNAPSHOT_TRAILER) return;
    if (how & FIX_HEADER) {
        struct homer_snapshot_head head = homer_snapshot_head(SEQUENCE);
        memcpy(bytes, &head, sizeof head);
    }
    if (how & FIX_HASH) {
        struct homer_codec c;
        struct homer_hasher *h = homer_hasher_new(&c);
        char hex[33];
        CHECK(h);
        c.sink(c.ctx, bytes, n - 32);
        homer_hasher_free(h, hex);
        memcpy(bytes + n - 32, hex, 32);
    }
}

/* Reads as a decoder does that believes the numbers it reads: lengths, then that many bytes. */
static int decode(void *ctx, struct homer_decoder *d) {
    unsigned char piece[64];
    unsigned *calls = ctx;
    ++*calls;
    for (size_t total = 0; total < MOST;) {
        uint64_t n = homer_get_u64(d) % sizeof piece;
        homer_get_bytes(d, piece, (size_t)n);
        if (d->error) return d->error;
        if (n == 0) return 0;
        total += (size_t)n;
    }
    return -EBADMSG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static struct disk *d;
    if (n < 1) return 0;
    if (!d) d = disk_new(1);
    disk_wipe(d);
    char path[HOMER_PATH_MAX], *copy = malloc(n);
    CHECK(copy);
    memcpy(copy, data + 1, n - 1);
    fix(copy, n - 1, data[0]);
    CHECK(homer_snapshot_path(path, "data", SEQUENCE) == 0);
    disk_put(d, path, copy, n - 1);
    free(copy);
    struct homer_snapshots where = {.files = disk_files(d), .dir = "data"};
    struct homer_error err = {0};
    unsigned calls = 0;
    int whole = homer_snapshot_read(&where, SEQUENCE, NULL, NULL, &err);
    CHECK(whole == 0 || (whole == -EBADMSG && err.code == whole && strstr(err.message, path)));
    err = (struct homer_error){0};
    int rc = homer_snapshot_read(&where, SEQUENCE, decode, &calls, &err);
    CHECK(calls == (whole == 0)); /* nothing is decoded before all of it was checked */
    CHECK(rc == 0 || (rc == -EBADMSG && err.code == rc && strstr(err.message, path)));
    if (whole) CHECK(rc == whole);
    return 0;
}
