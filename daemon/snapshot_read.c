#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "daemon/snapshot_impl.h"

struct reader {
    const struct homer_files *files;
    int fd;
    uint64_t at, end; /* of the compressed state: what is not yet read */
    uint64_t bytes;   /* of the state, given out so far */
    ZSTD_DCtx *zstd;
    char *in; /* [HOMER_SNAPSHOT_CHUNK] */
    ZSTD_inBuffer got;
    bool is_whole; /* the frame has ended */
};

static int refill(struct reader *r) {
    size_t want = r->end - r->at < HOMER_SNAPSHOT_CHUNK ? (size_t)(r->end - r->at) : HOMER_SNAPSHOT_CHUNK;
    int64_t n = want ? homer_file_read(r->files, r->fd, r->in, want, r->at) : 0;
    if (n < 0) return (int)n;
    if (n == 0) return -EBADMSG;
    r->at += (uint64_t)n;
    r->got = (ZSTD_inBuffer){.src = r->in, .size = (size_t)n};
    return 0;
}

/* Up to n bytes of the state; *n is how many, fewer only at its end. */
static int take(struct reader *r, void *to, size_t *n) {
    ZSTD_outBuffer out = {.dst = to, .size = *n};
    while (out.pos < out.size && !r->is_whole) {
        /* First without more input: what was read may have more to give, or only its end. */
        size_t before = out.pos, left = ZSTD_decompressStream(r->zstd, &out, &r->got);
        if (ZSTD_isError(left))
            return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
        r->is_whole = left == 0;
        if (r->is_whole || out.pos > before || r->got.pos < r->got.size) continue;
        int rc = refill(r);
        if (rc) return rc;
    }
    *n = out.pos;
    r->bytes += out.pos;
    return 0;
}

static int fill(void *ctx, void *bytes, size_t n) {
    struct reader *r = ctx;
    size_t got = n;
    int rc = take(r, bytes, &got);
    return rc ? rc : got < n ? -EBADMSG : 0;
}

/* Reads the whole file once and compares the hash. */
static int check(const struct reader *r, uint64_t size, const struct homer_snapshot_tail *tail) {
    uint64_t end = size - sizeof tail->hash;
    struct homer_codec c;
    struct homer_hasher *hash = homer_hasher_new(&c);
    char hex[33];
    if (!hash) return -ENOMEM;
    int rc = 0;
    for (uint64_t at = 0; at < end && !rc;) {
        size_t want = end - at < HOMER_SNAPSHOT_CHUNK ? (size_t)(end - at) : HOMER_SNAPSHOT_CHUNK;
        int64_t n = homer_file_read(r->files, r->fd, r->in, want, at);
        rc = n < 0 ? (int)n : n == 0 ? -EBADMSG : 0;
        if (rc) break;
        c.sink(c.ctx, r->in, (size_t)n);
        at += (uint64_t)n;
    }
    homer_hasher_free(hash, hex);
    return rc ? rc : memcmp(hex, tail->hash, sizeof tail->hash) == 0 ? 0 : -EBADMSG;
}

static int read_open(struct reader *r, uint64_t sequence, int (*decode)(void *ctx, struct homer_decoder *d),
                     void *ctx, const char **damage) {
    const struct homer_files *f = r->files;
    struct homer_snapshot_head head, expected = homer_snapshot_head(sequence);
    struct homer_snapshot_tail tail;
    int64_t size = f->size(f->ctx, r->fd);
    if (size < 0) return (int)size;
    *damage = "it is too short";
    if (size < HOMER_SNAPSHOT_HEADER + HOMER_SNAPSHOT_TRAILER) return -EBADMSG;
    r->end = (uint64_t)size - HOMER_SNAPSHOT_TRAILER;
    int64_t n = homer_file_read(f, r->fd, &head, sizeof head, 0);
    if (n < 0) return (int)n;
    if (memcmp(head.magic, expected.magic, sizeof head.magic) == 0 && head.version != expected.version) {
        *damage = "it is of another version of the format";
        return -EBADMSG;
    }
    *damage = "its header is damaged";
    if (memcmp(&head, &expected, sizeof head) != 0) return -EBADMSG;
    n = homer_file_read(f, r->fd, &tail, sizeof tail, r->end);
    if (n < 0) return (int)n;
    *damage = "its content is damaged";
    int rc = check(r, (uint64_t)size, &tail);
    if (rc || !decode) return rc;
    *damage = "this version cannot read its state";
    r->at = HOMER_SNAPSHOT_HEADER;
    struct homer_decoder d = {.fill = fill, .ctx = r};
    rc = decode(ctx, &d);
    return rc ? rc : r->bytes == tail.bytes ? 0 : -EBADMSG;
}

int homer_snapshot_read_file(const struct homer_files *f, const char *path, uint64_t sequence,
                             int (*decode)(void *ctx, struct homer_decoder *d), void *ctx,
                             struct homer_error *err) {
    struct reader r = {.files = f, .fd = -1};
    const char *damage = NULL;
    int rc = 0;
    r.zstd = ZSTD_createDCtx();
    r.in = malloc(HOMER_SNAPSHOT_CHUNK);
    if (!r.zstd || !r.in) rc = -ENOMEM;
    if (!rc) r.fd = homer_file_open(f, path, O_RDONLY, 0);
    if (!rc && r.fd < 0) rc = r.fd;
    if (!rc) rc = read_open(&r, sequence, decode, ctx, &damage);
    homer_file_close(f, r.fd);
    free(r.in);
    ZSTD_freeDCtx(r.zstd);
    if (rc == -EBADMSG && damage) return homer_err_set(err, rc, "%.150s cannot be used: %s", path, damage);
    return rc ? homer_snapshot_failed(err, rc, "read", path) : 0;
}

int homer_snapshot_read(const struct homer_snapshots *s, uint64_t sequence,
                        int (*decode)(void *ctx, struct homer_decoder *d), void *ctx,
                        struct homer_error *err) {
    char path[HOMER_PATH_MAX];
    int rc = homer_snapshot_path(path, s->dir, sequence);
    if (rc) return homer_snapshot_failed(err, rc, "read a snapshot in", s->dir);
    return homer_snapshot_read_file(s->files, path, sequence, decode, ctx, err);
}
