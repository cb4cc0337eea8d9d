#include "clients/cli/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST /* its input is const */
#include <zlib.h>
#include <zstd.h>

struct homer_inflate {
    enum homer_packing packing;
    bool whole;
    z_stream gz;
    ZSTD_DStream *zst;
};

enum homer_packing homer_packing_of(const unsigned char *first, size_t n) {
    if (n >= 2 && first[0] == 0x1f && first[1] == 0x8b) return HOMER_GZIP;
    if (n < 4) return HOMER_PLAIN;
    if (memcmp(first, "\x28\xb5\x2f\xfd", 4) == 0) return HOMER_ZSTD;
    /* a skippable frame, which parallel compressors put in front */
    if ((first[0] & 0xf0) == 0x50 && memcmp(first + 1, "\x2a\x4d\x18", 3) == 0) return HOMER_ZSTD;
    return HOMER_PLAIN;
}

int homer_inflate_new(struct homer_inflate **out, enum homer_packing packing) {
    struct homer_inflate *z = calloc(1, sizeof(*z));
    if (!z) return -ENOMEM;
    z->packing = packing;
    z->whole = true;
    bool ok;
    if (packing == HOMER_GZIP) {
        ok = inflateInit2(&z->gz, 16 + MAX_WBITS) == Z_OK; /* 16: gzip header and checksum */
    } else {
        z->zst = ZSTD_createDStream();
        ok = z->zst && !ZSTD_isError(ZSTD_initDStream(z->zst));
    }
    if (!ok) {
        homer_inflate_free(z);
        return -ENOMEM;
    }
    *out = z;
    return 0;
}

struct homer_inflate *homer_inflate_free(struct homer_inflate *z) {
    if (!z) return NULL;
    if (z->packing == HOMER_GZIP) inflateEnd(&z->gz);
    ZSTD_freeDStream(z->zst);
    free(z);
    return NULL;
}

static int run_gzip(struct homer_inflate *z, const unsigned char *in, size_t *in_n, unsigned char *out,
                    size_t *out_n, const char **why) {
    if (z->whole && *in_n && inflateReset(&z->gz) != Z_OK) return -ENOMEM;
    z->gz.next_in = in;
    z->gz.avail_in = (uInt)*in_n;
    z->gz.next_out = out;
    z->gz.avail_out = (uInt)*out_n;
    if (*in_n) z->whole = false;
    int rc = inflate(&z->gz, Z_NO_FLUSH);
    *in_n -= z->gz.avail_in;
    *out_n -= z->gz.avail_out;
    if (rc == Z_STREAM_END) z->whole = true;
    if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR) return 0;
    *why = z->gz.msg ? z->gz.msg : "not gzip data";
    return rc == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static int run_zstd(struct homer_inflate *z, const unsigned char *in, size_t *in_n, unsigned char *out,
                    size_t *out_n, const char **why) {
    ZSTD_inBuffer from = {.src = in, .size = *in_n};
    ZSTD_outBuffer to = {.dst = out, .size = *out_n};
    size_t left = ZSTD_decompressStream(z->zst, &to, &from);
    *in_n = from.pos;
    *out_n = to.pos;
    if (ZSTD_isError(left)) {
        *why = ZSTD_getErrorName(left);
        return -EBADMSG;
    }
    if (from.pos || to.pos)
        z->whole = left == 0; /* a call that moves nothing asks for the next frame's header */
    return 0;
}

int homer_inflate_run(struct homer_inflate *z, const unsigned char *in, size_t *in_n, unsigned char *out,
                      size_t *out_n, const char **why) {
    return (z->packing == HOMER_GZIP ? run_gzip : run_zstd)(z, in, in_n, out, out_n, why);
}

bool homer_inflate_whole(const struct homer_inflate *z) {
    return z->whole;
}
