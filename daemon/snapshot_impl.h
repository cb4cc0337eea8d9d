/* What the files of the snapshot share: names and the layout.
 *
 *   header   magic "HOMERSNP" | version u32 | 0 u32 | sequence u64      numbers are little-endian
 *   state    one zstd frame
 *   trailer  bytes of the state u64 | XXH3-128 of all before it, 32 hexadecimal digits */
#ifndef HOMER_DAEMON_SNAPSHOT_IMPL_H
#define HOMER_DAEMON_SNAPSHOT_IMPL_H

#include "daemon/snapshot.h"

#define HOMER_SNAPSHOT_NEW "snapshot.new"

enum {
    HOMER_SNAPSHOT_VERSION = 2,
    HOMER_SNAPSHOT_HEADER = 24,
    HOMER_SNAPSHOT_TRAILER = 40,
    HOMER_SNAPSHOT_CHUNK = 128 * 1024 /* bytes read or written at once */
};

struct homer_snapshot_head {
    char magic[8];
    uint32_t version, zero;
    uint64_t sequence;
};

struct homer_snapshot_tail {
    uint64_t bytes;
    char hash[32]; /* hexadecimal digits */
};

_Static_assert(sizeof(struct homer_snapshot_head) == HOMER_SNAPSHOT_HEADER, "written as it lies in memory");
_Static_assert(sizeof(struct homer_snapshot_tail) == HOMER_SNAPSHOT_TRAILER, "written as it lies in memory");

static inline struct homer_snapshot_head homer_snapshot_head(uint64_t sequence) {
    return (struct homer_snapshot_head){.magic = {'H', 'O', 'M', 'E', 'R', 'S', 'N', 'P'},
                                        .version = HOMER_SNAPSHOT_VERSION,
                                        .sequence = sequence};
}

int homer_snapshot_path(char out[HOMER_PATH_MAX], const char *dir, uint64_t sequence);
/* Fills err with "cannot WHAT PATH: why" and returns rc, a negative errno. */
int homer_snapshot_failed(struct homer_error *err, int rc, const char *what, const char *path);
/* Checks the file at `path`, then decodes it, as homer_snapshot_read. */
int homer_snapshot_read_file(const struct homer_files *f, const char *path, uint64_t sequence,
                             int (*decode)(void *ctx, struct homer_decoder *d), void *ctx,
                             struct homer_error *err);

#endif
