#include "daemon/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int unreadable(struct homer_error *err, const char *key, const char *path, int code) {
    return homer_err_set(err, -code, "%s: %.150s: cannot be read: %s", key, path, strerror(code));
}

static int check(int fd, const char *path, const char *key, uid_t other, struct homer_error *err) {
    struct stat st;
    if (fstat(fd, &st)) return unreadable(err, key, path, errno);
    if (!S_ISREG(st.st_mode))
        return homer_err_set(err, HOMER_E_BAD_REQUEST, "%s: %.150s: is no regular file", key, path);
    if (st.st_mode & 077)
        return homer_err_set(err, HOMER_E_BAD_REQUEST, "%s: %.120s: mode %04o lets others in; chmod 600 it",
                             key, path, (unsigned)(st.st_mode & 07777));
    if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != other)
        return homer_err_set(err, HOMER_E_BAD_REQUEST,
                             "%s: %.120s: belongs to user %u; chown it to root or to whom homerd runs as",
                             key, path, (unsigned)st.st_uid);
    return 0;
}

int homer_secret_read(const char *path, const char *key, uid_t other, char *out, size_t cap, size_t *n,
                      struct homer_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return unreadable(err, key, path, errno);
    int code = check(fd, path, key, other, err);
    if (code) {
        close(fd);
        return code;
    }
    ssize_t got;
    *n = 0;
    do {
        got = read(fd, out + *n, cap - *n);
        if (got > 0) *n += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    if (got < 0) code = unreadable(err, key, path, errno);
    close(fd);
    return code;
}

void homer_secret_wipe(void *p, size_t n) {
    explicit_bzero(p, n);
}
