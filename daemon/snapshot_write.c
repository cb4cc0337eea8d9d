#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "daemon/snapshot_impl.h"

enum { LEVEL = 1 }; /* most of a state is floats, which compress little: speed counts */

struct writer {
    const struct homer_files *files;
    int fd;
    uint64_t at;    /* where the next bytes go */
    uint64_t bytes; /* of the state so far */
    ZSTD_CCtx *zstd;
    struct homer_hasher *hash;
    struct homer_codec to_hash;
    char *in, *out; /* [HOMER_SNAPSHOT_CHUNK] each */
    size_t in_n;
    int error; /* sticky */
};

static void write_at_end(struct writer *w, const void *p, size_t n) {
    if (w->error) return;
    w->error = homer_file_write(w->files, w->fd, p, n, w->at);
    w->at += n;
}

static void put(struct writer *w, const void *p, size_t n) {
    if (w->error) return;
    w->to_hash.sink(w->to_hash.ctx, p, n);
    write_at_end(w, p, n);
}

/* Compresses what has gathered. */
static void flush(struct writer *w, ZSTD_EndDirective end) {
    ZSTD_inBuffer in = {.src = w->in, .size = w->in_n};
    size_t left = 1;
    while (!w->error && (in.pos < in.size || (end == ZSTD_e_end && left))) {
        ZSTD_outBuffer out = {.dst = w->out, .size = HOMER_SNAPSHOT_CHUNK};
        left = ZSTD_compressStream2(w->zstd, &out, &in, end);
        if (ZSTD_isError(left)) w->error = -ENOMEM; /* nothing else can go wrong */
        put(w, w->out, out.pos);
    }
    w->in_n = 0;
}

static void sink(void *ctx, const void *bytes, size_t n) {
    struct writer *w = ctx;
    const char *p = bytes;
    if (w->error) return;
    w->bytes += n;
    while (n) {
        size_t k = HOMER_SNAPSHOT_CHUNK - w->in_n;
        if (k > n) k = n;
        memcpy(w->in + w->in_n, p, k);
        w->in_n += k;
        p += k;
        n -= k;
        if (w->in_n == HOMER_SNAPSHOT_CHUNK) flush(w, ZSTD_e_continue);
    }
}

static void write_state(struct writer *w, uint64_t sequence, void (*encode)(void *ctx, struct homer_codec *c),
                        void *ctx) {
    struct homer_snapshot_head head = homer_snapshot_head(sequence);
    struct homer_codec c = {.sink = sink, .ctx = w};
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
    put(w, &head, sizeof head);
    encode(ctx, &c);
    flush(w, ZSTD_e_end);
    struct homer_snapshot_tail tail = {.bytes = w->bytes};
    put(w, &tail.bytes, sizeof tail.bytes);
    char hex[33];
    homer_hasher_free(w->hash, hex);
    w->hash = NULL;
    write_at_end(w, hex, sizeof tail.hash);
}

static int write_file(const struct homer_files *f, const char *path, uint64_t sequence,
                      void (*encode)(void *ctx, struct homer_codec *c), void *ctx, struct homer_error *err) {
    struct writer w = {.files = f, .fd = -1};
    w.zstd = ZSTD_createCCtx();
    w.hash = homer_hasher_new(&w.to_hash);
    w.in = malloc(HOMER_SNAPSHOT_CHUNK);
    w.out = malloc(HOMER_SNAPSHOT_CHUNK);
    if (!w.zstd || !w.hash || !w.in || !w.out) w.error = -ENOMEM;
    if (!w.error) w.fd = homer_file_open(f, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (w.fd < 0 && !w.error) w.error = w.fd;
    if (!w.error) write_state(&w, sequence, encode, ctx);
    if (!w.error) w.error = homer_file_sync(f, w.fd);
    homer_file_close(f, w.fd);
    free(w.in);
    free(w.out);
    if (w.hash) homer_hasher_free(w.hash, (char[33]){0});
    ZSTD_freeCCtx(w.zstd);
    return w.error ? homer_snapshot_failed(err, w.error, "write", path) : 0;
}

int homer_snapshot_write(const struct homer_snapshots *s, uint64_t sequence,
                         void (*encode)(void *ctx, struct homer_codec *c), void *ctx,
                         int (*may_publish)(void *arg), void *arg, struct homer_error *err) {
    const struct homer_files *f = s->files;
    char fresh[HOMER_PATH_MAX], path[HOMER_PATH_MAX];
    int rc = homer_path(fresh, s->dir, HOMER_SNAPSHOT_NEW);
    if (!rc) rc = homer_snapshot_path(path, s->dir, sequence);
    if (rc) return homer_snapshot_failed(err, rc, "write a snapshot in", s->dir);
    rc = write_file(f, fresh, sequence, encode, ctx, err);
    if (!rc) rc = homer_snapshot_read_file(f, fresh, sequence, NULL, NULL, err);
    if (!rc && may_publish) {
        rc = may_publish(arg);
        if (rc) homer_snapshot_failed(err, rc, "publish", path);
    }
    if (!rc) {
        rc = f->rename(f->ctx, fresh, path);
        if (rc) homer_snapshot_failed(err, rc, "rename a snapshot to", path);
    }
    if (rc) {
        f->unlink(f->ctx, fresh);
        return rc;
    }
    rc = homer_file_sync_folder(f, s->dir);
    return rc ? homer_snapshot_failed(err, rc, "sync the folder", s->dir) : 0;
}
