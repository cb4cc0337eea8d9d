#include "daemon/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int result(int rc) {
    return rc < 0 ? -errno : rc;
}

static int system_open(void *ctx, const char *path, int flags, unsigned mode) {
    (void)ctx;
    return result(open(path, flags | O_CLOEXEC | O_NOCTTY, (mode_t)mode));
}

static int system_close(void *ctx, int fd) {
    (void)ctx;
    return result(close(fd));
}

static int64_t system_pread(void *ctx, int fd, void *to, size_t n, uint64_t at) {
    (void)ctx;
    ssize_t got = pread(fd, to, n, (off_t)at);
    return got < 0 ? -errno : got;
}

static int64_t system_pwrite(void *ctx, int fd, const void *from, size_t n, uint64_t at) {
    (void)ctx;
    ssize_t put = pwrite(fd, from, n, (off_t)at);
    return put < 0 ? -errno : put;
}

static int system_sync(void *ctx, int fd) {
    (void)ctx;
    return result(fdatasync(fd));
}

static int system_sync_folder(void *ctx, const char *path) {
    (void)ctx;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int rc = result(fsync(fd));
    close(fd);
    return rc;
}

static int system_allocate(void *ctx, int fd, uint64_t bytes) {
    (void)ctx;
    return result(fallocate(fd, 0, 0, (off_t)bytes));
}

static int system_truncate(void *ctx, int fd, uint64_t bytes) {
    (void)ctx;
    return result(ftruncate(fd, (off_t)bytes));
}

static int64_t system_size(void *ctx, int fd) {
    struct stat st;
    (void)ctx;
    return fstat(fd, &st) < 0 ? -errno : st.st_size;
}

static int system_rename(void *ctx, const char *from, const char *to) {
    (void)ctx;
    return result(rename(from, to));
}

static int system_unlink(void *ctx, const char *path) {
    (void)ctx;
    return result(unlink(path));
}

static int system_make_folder(void *ctx, const char *path, unsigned mode) {
    (void)ctx;
    return result(mkdir(path, (mode_t)mode));
}

static int system_list(void *ctx, const char *path, void (*each)(void *arg, const char *name), void *arg) {
    (void)ctx;
    DIR *dir = opendir(path);
    if (!dir) return -errno;
    const struct dirent *entry;
    for (errno = 0; (entry = readdir(dir)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) each(arg, entry->d_name);
    int rc = -errno;
    closedir(dir);
    return rc;
}

static int system_lock(void *ctx, int fd) {
    (void)ctx;
    return result(flock(fd, LOCK_EX | LOCK_NB));
}

const struct homer_files homer_files_system = {
    .open = system_open,
    .close = system_close,
    .pread = system_pread,
    .pwrite = system_pwrite,
    .sync = system_sync,
    .sync_folder = system_sync_folder,
    .allocate = system_allocate,
    .truncate = system_truncate,
    .size = system_size,
    .rename = system_rename,
    .unlink = system_unlink,
    .make_folder = system_make_folder,
    .list = system_list,
    .lock = system_lock,
};

int homer_path(char out[HOMER_PATH_MAX], const char *folder, const char *name) {
    int n = snprintf(out, HOMER_PATH_MAX, "%s/%s", folder, name);
    return n < 0 || n >= HOMER_PATH_MAX ? -ENAMETOOLONG : 0;
}

int homer_file_open(const struct homer_files *f, const char *path, int flags, unsigned mode) {
    int fd;
    do fd = f->open(f->ctx, path, flags, mode);
    while (fd == -EINTR);
    return fd;
}

int homer_file_close(const struct homer_files *f, int fd) {
    if (fd >= 0) f->close(f->ctx, fd); /* never twice: after an interruption Linux has closed it */
    return -1;
}

int64_t homer_file_read(const struct homer_files *f, int fd, void *to, size_t n, uint64_t at) {
    size_t done = 0;
    while (done < n) {
        int64_t got = f->pread(f->ctx, fd, (char *)to + done, n - done, at + done);
        if (got == -EINTR) continue;
        if (got < 0) return got;
        if (got == 0) break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

int homer_file_write(const struct homer_files *f, int fd, const void *from, size_t n, uint64_t at) {
    size_t done = 0;
    while (done < n) {
        int64_t put = f->pwrite(f->ctx, fd, (const char *)from + done, n - done, at + done);
        if (put == -EINTR) continue;
        if (put < 0) return (int)put;
        if (put == 0) return -EIO; /* a disk that takes nothing and says nothing */
        done += (size_t)put;
    }
    return 0;
}

int homer_file_sync(const struct homer_files *f, int fd) {
    int rc;
    do rc = f->sync(f->ctx, fd);
    while (rc == -EINTR);
    return rc;
}

int homer_file_sync_folder(const struct homer_files *f, const char *path) {
    int rc;
    do rc = f->sync_folder(f->ctx, path);
    while (rc == -EINTR);
    return rc;
}

static const char zeros[1 << 16];

int homer_file_allocate(const struct homer_files *f, int fd, uint64_t bytes) {
    int rc;
    do rc = f->allocate(f->ctx, fd, bytes);
    while (rc == -EINTR);
    if (rc != -EOPNOTSUPP && rc != -ENOSYS) return rc;
    rc = 0;
    for (uint64_t at = 0; at < bytes && !rc; at += sizeof zeros)
        rc = homer_file_write(f, fd, zeros, bytes - at < sizeof zeros ? bytes - at : sizeof zeros, at);
    return rc;
}

int homer_file_truncate(const struct homer_files *f, int fd, uint64_t bytes) {
    int rc;
    do rc = f->truncate(f->ctx, fd, bytes);
    while (rc == -EINTR);
    return rc;
}

int homer_file_copy(const struct homer_files *f, int from, int to) {
    char bytes[sizeof zeros];
    uint64_t at = 0;
    int64_t n;
    int rc = 0;
    while (!rc && (n = homer_file_read(f, from, bytes, sizeof bytes, at)) != 0) {
        if (n < 0) return (int)n;
        if (memcmp(bytes, zeros, (size_t)n) != 0) rc = homer_file_write(f, to, bytes, (size_t)n, at);
        at += (uint64_t)n;
    }
    if (!rc) rc = homer_file_truncate(f, to, at);
    return rc ? rc : homer_file_sync(f, to);
}
