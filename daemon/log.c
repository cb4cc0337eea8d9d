#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    const char *file; /* NULL = standard error */
    int fd;
    enum homer_log_level level;
} state = {.fd = STDERR_FILENO, .level = HOMER_LOG_INFO};

static const char *const words[HOMER_LOG_LEVELS] = {"error", "warn", "info", "debug"};

/* A line under construction; what does not fit is cut, room for the newline is always kept. */
struct text {
    char s[HOMER_LOG_LINE];
    size_t n;
};

static void put(struct text *t, const char *s, size_t n) {
    size_t room = sizeof t->s - 1 - t->n;
    if (n > room) n = room;
    memcpy(t->s + t->n, s, n);
    t->n += n;
}

static void put_text(struct text *t, const char *s) {
    put(t, s, strlen(s));
}

static void put_value(struct text *t, const char *s) {
    if (!s) {
        put_text(t, "null");
        return;
    }
    bool plain = *s != '\0';
    for (const char *p = s; *p; p++)
        plain = plain && (unsigned char)*p > ' ' && *p != '"' && *p != '=' && *p != '\\' && *p != 0x7f;
    if (plain) {
        put_text(t, s);
        return;
    }
    put(t, "\"", 1);
    for (const char *p = s; *p; p++) {
        char esc[8];
        if (*p == '"' || *p == '\\')
            snprintf(esc, sizeof esc, "\\%c", *p);
        else if ((unsigned char)*p < ' ' || *p == 0x7f)
            snprintf(esc, sizeof esc, "\\x%02x", (unsigned)*p);
        else
            snprintf(esc, sizeof esc, "%c", *p);
        put_text(t, esc);
    }
    put(t, "\"", 1);
}

/* One conversion of fmt behind the '%'; returns where the format goes on. */
static const char *put_conversion(struct text *t, const char *fmt, va_list *ap) {
    char number[24] = "?";
    unsigned l = 0;
    bool z = false;
    for (; *fmt == 'l'; fmt++) l++;
    if (*fmt == 'z') z = true, fmt++;
    if (*fmt == 's') {
        put_value(t, va_arg(*ap, const char *));
        return fmt + 1;
    }
    if (*fmt == 'u') {
        unsigned long long v = z       ? va_arg(*ap, size_t)
                               : l > 1 ? va_arg(*ap, unsigned long long)
                               : l     ? va_arg(*ap, unsigned long)
                                       : va_arg(*ap, unsigned);
        snprintf(number, sizeof number, "%llu", v);
    } else if (*fmt == 'd') {
        long long v = l > 1 ? va_arg(*ap, long long) : l ? va_arg(*ap, long) : va_arg(*ap, int);
        snprintf(number, sizeof number, "%lld", v);
    }
    put_text(t, number);
    return *fmt ? fmt + 1 : fmt;
}

static void write_line(enum homer_log_level level, const char *mod, const char *event, unsigned suppressed,
                       const char *fmt, va_list *ap) {
    struct text t = {.n = 0};
    struct timespec now = {0};
    struct tm tm;
    char head[128] = "";
    clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &tm)) {
        size_t n = strftime(head, sizeof head, "time=%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(head + n, sizeof head - n, ".%03ldZ ", now.tv_nsec / 1000000);
    }
    put_text(&t, head);
    put_text(&t, "level=");
    put_text(&t, words[level]);
    put_text(&t, " mod=");
    put_text(&t, mod);
    put_text(&t, " event=");
    put_text(&t, event);
    put(&t, " ", 1);
    while (*fmt) {
        size_t plain = strcspn(fmt, "%");
        put(&t, fmt, plain);
        fmt += plain;
        if (*fmt == '%') fmt = put_conversion(&t, fmt + 1, ap);
    }
    if (suppressed) {
        snprintf(head, sizeof head, " suppressed=%u", suppressed);
        put_text(&t, head);
    }
    t.s[t.n++] = '\n';
    /* A full disk or a closed standard error must not stop the daemon; there is nowhere left to tell it. */
    ssize_t written = write(state.fd, t.s, t.n);
    (void)written;
}

static int open_file(const char *file, int *fd) {
    *fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    return *fd < 0 ? -errno : 0;
}

static void use(const char *file, int fd) {
    if (state.fd != STDERR_FILENO) close(state.fd);
    state.file = file;
    state.fd = fd;
}

int homer_log_open(const char *file, enum homer_log_level level) {
    int fd = STDERR_FILENO;
    if (file) {
        int err = open_file(file, &fd);
        if (err) return err;
    }
    use(file, fd);
    state.level = level;
    return 0;
}

int homer_log_reopen(void) {
    int fd;
    if (!state.file) return 0;
    int err = open_file(state.file, &fd);
    if (err) return err;
    use(state.file, fd);
    return 0;
}

void homer_log_close(void) {
    use(NULL, STDERR_FILENO);
    state.level = HOMER_LOG_INFO;
}

bool homer_log_enabled(enum homer_log_level level) {
    return level <= state.level;
}

void homer_log(enum homer_log_level level, const char *mod, const char *event, const char *fmt, ...) {
    if (!homer_log_enabled(level)) return;
    va_list ap;
    va_start(ap, fmt);
    write_line(level, mod, event, 0, fmt, &ap);
    va_end(ap);
}

bool homer_log_site_pass(struct homer_log_site *site, unsigned per_second, uint64_t second,
                         unsigned *suppressed) {
    *suppressed = 0;
    if (second != site->second) {
        site->second = second;
        site->lines = 0;
    }
    if (site->lines >= per_second) {
        site->suppressed++;
        return false;
    }
    site->lines++;
    *suppressed = site->suppressed;
    site->suppressed = 0;
    return true;
}

void homer_log_limited(struct homer_log_site *site, unsigned per_second, enum homer_log_level level,
                       const char *mod, const char *event, const char *fmt, ...) {
    struct timespec now = {0};
    unsigned suppressed;
    if (!homer_log_enabled(level)) return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!homer_log_site_pass(site, per_second, (uint64_t)now.tv_sec, &suppressed)) return;
    va_list ap;
    va_start(ap, fmt);
    write_line(level, mod, event, suppressed, fmt, &ap);
    va_end(ap);
}
