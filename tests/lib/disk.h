/* A disk in memory, behind the table of file operations: it can fail any operation, be full, be slow in words
 * (short reads and writes, interruptions), and lose power.
 *
 * It remembers what was synced: of files by sector, of folder entries by operation. After a power loss any
 * seeded subset of what was not is there: sectors old or new, so that writes are torn, sizes old or new,
 * entries made, renamed and removed or not. A sync that fails drops what was dirty: a later one succeeds
 * without having written it, as kernels do. Folders exist by themselves; files are found by their whole path.
 * One thread at a time. */
#ifndef HOMER_TESTS_DISK_H
#define HOMER_TESTS_DISK_H

#include <stdbool.h>
#include "daemon/files.h"

enum disk_op {
    DISK_OPEN = 1 << 0, /* of a new file */
    DISK_READ = 1 << 1,
    DISK_WRITE = 1 << 2,
    DISK_SYNC = 1 << 3,
    DISK_SYNC_FOLDER = 1 << 4,
    DISK_ALLOCATE = 1 << 5,
    DISK_TRUNCATE = 1 << 6,
    DISK_RENAME = 1 << 7,
    DISK_UNLINK = 1 << 8,
    DISK_LIST = 1 << 9,
    DISK_ALL = (1 << 10) - 1,
};

enum { DISK_SECTOR = 512 };

struct disk;

struct disk *disk_new(uint64_t seed);
struct disk *disk_free(struct disk *d);
/* Removes all files. */
void disk_wipe(struct disk *d);
const struct homer_files *disk_files(struct disk *d);

/* The k-th operation of those kinds from now fails with -error (k = 1: the next), and the `more` after it. A
 * write that fails has written some of it. */
void disk_fail(struct disk *d, unsigned ops, uint64_t k, uint64_t more, int error);
void disk_heal(struct disk *d);
/* Operations that failed so since disk_new. */
uint64_t disk_failures(const struct disk *d);
/* Operations of those kinds so far. */
uint64_t disk_count(const struct disk *d, unsigned ops);
/* Reads and writes are short and interrupted at random. */
void disk_stutter(struct disk *d, bool on);
/* Allocation answers -EOPNOTSUPP. */
void disk_cannot_allocate(struct disk *d, bool on);
/* Bytes of all files together beyond which it is full; 0 = never. */
void disk_capacity(struct disk *d, uint64_t bytes);

/* The process is gone: no file is open. */
void disk_kill(struct disk *d);
/* The power is gone, too. */
void disk_power_loss(struct disk *d);

/* A file's content as it is now, to look at or to damage; NULL when there is none. */
unsigned char *disk_content(struct disk *d, const char *path, size_t *n);
/* Makes a file with that content, all durable, in place of any other. */
void disk_put(struct disk *d, const char *path, const void *bytes, size_t n);
bool disk_exists(struct disk *d, const char *path);

#endif
