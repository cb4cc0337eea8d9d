/* Files of a folder that are named by a sequence: a prefix, then 16 hexadecimal digits. Those of the log and
 * the snapshots. No state; any thread. */
#ifndef HOMER_DAEMON_NUMBERED_H
#define HOMER_DAEMON_NUMBERED_H

#include "core/base/mem.h"
#include "daemon/files.h"

enum { HOMER_NUMBERED_NAME = 32 /* bytes: a prefix of at most 15, the digits, NUL */ };

void homer_numbered_name(char out[HOMER_NUMBERED_NAME], const char *prefix, uint64_t sequence);
/* "folder/name"; 0 or -ENAMETOOLONG. */
int homer_numbered_path(char out[HOMER_PATH_MAX], const char *dir, const char *prefix, uint64_t sequence);

struct homer_numbered {
    struct homer_mem *mem;
    const char *prefix;
    uint64_t *at; /* [n] of cap: the sequences, ascending */
    size_t n, cap;
    bool failed; /* memory was refused while listing */
};

/* Lists those of a folder; other names are passed over. 0, -ENOMEM or what listing the folder returned.
 * Deinit in any case. */
int homer_numbered_list(struct homer_numbered *l, struct homer_mem *mem, const struct homer_files *files,
                        const char *dir, const char *prefix);
void homer_numbered_deinit(struct homer_numbered *l);

#endif
