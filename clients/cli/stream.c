#include "clients/cli/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "clients/cli/inflate.h"
#include "clients/cli/interrupt.h"
#include "core/base/buf.h"

enum { BLOCK = 128 << 10 };
/* Far above any line homerd takes (max_line): a file without newlines is no stream of instances. */
static const size_t MAX_LINE = (size_t)256 << 20;

struct homer_stream {
    struct homer_mem mem;
    int fd;
    const char *name;
    char *path;
    uint64_t number;
    bool live;             /* do not wait for input */
    bool eof;              /* of the unpacked text */
    struct homer_buf text; /* unpacked; [next, n) is not handed out yet */
    size_t next, scanned;
    struct homer_inflate *inflate; /* NULL: plain */
    unsigned char *packed;         /* [BLOCK]; [packed_at, packed_n) is not unpacked yet */
    size_t packed_at, packed_n;
};

/* Reads up to cap bytes; *n == 0 at the end. -EAGAIN: live, and there are none now. */
static int read_block(struct homer_stream *s, void *to, size_t cap, size_t *n, struct homer_error *err) {
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    if (s->live && poll(&p, 1, 0) == 0) return -EAGAIN;
    ssize_t k;
    do k = read(s->fd, to, cap);
    while (k < 0 && errno == EINTR && !homer_interrupted());
    if (k < 0) {
        int e = errno;
        return homer_err_set(err, -e, "cannot read %.150s: %s", s->name, strerror(e));
    }
    *n = (size_t)k;
    return 0;
}

/* Fills the first block and decides the packing. Short reads of a pipe are joined until 4 bytes are there. */
static int detect(struct homer_stream *s, struct homer_error *err) {
    size_t n = 0, k = 1;
    while (n < 4 && k) {
        int rc = read_block(s, s->packed + n, BLOCK - n, &k, err);
        if (rc) return rc;
        n += k;
    }
    enum homer_packing packing = homer_packing_of(s->packed, n);
    if (packing != HOMER_PLAIN) {
        s->packed_n = n;
        return homer_inflate_new(&s->inflate, packing) ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
    }
    size_t bom =
        n >= 3 && memcmp(s->packed, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* Windows editors put it there */
    homer_buf_append(&s->text, s->packed + bom, n - bom);
    return s->text.failed ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
}

int homer_stream_open(struct homer_stream **out, const char *path, struct homer_error *err) {
    bool standard = strcmp(path, "-") == 0;
    struct homer_stream *s = calloc(1, sizeof(*s));
    if (!s) return homer_err_set(err, -ENOMEM, "out of memory");
    homer_buf_init(&s->text, &s->mem);
    s->fd = -1;
    s->path = strdup(standard ? "standard input" : path);
    s->packed = malloc(BLOCK);
    int rc = s->path && s->packed ? 0 : homer_err_set(err, -ENOMEM, "out of memory");
    s->name = s->path;
    if (rc == 0) {
        s->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
        int e = errno;
        if (s->fd < 0) rc = homer_err_set(err, -e, "cannot open %.150s: %s", path, strerror(e));
    }
    if (rc == 0) rc = detect(s, err);
    if (rc) {
        homer_stream_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

struct homer_stream *homer_stream_free(struct homer_stream *s) {
    if (!s) return NULL;
    if (s->fd > STDIN_FILENO) close(s->fd);
    homer_inflate_free(s->inflate);
    homer_buf_deinit(&s->text);
    free(s->packed);
    free(s->path);
    free(s);
    return NULL;
}

/* Unpacks some more of a compressed file to `to`; *n == 0 only at its end. */
static int unpack(struct homer_stream *s, char *to, size_t cap, size_t *n, struct homer_error *err) {
    for (;;) {
        size_t in_n = s->packed_n - s->packed_at;
        *n = cap;
        const char *why = "out of memory";
        int rc = homer_inflate_run(s->inflate, s->packed + s->packed_at, &in_n, (unsigned char *)to, n, &why);
        if (rc)
            return homer_err_set(err, rc, "%.120s: damaged behind line %llu: %s", s->name,
                                 (unsigned long long)s->number, why);
        s->packed_at += in_n;
        if (*n) return 0;
        if (s->packed_at < s->packed_n) continue;
        s->packed_at = s->packed_n = 0;
        rc = read_block(s, s->packed, BLOCK, &s->packed_n, err);
        if (rc) return rc;
        if (s->packed_n) continue;
        if (homer_inflate_whole(s->inflate)) return 0;
        return homer_err_set(err, -EBADMSG,
                             "%.120s: the compressed file ends in the middle, behind line %llu", s->name,
                             (unsigned long long)s->number);
    }
}

static int fill(struct homer_stream *s, struct homer_error *err) {
    homer_buf_consume(&s->text, s->next);
    s->scanned -= s->next;
    s->next = 0;
    if (s->text.n > MAX_LINE)
        return homer_err_set(err, -EFBIG, "%.120s:%llu: line longer than %zu bytes", s->name,
                             (unsigned long long)s->number + 1, MAX_LINE);
    if (homer_interrupted()) return homer_err_set(err, -EINTR, "interrupted");
    if (homer_buf_reserve(&s->text, BLOCK)) return homer_err_set(err, -ENOMEM, "out of memory");
    size_t n;
    char *to = s->text.data + s->text.n;
    int rc = s->inflate ? unpack(s, to, BLOCK, &n, err) : read_block(s, to, BLOCK, &n, err);
    if (rc) return rc;
    s->text.n += n;
    s->eof = n == 0;
    return 0;
}

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

int homer_stream_line(struct homer_stream *s, const char **line, size_t *n, struct homer_error *err) {
    for (;;) {
        char *from = s->text.data + s->next, *end = NULL;
        size_t have = s->text.n - s->scanned;
        if (have) end = memchr(s->text.data + s->scanned, '\n', have);
        if (!end && !s->eof) {
            s->scanned = s->text.n;
            int rc = fill(s, err);
            if (rc) return rc;
            continue;
        }
        if (!end && s->next == s->text.n) return 0;
        s->number++;
        char *stop = end ? end : s->text.data + s->text.n;
        s->next = s->scanned = (size_t)(stop - s->text.data) + (end ? 1 : 0);
        while (from < stop && blank(*from)) from++;
        while (from < stop && blank(stop[-1])) stop--;
        if (from == stop) continue;
        *line = from;
        *n = (size_t)(stop - from);
        return 1;
    }
}

int homer_stream_live(struct homer_stream *s) {
    s->live = true;
    return s->fd;
}

uint64_t homer_stream_number(const struct homer_stream *s) {
    return s->number;
}

const char *homer_stream_name(const struct homer_stream *s) {
    return s->name;
}

int homer_stream_check(const char *path, bool *rereadable, struct homer_error *err) {
    struct stat st;
    if (strcmp(path, "-") == 0) {
        *rereadable = false;
        return 0;
    }
    int e = stat(path, &st) ? errno : access(path, R_OK) ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (e) return homer_err_set(err, -e, "cannot open %.150s: %s", path, strerror(e));
    if (!S_ISREG(st.st_mode)) *rereadable = false;
    return 0;
}
