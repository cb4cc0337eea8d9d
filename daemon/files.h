/* The file operations that durability rests on, behind a table: the system's own, or a test's that fails the
 * k-th of them or loses power.
 *
 * Each operation returns >= 0, or a negative errno, and does what the system call of its name does, once:
 * it may be interrupted, and read or write less than asked. The functions below the table are what the
 * daemon calls: they try again after an interruption and go on after a short read or write. The table is
 * constant; `ctx` is its own business. Any thread, as far as the table's ctx allows (the system's: yes). */
#ifndef HOMER_DAEMON_FILES_H
#define HOMER_DAEMON_FILES_H

#include <stddef.h>
#include <stdint.h>

struct homer_files {
    void *ctx;
    int (*open)(void *ctx, const char *path, int flags, unsigned mode); /* a file descriptor */
    int (*close)(void *ctx, int fd);
    int64_t (*pread)(void *ctx, int fd, void *to, size_t n, uint64_t at); /* bytes; 0 at the end */
    int64_t (*pwrite)(void *ctx, int fd, const void *from, size_t n, uint64_t at);
    int (*sync)(void *ctx, int fd);                     /* fdatasync: content and size are durable */
    int (*sync_folder)(void *ctx, const char *path);    /* fsync of the folder: its entries are durable */
    int (*allocate)(void *ctx, int fd, uint64_t bytes); /* fallocate from 0: zeros; the size grows */
    int (*truncate)(void *ctx, int fd, uint64_t bytes);
    int64_t (*size)(void *ctx, int fd); /* bytes */
    int (*rename)(void *ctx, const char *from, const char *to);
    int (*unlink)(void *ctx, const char *path);
    int (*make_folder)(void *ctx, const char *path, unsigned mode);
    /* Calls `each` with the name of every entry but "." and "..", in no order. */
    int (*list)(void *ctx, const char *path, void (*each)(void *arg, const char *name), void *arg);
    int (*lock)(void *ctx, int fd); /* flock, exclusive; -EWOULDBLOCK when somebody else has it */
};

extern const struct homer_files homer_files_system;

enum { HOMER_PATH_MAX = 4096 };

/* "folder/name"; 0 or -ENAMETOOLONG. */
int homer_path(char out[HOMER_PATH_MAX], const char *folder, const char *name);

/* A file descriptor that is closed in programs that are started; mode is for new files. */
int homer_file_open(const struct homer_files *f, const char *path, int flags, unsigned mode);
/* Closes and forgets: returns -1, so that fd = homer_file_close(f, fd). fd < 0 is none. What must be durable
 * is synced before: errors of close have nobody to tell. */
int homer_file_close(const struct homer_files *f, int fd);
/* Reads n bytes, fewer only at the end of the file; the bytes read. */
int64_t homer_file_read(const struct homer_files *f, int fd, void *to, size_t n, uint64_t at);
/* Writes all n bytes; 0. On failure some may have been written. */
int homer_file_write(const struct homer_files *f, int fd, const void *from, size_t n, uint64_t at);
int homer_file_sync(const struct homer_files *f, int fd);
int homer_file_sync_folder(const struct homer_files *f, const char *path);
/* Takes the disk space of the first `bytes` bytes of an empty file, so that writing them cannot find the disk
 * full. Where the file system cannot do that, zeros are written. */
int homer_file_allocate(const struct homer_files *f, int fd, uint64_t bytes);
/* Writes the bytes of `from` to `to` and syncs it; leaves out long runs of zeros. `to` is empty, or the same
 * file: then everything is written anew, also what a failed sync has left in memory only. */
int homer_file_copy(const struct homer_files *f, int from, int to);
int homer_file_truncate(const struct homer_files *f, int fd, uint64_t bytes);

#endif
